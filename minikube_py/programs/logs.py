"""The log of a container: what its program has written up to now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.clock import seconds
from minikube_py.programs.behaviour import behaviour

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock


def lines(container: Object, pod: Object, view: View, clock: Clock, previous: bool = False) -> list[tuple[int, str]]:
    """(second since 1970, line) in order, of the instance that runs or ran last, or of the one before it.

    [] when there is no such instance.
    """
    ran = _ran(container["name"], pod, clock, previous)
    if ran is None:
        return []
    started, until = ran
    found = []
    for second, line in behaviour(container, pod, view, clock).log:
        if started + second > until:
            break
        found.append((started + second, line))
    return found


def _ran(name: str, pod: Object, clock: Clock, previous: bool) -> tuple[int, int] | None:
    """From when to when the instance ran, in seconds since 1970."""
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(field) or ():
            if entry["name"] != name:
                continue
            state, last = entry.get("state") or {}, (entry.get("lastState") or {}).get("terminated")
            if not previous:
                if "running" in state:
                    return seconds(state["running"]["startedAt"]), clock.now_s
                last = state.get("terminated") or last
            if last is None or not last.get("startedAt"):
                return None
            return seconds(last["startedAt"]), seconds(last["finishedAt"])
    return None
