"""How long a container takes to go, and with which code."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubelet.simulator import Simulation, container, make_pod

SLEEP_HOOK = {"preStop": {"sleep": {"seconds": 20}}}
EXEC_HOOK = {"preStop": {"exec": {"command": ["/bin/sh", "-c", "sleep 15"]}}}


@pytest.mark.parametrize(
    ("fields", "grace", "seconds", "code"),
    [
        ({}, 30, 1, 0),
        ({"lifecycle": SLEEP_HOOK}, 30, 21, 0),
        ({"lifecycle": EXEC_HOOK}, 30, 16, 0),
        ({"lifecycle": SLEEP_HOOK}, 10, 11, 0),  # the hook is cut off; SIGTERM still has two seconds
        ({"image": "busybox", "command": ["sleep", "3600"]}, 30, 30, 137),
        ({"image": "busybox", "command": ["sleep", "3600"]}, 5, 5, 137),
        ({"image": "busybox", "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 3600"]}, 30, 1, 0),
        ({"image": "busybox", "command": ["sh", "-c", "sleep 64; exit 7"]}, 30, 6, 7),  # ends by itself meanwhile
    ],
)
def test_a_container_goes_within_the_grace_period(fields: dict[str, Any], grace: int, seconds: int, code: int) -> None:
    run = Simulation(make_pod(containers=[container(**fields)])).until(60)
    run.delete(grace)
    run.until(200)
    assert run.deleted_at == 60 + seconds
    assert run.state()["state"]["terminated"]["exitCode"] == code
    assert run.status["phase"] == ("Failed" if code else "Succeeded")


def test_a_shorter_grace_period_given_later_counts() -> None:
    run = Simulation(make_pod(containers=[container(image="busybox", command=["sleep", "3600"])])).until(60)
    run.delete(30)
    run.until(65)
    run.delete(1)
    run.until(200)
    assert run.deleted_at == 65


def test_a_sidecar_goes_after_the_main_container() -> None:
    sidecar = container("log", "fluentd:v1", restartPolicy="Always")
    run = Simulation(make_pod(initContainers=[sidecar], containers=[container(lifecycle=SLEEP_HOOK)])).until(60)
    run.delete(30)
    run.until(200)
    main, log = run.state("web")["state"]["terminated"], run.state("log")["state"]["terminated"]
    assert main["finishedAt"] < log["finishedAt"]
    assert run.deleted_at == 82


def test_a_waiting_crash_loop_goes_at_once() -> None:
    run = Simulation(make_pod(containers=[container(image="busybox", command=["false"])])).until(60)
    run.delete(30)
    run.until(200)
    assert run.deleted_at == 60
