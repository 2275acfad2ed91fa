"""ResourceClaims of pods: made from templates, told to the pod, and gone when it is done."""

from __future__ import annotations

from typing import Any

from minikube_py.api.types import Create, Delete, Key, Patch, Record, Remember, Wake
from minikube_py.cluster import Cluster
from minikube_py.controllers.resource_claim import FINALIZER, OF_ENTRY, base_name, claim_step, pod_step
from tests.controllers.objects import pod as a_pod
from tests.support import T0, FrozenView

Object = dict[str, Any]
REQUESTS = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu.example.com"}}]}}
PODS, CLAIM, DEVICES = (
    Key("pods", "default", "p"),
    Key("resourceclaims.resource.k8s.io", "default", "p-gpu-1"),
    "p-gpu-1",
)
RESOURCES = {
    "Pod": "pods",
    "ResourceClaim": "resourceclaims.resource.k8s.io",
    "ResourceClaimTemplate": "resourceclaimtemplates.resource.k8s.io",
}


def template() -> Object:
    meta = {"name": "t", "namespace": "default"}
    spec = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": REQUESTS}
    return {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate", "metadata": meta, "spec": spec}


def asking(*, node: str = "", phase: str = "Pending", statuses: list[Object] | None = None, **entry: str) -> Object:
    made = a_pod("p", node=node, phase=phase)
    entry = entry or {"resourceClaimTemplateName": "t"}
    meta = {**made["metadata"], "uid": "u1", "namespace": "default"}
    status = {**made["status"], **({"resourceClaimStatuses": statuses} if statuses else {})}
    return {
        **made, "metadata": meta, "status": status,
        "spec": {**made["spec"], "resourceClaims": [{"name": "gpu", **entry}]},
    }  # fmt: skip


def claim(reserved: tuple[str, ...] = (), *, allocated: bool = False, owner: str = "u1", **meta: Any) -> Object:
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": owner, "controller": True}
    status: Object = {"reservedFor": [{"name": "p", "resource": "pods", "uid": uid} for uid in reserved]}
    if allocated:
        status["allocation"] = {"devices": {}}
    return {
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "spec": REQUESTS, "status": status,
        "metadata": {
            "name": DEVICES, "namespace": "default", "uid": "c1", "annotations": {OF_ENTRY: "gpu"},
            "ownerReferences": [reference], **meta,
        },
    }  # fmt: skip


def of_pod(pod: Object, *objects: Object) -> list[Any]:
    return list(pod_step(pod, view_of(pod, *objects), T0))


def of_claim(one: Object, pod: Object | None) -> list[Any]:
    return list(claim_step(one, view_of(one, *([pod] if pod else [])), T0))


def view_of(*objects: Object) -> FrozenView:
    found: dict[str, list[Object]] = {}
    for obj in objects:
        found.setdefault(RESOURCES[obj["kind"]], []).append(obj)
    return FrozenView(found)


def test_a_template_becomes_a_claim_of_the_pod() -> None:
    (made,) = of_pod(asking(), template())
    assert isinstance(made, Create)
    meta = made.object["metadata"]
    assert meta["generateName"] == "p-gpu-"
    assert (meta["labels"], meta["annotations"]) == ({"a": "b"}, {"c": "d", OF_ENTRY: "gpu"})
    assert [(one["kind"], one["uid"], one["controller"]) for one in meta["ownerReferences"]] == [("Pod", "u1", True)]
    assert made.object["spec"] == REQUESTS


def test_long_names_are_cut_in_proportion() -> None:
    assert base_name("p", "gpu") == "p-gpu-"
    assert base_name("p" * 60, "c" * 8) == "p" * 48 + "-" + "c" * 6


def test_a_claim_that_the_pod_was_not_told_of_is_told() -> None:
    told = [{"name": "gpu", "resourceClaimName": DEVICES}]
    assert of_pod(asking(), claim()) == [Patch(PODS, {"status": {"resourceClaimStatuses": told}}, "status")]
    assert of_pod(asking(statuses=told), claim()) == []


def test_a_claim_that_was_deleted_or_is_another_pods_is_made_again() -> None:
    told = [{"name": "gpu", "resourceClaimName": DEVICES}]
    for objects in ((template(),), (template(), claim(owner="u0"))):
        (made,) = of_pod(asking(statuses=told), *objects)
        assert isinstance(made, Create)


def test_no_claim_is_made_for_a_name_or_a_pod_that_leaves() -> None:
    assert of_pod(asking(resourceClaimName="mine"), template()) == []
    assert of_pod(asking(node="n1", phase="Succeeded"), template()) == []
    leaving = asking()
    leaving["metadata"] = {**leaving["metadata"], "deletionTimestamp": T0.timestamp}
    assert of_pod(leaving, template()) == []


def test_a_missing_template_is_told_and_tried_again() -> None:
    found = of_pod(asking())
    told = [one for one in found if isinstance(one, Record)]
    assert {(one.reason, one.message) for one in told} == {
        (
            "FailedResourceClaimCreation",
            'PodResourceClaim gpu: resource claim template "t": resourceclaimtemplate.resource.k8s.io "t" not found',
        )
    }
    assert len(told) == 8
    assert [type(one) for one in found[8:]] == [Remember, Wake]


def test_an_allocated_claim_is_reserved_for_a_pod_with_a_node() -> None:
    told = [{"name": "gpu", "resourceClaimName": DEVICES}]
    here = {"name": "p", "resource": "pods", "uid": "u1"}
    pod = asking(node="n1", statuses=told)
    assert of_pod(pod, claim(allocated=True)) == [Patch(CLAIM, {"status": {"reservedFor": [here]}}, "status")]
    assert of_pod(pod, claim()) == []
    assert of_pod(pod, claim(("u1",), allocated=True)) == []


def test_reservations_of_pods_that_are_gone_replaced_or_done_are_dropped() -> None:
    one = claim(("u1",), allocated=True, finalizers=[FINALIZER])
    freed = [
        Patch(CLAIM, {"status": {"reservedFor": None, "allocation": None}}, "status"),
        Patch(CLAIM, {"metadata": {"finalizers": None}}),
    ]
    assert of_claim(one, asking(node="n1", phase="Running")) == []
    assert of_claim(one, None) == freed  # its owner is gone: the garbage collector deletes it
    assert of_claim(one, asking(node="n1", phase="Succeeded")) == [*freed, Delete(CLAIM)]


def test_a_claim_that_is_deleted_waits_for_its_users() -> None:
    one = claim(("u1",), allocated=True, finalizers=[FINALIZER], deletionTimestamp=T0.timestamp)
    assert of_claim(one, asking(node="n1", phase="Running")) == []
    unused = claim(allocated=True, finalizers=[FINALIZER, "o"], deletionTimestamp=T0.timestamp)
    assert of_claim(unused, asking(node="n1", phase="Running")) == [
        Patch(CLAIM, {"status": {"allocation": None}}, "status"),
        Patch(CLAIM, {"metadata": {"finalizers": ["o"]}}),
    ]


def test_a_pod_with_a_template_runs_and_takes_its_claim_along() -> None:
    cluster = Cluster.memory(nodes=2)
    container = {"name": "c", "image": "nginx", "resources": {"claims": [{"name": "gpu"}]}}
    spec = {"containers": [container], "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}]}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    cluster.reconcile(for_s=2)
    assert cluster.get("pods", "p", "default")["status"]["phase"] == "Pending"
    cluster.create(template())
    cluster.reconcile(for_s=30)
    pod = cluster.get("pods", "p", "default")
    (made,) = cluster.list("resourceclaims", "default")
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["resourceClaimStatuses"] == [{"name": "gpu", "resourceClaimName": made["metadata"]["name"]}]
    assert made["metadata"]["name"].startswith("p-gpu-")
    cluster.delete("resourceclaims", made["metadata"]["name"], "default")
    cluster.reconcile()
    (again,) = cluster.list("resourceclaims", "default")
    assert again["metadata"]["uid"] != made["metadata"]["uid"]
    cluster.delete("pods", "p", "default")
    cluster.reconcile()
    assert cluster.list("resourceclaims", "default") == []


def test_a_finished_pod_gives_its_claim_back() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(template())
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", "sleep 20"]}
    spec = {
        "containers": [container], "restartPolicy": "Never",
        "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}],
    }  # fmt: skip
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    cluster.reconcile(for_s=10)
    assert len(cluster.list("resourceclaims", "default")) == 1
    cluster.reconcile(for_s=60)
    assert cluster.get("pods", "p", "default")["status"]["phase"] == "Succeeded"
    assert cluster.list("resourceclaims", "default") == []
