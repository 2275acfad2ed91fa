"""Scripts in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.programs import behaviour as programs
from minikube_py.programs import run, shell
from tests.support import T0, FrozenView

Object = dict[str, Any]


def does(
    script: str, *, image: str = "busybox", job: bool = False, view: FrozenView | None = None, **fields: Any
) -> programs.Behaviour:
    container = {"name": "web", "image": image, "command": ["sh", "-c", script], **fields}
    meta: Object = {"name": "p", "namespace": "default", "uid": "u", "labels": {"app": "x"}}
    if job:
        meta["ownerReferences"] = [{"kind": "Job", "name": "j", "uid": "j", "controller": True}]
    spec = {"containers": [container], "volumes": [{"name": "conf", "configMap": {"name": "conf"}}]}
    pod = {"metadata": meta, "spec": spec, "status": {"startTime": T0.timestamp}}
    return programs.behaviour(container, pod, view or FrozenView({}), T0)


@pytest.mark.parametrize(
    ("script", "end", "code"),
    [
        ("exit 3", 0, 3),
        ("sleep 10; exit 3", 10, 3),
        ("sleep 1m", 60, 0),
        ("/bin/sleep 7", 7, 0),
        ("for i in 1 2 3 4 5; do sleep 0.5; done", 2, 0),
        ("sleep 0.25; sleep 0.25; sleep .5", 1, 0),
        ("for i in 1 2 3; do sleep $i; done; false", 6, 1),
        ("while true; do echo hi; sleep 5; done", None, 0),
        ("while :; do :; done", None, 0),
        ("sleep infinity", None, 0),
        ("tail -f /dev/null", None, 0),
        ("my-server --port 80", None, 0),
        ("sleep 5; exec /opt/server", None, 0),
        ("wget -q http://other/ && curl other", 0, 1),
    ],
)
def test_when_a_script_ends(script: str, end: int | None, code: int) -> None:
    found = does(script)
    assert (found.exit_after_s, found.exit_code) == (end, code)


def test_an_unknown_command_is_a_server_or_in_a_job_a_task() -> None:
    assert does("migrate --all", image="example.com/app:1").exit_after_s is None
    assert does("migrate --all; sleep 4", image="example.com/app:1", job=True).exit_after_s == 4


def test_files_of_an_unknown_image_are_not_missed() -> None:
    assert does("cd /app && cat config.json", image="example.com/app:1").exit_after_s is None
    assert does("cat /data/x", image="example.com/app:1", job=True).exit_code == 0
    assert does("cat /data/x", image="busybox", job=True).exit_code == 1


@pytest.mark.parametrize(
    ("script", "stop", "code"),
    [
        ("sleep 3600", None, 137),
        ("while true; do sleep 5; done", None, 137),
        ("trap 'exit 0' TERM; sleep 3600", 1, 0),
        ("exec my-server", 1, 0),
        ("echo hi; my-server", None, 137),
    ],
)
def test_how_process_one_takes_sigterm(script: str, stop: int | None, code: int) -> None:
    found = does(script)
    assert (found.stop_s, found.stop_code) == (stop, code)


def test_the_log_has_virtual_times() -> None:
    assert does("echo a; sleep 5; echo b >&2; sleep 5; date").log == (
        (0, "a"),
        (5, "b"),
        (10, "Mon Sep 21 14:13:30 UTC 2026"),
    )


def test_a_command_sees_the_container_as_it_is_at_that_second() -> None:
    found = does("sleep 10; echo hello > /tmp/x; sleep 10; rm /tmp/x; sleep 99").shell
    assert found is not None
    answers = [found.execute(second, ("cat", "/tmp/x")) for second in (0, 9, 10, 19, 20)]
    gone = shell.Result(1, "", "cat: can't open '/tmp/x': No such file or directory\n", 0)
    there = shell.Result(0, "hello\n", "", 0)
    assert answers == [gone, gone, there, there, gone]
    assert found.changes() == (0, 10, 20, 119)


def test_the_environment_comes_from_configmaps_secrets_and_fields() -> None:
    view = FrozenView(
        {
            "configmaps": [{"metadata": {"name": "conf", "namespace": "default"}, "data": {"a": "1", "b": "2"}}],
            "secrets": [{"metadata": {"name": "cred", "namespace": "default"}, "data": {"p": "c2VjcmV0"}}],
        }
    )
    env = [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}},
        {"name": "P", "valueFrom": {"secretKeyRef": {"name": "cred", "key": "p"}}},
        {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "AB", "value": "$(A)-$$(A)"},
    ]
    source = [{"prefix": "X_", "configMapRef": {"name": "conf"}}]
    mounts = [{"name": "conf", "mountPath": "/etc/conf"}]
    found = does(
        'echo "$A $P $N $L $AB $X_b"; cat /etc/conf/b; hostname',
        view=view,
        env=env,
        envFrom=source,
        volumeMounts=mounts,
    )
    assert [line for _, line in found.log] == ["1 secret p x 1-$(A) 2", "2p"]


def test_a_name_is_found_when_its_service_is_there() -> None:
    script = "until nslookup db.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do sleep 2; done"
    service = {"metadata": {"name": "db", "namespace": "default"}}
    assert does(script).exit_after_s is None
    assert does(script, view=FrozenView({"services": [service]})).exit_after_s == 0


def test_init_containers_leave_files_to_the_others() -> None:
    mounts = [{"name": "work", "mountPath": "/srv"}]
    init = {
        "name": "init",
        "image": "busybox",
        "command": ["sh", "-c", "echo made > /srv/file"],
        "volumeMounts": mounts,
    }
    web = {
        "name": "web", "image": "busybox", "command": ["cat", "/data/file"],
        "volumeMounts": [{"name": "work", "mountPath": "/data"}],
    }  # fmt: skip
    spec = {"initContainers": [init], "containers": [web], "volumes": [{"name": "work", "emptyDir": {}}]}
    pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": spec}
    found = programs.behaviour(web, pod, FrozenView({}), T0)
    assert (found.exit_code, found.log) == (0, ((0, "made"),))


@pytest.mark.parametrize(
    ("argv", "script"),
    [
        (("sh", "-c", "echo hi"), "echo hi"),
        (("/bin/sh", "-c", "--", "echo hi"), "echo hi"),
        (("bash", "-ec", "echo $1", "sh", "a b"), "set -e\nset -- 'a b'\necho $1"),
        (("sleep", "5"), "sleep 5"),
        (("/bin/echo", "a b"), "echo 'a b'"),
        (("python", "app.py"), None),
        (("sh", "/run.sh"), None),
        ((), None),
    ],
)
def test_which_command_lines_are_scripts(argv: tuple[str, ...], script: str | None) -> None:
    assert shell.script_of(argv) == script


def test_a_hook_takes_as_long_as_its_script() -> None:
    assert shell.outcome(("/bin/sh", "-c", "sleep 15")) == (0, "", "", 15)
    assert shell.outcome(("nginx", "-s", "quit")) == (0, "", "", 0)
    assert shell.outcome(("sh", "-c", "sleep 2; echo a; echo b >&2; exit 3")) == (3, "a\n", "b\n", 2)


def test_a_hook_that_waits_for_its_server_to_quit_finds_it_gone() -> None:
    waits = "nginx -s quit; while killall -0 nginx; do sleep 1; done"
    assert shell.outcome(("sh", "-c", waits)).took_s == 0
    assert shell.outcome(("sh", "-c", "while killall -0 nginx; do sleep 1; done")).took_s == run.FOREVER_S
    assert shell.outcome(("sh", "-c", "while true; do sleep 1; done")).took_s == run.FOREVER_S


@pytest.mark.parametrize(
    "script",
    ["while :; do :; done", ":(){ :|:& };:", "while true; do echo hello; done", "x=a; while true; do x=$x$x; done"],
)
def test_a_runaway_is_cut_off_and_takes_all_the_cpu_it_may(script: str) -> None:
    container = {
        "name": "w",
        "image": "busybox",
        "command": ["sh", "-c", script],
        "resources": {"limits": {"cpu": "250m"}},
    }
    pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [container]}}
    found = shell.of(container, pod, programs.DEFAULT)
    assert found is not None
    assert (found.exit_after_s, found.cpu_m) == (None, ((0, 250),))
