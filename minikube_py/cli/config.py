"""`kubectl config`: a context is a cluster file in $KPY_HOME, with a namespace of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py import home
from minikube_py.base.errors import UsageError
from minikube_py.cli import contexts

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

USER = "admin"


def _chosen() -> str:
    """The current context, '' if its cluster does not exist yet."""
    return home.current() if home.current() in home.clusters() else ""


def current_context(call: Call) -> None:
    _no_arguments(call)
    if not _chosen():
        raise UsageError("current-context is not set")
    call.line(_chosen())


def get_contexts(call: Call) -> None:
    from minikube_py.printers import tables

    known = home.clusters()
    for name in call.args:
        if name not in known:
            raise UsageError(f"context {name} not found")
    names = call.args or known
    if call.text("output") == "name":
        call.say("".join(f"{name}\n" for name in names))
        return
    if call.text("output"):
        raise call.usage(f"output must be one of '' or 'name': {call.text('output')}")
    rows = [] if call.on("no-headers") else [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]]
    for name in names:
        space = contexts.namespace(name)
        rows.append(["*" if name == _chosen() else "", name, name, USER, "" if space == "default" else space])
    call.say(tables.layout(rows))


def get_clusters(call: Call) -> None:
    _no_arguments(call)
    call.say("".join(f"{name}\n" for name in ["NAME", *home.clusters()]))


def use_context(call: Call) -> None:
    if len(call.args) != 1:
        from minikube_py.cli import cobra

        call.say(cobra.help_text("config use-context"))
        raise UsageError(f"Unexpected args: [{' '.join(call.args)}]")
    home.use(call.args[0])
    call.line(f'Switched to context "{call.args[0]}".')


def set_context(call: Call) -> None:
    """Only the namespace of a context can be set: cluster and user are the file's."""
    if len(call.args) > 1 or (call.args and call.on("current")):
        raise UsageError(f"unexpected args: [{' '.join(call.args)}]")
    name = call.args[0] if call.args else _chosen() if call.on("current") else ""
    if not name:
        raise UsageError("you must specify a non-empty context name or --current")
    if name not in home.clusters():
        raise UsageError(f"no context exists with the name: \"{name}\": make a cluster with 'kpy cluster start {name}'")
    if call.changed("namespace"):
        contexts.set_namespace(name, call.text("namespace"))
    call.line(f'Context "{name}" modified.')


def view(call: Call) -> None:
    _no_arguments(call)
    names = home.clusters()
    if call.on("minify"):
        names = [call.text("context") or _chosen()] if names else []
    whole: dict[str, Any] = {
        "apiVersion": "v1",
        "clusters": [{"cluster": {"server": f"file://{home.path(name)}"}, "name": name} for name in names] or None,
        "contexts": [{"context": _context(name), "name": name} for name in names] or None,
        "current-context": _chosen(),
        "kind": "Config",
        "users": [{"name": USER, "user": {}}] if names else None,
    }
    if call.text("output") == "json":
        from minikube_py.base.gotext import json_indented

        call.line(json_indented(whole))
    else:
        from minikube_py.printers import yaml_text

        call.say(yaml_text.dump(whole))


def _context(name: str) -> dict[str, str]:
    space = contexts.namespace(name)
    named = {} if space == "default" else {"namespace": space}
    return {"cluster": name, **named, "user": USER}


def _no_arguments(call: Call) -> None:
    if call.args:
        raise call.usage(f"unexpected arguments: [{' '.join(call.args)}]")
