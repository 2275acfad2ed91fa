"""What both strategies do: find or create the new ReplicaSet, scale ReplicaSets, delete old ones, count the status.

Source: k8s.io/kubernetes/pkg/controller/deployment/sync.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Create, Delete, Key, Patch, Record
from minikube_py.base import digest, patch
from minikube_py.base.errors import AlreadyExists, KpyError, NotFound
from minikube_py.controllers import conditions, ownership, retry
from minikube_py.controllers.deployment import revisions, sizes

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

COMPONENT = "deployment-controller"
HASH_LABEL = "pod-template-hash"
RESOURCE = "replicasets.apps"
_NAME_MAX = 253


class SyncFailed(Exception):
    """A write was refused: the sync ends here and is tried again later (an `err` that the real one returns)."""


class OutOfDate(Exception):
    """The sync has written its Deployment once, and knows only what it was before: the real one's next write is a Conflict,
    and the sync is tried again at once. Here the first write has woken it already."""


class Work:
    """One sync: the Deployment as its one write has left it, what it may look at, and the ReplicaSets it controls."""

    __slots__ = ("clock", "deployment", "has_written", "key", "sets", "view")

    def __init__(self, deployment: Object, sets: Objects, view: View, clock: Clock) -> None:
        self.deployment, self.sets, self.view, self.clock = deployment, sets, view, clock
        self.key = ownership.key_of("deployments.apps", deployment)
        self.has_written = False


class Sets(NamedTuple):
    """The ReplicaSet of the current template (None if it is not there yet) and all others."""

    new: Object | None
    old: Objects

    @property
    def all(self) -> Objects:
        return self.old if self.new is None else [*self.old, self.new]


# --- the new ReplicaSet ------------------------------------------------------------------------------------------------


def same_template(one: Object, other: Object) -> bool:
    """Whether two pod templates are equal but for the label pod-template-hash."""
    return one.get("spec") == other.get("spec") and _without_hash(one) == _without_hash(other)


def _without_hash(template: Object) -> Object:
    meta = template.get("metadata") or {}
    labels = {name: text for name, text in (meta.get("labels") or {}).items() if name != HASH_LABEL}
    return {**{name: value for name, value in meta.items() if value is not None}, "labels": labels}


def split(deployment: Object, sets: Objects) -> Sets:
    """The oldest ReplicaSet with the Deployment's template is the new one (deploymentutil.FindNewReplicaSet)."""
    template = deployment["spec"]["template"]
    new = next((rs for rs in sizes.oldest_first(sets) if same_template(rs["spec"]["template"], template)), None)
    return Sets(new, [rs for rs in sets if rs is not new])


def replica_sets(work: Work, *, create: bool) -> Generator[Action, Outcome, Sets]:
    """New and old ReplicaSets, with revisions brought up to date; the new one is created if `create` and missing."""
    sets = split(work.deployment, work.sets)
    revision = revisions.highest(sets.old) + 1
    if sets.new is not None:
        new = yield from _refresh(work, sets.new, revision)
        return Sets(new, sets.old)
    if not create:
        return sets
    created = yield from _create(work, sets.old, revision)
    return Sets(created, sets.old)


def _refresh(work: Work, new: Object, revision: int) -> Generator[Action, Outcome, Object]:
    """Bring an existing new ReplicaSet and the Deployment's own revision up to date: the one or the other in a sync."""
    deployment = work.deployment
    changes: Object = {}
    annotations = revisions.changes_for_existing(deployment, new, revision)
    if annotations:
        changes["metadata"] = {"annotations": annotations}
    min_ready_s = deployment["spec"].get("minReadySeconds", 0)
    if new["spec"].get("minReadySeconds", 0) != min_ready_s:
        changes["spec"] = {"minReadySeconds": min_ready_s or None}
    if changes:
        return (yield from write_set(work, new, changes))
    text = ""
    if has_deadline(deployment) and conditions.get(deployment.get("status") or {}, "Progressing") is None:
        text = f'Found new replica set "{new["metadata"]["name"]}"'
    yield from _note(work, revisions.of(new).get(revisions.REVISION, ""), "FoundNewReplicaSet", text)
    return new


