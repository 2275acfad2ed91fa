"""Who may read a cluster's files, and what kpy tells of Secrets: nobody else, and nothing."""

from __future__ import annotations

import base64
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minikube_py import home
from minikube_py.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

WORD, OTHER = "open-sesame-4711", "let-me-in-0815"
CODED = base64.b64encode(WORD.encode()).decode()


def secret(name: str = "s", data: str = f"{{key: {CODED}}}", more: str = "") -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ndata: {data}\n{more}"


@pytest.fixture
def generous() -> object:
    """A umask that would let everybody read."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous")
def test_all_files_and_folders_are_for_their_owner_only(tmp_path: Path, kpy: Callable[..., Result]) -> None:
    folder = Path(os.environ["KPY_HOME"])
    shutil.rmtree(folder)
    for words in (
        ("run", "p", "--image=nginx"),
        ("reconcile",),
        ("cluster", "snapshot", "save", "one"),
        ("cluster", "start", "two", "--nodes", "1"),
        ("config", "use-context", "kpy"),
        ("config", "set-context", "--current", "--namespace", "x"),
        ("cluster", "snapshot", "restore", "one"),
    ):
        assert kpy(*words).code == 0, words
    store = Store(str(folder / "clusters" / "kpy.db"))
    with store.turn(), store.transaction():  # now the log and its index lie beside the file
        store.set_meta("x", "y")
        store.flush()
        found = {
            str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode)
            for path in [folder, *folder.rglob("*")]
        }
    store.close()
    assert any(name.endswith("-wal") for name in found)
    assert any(name.endswith("one.db") for name in found)
    for name, mode in found.items():
        assert mode == (0o700 if (folder.parent / name).is_dir() else 0o600), (name, oct(mode))
    assert not [name for name in found if "/." in name], "temporaries are left"


def test_temporaries_of_a_killed_process_are_removed(kpy: Callable[..., Result]) -> None:
    folder = Path(os.environ["KPY_HOME"]) / "clusters"
    killed = 4_194_304  # beyond the highest process id that Linux gives
    mine = folder / f".mine.db.{os.getppid()}.new"
    for name in (f".two.db.{killed}.new", f".two.db.{killed}.new-wal"):
        (folder / name).write_text("half a cluster")
    mine.write_text("of a process that lives")
    assert kpy("cluster", "start", "two", "--nodes", "1").code == 0
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == [mine.name]


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "..", ".hidden", "x\n"])
def test_no_name_leaves_its_folder(name: str, kpy: Callable[..., Result]) -> None:
    before = sorted(Path(os.environ["KPY_HOME"]).parent.rglob("*"))
    for words in (("cluster", "start", name), ("cluster", "snapshot", "save", name), ("cluster", "snapshot", "restore", name),
                  ("cluster", "delete", name), ("cluster", "check", name), ("get", "pods", "--context", name),
                  ("cluster", "snapshot", "delete", name)):  # fmt: skip
        assert kpy(*words).code == 1, words
    assert sorted(Path(os.environ["KPY_HOME"]).parent.rglob("*")) == before


def test_no_name_in_a_manifest_becomes_a_path(kpy: Callable[..., Result]) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../../escaped, namespace: ../../x}\ndata: {../../y: z}"
    before = sorted(
        path for path in Path(os.environ["KPY_HOME"]).parent.rglob("*") if not path.name.startswith("kpy.db")
    )
    assert kpy("apply", "-f", "-", stdin=text).code == 1
    assert before == sorted(
        path for path in Path(os.environ["KPY_HOME"]).parent.rglob("*") if not path.name.startswith("kpy.db")
    )


def test_a_snapshot_restored_where_no_snapshot_may_go_is_refused(kpy: Callable[..., Result]) -> None:
    kpy("cluster", "snapshot", "save", "one")
    file = Path(home.root()) / "snapshots" / "kpy" / "one.db"
    content = file.read_bytes()
    before = kpy("digest").out
    for damage in (b"", b"no database" * 1000, content[: len(content) // 2]):
        file.write_bytes(damage)
        result = kpy("cluster", "snapshot", "restore", "one")
        assert result.code == 1
        assert result.err.startswith(f"error: the snapshot {file} cannot be restored: the file is ")
        assert kpy("digest").out == before
        assert "one    damaged" in kpy("cluster", "snapshot", "list").out


# ------------------------------------------------------------------------------------------------------------ Secrets

POD = """apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: c
    image: nginx
    env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: key}}}]
    volumeMounts: [{name: v, mountPath: /v}]
  volumes: [{name: v, secret: {secretName: s}}]
