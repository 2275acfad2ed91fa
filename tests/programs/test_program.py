"""Objects of kind Program: what is accepted, and how it is read."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.programs import program
from minikube_py.programs.behaviour import Answer, Behaviour

GOOD: dict[str, Any] = {
    "match": {"image": "nginx:*", "container": "web", "selector": {"matchLabels": {"app": "web"}}},
    "pull": {"after": "20s", "error": "no route", "sizeBytes": 52428800},
    "create": {"after": 2},
    "start": {"after": "1m30s"},
    "ports": [5432, 8080, 9000],
    "http": [{"path": "/healthz", "port": 8080, "over": [{"after": "1m", "status": 500}, {"status": 200}]}],
    "tcp": [{"port": 5432, "over": [{"after": 10, "open": True}, {"open": False}]}],
    "grpc": [{"port": 9000, "service": "a", "status": "NOT_SERVING"}],
    "exec": [{"command": "cat *", "code": 1, "output": "gone"}],
    "exit": {"after": "10", "code": 3, "message": "out of luck"},
    "sigterm": {"after": 3, "code": 143},
    "cpu": [{"after": 60, "value": "1"}, {"value": "50m"}],
    "memory": "64Mi",
    "requests": {"cpu": "2m", "latency": "20ms", "perSecond": 100},
    "logs": [{"after": 1, "text": "b"}, {"text": "a"}],
}


def test_a_full_program_is_accepted_and_read() -> None:
    spec = {**GOOD, "match": {}}
    found = program.amend(Behaviour(), {"name": "c"}, {"metadata": {}}, [{"metadata": {"name": "p"}, "spec": spec}])
    assert found == Behaviour(
        pull_s=20, pull_error="no route", image_size=52428800, create_s=2, start_s=90, ports=(5432, 8080, 9000),
        http=(Answer("/healthz", 8080, ((0, 200), (60, 500))),),
        tcp=(Answer("*", 5432, ((0, False), (10, True))),),
        grpc=(Answer("a", 9000, ((0, "NOT_SERVING"),)),),
        exec=(Answer("cat *", 0, ((0, (1, "gone")),)),),
        exit_after_s=10, exit_code=3, exit_message="out of luck", stop_s=3, stop_code=143,
        cpu_m=((0, 50), (60, 1000)), memory=((0, 64 << 20),), requests=GOOD["requests"], log=((0, "a"), (1, "b")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "seconds"), [(90, 90), ("90", 90), ("90s", 90), ("1m30s", 90), (1.2, 2), ("1500ms", 2), (0, 0)]
)
def test_times_are_whole_seconds(value: Any, seconds: int) -> None:
    assert program.time_s(value) == seconds
