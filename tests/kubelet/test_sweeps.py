"""The kubelet under random changes: looking only at what a change concerns writes the log of full sweeps."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import pytest

from minikube_py.base.errors import KpyError
from minikube_py.cluster import Cluster
from minikube_py.engine.engine import Engine

Object = dict[str, Any]
SIM = "sim.kpy.dev/v1alpha1"


def of(kind: str, name: str, spec: Object, api: str = "v1", **meta: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **meta}, "spec": spec}


def asking(number: int, dice: Random) -> Object:
    script = dice.choice(
        (
            "while true; do wget -qO- http://web; sleep 7; done",
            "until nc -z web 80; do sleep 2; done; sleep 20; exit 3",
            "curl -sf web || exit 1; sleep 30",
        )
    )
    container = {"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", script]}
    return of("Pod", f"asks-{number}", {"containers": [container]})


def heavy(number: int, dice: Random) -> Object:
    container = {"name": "heavy", "image": dice.choice(("example.com/a:1", "example.com/b:1"))}
    return of("Pod", f"heavy-{number}", {"containers": [container], "nodeName": dice.choice(("worker-1", "worker-2"))})


def program(number: int, dice: Random) -> Object:
    grows = [{"after": 0, "value": "1Gi"}, {"after": dice.randint(10, 60), "value": dice.choice(("3Gi", "7900Mi"))}]
    match = {"image": dice.choice(("example.com/a:*", "example.com/b:*"))}
    return of("Program", f"p-{number}", {"match": match, dice.choice(("memory", "disk")): grows}, SIM)


def fault(number: int, dice: Random) -> Object:
    spec = dice.choice(
        (
            {"type": "NodeDown", "node": "worker-1"},
            {"type": "KubeletStopped", "node": "worker-2"},
            {"type": "MemoryLeak", "namespace": "default", "perMinute": "2Gi"},
            {"type": "DiskPressure", "node": "worker-2"},
        )
    )
    return of("Fault", f"f-{number}", {**spec, "for": dice.randint(5, 40)}, SIM)


def web(replicas: int) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "w", "image": "nginx:1.27"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return of("Deployment", "web", spec, "apps/v1")


def play(seed: int, sweep: bool = False) -> list[str]:
    cluster = Cluster.memory(nodes=3, seed=seed, static_pods=True)
    if sweep:
        cluster._engine = Engine(cluster.server, sweep=True)
    dice = Random(seed)
    cluster.create(web(2))
    service = of("Service", "web", {"selector": {"app": "web"}, "ports": [{"port": 80}]})
    for number in range(14):
        with contextlib.suppress(KpyError):
            what = dice.randrange(8)
            if what < 3:
                cluster.create((asking, heavy, program)[what](number, dice))
            elif what == 3:
                cluster.create(fault(number, dice))
            elif what == 4:
                cluster.create(service)
            elif what == 5:
                cluster.delete("services", "web", "default")
            elif what == 6:
                cluster.patch("deployments.apps", "web", "default", {"spec": {"replicas": dice.randrange(3)}})
            else:
                cluster.delete("pods", "etcd-control-plane", "kube-system")
        cluster.reconcile(for_s=dice.randint(1, 25))
    return [f"{one.time_s} {one.verb} {one.key} {one.actor}" for one in cluster.store.history(0)]


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 14])
def test_dirty_keys_write_the_log_of_full_sweeps(seed: int) -> None:
    lean, thorough = play(seed), play(seed, sweep=True)
    for number, (one, other) in enumerate(zip(lean, thorough, strict=False)):
        assert one == other, f"{lean[max(0, number - 3) : number + 2]}\n{thorough[number : number + 2]}"
    assert len(lean) == len(thorough)
