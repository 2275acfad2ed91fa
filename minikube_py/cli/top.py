"""`kubectl top` (pkg/cmd/top): what the metrics API says, which a cluster has only with a metrics server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def run(call: Call) -> None:
    """Nothing here measures, so there is no metrics API to ask; who may not ask it is told that first."""
    subject, what = call.cluster.subject, call.command.rpartition(" ")[2] + "s"
    if subject is not None:
        from minikube_py.apiserver import authorizer

        everywhere = what == "nodes" or call.on("all-namespaces")
        target = authorizer.Target("metrics.k8s.io", what, "" if everywhere else call.namespace)
        authorizer.require(call.cluster.view, subject, "list", target)
    raise UsageError("Metrics API not available")
