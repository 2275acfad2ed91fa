"""`kubectl auth can-i` and `auth whoami` (pkg/cmd/auth/cani.go, whoami.go, pkg/util/rbac/rbac.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.apiserver import authorizer
from minikube_py.apiserver.authorizer import Subject, Target
from minikube_py.apiserver.origin import ADMIN
from minikube_py.base.errors import UsageError
from minikube_py.printers import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.cli.call import Call

Object = dict[str, Any]

VERBS = (
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "impersonate", "*",
    "approve", "sign", "escalate", "attest",
)  # fmt: skip
PATH_VERBS = ("get", "put", "post", "head", "options", "delete", "patch", "*")


def subject(call: Call) -> Subject:
    """Who asks: the one of --as, else the administrator."""
    return call.cluster.subject or Subject(ADMIN.user, ADMIN.groups)


# ---- can-i


def can_i(call: Call) -> int:
    """Prints yes or no; the exit code of no is 1."""
    if call.on("list"):
        return _list(call)
    if len(call.args) != 2:
        raise UsageError(
            "you must specify two arguments: verb resource or verb resource/resourceName.\n"
            "See 'kubectl auth can-i -h' for help and examples."
        )
    verb, word = call.args
    target = _path(call, verb, word) if word.startswith("/") else _resource(call, verb, word)
    if call.on("no-headers"):
        raise UsageError("--no-headers cannot be set without --list specified")
    allowed = authorizer.allows(call.cluster.view, subject(call), verb, target)
    if not call.on("quiet"):
        call.line("yes" if allowed else "no")
    return 0 if allowed else 1


def _path(call: Call, verb: str, path: str) -> Target:
    if call.text("subresource"):
        raise UsageError("--subresource can not be used with NonResourceURL")
    if verb not in PATH_VERBS:
        call.complain(f"Warning: verb '{verb}' is not a known verb\n")
    return Target("", "", path=path)


def _resource(call: Call, verb: str, word: str) -> Target:
    """'deployments.apps/web' with --subresource; warns of what the API does not know."""
    word, _, name = word.partition("/")
    namespace = "" if call.on("all-namespaces") else call.namespace
    suffix = f"/{call.text('subresource')}" if call.text("subresource") else ""
    kind = call.registry.named(word.lower())
    if kind is None:
        plural, _, group = word.lower().partition(".")
        if word != "*" and word.lower() not in ("users", "groups"):
            of_group = f" in group '{group}'" if group else ""
            call.complain(f"Warning: the server doesn't have a resource type '{plural}'{of_group}\n")
        target = Target("", word + suffix, namespace, name)
    else:
        if not kind.namespaced and namespace:
            of_group = f" in group '{kind.group}'" if kind.group else ""
            call.complain(f"Warning: resource '{kind.plural}' is not namespace scoped{of_group}\n")
        target = Target(kind.group, kind.plural + suffix, namespace, name)
    if namespace and verb not in VERBS:
        call.complain(f"Warning: verb '{verb}' is not a known verb\n")
    return target


def _list(call: Call) -> int:
    """--list: every rule, broken down to one resource or path each, the verbs of one resource together."""
    if call.args:
        raise UsageError("list option must be specified with no arguments")
    if call.on("quiet") or call.on("all-namespaces") or call.text("subresource"):
        raise UsageError("list option can't be specified with neither quiet, all-namespaces nor subresource options")
    rows = [] if call.on("no-headers") else [["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]]
    for rule in sorted(_compact(_rules(call)), key=_text):
        resource = "".join(rule.get("resources") or ())
        plural, slash, below = resource.partition("/")
        group = "".join(rule.get("apiGroups") or ())
        columns = (rule.get(field) or () for field in ("nonResourceURLs", "resourceNames", "verbs"))
        rows.append(
            [f"{plural}{'.' + group if group else ''}{slash}{below}", *(f"[{' '.join(one)}]" for one in columns)]
        )
    call.say(tables.layout(rows))
    return 0


def _rules(call: Call) -> Iterable[Object]:
    """The rules of the subject. A master's come from the binding of cluster-admin like any other's."""
    return authorizer.rules(call.cluster.view, subject(call), call.namespace)


def _compact(rules: Iterable[Object]) -> list[Object]:
    """One rule for each path and verb, and one for each resource (and name) with all its verbs."""
    paths: list[Object] = []
    resources: dict[tuple[str, str, str], list[str]] = {}
    for rule in rules:
        for path in rule.get("nonResourceURLs") or ():
            paths += [{"nonResourceURLs": [path], "verbs": [verb]} for verb in rule["verbs"]]
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                for name in rule.get("resourceNames") or ("",):
                    verbs = resources.setdefault((group, resource, name), [])
                    verbs += [verb for verb in rule["verbs"] if verb not in verbs]
    return paths + [
        {"apiGroups": [group], "resources": [resource], "resourceNames": [name] if name else [], "verbs": verbs}
        for (group, resource, name), verbs in resources.items()
    ]


def _text(rule: Object) -> str:
    """The rule as Go prints it, which is what kubectl sorts by."""
    names = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    titles = ("Verbs", "APIGroups", "Resources", "ResourceNames", "NonResourceURLs")
    parts = (f"{title}:[{' '.join(rule.get(name) or ())}]" for name, title in zip(names, titles, strict=True))
    return f"&PolicyRule{{{','.join(parts)},}}"


# ---- whoami


def whoami(call: Call) -> None:
    if call.args:
        raise UsageError(f'unknown command "{call.args[0]}" for "kubectl auth whoami"')
    review = call.cluster.create({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    if call.text("output") or call.text("template"):
        from minikube_py.cli import show

        call.say(show.plan(call).render([review], as_list=False))
        return
    info = review["status"]["userInfo"]
    rows = [
        ["ATTRIBUTE", "VALUE"],
        ["Username", info["username"]],
        *([["UID", info["uid"]]] if "uid" in info else []),
        ["Groups", f"[{' '.join(info['groups'])}]"],
    ]
    for name, values in sorted((info.get("extra") or {}).items()):
        rows.append([f"Extra: {name}", f"[{' '.join(values)}]"])
    call.say(tables.layout(rows))
