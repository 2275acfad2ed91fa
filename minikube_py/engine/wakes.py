"""From a change to the keys that a step must look at again: the words of the pipeline's `wakes_on` column.

Each is a function of (change, world) that gives keys. It looks at the old and the new version, since a pod that leaves a
Service concerns the Service as much as one that joins it. They run for every write: each looks first at what is cheap.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from minikube_py.api import facets as of
from minikube_py.api import faults, pods
from minikube_py.api.accounts import TOKEN_TYPE
from minikube_py.api.facets import concerned_by
from minikube_py.api.types import Key
from minikube_py.controllers import zones
from minikube_py.controllers.storage.names import ATTRIBUTES, attributes_of
from minikube_py.scheduler.plugins.volumes import claim_names
from minikube_py.store.view import selects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minikube_py.api.kinds import Registry
    from minikube_py.api.types import Object, Objects
    from minikube_py.store.store import Change, Store
    from minikube_py.store.view import StoreView

BOOTSTRAP_TOKEN = "bootstrap.kubernetes.io/token"
CLUSTER_INFO = Key("configmaps", "kube-public", "cluster-info")
SCHEDULER_CONFIGURATION = Key("configmaps", "kube-system", "kube-scheduler")


class World(NamedTuple):
    """What the mappings may look at."""

    store: Store
    view: StoreView
    registry: Registry
    owners: dict[tuple[int, str], tuple[Objects, list[Key]]]  # what `owners_of` found, by the list of references


if TYPE_CHECKING:
    Mapping: TypeAlias = Callable[[Change, World], Iterable[Key]]

_F = TypeVar("_F", bound="Callable[..., Any]")
NONE: tuple[Key, ...] = ()
# The facets of a pod that a ReplicaSet counts; that controllers may adopt it for; that a client of a Service sees; that may
# help other pods.
COUNTED = of.CAME | of.WENT | of.SPEC | of.LABELS | of.OWNERS | of.LEAVING | of.PHASE | of.READY
ADOPTED = of.CAME | of.OWNERS | of.LABELS
SEEN = of.CAME | of.WENT | of.NODE | of.SPEC | of.LABELS | of.LEAVING | of.ENDED | of.READY | of.ADDRESS
HELPFUL = of.CAME | of.WENT | of.NODE | of.SPEC | of.LABELS | of.LEAVING | of.ENDED | of.SCHEDULED | of.PROMISED


def idle_without(resource: str) -> Callable[[_F], _F]:
    """Mark a mapping: it finds nothing while the cluster has no object of that resource, and need not be asked."""

    def mark(function: _F) -> _F:
        function.idle_without = resource  # type: ignore[attr-defined]
        return function

    return mark


def itself(change: Change, world: World) -> Iterable[Key]:
    """The changed object."""
    return (change.key,)


def aggregating(change: Change, world: World) -> Iterable[Key]:
    """A ClusterRole has changed: every one that gathers the rules of others."""
    roles = world.store.list(change.key.resource)
    return tuple(
        Key(change.key.resource, "", role["metadata"]["name"]) for role in roles if role.get("aggregationRule")
    )


def _is_bootstrap_token(change: Change) -> bool:
    found = change.new or change.old
    return change.key.namespace == "kube-system" and found is not None and found.get("type") == BOOTSTRAP_TOKEN


def itself_if_bootstrap_token(change: Change, world: World) -> Iterable[Key]:
    """A Secret with a bootstrap token."""
    return (change.key,) if _is_bootstrap_token(change) else NONE


def cluster_info_if_bootstrap_token(change: Change, world: World) -> Iterable[Key]:
    """The ConfigMap that bootstrap tokens sign, at a change of one."""
    return (CLUSTER_INFO,) if _is_bootstrap_token(change) else NONE


def itself_if_cluster_info(change: Change, world: World) -> Iterable[Key]:
    """The ConfigMap that bootstrap tokens sign."""
    return (change.key,) if change.key == CLUSTER_INFO else NONE


def service_blocks_that_leave(change: Change, world: World) -> Iterable[Key]:
    """The ServiceCIDRs that are being deleted, when a Service is gone or another block has changed."""
    if change.key.resource == "services" and change.new is not None:
        return NONE
    blocks = world.store.list("servicecidrs.networking.k8s.io")
    leaving = [one["metadata"]["name"] for one in blocks if "deletionTimestamp" in one["metadata"]]
    return [Key("servicecidrs.networking.k8s.io", "", name) for name in leaving]


def its_token_secrets_if_deleted(change: Change, world: World) -> Iterable[Key]:
    """A ServiceAccount is gone: the Secrets of its namespace that hold a token of one."""
    if change.new is not None:
        return NONE
    secrets = world.store.list("secrets", change.key.namespace)
    return [
        Key("secrets", change.key.namespace, one["metadata"]["name"])
        for one in secrets
        if one.get("type") == TOKEN_TYPE
    ]


# -- owners and what they own ------------------------------------------------------------------------------------------


class Owner(NamedTuple):
    """`owner('jobs.batch')`: the owners of that resource that the object names or named, at these facets of a pod. The engine
    looks the references of a change up once for all steps that ask."""

    resource: str
    facets: int = of.ALL

    def __call__(self, change: Change, world: World) -> Iterable[Key]:
        return [key for key in owners_of(change, world) if key.resource == self.resource]


owner = Owner


def owners_of(change: Change, world: World) -> list[Key]:
    """The owners that the object names or named, of whatever resource. The pods of one controller share the answer."""
    references = _references(change)
    namespace = change.key.namespace
    known = world.owners.get((id(references), namespace))
    if known is not None and known[0] is references:
        return known[1]
    found, place = [], world.registry.place
    for ref in references:
        where = place(ref["apiVersion"], ref["kind"])
        if where is not None:
            found.append(Key(where[0], namespace if where[1] else "", ref["name"]))
    world.owners[id(references), namespace] = references, found
    return found


def owner_of_gone_pod(middle: str, resource: str) -> Mapping:
    """The owner of a pod's owner, if the pod is gone or finished: the Deployment behind a ReplicaSet (Recreate waits)."""

    @concerned_by(of.CAME | of.WENT | of.ENDED)
    def mapping(change: Change, world: World) -> Iterable[Key]:
        if change.new is not None and not pods.is_finished(change.new):
            return NONE
        found: list[Key] = []
        for key in owners_of(change, world):
            between = world.store.get(key) if key.resource == middle else None
            if between is not None:
                further = owners_of(change._replace(key=key, old=None, new=between), world)
                found += [key for key in further if key.resource == resource]
        return found

    return mapping


