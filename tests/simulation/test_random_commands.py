"""Random command sequences from a printed seed: the invariants hold, twice gives equal bytes, sweeps write the same log."""

from __future__ import annotations

import os

import pytest

from minikube_py.cluster import Cluster
from minikube_py.engine.engine import Engine
from tests.simulation import checkers, workload
from tests.support import freeze

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else list(range(12))
LENGTH = 25


def play(seed: int, *, sweep: bool = False, check: bool = False) -> Cluster:
    cluster = Cluster.memory(nodes=3, seed=seed, cpu="2", wrap=freeze if check else None)
    cluster.server.strict_engine = check
    if sweep:
        cluster._engine = Engine(cluster.server, sweep=True)
    for command in workload.commands(seed, LENGTH):
        workload.carry_out(cluster, command)
        if check:
            checkers.check_all(cluster)
    report = cluster.reconcile(timeout_s=3600)  # beyond every toleration and progress deadline
    if check:
        assert report.settled, report
        checkers.check_settled(cluster)
    return cluster


def log(cluster: Cluster) -> list[tuple[object, ...]]:
    return cluster.store.connection.execute(
        "SELECT revision, time_s, verb, resource, namespace, name, actor, before FROM log ORDER BY revision"
    ).fetchall()


@pytest.mark.parametrize("seed", SEEDS)
def test_invariants_hold_whatever_people_do(seed: int) -> None:
    print(f"SEED={seed}", *workload.commands(seed, LENGTH), sep="\n")
    play(seed, check=True)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_the_same_commands_and_seed_give_the_same_bytes(seed: int) -> None:
    assert play(seed).store.connection.serialize() == play(seed).store.connection.serialize()


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_dirty_keys_write_the_same_log_as_full_sweeps(seed: int) -> None:
    lean, thorough = log(play(seed)), log(play(seed, sweep=True))
    for number, (one, other) in enumerate(zip(lean, thorough, strict=False)):
        assert one == other, (
            f"SEED={seed}: the logs part:\n{_around(lean, number)}\nsweep:\n{_around(thorough, number)}"
        )
    assert len(lean) == len(thorough)


def _around(rows: list[tuple[object, ...]], number: int) -> str:
    return "\n".join(str(row)[:300] for row in rows[max(0, number - 2) : number + 4])
