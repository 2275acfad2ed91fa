"""`kubectl top` (pkg/cmd/top): what the metrics API says, which a cluster has only with a metrics server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def run(call: Call) -> None:
    """Nothing here measures, so there is no metrics API to ask."""
    raise UsageError("Metrics API not available")
