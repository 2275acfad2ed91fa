"""What would go wrong in a policy's expressions if `object` and `params` had the types that the policy matches.

Refused is nothing for it: the findings stand in the policy's status.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import schema
from minikube_py.api.cel import CompileError, frontend, policies, schemas, syntax
from minikube_py.api.cel.syntax import Type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

TYPES_MAX = 10
_OPAQUE = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": syntax.STRING,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": syntax.DYN,
}
_SCALARS = {"boolean": "bool", "number": "double", "integer": "int"}

Messages = dict[str, dict[str, Type]]


def warnings(policy: Object, kinds: Iterable[Kind]) -> list[Object]:
    """status.typeChecking.expressionWarnings: {fieldRef, warning} for each expression with findings."""
    spec, known = policy["spec"], tuple(kinds)
    matched = _matched(spec, known)
    out = []
    for index, validation in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            text = validation.get(field)
            told = [found for one in matched if (found := _finding(spec, one, known, text))] if text else []
            if told:
                out.append({"fieldRef": f"spec.validations[{index}].{field}", "warning": "\n".join(told)})
    return out


def _matched(spec: Object, kinds: tuple[Kind, ...]) -> list[tuple[str, Kind]]:
    """(apiVersion, kind) of what the policy's rules name without wildcards, in order; ten at most."""
    found: dict[tuple[str, str, str], tuple[str, Kind]] = {}
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        names = [rule.get(field) or [] for field in ("apiGroups", "apiVersions", "resources")]
        if any("*" in name for name in (*names[0], *names[1])):
            continue
        wanted = [
            (f"{group}/{version}" if group else version, resource)
            for group in sorted(names[0])
            for version in sorted(names[1])
            for resource in sorted(names[2])
        ]
        for version, resource in wanted:
            for kind in kinds:
                if kind.plural == resource and version in (kind.version, *kind.others) and len(found) < TYPES_MAX:
                    found[kind.group, version, kind.name] = (version, kind)
    return [found[key] for key in sorted(found)]


def _finding(spec: Object, matched: tuple[str, Kind], kinds: tuple[Kind, ...], text: str) -> str:
    """What the checker says of an expression, with the type for which it says so; '' if nothing."""
    version, kind = matched
    messages: Messages = {**policies.REQUEST, **policies.NAMESPACE}
    of_object = _type(kind, version, messages)
    variables = {
        "object": of_object,
        "oldObject": of_object,
        "request": Type("kubernetes.AdmissionRequest"),
        "namespaceObject": Type("kubernetes.Namespace"),
        "authorizer": Type("kubernetes.authorization.Authorizer"),
        "variables": Type(policies.VARIABLES),
    }
    wanted = spec.get("paramKind")
    if wanted:
        one = (one for one in kinds if one.name == wanted.get("kind"))
        found = next((one for one in one if wanted.get("apiVersion") in (one.version, *one.others)), None)
        variables["params"] = _type(found, wanted["apiVersion"], messages) if found else syntax.DYN
    fields: dict[str, Type] = {}
    for variable in spec.get("variables") or ():
        messages[policies.VARIABLES] = dict(fields)
        try:
            checked = frontend.Environment(variables, messages).compile(variable["expression"])
            fields[variable["name"]] = policies.declared_type(checked.type)
        except CompileError:
            fields[variable["name"]] = syntax.DYN
    messages[policies.VARIABLES] = fields
    try:
        frontend.Environment(variables, messages).compile(text)
    except CompileError as error:
        named = version if "/" in version else f"/{version}"
        return f"{named}, Kind={kind.name}: {error}\n"
    return ""


def _type(kind: Kind, version: str, messages: Messages) -> Type:
    """The type of a kind's objects; what it consists of is added to `messages`."""
    if kind.schemas is not None:
        declared = schemas.declared(kind.schemas.by_version.get(version), kind.name, root=True)
        if declared is None:
            return syntax.DYN
        messages.update(schemas.messages(declared))
        return declared.type
    try:
        root = schema.schema_of(version, kind.name)
    except FileNotFoundError:  # no schemas of this version are installed
        root = None
    if root is None:
        return syntax.DYN
    _message(kind.name, root, messages)
    return Type(kind.name)


def _message(name: str, found: Object, messages: Messages) -> None:
    """Adds a definition, and those that it refers to, once each: definitions may refer to themselves."""
    if name in messages:
        return
    messages[name] = {}
    fields = {}
    for field, inner in (found.get("properties") or {}).items():
        word = schemas.escaped(field)
        type = _field(inner, messages) if word else None
        if word and type is not None:
            fields[word] = type
    messages[name] = fields


def _field(found: Object, messages: Messages) -> Type | None:
    """The type of a property; None if expressions cannot see it."""
    name = found.get("$ref", "").rpartition("$defs/")[2]
    if name in _OPAQUE:
        return _OPAQUE[name]
    if name:
        target = schema.resolve(found)
        if target.get("properties"):
            _message(name, target, messages)
            return Type(name)
        found = target
    kind = _sort(found)
    if kind == "array":
        items = _field(found.get("items") or {}, messages)
        return Type("list", (items,)) if items is not None else None
    if kind == "object":
        more = found.get("additionalProperties")
        entries = _field(more, messages) if isinstance(more, dict) else None
        return Type("map", (syntax.STRING, entries)) if entries is not None else None
    if kind == "string":
        form = found.get("format")
        return Type({"byte": "bytes", "date-time": "timestamp"}.get(str(form), "string"))
    return Type(_SCALARS[kind]) if kind in _SCALARS else None


def _sort(found: Any) -> str:
    """The one type of a schema besides null."""
    given = found.get("type")
    many = given if isinstance(given, list) else [given]
    return next((one for one in many if one and one != "null"), "")
