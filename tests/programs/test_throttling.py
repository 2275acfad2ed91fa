"""What requests meet in a container with less CPU than its program wants."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.programs import throttling
from minikube_py.programs.behaviour import DEFAULT
from tests.kubelet.simulator import Simulation, container, make_pod

BUSY = ((0, 100), (60, 2000))


def limited(cpu: str | None) -> dict[str, Any]:
    return container(resources={"limits": {"cpu": cpu}} if cpu else {})


@pytest.mark.parametrize(
    ("requests", "limit", "second", "latency_s", "per_second"),
    [
        (None, None, 0, 0.005, 0),
        (None, "500m", 0, 0.005, 0),
        (None, "500m", 60, 0.02, 0),  # wants four times what it may take
        ({"latency": "20ms", "perSecond": 100}, None, 60, 0.02, 100),
        ({"latency": "20ms", "perSecond": 100}, "500m", 60, 0.08, 25),
        ({"cpu": "20m", "latency": "30ms", "perSecond": 100}, "500m", 0, 0.04, 20),
        ({"cpu": "20m"}, "500m", 60, 0.04, 2),  # a tenth of its CPU is left for requests
        ({"cpu": "20m", "latency": 2}, "1m", 0, 200.0, 1),
    ],
)
def test_speed(requests: Any, limit: str | None, second: int, latency_s: float, per_second: int) -> None:
    program = DEFAULT._replace(cpu_m=BUSY, requests=requests)
    found = throttling.speed(program, limited(limit), second)
    assert (round(found.latency_s, 6), found.per_second) == (latency_s, per_second)


@pytest.mark.parametrize(("timeout", "restarts"), [(1, True), (5, False)])
def test_a_throttled_program_misses_its_probe(timeout: int, restarts: bool) -> None:
    probe = {
        "httpGet": {"path": "/", "port": 80},
        "periodSeconds": 10,
        "failureThreshold": 3,
        "timeoutSeconds": timeout,
    }
    program = {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"match": {}, "cpu": [{"after": 0, "value": "50m"}, {"after": "1m", "value": "800m"}], "requests": {"latency": "200ms"}},
    }  # fmt: skip
    pod = make_pod(containers=[container(livenessProbe=probe, resources={"limits": {"cpu": "100m"}})])
    run = Simulation(pod, ("programs.sim.kpy.dev", program)).until(55)
    assert run.state()["restartCount"] == 0
    run.until(110)
    assert (run.state()["restartCount"] == 1) is restarts
    why = f'Unhealthy Liveness probe failed: Get "http://{run.status["podIP"]}:80/": context deadline exceeded'
    assert any(text.startswith(why) for _, text in run.told) is restarts
