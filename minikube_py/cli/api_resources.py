"""`kubectl api-resources` and `kubectl api-versions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.cli.call import Call

FORMATS = "json,kyaml,name,wide,yaml"


def run(call: Call) -> None:
    if call.args:
        raise call.usage(f"unexpected arguments: [{' '.join(call.args)}]")
    if call.text("sort-by") not in ("", "name", "kind"):
        raise UsageError("--sort-by accepts only name or kind")
    kinds = [kind for kind in call.registry.kinds if _wanted(call, kind)]
    first = {"name": "plural", "kind": "name"}.get(call.text("sort-by"), "group")
    kinds.sort(key=lambda kind: (getattr(kind, first), kind.plural))
    output = call.text("output")
    if output == "name":
        call.say("".join(f"{kind.resource}\n" for kind in kinds))
    elif output in ("", "wide"):
        _print_table(call, kinds, output == "wide")
    elif output in ("json", "yaml"):
        _print_list(call, kinds)
    else:
        raise UsageError(
            f'unable to match a printer suitable for the output format "{output}", allowed formats are: {FORMATS}'
        )


def _wanted(call: Call, kind: Kind) -> bool:
    if call.changed("namespaced") and call.on("namespaced") != kind.namespaced:
        return False
    if call.changed("api-group") and call.text("api-group") != kind.group:
        return False
    return set(call.list("verbs")) <= set(kind.verbs) and set(call.list("categories")) <= set(kind.categories)


def _print_table(call: Call, kinds: list[Kind], wide: bool) -> None:
    from minikube_py.printers import tables

    rows = [] if call.on("no-headers") else [["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]]
    if rows and wide:
        rows[0] += ["VERBS", "CATEGORIES"]
    for kind in kinds:
        row = [kind.plural, ",".join(kind.short), kind.version, "true" if kind.namespaced else "false", kind.name]
        if wide:
            row += [",".join(kind.verbs), ",".join(kind.categories)]
        rows.append(row)
    call.say(tables.layout(rows))


def _print_list(call: Call, kinds: list[Kind]) -> None:
    """As an APIResourceList: JSON in the order of Go's structs, YAML by the names of the fields."""
    from minikube_py.printers import output

    resources = [
        {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "group": kind.group or None,
            "version": kind.version.rpartition("/")[2],
            "kind": kind.name,
            "verbs": list(kind.verbs),
            "shortNames": list(kind.short) or None,
            "categories": list(kind.categories) or None,
        }
        for kind in kinds
    ]
    plain = [{key: value for key, value in one.items() if value is not None} for one in resources]
    whole = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "", "resources": plain}
    if call.text("output") == "json":
        import json

        call.say(json.dumps(whole, indent=4) + "\n")
    else:
        call.say(output.render("yaml", [whole]))


def versions(call: Call) -> None:
    if call.args:
        raise call.usage(f"unexpected arguments: [{' '.join(call.args)}]")
    known = {version for kind in call.registry.kinds for version in (kind.version, *kind.others)}
    call.say("".join(f"{version}\n" for version in sorted(known)))
