"""`kubectl port-forward` and `proxy`: they need a server, which a cluster in a file is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import failures, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def port_forward(call: Call) -> None:
    """Refuses, in kubectl's words where kubectl would."""
    if len(call.args) < 2:
        raise call.usage("TYPE/NAME and list of ports are required for port-forward")
    word = call.args[0]
    failures.raise_all(select.find(call, [word] if "/" in word else ["pods", word]).errors)
    raise UsageError("a simulated pod has no sockets: see 'kpy serve --help', or ask it with 'kpy exec'")


def proxy(call: Call) -> None:
    raise UsageError("a cluster is a file without a server: 'kpy serve' makes one of it")