def _references(change: Change) -> Objects:
    """The ownerReferences of both versions."""
    old = change.old["metadata"].get("ownerReferences") if change.old is not None else None
    new = change.new["metadata"].get("ownerReferences") if change.new is not None else None
    if old is new or old == new:
        return new or []
    return [*(old or ()), *(new or ())]


@concerned_by(of.CAME | of.OWNERS | of.LEAVING | of.FINALIZERS)
def collectable(change: Change, world: World) -> Iterable[Key]:
    """An object that may be garbage: its owners have changed or are not there, or its own deletion began."""
    old, new = change.old, change.new
    if new is None:
        return NONE
    meta, before = new["metadata"], old["metadata"] if old is not None else {}
    if "deletionTimestamp" in meta and (
        "deletionTimestamp" not in before or meta.get("finalizers") != before.get("finalizers")
    ):
        return (change.key,)
    references = meta.get("ownerReferences")
    if not references or references is before.get("ownerReferences") or references == before.get("ownerReferences"):
        return NONE
    if old is None and all(_owner_stays(ref, change.key.namespace, world) for ref in references):
        return NONE
    return (change.key,)


def _owner_stays(reference: Object, namespace: str, world: World) -> bool:
    where = world.registry.place(reference["apiVersion"], reference["kind"])
    if where is None:
        return True
    owner = world.store.get(Key(where[0], namespace if where[1] else "", reference["name"]))
    if owner is None or owner["metadata"].get("uid") != reference["uid"]:
        return False
    return "deletionTimestamp" not in owner["metadata"]


@concerned_by(of.WENT | of.LEAVING)
def dependents(change: Change, world: World) -> Iterable[Key]:
    """What an object owns that was deleted or whose deletion began."""
    if change.old is None:
        return NONE
    before = change.old["metadata"]
    gone = change.new is None or ("deletionTimestamp" in change.new["metadata"] and "deletionTimestamp" not in before)
    return tuple(world.store.bucket("o:" + before.get("uid", ""))) if gone else NONE


@concerned_by(of.WENT | of.OWNERS)
def owners(change: Change, world: World) -> Iterable[Key]:
    """The owners of a deleted object, and those that an object has lost: one that is being deleted may wait for it."""
    if change.new is None:
        return owners_of(change, world)
    before = change.old["metadata"].get("ownerReferences") if change.old is not None else None
    if not before or before is change.new["metadata"].get("ownerReferences"):
        return NONE
    return owners_of(change, world) if before != change.new["metadata"].get("ownerReferences") else NONE


