"""Commands that a person runs in a container."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Key
from minikube_py.programs import commands
from tests.support import T0, FrozenView

Object = dict[str, Any]
RUNNING = {"containerStatuses": [{"name": "web", "state": {"running": {"startedAt": T0.timestamp}}}]}


def run(*command: str, status: Object = RUNNING, programs: list[Object] | None = None, **fields: Any) -> Any:
    container = {"name": "web", "image": "nginx:1.27", "env": [{"name": "MODE", "value": "prod"}], **fields}
    meta = {"name": "web-1", "namespace": "default", "uid": "u"}
    pod = {"metadata": meta, "spec": {"containers": [container]}, "status": status}
    session = commands.Session(
        container, pod, FrozenView({"programs.sim.kpy.dev": programs or []}), T0.at(T0.now_s + 60)
    )
    return session.execute(command)


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
    with pytest.raises(ValueError, match="container web does not run"):
        run("hostname", status=waiting)


def visit(container: Object, view: FrozenView, second: int) -> commands.Session:
    meta = {"name": "web-1", "namespace": "default", "uid": "u"}
    pod = {"metadata": meta, "spec": {"containers": [container]}, "status": RUNNING}
    return commands.Session(container, pod, view, T0.at(T0.now_s + second))


def test_what_a_visitor_changes_is_there_for_the_next_and_for_the_script() -> None:
    script = "while [ ! -f /tmp/go ]; do sleep 10; done; echo gone; exit 3"
    container = {"name": "web", "image": "busybox", "command": ["sh", "-c", script]}
    view = FrozenView({})
    first = visit(container, view, 25)
    assert first.execute(("sh", "-c", "cat > /tmp/go; mkdir /data; rm /etc/machine-id"), "now").code == 0
    memory = first.kept({"ip": "10.244.1.2"})
    assert memory is not None
    assert [entry[:2] for entry in memory["files"]["web"]["edits"]] == [
        [25, "/etc/machine-id"], [25, "/data/"], [25, "/tmp/go"],
    ]  # fmt: skip
    later = FrozenView({}, {("kubelet", Key("pods", "default", "web-1")): memory})
    second = visit(container, later, 26)
    assert second.execute(("cat", "/tmp/go")).stdout == "now"
    assert second.execute(("sh", "-c", "test -d /data && test ! -e /etc/machine-id")).code == 0
    assert second.kept(memory) is None
    assert (second.behaviour.exit_after_s, second.behaviour.exit_code) == (30, 3)


def test_a_shell_reads_its_commands_from_its_input() -> None:
    session = visit({"name": "web", "image": "alpine"}, FrozenView({}), 5)
    assert session.execute(("sh",), "cd /tmp\npwd\nexit 4\n")[:2] == (4, "/tmp\n")


@pytest.mark.parametrize(
    ("image", "command", "problem"),
    [
        ("nginx", "nosuch", 'exec: "nosuch": executable file not found in $PATH'),
        ("nginx", "/opt/x", 'exec: "/opt/x": stat /opt/x: no such file or directory'),
        ("registry.k8s.io/pause:3.10", "sh", 'exec: "sh": executable file not found in $PATH'),
        ("nginx", "sh", ""),
        ("nginx", "cat", ""),
    ],
)
def test_what_is_not_in_the_image_cannot_be_started(image: str, command: str, problem: str) -> None:
    assert visit({"name": "web", "image": image}, FrozenView({}), 5).missing((command,)) == problem


def test_the_times_of_files_are_not_those_of_the_machine() -> None:
    session = visit({"name": "web", "image": "alpine"}, FrozenView({}), 5)
    told = session.execute(("sh", "-c", "ls -l /etc; stat /etc/hosts")).stdout
    assert "2026-09-21 14:13 hosts\n" in told
    assert "Modify: 1790000000\n" in told
