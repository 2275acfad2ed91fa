"""`kubectl get` (pkg/cmd/get/get.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import KpyError, NotFound, UsageError
from minikube_py.cli import failures, select, show

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item

NO_TYPE = 'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n'


def run(call: Call) -> None:
    if call.text("raw"):
        from minikube_py.cli import raw

        return raw.run(call)
    watching = call.on("watch") or call.on("watch-only")
    if not watching and not call.args and not call.list("filename") and not call.text("kustomize"):
        call.complain(NO_TYPE)
        raise UsageError(
            "Required resource not specified.\n"
            'Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
            "See 'kubectl get -h' for help and examples",
        )
    _check_flags(call)
    if call.text("output") not in ("", "wide", "name") or call.text("template"):
        show.plan(call)  # a format that nobody knows is refused before anything is read
    if watching:
        from minikube_py.cli import watch

        return watch.run(call)
    found = look(call)
    if call.text("output") in ("", "wide") and not call.text("template"):
        _print_tables(call, found)
    else:
        _print_whole(call, found)
    failures.raise_all(found.errors)
    return None


def _check_flags(call: Call) -> None:
    """GetOptions.Validate."""
    output = call.text("output")
    if call.on("show-labels") and output not in ("", "wide"):
        raise UsageError(f"--show-labels option cannot be used with {output} printer")
    if call.list("label-columns") and output.startswith("custom-columns"):
        raise UsageError(f"--label-columns option cannot be used with {output} printer")
    if call.on("output-watch-events") and not (call.on("watch") or call.on("watch-only")):
        raise UsageError("--output-watch-events option can only be used with --watch or --watch-only")


def look(call: Call) -> Found:
    """What the call asks for, sorted; with --ignore-not-found without complaints about what is not there."""
    found = select.find(
        call,
        bare_types=True,
        all_namespaces=call.on("all-namespaces"),
        labels=call.text("selector"),
        fields=call.text("field-selector"),
    )
    if call.text("subresource"):
        from minikube_py.cli import subresources

        found = subresources.of(call, found)
    errors: list[KpyError] = found.errors
    if call.on("ignore-not-found"):
        errors = [error for error in errors if not isinstance(error, NotFound)]
    return found._replace(errors=errors)


def _print_whole(call: Call, found: Found) -> None:
    if found.items or not (found.single or found.errors):
        call.say(show.whole(call, show.sort(found.items, call.text("sort-by")), found.single))


def _print_tables(call: Call, found: Found) -> None:
    """One table for each run of objects of one kind, with an empty line between."""
    show_kind = call.on("show-kind") or len(found.kinds) > 1
    blocks = [
        show.table(call, kind, [item.object for item in show.sort(items, call.text("sort-by"))], show_kind=show_kind)
        for kind, items in runs(found.items)
    ]
    call.say(("" if call.on("no-headers") else "\n").join(blocks))
    if not blocks and not found.errors and not call.on("ignore-not-found"):
        say_nothing_found(call, found.kinds)


def runs(items: list[Item]) -> list[tuple[Kind, list[Item]]]:
    """Items cut where the kind changes."""
    cut: list[tuple[Kind, list[Item]]] = []
    for item in items:
        if not cut or cut[-1][0] is not item.kind:
            cut.append((item.kind, []))
        cut[-1][1].append(item)
    return cut


def say_nothing_found(call: Call, kinds: list[Kind]) -> None:
    if not call.on("all-namespaces") and all(kind.namespaced for kind in kinds):
        call.complain(f"No resources found in {call.namespace} namespace.")
    else:
        call.complain("No resources found")
