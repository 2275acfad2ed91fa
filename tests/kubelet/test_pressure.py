"""Nodes that run out of memory or disk because of what programs use: conditions, taints, who goes, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.kubelet import usage

Object = dict[str, Any]
GI = 1 << 30


def program(name: str, **spec: Any) -> Object:
    match = {"selector": {"matchLabels": {"app": name}}}
    return {
        "apiVersion": "sim.kpy.dev/v1alpha1",
        "kind": "Program",
        "metadata": {"name": name},
        "spec": {"match": match, **spec},
    }


def pod(name: str, requests: Object | None = None, limits: Object | None = None, **spec: Any) -> Object:
    resources = {"requests": requests or {}, "limits": limits or {}}
    container: Object = {"name": "c", "image": "example.com/app:1", "resources": resources}
    metadata = {"name": name, "labels": {"app": name}}
    where = {"nodeName": "worker-1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container], **where, **spec},
    }


def cluster_with(*objects: Object) -> Cluster:
    cluster = Cluster.memory(nodes=2)
    for obj in objects:
        cluster.create(obj)
    return cluster


def pressure(cluster: Cluster, sort: str = "MemoryPressure") -> str:
    return {one["type"]: one["status"] for one in cluster.get("nodes", "worker-1")["status"]["conditions"]}[sort]


def reason(cluster: Cluster, name: str) -> str:
    return str(cluster.get("pods", name)["status"].get("reason", ""))


def events(cluster: Cluster, word: str) -> list[str]:
    return [f"{one['reason']}: {one['message']}" for one in cluster.list("events") if word in one["reason"]]


GROWING = [{"after": "0s", "value": "1Gi"}, {"after": "1m", "value": "6Gi"}]


def test_memory_that_grows_puts_the_node_under_pressure_and_the_greediest_goes() -> None:
    steady, greedy = program("steady", memory="2Gi"), program("greedy", memory=GROWING)
    cluster = cluster_with(steady, greedy, pod("steady", {"memory": "2Gi"}), pod("greedy", {"memory": "1Gi"}))
    cluster.reconcile(for_s=62)
    assert pressure(cluster) == "False"
    cluster.reconcile(for_s=2)
    assert pressure(cluster) == "True"
    taints = cluster.get("nodes", "worker-1")["spec"]["taints"]
    assert [taint["key"] for taint in taints] == ["node.kubernetes.io/memory-pressure"]
    assert (reason(cluster, "greedy"), reason(cluster, "steady")) == ("Evicted", "")
    status = cluster.get("pods", "greedy")["status"]
    assert status["phase"] == "Failed"
    assert status["message"] == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 0. Container c was using 6Gi, "
        "request is 1Gi, has larger consumption of memory. "
    )
    assert events(cluster, "EvictionThresholdMet") == ["EvictionThresholdMet: Attempting to reclaim memory"]
    assert events(cluster, "NodeHas") == [
        "NodeHasInsufficientMemory: Node worker-1 status is now: NodeHasInsufficientMemory"
    ]
    cluster.reconcile(for_s=280)
    assert pressure(cluster) == "True", "the transition period is five minutes"
    cluster.reconcile(for_s=40)
    assert pressure(cluster) == "False"
    assert not cluster.get("nodes", "worker-1")["spec"].get("taints")
    assert len(events(cluster, "NodeHasSufficientMemory")) == 1


def test_who_asked_for_it_stays_and_priority_counts_next() -> None:
    cluster = Cluster.memory(nodes=2)
    for name, value in (("low", 10), ("high", 1000)):
        cluster.create(
            {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
        )
    for obj in (
        *(program(name, memory=[{"after": 0, "value": "1Gi"}, {"after": 60, "value": "2800Mi"}]) for name in "abc"),
        pod("a", {"memory": "2800Mi"}),
        pod("b", priorityClassName="high"),
        pod("c", priorityClassName="low"),
    ):
        cluster.create(obj)
    cluster.reconcile(for_s=70)
    assert {name: reason(cluster, name) for name in "abc"} == {"a": "", "b": "", "c": "Evicted"}


def test_one_pod_goes_every_ten_seconds_until_there_is_enough() -> None:
    names = ["a", "b", "c", "d"]
    grows = [{"after": 0, "value": "16Mi"}, {"after": 30, "value": "4Gi"}]
    cluster = cluster_with(*(program(name, memory=grows) for name in names), *map(pod, names))
    left = []
    for _ in range(5):
        cluster.reconcile(for_s=10)
        left.append(sum(reason(cluster, name) == "" for name in names))
    assert left == [4, 4, 4, 3, 2]
    cluster.reconcile(for_s=60)
    assert sum(reason(cluster, name) == "" for name in names) == 1


def test_a_full_disk_takes_unused_images_first_and_then_pods() -> None:
    writes = [{"after": 0, "value": "1Mi"}, {"after": "1m", "value": "60Gi"}, {"after": "2m", "value": "90Gi"}]
    big = program("big", disk=writes)
    idle = {
        **program("idle"),
        "spec": {"match": {"image": "example.com/idle:1"}, "pull": {"after": "2s", "sizeBytes": 30 * GI}},
    }
    user = pod("idle", restartPolicy="Never")
    user["spec"]["containers"][0] |= {"image": "example.com/idle:1"}
    cluster = cluster_with(big, idle, pod("big", {"ephemeral-storage": "1Gi"}), user)
    cluster.reconcile(for_s=40)
    cluster.delete("pods", "idle")
    cluster.reconcile(for_s=40)
    node = cluster.get("nodes", "worker-1")
    assert pressure(cluster, "DiskPressure") == "True"
    assert sum(image["sizeBytes"] for image in node["status"]["images"]) < GI
    assert reason(cluster, "big") == ""
    cluster.reconcile(for_s=60)
    assert reason(cluster, "big") == "Evicted"
    told = cluster.get("pods", "big")["status"]["message"]
    assert told.startswith("The node was low on resource: ephemeral-storage. Threshold quantity: 15Gi, available: ")
    assert told.endswith("Container c was using 90Gi, request is 1Gi, has larger consumption of ephemeral-storage. ")


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("2Gi", "Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. "),
        ("20Gi", ""),
        (None, ""),
    ],
)
def test_a_pod_that_writes_more_than_its_limit_goes(limit: str | None, told: str) -> None:
    writes = [{"after": 0, "value": "1Gi"}, {"after": 30, "value": "3Gi"}]
    limits = {"ephemeral-storage": limit} if limit else {}
    cluster = cluster_with(program("a", disk=writes), pod("a", limits=limits))
    cluster.reconcile(for_s=40)
    status = cluster.get("pods", "a")["status"]
    assert (status["phase"], status.get("message", "")) == ("Failed" if told else "Running", told)
    assert events(cluster, "Evicted") == ([f"Evicted: {told}"] if told else [])
    assert pressure(cluster, "DiskPressure") == "False"


def test_one_container_of_two_over_its_own_limit() -> None:
    two = pod("a", limits={"ephemeral-storage": "1Gi"})
    two["spec"]["containers"].append(
        {"name": "other", "image": "nginx", "resources": {"limits": {"ephemeral-storage": "9Gi"}}}
    )
    large = program("a", disk="2Gi")
    large["spec"]["match"]["container"] = "c"
    cluster = cluster_with(large, two)
    cluster.reconcile(for_s=20)
    assert reason(cluster, "a") == "Evicted"
    told = cluster.get("pods", "a")["status"]["message"]
    assert told == 'Container c exceeded its local ephemeral storage limit "1Gi". '


def test_usual_programs_are_never_added_up() -> None:
    cluster = cluster_with(*(pod(f"p{index}") for index in range(20)))
    cluster.reconcile()
    assert cluster.list("events") and not events(cluster, "NodeHas")


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (1023, "1023"), (1024, "1Ki"), (50 << 20, "50Mi"), (3 << 40, "3Ti"), ((1 << 30) + 1024, "1048577Ki")]
)  # fmt: skip
def test_amounts_as_go_prints_them(amount: int, text: str) -> None:
    assert usage.in_words(amount) == text
