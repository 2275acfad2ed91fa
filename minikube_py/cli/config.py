"""`kubectl config`: a context is a cluster file in $KPY_HOME, with a namespace of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from minikube_py import home
from minikube_py.base.errors import UsageError
from minikube_py.cli import contexts, failures

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

USER = "admin"
ONE_USER = f"there is no other user than {USER}, who needs no credentials: --as NAME plays another"


def _chosen() -> str:
    """The current context, '' if its cluster does not exist yet."""
    return home.current() if home.current() in home.clusters() else ""


def current_context(call: Call) -> None:
    if not _chosen():
        raise UsageError("current-context is not set")
    call.line(_chosen())


def get_contexts(call: Call) -> None:
    if call.text("output") not in ("", "name"):
        raise UsageError(
            f"--output {call.text('output')} is not available in kubectl config get-contexts; resetting to default output format"
        )
    known = home.clusters()
    names = [name for name in call.args if name in known] if call.args else known
    if call.text("output") == "name":
        call.say("".join(f"{name}\n" for name in names))
    else:
        _print_contexts(call, names)
    failures.raise_all([UsageError(f"context {name} not found") for name in call.args if name not in known])


def _print_contexts(call: Call, names: list[str]) -> None:
    from minikube_py.printers import tables

    rows = [] if call.on("no-headers") else [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]]
    for name in names:
        space = contexts.namespace(name)
        rows.append(["*" if name == _chosen() else "", name, name, USER, "" if space == "default" else space])
    call.say(tables.layout(rows))


def get_clusters(call: Call) -> None:
    call.say("".join(f"{name}\n" for name in ["NAME", *home.clusters()]))


def use_context(call: Call) -> None:
    _expect(call, 1)
    home.use(call.args[0])
    call.line(f'Switched to context "{call.args[0]}".')


def set_context(call: Call) -> None:
    """Only the namespace of a context can be set: cluster and user are the file's."""
    if len(call.args) > 1:
        _expect(call, 1)
    if call.args and call.on("current"):
        raise UsageError("you cannot specify both a context name and --current")
    if call.on("current") and not _chosen():
        raise UsageError("no current context is set")
    name = call.args[0] if call.args else _chosen() if call.on("current") else ""
    if not name:
        raise UsageError("you must specify a non-empty context name or --current")
    if name not in home.clusters():
        raise UsageError(f"no context exists with the name: \"{name}\": make a cluster with 'kpy cluster start {name}'")
    if call.changed("namespace"):
        contexts.set_namespace(name, call.text("namespace"))
    call.line(f'Context "{name}" modified.')


def get_users(call: Call) -> None:
    call.say("".join(f"{name}\n" for name in ["NAME", *([USER] if home.clusters() else [])]))


def rename_context(call: Call) -> None:
    """A context is a cluster's file: the cluster gets the new name."""
    _expect(call, 2)
    old, new = call.args
    known = home.clusters()
    if not new:
        raise UsageError("You must specify a new non-empty context name")
    if old not in known:
        raise UsageError(f'cannot rename the context "{old}", it\'s not in {_folder()}')
    if new in known:
        raise UsageError(f'cannot rename the context "{old}", the context "{new}" already exists in {_folder()}')
    space, chosen = contexts.namespace(old), _chosen()
    home.rename(old, new)
    if space != "default":
        contexts.set_namespace(new, space)
        contexts.set_namespace(old, "default")
    if chosen == old:
        home.use(new)
    call.line(f'Context "{old}" renamed to "{new}".')


def delete(call: Call) -> None:
    """delete-context, delete-cluster: kubectl only forgets an entry; here it would be the cluster itself."""
    what = call.command.rpartition("-")[2]
    if len(call.args) != 1:
        from minikube_py.cli import cobra

        call.say(cobra.help_text(call.command))  # and that is all: kubectl does not even fail
        return
    name = call.args[0]
    if name not in home.clusters():
        raise UsageError(f"cannot delete {what} {name}, not in {_folder()}")
    raise UsageError(f"{what} {name} is the cluster's file itself: 'kpy cluster delete {name}' deletes the cluster")


def delete_user(call: Call) -> None:
    if len(call.args) != 1:
        raise call.usage("user to delete is required")
    if call.args[0] != USER:
        raise UsageError(f"cannot delete user {call.args[0]}, not in {_folder()}")
    raise UsageError(ONE_USER)


def set_cluster(call: Call) -> None:
    _expect(call, 1)
    raise UsageError("a cluster is a file here, with no server to set: 'kpy cluster start NAME' makes one")


def set_credentials(call: Call) -> None:
    _expect(call, 1, "unexpected args")
    raise UsageError(ONE_USER)


def set_property(call: Call) -> None:
    """`config set current-context NAME` and `config set contexts.NAME.namespace SPACE`."""
    _expect(call, 2)
    name, value = call.args
    if not value:
        raise UsageError("you cannot use set to unset a property")
    if not name:
        raise UsageError("you must specify a property")
    if name == "current-context":
        home.use(value)
    else:
        contexts.set_namespace(_context_of(name), value)
    call.line(f'Property "{name}" set.')


def unset(call: Call) -> None:
    _expect(call, 1)
    name = call.args[0]
    if not name:
        raise UsageError("you must specify a property")
    if name == "current-context":
        home.forget_choice()
    else:
        contexts.set_namespace(_context_of(name), "default")
    call.line(f'Property "{name}" unset.')


def _context_of(name: str) -> str:
    """The context of 'contexts.NAME.namespace'."""
    words = name.split(".")
    if len(words) != 3 or words[0] != "contexts" or words[2] != "namespace":
        raise UsageError(
            f"{name} cannot be changed: only current-context and contexts.NAME.namespace can, all else is the cluster's file"
        )
    if words[1] not in home.clusters():
        raise UsageError(f'no context exists with the name: "{words[1]}"')
    return words[1]


def _folder() -> str:
    return os.path.join(home.root(), "clusters")


def view(call: Call) -> None:
    if call.args:
        raise call.usage(f"unexpected arguments: [{' '.join(call.args)}]")
    names = home.clusters()
    if call.on("minify"):
        if not (call.text("context") or _chosen()):
            raise UsageError("current-context must exist in order to minify")
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
        from minikube_py.printers import goorder

        order = ("kind", "apiVersion", "clusters", "users", "contexts", "current-context")
        call.say(goorder.text({name: whole[name] for name in order}))
    else:
        from minikube_py.printers import output

        form = "" if call.text("template") and not call.changed("output") else call.text("output")
        call.say(output.render(form, [whole], template=call.text("template"), allowed=output.FORMATS))


def _context(name: str) -> dict[str, str]:
    space = contexts.namespace(name)
    named = {} if space == "default" else {"namespace": space}
    return {"cluster": name, **named, "user": USER}


def _expect(call: Call, count: int, complaint: str = "Unexpected args") -> None:
    """Another number of arguments: the help, and a complaint (config.go: helpErrorf)."""
    if len(call.args) != count:
        from minikube_py.cli import cobra

        call.say(cobra.help_text(call.command))
        raise UsageError(f"{complaint}: [{' '.join(call.args)}]")