def _create(work: Work, old: Objects, revision: int) -> Generator[Action, Outcome, Object]:
    """Create the new ReplicaSet at the size it may have at once."""
    new = _described(work, old, revision)
    name = new["metadata"]["name"]
    outcome = yield Create(new)
    if isinstance(outcome, AlreadyExists):
        taken = yield from _taken(work, name)
        yield from _note(work, str(revision))
        return taken
    if isinstance(outcome, KpyError):
        yield from _refused(work, name, outcome)
        raise SyncFailed(str(outcome))
    size = sizes.replicas(new)
    if size > 0:
        text = f"Scaled up replica set {name} from 0 to {size}"
        yield Record(work.deployment, "Normal", "ScalingReplicaSet", text, COMPONENT)
    text = f'Created new replica set "{name}"' if has_deadline(work.deployment) else ""
    yield from _note(work, str(revision), "NewReplicaSetCreated", text)
    return outcome or new


def _described(work: Work, old: Objects, revision: int) -> Object:
    deployment, spec = work.deployment, work.deployment["spec"]
    template = spec["template"]
    hashed = digest.template_hash(template, (deployment.get("status") or {}).get("collisionCount"))
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: hashed}
    chosen = spec["selector"]
    described: Object = {
        "replicas": sizes.new_set_size(deployment, old, 0),
        "selector": {**chosen, "matchLabels": {**(chosen.get("matchLabels") or {}), HASH_LABEL: hashed}},
        "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
    }
    if spec.get("minReadySeconds"):
        described["minReadySeconds"] = spec["minReadySeconds"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{work.key.name[: _NAME_MAX - len(hashed) - 1]}-{hashed}",
            "namespace": work.key.namespace,
            "labels": labels,
            "annotations": revisions.for_created(deployment, revision),
            "ownerReferences": [ownership.reference_to(deployment, "apps/v1", "Deployment")],
        },
        "spec": described,
    }


def _taken(work: Work, name: str) -> Generator[Action, Outcome, Object]:
    """The name exists already: our own ReplicaSet if it has our template, else a hash collision, counted in the status."""
    deployment = work.deployment
    found = work.view.get(Key(RESOURCE, work.key.namespace, name))
    if (
        found is not None
        and ownership.is_controlled_by(found, deployment)
        and same_template(found["spec"]["template"], deployment["spec"]["template"])
    ):
        return found
    collisions = (deployment.get("status") or {}).get("collisionCount", 0) + 1
    yield from write_deployment(work, {"status": {"collisionCount": collisions}}, "status")
    raise SyncFailed(f'replicasets.apps "{name}" already exists')


def _refused(work: Work, name: str, error: KpyError) -> Actions:
    if retry.namespace_goes(error):
        return
    text = f'Failed to create new replica set "{name}": {error}'
    if has_deadline(work.deployment):
        yield from put_condition(work, "Progressing", "False", "ReplicaSetCreateError", text)
    yield Record(work.deployment, "Warning", "ReplicaSetCreateError", text, COMPONENT)


def _note(work: Work, revision: str, reason: str = "", text: str = "") -> Actions:
    """The Deployment's own revision, and with a text that it progresses, in one write of the status.

    A change of the annotation by itself would count as a new generation.
    """
    fields: Object = {}
    if revision and revisions.of(work.deployment).get(revisions.REVISION) != revision:
        fields["metadata"] = {"annotations": {revisions.REVISION: revision}}
    if text:
        old = (work.deployment.get("status") or {}).get("conditions") or []
        new = conditions.put(old, condition("Progressing", "True", reason, text, work.clock))
        if new is not old:
            fields["status"] = {"conditions": new}
    if fields:
        yield from write_deployment(work, fields, "status")


# --- writes ------------------------------------------------------------------------------------------------------------


def write_deployment(work: Work, fields: Object, subresource: str = "") -> Actions:
    if work.has_written:
        raise OutOfDate
    outcome = yield Patch(work.key, fields, subresource)
    if isinstance(outcome, KpyError):
        raise SyncFailed(str(outcome))
    work.has_written = True
    work.deployment = patch.merge(work.deployment, fields)


def write_set(work: Work, rs: Object, fields: Object) -> Generator[Action, Outcome, Object]:
    """Change a ReplicaSet; returns it as it is then, and the sync goes on with it."""
    outcome = yield Patch(ownership.key_of(RESOURCE, rs), fields)
    if isinstance(outcome, KpyError):
        raise SyncFailed(str(outcome))
    changed: Object = patch.merge(rs, fields)
    work.sets = [changed if one is rs else one for one in work.sets]
    return changed


