"""A machine that is switched off and on: what ran is gone and is started anew; and pods of the control plane."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster

Object = dict[str, Any]


def pod(name: str, policy: str = "Always", node: str = "worker-1", **spec: Any) -> Object:
    container = {"name": "c", "image": "nginx:1.27"}
    spec = {"containers": [container], "nodeName": node, "restartPolicy": policy, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def off_and_on(cluster: Cluster, kind: str = "NodeDown", for_s: int = 30) -> None:
    spec = {"type": kind, "node": "worker-1", "for": for_s}
    cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": "f"}, "spec": spec})
    cluster.reconcile(for_s=for_s + 10)


def events(cluster: Cluster, name: str, *reasons: str) -> list[str]:
    found = [one for one in cluster.list("events") if one["involvedObject"]["name"] == name]
    return [one["message"] for one in found if one["reason"] in reasons]


def test_containers_are_started_anew_with_another_address() -> None:
    cluster = Cluster.memory(nodes=2)
    init = {"name": "i", "image": "busybox", "command": ["true"]}
    cluster.create(pod("web", initContainers=[init]))
    cluster.reconcile()
    before = cluster.get("pods", "web")["status"]
    boot = cluster.get("nodes", "worker-1")["status"]["nodeInfo"]["bootID"]
    off_and_on(cluster)
    after = cluster.get("pods", "web")["status"]
    entry = after["containerStatuses"][0]
    assert (after["phase"], entry["restartCount"], entry["ready"]) == ("Running", 1, True)
    last = entry["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (255, "Unknown")
    assert after["initContainerStatuses"][0]["restartCount"] == 1
    assert after["podIP"] != before["podIP"]
    assert events(cluster, "web", "SandboxChanged") == ["Pod sandbox changed, it will be killed and re-created."]
    now = cluster.get("nodes", "worker-1")["status"]["nodeInfo"]["bootID"]
    assert now != boot
    assert events(cluster, "worker-1", "Rebooted") == [f"Node worker-1 has been rebooted, boot id: {now}"]
    cluster.reconcile(for_s=60)
    assert cluster.get("pods", "web")["status"]["containerStatuses"][0]["restartCount"] == 1


def test_a_pod_that_is_not_restarted_has_failed() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("once", "Never"))
    cluster.reconcile()
    off_and_on(cluster)
    status = cluster.get("pods", "once")["status"]
    assert (status["phase"], status["containerStatuses"][0]["state"]["terminated"]["exitCode"]) == ("Failed", 255)


@pytest.mark.parametrize("name", ["other", "late"])
def test_other_pods_are_left_alone(name: str) -> None:
    cluster = Cluster.memory(nodes=3)
    cluster.create(pod("other", node="worker-2"))
    cluster.reconcile()
    off_and_on(cluster)
    cluster.create(pod("late"))
    cluster.reconcile(for_s=120)
    assert cluster.get("pods", name)["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_kubelet_that_was_stopped_finds_its_containers_running() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("web"))
    cluster.reconcile()
    off_and_on(cluster, "KubeletStopped")
    assert cluster.get("pods", "web")["status"]["containerStatuses"][0]["restartCount"] == 0
    assert events(cluster, "worker-1", "Rebooted") == []


def test_a_pod_that_was_deleted_meanwhile_goes() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("web"))
    cluster.reconcile()
    spec = {"type": "NodeDown", "node": "worker-1", "for": 60}
    cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": "f"}, "spec": spec})
    cluster.reconcile(for_s=5)
    cluster.delete("pods", "web")
    cluster.reconcile(for_s=30)
    assert "deletionTimestamp" in cluster.get("pods", "web")["metadata"]
    cluster.reconcile(for_s=60)
    assert cluster.list("pods") == []


@pytest.mark.parametrize("grace_s", [None, 0])
def test_a_mirror_pod_is_made_again(grace_s: int | None) -> None:
    cluster = Cluster.memory(nodes=2, static_pods=True)
    cluster.reconcile()
    old = cluster.get("pods", "etcd-control-plane", "kube-system")
    cluster.reconcile(for_s=100)
    cluster.delete("pods", "etcd-control-plane", "kube-system", grace_s=grace_s)
    cluster.reconcile()
    new = cluster.get("pods", "etcd-control-plane", "kube-system")
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert "deletionTimestamp" not in new["metadata"]
    started = [one["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] for one in (old, new)]
    assert started[0] == started[1], "the container has run on"
    assert events(cluster, "etcd-control-plane", "Killing") == []


def test_all_mirror_pods_come_back_and_none_where_there_were_none() -> None:
    cluster = Cluster.memory(nodes=2, static_pods=True)
    cluster.reconcile()
    for mirror in cluster.list("pods", "kube-system"):
        cluster.delete("pods", mirror["metadata"]["name"], "kube-system", grace_s=0)
    cluster.reconcile()
    assert len(cluster.list("pods", "kube-system")) == 4
    bare = Cluster.memory(nodes=2)
    bare.reconcile()
    assert bare.list("pods", "kube-system") == []
