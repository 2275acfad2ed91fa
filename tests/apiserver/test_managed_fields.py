"""managedFields and server-side apply, against objects recorded on a real cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py import Cluster
from minikube_py.api import fieldsets, kinds
from minikube_py.base import errors

Object = dict[str, Any]

RECORDED: list[Object] = json.loads((Path(__file__).parent.parent / "data" / "managed_fields.json").read_text())
WORKLOADS = [obj for obj in RECORDED if obj["kind"] in ("Deployment", "StatefulSet")]


def deployment(image: str = "nginx:1.27", replicas: int | None = 1, **container: Any) -> Object:
    spec: Object = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "nginx", "image": image, **container}]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def config_map(**data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "labels": {"set": "p"}}, "data": data}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.memory(nodes=2, seed=1)


def managed(cluster: Cluster, resource: str, name: str) -> dict[tuple[str, str, str], Object]:
    """(manager, operation, subresource) -> fields."""
    shown = cluster.with_managed_fields(resource, cluster.get(resource, name))["metadata"]["managedFields"]
    return {(one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"] for one in shown}


@pytest.mark.parametrize("obj", WORKLOADS, ids=lambda obj: f"{obj['kind']}/{len(obj['metadata']['managedFields'])}")
def test_the_managers_of_a_recorded_object_own_together_what_the_set_of_its_fields_says(obj: Object) -> None:
    kind = kinds.BUILTIN.find(obj["apiVersion"], obj["kind"])
    assert kind is not None
    together: Object = {}
    for entry in obj["metadata"]["managedFields"]:
        together = fieldsets.union(together, entry["fieldsV1"])
    assert fieldsets.compare(kind, {}, obj)[0] == together


def test_a_deployment_has_the_managers_that_the_recorded_one_has(cluster: Cluster) -> None:
    wanted = next(obj for obj in WORKLOADS if len(obj["metadata"]["managedFields"]) == 5)
    cluster.apply(deployment(ports=[{"containerPort": 80}]))
    cluster.reconcile()
    cluster.manager = "kubectl-scale"
    cluster.patch("deployments", "web", patch={"spec": {"replicas": 2}})
    cluster.manager = "kubectl-set"
    change = {"spec": {"template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.28"}]}}}}
    cluster.patch("deployments", "web", patch=change, type="strategic")
    cluster.manager = "kubectl-rollout"
    cluster.patch("deployments", "web", patch={"spec": {"paused": True}})
    found = managed(cluster, "deployments", "web")
    recorded = {
        (one["manager"], one["operation"], one.get("subresource", "")): fieldsets.union(one["fieldsV1"], {})
        for one in wanted["metadata"]["managedFields"]
    }
    assert found.keys() == recorded.keys()
    for manager in recorded:
        if manager[2] != "status":
            assert found[manager] == recorded[manager], manager


def test_a_pod_is_managed_by_its_controller_and_its_kubelet_without_what_admission_added(cluster: Cluster) -> None:
    cluster.apply(deployment())
    cluster.reconcile()
    pod = cluster.list("pods", "default")[0]
    found = managed(cluster, "pods", pod["metadata"]["name"])
    assert list(found) == [("kube-controller-manager", "Update", ""), ("kubelet", "Update", "status")]
    spec = found["kube-controller-manager", "Update", ""]["f:spec"]
    assert sorted(spec) == [
        "f:containers", "f:dnsPolicy", "f:enableServiceLinks", "f:restartPolicy", "f:schedulerName", "f:securityContext",
        "f:terminationGracePeriodSeconds",
    ]  # fmt: skip
    assert "f:volumeMounts" not in spec["f:containers"]['k:{"name":"nginx"}']


def test_a_server_side_apply_owns_exactly_what_it_names(cluster: Cluster) -> None:
    cluster.apply_server_side(config_map(a="1"))
    assert managed(cluster, "configmaps", "c") == {
        ("kubectl", "Apply", ""): {"f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:set": {}}}}
    }


def test_another_managers_field_is_a_conflict_until_it_is_forced(cluster: Cluster) -> None:
    cluster.apply_server_side(config_map(a="1"))
    with pytest.raises(errors.Conflict, match=r'^Apply failed with 1 conflict: conflict with "kubectl": \.data\.a$'):
        cluster.apply_server_side(config_map(a="2"), manager="other")
    cluster.apply_server_side(config_map(a="2"), manager="other", force=True)
    assert cluster.get("configmaps", "c")["data"] == {"a": "2"}
    assert managed(cluster, "configmaps", "c")["kubectl", "Apply", ""] == {"f:metadata": {"f:labels": {"f:set": {}}}}


def test_conflicts_with_several_managers_are_listed_by_manager(cluster: Cluster) -> None:
    cluster.apply(deployment())
    cluster.manager = "kubectl-scale"
    cluster.patch("deployments", "web", patch={"spec": {"replicas": 5}})
    cluster.manager = ""
    with pytest.raises(errors.Conflict) as caught:
        cluster.apply_server_side(deployment(image="nginx:2"), manager="me")
    assert str(caught.value) == (
        'Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:\n- .spec.replicas\n'
        'conflicts with "kubectl-client-side-apply" using apps/v1:\n- .spec.template.spec.containers[name="nginx"].image'
    )


def test_equal_values_are_owned_together(cluster: Cluster) -> None:
    cluster.apply_server_side(config_map(a="1"))
    cluster.apply_server_side(config_map(a="1"), manager="other")
    assert [manager for manager, _, _ in managed(cluster, "configmaps", "c")] == ["kubectl", "other"]
    cluster.apply_server_side(config_map(), manager="kubectl")
    assert cluster.get("configmaps", "c")["data"] == {"a": "1"}


def test_what_is_no_longer_applied_goes_and_what_others_set_stays(cluster: Cluster) -> None:
    cluster.apply_server_side(deployment(ports=[{"containerPort": 80}], env=[{"name": "A", "value": "1"}]))
    cluster.patch("deployments", "web", patch={"metadata": {"labels": {"mine": "yes"}}})
    cluster.apply_server_side(deployment(env=[{"name": "B", "value": "2"}]))
    stored = cluster.get("deployments", "web")
    container = stored["spec"]["template"]["spec"]["containers"][0]
    assert "ports" not in container
    assert container["env"] == [{"name": "B", "value": "2"}]
    assert stored["metadata"]["labels"] == {"mine": "yes"}


def test_a_field_that_is_given_up_keeps_its_default(cluster: Cluster) -> None:
    cluster.apply_server_side(deployment(replicas=3))
    cluster.apply_server_side(deployment(replicas=None))
    assert cluster.get("deployments", "web")["spec"]["replicas"] == 1


def test_applying_the_same_again_writes_nothing(cluster: Cluster) -> None:
    first = cluster.apply_server_side(deployment())
    before = managed(cluster, "deployments", "web")
    again = cluster.apply_server_side(deployment())
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert managed(cluster, "deployments", "web") == before


def test_a_dry_run_leaves_no_manager(cluster: Cluster) -> None:
    cluster.apply_server_side(config_map(a="1"))
    dry = cluster.apply_server_side(config_map(a="2"), dry_run=True)
    assert dry["data"] == {"a": "2"}
    cluster.apply_server_side(config_map(a="1", b="x"), manager="other", dry_run=True)
    assert [manager for manager, _, _ in managed(cluster, "configmaps", "c")] == ["kubectl"]


def test_what_client_side_apply_managed_is_handed_over(cluster: Cluster) -> None:
    cluster.apply(config_map(a="1", b="2"))
    cluster.apply_server_side(config_map(a="1"))
    assert cluster.get("configmaps", "c")["data"] == {"a": "1", "b": "2"}
    assert cluster.take_over("configmaps", "c")
    assert not cluster.take_over("configmaps", "c")
    cluster.apply_server_side(config_map(a="1"))
    assert cluster.get("configmaps", "c")["data"] == {"a": "1"}


def test_an_object_that_is_made_again_has_no_managers_of_the_old_one(cluster: Cluster) -> None:
    cluster.apply_server_side(config_map(a="1"))
    cluster.delete("configmaps", "c")
    cluster.create(config_map(a="1"))
    assert list(managed(cluster, "configmaps", "c")) == [("kubectl-create", "Update", "")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"spec": {"replcas": 3}}, ".spec.replcas: field not declared in schema"),
        ({"spec": {"replicas": "three"}}, ".spec.replicas: expected numeric (int or float), got string"),
    ],
)
def test_what_is_no_typed_object_is_refused(cluster: Cluster, change: Object, problem: str) -> None:
    obj = deployment()
    with pytest.raises(errors.StatusError) as caught:
        cluster.apply_server_side({**obj, "spec": {**obj["spec"], **change["spec"]}})
    assert str(caught.value) == (
        f"failed to create typed patch object (default/web; apps/v1, Kind=Deployment): {problem}"
    )


def test_a_custom_resource_is_owned_by_its_schema(cluster: Cluster) -> None:
    items = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
        "required": ["name"],
    }
    by_name = {"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    whole = {"type": "array", "items": {"type": "string"}}
    spec = {"type": "object", "properties": {"parts": by_name, "tags": whole}}
    cluster.apply({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.x.io"},
        "spec": {
            "group": "x.io", "scope": "Namespaced", "names": {"kind": "Gadget", "plural": "gadgets"},
            "versions": [{
                "name": "v1", "served": True, "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
            }],
        },
    })  # fmt: skip
    gadget: Object = {"apiVersion": "x.io/v1", "kind": "Gadget", "metadata": {"name": "g"}}
    cluster.apply_server_side({**gadget, "spec": {"parts": [{"name": "a", "size": 1}], "tags": ["x", "y"]}})
    cluster.apply_server_side({**gadget, "spec": {"parts": [{"name": "b", "size": 2}]}}, manager="other")
    assert cluster.get("gadgets", "g")["spec"]["parts"] == [{"name": "a", "size": 1}, {"name": "b", "size": 2}]
    assert managed(cluster, "gadgets", "g")["kubectl", "Apply", ""] == {
        "f:spec": {"f:parts": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:size": {}}}, "f:tags": {}}
    }
