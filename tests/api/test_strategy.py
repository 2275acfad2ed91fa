"""What storage does to objects: status, generation, generated fields, and what an update may not change."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import apparmor, label_keys, qos, strategy
from minikube_py.api.kinds import Kind, Registry
from tests.support import freeze

REGISTRY = Registry()
META = {"name": "x", "uid": "u-1", "creationTimestamp": "2026-01-02T03:04:05Z"}
Object = dict[str, Any]


def created(resource: str, **fields: Any) -> Object:
    obj = {"metadata": META, **fields}
    return strategy.prepare_create(REGISTRY.resource(resource), freeze(obj))


def updated(resource: str, new: Object, old: Object, subresource: str = "") -> Object:
    found = [{**obj, "metadata": {**META, **obj.get("metadata", {})}} for obj in (new, old)]
    return strategy.prepare_update(REGISTRY.resource(resource), freeze(found[0]), freeze(found[1]), subresource)


@pytest.mark.parametrize(
    ("resource", "given", "status"),
    [
        ("deployments.apps", {"spec": {}, "status": {"replicas": 3}}, {}),
        ("replicasets.apps", {"spec": {}}, {"replicas": 0}),
        ("persistentvolumeclaims", {"status": {"phase": "Bound"}}, {"phase": "Pending"}),
        ("persistentvolumes", {}, {"phase": "Pending", "lastPhaseTransitionTime": META["creationTimestamp"]}),
        ("namespaces", {"status": {"phase": "Terminating"}}, {"phase": "Active"}),
        ("services", {"spec": {}, "status": {"loadBalancer": {"ingress": []}}}, {"loadBalancer": {}}),
        ("nodes", {"status": {"capacity": {"cpu": "1"}}}, {"capacity": {"cpu": "1"}}),
        (
            "pods",
            {"spec": {"containers": []}, "status": {"phase": "Running"}},
            {"phase": "Pending", "qosClass": "BestEffort"},
        ),
        (
            "customresourcedefinitions.apiextensions.k8s.io",
            {"spec": {"versions": [{"name": "v1", "storage": False}, {"name": "v2", "storage": True}]}},
            {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": ["v2"]},
        ),
    ],
)
def test_a_new_object_has_a_new_status(resource: str, given: Object, status: Object) -> None:
    assert created(resource, **given)["status"] == status


@pytest.mark.parametrize(
    ("resource", "generation"),
    [("deployments.apps", 1), ("jobs.batch", 1), ("priorityclasses.scheduling.k8s.io", 1), ("services", None), ("configmaps", None), ("horizontalpodautoscalers.autoscaling", None)],
)  # fmt: skip
def test_generation_starts_at_one_for_kinds_that_have_it(resource: str, generation: int | None) -> None:
    found = strategy.prepare_create(
        REGISTRY.resource(resource),
        freeze({"metadata": {**META, "generation": 7}, "spec": {"manualSelector": True, "template": {}}}),
    )
    assert found["metadata"].get("generation") == generation


@pytest.mark.parametrize(
    ("resource", "new", "old", "generation"),
    [
        ("deployments.apps", {"spec": {"replicas": 2}}, {"spec": {"replicas": 1}}, 2),
        ("deployments.apps", {"spec": {}, "metadata": {"annotations": {"a": "b"}}}, {"spec": {}}, 2),
        ("deployments.apps", {"spec": {}, "metadata": {"labels": {"a": "b"}}}, {"spec": {}}, 1),
        ("replicasets.apps", {"spec": {}, "metadata": {"annotations": {"a": "b"}}}, {"spec": {}}, 1),
        ("deployments.apps", {"spec": {}, "status": {"replicas": 1}}, {"spec": {}, "status": {}}, 1),
        ("endpointslices.discovery.k8s.io", {"endpoints": [{}]}, {"endpoints": []}, 2),
        ("services", {"spec": {"type": "NodePort"}}, {"spec": {"type": "ClusterIP"}}, 1),
    ],
)
def test_generation_rises_with_what_counts_for_the_kind(
    resource: str, new: Object, old: Object, generation: int
) -> None:
    old = {**old, "metadata": {**old.get("metadata", {}), "generation": 1}}
    assert updated(resource, new, old)["metadata"].get("generation") == generation


def test_an_update_keeps_the_status_and_a_status_update_keeps_the_rest() -> None:
    old = {"metadata": {"labels": {"a": "old"}, "generation": 4}, "spec": {"replicas": 1}, "status": {"replicas": 1}}
    new = {"metadata": {"labels": {"a": "new"}}, "spec": {"replicas": 2}, "status": {"replicas": 2}}
    found = updated("deployments.apps", new, old)
    assert (found["spec"], found["status"]) == ({"replicas": 2}, {"replicas": 1})
    assert found["metadata"] == {**META, "labels": {"a": "new"}, "generation": 5}
    found = updated("deployments.apps", new, old, "status")
    assert (found["spec"], found["status"]) == ({"replicas": 1}, {"replicas": 2})
    assert found["metadata"] == {**META, "labels": {"a": "old"}, "generation": 4}


def test_metadata_of_the_server_cannot_be_changed() -> None:
    old = {"metadata": {"deletionTimestamp": "2026-01-02T03:04:06Z", "generation": 2}, "spec": {}}
    found = updated("configmaps", {"metadata": {"uid": "other", "deletionGracePeriodSeconds": 9}, "data": {}}, old)
    assert found["metadata"] == {**META, **old["metadata"]}


def test_a_pods_class_and_observed_generation_survive_a_status_without_them() -> None:
    old = {"spec": {}, "status": {"qosClass": "Burstable", "observedGeneration": 2, "phase": "Pending"}}
    found = updated("pods", {"spec": {}, "status": {"phase": "Running"}}, old, "status")
    assert found["status"] == {"qosClass": "Burstable", "observedGeneration": 2, "phase": "Running"}


def test_custom_objects_count_every_field_but_metadata_and_status() -> None:
    kind = Kind("Foo", "a.b/v1", "foos", subresources=("status",), crd="foos.a.b")
    old = {"metadata": {**META, "generation": 1}, "spec": {"a": 1}, "status": {"s": 1}}
    changed = strategy.prepare_update(kind, freeze({**old, "other": 1, "status": {"s": 2}}), freeze(old))
    assert (changed["metadata"]["generation"], changed["status"]) == (2, {"s": 1})
    assert "status" not in strategy.prepare_create(kind, freeze({"metadata": META, "status": {}}))
    plain = kind._replace(subresources=())
    assert (
        strategy.prepare_update(plain, freeze({**old, "status": {"s": 2}}), freeze(old))["metadata"]["generation"] == 2
    )


CLAIM = {"apiGroup": None, "kind": "PersistentVolumeClaim", "name": "c"}
OTHER = {"apiGroup": "example.com", "kind": "Backup", "name": "b"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"dataSource": CLAIM}, {"dataSource": CLAIM, "dataSourceRef": CLAIM}),
        ({"dataSourceRef": OTHER}, {"dataSource": OTHER, "dataSourceRef": OTHER}),
        ({"dataSource": OTHER}, {}),
        ({"dataSourceRef": {**CLAIM, "namespace": "n"}}, {}),
    ],
)
def test_the_two_fields_for_a_claims_source_mirror_each_other(given: Object, found: Object) -> None:
    assert created("persistentvolumeclaims", spec=given)["spec"] == found


def test_the_simulators_own_kinds_behave_as_custom_ones() -> None:
    fault = created("faults.sim.kpy.dev", spec={"type": "NodeDown"}, status={"active": True})
    assert (fault["metadata"]["generation"], "status" in fault) == (1, False)
    assert updated("faults.sim.kpy.dev", {"spec": {"type": "ZoneDown"}}, fault)["metadata"]["generation"] == 2


GENERATED = {
    "batch.kubernetes.io/controller-uid": "u-1",
    "batch.kubernetes.io/job-name": "x",
    "controller-uid": "u-1",
    "job-name": "x",
}


def test_a_job_selects_its_own_pods() -> None:
    job = created("jobs.batch", spec={"template": {"metadata": {"labels": {"app": "a"}}}})
    assert job["spec"]["template"]["metadata"]["labels"] == {"app": "a", **GENERATED}
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u-1"}}
    assert job["metadata"]["labels"] == {"app": "a", **GENERATED}


def test_a_job_with_labels_keeps_them_and_one_with_a_manual_selector_gets_nothing() -> None:
    kind = REGISTRY.resource("jobs.batch")
    labelled = {**META, "labels": {"own": "label"}}
    job = strategy.prepare_create(kind, freeze({"metadata": labelled, "spec": {"template": {}}}))
    assert job["metadata"]["labels"] == {"own": "label"}
    spec = {
        "manualSelector": True,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}},
    }
    assert strategy.prepare_create(kind, freeze({"metadata": labelled, "spec": spec}))["spec"] == spec


def test_the_generation_of_a_daemon_sets_template_is_an_annotation() -> None:
    key = "deprecated.daemonset.template.generation"
    old = created("daemonsets.apps", spec={"template": {"metadata": {}}})
    assert old["metadata"]["annotations"] == {key: "1"}
    forged = {"metadata": {"annotations": {key: "9"}}, "spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}
    assert updated("daemonsets.apps", forged, old)["metadata"]["annotations"] == {key: "2"}
    assert updated("daemonsets.apps", {**forged, "spec": old["spec"]}, old)["metadata"]["annotations"] == {key: "1"}


def test_max_unavailable_of_a_stateful_set_is_dropped() -> None:
    spec = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2, "partition": 0}}}
    assert created("statefulsets.apps", spec=spec)["spec"] == {"updateStrategy": {"rollingUpdate": {"partition": 0}}}


def test_only_finalize_changes_the_finalizers_of_a_namespace() -> None:
    old = created("namespaces")
    assert old["spec"] == {"finalizers": ["kubernetes"]}
    assert updated("namespaces", {"spec": {}}, old)["spec"] == old["spec"]
    assert updated("namespaces", {"spec": {}}, old, "finalize")["spec"] == {}


def test_subresources_of_a_pod_change_just_what_they_are_named_for() -> None:
    container = {"name": "c", "image": "a", "resources": {}}
    old = {"metadata": {"generation": 1}, "spec": {"containers": [container]}, "status": {"phase": "Running"}}
    bigger = {"name": "c", "image": "b", "resources": {"requests": {"cpu": "1"}}}
    found = updated("pods", {"spec": {"containers": [bigger], "nodeName": "n"}}, old, "resize")
    assert found["spec"] == {"containers": [{**container, "resources": bigger["resources"]}]}
    assert found["metadata"]["generation"] == 2
    debugger = {"name": "d", "image": "e"}
    found = updated("pods", {"spec": {"ephemeralContainers": [debugger]}}, old, "ephemeralcontainers")
    assert found["spec"] == {"containers": [container], "ephemeralContainers": [debugger]}


def resources(requests: Object | None = None, limits: Object | None = None) -> Object:
    return {"resources": {key: value for key, value in (("requests", requests), ("limits", limits)) if value}}


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"containers": [{}]}, "BestEffort"),
        ({"containers": [resources({"cpu": "0"})]}, "BestEffort"),
        ({"containers": [resources({"ephemeral-storage": "1Gi"})]}, "BestEffort"),
        ({"containers": [resources({"cpu": "1"})]}, "Burstable"),
        ({"containers": [resources(BOTH, BOTH)]}, "Guaranteed"),
        ({"containers": [resources({"cpu": "1000m", "memory": "1024Mi"}, BOTH)]}, "Guaranteed"),
        ({"containers": [resources(BOTH, {**BOTH, "cpu": "2"})]}, "Burstable"),
        ({"containers": [resources(BOTH, BOTH), {}]}, "Burstable"),
        ({"containers": [resources(BOTH, BOTH)], "initContainers": [{}]}, "Burstable"),
        ({"containers": [{}], **resources(BOTH, BOTH)}, "Guaranteed"),
    ],
)
def test_quality_of_service(spec: Object, found: str) -> None:
    assert qos.qos_class(freeze(spec)) == found


def test_label_keys_become_requirements_with_the_pods_own_values() -> None:
    term = {
        "labelSelector": {"matchLabels": {"a": "b"}},
        "matchLabelKeys": ["hash", "none"],
        "mismatchLabelKeys": ["team"],
    }
    spec = {
        "affinity": {
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": term}]}
        },
        "topologySpreadConstraints": [{"matchLabelKeys": ["hash"]}],  # no selector: matches nothing, stays so
    }
    found = label_keys.merged(freeze(spec), {"hash": "h", "team": "t"})
    merged = found["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0][
        "podAffinityTerm"
    ]
    assert merged["labelSelector"]["matchExpressions"] == [
        {"key": "hash", "operator": "In", "values": ["h"]},
        {"key": "team", "operator": "NotIn", "values": ["t"]},
    ]
    assert found["topologySpreadConstraints"] == spec["topologySpreadConstraints"]


@pytest.mark.parametrize(
    ("annotation", "profile"),
    [
        ("runtime/default", {"type": "RuntimeDefault"}),
        ("unconfined", {"type": "Unconfined"}),
        ("localhost/k8s-deny", {"type": "Localhost", "localhostProfile": "k8s-deny"}),
        ("nonsense", None),
    ],
)
def test_apparmor_annotations_become_fields(annotation: str, profile: Object | None) -> None:
    spec = freeze({"containers": [{"name": "c"}, {"name": "d"}]})
    found = apparmor.fields_from_annotations(spec, {apparmor.PREFIX + "c": annotation})
    assert found["containers"][0].get("securityContext", {}).get("appArmorProfile") == profile
    assert found["containers"][1] is spec["containers"][1]


SERVICE = {
    "type": "NodePort",
    "clusterIP": "10.96.0.9",
    "clusterIPs": ["10.96.0.9"],
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
    "internalTrafficPolicy": "Cluster",
    "externalTrafficPolicy": "Cluster",
    "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30080}],
    "sessionAffinity": "None",
}
ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def test_a_service_written_without_its_allocated_values_keeps_them() -> None:
    bare = {key: value for key, value in SERVICE.items() if key not in ("clusterIP", "clusterIPs")}
    bare["ports"] = [{"port": 80, "protocol": "TCP", "targetPort": 8080}, {"port": 81, "protocol": "TCP"}]
    found = updated("services", {"spec": bare}, {"spec": SERVICE})["spec"]
    assert (found["clusterIP"], found["clusterIPs"]) == ("10.96.0.9", ["10.96.0.9"])
    assert found["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30080}, bare["ports"][1]]


def test_a_service_that_becomes_a_cluster_ip_loses_its_node_ports() -> None:
    """Recorded: patch svc -p {"spec":{"type":"ClusterIP"}} of a NodePort Service."""
    found = updated("services", {"spec": {**SERVICE, "type": "ClusterIP"}}, {"spec": SERVICE})["spec"]
    expected = {key: value for key, value in SERVICE.items() if key != "externalTrafficPolicy"}
    expected = {**expected, "type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]}
    assert found == expected


def test_a_service_that_becomes_an_external_name_loses_all_that_was_allocated() -> None:
    """Recorded: patch svc -p {"spec":{"type":"ExternalName","externalName":"a.b"}}."""
    spec = {**SERVICE, "type": "ExternalName", "externalName": "a.b"}
    found = updated("services", {"spec": spec}, {"spec": SERVICE})["spec"]
    assert found == {
        "type": "ExternalName",
        "externalName": "a.b",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "sessionAffinity": "None",
    }


def test_a_services_address_is_in_two_fields() -> None:
    assert created("services", spec={"clusterIP": "None"})["spec"] == {"clusterIP": "None", "clusterIPs": ["None"]}
    changed = updated("services", {"spec": {**SERVICE, "clusterIP": "10.96.0.10"}}, {"spec": SERVICE})["spec"]
    assert changed["clusterIPs"] == ["10.96.0.10"]
