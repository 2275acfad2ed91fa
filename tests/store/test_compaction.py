"""Forgetting the past: what goes, what stays, and what is said to those who ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minikube_py.base.errors import Expired
from minikube_py.cluster import Cluster
from minikube_py.store import check, compaction

if TYPE_CHECKING:
    from pathlib import Path

POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": "nginx"}]}}


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    made = Cluster.make(str(tmp_path / "c.db"), name="c", epoch_s=1_790_000_000)
    for name in ("a", "b", "c"):
        made.create({**POD, "metadata": {"name": name}})
    made.reconcile()
    return made


def test_the_last_revisions_are_kept_and_older_ones_are_too_old(cluster: Cluster) -> None:
    newest = cluster.store.revision
    last = [(change.revision, change.old, change.new) for change in cluster.changes(newest - 5)]
    assert cluster.compact(5) > 0
    assert cluster.store.compacted == newest - 5
    assert [(change.revision, change.old, change.new) for change in cluster.changes()] == last
    assert list(cluster.changes(newest - 5)) == list(cluster.changes())
    for read in (cluster.store.history, cluster.store.merged_since):
        with pytest.raises(Expired, match=rf"^too old resource version: {newest - 6} \({newest - 5}\)$"):
            read(newest - 6)
    assert cluster.compact(5) == 0


def test_the_cluster_goes_on_as_if_nothing_was_forgotten(cluster: Cluster, tmp_path: Path) -> None:
    before = cluster.store.revision
    cluster.compact(1)
    cluster.delete("pods", "a")
    assert cluster.reconcile().settled
    assert cluster.store.revision > before
    assert check.problems(str(tmp_path / "c.db")) == []
    assert [pod["metadata"]["name"] for pod in cluster.list("pods", "default")] == ["b", "c"]


def test_events_still_expire_when_their_writes_are_forgotten(cluster: Cluster) -> None:
    assert cluster.list("events")
    cluster.compact(1)
    cluster.reconcile(for_s=3700)
    cluster.reconcile()
    assert cluster.list("events") == []
    cluster.compact(1)
    kept = cluster.store.connection.execute("SELECT count(*) FROM log").fetchone()[0]
    assert kept == 1


def test_what_the_engine_has_not_read_is_kept(cluster: Cluster) -> None:
    cluster.create({**POD, "metadata": {"name": "d"}})
    read_to = int(cluster.store.meta("cursor"))
    assert read_to < cluster.store.revision
    cluster.compact(1)
    assert cluster.store.compacted == read_to
    cluster.reconcile()
    assert cluster.get("pods", "d")["status"]["phase"] == "Running"


def test_a_cluster_forgets_by_itself_when_it_has_grown_far(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "KEEP", 20)
    monkeypatch.setattr(compaction, "SLACK", 10_000)
    cluster.reconcile()
    assert cluster.store.compacted == 0
    monkeypatch.setattr(compaction, "SLACK", 5)
    cluster.reconcile()
    assert cluster.store.compacted == cluster.store.revision - 20
