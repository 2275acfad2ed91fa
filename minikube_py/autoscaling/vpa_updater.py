"""The updater of the VerticalPodAutoscaler: evicts or resizes pods whose requests are not what is recommended.

`step` runs on verticalpodautoscalers and is woken by the VPA itself, and by its own clock at every full minute, in the
background. It acts for the modes Recreate, Auto (the same) and InPlaceOrRecreate, on pods that
    request less than the lower or more than the upper bound; or were killed for want of memory within ten minutes of their
    start; or are twelve hours old and 10 % away from the target.
Pods that want more come first, then those that are furthest from what they should have. A group (a ReplicaSet, ...) needs two
live pods, and half of its replicas may be on their way at a time, one at least if all run; disruption budgets decide too.
In place, a resize that is deferred for five minutes, under way for an hour or infeasible is given up for an eviction.

Remembered: `ran`, `resizing` (pod: since when a resize was seen under way), `tokens` ([how many, at]) of the rate limit; and
apart (`DEEDS`) the last evictions, refused ones too, and resizes, for `kpy autoscale-report`.
Sources: vertical-pod-autoscaler/pkg/updater/logic/updater.go, restriction/, priority/, inplace/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import vertical
from minikube_py.api.types import Delete, Key, Patch, Record, Remember, Wake
from minikube_py.api.vertical import capping
from minikube_py.api.vertical import targets as owners
from minikube_py.autoscaling import targets, vpa_facts, vpa_flags, vpa_priority
from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.autoscaling.vpa_facts import Facts
    from minikube_py.autoscaling.vpa_flags import Flags
    from minikube_py.base.clock import Clock

NAME, COMPONENT = "vpa-updater", "vpa-updater"
PERIOD_S = 60  # --updater-interval
DEFERRED_S, IN_PROGRESS_S = 300, 3600
EVICTED = "Pod was evicted by VPA Updater to apply resource recommendation."
RESIZED = "Pod was resized in place by VPA Updater."
DEEDS, DEEDS_MAX = "/deeds", 200
APPROVED, DEFERRED, EVICT = "Approved", "Deferred", "Evict"


class Group:
    """The live pods of one controller, and how many of them may be disturbed."""

    def __init__(self, configured: int, live: Objects, flags: Flags, *, below: bool) -> None:
        self.configured = configured
        self.tolerance = int(configured * flags.tolerance)
        self.running = sum(1 for pod in live if _phase(pod) != "Pending")
        self.disturbed = 0  # by this run
        self.below = below  # fewer than are required: may only be resized

    def may_disturb(self) -> bool:
        """5 replicas, tolerance 2, all running: two may go, then it waits. 1 or 2 with tolerance 0 or 1: one at a time."""
        alive = self.running - self.disturbed
        all_there = self.configured == self.running and not self.tolerance and not self.disturbed
        return alive > self.configured - self.tolerance or all_there


class _Run(NamedTuple):
    """One look at a VPA: what the functions below share. `group_of` goes by the pods' names."""

    vpa: Object
    view: View
    clock: Clock
    flags: Flags
    mine: list[Facts]
    facts: vpa_facts.Known
    groups: list[dict[str, Group]]  # none or one: worked out when somebody asks
    resizing: dict[str, int]
    bucket: list[float]
    deeds: Objects

    @property
    def group_of(self) -> dict[str, Group]:
        if not self.groups:
            self.groups.append(_groups(self.vpa, self.mine, self.view, self.flags))
        return self.groups[0]

    def note(self, pod: Object, deed: str, why: str) -> None:
        """Deeds that are refused again and again are told once."""
        told = {"pod": _name(pod), "deed": deed, "why": why}
        if not any({field: value for field, value in one.items() if field != "at_s"} == told for one in self.deeds):
            self.deeds.append({"at_s": self.clock.now_s, **told})


def step(vpa: Object, view: View, clock: Clock) -> Actions:
    mode = vertical.mode(vpa)
    if mode not in vertical.UPDATING:
        return
    now_s, key = clock.now_s, _key(vpa)
    memory = view.memory(NAME, key)
    is_waiting = now_s == memory.get("resume")
    yield Wake(now_s - now_s % PERIOD_S + PERIOD_S, background=True)
    if (now_s % PERIOD_S and not is_waiting) or memory.get("ran") == now_s:
        return
    if not ((vpa.get("status") or {}).get("recommendation") or {}).get("containerRecommendations"):
        return
    flags = vpa_flags.read(view)
    mine = _controlled(vpa, view)
    done = view.memory(NAME + DEEDS, key).get("deeds") or []
    tokens, at_s = memory.get("tokens") or [max(flags.burst, 1), now_s]
    run = _Run(
        vpa,
        view,
        clock,
        flags,
        mine,
        vpa_facts.known(view),
        [],
        {
            name: since
            for name, since in (memory.get("resizing") or {}).items()
            if any(_name(facts.pod) == name for facts in mine)
        },
        [min(max(flags.burst, 1), tokens + max(flags.rate, 0) * (now_s - at_s))],
        list(done),
    )
    resume = yield from (_in_place if mode == "InPlaceOrRecreate" else _recreate)(run)
    if len(run.deeds) > len(done):
        yield Remember({"deeds": run.deeds[-DEEDS_MAX:]}, DEEDS)
    kept: Object = {"ran": now_s, "resizing": run.resizing}
    if flags.rate > 0:
        kept["tokens"] = [run.bucket[0], now_s]
    if resume:
        kept["resume"] = resume
        yield Wake(resume, background=True)
    yield Remember({name: value for name, value in kept.items() if value})


