"""Random command sequences on a whole cluster, from a seed: what people do to clusters, and what happens to nodes."""

from __future__ import annotations

import contextlib
from random import Random
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cluster import Cluster

NAMES = ("api", "cart", "shop")
Command = tuple[Any, ...]


def commands(seed: int, length: int) -> list[Command]:
    """A list of commands as plain tuples, so that a failing one can be printed and cut down."""
    dice = Random(seed)
    return [_command(dice) for _ in range(length)]


def _command(dice: Random) -> Command:
    name = dice.choice(NAMES)
    deeds: list[Callable[[], Command]] = [
        lambda: (
            "apply",
            name,
            dice.randint(0, 6),
            dice.randint(1, 4),
            dice.choice(("25%", 0, 1, 2)),
            dice.choice(("25%", 1)),
        ),
        lambda: (
            "apply",
            name,
            dice.randint(0, 6),
            dice.randint(1, 4),
            dice.choice(("25%", 1)),
            dice.choice(("25%", 0, 1)),
        ),
        lambda: ("apply", name, dice.randint(1, 4), dice.randint(1, 2), "25%", "25%"),
        lambda: ("apply", name, 3, dice.randint(1, 3), 1, 0),
        lambda: ("service", name),
        lambda: ("scale", name, dice.randint(0, 8)),
        lambda: ("image", name, dice.randint(1, 4)),
        lambda: ("kill", name, dice.randint(0, 5)),
        lambda: ("delete", name, dice.choice(("Background", "Foreground", "Orphan"))),
        lambda: ("fail", dice.choice(("worker-1", "worker-2"))),
        lambda: ("recover", dice.choice(("worker-1", "worker-2"))),
        lambda: ("pause", name, dice.choice((True, False))),
        lambda: ("label", name, dice.randint(0, 5)),
        lambda: ("reconcile",),
        lambda: ("for", dice.choice((1, 3, 10, 60, 400))),
        lambda: ("step",),
    ]
    return dice.choice(deeds)()


def deployment(name: str, replicas: int, version: int, surge: Any, unavailable: Any) -> dict[str, Any]:
    container = {
        "name": "app", "image": f"gcr.io/shop/{name}:{version}", "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "300m", "memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 2},
    }  # fmt: skip
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "revisionHistoryLimit": 2,
            "strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }  # fmt: skip


def service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }  # fmt: skip


def fault(node: str) -> dict[str, Any]:
    return {
        "apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": f"node-down-{node}"},
        "spec": {"type": "NodeDown", "node": node},
    }  # fmt: skip


def carry_out(cluster: Cluster, command: Command) -> None:
    """One command; what the API server refuses (nothing of that name, say) is part of the game."""
    with contextlib.suppress(KpyError):
        _carry_out(cluster, *command)


def _carry_out(cluster: Cluster, deed: str, *words: Any) -> None:
    match deed:
        case "apply":
            cluster.apply(deployment(*words))
        case "service":
            cluster.apply(service(words[0]))
        case "scale":
            cluster.patch("deployments", words[0], "", {"spec": {"replicas": words[1]}}, subresource="scale")
        case "image":
            containers = [{"name": "app", "image": f"gcr.io/shop/{words[0]}:{words[1]}"}]
            fields = {"spec": {"template": {"spec": {"containers": containers}}}}
            cluster.patch("deployments", words[0], "", fields, type="strategic")
        case "kill":
            pods = cluster.list("pods", "default", labels=f"app={words[0]}")
            if pods:
                cluster.delete("pods", pods[words[1] % len(pods)]["metadata"]["name"])
        case "label":
            pods = cluster.list("pods", "default", labels=f"app={words[0]}")
            if pods:
                name = pods[words[1] % len(pods)]["metadata"]["name"]
                cluster.patch("pods", name, "", {"metadata": {"labels": {"app": "stray"}}})
        case "delete":
            cluster.delete("deployments", words[0], propagation=words[1])
        case "fail":
            cluster.create(fault(words[0]))
        case "recover":
            cluster.delete("faults", f"node-down-{words[0]}")
        case "pause":
            cluster.patch("deployments", words[0], "", {"spec": {"paused": words[1]}})
        case "reconcile":
            cluster.reconcile()
        case "for":
            cluster.reconcile(for_s=words[0])
        case "step":
            cluster.reconcile(step=True)
