"""Cost follows change: a quiet day of probed pods costs nothing, a crash loop costs its restarts."""

from __future__ import annotations

from minikube_py.cluster import Cluster

DAY_S = 86_400


def test_a_day_of_healthy_probed_pods_takes_no_step() -> None:
    cluster = Cluster.memory(nodes=3)
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}
    probes = dict.fromkeys(("startupProbe", "livenessProbe", "readinessProbe"), probe)
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx", **probes}]},
    }
    spec = {"replicas": 60, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    cluster.reconcile()
    revision = cluster.store.revision
    assert cluster.reconcile(for_s=DAY_S).instants <= 2
    assert cluster.store.revision == revision


def test_a_day_of_a_crash_loop_costs_its_restarts() -> None:
    cluster = Cluster.memory(nodes=2)
    container = {"name": "web", "image": "busybox", "command": ["sh", "-c", "sleep 1; exit 1"]}
    cluster.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [container]}}
    )
    instants = cluster.reconcile(for_s=DAY_S).instants
    restarts = cluster.get("pods", "web")["status"]["containerStatuses"][0]["restartCount"]
    assert 280 <= restarts <= 295
    assert instants <= 5 * restarts