def _controlled(vpa: Object, view: View) -> list[Facts]:
    """The pods that this VPA is in charge of: placed, neither finished nor leaving."""
    namespace = vpa["metadata"]["namespace"]
    try:
        chosen = owners.selector_of(vpa, view)
    except owners.TargetError:
        return []
    rivals = owners.in_charge(namespace, view, vertical.UPDATING)
    known: dict[object, bool] = {}  # pods of one controller are alike
    facts_of = vpa_facts.known(view).of
    mine = []
    for pod in targets.pods_of(namespace, chosen, view):
        facts = facts_of(pod)
        if not facts.is_placed:
            continue
        is_mine = known.get(facts.alike)
        if is_mine is None:
            found = owners.controlling(pod, rivals, view)
            is_mine = known[facts.alike] = found is not None and found["metadata"]["name"] == vpa["metadata"]["name"]
        if is_mine:
            mine.append(facts)
    return mine


def _groups(vpa: Object, mine: list[Facts], view: View, flags: Flags) -> dict[str, Group]:
    """The groups of pods by their direct controllers; pods of too small ones, and without one, have none."""
    live: dict[tuple[str, str], Objects] = {}
    for facts in mine:
        owner = facts.controller
        if owner is not None:
            live.setdefault((owner.kind, owner.name), []).append(facts.pod)
    policy = vpa["spec"].get("updatePolicy") or {}
    required = policy.get("minReplicas", flags.min_replicas)
    may_skip = flags.skip_budget and vertical.mode(vpa) == "InPlaceOrRecreate"
    found = {}
    for (kind, name), pods in live.items():
        if len(pods) < required and not may_skip:
            continue
        configured = _configured(kind, name, vpa["metadata"]["namespace"], len(pods), view)
        if configured is None:
            continue
        group = Group(configured, pods, flags, below=len(pods) < required)
        found.update({_name(pod): group for pod in pods})
    return found


def _configured(kind: str, name: str, namespace: str, actual: int, view: View) -> int | None:
    """How many replicas a controller is told to have; None: that cannot be said, and its pods are left alone."""
    if kind == "Job":
        return actual
    if kind not in owners.KNOWN or kind in ("Deployment", "CronJob"):
        return 0
    found = view.get(Key(owners.KNOWN[kind], namespace, name))
    if found is None:
        return None
    if kind == "DaemonSet":
        return (found.get("status") or {}).get("numberReady") or None
    return found["spec"].get("replicas") or None


# --- evictions ---------------------------------------------------------------------------------------------------------


def _recreate(run: _Run) -> Generator[Action, Outcome, int]:
    if not any(facts.resize for facts in run.mine) and not _in_order(run, run.mine):
        return 0  # as nearly always: nobody needs to know of groups
    may_go = [facts for facts in run.mine if _may_evict(run, facts.pod)]
    return (yield from _evict(run, _in_order(run, may_go)))


def _in_order(run: _Run, pods: list[Facts]) -> Objects:
    return vpa_priority.in_order(run.vpa, pods, run.view, run.clock, run.flags)


def _may_evict(run: _Run, pod: Object) -> bool:
    group = run.group_of.get(_name(pod))
    if group is None:
        return False
    if _phase(pod) == "Pending":
        return True
    if group.below:
        return False
    return _has_stalled(run, pod, group) if _resize(run, pod) is not None else group.may_disturb()


def _evict(run: _Run, pods: Objects) -> Generator[Action, Outcome, int]:
    """Evict as many as may go, in order. Gives when to go on if the rate limit made it stop, else 0."""
    for pod in pods:
        if not _may_evict(run, pod):
            continue
        wait_s = _wait_s(run)
        if wait_s:
            return run.clock.now_s + wait_s
        name = _name(pod)
        outcome = yield Delete(Key("pods", pod["metadata"]["namespace"], name), evict=True)
        if isinstance(outcome, KpyError):
            run.note(pod, "eviction refused", str(outcome))
            continue
        run.note(pod, "evicted", _why(run, pod))
        yield Record(pod, "Normal", "EvictedByVPA", EVICTED, COMPONENT)
        text = f"VPA Updater evicted Pod {name} to apply resource recommendation."
        yield Record(run.vpa, "Normal", "EvictedPod", text, COMPONENT)
        if _phase(pod) != "Pending":
            run.group_of[name].disturbed += 1
    return 0


