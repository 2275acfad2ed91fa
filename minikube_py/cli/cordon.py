"""`kubectl cordon` and `uncordon` (pkg/cmd/drain/drain.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import failures, select, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item


def cordon(call: Call) -> None:
    _run(call, "cordon", True)


def uncordon(call: Call) -> None:
    _run(call, "uncordon", False)


def nodes(call: Call, name: str) -> Found:
    """The nodes by name or -l, as cordon, uncordon and drain take them."""
    if not call.args and not call.changed("selector"):
        raise call.usage(f"USAGE: {name} NODE [flags]")
    if call.args and call.text("selector"):
        raise call.usage("error: cannot specify both a node name and a --selector option")
    if not call.args and not call.text("selector"):
        raise UsageError(select.NOTHING_GIVEN)
    words = call.args if any("/" in word for word in call.args) else ["nodes", *call.args]
    return select.find(call, words, labels=call.text("selector"), bare_types=bool(call.text("selector")))


def _run(call: Call, name: str, wanted: bool) -> None:
    found = nodes(call, name)
    writing.each(call, found.items, lambda item: mark(call, item, wanted), found.errors)
    failures.raise_all([])


def mark(call: Call, item: Item, wanted: bool) -> None:
    """Make a node (un)schedulable and say so."""
    word = "cordoned" if wanted else "uncordoned"
    if bool((item.object.get("spec") or {}).get("unschedulable")) == wanted:
        show.result(call, item, f"already {word}")
        return
    changed = writing.patch(call, item, {"spec": {"unschedulable": True if wanted else None}})
    show.result(call, item._replace(object=changed), word)
