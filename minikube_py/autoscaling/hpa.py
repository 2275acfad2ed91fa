"""The HorizontalPodAutoscaler controller.

`step` runs on horizontalpodautoscalers.autoscaling and is woken by the HPA itself, and by its own clock: the first sync is 15
seconds after the HPA was seen, then one every 15 seconds, in the background: a cluster with an HPA can be settled, and time
has to be let pass (`kpy reconcile --for 5m`).

What the controller holds in its memory is remembered: `next_s` (the next sync), `selector` (what it last knew of its pods,
for two HPAs that choose the same), `recommendations`, `ups` and `downs` (see `behavior`), and apart (`DECISIONS`) the
`decisions`, the last syncs that changed or held back something, for `kpy autoscale-report`.
Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Key, Patch, Record, Remember, Wake
from minikube_py.autoscaling import behavior, metric_specs, targets
from minikube_py.autoscaling.metric_specs import Proposal, Refusal, Target
from minikube_py.autoscaling.replica_calculator import Settings, Tolerance
from minikube_py.base import patch, quantity, selector
from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.autoscaling.behavior import Past
    from minikube_py.autoscaling.samples import Metrics
    from minikube_py.autoscaling.targets import Scale
    from minikube_py.base.clock import Clock
    from minikube_py.base.selector import Selector

NAME, RESOURCE, COMPONENT = (
    "horizontalpodautoscaler",
    "horizontalpodautoscalers.autoscaling",
    "horizontal-pod-autoscaler",
)
DEFAULTS = Settings()
DECISIONS, DECISIONS_MAX = "/decisions", 200
_DISABLED = "scaling is disabled since the replica count of the target is zero"
_GOT_SCALE = "the HPA controller was able to get the target's current scale"


def step(hpa: Object, view: View, clock: Clock) -> Actions:
    from minikube_py.autoscaling.metrics import Measured

    memory = view.memory(NAME, _key(hpa))
    next_s = memory.get("next_s")
    if next_s is None or clock.now_s < next_s:
        if next_s is None:
            next_s = clock.now_s + DEFAULTS.sync_period_s
            yield Remember({"next_s": next_s})
        yield Wake(next_s, background=True)
        return
    told = view.memory(NAME + DECISIONS, _key(hpa))
    kept = yield from sync(hpa, view, clock, {**memory, **told}, Measured(view, clock), DEFAULTS)
    next_s = clock.now_s + DEFAULTS.sync_period_s
    decisions = kept.pop("decisions", None)
    if decisions and decisions is not told.get("decisions"):
        yield Remember({"decisions": decisions}, DECISIONS)
    yield Remember({**kept, "next_s": next_s})
    yield Wake(next_s, background=True)


def sync(
    hpa: Object, view: View, clock: Clock, memory: Object, metrics: Metrics, settings: Settings
) -> Generator[Action, Outcome, Object]:
    """One look of the controller at an HPA; gives what it remembers."""
    status = _Status(hpa, clock)
    namespace, spec = hpa["metadata"]["namespace"], hpa["spec"]
    scale = targets.find(spec["scaleTargetRef"], namespace, view)
    if isinstance(scale, str):
        yield Record(hpa, "Warning", "FailedGetScale", scale, COMPONENT)
        problem = f"the HPA controller was unable to get the target's current scale: {scale}"
        status.put("AbleToScale", False, "FailedGetScale", problem)
        yield from status.write()
        return memory
    status.put("AbleToScale", True, "SucceededGetScale", _GOT_SCALE)
    started = [scale.replicas, clock.now_s]
    memory = {**memory, "recommendations": memory.get("recommendations") or [started]}
    minimum = spec.get("minReplicas", 1)
    if scale.replicas == 0 and minimum != 0:
        status.put("ScalingActive", False, "ScalingDisabled", _DISABLED)
        status.count(0, 0, None)
    elif scale.replicas > spec["maxReplicas"]:
        reason = "Current number of replicas above Spec.MaxReplicas"
        memory = yield from _rescale(hpa, scale, spec["maxReplicas"], reason, status, memory, None, clock)
    elif scale.replicas < minimum:
        reason = "Current number of replicas below Spec.MinReplicas"
        memory = yield from _rescale(hpa, scale, minimum, reason, status, memory, None, clock)
    else:
        memory = yield from _by_metrics(hpa, scale, minimum, view, clock, memory, metrics, settings, status)
    yield from status.write()
    return memory


class _Status:
    """The status of an HPA as it comes to be in one sync."""

    def __init__(self, hpa: Object, clock: Clock) -> None:
        self.hpa, self.clock = hpa, clock
        self.old: Object = hpa.get("status") or {}
        self.conditions: Objects = list(self.old.get("conditions") or ())
        self.new: Object = dict(self.old)

    def put(self, kind: str, is_true: bool, reason: str, message: str) -> None:
        """Set a condition in its place; the time of its transition only changes along with its status."""
        state = "True" if is_true else "False"
        new = {
            "type": kind,
            "status": state,
            "lastTransitionTime": self.clock.timestamp,
            "reason": reason,
            "message": message,
        }
        for index, old in enumerate(self.conditions):
            if old["type"] == kind:
                if old["status"] == state:
                    new["lastTransitionTime"] = old["lastTransitionTime"]
                self.conditions[index] = new
                return
        self.conditions.append(new)

    def count(self, current: int, desired: int | None, metrics: Objects | None, *, scaled: bool = False) -> None:
        """`desired` None keeps what stood there."""
        desired = self.old.get("desiredReplicas", 0) if desired is None else desired
        fields = {"currentReplicas": current or None, "desiredReplicas": desired, "currentMetrics": metrics}
        if scaled:
            fields["lastScaleTime"] = self.clock.timestamp
        self.new = patch.merge(self.old, fields)

    def write(self) -> Actions:
        fields = patch.diff(self.old, {**self.new, "conditions": self.conditions})
        if fields:
            yield Patch(_key(self.hpa), {"status": fields}, "status")


# --- the metrics -------------------------------------------------------------------------------------------------------


class _Found(NamedTuple):
    """What all metrics together ask for. `problem`: set where some could not be had; `replicas` None where no scaling
    follows."""

    replicas: int | None
    name: str
    statuses: Objects | None
    proposals: list[Proposal | Refusal]
    problem: str


def _by_metrics(
    hpa: Object,
    scale: Scale,
    minimum: int,
    view: View,
    clock: Clock,
    memory: Object,
    metrics: Metrics,
    settings: Settings,
    status: _Status,
) -> Generator[Action, Outcome, Object]:
    memory = {**memory, "selector": scale.selector}
    found = yield from _ask(hpa, scale, view, clock, metrics, settings, status)
    if found.replicas is None:
        status.count(scale.replicas, None, found.statuses)
        yield Record(hpa, "Warning", "FailedComputeMetricsReplicas", found.problem, COMPONENT)
        return memory
    reason = ""
    if found.replicas > scale.replicas:
        reason = f"{found.name} above target"
    elif found.replicas < scale.replicas:
        reason = "All metrics below target"
    bounds = behavior.Bounds(scale.replicas, minimum, hpa["spec"]["maxReplicas"])
    decided = behavior.decide(
        found.replicas,
        bounds,
        hpa["spec"].get("behavior"),
        _past(memory),
        clock.now_s,
        settings.downscale_stabilization_s,
    )
    status.put("AbleToScale", True, *decided.able)
    status.put("ScalingLimited", decided.is_limited, *decided.limited)
    memory = {**memory, "recommendations": decided.recommendations}
    memory = _noted(memory, found, scale, decided, clock)
    if decided.replicas == scale.replicas:
        status.count(scale.replicas, scale.replicas, found.statuses)
        return memory
    return (yield from _rescale(hpa, scale, decided.replicas, reason, status, memory, found.statuses, clock))


def _ask(
    hpa: Object, scale: Scale, view: View, clock: Clock, metrics: Metrics, settings: Settings, status: _Status
) -> Generator[Action, Outcome, _Found]:
    """Every metric in turn; the largest count wins. One that fails forbids to scale down."""
    namespace, specs = hpa["metadata"]["namespace"], hpa["spec"].get("metrics") or []
    if not scale.selector:
        status.put("ScalingActive", False, "InvalidSelector", "the HPA target's scale is missing a selector")
        yield Record(hpa, "Warning", "SelectorRequired", "selector is required", COMPONENT)
        return _Found(None, "", None, [], "selector is required")
    chosen = selector.parse(scale.selector)
    pods = targets.pods_of(namespace, chosen, view)
    rivals = _rivals(hpa, chosen, pods, view)
    if rivals:
        text = f"pods by selector {scale.selector} are controlled by multiple HPAs: [{' '.join(rivals)}]"
        yield Record(hpa, "Warning", "AmbiguousSelector", text, COMPONENT)
        status.put("ScalingActive", False, "AmbiguousSelector", text)
        return _Found(None, "", None, [], text)
    tolerance = _tolerance(hpa, settings)
    target = Target(namespace, chosen, pods, scale.replicas, scale.status_replicas, tolerance, clock.now_s, settings)
    proposals = [metric_specs.evaluate(spec, target, metrics) for spec in specs]
    statuses = [one.status if isinstance(one, Proposal) else {"type": ""} for one in proposals]
    refused = [one for one in proposals if isinstance(one, Refusal)]
    for one in refused:
        yield Record(hpa, "Warning", one.reason, one.text, COMPONENT)
    best: Proposal | None = None
    for proposal in proposals:
        if isinstance(proposal, Proposal) and (best is None or proposal.asked.replicas > best.asked.replicas):
            best = proposal
    problem = ""
    if refused:
        problem = f"invalid metrics ({len(refused)} invalid out of {len(specs)}), first error is: {refused[0].long}"
    if best is None or (refused and best.asked.replicas < scale.replicas):
        first = refused[0]
        status.put(
            "ScalingActive", False, first.reason, f"the HPA was unable to compute the replica count: {first.text}"
        )
        return _Found(None, "", statuses, proposals, problem)
    text = f"the HPA was able to successfully calculate a replica count from {best.name}"
    status.put("ScalingActive", True, "ValidMetricFound", text)
    return _Found(best.asked.replicas, best.name, statuses, proposals, problem)


def _rivals(hpa: Object, chosen: Selector, pods: Objects, view: View) -> list[str]:
    """All HPAs (namespace/name, sorted) that chose one of these pods, if there are others than this one.

    Another HPA counts from its first sync on: before it the controller does not know what it selects.
    """
    own, found = hpa["metadata"]["name"], []
    if not pods:
        return []
    namespace = hpa["metadata"]["namespace"]
    for other in view.list(RESOURCE, namespace):
        name = other["metadata"]["name"]
        known = "" if name == own else view.memory(NAME, _key(other)).get("selector", "")
        if name == own or (known and targets.may_share(selector.parse(known), chosen) and _matches_any(known, pods)):
            found.append(f"{namespace}/{name}")
    return found if len(found) > 1 else []


def _matches_any(known: str, pods: Objects) -> bool:
    other = selector.parse(known)
    return any(other.matches(pod["metadata"].get("labels")) for pod in pods)


def _tolerance(hpa: Object, settings: Settings) -> Tolerance:
    rules = hpa["spec"].get("behavior") or {}
    found = [(rules.get(name) or {}).get("tolerance") for name in ("scaleUp", "scaleDown")]
    up, down = (settings.tolerance if one is None else quantity.milli(one) / 1000 for one in found)
    return Tolerance(up, down)


# --- the deed ----------------------------------------------------------------------------------------------------------


def _rescale(
    hpa: Object,
    scale: Scale,
    replicas: int,
    reason: str,
    status: _Status,
    memory: Object,
    metrics: Objects | None,
    clock: Clock,
) -> Generator[Action, Outcome, Object]:
    outcome = yield scale.patch(replicas)
    if isinstance(outcome, KpyError):
        text = f"New size: {replicas}; reason: {reason}; error: {outcome}"
        yield Record(hpa, "Warning", "FailedRescale", text, COMPONENT)
        problem = f"the HPA controller was unable to update the target scale: {outcome}"
        status.put("AbleToScale", False, "FailedUpdateScale", problem)
        status.count(scale.replicas, None, status.old.get("currentMetrics"))
        return memory
    done = f"the HPA controller was able to update the target scale to {replicas}"
    status.put("AbleToScale", True, "SucceededRescale", done)
    yield Record(hpa, "Normal", "SuccessfulRescale", f"New size: {replicas}; reason: {reason}", COMPONENT)
    past = behavior.with_change(_past(memory), hpa["spec"].get("behavior"), scale.replicas, replicas, clock.now_s)
    status.count(scale.replicas, replicas, metrics, scaled=True)
    return {**memory, "ups": past.ups, "downs": past.downs}


def _past(memory: Object) -> Past:
    return behavior.Past(memory.get("recommendations") or [], memory.get("ups") or [], memory.get("downs") or [])


def _noted(memory: Object, found: _Found, scale: Scale, decided: behavior.Decision, clock: Clock) -> Object:
    """The memory with this decision told, if it differs from the one before in more than its time."""
    told = {
        "current": scale.replicas,
        "metrics": [
            [one.name, one.asked.value_m, one.asked.percent, one.asked.replicas]
            if isinstance(one, Proposal)
            else [one.text]
            for one in found.proposals
        ],
        "asked": found.replicas,
        "stabilized": decided.stabilized,
        "able": decided.able[0],
        "limited": decided.limited[0],
        "replicas": decided.replicas,
    }
    decisions = memory.get("decisions") or []
    if decisions and {name: value for name, value in decisions[-1].items() if name != "at_s"} == told:
        return memory
    return {**memory, "decisions": [*decisions, {"at_s": clock.now_s, **told}][-DECISIONS_MAX:]}


def _key(hpa: Object) -> Key:
    return Key(RESOURCE, hpa["metadata"]["namespace"], hpa["metadata"]["name"])
