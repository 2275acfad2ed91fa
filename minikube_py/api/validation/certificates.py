"""CertificateSigningRequests. Source: pkg/apis/certificates/validation/validation.go."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import names
from minikube_py.base import x509

if TYPE_CHECKING:
    from minikube_py.api.validation.causes import Causes

Object = dict[str, Any]

USAGES = tuple(sorted((*x509.KEY_USAGES, *x509.EXTENDED_USAGES, "ipsec end system", "ipsec tunnel", "ipsec user",
                       "microsoft sgc", "netscape sgc", "s/mime")))  # fmt: skip
SHORTEST_S = 600
DECIDED = ("Approved", "Denied", "Failed")


def signing_request(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec = obj.get("spec") or {}
    if old is None:
        _spec(causes, spec)
    _conditions(causes, obj, old, subresource)


def _spec(causes: Causes, spec: Object) -> None:
    request = spec.get("request") or ""
    try:
        x509.read_request(b64decode(request).decode("ascii", "replace"))
    except ValueError as error:
        causes.invalid("spec.request", request, str(error))
    usages = spec.get("usages") or []
    if not usages:
        causes.required("spec.usages", "usages must be provided")
    for index, usage in enumerate(usages):
        if usage not in USAGES:
            causes.not_supported(f"spec.usages[{index}]", usage, USAGES)
        elif usage in usages[:index]:
            causes.duplicate(f"spec.usages[{index}]", usage)
    _signer(causes, spec.get("signerName") or "", "spec.signerName")
    lifetime_s = spec.get("expirationSeconds")
    if lifetime_s is not None and lifetime_s < SHORTEST_S:
        told = f"may not specify a duration less than {SHORTEST_S} seconds ({SHORTEST_S // 60} minutes)"
        causes.invalid("spec.expirationSeconds", lifetime_s, told)


def _signer(causes: Causes, name: str, path: str) -> None:
    """'example.com/name': a domain of at least two parts, and a path of subdomains."""
    domain, slash, rest = name.partition("/")
    if not name:
        causes.required(path)
    elif not slash or not rest or "/" in rest:
        causes.invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
    else:
        causes.each_invalid(path, domain, [f"validating label {problem}" for problem in names.dns_subdomain(domain)])
        if "." not in domain:
            causes.invalid(path, domain, "should be a domain with at least two segments separated by dots")
        causes.each_invalid(path, rest, [f"validating label {problem}" for problem in names.dns_subdomain(rest)])


def _conditions(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """Conditions are told once, Approved and Denied exclude each other, and no decision is taken back."""
    now, before = ((one or {}).get("status") or {} for one in (obj, old))
    conditions, path = now.get("conditions") or [], "status.conditions"
    types = [one.get("type") for one in conditions]
    for index, one in enumerate(conditions):
        if not one.get("type"):
            causes.required(f"{path}[{index}].type")
        elif one["type"] in types[:index]:
            causes.duplicate(f"{path}[{index}].type", one["type"])
        if one.get("type") in DECIDED and one.get("status", "True") != "True":
            causes.not_supported(f"{path}[{index}].status", one["status"], ("True",))
    if {"Approved", "Denied"} <= set(types):
        causes.invalid(path, "Denied", "Approved and Denied conditions are mutually exclusive")
    lost = [kind for kind in ("Approved", "Denied", "Failed") if kind in _types(before) and kind not in types]
    for kind in lost:
        causes.forbidden(path, f'updates may not remove a condition of type "{kind}"')
    if subresource == "status":
        for kind in ("Approved", "Denied"):
            if kind in types and kind not in _types(before):
                causes.forbidden(path, f'updates may not add a condition of type "{kind}"')


def _types(status: Object) -> list[str]:
    return [one["type"] for one in status.get("conditions") or ()]
