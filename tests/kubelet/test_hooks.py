"""postStart and preStop hooks that fail: events, the reason why the container waits, and how long they hold it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubelet.simulator import Simulation, container, make_pod

OOPS = {"exec": {"command": ["sh", "-c", "echo oops >&2; exit 3"]}}


def told(run: Simulation, word: str) -> list[tuple[int, str]]:
    return [(second, text) for second, text in run.told if word in text]


def test_a_failed_post_start_hook_kills_the_container_and_says_why() -> None:
    run = Simulation(make_pod(containers=[container(lifecycle={"postStart": OOPS})])).until(4)
    assert told(run, "Hook") == [(3, "FailedPostStartHook PostStartHook failed"), (3, "Killing FailedPostStartHook")]
    waiting = run.state()["state"]["waiting"]
    assert waiting["reason"] == "PostStartHookError"
    assert waiting["message"] == (
        'Exec lifecycle hook ([sh -c echo oops >&2; exit 3]) for Container "web" in Pod "web_default(uid-web)" failed - '
        "error: command 'sh -c echo oops >&2; exit 3' exited with 3: oops\n, message: \"oops\\n\""
    )
    run.until(60)
    assert run.state()["state"]["waiting"]["reason"] == "CrashLoopBackOff"


@pytest.mark.parametrize(("port", "restarts"), [(80, 0), (81, 1)])
def test_a_request_as_a_hook_fails_where_nobody_listens(port: int, restarts: int) -> None:
    hook = {"postStart": {"httpGet": {"path": "/nope", "port": port}}}
    run = Simulation(make_pod(containers=[container(lifecycle=hook)])).until(5)
    assert run.state()["restartCount"] == restarts
    if restarts:
        ip = run.status["podIP"]
        why = f'Get "http://{ip}:81/nope": dial tcp {ip}:81: connect: connection refused'
        message = run.state()["state"].get("waiting", {}).get("message", "")
        assert not message or why in message


@pytest.mark.parametrize(
    ("command", "grace", "gone_at", "is_told"),
    [
        ("exit 4", 30, 61, True),
        ("sleep 5; exit 4", 30, 66, True),
        ("sleep 50; exit 4", 10, 71, False),  # cut off by the grace period: nobody hears of it
        ("exit 0", 30, 61, False),
        ("nginx -s quit; while killall -0 nginx; do sleep 1; done", 30, 61, False),
    ],
)
def test_a_failed_pre_stop_hook_is_told_and_holds_nothing_up(
    command: str, grace: int, gone_at: int, is_told: bool
) -> None:
    hook: dict[str, Any] = {"preStop": {"exec": {"command": ["sh", "-c", command]}}}
    run = Simulation(make_pod(containers=[container(lifecycle=hook)])).until(60)
    run.delete(grace)
    run.until(200)
    assert run.deleted_at == gone_at
    assert [text for _, text in told(run, "Hook")] == ["FailedPreStopHook PreStopHook failed"] * is_told


def test_a_pre_stop_hook_fails_before_a_restart_too() -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 5, "failureThreshold": 1}
    fields: dict[str, Any] = {"lifecycle": {"preStop": OOPS}, "livenessProbe": probe}
    run = Simulation(make_pod(containers=[container(image="busybox", command=["sleep", "99"], **fields)])).until(3)
    assert [text for _, text in told(run, "Hook")] == ["FailedPreStopHook PreStopHook failed"]
