"""Roles and role bindings, of namespaces and of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts
from minikube_py.printers.describe.writer import go_list

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]


def role(obj: Object, w: Writer) -> None:
    parts.head(obj, w, namespaced=False)
    parts.labels_and_annotations(obj, w)
    w.put(0, "PolicyRule:\n")
    w.row(1, "Resources", "Non-Resource URLs", "Resource Names", "Verbs")
    w.row(1, "---------", "-----------------", "--------------", "-----")
    for resource, urls, names, verbs in rules(obj.get("rules") or []):
        w.row(1, resource, go_list(urls), go_list(names), go_list(verbs))


def rules(given: list[Object]) -> list[tuple[str, list[str], list[str], list[str]]]:
    """Rules taken apart by resource (and name) and put together again over verbs: (resource, URLs, names, verbs).

    Source: kubectl pkg/util/rbac: BreakdownRule, CompactRules, sorted by the rules' Go text.
    """
    verbs: dict[tuple[str, str, str], list[str]] = {}
    others: list[tuple[str, str]] = []
    for rule in given:
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                for name in rule.get("resourceNames") or [""]:
                    known = verbs.setdefault((group, resource, name), [])
                    known += [verb for verb in rule.get("verbs") or () if verb not in known]
        others += [(url, verb) for url in rule.get("nonResourceURLs") or () for verb in rule.get("verbs") or ()]
    rows: list[tuple[str, str, list[str], str, list[str]]] = [
        (_go_text(found, [group], [resource], [name] if name else [], []), _resource(resource, group), [], name, found)
        for (group, resource, name), found in verbs.items()
    ]
    rows += [(_go_text([verb], [], [], [], [url]), "", [url], "", [verb]) for url, verb in others]
    rows.sort(key=lambda row: row[0])
    return [(resource, urls, [name] if name else [], found) for _, resource, urls, name, found in rows]


def _go_text(verbs: list[str], groups: list[str], resources: list[str], names: list[str], urls: list[str]) -> str:
    """PolicyRule.String() as gogo-protobuf generates it; the sorting key."""
    fields = zip(
        ("Verbs", "APIGroups", "Resources", "ResourceNames", "NonResourceURLs"),
        (verbs, groups, resources, names, urls),
        strict=True,
    )
    return "&PolicyRule{" + "".join(f"{name}:{go_list(values)}," for name, values in fields) + "}"


def _resource(resource: str, group: str) -> str:
    """'deployments.apps/scale' of 'deployments/scale' in 'apps'."""
    head, slash, tail = resource.partition("/")
    return head + (f".{group}" if group else "") + slash + tail


def role_binding(obj: Object, w: Writer) -> None:
    parts.head(obj, w, namespaced=False)
    parts.labels_and_annotations(obj, w)
    w.put(0, "Role:\n")
    w.line(1, "Kind", obj["roleRef"]["kind"])
    w.line(1, "Name", obj["roleRef"]["name"])
    w.put(0, "Subjects:\n")
    w.row(1, "Kind", "Name", "Namespace")
    w.row(1, "----", "----", "---------")
    for subject in obj.get("subjects") or ():
        w.row(1, subject["kind"], subject["name"], subject.get("namespace", ""))
