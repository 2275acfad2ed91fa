"""The buckets an object lies in: the store's one secondary index.

    o:<uid>                     objects with an ownerReference to that uid
    n:<node>                    pods on that node; 'n:' alone: pods without a node that are not finished
    f:                          pods on nodes that have pod (anti-)affinity
    i:<image>                   nodes that have an image of that name
    z:<when created, zone>      nodes (`api.nodes.Place`)
    q:                          pods that found no node
    m:                          pods without a node that are promised one
    l:<namespace>/<key>=<value> pods with that label
    s:<resource>:<namespace>/<key>=<value>
                                objects whose spec.selector asks for that label, filed under their first pair;
                                'matchExpressions' alone are filed under '*'
    a:<resource>/<namespace>    ReplicaSets and ControllerRevisions without a controller: who may be adopted
    x:                          pods on nodes whose commands ask the network (curl, wget, ...)
    u:                          objects that are not healthy (pods not ready, Deployments not available, ...)

An object that moves between buckets costs a row each; one whose status alone changes usually costs nothing. Events lie in
no bucket: their names begin with the name of the object they are about, and that is found by the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import facets, pods
from minikube_py.api.nodes import image_sizes, place_of

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object

ADOPTABLE = frozenset(("replicasets.apps", "controllerrevisions.apps"))
SELECTING = frozenset(
    ("services", "replicationcontrollers", "replicasets.apps", "statefulsets.apps", "poddisruptionbudgets.policy")
)


MOVING = (  # the facets of a pod that decide in which buckets it lies
    facets.CAME | facets.WENT | facets.NODE | facets.SPEC | facets.LABELS | facets.OWNERS | facets.LEAVING
    | facets.PHASE | facets.READY | facets.SCHEDULED | facets.PROMISED
)  # fmt: skip


def buckets(key: Key, obj: Object) -> tuple[str, ...]:
    """All buckets of an object, in a fixed order."""
    if key.resource == "pods":
        return _of_pod(key.namespace, obj)
    if key.resource == "events":
        return ()
    meta, resource = obj["metadata"], key.resource
    found = ["o:" + ref["uid"] for ref in meta.get("ownerReferences") or ()]
    if resource in ADOPTABLE and not any(ref.get("controller") for ref in meta.get("ownerReferences") or ()):
        found.append(f"a:{resource}/{key.namespace}")
    if resource == "nodes":
        found.append("z:" + place_of(obj).text)
        found += ["i:" + image for image in image_sizes(obj)]
    if resource in SELECTING:
        found += selector_buckets(resource, key.namespace, obj)
    if not _is_well(resource, obj):
        found.append("u:")
    return tuple(found)


def _of_pod(namespace: str, pod: Object) -> tuple[str, ...]:
    meta = pod["metadata"]
    owners, labels = meta.get("ownerReferences"), meta.get("labels")
    known = _shared.get((id(owners), id(labels)))
    if known is None or known[0] is not owners or known[1] is not labels or known[2] != namespace:
        if len(_shared) >= _SHARED_MAX:
            _shared.clear()
        owned = tuple("o:" + ref["uid"] for ref in owners or ())
        labelled = tuple(f"l:{namespace}/{name}={value}" for name, value in (labels or {}).items())
        known = _shared[id(owners), id(labels)] = owners, labels, namespace, owned, labelled
    node = pods.node_of(pod)
    if node:
        here = _ON_SOCIABLE_NODE if _is_sociable(pod) else ()
        if pods.asks_network(pod):
            here = (*here, "x:")
        found = (*known[3], "n:" + node, *here, *known[4])
    else:
        found = (*known[3], *_unplaced(pod), *known[4])
    return found if _pod_is_well(pod) else (*found, "u:")


def _unplaced(pod: Object) -> list[str]:
    found = [] if pods.is_finished(pod) else ["n:"]
    if "status" in pod:
        refused = pods.condition(pod, "PodScheduled")
        if refused is not None and refused.get("reason") == "Unschedulable":
            found.append("q:")
        if pod["status"].get("nominatedNodeName"):
            found.append("m:")
    return found


def _is_sociable(pod: Object) -> bool:
    affinity = pod["spec"].get("affinity")
    return bool(affinity) and ("podAffinity" in affinity or "podAntiAffinity" in affinity)


_ON_SOCIABLE_NODE: tuple[str, ...] = ("f:",)
# The pods of one controller share their owners and labels, so their buckets of both are made once. An entry holds what
# its ids name, and objects are never changed.
_SHARED_MAX = 4096
_shared: dict[tuple[int, int], tuple[Any, Any, str, tuple[str, ...], tuple[str, ...]]] = {}


def selector_buckets(resource: str, namespace: str, obj: Object) -> list[str]:
    """Where an object is filed by its selector: under the first pair it asks for."""
    wanted = obj.get("spec", {}).get("selector")
    if not wanted:
        return []
    pairs = wanted.get("matchLabels") if "matchLabels" in wanted or "matchExpressions" in wanted else wanted
    if not pairs:
        return [f"s:{resource}:{namespace}/*"]
    name = min(pairs)
    return [f"s:{resource}:{namespace}/{name}={pairs[name]}"]


def _pod_is_well(pod: Object) -> bool:
    status = pod.get("status") or {}
    phase = status.get("phase")
    if "deletionTimestamp" in pod["metadata"]:
        return False
    return phase == "Succeeded" or (phase == "Running" and pods.is_ready(pod))


def _is_well(resource: str, obj: Object) -> bool:
    status = obj.get("status") or {}
    if resource == "deployments.apps":
        wanted = obj["spec"].get("replicas", 1)
        return bool((status.get("availableReplicas") or 0) >= wanted and (status.get("updatedReplicas") or 0) >= wanted)
    if resource == "statefulsets.apps":
        return bool((status.get("readyReplicas") or 0) >= obj["spec"].get("replicas", 1))
    if resource == "daemonsets.apps":
        return (status.get("numberReady") or 0) >= (status.get("desiredNumberScheduled") or 0)
    if resource == "nodes":
        return pods.is_ready(obj)
    if resource == "jobs.batch":
        failed = pods.condition(obj, "Failed")
        return failed is None or failed.get("status") != "True"
    if resource == "persistentvolumeclaims":
        return status.get("phase") == "Bound"
    return True
