"""Cluster files that cannot be used, and disks that cannot be written: one line on standard error, exit code 1, no damage."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minikube_py.store import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Result

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n"
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
"""
COMMANDS = {
    "get": ["get", "pods", "-A"],
    "describe": ["describe", "nodes"],
    "apply": ["apply", "-f", "-"],
    "run": ["run", "x", "--image=y"],
    "delete": ["delete", "node", "worker-1", "--wait=false"],
    "reconcile": ["reconcile"],
    "history": ["history"],
    "digest": ["digest"],
    "snapshot": ["cluster", "snapshot", "save", "one"],
    "status": ["cluster", "status"],
}


def file_of(home: str) -> Path:
    return Path(home) / "clusters" / "kpy.db"


def sql(file: Path, text: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(text)


def garbage(file: Path) -> None:
    file.write_bytes(b"not a database at all\n" * 400)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 3)


def torn(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 200] = b"\xff" * 200
    file.write_bytes(content)


def foreign(file: Path) -> None:
    file.unlink()
    sql(file, "CREATE TABLE recipe (name TEXT)")


def newer(file: Path) -> None:
    sql(file, "PRAGMA user_version = 99")


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def unfinished(file: Path) -> None:
    sql(file, "DELETE FROM meta")


BROKEN: dict[Callable[[Path], None], str] = {
    garbage: "is damaged: file is not a database; restore a snapshot or delete the cluster",
    empty: "is not a kpy cluster file",
    truncated: "is damaged: database disk image is malformed; restore a snapshot or delete the cluster",
    torn: "is damaged: database disk image is malformed; restore a snapshot or delete the cluster",
    foreign: "is not a kpy cluster file",
    newer: f"was written by a newer kpy (schema 99, this one knows up to {schema.SCHEMA_VERSION}): update kpy",
    folder: "is a folder, not a cluster file",
    unfinished: "holds no cluster yet: it was left by a start that did not finish",
}


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "folder"


@pytest.fixture
def cluster_file(kpy: Callable[..., Result]) -> Path:
    file = file_of(os.environ["KPY_HOME"])
    sql(file, "PRAGMA wal_checkpoint(TRUNCATE)")  # all in the one file
    return file


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda function: function.__name__)
def test_a_broken_file_is_named_in_one_line_and_left_alone(
    break_it: Callable[[Path], None], cluster_file: Path, kpy: Callable[..., Result]
) -> None:
    break_it(cluster_file)
    before = digest(cluster_file)
    for command, words in COMMANDS.items():
        result = kpy(*words, stdin=CONFIG)
        if command == "snapshot" and break_it in (torn, unfinished):
            continue  # what SQLite can copy, it copies
        assert (result.code, result.out) == (1, ""), command
        assert result.err.count("\n") == 1, command
        assert result.err.startswith("error: "), command
        assert str(cluster_file) in result.err, command
        assert BROKEN[break_it] in result.err, command
        assert digest(cluster_file) == before, command


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda function: function.__name__)
def test_a_broken_cluster_is_listed_beside_the_good_ones(
    break_it: Callable[[Path], None], cluster_file: Path, kpy: Callable[..., Result]
) -> None:
    assert kpy("cluster", "start", "good").code == 0
    break_it(cluster_file)
    listed = kpy("cluster", "list")
    assert listed.code == 0
    assert BROKEN[break_it] in listed.out
    assert "good" in listed.out
    assert kpy("config", "get-contexts", "-o", "name").out == "good\nkpy\n"
    assert kpy("--context", "good", "get", "nodes", "-o", "name").out.startswith("node/")


def test_an_object_that_is_no_json_any_more_is_damage(cluster_file: Path, kpy: Callable[..., Result]) -> None:
    sql(cluster_file, "UPDATE object SET body = '{' WHERE resource = 'nodes'")
    for words in (
        ["describe", "nodes"],
        ["apply", "-f", "-"],
        ["reconcile"],
        ["history"],
        ["delete", "node", "worker-1"],
    ):
        result = kpy(*words, stdin=DEPLOYMENT)
        if words[0] != "apply" and words[0] != "reconcile":
            assert result.code == 1, words
            assert "is damaged: " in result.err, words
        assert "Traceback" not in result.err, words


