"""The revisions of a Deployment (its ReplicaSets), StatefulSet or DaemonSet (their ControllerRevisions).

Source: kubectl pkg/polymorphichelpers/history.go, rollback.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base import patch as patches
from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

CHANGE_CAUSE = "kubernetes.io/change-cause"
REVISION = "deployment.kubernetes.io/revision"


class Revision(NamedTuple):
    """`object`: the ReplicaSet, or the owner as it was; `template`: the pod template of that time, with its cause."""

    number: int
    object: Object
    template: Object
    cause: str
    data: Object  # a ControllerRevision's patch; {} for a ReplicaSet


def of(call: Call, item: Item) -> dict[int, Revision]:
    """The revisions by number. Raises UsageError for kinds that have none."""
    if item.kind.name == "Deployment":
        return {revision.number: revision for revision in map(_of_replica_set, replica_sets(call, item))}
    if item.kind.name in ("StatefulSet", "DaemonSet"):
        owned = _owned(call, item, "controllerrevisions.apps")
        return {one["revision"]: _of_controller_revision(item, one) for one in owned}
    raise not_implemented(item, "history", "history viewer")


# The kinds that kubectl's visitors know (pkg/apps/kind_visitor.go).
VISITED = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicationController")


def not_implemented(item: Item, what: str, who: str) -> UsageError:
    """What kubectl says of kinds without revisions."""
    group = item.kind.group
    title = f"{item.kind.name}.{group}" if group else item.kind.name
    if item.kind.name in VISITED:
        return UsageError(f'no {who} has been implemented for "{title}"')
    return UsageError(
        f'error retrieving {what} for "{title}", no visitor method exists for {{{group} {item.kind.name}}}'
    )


def replica_sets(call: Call, item: Item) -> list[Object]:
    return _owned(call, item, "replicasets.apps")


def _owned(call: Call, item: Item, resource: str) -> list[Object]:
    from minikube_py.base import selector

    uid = item.object["metadata"].get("uid")
    labels = selector.from_label_selector(item.object["spec"].get("selector")).text
    return [
        one
        for one in call.cluster.list(resource, item.namespace, labels=labels)
        if any(ref.get("controller") and ref.get("uid") == uid for ref in one["metadata"].get("ownerReferences") or ())
    ]


def _of_replica_set(replica_set: Object) -> Revision:
    annotations = replica_set["metadata"].get("annotations") or {}
    cause = annotations.get(CHANGE_CAUSE, "")
    template = replica_set["spec"]["template"]
    if cause:
        template = patches.merge(template, {"metadata": {"annotations": {CHANGE_CAUSE: cause}}})
    return Revision(int(annotations.get(REVISION) or 0), replica_set, template, cause, {})


def _of_controller_revision(item: Item, revision: Object) -> Revision:
    data = revision.get("data") or {}
    template = {key: value for key, value in (data.get("spec") or {}).get("template", {}).items() if key != "$patch"}
    then = {**item.object, "spec": {**item.object["spec"], "template": template}}
    cause = (revision["metadata"].get("annotations") or {}).get(CHANGE_CAUSE, "")
    return Revision(revision["revision"], then, template, cause, data)


def template_text(template: Object) -> str:
    """A pod template as `rollout history --revision` prints it: described, but with tabs and not in columns."""
    from minikube_py.printers.describe import containers
    from minikube_py.printers.describe.writer import Writer

    writer = Writer(None, 0)  # type: ignore[arg-type]  # templates need no look-ups
    containers.template(writer, template)
    return writer.raw()