def write_status(work: Work, status: Object) -> Generator[Action, Outcome, bool]:
    """Write the status if it differs; returns whether it did."""
    fields = patch.diff(work.deployment.get("status") or {}, status)
    if fields:
        yield from write_deployment(work, {"status": fields}, "status")
    return bool(fields)


def put_condition(work: Work, name: str, value: str, reason: str, text: str) -> Actions:
    status = work.deployment.get("status") or {}
    old = status.get("conditions") or []
    new = conditions.put(old, condition(name, value, reason, text, work.clock))
    if new is not old:
        yield from write_deployment(work, {"status": {"conditions": new}}, "status")


def condition(name: str, value: str, reason: str, text: str, clock: Clock) -> Object:
    return {
        "type": name,
        "status": value,
        "lastUpdateTime": clock.timestamp,
        "lastTransitionTime": clock.timestamp,
        "reason": reason,
        "message": text,
    }


def has_deadline(deployment: Object) -> bool:
    return int(deployment["spec"].get("progressDeadlineSeconds", sizes.NO_LIMIT)) != sizes.NO_LIMIT


# --- scaling -----------------------------------------------------------------------------------------------------------


def scale_set(work: Work, rs: Object, size: int) -> Generator[Action, Outcome, Object]:
    """Give a ReplicaSet its size, and note on it the size the Deployment has now; an event tells of a new size."""
    before = sizes.replicas(rs)
    noted = revisions.size_annotations(work.deployment)
    stale = {name: text for name, text in noted.items() if revisions.of(rs).get(name) != text}
    if before == size and not stale:
        return rs
    fields: Object = {"spec": {"replicas": size}} if before != size else {}
    if stale:
        fields["metadata"] = {"annotations": stale}
    changed = yield from write_set(work, rs, fields)
    if before != size:
        direction = "up" if before < size else "down"
        text = f"Scaled {direction} replica set {rs['metadata']['name']} from {before} to {size}"
        yield Record(work.deployment, "Normal", "ScalingReplicaSet", text, COMPONENT)
    return changed


def scale_set_to(work: Work, rs: Object, size: int) -> Generator[Action, Outcome, tuple[bool, Object]]:
    """As `scale_set`, but a ReplicaSet of the right size is left alone. Returns whether it had another size."""
    if sizes.replicas(rs) == size:
        return False, rs
    return True, (yield from scale_set(work, rs, size))


def is_scaling_event(work: Work) -> Generator[Action, Outcome, bool]:
    """Whether the Deployment was scaled: an active ReplicaSet has noted another size than the wanted one."""
    sets = yield from replica_sets(work, create=False)
    wanted = sizes.replicas(work.deployment)
    noted = (revisions.number(rs, revisions.DESIRED) for rs in sizes.active(sets.all))
    return any(size is not None and size != wanted for size in noted)


def scale_only(work: Work) -> Actions:
    """The sync of a paused or just scaled Deployment: sizes change, the template is not looked at. The status counts the
    sizes that the sync found, not those it gave."""
    sets = yield from replica_sets(work, create=False)
    yield from _scale(work, sets)
    if work.deployment["spec"].get("paused"):
        yield from clean_up(work, sets.old)
    yield from write_status(work, counted_status(work, sets))


def _scale(work: Work, sets: Sets) -> Actions:
    """Scale the one active ReplicaSet; or old ones away when the new one is whole; or all of them in proportion."""
    wanted = sizes.replicas(work.deployment)
    only = _active_or_latest(sets)
    if only is not None:
        yield from scale_set_to(work, only, wanted)
    elif _is_saturated(work.deployment, sets.new):
        for rs in sizes.active(sets.old):
            yield from scale_set_to(work, rs, 0)
    elif sizes.is_rolling(work.deployment):
        for rs, size in _proportional_sizes(work.deployment, sizes.active(sets.all)):
            yield from scale_set(work, rs, size)


def _active_or_latest(sets: Sets) -> Object | None:
    """The only active ReplicaSet; without an active one the new or else the youngest; None if several are active."""
    found = sizes.active(sets.all)
    if len(found) > 1 or not sets.all:
        return None
    if found:
        return found[0]
    return sets.new if sets.new is not None else sizes.oldest_first(sets.old)[-1]


