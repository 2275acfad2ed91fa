"""Workloads of every kind under random deeds and faults: each controller keeps its promise at every write.

- No two pods of a StatefulSet have one ordinal.
- A Job counts each of its pods once, and an index at most once.
- An eviction never breaks a disruption budget.
- A rollout never takes a Deployment below its floor: only lost nodes, people and evictions do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from minikube_py.api import pods
from minikube_py.cluster import Cluster
from minikube_py.engine.engine import Engine
from tests.simulation import checkers, workloads
from tests.support import freeze

if TYPE_CHECKING:
    from minikube_py.store.store import Change

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else list(range(10))
LENGTH = 25


def play(seed: int, *, sweep: bool = False, check: bool = False) -> Cluster:
    cluster = Cluster.memory(nodes=3, seed=seed, cpu="2", wrap=freeze if check else None)
    cluster.server.strict_engine = check
    if sweep:
        cluster._engine = Engine(cluster.server, sweep=True)
    for command in workloads.commands(seed, LENGTH):
        workloads.carry_out(cluster, command)
        if check:
            checkers.check_all(cluster)
    cluster.reconcile(timeout_s=3600)
    if check:
        checkers.check_all(cluster)
    return cluster


def one_pod_for_each_ordinal(changes: list[Change]) -> None:
    """A name belongs to one pod at a time by the store's nature; what counts is that the pod before is gone from its node."""
    there: dict[str, str] = {}
    for change in changes:
        if change.key.resource != "pods" or not change.key.name.startswith("db-"):
            continue
        if change.new is None:
            there.pop(change.key.name, None)
        else:
            uid = change.new["metadata"]["uid"]
            assert there.setdefault(change.key.name, uid) == uid, change.key


def jobs_count_pods_once(changes: list[Change]) -> None:
    ended: dict[str, dict[str, None]] = {}
    for change in changes:
        new = change.new
        if change.key.resource == "pods" and new is not None:
            for ref in new["metadata"].get("ownerReferences") or ():
                if ref["kind"] == "Job":
                    ended.setdefault(ref["uid"], {})[new["metadata"]["uid"]] = None
        if change.key.resource == "jobs.batch" and new is not None:
            status = new.get("status") or {}
            counted = (status.get("succeeded") or 0) + (status.get("failed") or 0)
            waiting = [uid for uids in (status.get("uncountedTerminatedPods") or {}).values() for uid in uids]
            assert len(set(waiting)) == len(waiting), waiting
            assert counted + len(waiting) <= len(ended.get(new["metadata"]["uid"], ())), (change.key, status)
            if new["spec"].get("completions") is not None:
                assert (status.get("succeeded") or 0) <= new["spec"]["completions"], status


def evictions_keep_budgets(changes: list[Change]) -> None:
    """Each eviction takes one from disruptionsAllowed, which is never more than what is healthy beyond the wanted."""
    for change in changes:
        if change.key.resource == "poddisruptionbudgets.policy" and change.new is not None:
            status = change.new.get("status") or {}
            assert (status.get("disruptionsAllowed") or 0) >= 0, status
            if status.get("disruptionsAllowed"):
                room = status["currentHealthy"] - status["desiredHealthy"]
                assert status["disruptionsAllowed"] <= room, status


def rollouts_keep_the_floor(changes: list[Change]) -> None:
    """A ReplicaSet controller's deletion of a ready pod leaves as many ready pods as the rollout may not go below."""
    ready: dict[str, None] = {}
    wanted, unavailable = 0, 0
    for change in changes:
        new, name = change.new, change.key.name
        if change.key.resource == "deployments.apps" and name == "api" and new is not None:
            spec = new["spec"]
            if change.old is None or change.old["spec"] != spec:
                wanted = spec["replicas"]
                limit = spec["strategy"]["rollingUpdate"]["maxUnavailable"]
                unavailable = limit if isinstance(limit, int) else wanted * int(limit.rstrip("%")) // 100
                if not spec["strategy"]["rollingUpdate"]["maxSurge"] and not unavailable:
                    unavailable = 1
        if change.key.resource != "pods" or not name.startswith("api-"):
            continue
        was = name in ready
        if new is not None and pods.is_ready(new) and not pods.is_terminating(new):
            ready[name] = None
        else:
            ready.pop(name, None)
        gone = was and name not in ready and change.actor == "replicaset-controller"
        if gone:
            assert len(ready) >= min(wanted, wanted - unavailable), (name, wanted, unavailable, list(ready))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_controller_keeps_its_promise(seed: int) -> None:
    print(f"SEED={seed}", *workloads.commands(seed, LENGTH), sep="\n")
    changes = list(play(seed, check=True).changes())
    one_pod_for_each_ordinal(changes)
    jobs_count_pods_once(changes)
    evictions_keep_budgets(changes)
    rollouts_keep_the_floor(changes)


def log(cluster: Cluster) -> list[tuple[object, ...]]:
    return cluster.store.connection.execute(
        "SELECT revision, time_s, verb, resource, namespace, name, actor, before FROM log ORDER BY revision"
    ).fetchall()


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_dirty_keys_write_the_same_log_as_full_sweeps(seed: int) -> None:
    lean, thorough = log(play(seed)), log(play(seed, sweep=True))
    for number, (one, other) in enumerate(zip(lean, thorough, strict=False)):
        around = [str(row)[:300] for rows in (lean, thorough) for row in rows[max(0, number - 2) : number + 4]]
        assert one == other, f"SEED={seed}: the logs part:\n" + "\n".join(around)
    assert len(lean) == len(thorough)
