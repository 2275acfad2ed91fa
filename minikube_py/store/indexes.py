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
    u:                          objects that are not healthy (pods not ready, Deployments not available, ...)

An object that moves between buckets costs a row each; one whose status alone changes usually costs nothing. Events lie in
no bucket: their names begin with the name of the object they are about, and that is found by the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    if key.resource == "events":
        return ()
    meta = obj["metadata"]
    found = ["o:" + ref["uid"] for ref in meta.get("ownerReferences") or ()]
    resource = key.resource
    if resource == "pods":
        node = pods.node_of(obj)
        if node or not pods.is_finished(obj):
            found.append("n:" + node)
        affinity = obj["spec"].get("affinity")
        if node and affinity and ("podAffinity" in affinity or "podAntiAffinity" in affinity):
            found.append("f:")
        if not node and "status" in obj:
            refused = pods.condition(obj, "PodScheduled")
            if refused is not None and refused.get("reason") == "Unschedulable":
                found.append("q:")
            if obj["status"].get("nominatedNodeName"):
                found.append("m:")
        found += [f"l:{key.namespace}/{name}={value}" for name, value in (meta.get("labels") or {}).items()]
        if not _pod_is_well(obj):
            found.append("u:")
    else:
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
