"""Watches: where they begin, what they tell, and that time passes for them."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from minikube_py.base.errors import UsageError
from minikube_py.cluster import Cluster
from minikube_py.http import watches, world
from tests.http.asgi import PARTIAL, TABLE, Api, config_map, deployment, pod

if TYPE_CHECKING:
    from typing import Any

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def test_a_watch_tells_what_is_there_and_every_change(api: Api) -> None:
    api.post(MAPS, config_map("a"))
    with api.watch(f"{MAPS}?watch=true") as watch:
        api.patch(f"{MAPS}/a", {"data": {"x": "1"}})
        api.delete(f"{MAPS}/a")
        watch.wait(4)
        assert watch.told == [("ADDED", "a"), ("ADDED", "kube-root-ca.crt"), ("MODIFIED", "a"), ("DELETED", "a")]
        revisions = [int(one["object"]["metadata"]["resourceVersion"]) for one in watch.events[2:]]
        assert revisions == sorted(set(revisions))
    assert not api.world.hub.watchers


def test_a_watch_goes_on_where_a_list_ended(api: Api) -> None:
    api.post(MAPS, config_map("a"))
    since = api.get(MAPS).json["metadata"]["resourceVersion"]
    api.post(MAPS, config_map("b"))
    api.delete(f"{MAPS}/a")
    with api.watch(f"{MAPS}?watch=1&resourceVersion={since}") as watch:
        api.post(MAPS, config_map("c"))
        watch.wait(3)
        assert watch.told == [("ADDED", "b"), ("DELETED", "a"), ("ADDED", "c")]


def test_every_version_of_a_pod_is_told(api: Api) -> None:
    with api.watch(f"{PODS}?watch=true") as watch:
        api.post(PODS, pod("web"))
        api.until(lambda: watch.events and (watch.events[-1]["object"]["status"].get("phase") == "Running"))
        phases = [one["object"]["status"]["phase"] for one in watch.events]
        assert watch.told[0] == ("ADDED", "web")
        assert phases[0] == "Pending"
        assert len(phases) > 3


def test_an_object_comes_into_a_selection_and_leaves_it(api: Api) -> None:
    api.post(PODS, pod("a", labels={"tier": "front"}))
    since = api.get(PODS).json["metadata"]["resourceVersion"]
    with api.watch(f"{PODS}?watch=true&labelSelector=tier%3Dback&resourceVersion={since}") as watch:
        api.patch(f"{PODS}/a", {"metadata": {"labels": {"tier": "back"}}})
        api.patch(f"{PODS}/a", {"metadata": {"labels": {"tier": "front"}}})
        watch.wait(2)
        assert watch.told == [("ADDED", "a"), ("DELETED", "a")]


def test_a_single_object_is_watched_by_its_name(api: Api) -> None:
    api.post(MAPS, config_map("a"))
    for path in (
        f"{MAPS}?watch=true&fieldSelector=metadata.name%3Da",
        f"{MAPS}/a?watch=true",
        "/api/v1/watch/namespaces/default/configmaps/a",
    ):
        with api.watch(path) as watch:
            watch.wait(1)
            assert watch.told == [("ADDED", "a")]


def test_a_table_tells_its_columns_once(api: Api) -> None:
    with api.watch(f"{PODS}?watch=true", accept=TABLE) as watch:
        api.post(PODS, pod("web"))
        api.until(lambda: len(watch.events) > 3)
        tables = [one["object"] for one in watch.events]
        assert [bool(one["columnDefinitions"]) for one in tables] == [True] + [False] * (len(tables) - 1)
        assert tables[0]["rows"][0]["cells"][:3] == ["web", "0/1", "Pending"]
    with api.watch(f"{PODS}?watch=true", accept=PARTIAL) as watch:
        assert watch.wait(1)[0]["object"]["kind"] == "PartialObjectMetadata"


def test_the_watch_list_protocol_ends_the_beginning_with_a_bookmark(api: Api) -> None:
    api.post(MAPS, config_map("a"))
    path = f"{MAPS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    with api.watch(path) as watch:
        watch.wait(3)
        assert [kind for kind, _ in watch.told] == ["ADDED", "ADDED", "BOOKMARK"]
        meta = watch.events[-1]["object"]["metadata"]
        assert meta["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert meta["resourceVersion"] == api.get(MAPS).json["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sendInitialEvents=true", 422),
        ("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", 422),
        ("resourceVersionMatch=NotOlderThan", 422),
        ("resourceVersion=x", 200),
        ("labelSelector=a%3D%3D%3D", 400),
    ],
)
def test_wrong_watch_options_are_refused(api: Api, query: str, code: int) -> None:
    with api.watch(f"{MAPS}?watch=true&{query}") as watch:
        assert watch.code == code


def test_bookmarks_come_while_nothing_happens(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "BOOKMARK_S", 0.01)
    newest = api.get(MAPS).json["metadata"]["resourceVersion"]
    with api.watch(f"{MAPS}?watch=true&allowWatchBookmarks=true&resourceVersion={newest}") as watch:
        first = watch.wait(1)[0]
        assert (first["type"], first["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", newest)
    with api.watch(f"{MAPS}?watch=true&resourceVersion={newest}&timeoutSeconds=1") as watch:
        api.until(lambda: watch.ended)
        assert watch.events == []


def test_a_version_that_is_forgotten_is_gone(api: Api) -> None:
    for number in range(20):
        api.post(MAPS, config_map(f"m{number}"))
    api.get(MAPS)
    api.cluster.compact(5)
    with api.watch(f"{MAPS}?watch=true&resourceVersion=5") as watch:
        api.until(lambda: watch.ended)
        error = watch.events[0]
        assert (error["type"], error["object"]["code"], error["object"]["reason"]) == ("ERROR", 410, "Expired")
    with api.watch(f"{MAPS}?watch=true&resourceVersion=99999999") as watch:
        assert watch.wait(1)[0]["object"]["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    listed = api.get(f"{MAPS}?resourceVersion=5&resourceVersionMatch=Exact")
    assert (listed.code, listed.json["reason"]) == (410, "Expired")


def test_who_does_not_read_is_closed_and_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "QUEUE_MAX", 10)
    found: Any = watches.Watcher(watches.Form(None, "v1", "", "Metadata"), bool, bookmarks=False)  # type: ignore[arg-type]

    async def read() -> bytes:
        for number in range(12):
            found.push(str(number).encode())
        with Cluster.memory() as cluster:
            return b"".join([part async for part in found.batches(5, watches.Hub(cluster))])

    assert asyncio.run(read()) == b"0123456789"
    assert found.closed


def test_other_sessions_are_heard(tmp_path: Any) -> None:
    path = str(tmp_path / "c.db")
    with (
        Api(Cluster.make(path, name="c", epoch_s=1_790_000_000)) as api,
        api.watch(f"{MAPS}?watch=true") as watch,
        Cluster.open(path) as other,
    ):
        watch.wait(1)
        other.create(config_map("from-outside"))
        watch.wait(2)
        assert watch.told[-1] == ("ADDED", "from-outside")


def test_a_restored_snapshot_sends_watchers_to_list_anew(tmp_path: Any) -> None:
    path, saved = str(tmp_path / "c.db"), sqlite3.connect(tmp_path / "saved.db")
    with Api(Cluster.make(path, name="c", epoch_s=1_790_000_000)) as api:
        with sqlite3.connect(path) as reading:
            reading.backup(saved)
        reading.close()
        api.post(MAPS, config_map("a", x="1"))
        assert api.get(f"{MAPS}/a").json["metadata"]["managedFields"][0]["manager"] == "unknown"
        with api.watch(f"{MAPS}?watch=true") as watch:
            watch.wait(2)
            with sqlite3.connect(path) as writing:
                saved.backup(writing)
            writing.close()
            api.until(lambda: watch.ended)
            assert watch.events[-1]["object"]["reason"] == "Expired"
        assert api.get(f"{MAPS}/a").code == 404
        api.post(MAPS, config_map("a", y="1"), user_agent="other")
        assert api.get(f"{MAPS}/a").json["metadata"]["managedFields"][0]["manager"] == "other"
    saved.close()


# -- what time does ------------------------------------------------------------------------------------------------------


def test_manual_time_passes_only_where_somebody_watches() -> None:
    with Api(clock="manual") as api:
        api.post(PODS, pod("web"))
        api.run(asyncio.sleep(0.1))
        assert api.get(f"{PODS}/web").json["status"]["phase"] == "Pending"
        with api.watch(f"{PODS}?watch=true") as watch:
            api.until(lambda: watch.events[-1]["object"]["status"]["phase"] == "Running")


def test_time_follows_the_wall_clock() -> None:
    with Api(clock="x600") as api:
        before = api.get("/apis/sim.kpy.dev/v1alpha1/clock").json["status"]["seconds"]
        api.post(DEPLOYMENTS, deployment("web"))
        api.until(lambda: api.cluster.get("deployments", "web")["status"].get("readyReplicas") == 2)
        after = api.get("/apis/sim.kpy.dev/v1alpha1/clock").json["status"]["seconds"]
        assert 3 <= after - before < 600 * 20


def test_time_can_be_driven(api: Api) -> None:
    clock = "/apis/sim.kpy.dev/v1alpha1/clock"
    before = api.get(clock).json["status"]["seconds"]
    after = api.post(clock, {"for": "1h"}).json
    assert after["status"]["seconds"] == before + 3600
    assert api.post(clock, {"settle": True}).json["status"]["settled"] is True
    assert api.post(clock, {"mode": "manual"}).json["spec"] == {"mode": "manual"}
    assert api.post(clock, {"mode": "virtual", "for": 5}).json["status"]["seconds"] == before + 3605
    for wrong in ({"mode": "fast"}, {"for": "soon"}, {"for": -1}, {"speed": 3}, {"for": 10**12}):
        assert api.post(clock, wrong).code == 400
    assert api.delete(clock).code == 405


@pytest.mark.parametrize("mode", ["", "x", "x0", "x-1", "xinf", "x1e9", "fast", "1"])
def test_clocks_that_there_are_not(mode: str) -> None:
    with pytest.raises(UsageError, match="unknown clock"):
        world.pace_of(mode)
