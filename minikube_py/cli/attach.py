"""`kubectl attach` (pkg/cmd/attach/attach.go): the output of a running container.

A simulated program reads no input; what it writes is followed as `logs -f` does, from now on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import containers, exec

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

FOLLOWED_S = 60
RECORDED = (
    "All commands and output from this session will be recorded in container logs, including credentials and sensitive "
    "information passed through the command prompt."
)
PROMPT = "If you don't see a command prompt, try pressing enter."


def run(call: Call) -> None:
    words = call.args
    if not words:
        raise UsageError("at least 1 argument is required for attach")
    if len(words) > 2:
        raise UsageError(
            f"expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {len(words)}: [{' '.join(words)}]"
        )
    if call.seconds("pod-running-timeout") <= 0:
        raise UsageError("--pod-running-timeout must be higher than zero")
    item = containers.target(call, words)
    pod, _ = containers.pod_of(call, item, "attach to", containers.by_activity)
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise UsageError(f"cannot attach a container in a completed pod; current phase is {phase}")
    try:
        container = containers.chosen(call, pod, call.text("container"), quiet=call.on("quiet"))
    except UsageError as error:
        raise UsageError(f"cannot attach to the container: {error}") from None
    if call.on("tty") and not container.get("tty") and not call.on("quiet"):
        call.complain(f"error: Unable to use a TTY - container {container['name']} did not allocate one")
    if not call.on("quiet"):
        call.complain(RECORDED)
        call.complain(PROMPT)
    stream(call, pod, container)


def stream(call: Call, pod: Object, container: Object) -> None:
    """Let time pass until the container ends, at most a minute, and print what it writes meanwhile."""
    from minikube_py.programs import logs

    exec.visit(call, pod, container)
    since_s, name = call.now_s, container["name"]
    number = (containers.status_of(pod, name) or {}).get("restartCount", 0)

    def ended() -> bool:
        entry = containers.status_of(_now(call, pod), name) or {}
        return "running" not in (entry.get("state") or {}) or entry.get("restartCount", 0) > number

    call.cluster.run_until(ended, FOLLOWED_S)
    for second, line in logs.lines(container, _now(call, pod), call.cluster.view, call.cluster.clock):
        if second >= since_s:
            call.line(line)


def _now(call: Call, pod: Object) -> Object:
    from minikube_py.base.errors import NotFound

    try:
        return containers.pod_named(call, pod["metadata"]["name"], pod["metadata"]["namespace"])
    except NotFound:
        return {**pod, "status": {}}
