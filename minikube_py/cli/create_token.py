"""`kubectl create token`: a token by which a service account is known (pkg/cmd/create/create_token.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import StatusError, UsageError
from minikube_py.cli import create, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

BOUND = ("Node", "Pod", "Secret")


def run(call: Call) -> None:
    name = create.one_name(call)
    lifetime_s = _check(call)
    spec: Object = {"audiences": call.list("audience"), "boundObjectRef": _reference(call)}
    if lifetime_s:
        spec["expirationSeconds"] = lifetime_s
    try:
        select.check_name(name)
    except UsageError as error:
        raise UsageError(f"failed to create token: {error}") from None
    try:
        answer = call.cluster.create_token(name, call.namespace, spec)
    except StatusError as error:
        raise UsageError(f"failed to create token: {error}") from None
    if not call.text("output") and not call.text("template"):
        import sys

        call.say(answer["status"]["token"] + ("\n" if sys.stdout.isatty() else ""))
        return
    from minikube_py.cli import show

    call.say(show.plan(call).render([answer], as_list=False))


def _reference(call: Call) -> Object | None:
    kind = call.text("bound-object-kind")
    if not kind:
        return None
    found = {"apiVersion": "v1", "kind": kind, "name": call.text("bound-object-name")}
    return {**found, "uid": call.text("bound-object-uid")} if call.text("bound-object-uid") else found


def _check(call: Call) -> int:
    """The wanted lifetime in seconds, 0 where nothing was said."""
    lifetime_s = call.seconds("duration")
    kind, name = call.text("bound-object-kind"), call.text("bound-object-name")
    if lifetime_s < 0:
        raise UsageError("--duration must be greater than or equal to 0")
    if lifetime_s != int(lifetime_s):
        raise UsageError("--duration cannot be expressed in units less than seconds")
    if "" in call.list("audience"):
        raise UsageError("--audience must not be an empty string")
    for flag in ("name", "uid"):
        if not kind and call.text(f"bound-object-{flag}"):
            raise UsageError(f"--bound-object-{flag} can only be set if --bound-object-kind is provided")
    if kind and kind not in BOUND:
        raise UsageError(f"supported --bound-object-kind values are {', '.join(BOUND)}")
    if kind and not name:
        raise UsageError("--bound-object-name is required if --bound-object-kind is provided")
    return int(lifetime_s)
