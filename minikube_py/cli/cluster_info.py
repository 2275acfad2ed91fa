"""`kubectl cluster-info`: a cluster is a file, so that is what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def run(call: Call) -> None:
    call.line(f"Kubernetes control plane is running at file://{call.cluster.info.path}")
    call.line("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")
