"""`kubectl auth reconcile`: roles and bindings get at least what a file says (pkg/cmd/auth/reconcile.go).

What is missing is by the rules broken down to one verb, group, resource and name each, as in
k8s.io/component-helpers/auth/rbac (reconciliation/reconcile_role.go, validation/policy_comparator.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.apiserver.admission import escalation
from minikube_py.base.errors import KpyError, NotFound, UsageError
from minikube_py.cli import failures, select, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
PROTECTED = "rbac.authorization.kubernetes.io/autoupdate"
RULE_FIELDS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
SUBJECT_FIELDS = ("kind", "apiGroup", "name", "namespace")


class Plan(NamedTuple):
    """What has to be done: `operation` is '', create, update or recreate; `missing` and `extra` are rules or subjects."""

    object: Object
    operation: str
    missing: list[Object]
    extra: list[Object]
    protected: bool = False


def run(call: Call) -> None:
    call.require_files()
    if call.args:
        raise UsageError("no arguments are allowed")
    if call.dry_run == "server":
        raise UsageError("--dry-run=server for command reconcile is not supported yet")
    errors: list[KpyError] = []
    with call.transaction():
        for obj, source in call.documents(errors):
            try:
                item = select.of_document(call, obj, source)
                if item.kind.group == GROUP:
                    _reconcile(call, item)
            except KpyError as error:
                errors.append(error)
    failures.raise_all(errors)


def _reconcile(call: Call, item: Item) -> None:
    binding = item.kind.name.endswith("Binding")
    live = _live(call, item)
    plan = _of_binding(call, item, live) if binding else _of_role(call, item, live)
    stored = plan.object
    if call.dry_run == "none" and not plan.protected:
        stored = _carry_out(call, item, plan)
    show.result(call, item._replace(object=stored), "reconciled")
    if plan.operation:
        _tell(call, plan, "subjects" if binding else "rules")


def _live(call: Call, item: Item) -> Object | None:
    try:
        return call.cluster.get(item.kind.resource, item.name, item.namespace)
    except NotFound:
        return None


def _of_role(call: Call, item: Item, live: Object | None) -> Plan:
    wanted = item.object.get("rules") or []
    if live is None:
        return Plan(item.object, "create", list(wanted), [])
    missing = _uncovered(live.get("rules") or [], wanted)
    extra = _uncovered(wanted, live.get("rules") or [])
    new = _with_marks(live, item.object)
    if call.on("remove-extra-permissions") and (missing or extra):
        new = {**new, "rules": wanted}
    elif missing:
        new = {**new, "rules": [*(live.get("rules") or []), *missing]}
    return Plan(new, "update" if new != live else "", missing, extra, _is_protected(live))


def _of_binding(call: Call, item: Item, live: Object | None) -> Plan:
    wanted = item.object.get("subjects") or []
    if live is None:
        return Plan(item.object, "create", list(wanted), [])
    if _named(live["roleRef"]) != _named(item.object["roleRef"]):
        return Plan(item.object, "recreate", list(wanted), [], _is_protected(live))
    subjects = live.get("subjects") or []
    missing = [one for one in wanted if _subject(one) not in map(_subject, subjects)]
    extra = [one for one in subjects if _subject(one) not in map(_subject, wanted)]
    new = _with_marks(live, item.object)
    if call.on("remove-extra-subjects") and (missing or extra):
        new = {**new, "subjects": wanted}
    elif missing:
        new = {**new, "subjects": [*subjects, *missing]}
    return Plan(new, "update" if new != live else "", missing, extra, _is_protected(live))


def _with_marks(live: Object, wanted: Object) -> Object:
    """The live object with the labels and annotations of the wanted one added."""
    meta, more = live["metadata"], wanted.get("metadata") or {}
    for field in ("labels", "annotations"):
        if more.get(field):
            meta = {**meta, field: {**more[field], **(meta.get(field) or {})}}
    return {**live, "metadata": meta} if meta != live["metadata"] else live


def _is_protected(live: Object) -> bool:
    return (live["metadata"].get("annotations") or {}).get(PROTECTED) == "false"


def _named(reference: Object) -> tuple[str, str, str]:
    return reference.get("apiGroup") or GROUP, reference["kind"], reference["name"]


def _subject(one: Object) -> tuple[str, str, str, str]:
    group = one.get("apiGroup") or ("" if one["kind"] == "ServiceAccount" else GROUP)
    return one["kind"], group, one["name"], one.get("namespace") or ""


def _carry_out(call: Call, item: Item, plan: Plan) -> Object:
    cluster = call.cluster
    if plan.operation == "update":
        return cluster.update(plan.object)
    if plan.operation == "recreate":
        cluster.delete(item.kind.resource, item.name, item.namespace)
    if plan.operation:
        if item.namespace:
            try:
                cluster.get("namespaces", item.namespace)
            except NotFound:
                cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": item.namespace}})
        return cluster.create(plan.object, namespace=item.namespace)
    return plan.object


def _tell(call: Call, plan: Plan, what: str) -> None:
    caveat = f", but object opted out ({PROTECTED}: false)" if plan.protected else ""
    call.complain(f"\treconciliation required {plan.operation}{caveat}")
    removing = call.on("remove-extra-subjects" if what == "subjects" else "remove-extra-permissions")
    for title, found in (
        (f"missing {what} added", plan.missing),
        (f"extra {what} removed", plan.extra if removing else []),
    ):
        if found:
            call.complain(f"\t{title}:")
        for one in found:
            call.complain(f"\t\t{_go(one, SUBJECT_FIELDS if what == 'subjects' else RULE_FIELDS)}")


def _go(value: Object, fields: tuple[str, ...]) -> str:
    """A struct as Go's %+v prints it."""
    parts = []
    for field in fields:
        found = value.get(field)
        shown = f"[{' '.join(found or ())}]" if fields is RULE_FIELDS else found or ""
        title = field[:1].upper() + field[1:]
        parts.append(f"{title.replace('ApiGroup', 'APIGroup')}:{shown}")
    return "{" + " ".join(parts) + "}"


def _uncovered(owned: list[Object], wanted: list[Object]) -> list[Object]:
    """The parts of the wanted rules that no owned rule covers, each with one verb on one thing."""
    return [
        part
        for rule in wanted
        for part in escalation.parts(rule)
        if not any(escalation.covers(one, part) for one in owned)
    ]
