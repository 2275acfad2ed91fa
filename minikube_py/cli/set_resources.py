"""`kubectl set resources` (pkg/cmd/set/set_resources.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import podspecs, setting
from minikube_py.cli.create_misc import resources as parse

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]


def run(call: Call) -> None:
    if call.on("all") and call.text("selector"):
        raise UsageError("cannot set --all and --selector at the same time")
    found = setting.found(call, call.args)
    if not call.text("limits") and not call.text("requests"):
        raise UsageError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    wanted = {field: parse(call.text(field)) for field in ("limits", "requests") if call.text(field)}
    errors: list[KpyError] = []

    def change(spec: Object) -> Object:
        if not any(_matches(call, one["name"]) for one in spec.get("containers") or ()):
            errors.append(UsageError(f"error: unable to find container named {call.text('containers')}"))
        return podspecs.with_containers(spec, lambda one: _with_resources(call, one, wanted), init=True)

    setting.change_specs(
        call,
        found,
        change,
        "resource requirements updated",
        "failed to patch resources update to pod template ",
        errors,
    )


def _matches(call: Call, name: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(name, call.text("containers") or "*")


def _with_resources(call: Call, container: Object, wanted: dict[str, dict[str, str]]) -> Object:
    """New amounts replace those of the same resource; the others stay."""
    if not _matches(call, container["name"]):
        return container
    resources = {**(container.get("resources") or {})}
    for field, amounts in wanted.items():
        resources[field] = {**(resources.get(field) or {}), **amounts}
    return {**container, "resources": resources}
