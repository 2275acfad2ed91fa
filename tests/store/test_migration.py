"""Files of an older kpy: brought up to date in one transaction, or left as they were."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from minikube_py.base.errors import StoreError
from minikube_py.cluster import MEMORY_EPOCH_S, Cluster
from minikube_py.store import check, schema
from minikube_py.store.store import Store


def colours(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE meta ADD COLUMN colour TEXT")
    connection.execute("UPDATE meta SET colour = 'red'")


def shades(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE meta SET colour = 'dark ' || colour")


def broken(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE meta SET colour = 'none'")
    connection.execute("SELECT * FROM nowhere")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "older.db"
    store = Store(str(path), create=True)
    with store.transaction():
        store.set_meta("epoch_s", "7")
    store.close()
    return path


def use(patch: pytest.MonkeyPatch, *steps: object) -> None:
    first = schema.SCHEMA_VERSION + 1
    migrations = tuple(schema.Migration(first + number, "a test", step) for number, step in enumerate(steps))  # type: ignore[arg-type]
    patch.setattr(schema, "MIGRATIONS", migrations)
    patch.setattr(schema, "SCHEMA_VERSION", migrations[-1].version)


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_an_older_file_gets_all_that_it_lacks_in_order(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version(older)
    use(monkeypatch, colours, shades)
    for _ in range(2):  # the second time nothing is left to do
        store = Store(str(older))
        assert store.connection.execute("SELECT DISTINCT colour FROM meta").fetchall() == [("dark red",)]
        assert store.meta("epoch_s") == "7"
        store.close()
    assert version(older) == before + 2


def test_a_migration_that_fails_leaves_the_file_as_it_was(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version(older)
    use(monkeypatch, colours, broken)
    with pytest.raises(StoreError, match=r"older\.db cannot be used: no such table: nowhere"):
        Store(str(older))
    assert version(older) == before
    with closing(sqlite3.connect(older)) as connection:
        assert [row[1] for row in connection.execute("PRAGMA table_info(meta)")] == ["name", "value"]


def test_a_file_that_is_half_way_gets_the_rest(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        use(patch, colours)
        Store(str(older)).close()
    use(monkeypatch, colours, shades)
    store = Store(str(older))
    assert store.connection.execute("SELECT DISTINCT colour FROM meta").fetchall() == [("dark red",)]
    store.close()


def test_migrations_are_in_order_and_without_gaps() -> None:
    versions = [migration.version for migration in schema.MIGRATIONS]
    assert versions == list(range(2, 2 + len(versions)))
    assert 1 + len(versions) == schema.SCHEMA_VERSION


def test_pods_that_ask_the_network_are_found_in_a_file_of_schema_1(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    commands = {"asks": ["sh", "-c", "wget http://web"], "sleeps": ["sleep", "3600"]}
    with Cluster.make(str(path), name="c", epoch_s=MEMORY_EPOCH_S, nodes=2) as cluster:
        for name, command in commands.items():
            container = {"name": "a", "image": "busybox:1.36", "command": command}
            cluster.apply(
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}
            )
        cluster.reconcile()
        new = cluster.digest()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM bucket WHERE bucket = 'x:'")
        connection.execute("PRAGMA user_version = 1")
    with Cluster.open(str(path)) as cluster:
        assert [key.name for key in cluster.store.bucket("x:")] == ["asks"]
        assert cluster.digest() == new
    assert version(path) == schema.SCHEMA_VERSION
    assert check.problems(str(path)) == []
