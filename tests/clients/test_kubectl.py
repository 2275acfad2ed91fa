"""What the real kubectl does over streams, and with users: exec, cp, attach, port-forward, logs -f, watches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients import serving, twice

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.serving import Served

pytestmark = pytest.mark.skipif(not os.path.exists(twice.KUBECTL), reason="there is no kubectl here")


def pod_of(name: str, *command: str, image: str = "nginx:1.27", **spec: Any) -> str:
    """A manifest."""
    container: dict[str, Any] = {"name": "main", "image": image, "ports": [{"containerPort": 80}]}
    if command:
        container["command"] = list(command)
    return json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container], **spec}}
    )


def kubectl(server: Served, *words: str, stdin: str | bytes = "") -> subprocess.CompletedProcess[bytes]:
    given = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run([twice.KUBECTL, *words], input=given, env=server.environment, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def pod(server: Served) -> str:
    done = kubectl(server, "create", "-f", "-", stdin=pod_of("web"))
    assert done.stdout == b"pod/web created\n", done.stderr
    return "web"


def test_a_command_runs_with_its_streams_and_code(server: Served, pod: str) -> None:
    done = kubectl(server, "exec", pod, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout) == (7, b"out\n")
    assert done.stderr == b"err\ncommand terminated with exit code 7\n"


def test_a_script_comes_on_standard_input(server: Served, pod: str) -> None:
    script = "for i in 1 2; do\n  echo $i\ndone\nset -e\nfalse\necho never\n"
    done = kubectl(server, "exec", "-i", pod, "--", "sh", stdin=script)
    assert (done.returncode, done.stdout) == (1, b"1\n2\n")
    assert kubectl(server, "exec", "-i", pod, "--", "cat", stdin="a\nb\n").stdout == b"a\nb\n"


def test_what_cannot_be_entered_says_so(server: Served, pod: str) -> None:
    missing = kubectl(server, "exec", pod, "--", "nope")
    assert b'exec: "nope": executable file not found in $PATH' in missing.stderr
    assert b"error: Internal error occurred" in missing.stderr
    assert b'pods "ghost" not found' in kubectl(server, "exec", "ghost", "--", "ls").stderr
    kubectl(server, "create", "-f", "-", stdin=pod_of("lost", schedulerName="none"))
    assert b"pod lost does not have a host assigned" in kubectl(server, "exec", "lost", "--", "ls").stderr


def test_files_are_copied_there_and_back(server: Served, pod: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "bytes").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "there" / "text").write_text("hello\n")
    assert kubectl(server, "cp", str(tmp_path / "there"), f"{pod}:/tmp/there").returncode == 0
    assert kubectl(server, "exec", pod, "--", "cat", "/tmp/there/text").stdout == b"hello\n"
    done = kubectl(server, "cp", f"{pod}:/tmp/there", str(tmp_path / "back"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back" / "bytes").read_bytes() == (tmp_path / "there" / "bytes").read_bytes()
    assert (tmp_path / "back" / "text").read_text() == "hello\n"
    assert b"No such file or directory" in kubectl(server, "cp", f"{pod}:/nope", str(tmp_path / "nope")).stdout


def test_a_port_is_forwarded(server: Served, pod: str) -> None:
    running = subprocess.Popen(
        [twice.KUBECTL, "port-forward", f"pod/{pod}", ":80"],
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    line = running.stdout.readline().decode()
    port = line.partition("127.0.0.1:")[2].partition(" ")[0]
    for _ in range(3):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            assert answer.read() == b"200 from pod default/web (1.27)\n"
    running.terminate()
    running.communicate(timeout=20)


def test_nobody_listens_on_another_port(server: Served, pod: str) -> None:
    running = subprocess.Popen(
        [twice.KUBECTL, "port-forward", f"pod/{pod}", ":81"],
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    port = running.stdout.readline().decode().partition("127.0.0.1:")[2].partition(" ")[0]
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20)
    running.terminate()
    _, told = running.communicate(timeout=20)
    assert b"connection refused" in told


def test_a_log_is_followed_and_attached_to_until_the_end(server: Served) -> None:
    job = pod_of(
        "job", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 20; done", image="busybox", restartPolicy="Never"
    )
    server.call("POST", serving.CLOCK, {"mode": "manual"})
    kubectl(server, "create", "-f", "-", stdin=job)
    server.pass_time(10)
    commands = (["logs", "-f", "job"], ["attach", "-q", "job"])
    following = [
        subprocess.Popen(
            [twice.KUBECTL, *words], env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for words in commands
    ]
    time.sleep(3)
    server.pass_time(70)
    log, attached = (one.communicate(timeout=30)[0] for one in following)
    server.call("POST", serving.CLOCK, {"mode": "virtual"})
    assert log == b"1\n2\n3\n"
    assert attached == b"2\n3\n"


def test_a_watch_goes_on_until_it_is_ended(server: Served) -> None:
    running = subprocess.Popen(
        [twice.KUBECTL, "get", "configmaps", "-w", "--no-headers"], env=server.environment, stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    running.stdout.readline()
    kubectl(server, "create", "configmap", "seen")
    assert running.stdout.readline().split()[0] == b"seen"
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)


def test_a_user_of_ones_own_may_do_what_roles_say(tmp_path: Path) -> None:
    with serving.served(tmp_path, "--user", "alice=devs") as server:
        alice = ("--context", "kpy-alice")
        assert b'User "alice" cannot list resource "pods"' in kubectl(server, *alice, "get", "pods").stderr
        kubectl(server, "create", "rolebinding", "devs", "--clusterrole=view", "--group=devs")
        assert kubectl(server, *alice, "get", "pods").returncode == 0
        assert kubectl(server, *alice, "auth", "can-i", "delete", "pods").stdout == b"no\n"


def test_plain_http_needs_no_token(tmp_path: Path) -> None:
    with serving.served(tmp_path, "--plain-http") as server:
        assert server.address.startswith("http://")
        assert kubectl(server, "get", "nodes", "--no-headers").stdout.count(b"Ready") == 3
        assert kubectl(server, "exec", "nope", "--", "ls").returncode == 1


def test_after_a_restart_watches_go_on_and_the_command_line_works_meanwhile(tmp_path: Path) -> None:
    with serving.served(tmp_path) as server:
        kubectl(server, "create", "configmap", "a")
        since = server.call("GET", "/api/v1/configmaps")["metadata"]["resourceVersion"]
        assert serving.kpy(tmp_path, "create", "configmap", "b").returncode == 0
        assert kubectl(server, "get", "configmap", "b", "-o", "name").stdout == b"configmap/b\n"
        first = server.address
    with serving.served(tmp_path) as server:
        assert server.address == first, "the port is used again"
        kubectl(server, "create", "configmap", "c")
        path = f"/api/v1/configmaps?watch=true&timeoutSeconds=1&resourceVersion={since}"
        done = kubectl(server, "get", "--raw", path)
        assert [name in done.stdout for name in (b'"name":"a"', b'"name":"b"', b'"name":"c"')] == [False, True, True]


def test_an_existing_kubeconfig_keeps_its_entries(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "{apiVersion: v1, kind: Config, clusters: [{name: other, cluster: {server: 'https://other:6443'}}], users: [], contexts: []}\n"
    )
    with serving.served(tmp_path / "home", "--kubeconfig", str(config)) as server:
        assert set(kubectl(server, "config", "get-clusters").stdout.split()) == {b"NAME", b"kpy", b"other"}
        assert kubectl(server, "get", "nodes").returncode == 0
