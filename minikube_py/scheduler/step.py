"""The scheduler's step: one pod without a node gets one, or the reason why not.

wakes: itself, if its spec or labels change; of the pods that were refused those that a change of a node, of a pod on one, of
a promise of room, of a volume, a claim or a namespace may help (`waiting.Waiting.helped`). Waiting pods should be tried
in the order of `waiting.place_in_line`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Delete, Key, Patch, Record, Remember
from minikube_py.scheduler import messages, preemption, waiting
from minikube_py.scheduler.cache import Cache
from minikube_py.scheduler.cycle import NO_NODES, Decision, decide
from minikube_py.scheduler.plugins import volumes
from minikube_py.scheduler.settings import scheduler_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Outcome, View
    from minikube_py.base.clock import Clock

SELECTED_NODE = "volume.kubernetes.io/selected-node"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"


def step(pod: Object, view: View, clock: Clock) -> Actions:
    """Bind a pod to the best node; or note in its condition PodScheduled why there is none, and make room if it may."""
    if not _waits(pod):
        return
    cache: Cache = view.derived("scheduler", Cache)
    if not cache.is_mine(pod):
        return
    for plugin in cache.profile_of(pod).gates:
        message = plugin.pre_enqueue(pod)
        if message:
            yield from _set_unscheduled(pod, "SchedulingGated", message, clock)
            return
    if not _claims_exist(pod, view):
        return
    decision = decide(pod, cache, clock)
    if preemption.awaits_victims(pod, cache) and decision.node in ("", pod["status"]["nominatedNodeName"]):
        return  # kube-scheduler tries it again when the victims are gone, unless room turns up elsewhere
    if decision.node:
        yield from _place(pod, decision, cache)
    else:
        yield from _refuse(pod, decision, cache, clock)


def _waits(pod: Object) -> bool:
    spec = pod["spec"]
    return not spec.get("nodeName") and not pods.is_terminating(pod) and not pods.is_finished(pod)


def _claims_exist(pod: Object, view: View) -> bool:
    """A pod whose ResourceClaims do not exist yet is not tried at all (plugin DynamicResources)."""
    for entry in pod["spec"].get("resourceClaims") or ():
        name = entry.get("resourceClaimName")
        if name and view.get(Key("resourceclaims.resource.k8s.io", pod["metadata"]["namespace"], name)) is None:
            return False
        if not name and not any(found["name"] == entry["name"] for found in _generated_claims(pod)):
            return False
    return True


def _generated_claims(pod: Object) -> list[Object]:
    return (pod.get("status") or {}).get("resourceClaimStatuses") or []


def _key(pod: Object) -> Key:
    return Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def _place(pod: Object, decision: Decision, cache: Cache) -> Actions:
    if next(volumes.claim_names(pod), None) is not None and (yield from _await_volumes(pod, decision, cache)):
        return
    key = _key(pod)
    if pods.condition(pod, "PodScheduled") is not None and cache.view.memory(waiting.STEP, key):
        yield Remember({})
    outcome = yield Patch(key, {"spec": {"nodeName": decision.node}}, "binding")
    if not isinstance(outcome, Exception):
        message = f"Successfully assigned {key.namespace}/{key.name} to {decision.node}"
        yield Record(pod, "Normal", "Scheduled", message, scheduler_of(pod), action="Binding")


def _await_volumes(pod: Object, decision: Decision, cache: Cache) -> Generator[Action, Outcome, bool]:
    """Ask for the volumes of claims that waited for their first consumer. True: they are not bound yet, so the pod waits,
    its node nominated (volumebinding, PreBind)."""
    node = cache.node(decision.node)
    state = next((state for _, state in decision.template.filters if isinstance(state, volumes.Wanted)), None)
    if state is None or node is None or not state.unbound:
        return False
    for claim, volume in volumes.volumes_for(state, node) or ():
        meta = claim["metadata"]
        if volume is None:
            if (meta.get("annotations") or {}).get(SELECTED_NODE) != node.name:
                key = Key("persistentvolumeclaims", meta["namespace"], meta["name"])
                yield Patch(key, {"metadata": {"annotations": {SELECTED_NODE: node.name}}})
        elif not volume["spec"].get("claimRef"):
            yield Patch(Key("persistentvolumes", "", volume["metadata"]["name"]), _claim_fields(claim))
    if (pod.get("status") or {}).get("nominatedNodeName") != node.name:
        yield Patch(_key(pod), {"status": {"nominatedNodeName": node.name}}, "status")
    return True


def _claim_fields(claim: Object) -> Object:
    """What reserves a volume for a claim; the volume controller does the rest."""
    meta = claim["metadata"]
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
    }
    if "uid" in meta:
        reference["uid"] = meta["uid"]
    return {"metadata": {"annotations": {BOUND_BY_CONTROLLER: "yes"}}, "spec": {"claimRef": reference}}


def _refuse(pod: Object, decision: Decision, cache: Cache, clock: Clock) -> Actions:
    """Tell of the failure and try preemption: at the first attempt, and whenever something has called the pod."""
    key = _key(pod)
    memory = cache.view.memory(waiting.STEP, key)
    if not cache.waiting.is_called(key) and waiting.is_known(pod, memory):
        return
    memory = waiting.new_memory(pod, memory, decision, clock.now_s)
    cache.waiting.tried(key, memory)
    yield Remember(memory)
    count = cache.node_count()
    plan = preemption.Plan()
    if decision.rejected:
        message = NO_NODES if not count else messages.rejected(count, decision.rejected)
    else:
        message = messages.fit_error(decision.refusals)
        preempts = decision.template.profile.preempts
        plan = preemption.plan(pod, decision, cache, clock) if preempts else plan
        if not plan.node:
            message = messages.after_preemption(message, plan.message)
    status: Object = {}
    if plan.node:
        status["nominatedNodeName"] = plan.node
    elif plan.clear and (pod.get("status") or {}).get("nominatedNodeName"):
        status["nominatedNodeName"] = None
    yield from _set_unscheduled(pod, "Unschedulable", message, clock, status)
    if plan.node:
        yield from _make_room(pod, plan, cache, clock)


def _set_unscheduled(pod: Object, reason: str, message: str, clock: Clock, status: Object | None = None) -> Actions:
    """Write the condition PodScheduled, with other fields of the status, and tell of a failure; nothing if it stands."""
    old = pods.condition(pod, "PodScheduled") or {}
    fields = dict(status or {})
    news = (old.get("status"), old.get("reason"), old.get("message")) != ("False", reason, message)
    if news:
        fields["conditions"] = _with_condition(pod, _condition(pod, old, reason, message, clock))
    if fields:
        yield Patch(_key(pod), {"status": fields}, "status")
    if news and reason == "Unschedulable":
        yield Record(pod, "Warning", "FailedScheduling", message, scheduler_of(pod), action="Scheduling")


def _condition(pod: Object, old: Object, reason: str, message: str, clock: Clock) -> Object:
    since = old["lastTransitionTime"] if old.get("status") == "False" else clock.timestamp
    found: Object = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": since}
    if "generation" in pod["metadata"]:
        found["observedGeneration"] = pod["metadata"]["generation"]
    return {**found, "reason": reason, "message": message}


def _with_condition(pod: Object, new: Object) -> list[Object]:
    """The pod's conditions with `new` in the place of the one of its type, or at the end."""
    found = list((pod.get("status") or {}).get("conditions") or ())
    for index, old in enumerate(found):
        if old["type"] == new["type"]:
            found[index] = new
            return found
    return [*found, new]


def _make_room(pod: Object, plan: preemption.Plan, cache: Cache, clock: Clock) -> Actions:
    """Evict the victims, and withdraw the promise of the node from less important pods."""
    uid, name = pod["metadata"].get("uid"), scheduler_of(pod)
    for victim in plan.victims:
        if pods.is_terminating(victim):
            continue
        disrupted: Object = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": clock.timestamp,
            "reason": "PreemptionByScheduler",
            "message": f"{name}: preempting to accommodate a higher priority pod",
        }
        if "generation" in victim["metadata"]:
            disrupted["observedGeneration"] = victim["metadata"]["generation"]
        yield Patch(_key(victim), {"status": {"conditions": _with_condition(victim, disrupted)}}, "status")
        yield Record(
            victim, "Normal", "Preempted", f"Preempted by pod {uid} on node {plan.node}", name, action="Preempting"
        )
        yield Delete(_key(victim), uid=victim["metadata"].get("uid") or "")
    priority = pod["spec"].get("priority") or 0
    for key, other in list(cache.nominated.get(plan.node, {}).items()):
        if key != _key(pod) and (other["spec"].get("priority") or 0) < priority:
            yield Patch(key, {"status": {"nominatedNodeName": None}}, "status")
