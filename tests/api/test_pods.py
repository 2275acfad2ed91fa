"""What can be read off a pod: requests, counters, QoS class, readiness."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import pods

Object = dict[str, Any]
MIB = 1024 * 1024


def container(requests: Object | None = None, limits: Object | None = None, **more: Any) -> Object:
    resources = {name: amounts for name, amounts in (("requests", requests), ("limits", limits)) if amounts is not None}
    return {"name": "c", "image": "web", "resources": resources, **more}


def sidecar(cpu: str) -> Object:
    return container({"cpu": cpu}, restartPolicy="Always")


def pod(*containers: Object, **spec: Any) -> Object:
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": list(containers), **spec}}


@pytest.mark.parametrize(
    ("given", "cpu_m"),
    [
        (pod(container({"cpu": "100m"}), container({"cpu": "0.25"})), 350),
        (pod(container({"cpu": "100m"}), initContainers=[container({"cpu": "300m"})]), 300),
        (pod(container({"cpu": "100m"}), initContainers=[container({"cpu": "50m"}), container({"cpu": "80m"})]), 100),
        # Sidecars run beside the containers ...
        (pod(container({"cpu": "120m"}), initContainers=[sidecar("100m")]), 220),
        # ... and beside the init containers after them, not those before.
        (pod(container({"cpu": "120m"}), initContainers=[sidecar("100m"), container({"cpu": "150m"})]), 250),
        (pod(container({"cpu": "120m"}), initContainers=[container({"cpu": "150m"}), sidecar("100m")]), 220),
        (pod(container({"cpu": "100m"}), overhead={"cpu": "25m"}), 125),
        (pod(container({"cpu": "100m"}), resources={"requests": {"cpu": "1"}}), 1000),
        (pod(container({"cpu": "100m"}), resources={"requests": {"cpu": "1"}}, overhead={"cpu": "25m"}), 1025),
        (pod(container({"memory": "1Mi"})), 0),
    ],
)
def test_requests_of_cpu_are_those_of_the_busiest_moment(given: Object, cpu_m: int) -> None:
    assert pods.requests(given).get("cpu", 0) == cpu_m


def test_every_resource_is_counted_in_its_unit() -> None:
    asked = {
        "cpu": "1500m",
        "memory": "1Gi",
        "ephemeral-storage": "2Gi",
        "hugepages-2Mi": "4Mi",
        "example.com/gpu": "2",
    }
    assert pods.requests(pod(container(asked))) == {
        "cpu": 1500,
        "memory": 1024 * MIB,
        "ephemeral-storage": 2048 * MIB,
        "hugepages-2Mi": 4 * MIB,
        "example.com/gpu": 2,
    }


def test_a_container_without_requests_counts_with_the_schedulers_defaults() -> None:
    given = pod(container(), container({"cpu": "0", "memory": "64Mi"}))
    assert pods.requests(given) == {"cpu": 0, "memory": 64 * MIB}
    assert pods.nonzero_requests(given) == {"cpu": 100, "memory": 264 * MIB}


def test_counters_hold_all_that_a_pod_takes_of_its_node() -> None:
    ports = [
        {"containerPort": 80, "hostPort": 8080, "protocol": "TCP"},
        {"containerPort": 53, "hostPort": 53, "protocol": "UDP", "hostIP": "10.0.0.1"},
        {"containerPort": 81},
    ]
    term = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]}
    given = pod(container({"cpu": "1", "memory": "1Mi"}, ports=ports), affinity={"podAntiAffinity": term})
    assert pods.counters(given) == {
        "pods": 1,
        "priority/0": 1,
        "cpu": 1000,
        "memory": MIB,
        "nonzero/cpu": 1000,
        "nonzero/memory": MIB,
        "port/TCP/0.0.0.0/8080": 1,
        "port/UDP/10.0.0.1/53": 1,
        "antiaffinity": 1,
        "affinity": 1,
    }


def test_node_affinity_is_no_pod_affinity() -> None:
    assert "affinity" not in pods.counters(pod(container(), affinity={"nodeAffinity": {}}))


def test_pods_of_one_template_share_their_counters() -> None:
    containers = [container({"cpu": "1"})]
    one, other = ({"metadata": {"name": name}, "spec": {"containers": containers}} for name in "ab")
    assert pods.counters(one) is pods.counters(other)
    assert pods.counters({"metadata": {}, "spec": {"containers": containers, "overhead": {"cpu": "1"}}})["cpu"] == 2000


def test_many_templates_do_not_mix() -> None:
    for number in range(5000):
        assert pods.counters(pod(container({"cpu": f"{number}m"})))["cpu"] == number


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(container()), "BestEffort"),
        (pod(container({"cpu": "0"}, {"memory": "0"})), "BestEffort"),
        (pod(container({"example.com/gpu": "1"}, {"example.com/gpu": "1"})), "BestEffort"),
        (pod(container(BOTH, BOTH)), "Guaranteed"),
        (pod(container(BOTH, {"cpu": "1000m", "memory": "1024Mi"})), "Guaranteed"),
        (pod(container(BOTH)), "Burstable"),
        (pod(container({"cpu": "1"}, {"cpu": "1"})), "Burstable"),
        (pod(container({**BOTH, "cpu": "500m"}, BOTH)), "Burstable"),
        (pod(container(BOTH, BOTH), container()), "Burstable"),
        (pod(container(BOTH, BOTH), initContainers=[container({"cpu": "1"})]), "Burstable"),
        (pod(container(), resources={"requests": BOTH, "limits": BOTH}), "Guaranteed"),
        (pod(container(BOTH, BOTH), resources={"requests": BOTH}), "Burstable"),
    ],
)
def test_the_qos_class(given: Object, expected: str) -> None:
    assert pods.qos_class(given) == expected


def _with_status(**status: Any) -> Object:
    return {"metadata": {"name": "p"}, "spec": {}, "status": status}


READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:10Z"}
READY_S = 1767225610


def test_a_pod_is_available_when_it_has_been_ready_long_enough() -> None:
    ready = _with_status(conditions=[READY])
    assert pods.is_ready(ready)
    assert pods.is_available(ready, 5, READY_S + 5)
    assert not pods.is_available(ready, 5, READY_S + 4)
    assert not pods.is_available(_with_status(conditions=[{**READY, "status": "False"}]), 0, READY_S + 100)


@pytest.mark.parametrize(
    ("given", "active"),
    [
        (_with_status(phase="Running"), True),
        (_with_status(), True),
        (_with_status(phase="Failed"), False),
        (_with_status(phase="Succeeded"), False),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:10Z"}, "spec": {}}, False),
    ],
)
def test_finished_and_terminating_pods_are_not_active(given: Object, active: bool) -> None:
    assert pods.is_active(given) is active
