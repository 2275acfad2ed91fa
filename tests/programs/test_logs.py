"""Container logs."""

from __future__ import annotations

from typing import Any

from minikube_py.programs import logs
from tests.support import T0, FrozenView

Object = dict[str, Any]
WEB = {"name": "web", "image": "busybox", "command": ["sh", "-c", "echo a; sleep 10; echo b; sleep 10; echo c; exit 1"]}


def pod(**state: Any) -> Object:
    status = {"containerStatuses": [{"name": "web", **state}]}
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [WEB]}, "status": status}


def test_a_running_container_has_written_what_it_had_time_for() -> None:
    running = pod(state={"running": {"startedAt": T0.timestamp}})
    later = T0.at(T0.now_s + 15)
    assert logs.lines(WEB, running, FrozenView({}), later) == [(T0.now_s, "a"), (T0.now_s + 10, "b")]


def test_the_instance_before_is_asked_for_by_name() -> None:
    ended = {"terminated": {"startedAt": T0.timestamp, "finishedAt": T0.at(T0.now_s + 20).timestamp}}
    waiting = pod(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ended)
    for previous in (False, True):
        found = logs.lines(WEB, waiting, FrozenView({}), T0.at(T0.now_s + 99), previous)
        assert [line for _, line in found] == ["a", "b", "c"]


def test_a_container_that_has_not_started_has_no_log() -> None:
    assert logs.lines(WEB, pod(state={"waiting": {"reason": "ContainerCreating"}}), FrozenView({}), T0) == []
