"""ValidatingWebhookConfiguration and MutatingWebhookConfiguration.

Sources: pkg/apis/admissionregistration/validation/validation.go, k8s.io/apiserver/pkg/util/webhook/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import metadata, names

if TYPE_CHECKING:
    from minikube_py.api.validation.causes import Causes

Object = dict[str, Any]

SCOPES = ("*", "Cluster", "Namespaced")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SIDE_EFFECTS = ("None", "NoneOnDryRun")
REVIEWS = ("v1", "v1beta1")
FORM = "; desired format: https://host[/path]"


def configuration(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    known: set[str] = set()
    for index, hook in enumerate(obj.get("webhooks") or ()):
        path = f"webhooks[{index}]"
        _webhook(causes, hook, path, mutating=obj["kind"].startswith("Mutating"))
        _review_versions(causes, hook.get("admissionReviewVersions") or [], f"{path}.admissionReviewVersions")
        name = hook.get("name") or ""
        if name in known:
            causes.duplicate(f"{path}.name", name)
        elif name:
            known.add(name)


def _webhook(causes: Causes, hook: Object, path: str, *, mutating: bool) -> None:
    _full_name(causes, hook.get("name") or "", f"{path}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        rule_with_operations(causes, rule, f"{path}.rules[{index}]")
    for field, allowed in (("failurePolicy", ("Fail", "Ignore")), ("matchPolicy", ("Equivalent", "Exact"))):
        if hook.get(field) not in (None, *allowed):
            causes.not_supported(f"{path}.{field}", hook[field], allowed)
    effects = hook.get("sideEffects")
    if effects is None:
        causes.required(f"{path}.sideEffects", f"must specify one of {', '.join(SIDE_EFFECTS)}")
    elif effects not in SIDE_EFFECTS:
        causes.not_supported(f"{path}.sideEffects", effects, SIDE_EFFECTS)
    timeout_s = hook.get("timeoutSeconds")
    if timeout_s is not None and not 1 <= timeout_s <= 30:
        causes.invalid(f"{path}.timeoutSeconds", timeout_s, "the timeout value must be between 1 and 30 seconds")
    for field in ("namespaceSelector", "objectSelector"):
        metadata.selector(causes, hook.get(field), f"{path}.{field}")
    if mutating and hook.get("reinvocationPolicy") not in (None, "Never", "IfNeeded"):
        causes.not_supported(f"{path}.reinvocationPolicy", hook["reinvocationPolicy"], ("IfNeeded", "Never"))
    client_config(causes, hook.get("clientConfig") or {}, f"{path}.clientConfig")
    if hook.get("matchConditions"):
        from minikube_py.api.validation import admission_policies

        admission_policies.match_conditions(causes, hook["matchConditions"], f"{path}.matchConditions", params=False)


def _full_name(causes: Causes, name: str, path: str) -> None:
    problems = names.dns_subdomain(name)
    if not name:
        causes.required(path)
    elif problems:
        causes.invalid(path, name, ",".join(problems))
    elif name.count(".") < 2:
        causes.invalid(path, name, "should be a domain with at least three segments separated by dots")


def rule_with_operations(causes: Causes, rule: Object, path: str) -> None:
    """What a rule asks for: operations, groups, versions, resources with their subresources, and a scope."""
    operations = rule.get("operations") or []
    if not operations:
        causes.required(f"{path}.operations")
    if len(operations) > 1 and "*" in operations:
        causes.invalid(f"{path}.operations", operations, "if '*' is present, must not specify other operations")
    for index, one in enumerate(operations):
        if one not in OPERATIONS:
            causes.not_supported(f"{path}.operations[{index}]", one, OPERATIONS)
    for field, word in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        found = rule.get(field) or []
        if not found:
            causes.required(f"{path}.{field}")
        if len(found) > 1 and "*" in found:
            causes.invalid(f"{path}.{field}", found, f"if '*' is present, must not specify other {word}")
        if field == "apiVersions":
            for index, one in enumerate(found):
                if not one:
                    causes.required(f"{path}.{field}[{index}]")
    _resources(causes, rule.get("resources") or [], f"{path}.resources")
    if rule.get("scope") not in (None, *SCOPES):
        causes.not_supported(f"{path}.scope", rule["scope"], SCOPES)


def _resources(causes: Causes, found: list[str], path: str) -> None:
    if not found:
        causes.required(path)
    whole, below = set[str](), set[str]()  # x of 'x/*', y of '*/y'
    for index, one in enumerate(found):
        place = f"{path}[{index}]"
        resource, slash, subresource = one.partition("/")
        if not one:
            causes.required(place)
        if not slash:
            continue
        if resource in whole:
            causes.invalid(place, one, f"if '{resource}/*' is present, must not specify {one}")
        if subresource in below:
            causes.invalid(place, one, f"if '*/{subresource}' is present, must not specify {one}")
        if subresource == "*":
            whole.add(resource)
        if resource == "*":
            below.add(subresource)
    if len(found) > 1 and "*/*" in found:
        causes.invalid(path, found, "if '*/*' is present, must not specify other resources")
    if "*" in found and any(one and one != "*" and "/" not in one for one in found):
        causes.invalid(path, found, "if '*' is present, must not specify other resources without subresources")


def _review_versions(causes: Causes, found: list[str], path: str) -> None:
    if not found:
        causes.required(path, f"must specify one of {', '.join(REVIEWS)}")
        return
    for index, one in enumerate(found):
        if one in found[:index]:
            causes.invalid(f"{path}[{index}]", one, "duplicate version")
        else:
            causes.each_invalid(f"{path}[{index}]", one, names.dns_1035_label(one))
    if not any(one in REVIEWS for one in found):
        causes.invalid(path, found, f"must include at least one of {', '.join(REVIEWS)}")


def client_config(causes: Causes, config: Object, path: str) -> None:
    """Where a webhook listens: one of url and service."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        causes.required(path, "exactly one of url or service is required")
    elif url is not None:
        _url(causes, url, f"{path}.url")
    else:
        _service(causes, service or {}, f"{path}.service")


def _url(causes: Causes, url: str, path: str) -> None:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError as error:
        causes.required(path, f"url must be a valid URL: parse {url}: {error}{FORM}")
        return
    if parts.scheme != "https":
        causes.invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{FORM}")
    if not parts.netloc:
        causes.invalid(path, "", f"host must be specified{FORM}")
    user = parts.netloc.rpartition("@")[0]
    for value, told in (
        (user, "user information is not permitted in the URL"),
        (parts.fragment, "fragments are not permitted in the URL"),
        (parts.query, "query parameters are not permitted in the URL"),
    ):
        if value:
            causes.invalid(path, value, told)


def _service(causes: Causes, service: Object, path: str) -> None:
    for field in ("name", "namespace"):
        if not service.get(field):
            causes.required(f"{path}.{field}")
    port = service.get("port", 443)
    problems = names.port_number(port)
    if problems:
        causes.invalid(f"{path}.port", port, f"port is not valid: {', '.join(problems)}")
    given = service.get("path") or "/"
    if given == "/":
        return
    place = f"{path}.path"
    if not given.startswith("/"):
        causes.invalid(place, given, "must start with a '/'")
    for index, step in enumerate(given[1:].removesuffix("/").split("/")):
        if not step:
            causes.invalid(place, given, f"segment[{index}] may not be empty")
        else:
            causes.each_invalid(place, given, [f"segment[{index}]: {one}" for one in names.dns_subdomain(step)])