def _is_saturated(deployment: Object, new: Object | None) -> bool:
    if new is None:
        return False
    wanted = sizes.replicas(deployment)
    noted = revisions.number(new, revisions.DESIRED)
    return noted == sizes.replicas(new) == sizes.counted([new], "availableReplicas") == wanted


def _proportional_sizes(deployment: Object, active: Objects) -> Iterator[tuple[Object, int]]:
    """New sizes in the middle of a rollout: what is added or removed is shared out by size, the rest to the largest.

    10 -> 15 replicas, surge 3, old 8 and new 5: 18 - 13 = 5 to add: old 11, new 7.
    Then 15 -> 5, surge 3: 8 - 18 = -10: old 11 * 8/18 = 4.9 -> 5 (-6), new 7 * 8/18 = 3.1 -> 3 (-4).
    """
    wanted = sizes.replicas(deployment)
    size_max = wanted + sizes.max_surge(deployment) if wanted > 0 else 0
    to_add = size_max - sizes.total(active)
    ordered = sizes.largest_first(active, newer_first=to_add > 0)
    added, parts = 0, []
    for rs in ordered:
        before_max = revisions.number(rs, revisions.HIGHEST) or (deployment.get("status") or {}).get("replicas", 0)
        part = sizes.proportion(rs, before_max, size_max, to_add, added)
        parts.append(part)
        added += part
    for index, rs in enumerate(ordered):
        leftover = to_add - added if index == 0 else 0
        yield rs, max(0, sizes.replicas(rs) + parts[index] + leftover)


def clean_up(work: Work, old: Objects) -> Actions:
    """Delete the oldest revisions beyond revisionHistoryLimit, but none that still has pods or an unseen change."""
    limit = work.deployment["spec"].get("revisionHistoryLimit", sizes.NO_LIMIT)
    alive = [rs for rs in old if not ownership.is_deleting(rs)]
    surplus = len(alive) - limit
    if limit == sizes.NO_LIMIT or surplus <= 0:
        return
    by_revision = sorted(sizes.oldest_first(alive), key=lambda rs: revisions.number(rs, revisions.REVISION) or 0)
    for rs in by_revision[:surplus]:
        status = rs.get("status") or {}
        if status.get("replicas") or sizes.replicas(rs):
            continue
        if rs["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
            continue
        outcome = yield Delete(ownership.key_of(RESOURCE, rs))
        if isinstance(outcome, KpyError) and not isinstance(outcome, NotFound):
            raise SyncFailed(str(outcome))


# --- status ------------------------------------------------------------------------------------------------------------


def counted_status(work: Work, sets: Sets) -> Object:
    """The status that the ReplicaSets add up to, with the condition Available; counts of zero are left out."""
    deployment, old = work.deployment, work.deployment.get("status") or {}
    new = [] if sets.new is None else [sets.new]
    available = sizes.counted(sets.all, "availableReplicas")
    counts = {
        "replicas": sizes.counted(sets.all, "replicas"),
        "updatedReplicas": sizes.counted(new, "replicas"),
        "readyReplicas": sizes.counted(sets.all, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sizes.total(sets.all) - available),
    }
    status: Object = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    status.update((name, count) for name, count in counts.items() if count)
    terminating = _terminating(sets.all)
    if terminating is not None:
        status["terminatingReplicas"] = terminating
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    status["conditions"] = conditions.put(old.get("conditions") or [], _availability(work, available))
    return status


def _terminating(sets: Objects) -> int | None:
    """Pods that are going; unknown (None) while a ReplicaSet that was observed does not tell."""
    total = 0
    for rs in sets:
        status = rs.get("status") or {}
        if "terminatingReplicas" in status:
            total += status["terminatingReplicas"]
        elif status.get("observedGeneration"):
            return None
    return total


def _availability(work: Work, available: int) -> Object:
    needed = sizes.replicas(work.deployment) - sizes.max_unavailable(work.deployment)
    if available >= needed:
        text = "Deployment has minimum availability."
        return condition("Available", "True", "MinimumReplicasAvailable", text, work.clock)
    text = "Deployment does not have minimum availability."
    return condition("Available", "False", "MinimumReplicasUnavailable", text, work.clock)
