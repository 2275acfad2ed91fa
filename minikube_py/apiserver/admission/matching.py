"""Whether a webhook or a policy is about a request, and the object as it is shown to it.

Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates (rules, namespace, object), plugin/policy/matching/matching.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Key
from minikube_py.base import selector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.apiserver.admission import Request

Object = dict[str, Any]

GROUP = "admissionregistration.k8s.io"
EXEMPT = frozenset(
    f"{plural}.{GROUP}"
    for plural in (
        "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
        "validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
    )
)  # fmt: skip


def version_asked(request: Request, rules: Iterable[Object], match_policy: str) -> str:
    """The version of the object for which a rule asks, the request's own one first (matchPolicy Equivalent); '' if none."""
    versions: tuple[str, ...] = (request.kind.version,)
    if match_policy != "Exact":
        versions += request.kind.others
    for version in versions:
        group, _, short = version.rpartition("/")
        if any(matches(request, rule, group, short) for rule in rules):
            return version
    return ""


def matches(request: Request, rule: Object, group: str, version: str) -> bool:
    scope = rule.get("scope") or "*"
    inside = bool(request.key.namespace)
    return (
        (scope == "*" or inside == (scope == "Namespaced"))
        and one_of(rule.get("operations"), request.verb)
        and one_of(rule.get("apiGroups"), group)
        and one_of(rule.get("apiVersions"), version)
        and any(
            one.partition("/")[0] in ("*", request.kind.plural) and one.partition("/")[2] in ("*", request.subresource)
            for one in rule.get("resources") or ()
        )
        and (not rule.get("resourceNames") or request.key.name in rule["resourceNames"])
    )


def one_of(wanted: list[str] | None, found: str) -> bool:
    return found in (wanted or ()) or "*" in (wanted or ())


def selected(request: Request, criteria: Object) -> bool:
    """Whether the objectSelector picks the object, before or after, and the namespaceSelector its namespace."""
    wanted = criteria.get("objectSelector")
    if wanted:
        chosen = selector.from_label_selector(wanted)
        objects = (request.object, request.old)
        if not any(chosen.matches(obj["metadata"].get("labels") or {}) for obj in objects if obj and "metadata" in obj):
            return False
    wanted = criteria.get("namespaceSelector")
    if not wanted:
        return True
    if request.key.resource == "namespaces":
        namespace = request.object or request.old
    elif request.key.namespace:
        namespace = request.view.get(Key("namespaces", "", request.key.namespace))
    else:
        return True
    labels = (namespace or {}).get("metadata", {}).get("labels") or {}
    return selector.from_label_selector(wanted).matches(labels)


def shown(request: Request, version: str, obj: Object | None) -> Object | None:
    """An object in the version that was asked for; a Scale for that subresource."""
    if obj is None:
        return None
    if request.subresource == "scale":
        from minikube_py.apiserver import verbs

        return verbs.scale_of(request.kind, obj)
    whole = {"kind": request.kind.name, "apiVersion": request.kind.version, **obj}
    if version == request.kind.version:
        return whole
    from minikube_py.api import convert

    return convert.to_version(request.kind, version, whole)


def taken_back(request: Request, changed: Object) -> Object:
    """What a webhook or a policy made of an object, as the API server stores it."""
    from minikube_py.api import convert, decode, defaults

    assert request.object is not None
    if request.of_another_kind:
        return changed
    if request.subresource == "scale":
        from minikube_py.apiserver import verbs

        return verbs.with_replicas(request.kind, request.object, (changed.get("spec") or {}).get("replicas", 0))
    decoded, _ = decode.decode(request.kind, changed, "Ignore")
    return defaults.apply(request.kind, convert.to_stored(request.kind, decoded))


def group_version(version: str) -> dict[str, str]:
    group, _, short = version.rpartition("/")
    return {"group": group, "version": short}


def options(request: Request) -> Object | None:
    if request.verb == "CONNECT":
        return None
    name = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}[request.verb]
    found: Object = {"kind": name, "apiVersion": "meta.k8s.io/v1"}
    return {**found, "dryRun": ["All"]} if request.dry_run else found


def asked(request: Request, version: str) -> Object:
    """The request itself, as AdmissionReviews and the CEL variable `request` tell it (without uid and objects)."""
    kind, key = request.kind, request.key
    scale = request.subresource == "scale"
    wanted = group_version("autoscaling/v1" if scale else version)
    own = group_version("autoscaling/v1" if scale else kind.version)
    namespace = key.name if key.resource == "namespaces" else key.namespace
    name = "Scale" if scale else kind.name
    if request.of_another_kind and request.object is not None:
        name, wanted = request.object["kind"], group_version(request.object["apiVersion"])
        own = wanted
    found: Object = {
        "kind": {**wanted, "kind": name},
        "resource": {**group_version(version), "resource": kind.plural},
        "requestKind": {**own, "kind": name},
        "requestResource": {**group_version(kind.version), "resource": kind.plural},
        "name": key.name,
        "namespace": namespace,
        "operation": request.verb,
        "userInfo": request.user_info,
        "dryRun": request.dry_run,
        "options": options(request),
    }
    if request.subresource:
        found["subResource"] = found["requestSubResource"] = request.subresource
    return {field: value for field, value in found.items() if value != ""}
