"""The log of a container: what its program has written up to now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.clock import seconds, timestamp
from minikube_py.programs import shell
from minikube_py.programs import tape as tapes
from minikube_py.programs.behaviour import behaviour

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock

FIELDS = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def lines(container: Object, pod: Object, view: View, clock: Clock, previous: bool = False) -> list[tuple[int, str]]:
    """(second since 1970, line) in order, of the instance that runs or ran last, or of the one before it.

    [] when there is no such instance.
    """
    ran = _ran(container["name"], pod, clock, previous)
    if ran is None:
        return []
    started, until = ran
    told = shell.memory_of(pod, view)
    tape = tapes.of(told, container["name"], started) if previous and "asks" in told else None
    program = behaviour(container, pod, view, clock, tape)
    log = program.shell.log_until(until - started) if program.shell is not None and program.log else program.log
    return [(started + second, line) for second, line in log if started + second <= until]


def told(
    found: list[tuple[int, str]], *, since_s: int = 0, tail: int = -1, stamped: bool = False, limit: int = 0
) -> list[str]:
    """Lines as a request for a log is answered, with their line ends.

    `since_s`: from that second on; `tail`: the last so many (-1: all); `stamped`: each with its time in front; `limit`: at
    most so many bytes (0: all).
    """
    found = [line for line in found if line[0] >= since_s]
    if tail >= 0:
        found = found[len(found) - tail :] if tail else []
    texts = [f"{timestamp(second)[:-1]}.000000000Z {line}\n" if stamped else f"{line}\n" for second, line in found]
    if limit:
        texts = "".join(texts).encode()[:limit].decode(errors="ignore").splitlines(keepends=True)
    return texts


def problem(name: str, pod: Object, previous: bool = False) -> str:
    """Why the kubelet has no log of a container to show; '' if it has one.

    Source: pkg/kubelet/kubelet_pods.go (validateContainerLogStatus).
    """
    where = f'container "{name}" in pod "{pod["metadata"]["name"]}"'
    entry = next(
        (one for field in FIELDS for one in (pod.get("status") or {}).get(field) or () if one["name"] == name), None
    )
    if entry is None:
        return f"{where} is not available"
    state, last = entry.get("state") or {}, (entry.get("lastState") or {}).get("terminated") or {}
    if previous:
        return "" if last.get("containerID") else f"previous terminated {where} not found"
    if "running" in state or last.get("containerID"):
        return ""
    if "terminated" in state:
        return "" if state["terminated"].get("containerID") else f"{where} is terminated"
    reason = (state.get("waiting") or {}).get("reason")
    if not reason:
        return f"{where} is waiting to start - no logs yet"
    why = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
    return f"{where} is waiting to start: {why.get(reason, reason)}"


def _ran(name: str, pod: Object, clock: Clock, previous: bool) -> tuple[int, int] | None:
    """From when to when the instance ran, in seconds since 1970."""
    status = pod.get("status") or {}
    for field in FIELDS:
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
