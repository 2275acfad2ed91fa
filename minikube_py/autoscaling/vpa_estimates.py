"""From what is known of containers to a recommendation: percentiles, margin, confidence, floors.

A target is the 90th percentile and 15 % more. The bounds are the 50th and the 95th, also with the margin, and drawn apart while
little is known: confidence is the days that the samples span, or their number by minutes if that is less.
    upper * (1 + 1 / confidence)        twelve hours: * 3, a day: * 2, a week: * 1.14
    lower * (1 + 0.001 / confidence)^-2     5 minutes: * 0.6, an hour: * 0.95
No container gets less than its share of 25m and 250Mi. Amounts are cut off to whole millicores and bytes after each step.
Sources: vertical-pod-autoscaler/pkg/recommender/logic/{recommender,estimator}.go, model/types.go, routines/cpu_integer_post_processor.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import vertical
from minikube_py.api.vertical import capping
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects
    from minikube_py.autoscaling.vpa_flags import Flags
    from minikube_py.autoscaling.vpa_model import State

AMOUNT_MAX = 10**14
WHOLE = "vpa-post-processor.kubernetes.io/{}_integerCPU"  # "true": cpus are rounded up, before the policy caps them
# field of a recommendation -> (multiplier, exponent) of its confidence
_CONFIDENCE = {"lowerBound": (0.001, -2.0), "target": None, "upperBound": (1.0, 1.0)}


class Step(NamedTuple):
    """How one amount came to be: what `autoscale-report` tells. Millicores or bytes."""

    percentile: int
    with_margin: int
    with_confidence: int
    amount: int


def recommend(states: dict[str, State], vpa: Object, flags: Flags) -> Objects:
    """status.recommendation.containerRecommendations, by container; none for those that are left alone."""
    chosen = {name: state for name, state in states.items() if not vertical.is_off(vpa, name)}
    return [_container(name, state, vpa, flags, len(chosen)) for name, state in chosen.items()]


def _container(name: str, state: State, vpa: Object, flags: Flags, count: int) -> Object:
    policy = vertical.policy(vpa, name)
    controlled = policy.get("controlledResources") or capping.RESOURCES
    is_whole = flags.whole_cpus and (vpa["metadata"].get("annotations") or {}).get(WHOLE.format(name)) == "true"
    found: Object = {"containerName": name}
    bounds = {
        "minAllowed": policy.get("minAllowed"),
        "maxAllowed": {**flags.most_allowed, **(policy.get("maxAllowed") or {})},
    }
    for field in _CONFIDENCE:
        amounts = {
            one: _text(one, steps(one, field, state, flags, count).amount, flags)
            for one in capping.RESOURCES
            if one in controlled
        }
        if is_whole and "cpu" in amounts:
            amounts["cpu"] = str(quantity.value(amounts["cpu"]))
        found[field], _ = capping.within_policy(amounts, bounds)
        if field == "target":
            found["uncappedTarget"] = amounts
    return found


def steps(resource: str, field: str, state: State, flags: Flags, count: int) -> Step:
    """One amount of one of `count` containers of a pod, step by step."""
    if resource == "cpu":
        share = {"lowerBound": flags.lower_cpu, "target": flags.target_cpu, "upperBound": flags.upper_cpu}[field]
        base = _cut(state.cpu.percentile(share) * 1000)
        least, interval_s = _cut(_cut(flags.min_cpu_m) / count), flags.confidence_cpu_s
    else:
        share = {"lowerBound": flags.lower_memory, "target": flags.target_memory, "upperBound": flags.upper_memory}[
            field
        ]
        base = _cut(state.memory.percentile(share))
        least, interval_s = _cut(_cut(flags.min_memory_mi * (1 << 20)) / count), flags.confidence_memory_s
    with_margin = base + _cut(base * flags.margin)
    shape = _CONFIDENCE[field]
    sure = with_margin if shape is None else _confident(with_margin, confidence(state, interval_s), *shape)
    return Step(base, with_margin, sure, max(sure, least))


def confidence(state: State, interval_s: int) -> float:
    """How much is known, in days: 0.5 after twelve hours with a sample a minute."""
    span_s = state.last_s - state.first_s if state.last_s is not None and state.first_s is not None else 0
    return min(span_s / interval_s, state.count / (interval_s / 60))


def _confident(amount: int, sure: float, multiplier: float, exponent: float) -> int:
    if sure == 0:  # endless, or nothing
        return 0 if exponent < 0 or amount == 0 else AMOUNT_MAX
    return _cut(amount * (1.0 + multiplier / sure) ** exponent)


def _cut(amount: float) -> int:
    return int(min(max(amount, 0), AMOUNT_MAX))


def _text(resource: str, amount: int, flags: Flags) -> str:
    unit = flags.round_cpu_m if resource == "cpu" else flags.round_memory
    amount = -(-amount // unit) * unit
    return quantity.from_milli(amount) if resource == "cpu" else quantity.from_value(amount)
