"""What can be read off a pod: ready, available, finished, its requests, what it adds to its node.

Pure functions over pod objects. Sources: pkg/api/v1/pod/util.go, k8s.io/component-helpers/resource/helpers.go.
"""

from __future__ import annotations

from typing import Any

from minikube_py.base.clock import seconds

Object = dict[str, Any]


def condition(obj: Object, name: str) -> Object | None:
    """The condition of that type in any object's status, or None."""
    for found in obj.get("status", {}).get("conditions") or ():
        if found.get("type") == name:
            return found  # type: ignore[no-any-return]
    return None


def is_ready(pod: Object) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found.get("status") == "True"


def is_available(pod: Object, min_ready_s: int, now_s: int) -> bool:
    """Ready for at least `min_ready_s` seconds."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return False
    return min_ready_s == 0 or seconds(found["lastTransitionTime"]) + min_ready_s <= now_s


def is_finished(pod: Object) -> bool:
    """Phase Succeeded or Failed: its resources are free."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_terminating(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def is_active(pod: Object) -> bool:
    """Neither finished nor being deleted: what a ReplicaSet counts (controller.IsPodActive)."""
    return not is_finished(pod) and not is_terminating(pod)


def node_of(pod: Object) -> str:
    return pod["spec"].get("nodeName") or ""


def counters(pod: Object) -> dict[str, int]:
    """What a pod adds to its node, as counters that may be summed and subtracted.

    'pods': 1; 'cpu' in millicores; 'memory', 'ephemeral-storage' and hugepages in bytes; extended resources in units;
    'nonzero/cpu' and 'nonzero/memory' with the scheduler's defaults for containers without requests;
    'port/TCP/0.0.0.0/80' for each host port; 'antiaffinity' and 'affinity' 1 for pods with required or preferred terms.
    """
    raise NotImplementedError
