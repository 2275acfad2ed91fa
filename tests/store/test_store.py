"""The store: objects, buckets, log, transactions, and what another process sees."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api.types import Key
from minikube_py.base.errors import StoreError
from minikube_py.store import schema
from minikube_py.store.store import Store
from minikube_py.store.view import StoreView
from tests.support import freeze


def config_map(name: str, namespace: str = "default", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}"},
        "data": data,
    }


def put(store: Store, obj: dict[str, Any], resource: str = "configmaps", **origin: Any) -> dict[str, Any]:
    key = Key(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
    return store.put(key, obj, **{"time_s": 7, "actor": "test", "cause": 0, **origin})


@pytest.fixture
def store() -> Store:
    return Store(":memory:", wrap=freeze)


def test_the_row_id_of_the_log_is_the_resource_version(store: Store) -> None:
    with store.transaction():
        first = put(store, config_map("a", x="1"))
        second = put(store, {**first, "data": {"x": "2"}})
    assert [first["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"]] == ["1", "2"]
    assert store.revision == 2


def test_lists_are_sorted_and_see_uncommitted_writes(store: Store) -> None:
    with store.transaction():
        for name, namespace in (("b", "n1"), ("a", "n2"), ("a", "n1")):
            put(store, config_map(name, namespace))
        assert [(o["metadata"]["namespace"], o["metadata"]["name"]) for o in store.list("configmaps")] == [
            ("n1", "a"), ("n1", "b"), ("n2", "a"),
        ]  # fmt: skip
        put(store, config_map("c", "n1"))
        store.remove(Key("configmaps", "n1", "a"), time_s=8, actor="test", cause=0)
        assert [o["metadata"]["name"] for o in store.list("configmaps", "n1")] == ["b", "c"]
        assert [key.name for key in store.keys("configmaps")] == ["b", "c", "a"]


def test_history_gives_back_every_version(store: Store) -> None:
    with store.transaction():
        one = put(store, config_map("a", x="1", y="1"), actor="me")
        two = put(store, {**one, "data": {"x": "2"}}, time_s=9, cause=1)
        gone = store.remove(Key("configmaps", "default", "a"), time_s=11, actor="gc", cause=2)
        again = put(store, config_map("a", z="3"))
    told = [(c.revision, c.time_s, c.verb, c.actor, c.cause, c.old, c.new) for c in store.history()]
    assert told == [
        (1, 7, "create", "me", 0, None, one),
        (2, 9, "update", "test", 1, one, two),
        (3, 11, "delete", "gc", 2, gone, None),
        (4, 7, "create", "test", 0, None, again),
    ]
    assert gone == two
    merged = store.merged_since(1)
    assert [(c.key.name, c.old, c.new) for c in merged] == [("a", one, None), ("a", None, again)]
    assert [(c.old, c.new) for c in store.merged_since(0)] == [(one, None), (None, again)]


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with store.transaction():
        put(store, config_map("kept"))
    with pytest.raises(ZeroDivisionError), store.transaction():
        put(store, config_map("lost"))
        store.set_meta("x", "1")
        raise ZeroDivisionError
    assert [o["metadata"]["name"] for o in store.list("configmaps")] == ["kept"]
    assert (store.revision, store.meta("x"), store.changes) == (1, "", [])


def test_changes_at_hand_are_told_as_the_log_tells_them(tmp_path: Path) -> None:
    store, key = Store(str(tmp_path / "c.db"), create=True), Key("configmaps", "default", "a")
    with store.transaction():
        for text in "123":
            put(store, config_map("a", x=text))
        put(store, config_map("b"))
        store.remove(key, time_s=8, actor="test", cause=0)
        put(store, config_map("a", x="4"))
        put(store, config_map("a", x="5"))
        store.remove(Key("configmaps", "default", "b"), time_s=8, actor="test", cause=0)
    other = Store(str(tmp_path / "c.db"))
    for since in range(9):
        at_hand, read = store.merged_since(since), other.merged_since(since)
        assert store.changes and not other.changes
        assert at_hand == read, since


def test_buckets_follow_owners_labels_and_nodes(store: Store) -> None:
    view = StoreView(store)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "p", "namespace": "default", "uid": "u-p", "labels": {"app": "web", "tier": "x"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u-r"}],
        },
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "100m"}}}]},
        "status": {"phase": "Pending"},
    }  # fmt: skip
    with store.transaction():
        stored = put(store, pod, "pods")
        assert view.owned("u-r", "pods") == view.on_node("") == view.selected("default", {"app": "web"}) == [stored]
        bound = put(store, {**stored, "spec": {**stored["spec"], "nodeName": "n1"}}, "pods")
        assert (view.on_node(""), view.on_node("n1")) == ([], [bound])
    reopened = StoreView(store)
    assert reopened.on_node("n1") == [bound]
    assert [key.name for key in store.bucket("u:")] == ["p"]


def test_a_service_is_found_by_the_labels_it_selects(store: Store) -> None:
    view = StoreView(store)
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web", "tier": "x"}},
    }  # fmt: skip
    pod = {"metadata": {"name": "p", "namespace": "default", "labels": {"app": "web", "tier": "x", "z": "1"}}}
    other = {"metadata": {"name": "q", "namespace": "default", "labels": {"app": "web"}}}
    with store.transaction():
        stored = put(store, service, "services")
    assert view.selecting("services", pod) == [stored]
    assert view.selecting("services", other) == []


def test_wakes_are_replaced_and_found_when_due(store: Store) -> None:
    key = Key("pods", "default", "p")
    with store.transaction():
        store.set_wake("kubelet", key, (50, False))
        store.set_wake("cron", key, (40, True))
        assert store.next_wake() == (50, 40)
        assert store.due(45) == [("cron", key)]
        store.set_wake("kubelet", key, (60, False))
        store.set_wake("cron", key, None)
    assert store.next_wake() == (60, None)


def test_memory_is_gone_with_its_object(store: Store) -> None:
    key = Key("configmaps", "default", "a")
    with store.transaction():
        put(store, config_map("a"))
        store.remember("kubelet", key, {"attempts": 3})
        store.flush()
        assert store.memory("kubelet", key) == {"attempts": 3}
        store.remove(key, time_s=1, actor="t", cause=0)
        assert store.memory("kubelet", key) == {}
    assert store.connection.execute("SELECT count(*) FROM memory").fetchone() == (0,)


def test_another_process_is_seen_at_the_next_transaction(tmp_path: Path) -> None:
    path = str(tmp_path / "c.db")
    one, two = Store(path, create=True), Store(path, create=True)
    with one.transaction():
        put(one, config_map("a", x="1"))
    with two.transaction():
        assert [o["metadata"]["name"] for o in two.list("configmaps")] == ["a"]
        put(two, {**two.list("configmaps")[0], "data": {"x": "2"}})
    with one.transaction():
        assert one.list("configmaps")[0]["data"] == {"x": "2"}
    assert stat.S_IMODE((tmp_path / "c.db").stat().st_mode) == 0o600


def test_a_file_that_is_no_cluster_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("hello, I am no database, whatever my name may be\n" * 100)
    with pytest.raises(StoreError, match=r"text\.db is damaged: file is not a database"):
        Store(str(text))
    foreign = tmp_path / "foreign.db"
    sqlite3.connect(foreign).executescript("CREATE TABLE t (x)").close()
    with pytest.raises(StoreError, match="is not a kpy cluster file"):
        Store(str(foreign))
    with pytest.raises(StoreError, match="there is no cluster file"):
        Store(str(tmp_path / "missing.db"))
    newer = tmp_path / "newer.db"
    store = Store(str(newer), create=True)
    store.connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    store.close()
    with pytest.raises(StoreError, match="was written by a newer kpy"):
        Store(str(newer))


def test_what_was_read_before_the_first_transaction_is_not_trusted_in_it(tmp_path: Path) -> None:
    path = str(tmp_path / "c.db")
    one, two = Store(path, create=True), Store(path)
    key = Key("configmaps", "default", "a")
    assert two.get(key) is None
    with one.transaction():
        put(one, config_map("a", x="1"))
    with two.transaction():
        found = two.get(key)
        assert found is not None and found["data"] == {"x": "1"}


def test_a_transaction_that_met_a_full_disk_is_lost_whatever_is_caught(tmp_path: Path) -> None:
    path = str(tmp_path / "c.db")
    store = Store(path, create=True)
    store.connection.execute(
        f"PRAGMA max_page_count = {store.connection.execute('PRAGMA page_count').fetchone()[0] + 2}"
    )
    with pytest.raises(StoreError, match="the disk is full: nothing was written to"), store.transaction():
        for number in range(20):
            put(store, config_map(f"c-{number}", x="y" * 2000))
            with suppress(StoreError):
                store.flush()
    assert store.revision == 0
    assert store.keys("*") == []
    with store.transaction():
        put(store, config_map("small"))
    assert store.revision == 1


def pod(name: str, node: str = "", **labels: str) -> dict[str, Any]:
    spec = {"containers": [], **({"nodeName": node} if node else {})}
    meta = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {}}


def names(store: Store, bucket: str) -> list[str]:
    return [key.name for key in store.bucket(bucket)]


def test_a_bucket_is_loaded_over_what_is_not_written_yet(tmp_path: Path) -> None:
    path = str(tmp_path / "c.db")
    store = Store(path, create=True)
    with store.transaction():
        for name in ("a", "b", "c"):
            put(store, pod(name, "n1", app="web"), "pods")
    store = Store(path)
    with store.transaction():
        a = store.get(Key("pods", "default", "a"))
        assert a is not None
        put(store, {**a, "spec": {**a["spec"], "nodeName": "n2"}}, "pods")  # leaves n1
        store.remove(Key("pods", "default", "b"), time_s=8, actor="test", cause=0)
        put(store, pod("d", "n1", app="web"), "pods")
        e = put(store, pod("e", "n1", app="web"), "pods")
        put(store, {**e, "spec": {**e["spec"], "nodeName": "n3"}}, "pods")  # came to n1 and left it
        assert names(store, "n:n1") == ["c", "d"]
        assert names(store, "n:n2") == ["a"]
        assert names(store, "n:n3") == ["e"]
        assert names(store, "l:default/app=web") == ["a", "c", "d", "e"]
        written = store.connection.execute("SELECT count(*) FROM object").fetchone()[0]
        assert written == 3, "loading a bucket writes nothing"
    store = Store(path)
    assert [names(store, f"n:n{number}") for number in (1, 2, 3)] == [["c", "d"], ["a"], ["e"]]


def test_a_name_is_free_if_neither_file_nor_session_has_it(tmp_path: Path) -> None:
    path = str(tmp_path / "c.db")
    store = Store(path, create=True)
    with store.transaction():
        for name in ("web-a", "web-b", "other-c"):
            put(store, config_map(name))
    store = Store(path)

    def is_free(name: str) -> bool:
        return store.is_free(Key("configmaps", "default", name), "web-")

    with store.transaction():
        assert [is_free(name) for name in ("web-a", "web-b", "web-c")] == [False, False, True]
        put(store, config_map("web-c"))
        store.remove(Key("configmaps", "default", "web-a"), time_s=8, actor="test", cause=0)
        assert [is_free(name) for name in ("web-a", "web-b", "web-c")] == [True, False, False]
    with store.transaction():
        assert [is_free(name) for name in ("web-a", "web-c")] == [True, False]
        assert not store.is_free(Key("configmaps", "default", "other-c"), "other-")


def test_objects_are_counted_once_and_then_kept_count_of(tmp_path: Path) -> None:
    path = str(tmp_path / "c.db")
    store = Store(path, create=True)
    with store.transaction():
        for name in ("a", "b"):
            put(store, config_map(name))
        assert store.count("configmaps") == 2
        put(store, config_map("c"))
        store.remove(Key("configmaps", "default", "a"), time_s=8, actor="test", cause=0)
        put(store, config_map("b", x="1"))
        assert store.count("configmaps") == 2
    assert Store(path).count("configmaps") == 2
    assert store.count("secrets") == 0


def test_an_event_may_come_again_in_the_transaction_that_deleted_it() -> None:
    from minikube_py.api.types import Record
    from minikube_py.apiserver import events
    from minikube_py.cluster import Cluster

    cluster = Cluster.memory(nodes=1)
    node = cluster.list("nodes")[0]
    said = Record(node, "Normal", "Tried", 'a "quoted" message\n', "tester", "", "", "")
    store, clock = cluster.store, cluster.clock
    with cluster.transaction():
        events.record(store, clock, said, actor="tester", cause=0)
    (key,) = [key for key in store.keys("events") if store.get(key)["reason"] == "Tried"]  # type: ignore[index]
    with cluster.transaction():
        store.remove(key, time_s=clock.now_s, actor="tester", cause=0)
        events.record(store, clock, said, actor="tester", cause=0)
        events.record(store, clock, said, actor="tester", cause=0)
    found = store.get(key)
    assert found is not None
    assert (found["count"], found["message"]) == (2, 'a "quoted" message\n')
    assert [change.verb for change in store.history(0, key)] == ["create", "delete", "create", "update"]


def test_the_first_binding_and_the_played_patches_lead_back_to_what_was() -> None:
    from minikube_py.cluster import Cluster

    cluster = Cluster.memory(nodes=3)
    container = {"name": "app", "image": "nginx"}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 8, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    written: dict[int, Any] = {}
    cluster.reconcile(on_change=lambda change: written.update({change.revision: change.new}))
    told = [change for change in cluster.store.history() if change.revision in written]
    assert len([change for change in told if change.key.resource == "pods"]) >= 4 * 8
    assert {change.revision: change.new for change in told} == written
