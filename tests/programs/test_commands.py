"""Commands that a person runs in a container."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.programs import commands
from tests.support import T0, FrozenView

Object = dict[str, Any]
RUNNING = {"containerStatuses": [{"name": "web", "state": {"running": {"startedAt": T0.timestamp}}}]}


def run(*command: str, status: Object = RUNNING, programs: list[Object] | None = None, **fields: Any) -> Any:
    container = {"name": "web", "image": "nginx:1.27", "env": [{"name": "MODE", "value": "prod"}], **fields}
    meta = {"name": "web-1", "namespace": "default", "uid": "u"}
    pod = {"metadata": meta, "spec": {"containers": [container]}, "status": status}
    return commands.execute(
        command, container, pod, FrozenView({"programs.sim.kpy.dev": programs or []}), T0.at(T0.now_s + 60)
    )


@pytest.mark.parametrize(
    ("command", "code", "stdout"),
    [
        (("hostname",), 0, "web-1\n"),
        (("printenv", "MODE"), 0, "prod\n"),
        (("printenv", "HOSTNAME", "KUBERNETES_SERVICE_HOST"), 0, "web-1\n10.96.0.1\n"),
        (("date",), 0, "Mon Sep 21 14:14:20 UTC 2026\n"),
        (("sh", "-c", "exit 3"), 3, ""),
        (("nosuchthing",), 127, ""),
    ],
)
def test_a_command_finds_itself_in_the_container(command: tuple[str, ...], code: int, stdout: str) -> None:
    found = run(*command)
    assert (found.code, found.stdout) == (code, stdout)


def test_a_command_sees_what_the_script_has_done_by_now() -> None:
    script = ["sh", "-c", "echo early > /tmp/a; sleep 90; echo late > /tmp/b; sleep 900"]
    assert run("cat", "/tmp/a", image="busybox", command=script).stdout == "early\n"
    assert run("cat", "/tmp/b", image="busybox", command=script).code == 1


def test_a_program_answers_for_its_commands() -> None:
    rules = [{"command": "pg_isready*", "over": [{"after": 30, "code": 2, "output": "no response"}]}]
    program = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"exec": rules}}
    found = run("pg_isready", "-q", programs=[program])
    assert (found.code, found.stdout) == (2, "no response")


def test_a_container_that_does_not_run_cannot_be_entered() -> None:
    waiting = {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ContainerCreating"}}}]}
    assert run("hostname", status=waiting) is None
