"""The scheduler's queue under random changes: calling only the pods that a change may help writes the log of full sweeps."""

from __future__ import annotations

import contextlib
import os
from random import Random
from typing import Any

import pytest

from minikube_py.base.errors import KpyError
from minikube_py.cluster import Cluster
from minikube_py.engine.engine import Engine

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else list(range(6))
LENGTH = 30
NODES = ("worker-1", "worker-2", "worker-3")
ZONES = ("east", "west")
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


def test_the_first_in_line_is_enough() -> None:
    """A hundred pods wait; when one that runs goes, one of them takes its place, and nothing is written about the others."""
    cluster = Cluster.memory(nodes=2, seed=1, cpu="2")  # the other one is the control plane
    for number in range(100):
        cluster.create(pod(f"web-{number:03}", Random(0), cpu="1900m"))
    cluster.reconcile()
    (running,) = [obj for obj in cluster.list("pods", "default") if obj["spec"].get("nodeName")]
    before = cluster.store.revision
    cluster.delete("pods", running["metadata"]["name"], grace_s=0)
    cluster.reconcile()
    written = {change.key.name for change in cluster.store.history(before) if change.key.resource == "pods"}
    assert len(written) == 2, written


@pytest.mark.parametrize("seed", SEEDS)
def test_dirty_keys_write_the_same_log_as_full_sweeps(seed: int) -> None:
    lean, thorough = play(seed), play(seed, sweep=True)
    for number, (one, other) in enumerate(zip(lean, thorough, strict=False)):
        assert one == other, f"SEED={seed}\n{lean[max(0, number - 3) : number + 2]}\n{thorough[number : number + 2]}"
    assert len(lean) == len(thorough)


def play(seed: int, *, sweep: bool = False) -> list[str]:
    cluster = Cluster.memory(nodes=3, seed=seed, cpu="2")
    if sweep:
        cluster._engine = Engine(cluster.server, sweep=True)
    for number, value in enumerate((100, 0, 50)):
        cluster.create(
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": f"p{number}"},
                "value": value,
            }
        )
    cluster.reconcile()
    dice = Random(seed)
    for number in range(LENGTH):
        with contextlib.suppress(KpyError):
            act(cluster, dice, number)
    cluster.reconcile(timeout_s=3600)
    rows = cluster.store.connection.execute(
        "SELECT revision, time_s, verb, resource, namespace, name, actor, before FROM log ORDER BY revision"
    )
    return [str(row)[:400] for row in rows]


def act(cluster: Cluster, dice: Random, number: int) -> None:
    """One thing that somebody does."""
    node = dice.choice(NODES)
    match dice.randrange(10):
        case 0 | 1 | 2:
            for copy in range(dice.randint(1, 4)):
                cluster.create(pod(f"pod-{number}-{copy}", dice))
        case 3:
            found = cluster.list("pods", "default")
            for victim in dice.sample(found, min(len(found), dice.randint(1, 3))):
                cluster.delete("pods", victim["metadata"]["name"], grace_s=dice.choice((None, 0)))
        case 4:
            cluster.patch("nodes", node, "", {"spec": {"unschedulable": dice.choice((True, None))}})
        case 5:
            labels = {"zone": dice.choice((*ZONES, None)), "disk": dice.choice(("ssd", None))}
            cluster.patch("nodes", node, "", {"metadata": {"labels": labels}})
        case 6:
            taints = [{"key": "busy", "effect": "NoSchedule"}] if dice.random() < 0.5 else None
            cluster.patch("nodes", node, "", {"spec": {"taints": taints}})
        case 7:
            found = cluster.list("pods", "default")
            for chosen in dice.sample(found, min(len(found), 1)):
                label = {"metadata": {"labels": {"app": dice.choice("ab")}}}
                cluster.patch("pods", chosen["metadata"]["name"], "default", label)
        case 8:
            cluster.reconcile(for_s=dice.choice((1, 5, 40)))
        case _:
            cluster.reconcile()


def pod(name: str, dice: Random, cpu: str = "") -> dict[str, Any]:
    """A pod with a wish or two."""
    app = {"matchLabels": {"app": "a"}}
    wishes: list[dict[str, Any]] = [
        {},
        {"nodeSelector": {"disk": "ssd"}},
        {"topologySpreadConstraints": [{**SPREAD, "labelSelector": app}]},
        {"affinity": {"podAffinity": required(app)}},
        {"affinity": {"podAntiAffinity": required(app)}},
        {"priorityClassName": dice.choice(("p0", "p2"))},
    ]
    container: dict[str, Any] = {
        "name": "app",
        "image": "gcr.io/shop/web:1",
        "resources": {"requests": {"cpu": cpu or dice.choice(("200m", "700m", "1500m"))}},
    }
    if not cpu and dice.random() < 0.2:
        container["ports"] = [{"containerPort": 80, "hostPort": 80}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": dice.choice("ab")}},
        "spec": {"containers": [container], **(wishes[0] if cpu else dice.choice(wishes))},
    }


def required(selector: dict[str, Any]) -> dict[str, Any]:
    term = {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
    return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
