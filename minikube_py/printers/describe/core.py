"""Namespaces, Secrets, ConfigMaps, ServiceAccounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts, quotas
from minikube_py.printers.describe.writer import rfc1123

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]


def namespace(obj: Object, w: Writer) -> None:
    status = obj.get("status") or {}
    parts.head(obj, w, namespaced=False)
    parts.labels_and_annotations(obj, w)
    w.line(0, "Status", status.get("phase", ""))
    if status.get("conditions"):
        w.put(0, "Conditions:\n")
        w.row(1, "Type", "Status", "LastTransitionTime", "Reason", "Message")
        w.row(1, "----", "------", "------------------", "------", "-------")
    for one in status.get("conditions") or ():
        w.row(
            1,
            one["type"],
            one["status"],
            rfc1123(one.get("lastTransitionTime")),
            one.get("reason", ""),
            one.get("message", ""),
        )
    w.put(0, "\n")
    quotas.quotas_of(parts.name(obj), w)
    w.put(0, "\n")
    quotas.limits_of(parts.name(obj), w)


def secret(obj: Object, w: Writer) -> None:
    from base64 import b64decode

    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    w.line(0, "\nType", obj.get("type", ""))
    w.put(0, "\nData\n====\n")
    for key, value in sorted((obj.get("data") or {}).items()):
        raw = b64decode(value or "")
        if key == "token" and obj.get("type") == "kubernetes.io/service-account-token":
            w.line(0, key, raw.decode(errors="replace"))
        else:
            w.line(0, key, f"{len(raw)} bytes")


def config_map(obj: Object, w: Writer) -> None:
    from base64 import b64decode

    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    w.put(0, "\nData\n====\n")
    for key, value in sorted((obj.get("data") or {}).items()):
        w.put(0, f"{key}:\n----\n{value}\n\n")
    w.put(0, "\nBinaryData\n====\n")
    for key, value in sorted((obj.get("binaryData") or {}).items()):
        w.put(0, f"{key}: {len(b64decode(value or ''))} bytes\n")
    w.put(0, "\n")
    parts.events(obj, w)


def service_account(obj: Object, w: Writer) -> None:
    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    title = "Image pull secrets:"
    names = [one.get("name", "") for one in obj.get("imagePullSecrets") or ()] or ["<none>"]
    for index, text in enumerate(names):
        w.row(0, title if index == 0 else " " * len(title), text)
    parts.events(obj, w)
