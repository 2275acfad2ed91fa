"""`kubectl attach` (pkg/cmd/attach/attach.go): the output of a running container.

A simulated program reads no input; what it writes is followed as `logs -f` does, from now on.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import containers, exec

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

FOLLOWED_S, WAIT_S = 60, 600
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


def enter(call: Call, pod: Object, name: str, ended: str) -> int:
    """Wait for a new container, then enter it: a dialogue on a terminal, else what its input says or its log.

    `ended`: what is said after a dialogue, with {pod}, {container} and {namespace} in it.
    """
    from minikube_py.base.errors import NotFound

    meta = pod["metadata"]

    def begun() -> bool:
        try:
            entry = containers.status_of(containers.pod_named(call, meta["name"], meta["namespace"]), name) or {}
        except NotFound:
            return True
        return bool({"running", "terminated"} & (entry.get("state") or {}).keys())

    call.cluster.run_until(begun, WAIT_S)
    now = containers.pod_named(call, meta["name"], meta["namespace"])
    found, entry = containers.find(now, name), containers.status_of(now, name) or {}
    assert found is not None, name
    container, state = found[0], entry.get("state") or {}
    if "running" not in state:
        from minikube_py.programs import logs

        for _, line in logs.lines(container, now, call.cluster.view, call.cluster.clock):
            call.line(line)
        message = (state.get("waiting") or {}).get("message")
        if message:
            call.warn(f"container {name}: {message}")
        return 0
    if not call.on("quiet"):
        call.complain(RECORDED)
        call.complain(PROMPT)
    words = (*(container.get("command") or ()), *(container.get("args") or ()))
    if call.on("stdin") and (not words or words[0].rpartition("/")[2] in ("sh", "bash", "ash")):
        is_terminal = call.on("tty") and sys.stdin.isatty()
        exec.inside(call, now, container, ("sh",), is_terminal)
        if is_terminal and not call.on("quiet"):
            call.line(ended.format(pod=meta["name"], container=name, namespace=meta["namespace"]))
        return 0
    stream(call, now, container)
    return 0
