"""`kubectl certificate approve|deny` (pkg/cmd/certificates/certificates.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, select, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

CSR = "certificatesigningrequests.certificates.k8s.io"


def approve(call: Call) -> None:
    _decide(call, "Approved", "Denied", "KubectlApprove", "approve")


def deny(call: Call) -> None:
    _decide(call, "Denied", "Approved", "KubectlDeny", "deny")


def _decide(call: Call, type: str, opposite: str, reason: str, verb: str) -> None:
    if not call.args and not call.list("filename") and not call.text("kustomize"):
        raise UsageError("one or more CSRs must be specified as <name> or -f <filename>")
    errors: list[KpyError] = []
    done = 0
    condition = {"type": type, "status": "True", "reason": reason}
    condition["message"] = f"This CSR was {type.lower()} by kubectl certificate {verb}."
    with call.transaction():
        for item in _items(call, errors):
            try:
                _add(call, item, condition, opposite)
            except KpyError as error:
                errors.append(error)
                continue
            done += 1
            show.result(call, item, type.lower())
    if not done and not errors:
        call.line("No resources found")
    failures.raise_all(errors)


def _items(call: Call, errors: list[KpyError]) -> list[Item]:
    kind = call.registry.resource(CSR)
    wanted: list[tuple[str, str]] = [(CSR, name) for name in call.args]
    if call.list("filename") or call.text("kustomize"):
        for obj, source in call.documents(errors):
            item = select.of_document(call, obj, source)
            if item.kind.resource != CSR:
                errors.append(
                    UsageError(
                        f"can only handle CertificateSigningRequest.certificates.k8s.io objects, got "
                        f"{item.kind.name}{'.' + item.kind.group if item.kind.group else ''}"
                    )
                )
                continue
            wanted.append((CSR, item.name))
    found = []
    for _, name in wanted:
        try:
            found.append(select.item_of(kind, call.read(kind, name, "")))
        except KpyError as error:
            errors.append(error)
    return found


def _add(call: Call, item: Item, condition: Object, opposite: str) -> None:
    """Add the condition through the subresource approval, unless it is there already."""
    conditions: list[Object] = (item.object.get("status") or {}).get("conditions") or []
    types = [one["type"] for one in conditions]
    if opposite in types:
        raise UsageError(f'certificate signing request "{item.name}" is already {opposite}')
    if condition["type"] in types and not call.on("force"):
        return
    if condition["type"] not in types:
        now = call.cluster.clock.timestamp
        conditions = [*conditions, {**condition, "lastUpdateTime": now, "lastTransitionTime": now}]
    new = {**item.object, "status": {**(item.object.get("status") or {}), "conditions": conditions}}
    call.cluster.update(new, subresource="approval")
