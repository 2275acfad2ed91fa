"""From samples to recommendations: the worked examples of the real recommender's comments, floors, policies, confidence."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.autoscaling import vpa_estimates, vpa_facts, vpa_flags
from minikube_py.autoscaling.vpa_flags import DEFAULTS
from minikube_py.autoscaling.vpa_model import Model, State
from minikube_py.base import selector
from tests.support import FrozenView

Object = dict[str, Any]
DAY = 86_400
T = 20_000 * DAY


def state(cpu: float = 0.5, memory: int = 0, *, minutes: int = 1) -> State:
    found = State(None, DEFAULTS, T)
    for minute in range(minutes):
        found.add_cpu(cpu, T + 60 * minute)
    if memory:
        found.memory.add(memory, 1.0, T + DAY)
    return found


def vpa(*policies: Object) -> Object:
    spec: Object = {"targetRef": {"kind": "Deployment", "name": "web"}}
    if policies:
        spec["resourcePolicy"] = {"containerPolicies": list(policies)}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def test_half_a_core_is_recommended_as_the_real_one_does() -> None:
    """The hamster of the VPA's own documentation: half a core used, 587m recommended."""
    (found,) = vpa_estimates.recommend({"hamster": state(minutes=1440)}, vpa(), DEFAULTS)
    assert found["target"] == {"cpu": "587m", "memory": "250Mi"}


@pytest.mark.parametrize(("minutes", "factor"), [(721, 3.0), (1441, 2.0), (7 * 1440 + 1, 8 / 7)])
def test_the_upper_bound_comes_down_with_confidence(minutes: int, factor: float) -> None:
    told = vpa_estimates.steps("cpu", "upperBound", state(minutes=minutes), DEFAULTS, 1)
    assert told.with_confidence == pytest.approx(told.with_margin * factor, rel=0.01)


@pytest.mark.parametrize(("minutes", "factor"), [(6, 0.6), (31, 0.91), (61, 0.955)])
def test_the_lower_bound_rises_with_confidence(minutes: int, factor: float) -> None:
    told = vpa_estimates.steps("cpu", "lowerBound", state(minutes=minutes), DEFAULTS, 1)
    assert told.with_confidence == pytest.approx(told.with_margin * factor, rel=0.02)


def test_one_sample_bounds_nothing() -> None:
    (found,) = vpa_estimates.recommend({"c": state()}, vpa(), DEFAULTS)
    assert found["lowerBound"] == {"cpu": "25m", "memory": "250Mi"}
    assert found["upperBound"]["cpu"] == "100G"


def test_without_samples_the_floor_is_recommended_and_containers_share_it() -> None:
    found = vpa_estimates.recommend({"a": State(None, DEFAULTS, T), "b": State(None, DEFAULTS, T)}, vpa(), DEFAULTS)
    assert [one["target"] for one in found] == [{"cpu": "12m", "memory": "125Mi"}] * 2


def test_policies_bound_filter_and_switch_off() -> None:
    states = {"a": state(), "b": state(), "c": state()}
    policies = vpa(
        {"containerName": "a", "mode": "Off"},
        {"containerName": "b", "maxAllowed": {"cpu": "200m"}, "controlledResources": ["cpu"]},
        {"containerName": "*", "minAllowed": {"memory": "1Gi"}},
    )
    found = {one["containerName"]: one for one in vpa_estimates.recommend(states, policies, DEFAULTS)}
    assert sorted(found) == ["b", "c"]
    assert found["b"]["target"] == {"cpu": "200m"}
    assert found["b"]["uncappedTarget"] == {"cpu": "587m"}
    assert found["c"]["target"]["memory"] == "1Gi"


def test_flags_come_from_the_config_map_and_nonsense_leaves_the_default() -> None:
    data = {
        "recommendation-margin-fraction": "0",
        "target-cpu-percentile": "0.5",
        "min-replicas": "x",
        "cpu-histogram-decay-half-life": "-1h",
        "container-recommendation-max-allowed-cpu": "300m",
    }
    config = {"metadata": {"name": "vertical-pod-autoscaler-config", "namespace": "kube-system"}, "data": data}
    flags = vpa_flags.read(FrozenView({"configmaps": [config]}))
    assert (flags.margin, flags.target_cpu, flags.min_replicas, flags.half_life_cpu_s) == (0, 0.5, 2, DAY)
    (found,) = vpa_estimates.recommend({"c": state()}, vpa(), flags)
    assert found["target"]["cpu"] == "300m"