# -- pods and what selects them ----------------------------------------------------------------------------------------


@concerned_by(of.CAME | of.SPEC | of.LABELS | of.LEAVING | of.CLAIMS)
def itself_if_unassigned(change: Change, world: World) -> Iterable[Key]:
    """A pod that has no node yet, if it is new or has changed for the scheduler: not by what that wrote of its failure."""
    old, new = change.old, change.new
    if new is None or pods.node_of(new):
        return NONE
    if old is not None and (old["spec"] is new["spec"] or old["spec"] == new["spec"]):
        before, after = old.get("status") or {}, new.get("status") or {}
        if (
            _labels(old) == _labels(new)
            and pods.is_terminating(old) == pods.is_terminating(new)
            and before.get("resourceClaimStatuses") == after.get("resourceClaimStatuses")
        ):
            return NONE
    return (change.key,)


def itself_if_assigned(change: Change, world: World) -> Iterable[Key]:
    """A pod that has a node: that node's kubelet's."""
    return (change.key,) if change.new is not None and pods.node_of(change.new) else NONE


@concerned_by(of.CAME | of.NODE | of.SPEC | of.LEAVING)
def placed_badly_or_leaving(change: Change, world: World) -> Iterable[Key]:
    """A pod whose deletion began, or that got a node (or other tolerations) where something may drive it away: the node is
    tainted, or not there."""
    old, new = change.old, change.new
    if new is None:
        return NONE
    node, leaving = pods.node_of(new), pods.is_terminating(new)
    if old is not None and pods.node_of(old) == node and pods.is_terminating(old) == leaving:
        before, after = old["spec"], new["spec"]
        if before is after or before.get("tolerations") == after.get("tolerations"):
            return NONE
    if leaving:
        return (change.key,)
    if not node:
        return NONE
    found = world.store.get(Key("nodes", "", node))
    return NONE if found is not None and not found["spec"].get("taints") else (change.key,)


class Adopter(NamedTuple):
    """`adopting('replicasets.apps')`: objects of a resource whose selector matches a pod that has no controller, or whose
    labels have changed. The engine asks `is_adoptable` once for all steps."""

    resource: str
    facets: int = ADOPTED

    def __call__(self, change: Change, world: World) -> Iterable[Key]:
        if change.new is None or not is_adoptable(change):
            return NONE
        found = world.view.selecting(self.resource, change.new)
        return [Key(self.resource, change.key.namespace, obj["metadata"]["name"]) for obj in found]


adopting = Adopter


def is_adoptable(change: Change) -> bool:
    """Whether a change of a pod concerns controllers that do not own it: it has none, or has other labels than before."""
    old, new = change.old, change.new
    if new is None:
        return False
    for ref in new["metadata"].get("ownerReferences") or ():
        if ref.get("controller"):
            return old is not None and _labels(old) is not _labels(new) and _labels(old) != _labels(new)
    return True


@cache
def backing(resource: str) -> Mapping:
    """Objects of a resource (services) whose selector matches a pod, if the pod changed in what its clients see."""

    @idle_without(resource)
    @concerned_by(SEEN)
    def mapping(change: Change, world: World) -> Iterable[Key]:
        old, new = change.old, change.new
        if resource == "services" and not (_address(old) or _address(new)):
            return NONE  # nobody can reach it, nobody could
        if world.store.is_empty(resource, change.key.namespace):
            return NONE
        if old is None or new is None:
            either = new or old
            labelled = [either] if either is not None else []
        else:
            labelled = [new] if _labels(old) is _labels(new) or _labels(old) == _labels(new) else [old, new]
        names = dict.fromkeys(
            found["metadata"]["name"] for obj in labelled for found in world.view.selecting(resource, obj)
        )
        return [Key(resource, change.key.namespace, name) for name in names]

    return mapping


def adopting_deployments(change: Change, world: World) -> Iterable[Key]:
    """Deployments whose selector matches a ReplicaSet that has no controller."""
    new = change.new
    if new is None or any(ref.get("controller") for ref in new["metadata"].get("ownerReferences") or ()):
        return NONE
    resource, namespace, labels = "deployments.apps", change.key.namespace, _labels(new) or {}
    found = [obj for obj in world.view.list(resource, namespace) if selects(obj, labels)]
    return [Key(resource, namespace, obj["metadata"]["name"]) for obj in found]


def _labels(obj: Object) -> Object | None:
    return obj["metadata"].get("labels")  # type: ignore[no-any-return]


