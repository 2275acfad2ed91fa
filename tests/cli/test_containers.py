"""What is seen of containers from outside: logs, exec, attach, cp, debug."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PODS = """
apiVersion: v1
kind: Pod
metadata: {name: counter, labels: {app: count}}
spec:
  containers:
  - name: count
    image: busybox:1.28
    args: [/bin/sh, -c, 'i=0; while true; do echo "tick $i"; i=$((i+1)); sleep 1; done']
---
apiVersion: v1
kind: Pod
metadata: {name: live, labels: {app: count}}
spec:
  containers:
  - name: web
    image: busybox
    command: [sh, -c, 'echo up; touch /tmp/healthy; sleep 3600']
    livenessProbe: {exec: {command: [cat, /tmp/healthy]}, periodSeconds: 5}
  - {name: side, image: nginx}
---
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec:
  containers:
  - {name: web, image: busybox, command: [sh, -c, 'echo attempt; sleep 2; exit 3']}
"""


@pytest.fixture
def running(kpy: Callable[..., Any]) -> Callable[..., Any]:
    """The three pods, ten seconds on."""
    kpy("apply", "-f", "-", stdin=PODS)
    kpy("reconcile", "--for", "10s")
    return kpy


def test_logs_show_what_has_been_written_by_now(running: Callable[..., Any]) -> None:
    assert running("logs", "counter").out == "".join(f"tick {number}\n" for number in range(9))
    assert running("logs", "counter", "--tail", "2").out == "tick 7\ntick 8\n"
    assert running("logs", "counter", "--since", "1s", "--timestamps").out == (
        "2026-09-21T14:13:29.000000000Z tick 7\n2026-09-21T14:13:30.000000000Z tick 8\n"
    )
    assert running("logs", "-l", "app=count", "--tail", "1", "--prefix").out == (
        "[pod/counter/count] tick 8\n[pod/live/web] up\n"
    )
    assert running("logs", "counter", "--limit-bytes", "9").out == "tick 0\nti"


def test_followed_logs_let_time_pass(running: Callable[..., Any]) -> None:
    assert running("logs", "counter", "-f", "--tail", "1", "--request-timeout", "20s").out == "tick 28\n"


def test_the_log_of_the_instance_before_is_there(running: Callable[..., Any]) -> None:
    assert running("logs", "crash", "-p").out == "attempt\n"
    assert running("logs", "counter", "--previous").err == (
        'Error from server (BadRequest): previous terminated container "count" in pod "counter" not found\n'
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nope",), 'error: error from server (NotFound): pods "nope" not found in namespace "default"\n'),
        (("live", "-c", "x"), "error: container x is not valid for pod live out of: web, side\n"),
        (
            ("counter", "--since", "1s", "--since-time", "2026-01-01T00:00:00Z"),
            "error: at most one of `sinceTime` or `sinceSeconds` may be specified\n",
        ),
        (("counter", "count", "-c", "count"), "error: only one of -c or an inline [CONTAINER] arg is allowed\n"),
        (("counter", "--tail=-5"), "error: --tail must be greater than or equal to -1\n"),
        (
            ("-l", "app=count", "-f", "--max-log-requests", "1"),
            "error: you are attempting to follow 2 log streams, but maximum allowed concurrency is 1, use "
            "--max-log-requests to increase the limit\n",
        ),
    ],
)
def test_logs_that_cannot_be_shown(words: tuple[str, ...], message: str, running: Callable[..., Any]) -> None:
    result = running("logs", *words)
    assert (result.code, result.err.splitlines(keepends=True)[-1]) == (1, message)


def test_a_container_that_waits_has_no_log(kpy: Callable[..., Any]) -> None:
    kpy("run", "bad", "--image=nginx:no-such-tag")
    assert kpy("logs", "bad").out == ""
    kpy("reconcile", "--for", "5s")
    assert kpy("logs", "bad").err == (
        'Error from server (BadRequest): container "bad" in pod "bad" is waiting to start: trying and failing to pull image\n'
    )


def test_exec_runs_a_command_and_tells_its_exit_code(running: Callable[..., Any]) -> None:
    assert running("exec", "counter", "--", "hostname").out == "counter\n"
    failed = running("exec", "counter", "--", "sh", "-c", "echo no >&2; exit 7")
    assert (failed.code, failed.err) == (7, "no\ncommand terminated with exit code 7\n")
    assert running("exec", "-i", "counter", "--", "sh", stdin="cd /tmp\npwd\n").out == "/tmp\n"
    assert running("exec", "-i", "counter", "--", "tr", "a-z", "A-Z", stdin="loud").out == "LOUD"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nope", "--", "ls"), 'Error from server (NotFound): pods "nope" not found\n'),
        (
            ("counter", "ls"),
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n",
        ),
        (("counter",), "error: you must specify at least one command for the container\n"),
        (
            ("crash", "--", "ls"),
            'error: Internal error occurred: unable to upgrade connection: container not found ("web")\n',
        ),
    ],
)
def test_commands_that_cannot_be_run(words: tuple[str, ...], message: str, running: Callable[..., Any]) -> None:
    result = running("exec", *words)
    assert (result.code, result.err.splitlines(keepends=True)[0]) == (1, message)


def test_a_command_that_is_not_in_the_image(running: Callable[..., Any]) -> None:
    result = running("exec", "counter", "--", "nosuch")
    assert result.code == 1
    assert result.err.endswith('exec: "nosuch": executable file not found in $PATH: unknown\n')


def test_a_file_removed_by_hand_fails_the_probe(running: Callable[..., Any]) -> None:
    assert running("exec", "live", "-c", "web", "--", "rm", "/tmp/healthy").code == 0
    running("reconcile", "--for", "60s")
    assert running("get", "pod", "live", "-o", "jsonpath={.status.containerStatuses[1].restartCount}").out == "1"
    assert running("exec", "live", "-c", "web", "--", "ls", "/tmp/healthy").out == "/tmp/healthy\n"


def test_files_are_copied_in_and_out(running: Callable[..., Any], tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.txt").write_text("α\n", encoding="utf-8")
    (source / "b.bin").write_bytes(bytes(range(256)))
    assert running("cp", str(source), "counter:/tmp/copy").code == 0
    assert running("exec", "counter", "--", "cat", "/tmp/copy/a.txt").out == "α\n"
    target = tmp_path / "out"
    assert running("cp", "default/counter:/tmp/copy", str(target)).code == 0
    assert (target / "b.bin").read_bytes() == bytes(range(256))
    missing = running("cp", "counter:/nope", str(target))
    assert (missing.code, missing.out + missing.err) == (
        2,
        "tar: /nope: Cannot stat: No such file or directory\n"
        "tar: Exiting with failure status due to previous errors\ncommand terminated with exit code 2\n",
    )
    assert running("cp", "a", "b").err == "error: one of src or dest must be a remote file specification\n"


def test_attach_prints_what_comes_from_now_on(running: Callable[..., Any]) -> None:
    result = running("attach", "counter", "-q")
    assert result.out.splitlines()[0] == "tick 8"
    assert len(result.out.splitlines()) == 61


def test_debug_adds_an_ephemeral_container(running: Callable[..., Any]) -> None:
    result = running("debug", "live", "--image=busybox", "-c", "probe", "--", "sh", "-c", "hostname")
    assert (result.code, result.out) == (0, "")
    running("reconcile", "--for", "5s")
    assert running("logs", "live", "-c", "probe").out == "live\n"
    assert "Completed" in running("describe", "pod", "live").out
    assert running("debug", "live").err == "error: you must specify --image when not using --copy-to.\n"


def test_debug_makes_a_copy_or_a_pod_on_a_node(running: Callable[..., Any]) -> None:
    assert running("debug", "live", "--copy-to=copy", "--set-image=*=alpine").code == 0
    assert running("get", "pod", "copy", "-o", "jsonpath={.spec.containers[*].image}").out == "alpine alpine"
    made = running("debug", "node/worker-1", "--image=busybox").out
    assert made.startswith("Creating debugging pod node-debugger-worker-1-")
    pod = made.split()[3]
    assert running("get", "pod", pod, "-o", "jsonpath={.spec.hostNetwork} {.spec.nodeName}").out == "true worker-1"


def test_a_node_that_is_down_answers_nothing(running: Callable[..., Any]) -> None:
    node = running("get", "pod", "counter", "-o", "jsonpath={.spec.nodeName}").out
    running("node", "fail", node)
    assert "connect: no route to host" in running("logs", "counter").err
    assert "connect: no route to host" in running("exec", "counter", "--", "ls").err


def test_images_are_listed_removed_broken_and_added_again(kpy: Callable[..., Any]) -> None:
    assert kpy("image", "remove", "shop/web:1").out == "image shop/web:1 removed\n"
    assert kpy("image", "fail", "redis*", "--message", "quota exceeded").out == "image redis* fails\n"
    listed = kpy("image", "list").out
    assert "\nnginx " in listed
    assert "quota exceeded\n" in listed
    kpy("run", "web", "--image=shop/web:1")
    kpy("run", "cache", "--image=redis:7")
    kpy("reconcile", "--for", "5s")
    assert kpy("get", "pods", "--no-headers").out.count("ImagePullBackOff") == 2
    assert kpy("image", "add", "shop/web:1").out == "image shop/web:1 added\n"
    assert kpy("image", "add", "shop/web:1").err == "error: image shop/web:1 can be pulled already\n"
    kpy("reconcile", "--for", "1m")
    assert "Running" in kpy("get", "pod", "web").out


def test_an_init_container_waits_for_a_service_of_another_namespace(kpy: Callable[..., Any]) -> None:
    kpy("create", "namespace", "data")
    script = "until nslookup db.data; do sleep 2; done"
    init = {"name": "wait", "image": "busybox", "command": ["sh", "-c", script]}
    spec = {"initContainers": [init], "containers": [{"name": "web", "image": "nginx"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    kpy("apply", "-f", "-", stdin=json.dumps(pod))
    kpy("reconcile", "--for", "30s")
    assert "Init:0/1" in kpy("get", "pod", "web").out
    kpy("create", "service", "clusterip", "db", "--tcp=5432", "-n", "data")
    kpy("reconcile", "--for", "30s")
    assert "Running" in kpy("get", "pod", "web").out


def test_run_enters_the_new_container_and_removes_it_when_asked(kpy: Callable[..., Any]) -> None:
    result = kpy("run", "-i", "tmp", "--image=busybox", "--restart=Never", "--rm", "-q", "--", "sh", stdin="hostname\n")
    assert (result.code, result.out) == (0, 'tmp\npod "tmp" deleted from default namespace\n')
    shown = kpy("run", "tmp2", "--attach", "--image=busybox", "--restart=Never", "-q", "--", "echo", "hello")
    assert (shown.code, shown.out) == (0, "hello\n")