def _wait_s(run: _Run) -> int:
    """Take a token of the rate limit; else the seconds until there is one."""
    if run.flags.rate <= 0:
        return 0
    if run.bucket[0] >= 1:
        run.bucket[0] -= 1
        return 0
    return max(1, int(-(-(1 - run.bucket[0]) // run.flags.rate)))


# --- in place ----------------------------------------------------------------------------------------------------------


def _in_place(run: _Run) -> Generator[Action, Outcome, int]:
    """Resize what can be resized, and evict what cannot."""
    to_evict: Objects = []
    for pod in _in_order(run, [facts for facts in run.mine if _decision(run, facts.pod) != DEFERRED]):
        decision = _decision(run, pod)
        if decision == EVICT:
            to_evict.append(pod)
        elif decision == APPROVED:
            wait_s = _wait_s(run)
            if wait_s:
                return run.clock.now_s + wait_s
            resized = yield from _resize_pod(run, pod)
            if not resized:
                to_evict.append(pod)
    return (yield from _evict(run, to_evict))


def _decision(run: _Run, pod: Object) -> str:
    group = run.group_of.get(_name(pod))
    if group is None or _phase(pod) == "Pending":
        return DEFERRED
    if _resize(run, pod) is not None:
        return EVICT if _has_stalled(run, pod, group) else DEFERRED
    if run.flags.skip_budget and not _wants_restart(pod):
        return APPROVED
    return APPROVED if group.may_disturb() else DEFERRED


def _wants_restart(pod: Object) -> bool:
    return any(
        one.get("restartPolicy") == "RestartContainer"
        for container in pod["spec"]["containers"]
        for one in container.get("resizePolicy") or ()
    )


def _resize(run: _Run, pod: Object) -> Object | None:
    """The condition that says that a resize is pending or under way."""
    return run.facts.of(pod).resize


def _has_stalled(run: _Run, pod: Object, group: Group) -> bool:
    """Whether a resize has come to nothing, so that the pod is evicted after all."""
    told = _resize(run, pod)
    if told is None:
        return False
    since_s = run.resizing.setdefault(_name(pod), run.clock.now_s)
    if not group.may_disturb():
        return False
    elapsed_s, reason = run.clock.now_s - since_s, told.get("reason", "")
    if told["type"] == "PodResizePending":
        return elapsed_s > DEFERRED_S if reason == "Deferred" else True
    return elapsed_s > IN_PROGRESS_S if not reason and not told.get("message") else True


def _resize_pod(run: _Run, pod: Object) -> Generator[Action, Outcome, bool]:
    """Ask for a pod's recommended resources through its resize subresource. Gives whether that was accepted."""
    given = capping.for_pod(run.vpa, pod, run.view)
    containers: list[Any] = []
    for container, one in zip(pod["spec"]["containers"], given, strict=True):
        resources = dict(container.get("resources") or {})
        for field, amounts in (("requests", one.requests), ("limits", one.limits)):
            if amounts:
                resources[field] = dict(sorted({**(resources.get(field) or {}), **amounts}.items()))
        containers.append({**container, "resources": resources})
    if containers == pod["spec"]["containers"]:
        return False
    meta = pod["metadata"]
    key = Key("pods", meta["namespace"], meta["name"])
    outcome = yield Patch(key, {"spec": {"containers": containers}}, "resize")
    if isinstance(outcome, KpyError):
        run.note(pod, "resize refused", str(outcome))
        return False
    run.note(pod, "resized", _why(run, pod))
    yield Patch(key, {"metadata": {"annotations": {vertical.IN_PLACE_UPDATED: "true"}}})
    yield Record(pod, "Normal", "InPlaceResizedByVPA", RESIZED, COMPONENT)
    run.group_of[meta["name"]].disturbed += 1
    return True


def _why(run: _Run, pod: Object) -> str:
    """'outside the bounds, wants more, 1.25 from the target'"""
    found = vpa_priority.priority(pod, capping.apply(run.vpa, pod, run.view)[0])
    words = ["outside the bounds"] if found.outside else []
    words += ["wants more"] if found.grows else ["wants less"]
    return ", ".join([*words, f"{found.distance:.3g} from the target"])


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])


def _key(vpa: Object) -> Key:
    return Key(vertical.RESOURCE, vpa["metadata"]["namespace"], vpa["metadata"]["name"])