def _address(pod: Object | None) -> str:
    return (pod.get("status") or {}).get("podIP") or "" if pod is not None else ""


def pending_with_claims(change: Change, world: World) -> Iterable[Key]:
    """Pods of the namespace that have no node yet and ask for devices: they may wait for this ResourceClaim."""
    found = []
    for key in world.store.bucket("n:"):
        pod = world.store.get(key) if key.namespace == change.key.namespace else None
        if pod is not None and pod["spec"].get("resourceClaims"):
            found.append(key)
    return found


@concerned_by(HELPFUL)
def refused_if_helped(change: Change, world: World) -> Iterable[Key]:
    """Of the pods that found no node, or are promised one, those to try again after this change."""
    if not world.store.has_any("q:") and not world.store.has_any("m:"):
        return NONE
    from minikube_py.scheduler.cache import Cache

    now_s = int(world.store.meta("now_s", "0"))
    return world.view.derived("scheduler", Cache).waiting.helped(change.key, change.old, change.new, now_s)  # type: ignore[no-any-return]


def unassigned_if_scheduler_changed(change: Change, world: World) -> Iterable[Key]:
    """All pods without a node, if the ConfigMap with the scheduler's configuration changed."""
    if change.key != SCHEDULER_CONFIGURATION:
        return NONE
    from minikube_py.scheduler.cache import Cache

    found = tuple(key for key in world.store.bucket("n:") if key.resource == "pods")
    world.view.derived("scheduler", Cache).waiting.call(found)
    return found


def waiting_pods_in_namespace(change: Change, world: World) -> Iterable[Key]:
    """Pods of the object's namespace that are not well: they may wait for this ConfigMap, Secret or claim.

    Pods without a node do not: their kubelet looks when they are bound.
    """
    namespace, homeless = change.key.namespace, frozenset(world.store.bucket("n:"))
    return [
        key
        for key in world.store.bucket("u:")
        if key.namespace == namespace and key.resource == "pods" and key not in homeless
    ]


def pods_waiting_for_service(change: Change, world: World) -> Iterable[Key]:
    """Pods that are not well of the Service's namespace, and those elsewhere whose init containers name both of them."""
    namespace, name = change.key.namespace, f"{change.key.name}.{change.key.namespace}"
    found = []
    for key in world.store.bucket("u:"):
        if key.resource != "pods":
            continue
        if key.namespace == namespace:
            found.append(key)
        elif change.old is None or change.new is None:
            pod = world.store.get(key)
            inits = pod["spec"].get("initContainers") or () if pod is not None else ()
            words = [word for one in inits for word in (*(one.get("command") or ()), *(one.get("args") or ()))]
            if any(name in word for word in words):
                found.append(key)
    return found


OF_SERVICE = "kubernetes.io/service-name"


def pods_that_ask(change: Change, world: World) -> Iterable[Key]:
    """Pods whose scripts call curl or the like: of a Service or its EndpointSlices those that name it, else all of them."""
    if not world.store.has_any("x:"):
        return NONE
    keys = world.store.bucket("x:")
    if change.key.resource not in ("services", "endpointslices.discovery.k8s.io"):
        return keys
    labels = [_labels(obj) or {} for obj in (change.new, change.old) if obj is not None]
    name = next((one[OF_SERVICE] for one in labels if OF_SERVICE in one), change.key.name)
    return [key for key in keys if _names(world.store.get(key), name)]


def _names(pod: Object | None, name: str) -> bool:
    """Whether a name stands in the commands or the environment of a pod's containers."""
    if pod is None:
        return False
    listed = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    return any(
        name in f"{one.get('command')} {one.get('args')} {one.get('env')}" or one.get("envFrom") for one in listed
    )


# -- node groups -------------------------------------------------------------------------------------------------------

GROUPS, OF_GROUP = "nodegroups.sim.kpy.dev", "sim.kpy.dev/nodegroup"


def first_node_group(change: Change, world: World) -> Iterable[Key]:
    """The first NodeGroup by name, at which the Cluster Autoscaler runs for all."""
    found = world.view.list(GROUPS)
    return (Key(GROUPS, "", found[0]["metadata"]["name"]),) if found else NONE