# ------------------------------------------------------------------------------------------------------ full disks


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Every connection that is opened from now on obeys a PRAGMA: a disk without room, a file that may only be read."""

    def set_up(pragma: Callable[[sqlite3.Connection], str]) -> None:
        connect = schema.connect

        def limited(path: str, *, create: bool = False) -> sqlite3.Connection:
            connection = connect(path, create=create)
            connection.execute(pragma(connection))
            return connection

        monkeypatch.setattr(schema, "connect", limited)

    return set_up


def pages(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA page_count").fetchone()[0]
    return found


def dump(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return "\n".join(connection.iterdump())


def many(count: int) -> str:
    return "---\n".join(
        CONFIG.replace("conf", f"conf-{number}") + f"data: {{a: {'x' * 3000}}}\n" for number in range(count)
    )


@pytest.mark.parametrize("room", [0, 1, 7, 30])
def test_a_full_disk_stores_nothing_and_claims_nothing(
    room: int, limit: Callable[..., None], cluster_file: Path, kpy: Callable[..., Result]
) -> None:
    before = dump(cluster_file)
    limit(lambda connection: f"PRAGMA max_page_count = {pages(connection) + room}")
    for words in (["apply", "-f", "-"], ["create", "-f", "-"]):
        result = kpy(*words, stdin=many(120))
        assert (result.code, result.out) == (1, "")
        assert result.err == f"error: the disk is full: nothing was written to {cluster_file}\n"
        assert dump(cluster_file) == before


def test_a_disk_that_fills_up_while_time_passes_keeps_whole_instants(
    limit: Callable[..., None], cluster_file: Path, kpy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    kpy("apply", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 3", "replicas: 40"))
    with monkeypatch.context() as patched:
        connect = schema.connect

        def limited(path: str, *, create: bool = False) -> sqlite3.Connection:
            connection = connect(path, create=create)
            connection.execute(f"PRAGMA max_page_count = {pages(connection) + 20}")
            return connection

        patched.setattr(schema, "connect", limited)
        result = kpy("reconcile")
        assert result.code == 1
        assert result.err == f"error: the disk is full: nothing was written to {cluster_file}\n"
    dump(cluster_file)
    assert kpy("reconcile").code == 0
    assert kpy("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}").out == "40"


def test_a_file_that_may_only_be_read_is_read_and_not_written(
    limit: Callable[..., None], cluster_file: Path, kpy: Callable[..., Result]
) -> None:
    limit(lambda _: "PRAGMA query_only = 1")
    result = kpy("apply", "-f", "-", stdin=CONFIG)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: no permission to write the cluster file {cluster_file}: ")
    assert kpy("get", "nodes", "-o", "name").code == 0


# ------------------------------------------------------------------------------------------------------------ homes


def test_a_home_that_is_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kpy: Callable[..., Result]
) -> None:
    home = tmp_path / "file"
    home.write_text("mine")
    monkeypatch.setenv("KPY_HOME", str(home))
    more = {"list": ["cluster", "list"], "start": ["cluster", "start"], "contexts": ["config", "get-contexts"]}
    for command, words in {**COMMANDS, **more, "use": ["config", "use-context", "kpy"]}.items():
        result = kpy(*words, stdin=CONFIG)
        assert result == (1, "", f"error: {home} is not a folder: set KPY_HOME to one\n"), command
    assert home.read_text() == "mine"


@pytest.mark.parametrize("words", [["apply", "-f", "-"], ["cluster", "start"]])
def test_a_home_that_cannot_be_made_is_told(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kpy: Callable[..., Result]
) -> None:
    (tmp_path / "wall").write_text("")
    monkeypatch.setenv("KPY_HOME", str(tmp_path / "wall" / "home"))
    result = kpy(*words, stdin=CONFIG)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: cannot create the cluster file {tmp_path}/wall/home/clusters/")
    assert result.err.endswith(": Not a directory\n")


@pytest.mark.parametrize("name", [b"\xff\xfe", b"../../etc", b"Kpy", b"x" * 5000])
def test_a_chosen_cluster_that_has_no_possible_name_is_refused(name: bytes, kpy: Callable[..., Result]) -> None:
    (Path(os.environ["KPY_HOME"]) / "current").write_bytes(name)
    for words in (["get", "pods"], ["apply", "-f", "-"], ["reconcile"]):
        result = kpy(*words, stdin=CONFIG)
        assert (result.code, result.out) == (1, "")
        assert "is not a cluster name" in result.err
        assert result.err.count("\n") == 1


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Root obeys the modes of files, too: without the capabilities that let it pass (linux/capability.h)."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this thread
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    assert libc.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(header, sets) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize(
    ("locked", "mode", "refused"),
    [
        ("", 0o000, ("get", "apply", "reconcile", "start")),
        ("clusters", 0o000, ("get", "apply", "reconcile", "start")),
        ("clusters/kpy.db", 0o000, ("get", "apply", "reconcile")),
        ("clusters/kpy.db", 0o400, ("apply",)),
        ("clusters", 0o500, ("apply", "reconcile", "start")),
    ],
)
def test_without_permission_it_is_said_in_one_line(
    locked: str, mode: int, refused: tuple[str, ...], cluster_file: Path, kpy: Callable[..., Result]
) -> None:
    home, before = Path(os.environ["KPY_HOME"]), dump(cluster_file)
    place = home / locked
    usual = place.stat().st_mode
    for command in refused:
        words = ["cluster", "start", "two"] if command == "start" else COMMANDS[command]
        place.chmod(mode)
        try:
            with bound_by_permissions():
                result = kpy(*words, stdin=CONFIG)
        finally:
            place.chmod(usual)
        assert (result.code, result.out) == (1, ""), command
        assert result.err.startswith("error: "), command
        assert result.err.count("\n") == 1, command
        assert "ermission" in result.err, command
        assert str(home) in result.err, command
    assert dump(cluster_file) == before
