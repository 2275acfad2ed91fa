"""The DaemonSet controller: one pod on every node that its template may run on.

`step` runs on daemonsets.apps and is woken by: the DaemonSet itself; its pods and ControllerRevisions; pods without a
controller that its selector matches; nodes created, deleted, or changed in labels or taints. Its wake: when a ready pod
becomes available (minReadySeconds), or the back-off of a node whose pods fail ends.

A pod is made for a node by pinning it there with a node affinity; the scheduler binds it. DaemonSet pods tolerate the taints
of nodes that are not ready, under pressure or cordoned.
Source: k8s.io/kubernetes/pkg/controller/daemon/daemon_controller.go, update.go, util/daemonset_util.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from minikube_py.api import pods
from minikube_py.api.types import Create, Delete, Patch, Record, Remember, Wake
from minikube_py.base import patch, selector
from minikube_py.base.clock import seconds
from minikube_py.base.errors import KpyError, NotFound
from minikube_py.controllers import history, ownership, placement, retry, taints
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

    Backoffs: TypeAlias = dict[str, list[int]]

STEP, RESOURCE, COMPONENT = "daemonset", "daemonsets.apps", "daemonset-controller"
BURST = 250
BACKOFF_S_MAX = 15 * 60
GENERATION_LABEL, GENERATION = "pod-template-generation", "deprecated.daemonset.template.generation"
_TOLERATED = (
    (taints.NOT_READY, taints.NO_EXECUTE),
    (taints.UNREACHABLE, taints.NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", taints.NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", taints.NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", taints.NO_SCHEDULE),
    (taints.UNSCHEDULABLE, taints.NO_SCHEDULE),
)


class _Work(NamedTuple):
    """One sync: the nodes it should and may stay on, and the pods by node, oldest first."""

    owner: Object
    spec: Object  # the template's pod spec with the tolerations of daemons
    hash: str
    nodes: Objects
    by_node: dict[str, Objects]
    clock: Clock

    @property
    def min_ready_s(self) -> int:
        return int(self.owner["spec"].get("minReadySeconds", 0))

    def is_available(self, pod: Object) -> bool:
        return pods.is_available(pod, self.min_ready_s, self.clock.now_s)

    def is_updated(self, pod: Object) -> bool:
        return (pod["metadata"].get("labels") or {}).get(history.HASH_LABEL) == self.hash

    def on(self, node: Object) -> Objects:
        return self.by_node.get(node["metadata"]["name"], [])

    def should_run(self, node: Object) -> bool:
        return placement.wants(self.spec, node) and self._tolerates(node, taints.NO_SCHEDULE, taints.NO_EXECUTE)

    def may_stay(self, node: Object) -> bool:
        return placement.wants(self.spec, node) and self._tolerates(node, taints.NO_EXECUTE)

    def _tolerates(self, node: Object, *effects: str) -> bool:
        return all(
            any(taints.tolerates(one, taint) for one in self.spec["tolerations"])
            for taint in taints.of(node)
            if taint["effect"] in effects
        )


def step(owner: Object, view: View, clock: Clock) -> Actions:
    key = ownership.key_of(RESOURCE, owner)
    wanted = owner["spec"].get("selector") or {}
    if not wanted or is_deleting(owner):
        return
    reference = ownership.reference_to(owner, "apps/v1", "DaemonSet")
    found = ownership.candidates(owner, wanted.get("matchLabels"), view)
    mine = yield from ownership.claim(owner, reference, found, selector.from_label_selector(wanted), "pods")

    past, old = history.revisions(owner, view), owner.get("status") or {}
    revision, collisions = yield from history.current(owner, reference, past, old.get("collisionCount", 0))
    if revision is None:
        yield from retry.again(STEP, key, owner, view, clock)
        return
    spec = _with_tolerations(owner["spec"]["template"]["spec"])
    work = _Work(owner, spec, history.hash_of(revision), view.list("nodes"), _by_node(mine), clock)

    create, doomed = _plan(work)
    if (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate":
        more, less = _rolling(work)
        create += [node for node in more if node not in create]
        doomed += [pod for pod in less if pod not in doomed]
    known = view.memory(STEP, key)
    doomed, failed, again_s = _limited(doomed, known.get("failed") or {}, clock.now_s)
    held = retry.held(STEP, key, owner, view, clock) if create else None
    failure, made = yield from _create(work, [] if held else create[:BURST], reference)
    there = {placement.pinned_to(pod) for pod in view.owned(owner["metadata"]["uid"], "pods")} if failure else set()
    missing = [node for node in create[:BURST] if node not in there]
    for _ in range(retry.further_tries(STEP, key, view) if failure else 0):
        failure, _ = yield from _create(work, missing[:1], reference)
    failure = (yield from _delete(work, doomed[:BURST])) or failure
    if made:
        work = work._replace(by_node=_by_node([*mine, *made]))
    fields = patch.diff(old, _status(work, collisions))
    if fields:
        yield Patch(key, {"status": fields}, "status")
    labelled = {(pod["metadata"].get("labels") or {}).get(history.HASH_LABEL) for pod in mine}
    in_use = [one["metadata"]["name"] for one in past if history.hash_of(one) in {*labelled, work.hash}]
    yield from history.truncate(owner, past, in_use)
    kept = {name: value for name, value in known.items() if name != "failed"}
    for action in retry.after(STEP, key, owner, view, clock, waiting=held, refused=failure):
        if isinstance(action, Remember):
            kept = action.data
        else:
            yield action
    kept = {**kept, "failed": failed} if failed else kept
    if kept != known:
        yield Remember(kept)
    due = [
        seconds(ready["lastTransitionTime"]) + work.min_ready_s
        for pod in mine
        if (ready := pods.condition(pod, "Ready")) is not None and ready["status"] == "True"
    ]
    later = [at_s for at_s in (*due, *again_s) if at_s > clock.now_s]
    if later:
        yield Wake(min(later))


def _limited(doomed: Objects, known: Backoffs, now_s: int) -> tuple[Objects, Backoffs, list[int]]:
    """Failed pods are removed with a back-off for each node: 1 s, 2 s, 4 s, ..., 15 min. `known`: node -> [when one was
    removed last, the back-off since then]. Returns what may be deleted now, the back-offs, and when they end.

    Pods of n0 fail whenever they start, at 0 s, 1 s and 3 s: removed at 0 s (then 1 s), at 1 s (then 2 s), at 3 s (then 4 s).
    Source: daemon_controller.go (failedPodsBackoff), k8s.io/client-go/util/flowcontrol/backoff.go.
    """
    backoffs = {node: known[node] for node in sorted(known) if now_s - known[node][0] <= 2 * BACKOFF_S_MAX}
    due: list[int] = []
    may: Objects = []
    for pod in doomed:
        node = placement.pinned_to(pod)
        if (pod.get("status") or {}).get("phase") == "Failed":
            since_s, delay_s = backoffs.get(node, (0, 0))
            if now_s < since_s + delay_s:
                due.append(since_s + delay_s)
                continue
            backoffs[node] = [now_s, min(2 * delay_s, BACKOFF_S_MAX) or 1]
        may.append(pod)
    return may, backoffs, due


def _by_node(found: Objects) -> dict[str, Objects]:
    """The pods by the node that they are for, oldest first. One that has ended and is being deleted is nobody's business any
    more, though it may be there for a while."""
    by_node: dict[str, Objects] = {}
    there = [pod for pod in found if not (is_deleting(pod) and pods.is_finished(pod))]
    for pod in sorted(there, key=lambda one: (one["metadata"].get("creationTimestamp", ""), one["metadata"]["name"])):
        by_node.setdefault(placement.pinned_to(pod), []).append(pod)
    return by_node


def _with_tolerations(spec: Object) -> Object:
    """The pod spec with what every daemon tolerates."""
    own = [*(spec.get("tolerations") or ())]
    wanted = [*_TOLERATED]
    if spec.get("hostNetwork"):
        wanted.append(("node.kubernetes.io/network-unavailable", taints.NO_SCHEDULE))
    added = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in wanted]
    return {**spec, "tolerations": [*own, *(one for one in added if one not in own)]}


# --- which pods --------------------------------------------------------------------------------------------------------


def _plan(work: _Work) -> tuple[list[str], Objects]:
    """(nodes that need a pod, pods that have to go), updates aside."""
    create: list[str] = []
    doomed: Objects = []
    for node in work.nodes:
        there = work.on(node)
        if work.should_run(node) and not there:
            create.append(node["metadata"]["name"])
        elif not work.may_stay(node):
            doomed += [pod for pod in there if not is_deleting(pod)]
        else:
            finished = [pod for pod in there if pods.is_finished(pod) and not is_deleting(pod)]
            running = [pod for pod in there if not pods.is_finished(pod) and not is_deleting(pod)]
            doomed += finished
            if _surge(work) == 0:
                doomed += running[1:]  # the oldest one stays
    return create, doomed


def _rolling(work: _Work) -> tuple[list[str], Objects]:
    """(nodes for a new pod beside the old one, old pods to delete) of a rolling update."""
    surge = _surge(work)
    return _surging(work, surge) if surge else ([], _replacing(work))


def _limits(work: _Work) -> Object:
    return (work.owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}


def _surge(work: _Work) -> int:
    return _share(_limits(work).get("maxSurge", 0), work)


def _share(value: int | str, work: _Work) -> int:
    """A number, or a percentage of the wanted pods rounded up: 25% of 5 is 2."""
    if isinstance(value, int):
        return value
    desired = sum(1 for node in work.nodes if work.should_run(node))
    return -(-int(value.rstrip("%")) * desired // 100)


def _split(work: _Work, node: Object) -> tuple[Object | None, Object | None]:
    """(new pod, old pod) of a node, those that are going left out."""
    staying = [pod for pod in work.on(node) if not is_deleting(pod)]
    new = next((pod for pod in staying if work.is_updated(pod)), None)
    return new, next((pod for pod in staying if not work.is_updated(pod)), None)


def _replacing(work: _Work) -> Objects:
    """Old pods that may be deleted: those that are not available anyway, and others up to maxUnavailable.

    5 nodes, maxUnavailable 2, one new pod not available yet: one more old pod may go.
    """
    surge_free = _share(_limits(work).get("maxUnavailable", 1), work)
    room = surge_free or 1
    broken: Objects = []
    healthy: Objects = []
    for node in work.nodes:
        if not work.should_run(node):
            continue
        new, old = _split(work, node)
        if old is not None and new is None:
            (healthy if work.is_available(old) else broken).append(old)
            room -= 0 if work.is_available(old) else 1
        elif new is None or not work.is_available(new):
            room -= 1
    return [*broken, *healthy[: max(0, room)]]


def _surging(work: _Work, surge: int) -> tuple[list[str], Objects]:
    """New pods beside old ones on up to `surge` nodes; an old pod goes when the new one is available, or if it is broken."""
    create: list[str] = []
    doomed: Objects = []
    under_way = 0
    waiting: list[str] = []
    for node in work.nodes:
        new, old = _split(work, node)
        if old is None or not work.should_run(node):
            continue
        if new is None:
            if work.is_available(old):
                waiting.append(node["metadata"]["name"])
            else:
                create.append(node["metadata"]["name"])
        elif work.is_available(new):
            doomed.append(old)
        else:
            under_way += 1
    return [*create, *waiting[: max(0, surge - under_way)]], doomed


# --- writes ------------------------------------------------------------------------------------------------------------


def _create(work: _Work, nodes: list[str], reference: Object) -> Generator[Action, Outcome, tuple[bool, Objects]]:
    """Make pods in batches of 1, 2, 4, ...; a batch with a refusal is the last one. Returns whether one was refused, and the
    pods that the status counts already: those of the last batch are not seen yet when it is written.

    Five nodes: batches of 1, 2 and 2, the first status counts 3.
    """
    made: Objects = []
    start, size, failed = 0, 1, False
    while start < len(nodes) and not failed:
        seen = len(made)
        for node in nodes[start : start + size]:
            outcome = yield Create(_pod(work, node, reference))
            if retry.namespace_goes(outcome):
                return False, made
            if isinstance(outcome, KpyError):
                failed = True
                yield Record(work.owner, "Warning", "FailedCreate", f"Error creating: {outcome}", COMPONENT)
            elif outcome is not None:
                made.append(outcome)
                text = f"Created pod: {outcome['metadata']['name']}"
                yield Record(work.owner, "Normal", "SuccessfulCreate", text, COMPONENT)
        start, size = start + size, 2 * size
    return failed, made[:seen] if nodes else []


def _delete(work: _Work, doomed: Objects) -> Generator[Action, Outcome, bool]:
    """Returns whether a write was refused."""
    failed = False
    for pod in doomed:
        meta, phase = pod["metadata"], (pod.get("status") or {}).get("phase")
        if phase in ("Failed", "Succeeded"):
            where = f"{meta['namespace']}/{meta['name']} on node {placement.pinned_to(pod)}"
            kind, reason, what = ("Warning", "FailedDaemonPod", "failed")
            if phase == "Succeeded":
                kind, reason, what = ("Normal", "SucceededDaemonPod", "succeeded")
            text = f"Found {what} daemon pod {where}, will try to {'kill' if what == 'failed' else 'delete'} it"
            yield Record(work.owner, kind, reason, text, COMPONENT)
        outcome = yield Delete(ownership.key_of("pods", pod), uid=meta["uid"])
        if not isinstance(outcome, KpyError):
            yield Record(work.owner, "Normal", "SuccessfulDelete", f"Deleted pod: {meta['name']}", COMPONENT)
        elif not isinstance(outcome, NotFound):
            failed = True
            yield Record(work.owner, "Warning", "FailedDelete", f"Error deleting: {outcome}", COMPONENT)
    return failed


def _pod(work: _Work, node: str, reference: Object) -> Object:
    meta, described = work.owner["metadata"], work.owner["spec"]["template"].get("metadata") or {}
    generation = (meta.get("annotations") or {}).get(GENERATION, str(meta.get("generation", 1)))
    labels = {**(described.get("labels") or {}), history.HASH_LABEL: work.hash, GENERATION_LABEL: generation}
    own: Object = {"generateName": f"{meta['name']}-", "namespace": meta["namespace"], "labels": labels}
    if described.get("annotations"):
        own["annotations"] = described["annotations"]
    own["ownerReferences"] = [reference]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": placement.pinned(work.spec, node)}


def _status(work: _Work, collisions: int) -> Object:
    """Counts by node: its oldest pod stands for it. Counts of zero are left out but for the four that are required."""
    desired = scheduled = misscheduled = ready = available = updated = 0
    for node in work.nodes:
        there = work.on(node)
        if not work.should_run(node):
            misscheduled += 1 if there else 0
            continue
        desired += 1
        if there:
            scheduled += 1
            pod = there[0]
            ready += pods.is_ready(pod)
            available += work.is_available(pod)
            updated += work.is_updated(pod)
    required = {
        "currentNumberScheduled": scheduled,
        "numberMisscheduled": misscheduled,
        "desiredNumberScheduled": desired,
        "numberReady": ready,
        "observedGeneration": work.owner["metadata"].get("generation", 0),
    }
    optional = {
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberUnavailable": desired - available,
        "collisionCount": collisions,
    }
    return {**required, **{name: count for name, count in optional.items() if count}}