@idle_without(GROUPS)
@concerned_by(of.CAME | of.WENT | of.NODE | of.ENDED | of.SCHEDULED)
def first_node_group_if_moved(change: Change, world: World) -> Iterable[Key]:
    """The same, after a pod came to its node, found none, ended or went."""
    old, new = change.old, change.new
    if old is not None and new is not None:
        same = pods.node_of(old) == pods.node_of(new) and pods.is_finished(old) == pods.is_finished(new)
        if same and (pods.node_of(new) or pods.condition(old, "PodScheduled") == pods.condition(new, "PodScheduled")):
            return NONE
    elif old is None and new is not None and not pods.node_of(new):
        return NONE
    return first_node_group(change, world)


@idle_without(GROUPS)
def first_node_group_if_node_changed(change: Change, world: World) -> Iterable[Key]:
    """The same, after a node came, went, became ready or not, or changed its spec."""
    old, new = change.old, change.new
    if old is not None and new is not None and old["spec"] == new["spec"]:
        before, after = pods.condition(old, "Ready"), pods.condition(new, "Ready")
        if (before or {}).get("status") == (after or {}).get("status"):
            return NONE
    return first_node_group(change, world)


def checkpoints_of_gone_vpa(change: Change, world: World) -> Iterable[Key]:
    """The checkpoints of a VerticalPodAutoscaler that was deleted."""
    if change.new is not None:
        return NONE
    resource, name = "verticalpodautoscalercheckpoints.autoscaling.k8s.io", change.key.name
    return [
        Key(resource, change.key.namespace, one["metadata"]["name"])
        for one in world.view.list(resource, change.key.namespace)
        if (one.get("spec") or {}).get("vpaObjectName") == name
    ]


@idle_without(GROUPS)
def group_of_gone_node(change: Change, world: World) -> Iterable[Key]:
    """The NodeGroup of a Node that was deleted."""
    if change.new is not None or change.old is None:
        return NONE
    name = (change.old["metadata"].get("labels") or {}).get(OF_GROUP)
    return (Key(GROUPS, "", name),) if name else NONE


# -- nodes -------------------------------------------------------------------------------------------------------------


def pods_on_new_node(change: Change, world: World) -> Iterable[Key]:
    """The pods of a node that has just been registered."""
    return tuple(world.store.bucket("n:" + change.key.name)) if change.old is None else NONE


def pods_if_rebooted(change: Change, world: World) -> Iterable[Key]:
    """The pods on a machine that was switched on again."""
    old, new = change.old, change.new
    if old is None or new is None:
        return NONE
    before, after = old["status"].get("nodeInfo"), new["status"].get("nodeInfo")
    if before is after or not before or not after or before["bootID"] == after["bootID"]:
        return NONE
    return tuple(world.store.bucket("n:" + change.key.name))


@concerned_by(of.WENT)
def node_of_gone_mirror(change: Change, world: World) -> Iterable[Key]:
    """The node of a mirror pod that was deleted."""
    pod = change.old
    if change.new is not None or pod is None:
        return NONE
    if "kubernetes.io/config.mirror" not in (pod["metadata"].get("annotations") or ()):
        return NONE
    return (Key("nodes", "", pods.node_of(pod)),)


def pods_if_taints_changed(change: Change, world: World) -> Iterable[Key]:
    """The pods on a node whose taints changed, or that is gone."""
    old, new = change.old, change.new
    if old is None or (new is not None and old["spec"].get("taints") == new["spec"].get("taints")):
        return NONE
    return tuple(world.store.bucket("n:" + change.key.name))


