"""Faults on a whole cluster: when they begin and end, whom they hit, and what the kubelet does under pressure."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster

Object = dict[str, Any]


def fault(**spec: Any) -> Object:
    return {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": "f"}, "spec": spec}


def pod(name: str, memory: str = "", image: str = "nginx", **spec: Any) -> Object:
    container: Object = {"name": "web", "image": image}
    if memory:
        container["resources"] = {"requests": {"memory": memory}}
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}


def is_ready(cluster: Cluster, name: str) -> str:
    node = cluster.get("nodes", name)
    return next(str(one["status"]) for one in node["status"]["conditions"] if one["type"] == "Ready")


def phase(cluster: Cluster, name: str = "f") -> str:
    return str(cluster.get("faults", name)["status"]["phase"])


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "NodeDown", "node": "worker-1"},
        {"type": "KubeletStopped", "node": "worker-1"},
        {"type": "ZoneDown", "zone": "east-a"},
        {"type": "NodeDown", "nodeSelector": {"matchLabels": {"disk": "ssd"}}},
    ],
)
def test_a_fault_silences_the_nodes_that_it_is_about_for_its_time(spec: Object) -> None:
    cluster = Cluster.memory(nodes=3)
    labels = {"topology.kubernetes.io/zone": "east-a", "disk": "ssd"}
    cluster.patch("nodes", "worker-1", "", {"metadata": {"labels": labels}})
    cluster.create(fault(**spec, at="30s", **{"for": "5m"}))
    cluster.reconcile(for_s=29)
    assert (phase(cluster), is_ready(cluster, "worker-1")) == ("Pending", "True")
    cluster.reconcile(for_s=101)
    assert (phase(cluster), is_ready(cluster, "worker-1"), is_ready(cluster, "worker-2")) == (
        "Active",
        "Unknown",
        "True",
    )
    cluster.reconcile(for_s=260)
    assert (phase(cluster), is_ready(cluster, "worker-1")) == ("Over", "True")


def test_killed_pods_are_gone_at_once_and_only_those_that_match() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("a"))
    cluster.create(pod("b"))
    cluster.reconcile()
    cluster.create(fault(type="PodKilled", selector={"matchLabels": {"app": "a"}}, at=10))
    cluster.reconcile(for_s=9)
    assert [one["metadata"]["name"] for one in cluster.list("pods")] == ["a", "b"]
    cluster.reconcile(for_s=1)
    assert [one["metadata"]["name"] for one in cluster.list("pods")] == ["b"]
    cluster.create(pod("a"))
    cluster.reconcile(for_s=60)
    assert len(cluster.list("pods")) == 2


def test_pulls_fail_while_the_fault_lasts_and_heal_afterwards() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(fault(type="PullFailing", image="nginx*", message="no route to registry", **{"for": "30s"}))
    cluster.reconcile(for_s=1)
    cluster.create(pod("a"))
    cluster.create(pod("b", image="redis"))
    cluster.reconcile(for_s=25)
    waiting = cluster.get("pods", "a")["status"]["containerStatuses"][0]["state"]["waiting"]
    assert "no route to registry" in waiting["message"]
    assert cluster.get("pods", "b")["status"]["phase"] == "Running"
    cluster.reconcile(for_s=60)
    assert cluster.get("pods", "a")["status"]["phase"] == "Running"


def test_a_slow_start_delays_readiness() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(fault(type="SlowStart", image="nginx", delay="45s"))
    slow = pod("a")
    slow["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}
    cluster.create(slow)
    start = cluster.clock.now_s
    assert cluster.run_until(lambda: any(
        one["type"] == "Ready" and one["status"] == "True"
        for one in cluster.get("pods", "a")["status"].get("conditions") or ()
    ), 120)  # fmt: skip
    assert 45 <= cluster.clock.now_s - start <= 55


def test_memory_pressure_evicts_by_usage_and_priority_and_taints_the_node() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("asks-enough", "64Mi"))
    cluster.create(pod("asks-nothing"))
    cluster.create({**pod("critical"), "metadata": {"name": "critical", "namespace": "kube-system"}}
                   | {"spec": {**pod("critical")["spec"], "priorityClassName": "system-node-critical"}})  # fmt: skip
    cluster.reconcile()
    cluster.create(fault(type="MemoryPressure", node="worker-1", **{"for": "15s"}))
    cluster.reconcile(for_s=5)
    node = cluster.get("nodes", "worker-1")
    assert {one["type"]: one["status"] for one in node["status"]["conditions"]}["MemoryPressure"] == "True"
    assert [taint["key"] for taint in node["spec"]["taints"]] == ["node.kubernetes.io/memory-pressure"]
    gone = cluster.get("pods", "asks-nothing")["status"]
    assert (gone["phase"], gone["reason"]) == ("Failed", "Evicted")
    assert gone["message"] == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container web was using "
        "16Mi, request is 0, has larger consumption of memory. "
    )
    assert cluster.get("pods", "asks-enough")["status"]["phase"] == "Running"
    cluster.reconcile(for_s=60)
    assert cluster.get("pods", "asks-enough")["status"]["reason"] == "Evicted"
    assert cluster.get("pods", "critical", "kube-system")["status"]["phase"] == "Running"
    assert not cluster.get("nodes", "worker-1")["spec"].get("taints")


def test_the_plain_form_of_a_node_that_is_down_needs_no_status() -> None:
    cluster = Cluster.memory(nodes=3)
    down = fault(type="NodeDown", node="worker-1")
    down["metadata"]["name"] = "node-down-worker-1"
    cluster.create(down)
    cluster.reconcile(for_s=60)
    assert is_ready(cluster, "worker-1") == "Unknown"
    assert "status" not in cluster.get("faults", "node-down-worker-1")
    cluster.delete("faults", "node-down-worker-1")
    cluster.reconcile()
    assert is_ready(cluster, "worker-1") == "True"
