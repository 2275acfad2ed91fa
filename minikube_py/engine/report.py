"""What a run of the engine tells: each deed as it happens, and the summary at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods

if TYPE_CHECKING:
    from minikube_py.api.types import Action, Key, Object, Outcome
    from minikube_py.store.store import Store


class Deed(NamedTuple):
    """One action that a step took: `component` as in events, `key` the object it looked at, and what came of it."""

    time_s: int
    component: str
    key: Key
    action: Action
    outcome: Outcome


class Report(NamedTuple):
    """How a run ended. Times are virtual seconds since 1970; `unhealthy`: key and the reason, in order."""

    settled: bool
    now_s: int
    started_s: int
    writes: int
    passes: int
    instants: int
    unhealthy: list[tuple[Key, str]]


def unhealthy(store: Store) -> list[tuple[Key, str]]:
    """The objects that are not well, and why."""
    found = []
    for key in store.bucket("u:"):
        obj = store.get(key)
        if obj is not None:
            found.append((key, why(key.resource, obj)))
    return found


def why(resource: str, obj: Object) -> str:
    """In a few words, what an unhealthy object lacks."""
    status = obj.get("status") or {}
    if resource == "pods":
        return _pod(obj, status)
    if resource == "deployments.apps":
        progressing = pods.condition(obj, "Progressing") or {}
        suffix = f" ({progressing['reason']})" if progressing.get("status") == "False" else ""
        wanted, updated = obj["spec"].get("replicas", 1), status.get("updatedReplicas") or 0
        available = status.get("availableReplicas") or 0
        is_behind = available >= wanted > updated  # the old pods still serve, the new ones don't come
        return f"{updated} of {wanted} updated{suffix}" if is_behind else f"{available} of {wanted} available{suffix}"
    if resource == "statefulsets.apps":
        return f"{status.get('readyReplicas') or 0} of {obj['spec'].get('replicas', 1)} ready"
    if resource == "daemonsets.apps":
        return f"{status.get('numberReady') or 0} of {status.get('desiredNumberScheduled') or 0} ready"
    if resource == "nodes":
        ready = pods.condition(obj, "Ready") or {}
        return "not ready: " + (ready.get("reason") or "no kubelet has reported")
    if resource == "jobs.batch":
        return "failed: " + ((pods.condition(obj, "Failed") or {}).get("reason") or "")
    return str(status.get("phase") or "not ready")


def _pod(pod: Object, status: Object) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return str(waiting["reason"])
    scheduled = pods.condition(pod, "PodScheduled") or {}
    if scheduled.get("status") == "False":
        return f"{scheduled.get('reason')}: {scheduled.get('message', '')}".rstrip(": ")
    phase = status.get("phase") or "Pending"
    return "not ready" if phase == "Running" else str(phase)
