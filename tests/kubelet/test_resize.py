"""In-place resize: at once, with a restart, later, or never."""

from __future__ import annotations

from typing import Any

from minikube_py.cluster import Cluster

Object = dict[str, Any]


def running(cpu: str, name: str = "web", **fields: Any) -> Object:
    resources = {"requests": {"cpu": cpu, "memory": "100Mi"}, "limits": {"cpu": cpu, "memory": "100Mi"}}
    container = {"name": "web", "image": "nginx", "resources": resources, **fields}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


def resized(cluster: Cluster, cpu: str) -> Object:
    resources = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
    fields = {"spec": {"containers": [{"name": "web", "resources": resources}]}}
    cluster.patch("pods", "web", "default", fields, type="strategic", subresource="resize")
    cluster.reconcile(for_s=10)
    return cluster.get("pods", "web")


def pending(pod: Object) -> list[tuple[str, str]]:
    return [(one["reason"], one["message"]) for one in pod["status"]["conditions"] if one["type"] == "PodResizePending"]


def has_cpu(pod: Object) -> str:
    entry = pod["status"]["containerStatuses"][0]
    assert entry["allocatedResources"]["cpu"] == entry["resources"]["requests"]["cpu"]
    return str(entry["resources"]["requests"]["cpu"])


def test_a_container_gets_more_without_a_restart() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(running("500m"))
    cluster.reconcile()
    pod = resized(cluster, "1")
    assert (has_cpu(pod), pod["status"]["containerStatuses"][0]["restartCount"], pending(pod)) == ("1", 0, [])


def test_a_container_that_wants_a_restart_is_restarted() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(running("500m", resizePolicy=[{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]))
    cluster.reconcile()
    pod = resized(cluster, "1")
    assert (has_cpu(pod), pod["status"]["containerStatuses"][0]["restartCount"]) == ("1", 1)


def test_what_no_node_has_is_infeasible() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(running("500m"))
    cluster.reconcile()
    pod = resized(cluster, "1000")
    assert has_cpu(pod) == "500m"
    assert pending(pod) == [("Infeasible", "Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000")]
    assert pending(resized(cluster, "600m")) == []


def test_what_others_use_is_waited_for() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(running("500m"))
    cluster.create(running("3", "big"))
    cluster.reconcile()
    pod = resized(cluster, "2")
    assert (has_cpu(pod), pending(pod)) == (
        "500m", [("Deferred", "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000")],
    )  # fmt: skip
    cluster.delete("pods", "big")
    cluster.reconcile(for_s=400)
    pod = cluster.get("pods", "web")
    assert (has_cpu(pod), pending(pod)) == ("2", [])


def events(cluster: Cluster) -> list[tuple[str, str, str]]:
    found = [one for one in cluster.list("events", "default") if one["reason"].startswith("Resize")]
    return [(one["type"], one["reason"], one["message"]) for one in found]


def resources(cpu: str) -> str:
    return (
        f'{{"containers":[{{"name":"web","resources":{{"limits":{{"cpu":"{cpu}","memory":"100Mi"}},'
        f'"requests":{{"cpu":"{cpu}","memory":"100Mi"}}}}}}],"generation":2'
    )


def test_a_resize_begins_and_is_completed() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(running("500m"))
    cluster.reconcile()
    resized(cluster, "1")
    assert sorted(events(cluster)) == [
        ("Normal", "ResizeCompleted", f"Pod resize completed: {resources('1')}}}"),
        ("Normal", "ResizeStarted", f"Pod resize started: {resources('1')}}}"),
    ]


def test_a_resize_with_a_restart_is_in_progress_until_the_container_runs() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(running("500m", resizePolicy=[{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]))
    cluster.reconcile()
    fields = {
        "spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}]}
    }
    cluster.patch("pods", "web", "default", fields, type="strategic", subresource="resize")
    cluster.reconcile(for_s=0)
    progress = [
        one for one in cluster.get("pods", "web")["status"]["conditions"] if one["type"] == "PodResizeInProgress"
    ]
    assert [(one["status"], one["observedGeneration"]) for one in progress] == [("True", 2)]
    assert [reason for _, reason, _ in events(cluster)] == ["ResizeStarted"]
    cluster.reconcile(for_s=10)
    assert all(one["type"] != "PodResizeInProgress" for one in cluster.get("pods", "web")["status"]["conditions"])
    assert sorted(reason for _, reason, _ in events(cluster)) == ["ResizeCompleted", "ResizeStarted"]


def test_a_resize_that_has_to_wait_is_a_warning() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(running("500m"))
    cluster.reconcile()
    resized(cluster, "1000")
    why = "Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000"
    text = resources("1000").replace('"1000"', '"1k"')
    assert events(cluster) == [("Warning", "ResizeInfeasible", f'Pod resize Infeasible: {text},"error":"{why}"}}')]