@pytest.mark.parametrize(
    ("enabled", "value", "policy", "cpu"),
    [
        (True, "true", {}, "1"),
        (True, "yes", {}, "587m"),
        (False, "true", {}, "587m"),
        (True, "true", {"maxAllowed": {"cpu": "700m"}}, "700m"),
    ],
)
def test_whole_cpus_for_those_who_ask_for_them(enabled: bool, value: str, policy: Object, cpu: str) -> None:
    annotations = {"vpa-post-processor.kubernetes.io/c_integerCPU": value}
    one = {**vpa({"containerName": "c", **policy}), "metadata": {"annotations": annotations}}
    flags = DEFAULTS._replace(whole_cpus=enabled)
    (found,) = vpa_estimates.recommend({"c": state()}, one, flags)
    assert found["target"]["cpu"] == cpu
    assert found["uncappedTarget"]["cpu"] == ("1" if policy else cpu)


# --- what the model makes of what it sees -------------------------------------------------------------------------------


def pod(*, memory: str = "200Mi", killed: str = "", name: str = "p") -> Object:
    told: Object = {"name": "c", "state": {"running": {"startedAt": "2024-10-04T00:00:00Z"}}}
    if killed:
        told["lastState"] = {"terminated": {"reason": "OOMKilled", "finishedAt": killed}}
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"memory": memory}}}]},
        "status": {"phase": "Running", "containerStatuses": [told]},
    }


def looked(model: Model, minute: int, memory: int, one: Object) -> Model:
    """The model after a look, carried through memory."""
    chosen = selector.parse("app=web")
    model = Model(model.stored(), chosen, DEFAULTS, T + 60 * minute)
    model.take_in([(vpa_facts.facts(one), {"c": (100, memory)})], T + 60 * minute)
    return model


def fresh() -> Model:
    return Model({"began": T}, selector.parse("app=web"), DEFAULTS, T)


def memory_percentile(model: Model) -> float:
    return model.by_container()["c"].memory.percentile(1.0)


def test_one_peak_of_memory_counts_for_each_day() -> None:
    model = fresh()
    for minute, memory in enumerate((100 << 20, 300 << 20, 200 << 20)):
        model = looked(model, minute, memory, pod())
    found = model.by_container()["c"].memory
    assert sum(1 for weight in found.weights.values() if weight) == 1
    assert found.percentile(1.0) >= 300 << 20
    model = looked(model, 1441, 100 << 20, pod())
    assert sum(1 for weight in model.by_container()["c"].memory.weights.values() if weight) == 2


def test_a_kill_for_want_of_memory_counts_as_more_than_was_asked_for() -> None:
    model = looked(fresh(), 1, 180 << 20, pod())
    model = looked(model, 2, 150 << 20, pod(killed="2024-10-04T00:01:30Z"))
    assert memory_percentile(model) == pytest.approx((300 << 20) * 1.025, rel=0.03)  # 200Mi + 100Mi, its bucket's end
    again = looked(model, 3, 150 << 20, pod(killed="2024-10-04T00:01:30Z"))
    assert memory_percentile(again) == memory_percentile(model)


def test_much_memory_is_bumped_by_a_fifth() -> None:
    model = looked(
        looked(fresh(), 1, 1 << 30, pod(memory="1Gi")), 2, 1 << 30, pod(memory="1Gi", killed="2024-10-04T00:01:30Z")
    )
    assert memory_percentile(model) == pytest.approx(1.2 * (1 << 30) * 1.025, rel=0.03)


def test_pods_of_another_selector_are_forgotten_and_old_knowledge_expires() -> None:
    model = looked(fresh(), 1, 1 << 20, pod())
    other = Model(model.stored(), selector.parse("app=other"), DEFAULTS, T + 120)
    assert other.by_container() == {}
    late = Model(model.stored(), selector.parse("app=web"), DEFAULTS, T + 9 * DAY)
    late.collect()
    assert late.by_container() == {}
