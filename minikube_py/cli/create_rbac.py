"""`kubectl create role|clusterrole|rolebinding|clusterrolebinding`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import create, failures, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

API = "rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
URL_VERBS = ("get", "put", "post", "head", "options", "delete", "patch", "*")


def _verbs(call: Call) -> list[str]:
    """The verbs, each once; '*' alone says all."""
    verbs = list(dict.fromkeys(verb.strip() for verb in call.list("verb")))
    if not verbs:
        raise UsageError("at least one verb must be specified")
    return ["*"] if "*" in verbs else verbs


def _rules(call: Call, verbs: list[str]) -> list[Object]:
    """One rule for each API group: 'pods,deployments.apps/scale' makes two."""
    groups: dict[str, list[str]] = {}
    for text in call.list("resource"):
        word, slash, sub = text.partition("/")
        if not word:
            raise UsageError("resource must be specified if apiGroup/subresource specified")
        if word == "*":
            group, plural = "", "*"
        else:
            try:
                kind = select.kind_named(call.registry, word)
            except UsageError as error:
                raise failures.Plain(str(error)) from None
            group, plural = kind.group, kind.plural
        groups.setdefault(group, []).append(plural + slash + sub)
    names = call.list("resource-name")
    named = {"resourceNames": names} if names else {}
    return [
        {"verbs": verbs, "apiGroups": [group], "resources": resources, **named} for group, resources in groups.items()
    ]


def role(call: Call) -> None:
    name, verbs = create.one_name(call), _verbs(call)
    if not call.list("resource"):
        raise UsageError("at least one resource must be specified")
    create.generated(
        call, {"kind": "Role", "apiVersion": API, "metadata": {"name": name}, "rules": _rules(call, verbs)}
    )


def cluster_role(call: Call) -> None:
    name = create.one_name(call)
    metadata: Object = {"name": name}
    if call.text("aggregation-rule"):
        if call.list("verb") or call.list("resource") or call.list("non-resource-url") or call.list("resource-name"):
            raise UsageError(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames"
            )
        labels = dict(_pair(text) for text in call.text("aggregation-rule").split(","))
        rule = {"clusterRoleSelectors": [{"matchLabels": labels}]}
        create.generated(
            call,
            {"kind": "ClusterRole", "apiVersion": API, "metadata": metadata, "rules": None, "aggregationRule": rule},
        )
        return
    verbs, urls = _verbs(call), call.list("non-resource-url")
    if not call.list("resource") and not urls:
        raise UsageError("one of resource or nonResourceURL must be specified")
    rules = _rules(call, verbs)
    if urls:
        _check_urls(urls, verbs)
        rules.append({"verbs": verbs, "nonResourceURLs": urls})
    create.generated(call, {"kind": "ClusterRole", "apiVersion": API, "metadata": metadata, "rules": rules})


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text} must be formatted as key=value")
    return key, value


def _check_urls(urls: list[str], verbs: list[str]) -> None:
    for verb in verbs:
        if verb not in URL_VERBS:
            raise UsageError(f"invalid verb: '{verb}' for nonResourceURL")
    for url in urls:
        if url == "*":
            continue
        if not url.startswith("/"):
            raise UsageError("nonResourceURL should start with /")
        if "*" in url[:-1]:
            raise UsageError("nonResourceURL only supports wildcard matches when '*' is at the end")


def role_binding(call: Call) -> None:
    name = create.one_name(call)
    if bool(call.text("role")) == bool(call.text("clusterrole")):
        raise UsageError("exactly one of clusterrole or role must be specified")
    kind = "Role" if call.text("role") else "ClusterRole"
    reference = {"apiGroup": GROUP, "kind": kind, "name": call.text("role") or call.text("clusterrole")}
    _bind(call, name, "RoleBinding", reference, "failed to create rolebinding: ")


def cluster_role_binding(call: Call) -> None:
    name = create.one_name(call)
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": call.text("clusterrole")}
    _bind(call, name, "ClusterRoleBinding", reference, "failed to create clusterrolebinding: ")


def _bind(call: Call, name: str, kind: str, reference: Object, failing: str) -> None:
    subjects: list[Object] = [{"kind": "User", "apiGroup": GROUP, "name": user} for user in call.list("user")]
    subjects += [{"kind": "Group", "apiGroup": GROUP, "name": group} for group in call.list("group")]
    for text in call.list("serviceaccount"):
        words = text.split(":")
        if len(words) != 2 or not all(words):
            raise UsageError("serviceaccount must be <namespace>:<name>")
        subjects.append({"kind": "ServiceAccount", "name": words[1], "namespace": words[0]})
    obj: Object = {"kind": kind, "apiVersion": API, "metadata": {"name": name}}
    if subjects:
        obj["subjects"] = subjects
    create.generated(call, {**obj, "roleRef": reference}, failing)
