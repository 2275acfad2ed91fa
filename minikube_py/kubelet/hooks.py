"""Lifecycle hooks: how long postStart and preStop take, and what the kubelet says when one fails.

Sources: pkg/kubelet/lifecycle/handlers.go, pkg/kubelet/kuberuntime/kuberuntime_container.go (executePreStopHook).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker


class Hook(NamedTuple):
    """Seconds that a hook takes, and the kubelet's message if it fails ('' if it succeeds)."""

    took_s: int = 0
    problem: str = ""


NONE = Hook()


def run(worker: Worker, container: Object, name: str) -> Hook:
    """The outcome of a container's hook `name`: 'postStart' or 'preStop'."""
    handlers = container.get("lifecycle")
    handler = handlers.get(name) if handlers else None
    if not handler:
        return NONE
    if "sleep" in handler:
        return Hook(int(handler["sleep"].get("seconds") or 0))
    if "httpGet" in handler:
        return _request(worker, container, handler)
    command = (handler.get("exec") or {}).get("command")
    return _command(worker, container, tuple(command)) if command else NONE


def _command(worker: Worker, container: Object, command: tuple[str, ...]) -> Hook:
    from minikube_py.programs import shell

    done = shell.outcome(command)
    if not done.code:
        return Hook(done.took_s)
    error = f"command '{' '.join(command)}' exited with {done.code}: {done.stderr}"
    what = f"Exec lifecycle hook ([{' '.join(command)}])"
    return Hook(done.took_s, _failed(worker, container, what, error, done.output))


def _request(worker: Worker, container: Object, handler: Object) -> Hook:
    """Only a connection that cannot be made is a failure: the status of an answer does not count."""
    from minikube_py.programs import answers

    asked = answers.Question(handler, container, worker.behaviour(container), worker.memory.get("ip", ""), worker.pod)
    running = worker.records.get(container["name"], {}).get("started", worker.now)
    is_good, text = asked.at(worker.now - running)
    if is_good or not text.startswith("failed: Get "):
        return NONE
    path = handler["httpGet"].get("path") or "/"
    return Hook(0, _failed(worker, container, f"HTTP lifecycle hook ({path})", text[len("failed: ") :], ""))


def _failed(worker: Worker, container: Object, what: str, error: str, output: str) -> str:
    from json import dumps

    told = dumps(output, ensure_ascii=False)
    return f'{what} for Container "{container["name"]}" in Pod "{worker.full_name()}" failed - error: {error}, message: {told}'
