"""The scheduler's step: one pod without a node gets one, or the reason why not.

wakes: itself, if its spec or labels change; of the pods that were refused those that a change of a node, of a pod on one, of
a promise of room, of a volume, a claim or a namespace may help (`waiting.Waiting.helped`). Waiting pods should be tried
in the order of `waiting.place_in_line`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Key, Patch, Record, Remember
from minikube_py.scheduler import messages, waiting
from minikube_py.scheduler.cache import Cache
from minikube_py.scheduler.cycle import NO_NODES, Decision, decide
from minikube_py.scheduler.framework import Plan
from minikube_py.scheduler.plugins.default_preemption import awaits_victims
from minikube_py.scheduler.settings import scheduler_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Outcome, View
    from minikube_py.base.clock import Clock


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
    if awaits_victims(pod, cache) and decision.node in ("", pod["status"]["nominatedNodeName"]):
        return  # kube-scheduler tries it again when the victims are gone, unless room turns up elsewhere
    if decision.node:
        yield from _place(pod, decision, cache, clock)
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


def _place(pod: Object, decision: Decision, cache: Cache, clock: Clock) -> Actions:
    """Reserve, PreBind and Bind (pkg/scheduler/schedule_one.go bindingCycle)."""
    template = decision.template
    if template.reserving and (yield from _await_reserved(pod, decision, cache)):
        return
    key = _key(pod)
    if pods.condition(pod, "PodScheduled") is not None and cache.view.memory(waiting.STEP, key):
        yield Remember({})
    binder = template.profile.binds[0]
    failure = yield from binder.bind(pod, decision.node)
    if failure:
        message = f'running Bind plugin "{binder.name}": {failure}'
        yield from _set_unscheduled(pod, "SchedulerError", message, clock)


def _await_reserved(pod: Object, decision: Decision, cache: Cache) -> Generator[Action, Outcome, bool]:
    """Ask for what the plugins reserve on the node. True: it is not there yet, so the pod waits, its node nominated."""
    template, node = decision.template, cache.node(decision.node)
    if node is None:
        return False
    reserved = [(plugin, plugin.reserve(state, node)) for plugin, state in template.reserving]
    awaits = False
    for plugin, value in reserved:
        if value is not None and plugin in template.profile.pre_binds:
            awaits = (yield from plugin.pre_bind(pod, value, node)) or awaits
    if awaits and (pod.get("status") or {}).get("nominatedNodeName") != node.name:
        yield Patch(_key(pod), {"status": {"nominatedNodeName": node.name}}, "status")
    return awaits


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
    plan = Plan()
    if decision.rejected:
        message = NO_NODES if not count else messages.rejected(count, decision.rejected)
    else:
        message = messages.fit_error(decision.refusals)
        for plugin in decision.template.profile.post_filters:
            plan = plugin.post_filter(pod, decision, cache, clock)
            if plan.node:
                break
        if not plan.node:
            message = messages.after_preemption(message, plan.message)
    status: Object = {}
    if plan.node:
        status["nominatedNodeName"] = plan.node
    elif plan.clear and (pod.get("status") or {}).get("nominatedNodeName"):
        status["nominatedNodeName"] = None
    yield from _set_unscheduled(pod, "Unschedulable", message, clock, status)
    yield from plan.prepare


def _set_unscheduled(pod: Object, reason: str, message: str, clock: Clock, status: Object | None = None) -> Actions:
    """Write the condition PodScheduled, with other fields of the status, and tell of a failure; nothing if it stands."""
    old = pods.condition(pod, "PodScheduled") or {}
    fields = dict(status or {})
    news = (old.get("status"), old.get("reason"), old.get("message")) != ("False", reason, message)
    if news:
        fields["conditions"] = messages.with_condition(pod, _condition(pod, old, reason, message, clock))
    if fields:
        yield Patch(_key(pod), {"status": fields}, "status")
    if news and reason != "SchedulingGated":
        yield Record(pod, "Warning", "FailedScheduling", message, scheduler_of(pod), action="Scheduling")


def _condition(pod: Object, old: Object, reason: str, message: str, clock: Clock) -> Object:
    since = old["lastTransitionTime"] if old.get("status") == "False" else clock.timestamp
    found: Object = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": since}
    if "generation" in pod["metadata"]:
        found["observedGeneration"] = pod["metadata"]["generation"]
    return {**found, "reason": reason, "message": message}