def all_if_node_changed(resource: str) -> Mapping:
    """Every object of a resource, if a node came, went, or changed in labels or taints: DaemonSets count nodes."""

    @idle_without(resource)
    def mapping(change: Change, world: World) -> Iterable[Key]:
        old, new = change.old, change.new
        if old is not None and new is not None:
            same_taints = old["spec"].get("taints") == new["spec"].get("taints")
            if same_taints and _labels(old) == _labels(new):
                return NONE
        return tuple(
            Key(resource, obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in world.view.list(resource)
        )

    return mapping


@concerned_by(of.CAME | of.ENDED)
def default_namespace_if_ended(change: Change, world: World) -> Iterable[Key]:
    """A pod has finished: the namespace that stands for the whole cluster."""
    new = change.new
    return (Key("namespaces", "", "default"),) if new is not None and pods.is_finished(new) else NONE


def hinted_services_if_node_changed(change: Change, world: World) -> Iterable[Key]:
    """A node came, went, or changed in readiness or labels: the Services whose endpoints are shared out among zones."""
    old, new = change.old, change.new
    if (
        old is not None
        and new is not None
        and _labels(old) == _labels(new)
        and pods.is_ready(old) == pods.is_ready(new)
    ):
        return NONE
    found = world.store.list("services")
    notes = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")
    return tuple(
        Key("services", one["metadata"]["namespace"], one["metadata"]["name"])
        for one in found
        if any(note in (one["metadata"].get("annotations") or ()) for note in notes)
    )


@concerned_by(of.WENT)
def itself_if_gone(change: Change, world: World) -> Iterable[Key]:
    """An object that was deleted."""
    return (change.key,) if change.new is None else NONE


@concerned_by(of.CAME | of.NODE)
def node_if_not_ready(change: Change, world: World) -> Iterable[Key]:
    """The node that a pod was just bound to, if that node is not ready."""
    new = change.new
    if new is None or not pods.node_of(new) or (change.old is not None and pods.node_of(change.old)):
        return NONE
    key = Key("nodes", "", pods.node_of(new))
    node = world.store.get(key)
    return NONE if node is None or pods.is_ready(node) else (key,)


def nodes_not_ready(change: Change, world: World) -> Iterable[Key]:
    """The nodes that are not ready, if a node came, went or changed its readiness: how many are lost decides on evictions."""
    old, new = change.old, change.new
    if old is not None and new is not None and pods.is_ready(old) == pods.is_ready(new):
        return NONE
    return [Key("nodes", "", name) for name in zones.of_cluster(world.view).lost]


def faulty_node(change: Change, world: World) -> Iterable[Key]:
    """The nodes that a Fault is or was about."""
    versions = [obj for obj in (change.old, change.new) if obj is not None]
    named = [
        obj["spec"].get("node") for obj in versions if not (obj["spec"].get("zone") or obj["spec"].get("nodeSelector"))
    ]
    if len(named) == len(versions) and all(named):
        return [Key("nodes", "", name) for name in dict.fromkeys(named)]
    if not any(obj["spec"].get("zone") or obj["spec"].get("nodeSelector") for obj in versions):
        return NONE  # about pods, wherever they are
    names = [node["metadata"]["name"] for node in world.view.list("nodes")]
    return [
        Key("nodes", "", name) for name in names if any(faults.is_about_node(obj, name, world.view) for obj in versions)
    ]


def pods_on_faulty_node(change: Change, world: World) -> Iterable[Key]:
    """The pods on the nodes that a Fault is or was about; of one that makes programs leak, wherever they are."""
    told = change.new if change.new is not None else change.old
    if told is not None and told["spec"].get("type") == "MemoryLeak":
        found = world.view.list("pods", told["spec"].get("namespace"))
        return [
            Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
            for pod in found
            if pods.node_of(pod) and faults.is_about_pod(told, pod, world.view)
        ]
    return [key for node in faulty_node(change, world) for key in world.store.bucket("n:" + node.name)]


# -- volumes -----------------------------------------------------------------------------------------------------------


@concerned_by(of.CAME)
def itself_if_ephemeral(change: Change, world: World) -> Iterable[Key]:
    """A pod that just came, if it has generic ephemeral volumes."""
    if change.old is not None or change.new is None:
        return NONE
    volumes = change.new["spec"].get("volumes") or ()
    return (change.key,) if any("ephemeral" in volume for volume in volumes) else NONE


@concerned_by(of.CAME | of.NODE | of.CLAIMS)
def itself_if_claiming(change: Change, world: World) -> Iterable[Key]:
    """A pod that asks for devices."""
    return (change.key,) if change.new is not None and change.new["spec"].get("resourceClaims") else NONE


def pods_to_reserve_for(change: Change, world: World) -> Iterable[Key]:
    """The pods of the namespace that ask for devices, if the claim is allocated now: somebody may have placed one by hand."""
    if not ((change.new or {}).get("status") or {}).get("allocation"):
        return NONE
    found = world.view.list("pods", change.key.namespace)
    return [
        Key("pods", change.key.namespace, pod["metadata"]["name"]) for pod in found if pod["spec"].get("resourceClaims")
    ]


@concerned_by(of.WENT | of.ENDED | of.LEAVING)
def device_claims_of_done_pod(change: Change, world: World) -> Iterable[Key]:
    """The ResourceClaims of a pod that ends, leaves or is gone."""
    pod = change.new or change.old
    if pod is None or not pod["spec"].get("resourceClaims"):
        return NONE
    told = (*pod["spec"]["resourceClaims"], *((pod.get("status") or {}).get("resourceClaimStatuses") or ()))
    names = [one.get("resourceClaimName") for one in told]
    return [Key("resourceclaims.resource.k8s.io", change.key.namespace, name) for name in names if name]


def volume_of_claim(change: Change, world: World) -> Iterable[Key]:
    """The volume that a claim names or named."""
    names = [(obj.get("spec") or {}).get("volumeName") for obj in (change.old, change.new) if obj is not None]
    return [Key("persistentvolumes", "", name) for name in dict.fromkeys(names) if name]


def claim_of_volume(change: Change, world: World) -> Iterable[Key]:
    """The claim that a volume is or was reserved for."""
    found = [(obj.get("spec") or {}).get("claimRef") for obj in (change.old, change.new) if obj is not None]
    return [Key("persistentvolumeclaims", ref.get("namespace") or "", ref.get("name") or "") for ref in found if ref]


def unbound_claims(change: Change, world: World) -> Iterable[Key]:
    """Every claim that is not bound."""
    return [key for key in world.store.bucket("u:") if key.resource == "persistentvolumeclaims"]


@concerned_by(of.WENT)
def claims_of_gone_pod(change: Change, world: World) -> Iterable[Key]:
    """The claims that a pod used which is gone."""
    if change.new is not None or change.old is None or not change.old["spec"].get("volumes"):
        return NONE
    return [Key("persistentvolumeclaims", change.key.namespace, name) for name in claim_names(change.old)]


def attributes_no_longer_named(change: Change, world: World) -> Iterable[Key]:
    """The VolumeAttributesClasses that a claim or a volume named before and does not any more."""
    if change.old is None:
        return NONE
    before = attributes_of(change.old)
    left = before - attributes_of(change.new) if before and change.new is not None else before
    return [Key(ATTRIBUTES, "", name) for name in sorted(left)]


# -- namespaces, Services ----------------------------------------------------------------------------------------------


def its_namespace_if_deleted(change: Change, world: World) -> Iterable[Key]:
    """The namespace of a deleted object."""
    return (Key("namespaces", "", change.key.namespace),) if change.new is None else NONE


def its_namespace_if_root_ca(change: Change, world: World) -> Iterable[Key]:
    """The namespace whose kube-root-ca.crt was touched."""
    is_root_ca = change.key.name == "kube-root-ca.crt" and change.old is not None
    return (Key("namespaces", "", change.key.namespace),) if is_root_ca else NONE


def default_namespace_if_api_service(change: Change, world: World) -> Iterable[Key]:
    """The namespace default, if the Service `kubernetes` or its endpoints are gone."""
    is_gone = change.new is None and (change.key.namespace, change.key.name) == ("default", "kubernetes")
    return (Key("namespaces", "", "default"),) if is_gone else NONE


@idle_without("resourcequotas")
@concerned_by(of.CAME | of.WENT | of.SPEC | of.ENDED)
def quotas_of_its_namespace(change: Change, world: World) -> Iterable[Key]:
    """The quotas that may count an object that comes, goes, finishes or gets another spec."""
    old, new = change.old, change.new
    if not change.key.namespace or change.key.resource == "resourcequotas":
        return NONE
    if old is not None and new is not None:
        ended = change.key.resource == "pods" and pods.is_finished(old) != pods.is_finished(new)
        if not ended and old.get("spec") is new.get("spec"):
            return NONE
    found = world.view.list("resourcequotas", change.key.namespace)
    return [Key("resourcequotas", change.key.namespace, quota["metadata"]["name"]) for quota in found]


@concerned_by(of.WENT)
def its_terminating_namespace(change: Change, world: World) -> Iterable[Key]:
    """The namespace of a deleted object, if the namespace is being deleted too."""
    if change.new is not None or not change.key.namespace:
        return NONE
    key = Key("namespaces", "", change.key.namespace)
    namespace = world.store.get(key)
    return (key,) if namespace is not None and "deletionTimestamp" in namespace["metadata"] else NONE


@concerned_by(of.WENT)
def its_terminating_definition(change: Change, world: World) -> Iterable[Key]:
    """The definition of a custom object that is gone, if the definition is being deleted: its name is the resource."""
    if change.new is not None or "." not in change.key.resource:
        return NONE
    key = Key("customresourcedefinitions.apiextensions.k8s.io", "", change.key.resource)
    definition = world.store.get(key)
    return (key,) if definition is not None and "deletionTimestamp" in definition["metadata"] else NONE


@concerned_by(of.CAME | of.LEAVING)
def tracked_by_job(change: Change, world: World) -> Iterable[Key]:
    """A pod with the Job controller's finalizer, when it comes or its deletion begins."""
    old, new = change.old, change.new
    if new is None or "batch.kubernetes.io/job-tracking" not in (new["metadata"].get("finalizers") or ()):
        return NONE
    begins = "deletionTimestamp" in new["metadata"] and (old is None or "deletionTimestamp" not in old["metadata"])
    return (change.key,) if old is None or begins else NONE


def budgets_if_scaled(change: Change, world: World) -> Iterable[Key]:
    """The disruption budgets of a namespace, if a controller of pods in it came or changed its size."""
    old, new = change.old, change.new
    if new is None or (old is not None and old["spec"].get("replicas") == new["spec"].get("replicas")):
        return NONE
    resource, namespace = "poddisruptionbudgets.policy", change.key.namespace
    return [Key(resource, namespace, obj["metadata"]["name"]) for obj in world.view.list(resource, namespace)]


def service_of_slice(change: Change, world: World) -> Iterable[Key]:
    """The Service that an EndpointSlice or Endpoints object belongs to."""
    if change.key.resource == "endpoints":
        return (change.key._replace(resource="services"),)
    found = []
    for obj in (change.old, change.new):
        name = (_labels(obj) or {}).get("kubernetes.io/service-name") if obj is not None else None
        if name:
            found.append(Key("services", change.key.namespace, name))
    return found


def endpoints_of_service(change: Change, world: World) -> Iterable[Key]:
    """The Endpoints object of a deleted Service's name."""
    return (change.key._replace(resource="endpoints"),) if change.new is None else NONE


def endpoints_of_any_service(change: Change, world: World) -> Iterable[Key]:
    """The Endpoints object of a Service's name."""
    return (change.key._replace(resource="endpoints"),)


def all_in_namespace(resource: str) -> Mapping:
    """Every object of a resource in the object's namespace."""

    def mapping(change: Change, world: World) -> Iterable[Key]:
        found = world.view.list(resource, change.key.namespace)
        return [Key(resource, change.key.namespace, obj["metadata"]["name"]) for obj in found]

    return mapping


# -- the network -------------------------------------------------------------------------------------------------------


def load_balancer(change: Change, world: World) -> Iterable[Key]:
    """A Service that has or had the type LoadBalancer."""
    versions = [obj for obj in (change.old, change.new) if obj is not None]
    is_one = any((obj.get("spec") or {}).get("type") == "LoadBalancer" for obj in versions)
    return (change.key,) if is_one else NONE


def services_if_cloud_changed(change: Change, world: World) -> Iterable[Key]:
    """All Services, if the ConfigMap that says whether there is a cloud changed."""
    if change.key.name != "cloud-provider" or change.key.namespace != "kube-system":
        return NONE
    return tuple(world.store.loaded_keys("services"))


@cache
def all_of(resource: str) -> Mapping:
    """Every object of a (small) resource."""

    def mapping(change: Change, world: World) -> Iterable[Key]:
        return tuple(world.store.loaded_keys(resource))

    return mapping


@cache
def all_if_came_or_went(resource: str) -> Mapping:
    """Every object of a resource, if the changed object was created or deleted."""

    def mapping(change: Change, world: World) -> Iterable[Key]:
        return tuple(world.store.loaded_keys(resource)) if change.old is None or change.new is None else NONE

    return mapping


@idle_without("traffics.sim.kpy.dev")
@concerned_by(of.CAME | of.WENT | of.LABELS | of.LEAVING | of.ADDRESS | of.CONTAINERS | of.PHASE)
def traffic_if_pod_changed(change: Change, world: World) -> Iterable[Key]:
    """All Traffics, if a pod that can be reached came, went, is leaving, or has containers in other states."""
    if not (_address(change.old) or _address(change.new)):
        return NONE
    found = world.store.loaded_keys("traffics.sim.kpy.dev")
    return tuple(found) if found and _reached(change.old) != _reached(change.new) else NONE


def _reached(pod: Object | None) -> object:
    if pod is None:
        return None
    meta, status = pod["metadata"], pod.get("status") or {}
    return (
        _address(pod),
        meta.get("deletionTimestamp"),
        meta.get("labels"),
        status.get("containerStatuses"),
        status.get("phase"),
    )


@idle_without("traffics.sim.kpy.dev")
def traffic_if_node_changed(change: Change, world: World) -> Iterable[Key]:
    """All Traffics, if a node came, went, or changed its readiness."""
    found = world.store.loaded_keys("traffics.sim.kpy.dev")
    if not found:
        return NONE
    old, new = change.old, change.new
    if old is not None and new is not None and pods.is_ready(old) == pods.is_ready(new):
        return NONE
    return tuple(found)
