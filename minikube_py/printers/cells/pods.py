"""Cells of a Pod. Source: printPod in pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base.clock import seconds
from minikube_py.printers.cells.meta import at, condition, since

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from minikube_py.api.types import Object

NONE: AbstractSet[str] = frozenset()


class Summary(NamedTuple):
    """`reason`: the STATUS column; `last_restart`: timestamp of the newest restart that is counted, or ''."""

    ready: int
    total: int
    reason: str
    restarts: int
    last_restart: str


class _Restarts:
    """Counts restarts and remembers the newest."""

    __slots__ = ("count", "last")

    def __init__(self) -> None:
        self.count, self.last = 0, ""

    def add(self, status: Object) -> None:
        self.count += status.get("restartCount", 0)
        if not status.get("lastState"):
            return
        finished = at(status, "lastState", "terminated", "finishedAt")
        if finished and (not self.last or seconds(self.last) < seconds(finished)):
            self.last = finished


_newest: list[tuple[Object, Summary]] = []  # three columns ask for the same pod one after the other


def summary(pod: Object) -> Summary:
    """Everything that the columns of a pod tell."""
    if not _newest or _newest[0][0] is not pod:
        _newest[:] = [(pod, _summary(pod))]
    return _newest[0][1]


def _summary(pod: Object) -> Summary:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    initial = spec.get("initContainers") or ()
    sidecars = {one["name"] for one in initial if one.get("restartPolicy") == "Always"} if initial else NONE
    reason = status.get("reason") or status.get("phase") or ""
    is_initialised = False
    for one in status.get("conditions") or ():
        if one.get("type") == "PodScheduled" and one.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
        elif one.get("type") == "Initialized":
            is_initialised = one.get("status") == "True"
    waiting, ready, restarts, of_sidecars = _initialising(spec, status, sidecars)
    if waiting:
        reason = waiting
    if not waiting or is_initialised:
        restarts = of_sidecars
        reason, more = _running(status, reason, restarts)
        ready += more
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            reason = "Terminating"
    total = len(spec.get("containers") or ()) + len(sidecars)
    return Summary(ready, total, reason, restarts.count, restarts.last)


def _initialising(spec: Object, status: Object, sidecars: AbstractSet[str]) -> tuple[str, int, _Restarts, _Restarts]:
    """('Init:0/2' or '' when all init containers are through, ready sidecars, restarts of all, of sidecars)."""
    every, of_sidecars, ready = _Restarts(), _Restarts(), 0
    containers = spec.get("initContainers") or ()
    for index, one in enumerate(status.get("initContainerStatuses") or ()):
        every.add(one)
        is_sidecar = one["name"] in sidecars
        if is_sidecar:
            of_sidecars.add(one)
        state = one.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated is not None and terminated.get("exitCode", 0) == 0:
            continue
        if is_sidecar and one.get("started"):
            ready += bool(one.get("ready"))
            continue
        if terminated is not None:
            return "Init:" + _end(terminated), ready, every, of_sidecars
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return "Init:" + waiting["reason"], ready, every, of_sidecars
        return f"Init:{index}/{len(containers)}", ready, every, of_sidecars
    return "", ready, every, of_sidecars


def _running(status: Object, reason: str, restarts: _Restarts) -> tuple[str, int]:
    """(what the main containers make of the reason, how many of them are ready); counts their restarts."""
    ready, has_running = 0, False
    for one in reversed(status.get("containerStatuses") or ()):
        restarts.add(one)
        state = one.get("state") or {}
        waiting = state.get("waiting")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif state.get("terminated") is not None:
            reason = _end(state["terminated"])
        elif one.get("ready") and state.get("running") is not None:
            ready, has_running = ready + 1, True
    if reason == "Completed" and has_running:
        is_ready = any(
            one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or ()
        )
        reason = "Running" if is_ready else "NotReady"
    return reason, ready


def _end(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def ready(pod: Object, now_s: int) -> str:
    found = summary(pod)
    return f"{found.ready}/{found.total}"


def status(pod: Object, now_s: int) -> str:
    return summary(pod).reason


def restarts(pod: Object, now_s: int) -> str:
    """'0', '3 (5m ago)'"""
    found = summary(pod)
    if found.restarts and found.last_restart:
        return f"{found.restarts} ({since(found.last_restart, now_s)} ago)"
    return str(found.restarts)


def ip(pod: Object, now_s: int) -> str:
    ips = at(pod, "status", "podIPs")
    return (ips[0].get("ip") if ips else at(pod, "status", "podIP")) or "<none>"


def readiness_gates(pod: Object, now_s: int) -> str:
    gates = at(pod, "spec", "readinessGates")
    if not gates:
        return "<none>"
    true = sum((condition(pod, gate.get("conditionType", "")) or {}).get("status") == "True" for gate in gates)
    return f"{true}/{len(gates)}"
