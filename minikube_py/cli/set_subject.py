"""`kubectl set subject`: more users, groups and service accounts for a binding (pkg/cmd/set/set_subject.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, StatusError, UsageError
from minikube_py.cli import failures, setting, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item

Object = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
BINDINGS = ("RoleBinding", "ClusterRoleBinding")


def run(call: Call) -> None:
    found = setting.found(call, call.args)
    _check(call, found)
    failures.raise_all(found.errors)
    wanted = _subjects(call)
    errors: list[KpyError] = []
    with call.transaction():
        for item in found.items:
            try:
                _add(call, item, wanted)
            except StatusError as error:
                errors.append(UsageError(f"failed to patch subjects to rolebinding: {error}"))
            except KpyError as error:
                errors.append(error)
    failures.raise_all(errors)


def _check(call: Call, found: Found) -> None:
    if call.on("local") and call.dry_run == "server":
        raise UsageError("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")
    if call.on("all") and call.text("selector"):
        raise UsageError("cannot set --all and --selector at the same time")
    if not any(call.list(flag) for flag in ("user", "group", "serviceaccount")):
        raise UsageError("you must specify at least one value of user, group or serviceaccount")
    for account in call.list("serviceaccount"):
        namespace, colon, name = account.partition(":")
        if not colon or not name or ":" in name:
            raise UsageError("serviceaccount must be <namespace>:<name>")
        if not namespace and any(item.kind.name == "ClusterRoleBinding" for item in found.items):
            raise UsageError("serviceaccount must be <namespace>:<name>, namespace must be specified")


def _subjects(call: Call) -> list[Object]:
    users = [{"apiGroup": GROUP, "kind": "User", "name": name} for name in sorted(set(call.list("user")))]
    groups = [{"apiGroup": GROUP, "kind": "Group", "name": name} for name in sorted(set(call.list("group")))]
    accounts = [account.partition(":") for account in sorted(set(call.list("serviceaccount")))]
    return [
        *users,
        *groups,
        *(
            {"kind": "ServiceAccount", "name": name, "namespace": space or call.namespace}
            for space, _, name in accounts
        ),
    ]


def _add(call: Call, item: Item, wanted: list[Object]) -> None:
    if item.kind.name not in BINDINGS:
        raise UsageError(
            f"error: {setting.object_name(call, item)} setting subjects is only supported for RoleBinding/ClusterRoleBinding\n"
        )
    old: list[Object] = item.object.get("subjects") or []
    new = [one for one in wanted if one not in old]
    if new:
        changed = writing.patch(call, item, {"subjects": [*old, *new]})
        show.result(call, item._replace(object=changed), "subjects updated")
