"""`kubectl certificate approve` and `deny` (pkg/cmd/certificates/certificates.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import failures, select, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

CSR = "certificatesigningrequests"
OTHER = {"Approved": "Denied", "Denied": "Approved"}


def approve(call: Call) -> None:
    _run(call, "Approved", "KubectlApprove", "This CSR was approved by kubectl certificate approve.", "approved")


def deny(call: Call) -> None:
    _run(call, "Denied", "KubectlDeny", "This CSR was denied by kubectl certificate deny.", "denied")


def _run(call: Call, condition: str, reason: str, message: str, done: str) -> None:
    if not call.args and not call.list("filename") and not call.text("kustomize"):
        raise UsageError("one or more CSRs must be specified as <name> or -f <filename>")
    found = select.find(call, [CSR, *call.args] if call.args else [])
    errors = list(found.errors)
    with call.cluster.transaction():
        for item in found.items:
            try:
                _decide(call, item, condition, reason, message)
            except UsageError as error:
                errors.append(error)
                continue
            show.result(call, item, done)
    failures.raise_all(errors)
    if not found.items:
        call.line("No resources found")


def _decide(call: Call, item: Item, condition: str, reason: str, message: str) -> None:
    """Add the condition unless it is there; --force writes even so. Refuses what was decided otherwise."""
    if item.kind.plural != CSR:
        raise UsageError(
            f"can only handle CertificateSigningRequest.certificates.k8s.io objects, got {item.kind.name}"
            f"{'.' + item.kind.group if item.kind.group else ''}"
        )
    conditions = (item.object.get("status") or {}).get("conditions") or []
    types = [one["type"] for one in conditions]
    if OTHER[condition] in types:
        raise UsageError(f'certificate signing request "{item.name}" is already {OTHER[condition]}')
    if condition in types and not call.on("force"):
        return
    if condition not in types:
        now = call.cluster.clock.timestamp
        fresh = {"lastUpdateTime": now, "message": message, "reason": reason, "status": "True", "type": condition}
        conditions = [*conditions, fresh]
    status = {**(item.object.get("status") or {}), "conditions": conditions}
    call.cluster.update({**item.object, "status": status}, subresource="approval")
