"""Probes: what they say, how often they are looked at, what follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubelet.simulator import Simulation, container, make_pod

Object = dict[str, Any]


def program(**spec: Any) -> tuple[str, Object]:
    return "programs.sim.kpy.dev", {"metadata": {"name": "p", "namespace": "default"}, "spec": spec}


def probed(kind: str, **fields: Any) -> Object:
    return make_pod(containers=[container(image="example.com/app:1", **{kind: fields})])


def unhealthy(run: Simulation) -> list[tuple[int, str]]:
    return [(second, text) for second, text in run.told if text.startswith(("Unhealthy", "Killing"))]


HTTP = {"httpGet": {"path": "/healthz", "port": 8080}}


def over(*entries: tuple[int, Any], key: str = "status") -> list[Object]:
    return [{"after": after, key: value} for after, value in entries]


@pytest.mark.parametrize("kind", ["livenessProbe", "readinessProbe", "startupProbe"])
@pytest.mark.parametrize(
    "sort", [HTTP, {"tcpSocket": {"port": 1}}, {"exec": {"command": ["x"]}}, {"grpc": {"port": 1}}]
)
def test_a_healthy_pod_is_ready_at_once_and_sleeps_for_ever(kind: str, sort: Object) -> None:
    run = Simulation(probed(kind, **sort)).until(100)
    assert run.condition("Ready")["status"] == "True"
    assert run.wake is None
    assert [second for second, _ in run.writes] == [0, 3]


def test_an_initial_delay_holds_readiness_back() -> None:
    run = Simulation(probed("readinessProbe", **HTTP, initialDelaySeconds=15)).until(100)
    assert [second for second, _ in run.writes] == [0, 3, 18]


def test_a_readiness_probe_that_fails_later_takes_the_pod_out_and_back_in() -> None:
    rules = [{"path": "/healthz", "over": over((0, 200), (60, 503), (120, 200))}]
    run = Simulation(probed("readinessProbe", **HTTP, periodSeconds=10), program(http=rules)).until(400)
    text = "Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503"
    assert unhealthy(run) == [(63, text), (73, text), (83, text)]
    assert [second for second, _ in run.writes] == [0, 3, 83, 123]


def test_a_liveness_probe_kills_after_its_threshold_and_the_container_starts_again() -> None:
    rules = [{"path": "/healthz", "over": over((0, 200), (30, 500))}]
    run = Simulation(probed("livenessProbe", **HTTP, periodSeconds=5, failureThreshold=2), program(http=rules)).until(
        45
    )
    assert unhealthy(run) == [
        (33, "Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 500"),
        (38, "Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 500"),
        (38, "Killing Container web failed liveness probe, will be restarted"),
    ]
    assert run.state()["restartCount"] == 1


def test_the_documentations_liveness_example_fails_after_thirty_seconds() -> None:
    text = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"
    probe = {"exec": {"command": ["cat", "/tmp/healthy"]}, "initialDelaySeconds": 5, "periodSeconds": 5}
    web = container("web", "registry.k8s.io/busybox:1.27.2", args=["/bin/sh", "-c", text], livenessProbe=probe)
    run = Simulation(make_pod(containers=[web])).until(75)
    gone = "Unhealthy Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n"
    assert unhealthy(run) == [
        (32, gone),
        (37, gone),
        (42, gone),
        (42, "Killing Container web failed liveness probe, will be restarted"),
    ]
    # The shell is process 1 and ignores SIGTERM: SIGKILL after the grace period.
    assert run.state()["lastState"]["terminated"]["exitCode"] == 137
    assert run.state()["restartCount"] == 1


def test_a_startup_probe_holds_the_others_back() -> None:
    web = container(
        image="example.com/app:1",
        startupProbe={**HTTP, "periodSeconds": 10, "failureThreshold": 30},
        livenessProbe={**HTTP, "periodSeconds": 5, "failureThreshold": 1},
        readinessProbe=HTTP,
    )
    run = Simulation(make_pod(containers=[web]), program(start={"after": "25s"})).until(25)
    assert run.state()["started"] is False
    run.until(100)
    refused = 'Get "http://10.244.1.2:8080/healthz": dial tcp 10.244.1.2:8080: connect: connection refused'
    assert unhealthy(run) == [(at, f"Unhealthy Startup probe failed: {refused}") for at in (3, 13, 23)]
    assert run.state()["started"] is True
    assert run.state()["ready"] is True


def test_a_startup_probe_that_never_succeeds_kills() -> None:
    run = Simulation(probed("startupProbe", **HTTP, periodSeconds=2, failureThreshold=3), program(start={"after": 99}))
    run.until(8)
    assert unhealthy(run)[-1] == (7, "Killing Container web failed startup probe, will be restarted")


@pytest.mark.parametrize(
    ("sort", "spec", "text"),
    [
        (HTTP, {"http": [{"path": "*", "status": 0}]}, 'Get "http://10.244.1.2:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
        (HTTP, {"ports": [80]}, 'Get "http://10.244.1.2:8080/healthz": dial tcp 10.244.1.2:8080: connect: connection refused'),
        ({"tcpSocket": {"port": 80}}, {"ports": []}, "dial tcp 10.244.1.2:80: connect: connection refused"),
        ({"grpc": {"port": 9000}}, {"grpc": [{"status": "NOT_SERVING"}]}, 'service unhealthy (responded with "NOT_SERVING")'),
        ({"grpc": {"port": 9000}}, {"ports": []}, 'timeout: failed to connect service "10.244.1.2:9000" within 1s: context deadline exceeded'),
        ({"exec": {"command": ["check", "all"]}}, {"exec": [{"command": "check *", "code": 1, "output": "no"}]}, "no"),
    ],
)  # fmt: skip
def test_each_sort_of_probe_tells_its_failure(sort: Object, spec: Object, text: str) -> None:
    run = Simulation(probed("readinessProbe", **sort), program(**spec)).until(100)
    assert unhealthy(run) == [(3, f"Unhealthy Readiness probe failed: {text}")]
    assert run.wake is None


def test_a_command_that_takes_too_long_fails() -> None:
    probe = {"exec": {"command": ["sh", "-c", "sleep 5"]}, "timeoutSeconds": 2}
    web = container(image="busybox", command=["sleep", "3600"], readinessProbe=probe)
    run = Simulation(make_pod(containers=[web])).until(60)
    assert unhealthy(run) == [
        (2, 'Unhealthy Readiness probe failed: command timed out: "sh -c sleep 5" timed out after 2s')
    ]


def test_an_edited_program_is_noticed_from_then_on() -> None:
    run = Simulation(probed("livenessProbe", **HTTP, periodSeconds=10)).until(1000)
    resource, sick = program(http=[{"path": "/healthz", "status": 500}])
    run.put(resource, sick)
    run.until(1024)
    assert [second for second, _ in unhealthy(run)] == [1003, 1013, 1023, 1023]


def test_nginx_answers_404_where_it_has_no_page() -> None:
    web = container(
        readinessProbe={"httpGet": {"path": "/healthz", "port": "http"}}, ports=[{"containerPort": 80, "name": "http"}]
    )
    run = Simulation(make_pod(containers=[web])).until(60)
    assert unhealthy(run)[0][1] == "Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 404"