"""


def assert_silent(result: Result, *, about: object) -> None:
    for word in (WORD, OTHER, CODED, base64.b64encode(OTHER.encode()).decode()):
        assert word not in result.out + result.err, about


def test_what_happens_to_a_secret_is_told_without_it(kpy: Callable[..., Result]) -> None:
    steps: list[tuple[tuple[str, ...], str]] = [
        (("apply", "-f", "-"), secret() + "---\n" + POD),
        (("reconcile", "-v"), ""),
        (("apply", "-f", "-"), secret(data="{}", more=f"stringData: {{key: {OTHER}}}\n")),
        (("reconcile", "-v"), ""),
        (("reconcile", "-w"), ""),
        (("reconcile", "--step"), ""),
        (("patch", "secret", "s", "-p", f'{{"stringData": {{"key": "{WORD}"}}}}'), ""),
        (("reconcile", "-v", "-w"), ""),
        (("history",), ""),
        (("history", "secret/s"), ""),
        (("get", "secrets", "-A", "-o", "wide"), ""),
        (("describe", "secret", "s"), ""),
        (("describe", "pod", "p"), ""),
        (("get", "events", "-A"), ""),
        (("cluster", "check"), ""),
        (("delete", "secret", "s"), ""),
        (("reconcile", "-v"), ""),
    ]
    for words, stdin in steps:
        result = kpy(*words, stdin=stdin)
        assert result.code == 0, (words, result.err)
        assert_silent(result, about=words)


@pytest.mark.parametrize(
    "text",
    [
        secret("Not_A_Name"),
        secret(data=f"{{key: {WORD}!}}"),
        secret(data=f"{{'bad key!': {CODED}}}"),
        secret(data=f"[{CODED}]"),
        secret(data=f"{{key: [{CODED}]}}"),
        secret(data=f"{{key: {{inner: {CODED}}}}}"),
        secret(data=CODED),
        secret(more=f"stringdata: {{key: {WORD}}}\n"),
        secret(more=f"stringData: {WORD}\n"),
        secret(more="immutable: perhaps\n"),
        secret(more="type: kubernetes.io/tls\n"),
        secret(data=f"{{key: {CODED}, key: {CODED}}}"),
    ],
)
def test_a_secret_that_is_refused_is_not_told(text: str, kpy: Callable[..., Result]) -> None:
    for verb in ("apply", "create", "replace"):
        result = kpy(verb, "-f", "-", stdin=text)
        assert_silent(result, about=(verb, result.err))


@pytest.mark.parametrize("more", ["type: other\n", "immutable: true\n"])
def test_a_change_of_a_secret_that_is_refused_is_not_told(more: str, kpy: Callable[..., Result]) -> None:
    assert kpy("apply", "-f", "-", stdin=secret(more="immutable: true\n")).code == 0
    coded = base64.b64encode(OTHER.encode()).decode()
    for verb in ("apply", "replace"):
        result = kpy(verb, "-f", "-", stdin=secret(data=f"{{key: {coded}}}", more=more))
        assert (result.code, result.out) == (1, "")
        assert_silent(result, about=result.err)
    for wrong in (f"{{key: [{coded}]}}", f"{{key: {OTHER}!}}", f"[{coded}]"):
        assert_silent(kpy("apply", "-f", "-", stdin=secret(data=wrong)), about=wrong)
    patched = kpy("patch", "secret", "s", "-p", f'{{"data": {{"key": "{coded}"}}}}')
    assert patched.code == 1
    assert_silent(patched, about=patched.err)
