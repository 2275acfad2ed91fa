"""The recommender of the VerticalPodAutoscaler: what containers should request, from what they used.

`step` runs on verticalpodautoscalers and is woken by the VPA itself, and by its own clock, at every full minute, in the
background. It reads the metrics server, keeps its model (`vpa_model`), and writes status.recommendation, conditions and a
VerticalPodAutoscalerCheckpoint for each container. VPAs that name other recommenders than `default` are none of its affair.

`sweep` runs on the checkpoints and deletes those whose VPA is gone, at the next full ten minutes (--checkpoints-gc-interval).
Sources: vertical-pod-autoscaler/pkg/recommender/routines/recommender.go, input/cluster_feeder.go, model/vpa.go, checkpoint/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import vertical
from minikube_py.api.types import Create, Delete, Key, Patch, Remember, Wake
from minikube_py.api.vertical import targets as owners
from minikube_py.autoscaling import metrics, targets, vpa_estimates, vpa_facts, vpa_flags
from minikube_py.autoscaling.vpa_model import Model
from minikube_py.base import patch, selector
from minikube_py.base.clock import timestamp

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
    from minikube_py.autoscaling.vpa_facts import Facts
    from minikube_py.autoscaling.vpa_model import State
    from minikube_py.base.clock import Clock
    from minikube_py.base.selector import Selector

NAME = "vpa-recommender"
PERIOD_S = 60  # --recommender-interval
CHECKPOINT_S = 3600
SWEEP_S = 600
CHECKPOINT_VERSION = "v3"
NO_PODS = ("NoPodsMatched", "No pods match this VPA object")


def step(vpa: Object, view: View, clock: Clock) -> Actions:
    recommenders = vpa["spec"].get("recommenders") or []
    if recommenders and not any(one["name"] == "default" for one in recommenders):
        return
    now_s, key = clock.now_s, _key(vpa)
    yield Wake(now_s - now_s % PERIOD_S + PERIOD_S, background=True)
    memory = view.memory(NAME, key)
    if not memory:
        yield Remember({"began": now_s, "ran": now_s})
        return
    if now_s % PERIOD_S or memory.get("ran", -1) == now_s:
        return
    flags = vpa_flags.read(view)
    chosen, problem = _target(vpa, view)
    model = Model(memory, chosen, flags, now_s)
    matching = _matching(vpa, chosen, view)
    scrape = metrics.Scrape(view, clock)
    model.take_in([(facts, scrape.pod(facts.pod)) for facts in matching], scrape.at_s)
    states = model.by_container()
    recommendations = vpa_estimates.recommend(states, vpa, flags)
    status = _status(vpa, recommendations, bool(matching), problem, clock)
    fields = patch.diff(vpa.get("status") or {}, status)
    if fields:
        yield Patch(key, {"status": fields}, "status")
    written_s = memory.get("written", 0)
    if now_s - written_s >= CHECKPOINT_S:
        written_s = now_s
        yield from _checkpoints(vpa, model, states, view, clock)
    model.collect()
    yield Remember({**model.stored(), "ran": now_s, "written": written_s})


def model_of(vpa: Object, view: View, clock: Clock) -> Model:
    """What is known of a VPA's pods, for who wants to tell of it."""
    chosen, _ = _target(vpa, view)
    return Model(view.memory(NAME, _key(vpa)), chosen, vpa_flags.read(view), clock.now_s)


def _target(vpa: Object, view: View) -> tuple[Selector, str]:
    """The selector of the target's pods, and what is wrong with the target ('' if nothing is)."""
    try:
        chosen = owners.selector_of(vpa, view)
    except owners.TargetError as error:
        return selector.NOTHING, f"Cannot read targetRef. Reason: {error}"
    ref = owners.target_of(vpa)
    told = f"{ref.api_version}.{ref.kind}/{ref.name}"
    try:
        top = owners.topmost(ref, vpa["metadata"]["namespace"], view)
    except owners.TargetError as error:
        problem = f"Error checking if target {told} is a topmost well-known or scalable controller: {error}"
        return selector.NOTHING, problem
    if top is None:
        problem = f"Unknown error during checking if target {told} is a topmost well-known or scalable controller"
        return selector.NOTHING, problem
    if top != ref:
        problem = f"The target {told} has a parent controller but it should point to a topmost well-known or scalable controller"
        return selector.NOTHING, problem
    return chosen, ""


