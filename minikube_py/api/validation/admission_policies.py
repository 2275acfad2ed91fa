"""ValidatingAdmissionPolicies, MutatingAdmissionPolicies and their bindings: also whether their expressions compile.

Source: pkg/apis/admissionregistration/validation/validation.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import metadata, names, webhooks
from minikube_py.api.validation.policy import path_name

if TYPE_CHECKING:
    from minikube_py.api.cel.policies import Compiled, Compiler
    from minikube_py.api.validation.causes import Causes

Object = dict[str, Any]

POLICIES = ("Fail", "Ignore")
MATCHES = ("Equivalent", "Exact")
ACTIONS = ("Audit", "Deny", "Warn")
REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
REINVOCATIONS = ("IfNeeded", "Never")
PATCH_TYPES = ("ApplyConfiguration", "JSONPatch")
CONDITIONS_MAX, ANNOTATIONS_MAX, ANNOTATION_BYTES_MAX = 64, 20, 5 * 1024
_RESERVED = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})  # fmt: skip


def validating(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        return
    spec = obj.get("spec") or {}
    compiler = _common(causes, spec, (old or {}).get("spec"))
    validations, annotations = spec.get("validations") or [], spec.get("auditAnnotations") or []
    if not validations and not annotations:
        told = "validations or auditAnnotations must contain at least one item"
        causes.required("spec.validations", told)
        causes.required("spec.auditAnnotations", told)
    for index, one in enumerate(validations):
        _validation(causes, compiler, one, f"spec.validations[{index}]")
    if len(annotations) > ANNOTATIONS_MAX:
        causes.invalid(
            "spec.auditAnnotations", annotations, f"must not have more than {ANNOTATIONS_MAX} auditAnnotations"
        )
    known: set[str] = set()
    for index, one in enumerate(annotations):
        path = f"spec.auditAnnotations[{index}]"
        _annotation(causes, compiler, one, obj["metadata"].get("name", ""), path)
        if one.get("key") in known:
            causes.duplicate(f"{path}.key", one["key"])
        known.add(one.get("key", ""))


def mutating(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec = obj.get("spec") or {}
    compiler = _common(causes, spec, (old or {}).get("spec"))
    mutations = spec.get("mutations") or []
    if not mutations:
        causes.required("spec.mutations", "mutations must contain at least one item")
    for index, one in enumerate(mutations):
        _mutation(causes, compiler, one, f"spec.mutations[{index}]")
    policy = spec.get("reinvocationPolicy")
    if not policy:
        causes.required("spec.reinvocationPolicy")
    elif policy not in REINVOCATIONS:
        causes.not_supported("spec.reinvocationPolicy", policy, REINVOCATIONS)


def _common(causes: Causes, spec: Object, before: Object | None) -> Compiler:
    """What both sorts of policy have; gives the compiler, which knows the variables."""
    from minikube_py.api.cel import policies

    causes.one_of("spec.failurePolicy", spec.get("failurePolicy"), POLICIES)
    kind = spec.get("paramKind")
    if kind is not None:
        _param_kind(causes, kind, "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        causes.required("spec.matchConstraints")
    else:
        _match_resources(causes, constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            causes.required("spec.matchConstraints.resourceRules")
    conditions = spec.get("matchConditions") or []
    if before is None or (before.get("matchConditions"), before.get("paramKind")) != (
        spec.get("matchConditions"),
        kind,
    ):
        match_conditions(causes, conditions, "spec.matchConditions", params=kind is not None)
    compiler = policies.Compiler(params=kind is not None)
    for index, one in enumerate(spec.get("variables") or ()):
        _variable(causes, compiler, one, f"spec.variables[{index}]")
    return compiler


def _param_kind(causes: Causes, kind: Object, path: str) -> None:
    version, name = kind.get("apiVersion", ""), kind.get("kind", "")
    group, _, short = version.rpartition("/")
    if not version:
        causes.required(f"{path}.apiVersion")
    elif "/" in group:
        causes.invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    else:
        if group and names.dns_subdomain(group):
            causes.invalid(f"{path}.apiVersion", group, ",".join(names.dns_subdomain(group)))
        if not short:
            causes.invalid(f"{path}.apiVersion", version, "version must be specified")
        elif names.dns_1035_label(short):
            causes.invalid(f"{path}.apiVersion", short, ",".join(names.dns_1035_label(short)))
    if not name:
        causes.required(f"{path}.kind")
    elif names.dns_1035_label(name.lower()):
        told = ",".join(names.dns_1035_label(name.lower()))
        causes.invalid(f"{path}.kind", name, f"may have mixed case, but should otherwise match: {told}")


def _match_resources(causes: Causes, found: Object, path: str) -> None:
    causes.one_of(f"{path}.matchPolicy", found.get("matchPolicy"), MATCHES)
    for field in ("namespaceSelector", "objectSelector"):
        if found.get(field) is None:
            causes.required(f"{path}.{field}")
        metadata.selector(causes, found.get(field), f"{path}.{field}")
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(found.get(field) or ()):
            _named_rule(causes, rule, f"{path}.{field}[{index}]")


def _named_rule(causes: Causes, rule: Object, path: str) -> None:
    given = rule.get("resourceNames") or []
    for index, name in enumerate(given):
        causes.each_invalid(f"{path}.resourceNames[{index}]", name, path_name(name))
        if name in given[:index]:
            causes.duplicate(f"{path}.resourceNames[{index}]", name)
    webhooks.rule_with_operations(causes, rule, path)


def match_conditions(causes: Causes, conditions: list[Object], path: str, *, params: bool) -> None:
    """Those of policies and of webhooks; they know no variables."""
    from minikube_py.api.cel import policies

    if len(conditions) > CONDITIONS_MAX:
        causes.too_many(path, len(conditions), CONDITIONS_MAX)
    known: set[str] = set()
    for index, one in enumerate(conditions):
        where, text, name = f"{path}[{index}]", one.get("expression", "").strip(), one.get("name", "")
        if not text:
            causes.required(f"{where}.expression")
        else:
            _expression(causes, f"{where}.expression", policies.Compiler(params).compile(text, policies.BOOL))
        if not name:
            causes.required(f"{where}.name")
        else:
            causes.each_invalid(f"{where}.name", name, names.qualified_name(name))
        if name in known:
            causes.duplicate(f"{where}.name", name)
        known.add(name or f"#{index}")


def _expression(causes: Causes, path: str, compiled: Compiled) -> None:
    if compiled.error:
        causes.invalid(path, compiled.text, compiled.error)


def _variable(causes: Causes, compiler: Compiler, variable: Object, path: str) -> None:
    name, text = variable.get("name", ""), variable.get("expression", "")
    if not name.strip():
        causes.required(f"{path}.name", "name is not specified")
    elif not re.fullmatch(r"[_a-zA-Z][_a-zA-Z0-9]*", name) or name in _RESERVED:
        causes.invalid(f"{path}.name", name, "name is not a valid CEL identifier")
    if not text.strip():
        causes.required(f"{path}.expression", "expression is not specified")
    else:
        _expression(causes, f"{path}.expression", compiler.add(name, text))


def _validation(causes: Causes, compiler: Compiler, validation: Object, path: str) -> None:
    from minikube_py.api.cel import policies

    text, message = validation.get("expression", ""), validation.get("message", "")
    told, reason = validation.get("messageExpression", ""), validation.get("reason")
    if not text.strip():
        causes.required(f"{path}.expression", "expression is not specified")
    else:
        _expression(causes, f"{path}.expression", compiler.compile(text, policies.BOOL))
    if told and not told.strip():
        causes.invalid(f"{path}.messageExpression", told, "must be non-empty if specified")
    elif told:
        compiled = compiler.compile(told, policies.STRING, authorizer=False)
        _expression(causes, f"{path}.messageExpression", compiled)
    if message and not message.strip():
        causes.invalid(f"{path}.message", message, "message must be non-empty if specified")
    elif re.search(r"[\n\r]", message.strip()):
        causes.invalid(f"{path}.message", message, "message must not contain line breaks")
    if reason is not None and reason not in REASONS:
        causes.not_supported(f"{path}.reason", reason, REASONS)


def _annotation(causes: Causes, compiler: Compiler, annotation: Object, policy: str, path: str) -> None:
    from minikube_py.api.cel import policies, syntax

    key, text = annotation.get("key", ""), annotation.get("valueExpression", "")
    if policy:
        causes.each_invalid(f"{path}.key", f"{policy}/{key}", names.qualified_name(f"{policy}/{key}"))
    else:
        causes.invalid(f"{path}.key", key, "requires metadata.name be non-empty")
    stripped = text.strip()
    if not stripped:
        causes.required(f"{path}.valueExpression", "valueExpression is not specified")
    elif len(stripped.encode()) > ANNOTATION_BYTES_MAX:
        causes.required(f"{path}.valueExpression", f"must not exceed {ANNOTATION_BYTES_MAX} bytes in length")
    else:
        compiled = compiler.compile(stripped, (syntax.STRING, policies.NULL))
        _expression(causes, f"{path}.valueExpression", compiled._replace(text=text))


def _mutation(causes: Causes, compiler: Compiler, mutation: Object, path: str) -> None:
    from minikube_py.api.cel import policies

    kind = mutation.get("patchType", "")
    causes.one_of(f"{path}.patchType", kind, PATCH_TYPES)
    fields = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
    for name, field in fields.items():
        given = mutation.get(field)
        if kind in fields and kind != name and given is not None:
            causes.invalid(f"{path}.{field}", given, f"{field} must not be set when patchType is {kind}")
        if kind != name:
            continue
        if given is None:
            causes.required(f"{path}.{field}", f"must be specified when patchType is {kind}")
        elif not given.get("expression", "").strip():
            causes.required(f"{path}.{field}.expression", "expression is not specified")
        else:
            returns = policies.PATCHES if kind == "JSONPatch" else policies.OBJECT
            compiled = compiler.compile(given["expression"], returns, patches=True)
            _expression(causes, f"{path}.{field}.expression", compiled)


def binding(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec = obj.get("spec") or {}
    name = spec.get("policyName", "")
    if not name:
        causes.required("spec.policyName")
    else:
        causes.each_invalid("spec.policyName", name, names.dns_subdomain(name))
    if spec.get("paramRef") is not None:
        _param_ref(causes, spec["paramRef"], "spec.paramRef")
    if spec.get("matchResources") is not None:
        _match_resources(causes, spec["matchResources"], "spec.matchResouces")  # the source's own spelling
    if obj["kind"].startswith("Validating"):
        _actions(causes, spec.get("validationActions") or [], "spec.validationActions")


def _param_ref(causes: Causes, reference: Object, path: str) -> None:
    name, chosen, action = (
        reference.get("name", ""),
        reference.get("selector"),
        reference.get("parameterNotFoundAction"),
    )
    exclusive = "name and selector are mutually exclusive"
    if name:
        causes.each_invalid(f"{path}.name", name, path_name(name))
        if chosen is not None:
            causes.forbidden(f"{path}.name", exclusive)
    if chosen is not None:
        metadata.selector(causes, chosen, f"{path}.selector")
        if name:
            causes.forbidden(f"{path}.selector", exclusive)
    if not name and chosen is None:
        causes.required(path, "one of name or selector must be specified")
    if not action:
        causes.required(f"{path}.parameterNotFoundAction")
    elif action not in ("Allow", "Deny"):
        causes.not_supported(f"{path}.parameterNotFoundAction", action, ("Deny", "Allow"))


def _actions(causes: Causes, actions: list[str], path: str) -> None:
    for index, action in enumerate(actions):
        if action not in ACTIONS:
            causes.not_supported(f"{path}[{index}]", action, ACTIONS)
        if action in actions[:index]:
            causes.duplicate(f"{path}[{index}]", action)
    if "Deny" in actions and "Warn" in actions:
        causes.invalid(
            path,
            actions,
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response "
            "and headers serves no purpose)",
        )
    if not actions:
        causes.required(path, "at least one validation action is required")
