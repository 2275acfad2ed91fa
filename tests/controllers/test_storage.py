"""Volumes on a whole cluster: made for a claim, kept while it is used, grown, given back."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.controllers.storage import provisioner

Object = dict[str, Any]


def _class(**more: Any) -> Object:
    meta = {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": meta,
        "provisioner": "ebs.csi.aws.com",
        **more,
    }


def _claim(name: str = "data", size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",)) -> Object:
    spec = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def _pod(name: str, claim: str = "data") -> Object:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": claim}}
    container = {"name": "c", "image": "nginx:1.27", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "volumes": [volume]},
    }


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.memory(nodes=3, seed=1)


def _claims(cluster: Cluster) -> dict[str, str]:
    return {
        one["metadata"]["name"]: one["status"]["phase"] for one in cluster.list("persistentvolumeclaims", "default")
    }


def _phases(cluster: Cluster) -> list[str]:
    return [one["status"]["phase"] for one in cluster.list("persistentvolumes")]


def test_a_provisioner_takes_its_time_and_the_volume_is_bound_at_once(cluster: Cluster) -> None:
    cluster.create(_class())
    cluster.create(_claim())
    cluster.reconcile(for_s=provisioner.PROVISION_S - 1)
    assert _claims(cluster) == {"data": "Pending"}
    cluster.reconcile(for_s=1)
    assert _claims(cluster) == {"data": "Bound"}
    volume = cluster.list("persistentvolumes")[0]
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert volume["spec"]["claimRef"]["name"] == "data"


def test_a_claim_that_waits_for_its_first_consumer_is_bound_when_a_pod_has_a_node(cluster: Cluster) -> None:
    cluster.create(_class(volumeBindingMode="WaitForFirstConsumer"))
    cluster.create(_claim())
    assert cluster.reconcile().settled
    assert _claims(cluster) == {"data": "Pending"}
    cluster.create(_pod("p"))
    cluster.reconcile()
    assert _claims(cluster) == {"data": "Bound"}
    pod = cluster.get("pods", "p", "default")
    assert pod["status"]["phase"] == "Running"
    notes = cluster.get("persistentvolumeclaims", "data", "default")["metadata"]["annotations"]
    assert notes["volume.kubernetes.io/selected-node"] == pod["spec"]["nodeName"]


def test_a_claim_in_use_stays_until_its_pod_is_gone_and_its_volume_goes_after_it(cluster: Cluster) -> None:
    cluster.create(_class())
    cluster.create(_claim())
    cluster.create(_pod("p"))
    cluster.reconcile()
    cluster.delete("persistentvolumeclaims", "data")
    cluster.reconcile()
    assert _claims(cluster) == {"data": "Bound"}
    cluster.delete("pods", "p")
    cluster.reconcile()
    assert _claims(cluster) == {}
    assert _phases(cluster) == []


def test_a_retained_volume_is_released_and_not_bound_again(cluster: Cluster) -> None:
    cluster.create(_class(reclaimPolicy="Retain"))
    cluster.create(_claim())
    cluster.reconcile()
    cluster.delete("persistentvolumeclaims", "data")
    cluster.create(_claim("other"))
    cluster.reconcile()
    assert sorted(_phases(cluster)) == ["Bound", "Released"]


def test_a_bound_claim_grows_if_its_class_allows(cluster: Cluster) -> None:
    cluster.create(_class(allowVolumeExpansion=True))
    cluster.create(_claim())
    cluster.reconcile()
    wish = {"spec": {"resources": {"requests": {"storage": "3Gi"}}}}
    cluster.patch("persistentvolumeclaims", "data", "default", wish)
    cluster.reconcile(for_s=1)
    claim = cluster.get("persistentvolumeclaims", "data", "default")
    assert [one["type"] for one in claim["status"]["conditions"]] == ["Resizing"]
    cluster.reconcile()
    claim = cluster.get("persistentvolumeclaims", "data", "default")
    assert claim["status"]["capacity"] == {"storage": "3Gi"}
    assert "conditions" not in claim["status"]
    assert cluster.list("persistentvolumes")[0]["spec"]["capacity"] == {"storage": "3Gi"}


def test_a_claim_for_one_pod_holds_a_second_pod_back(cluster: Cluster) -> None:
    cluster.create(_class())
    cluster.create(_claim(modes=("ReadWriteOncePod",)))
    for name in ("p1", "p2"):
        cluster.create(_pod(name))
    cluster.reconcile()
    phases = sorted(one["status"]["phase"] for one in cluster.list("pods", "default"))
    assert phases == ["Pending", "Running"]


def test_an_ephemeral_volume_has_a_claim_that_goes_with_its_pod(cluster: Cluster) -> None:
    cluster.create(_class())
    pod = _pod("p")
    template = {"metadata": {"labels": {"a": "b"}}, "spec": _claim()["spec"]}
    pod["spec"]["volumes"] = [{"name": "v", "ephemeral": {"volumeClaimTemplate": template}}]
    cluster.create(pod)
    cluster.reconcile()
    assert _claims(cluster) == {"p-v": "Bound"}
    claim = cluster.get("persistentvolumeclaims", "p-v", "default")
    assert claim["metadata"]["labels"] == {"a": "b"}
    cluster.delete("pods", "p")
    cluster.reconcile()
    assert _claims(cluster) == {}


def test_a_recycled_volume_serves_the_next_claim(cluster: Cluster) -> None:
    spec = {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "old",
        "persistentVolumeReclaimPolicy": "Recycle", "hostPath": {"path": "/tmp/v"},
    }  # fmt: skip
    cluster.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": spec})
    claim = _claim()
    claim["spec"]["storageClassName"] = "old"
    cluster.create(claim)
    cluster.reconcile()
    cluster.delete("persistentvolumeclaims", "data")
    cluster.reconcile(for_s=1)
    assert _phases(cluster) == ["Released"]
    cluster.reconcile()
    assert _phases(cluster) == ["Available"]


def test_attributes_class_stays_while_a_claim_names_it(cluster: Cluster) -> None:
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "metadata": {"name": "gold"}}
    cluster.apply({**kind, "driverName": "ebs.csi.aws.com", "parameters": {"iops": "1000"}})
    claim = _claim()
    claim["spec"]["volumeAttributesClassName"] = "gold"
    cluster.apply(claim)
    cluster.reconcile()
    made = cluster.get("volumeattributesclasses.storage.k8s.io", "gold")
    assert made["metadata"]["finalizers"] == ["kubernetes.io/vac-protection"]
    cluster.delete("volumeattributesclasses.storage.k8s.io", "gold")
    cluster.reconcile()
    assert cluster.get("volumeattributesclasses.storage.k8s.io", "gold")["metadata"]["deletionTimestamp"]
    cluster.delete("persistentvolumeclaims", "data")
    cluster.reconcile()
    assert not cluster.list("volumeattributesclasses.storage.k8s.io")
