"""Where a pod may run: affinity, tolerations, topology spread; also taints of nodes.

Source: pkg/apis/core/validation/validation.go (validateAffinity, ValidateTolerations, validateTopologySpreadConstraints).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from minikube_py.api.validation import internal, metadata, names

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_VALUES_IN = "must be specified when `operator` is 'In' or 'NotIn'"
_NO_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"


def affinity(causes: Causes, found: Object, path: str) -> None:
    node = found.get("nodeAffinity") or {}
    if node.get(_REQUIRED) is not None:
        node_selector(causes, node[_REQUIRED], f"{path}.nodeAffinity.{_REQUIRED}")
    for index, term in enumerate(node.get(_PREFERRED) or ()):
        here = f"{path}.nodeAffinity.{_PREFERRED}[{index}]"
        _weight(causes, term, here)
        _node_term(causes, term.get("preference") or {}, f"{here}.preference", values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = found.get(kind) or {}
        for index, term in enumerate(rules.get(_REQUIRED) or ()):
            _pod_term(causes, term, f"{path}.{kind}.{_REQUIRED}[{index}]")
        for index, term in enumerate(rules.get(_PREFERRED) or ()):
            here = f"{path}.{kind}.{_PREFERRED}[{index}]"
            _weight(causes, term, here)
            _pod_term(causes, term.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")


def _weight(causes: Causes, term: Object, path: str) -> None:
    weight = term.get("weight", 0)
    if not 1 <= weight <= 100:
        causes.invalid(f"{path}.weight", weight, "must be in the range 1-100")


def node_selector(causes: Causes, found: Object, path: str) -> None:
    terms = found.get("nodeSelectorTerms")
    if not terms:
        causes.required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
        return
    for index, term in enumerate(terms):
        _node_term(causes, term, f"{path}.nodeSelectorTerms[{index}]", values=True)


def _node_term(causes: Causes, term: Object, path: str, values: bool) -> None:
    for index, one in enumerate(term.get("matchExpressions") or ()):
        _node_requirement(causes, one, f"{path}.matchExpressions[{index}]", values)
    for index, one in enumerate(term.get("matchFields") or ()):
        _field_requirement(causes, one, f"{path}.matchFields[{index}]")


def _node_requirement(causes: Causes, one: Object, path: str, values: bool) -> None:
    operator, given = one.get("operator", ""), one.get("values") or ()
    if operator in ("In", "NotIn"):
        if not given:
            causes.required(f"{path}.values", _VALUES_IN)
    elif operator in ("Exists", "DoesNotExist"):
        if given:
            causes.forbidden(f"{path}.values", _NO_VALUES)
    elif operator in ("Gt", "Lt"):
        if len(given) != 1:
            causes.required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    metadata.label_key(causes, one.get("key", ""), f"{path}.key")
    if values:
        for index, value in enumerate(given):
            causes.each_invalid(f"{path}.values[{index}]", value, names.label_value(value))


def _field_requirement(causes: Causes, one: Object, path: str) -> None:
    operator, given, key = one.get("operator", ""), one.get("values") or (), one.get("key", "")
    if operator not in ("In", "NotIn"):
        causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(given) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        causes.required(f"{path}.values", detail)
    if key != "metadata.name":
        causes.invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for index, value in enumerate(given):
        causes.each_invalid(f"{path}.values[{index}]", value, names.dns_subdomain(value))


def _pod_term(causes: Causes, term: Object, path: str) -> None:
    for field in ("labelSelector", "namespaceSelector"):
        metadata.selector(causes, term.get(field), f"{path}.{field}")
    for namespace in term.get("namespaces") or ():
        causes.each_invalid(f"{path}.namespace", namespace, names.dns_label(namespace))
    matched, mismatched = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    _label_keys(causes, matched, term, f"{path}.matchLabelKeys")
    _label_keys(causes, mismatched, term, f"{path}.mismatchLabelKeys")
    for index, key in enumerate(matched):
        if key in mismatched:
            causes.invalid(
                f"{path}.matchLabelKeys[{index}]", key, "exists in both matchLabelKeys and mismatchLabelKeys"
            )
    if not term.get("topologyKey"):
        causes.required(f"{path}.topologyKey", "can not be empty")
    metadata.label_key(causes, term.get("topologyKey", ""), f"{path}.topologyKey")


def _label_keys(causes: Causes, keys: list[str] | tuple[()], term: Object, path: str) -> None:
    if keys and term.get("labelSelector") is None:
        causes.forbidden(path, "must not be specified when labelSelector is not set")
    for index, key in enumerate(keys):
        metadata.label_key(causes, key, f"{path}[{index}]")


def tolerations(causes: Causes, found: list[Object], path: str) -> None:
    for index, one in enumerate(found):
        here = f"{path}[{index}]"
        key, operator, value = one.get("key", ""), one.get("operator", ""), one.get("value", "")
        effect = one.get("effect", "")
        if key:
            metadata.label_key(causes, key, f"{here}.key")
        elif operator != "Exists":
            detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            causes.invalid(f"{here}.operator", operator, detail)
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            causes.invalid(f"{here}.effect", effect, detail)
        if operator in ("", "Equal"):
            wrong = names.label_value(value)
            if wrong:
                causes.invalid(f"{here}.operator", value, ";".join(wrong))
        elif operator == "Exists":
            if value:
                causes.invalid(f"{here}.operator", value, "value must be empty when `operator` is 'Exists'")
        else:
            causes.not_supported(f"{here}.operator", operator, ("Equal", "Exists", "Lt", "Gt"))
        if effect and effect not in EFFECTS:
            causes.not_supported(f"{here}.effect", effect, EFFECTS)


def taints(causes: Causes, found: list[Object], path: str) -> None:
    """spec.taints of a node (whose path in findings is metadata.taints: so it is in the source)."""
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(found):
        here = f"{path}[{index}]"
        key, value, effect = one.get("key", ""), one.get("value", ""), one.get("effect", "")
        metadata.label_key(causes, key, f"{here}.key")
        wrong = names.label_value(value)
        if wrong:
            causes.invalid(f"{here}.value", value, ";".join(wrong))
        causes.one_of(f"{here}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            shown = internal.struct("Taint", one)
            causes.duplicate(here, shown, "taints must be unique by key and effect pair")
        seen.add((key, effect))


def topology_spread(causes: Causes, found: list[Object], path: str) -> None:
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(found):
        here = f"{path}[{index}]"
        skew, key, action = one.get("maxSkew", 0), one.get("topologyKey", ""), one.get("whenUnsatisfiable", "")
        if skew <= 0:
            causes.invalid(f"{here}.maxSkew", skew, "must be greater than zero")
        if not key:
            causes.required(f"{here}.topologyKey", "can not be empty")
        else:
            metadata.label_key(causes, key, f"{here}.topologyKey")
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            causes.not_supported(f"{here}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway"))
        if (key, action) in seen:
            causes.duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        seen.add((key, action))
        least = one.get("minDomains")
        if least is not None:
            if least <= 0:
                causes.invalid(f"{here}.minDomains", least, "must be greater than zero")
            if action != "DoNotSchedule":
                detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                causes.invalid(f"{here}.minDomains", least, detail)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if one.get(field) is not None and one[field] not in ("Honor", "Ignore"):
                causes.not_supported(f"{here}.{field}", one[field], ("Honor", "Ignore"))
        keys = one.get("matchLabelKeys") or ()
        _label_keys(causes, keys, one, f"{here}.matchLabelKeys")
        metadata.selector(causes, one.get("labelSelector"), f"{here}.labelSelector")


def dns(causes: Causes, config: Object | None, policy: str, path: str) -> None:
    """spec.dnsConfig."""
    if policy == "None":
        if config is None:
            causes.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            causes.required(f"{path}.nameservers", detail)
            return
    if config is None:
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > 3:
        causes.invalid(f"{path}.nameservers", servers, "must not have more than 3 nameservers")
    for index, server in enumerate(servers):
        causes.each_invalid(f"{path}.nameservers[{index}]", server, names.ip(server))
    if len(searches) > 32:
        causes.invalid(f"{path}.searches", searches, "must not have more than 32 search paths")
    if len(" ".join(searches)) > 2048:
        detail = "must not have more than 2048 characters (including spaces) in the search list"
        causes.invalid(f"{path}.searches", searches, detail)
    for index, search in enumerate(searches):
        if search != ".":
            domain = re.sub(r"\.$", "", search)
            causes.each_invalid(f"{path}.searches[{index}]", domain, names.dns_subdomain_underscore(domain))
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            causes.required(f"{path}.options[{index}]", "must not be empty")
