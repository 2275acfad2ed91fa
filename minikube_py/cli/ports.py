"""`kubectl port-forward` and `kubectl proxy`: there is nothing to connect to without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def port_forward(call: Call) -> None:
    """The arguments are checked as kubectl checks them."""
    if len(call.args) < 2:
        raise call.usage("TYPE/NAME and list of ports are required for port-forward")
    target = call.args[0] if "/" in call.args[0] else f"pods/{call.args[0]}"
    found = select.find(call, [target])
    if found.errors:
        raise found.errors[0]
    raise UsageError(
        f"cannot forward ports to {found.items[0].title}: its containers are simulated, nothing listens; "
        "'kpy serve' answers HTTP for the cluster's API and its services"
    )


def proxy(call: Call) -> None:
    raise UsageError("there is no API server to be a proxy for: 'kpy serve' is the server, with the same paths")