def _matching(vpa: Object, chosen: Selector, view: View) -> list[Facts]:
    """The target's pods that have begun to run."""
    if chosen.nothing:
        return []
    found = map(vpa_facts.known(view).of, targets.pods_of(vpa["metadata"]["namespace"], chosen, view))
    return [facts for facts in found if not facts.is_pending]


# --- status ------------------------------------------------------------------------------------------------------------


def _status(vpa: Object, recommendations: Objects, matched: bool, problem: str, clock: Clock) -> Object:
    old: Object = vpa.get("status") or {}
    known = {one["type"]: one for one in old.get("conditions") or ()}
    known.pop("ConfigDeprecated", None)
    if problem:
        _put(known, "ConfigUnsupported", True, ("", problem), clock)
    else:
        known.pop("ConfigUnsupported", None)
    missing = ("", "") if matched else NO_PODS
    if matched:
        known.pop("NoPodsMatched", None)
    else:
        _put(known, "NoPodsMatched", True, NO_PODS, clock)
    _put(known, "RecommendationProvided", bool(recommendations), ("", "") if recommendations else missing, clock)
    return {
        **old,
        "conditions": [known[name] for name in sorted(known)],
        "recommendation": {"containerRecommendations": recommendations} if recommendations else {},
        "observedGeneration": vpa["metadata"].get("generation", 0),
    }


def _put(known: dict[str, Object], name: str, is_true: bool, said: tuple[str, str], clock: Clock) -> None:
    status, old = "True" if is_true else "False", known.get(name)
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else clock.timestamp
    new = {"type": name, "status": status, "lastTransitionTime": since}
    known[name] = {**new, **{field: text for field, text in zip(("reason", "message"), said, strict=True) if text}}


# --- checkpoints -------------------------------------------------------------------------------------------------------


def _checkpoints(vpa: Object, model: Model, states: dict[str, State], view: View, clock: Clock) -> Actions:
    """One for each container, without the peaks of the interval that is under way."""
    meta = vpa["metadata"]
    for name, state in states.items():
        memory = state.memory.copy()
        for peak, end_s in model.current_peaks(name):
            memory.subtract(peak, 1.0, end_s)
        status: dict[str, Any] = {
            "lastUpdateTime": clock.timestamp,
            "version": CHECKPOINT_VERSION,
            "cpuHistogram": state.cpu.checkpoint(),
            "memoryHistogram": memory.checkpoint(),
            "firstSampleStart": None if state.first_s is None else timestamp(state.first_s),
            "lastSampleStart": None if state.last_s is None else timestamp(state.last_s),
            "totalSamplesCount": state.count,
        }
        key = Key(vertical.CHECKPOINTS, meta["namespace"], f"{meta['name']}-{name}")
        old = view.get(key)
        if old is None:
            yield Create(
                {
                    "apiVersion": "autoscaling.k8s.io/v1",
                    "kind": "VerticalPodAutoscalerCheckpoint",
                    "metadata": {"name": key.name, "namespace": key.namespace},
                    "spec": {"containerName": name, "vpaObjectName": meta["name"]},
                    "status": status,
                }
            )
        else:
            fields = patch.diff(old.get("status") or {}, status)
            yield Patch(key, {"status": fields})


def sweep(checkpoint: Object, view: View, clock: Clock) -> Actions:
    meta = checkpoint["metadata"]
    name = (checkpoint.get("spec") or {}).get("vpaObjectName", "")
    if view.get(Key(vertical.RESOURCE, meta["namespace"], name)) is not None:
        return
    key = Key(vertical.CHECKPOINTS, meta["namespace"], meta["name"])
    if clock.now_s % SWEEP_S:
        yield Wake(clock.now_s - clock.now_s % SWEEP_S + SWEEP_S, background=True)
    else:
        yield Delete(key)


def _key(vpa: Object) -> Key:
    return Key(vertical.RESOURCE, vpa["metadata"]["namespace"], vpa["metadata"]["name"])
