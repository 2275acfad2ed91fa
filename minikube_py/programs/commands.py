"""Commands that a person runs in a container: `kpy exec`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from minikube_py.base.clock import seconds
from minikube_py.programs import shell
from minikube_py.programs.behaviour import at, behaviour

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock


def execute(command: tuple[str, ...], container: Object, pod: Object, view: View, clock: Clock) -> shell.Result | None:
    """What a command in a running container comes to; None if the container does not run.

    A Program's rule for the command counts first; else a shell runs it in the container's files and environment, as
    they are at this second. A command that is not there ends with 127.
    """
    started = _started(container["name"], pod)
    if started is None:
        return None
    second = clock.now_s - started
    words = " ".join(command)
    for rule in behaviour(container, pod, view, clock).exec:
        if fnmatchcase(words, rule.what):
            code, output = at(rule.course, second) or (0, "")
            return shell.Result(code, output, "", 0)
    return shell.inside(container, pod, view).execute_strictly(second, command)


def _started(name: str, pod: Object) -> int | None:
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses"):
        for entry in status.get(field) or ():
            running = (entry.get("state") or {}).get("running")
            if entry["name"] == name and running:
                return seconds(running["startedAt"])
    return None
