"""`kpy cluster check` names what is wrong with a file, and nothing where nothing is."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minikube_py.cluster import Cluster
from minikube_py.store import check

if TYPE_CHECKING:
    from collections.abc import Callable

POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "100m"}}}]},
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("check") / "c.db"
    with Cluster.make(str(path), name="c", epoch_s=1_790_000_000) as cluster:
        cluster.create(POD)
        cluster.reconcile()
    return path.read_bytes()


@pytest.fixture
def path(whole: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "c.db"
    path.write_bytes(whole)
    return path


def test_a_whole_file_has_no_findings_and_is_left_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    assert check.problems(str(path)) == []
    assert path.read_bytes() == before


POD_ID = "(SELECT id FROM object WHERE resource = 'pods')"


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DELETE FROM log WHERE revision IN (7, 8)", "log: revisions 7 to 8 are missing"),
        ("UPDATE meta SET value = '99999' WHERE name = 'cursor'", "meta: the engine has read up to revision 99999"),
        ("DELETE FROM meta WHERE name = 'epoch_s'", "meta: the cluster has no beginning"),
        ("UPDATE meta SET value = '7' WHERE name = 'now_s'", "meta: now lies before the cluster's beginning"),
        ("DELETE FROM bucket WHERE bucket LIKE 'l:%'", "index: pods default/p lies wrong in l:default/app=web"),
        (f"INSERT INTO bucket VALUES ('u:', {POD_ID})", "index: pods default/p lies wrong in u:"),
        ("INSERT INTO bucket VALUES ('u:', 99999)", "index: u: name object 99999, which is not there"),
        ("UPDATE counter SET body = '{}'", "counter: node worker-"),
        ("UPDATE object SET revision = 1 WHERE resource = 'pods'", "object pods default/p: the body is of another"),
        (
            "UPDATE object SET body = '{' WHERE resource = 'configmaps'",
            "object configmaps default/kube-root-ca.crt: the body is no JSON",
        ),
        ("DELETE FROM object WHERE resource = 'leases.coordination.k8s.io'", "gone without a deletion"),
        (
            "INSERT INTO memory VALUES ('kubelet', 'pods', 'default', 'ghost', '{}')",
            "memory: kubelet remembers pods default/ghost, which is gone",
        ),
        ("PRAGMA user_version = 99", "the file has schema 99"),
        ("PRAGMA application_id = 1", "the file is a database of another program"),
    ],
)
def test_each_sort_of_damage_is_named(damage: str, finding: str, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(damage)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = check.problems(str(path))
    assert any(finding in line for line in found), found
    assert all("\n" not in line for line in found)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_short(path: Path) -> None:
    os.truncate(path, 50)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("hello " * 100)


def missing(path: Path) -> None:
    path.unlink()


def torn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for start in range(3 * 8192, len(content) - 8192, 8192):
        content[start : start + 300] = b"\xff" * 300
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (cut, "the file is truncated: "),
        (cut_short, "the file is truncated: 50 bytes"),
        (empty, "the file is empty"),
        (text, "the file is no SQLite database"),
        (missing, "the file cannot be read: No such file or directory"),
        (torn, ("the file cannot be read: database disk image is malformed", "integrity: ")),  # as SQLite meets it
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damaged_bytes_are_named(damage: Callable[[Path], None], finding: str | tuple[str, ...], path: Path) -> None:
    damage(path)
    found = check.problems(str(path))
    assert any(line.startswith(finding) for line in found), found


def test_after_compaction_revisions_count_from_the_compacted_one(path: Path) -> None:
    with Cluster.open(str(path)) as cluster:
        cluster.compact(10)
    assert check.problems(str(path)) == []


def test_many_findings_of_one_sort_are_counted(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM log WHERE revision % 2 = 0")
    found = check.problems(str(path))
    assert len([line for line in found if line.startswith("log: ")]) == check.SHOWN_MAX
    assert any(line.startswith("... and ") for line in found)
