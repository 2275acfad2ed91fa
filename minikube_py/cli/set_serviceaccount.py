"""`kubectl set serviceaccount` (pkg/cmd/set/set_serviceaccount.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import setting

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def run(call: Call) -> None:
    if not call.args:
        raise UsageError("serviceaccount is required")
    *resources, account = call.args
    found = setting.found(call, resources)
    names = {"serviceAccountName": account}
    if not call.on("local") and call.dry_run != "client":
        names["serviceAccount"] = account  # the API server keeps the old name of the field equal
    setting.change_specs(
        call, found, lambda spec: {**spec, **names}, "serviceaccount updated", "failed to patch ServiceAccountName "
    )
