"""The control plane's own pods: there from the first second, and nothing has to be done for them."""

from __future__ import annotations

from minikube_py.cluster import Cluster


def test_the_control_plane_runs_as_pods_and_settles_without_a_write() -> None:
    cluster = Cluster.memory(nodes=2, static_pods=True)
    pods = cluster.list("pods", "kube-system")
    assert [pod["metadata"]["name"] for pod in pods] == [
        f"{name}-control-plane" for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    ]
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    revision = cluster.store.revision
    cluster.reconcile(for_s=86_400)
    assert cluster.store.revision == revision


def test_they_are_not_there_unless_asked_for() -> None:
    assert Cluster.memory(nodes=2).list("pods") == []
