"""Defaults: what is filled in, that nothing else is touched, and that a complete object comes back as it is."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import decode, defaults
from minikube_py.api.defaults import core, pod_level, pods
from minikube_py.api.kinds import Registry
from tests.support import freeze

REGISTRY = Registry()
CONTAINER = {
    "imagePullPolicy": "Always",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
POD_SPEC = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
Object = dict[str, Any]


def defaulted(api_version: str, kind: str, **fields: Any) -> Object:
    """The document decoded and defaulted, frozen on the way: whoever changes its input fails."""
    found = REGISTRY.find(api_version, kind)
    assert found is not None
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **fields}
    decoded, _ = decode.decode(found, document)
    return defaults.apply(found, freeze(decoded))


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("nginx@sha256:" + "0" * 64, "IfNotPresent"),
        ("nginx:latest@sha256:" + "0" * 64, "Always"),
        ("localhost:5000/web", "Always"),
        ("localhost:5000/web:v1", "IfNotPresent"),
        ("registry.k8s.io/pause", "Always"),
        ("", "IfNotPresent"),  # no image reference: the parser gives no tag at all
        ("$IMAGE", "IfNotPresent"),
        ("Nginx", "IfNotPresent"),  # a path in upper case is no reference
        ("Registry.Example.COM/web", "Always"),  # but a host may be
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pods.pull_policy(image) == policy


def test_a_complete_pod_comes_back_as_the_same_object() -> None:
    kind = REGISTRY.resource("pods")
    spec = {
        "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}],
        "volumes": [{"name": "v"}],
    }
    pod = defaults.apply(kind, freeze({"metadata": {"name": "x"}, "spec": spec}))
    assert defaults.apply(kind, freeze(pod)) == pod
    again = defaults.apply(kind, pod)
    assert again is pod


def test_a_pod_from_a_defaulted_template_shares_the_templates_parts() -> None:
    deployment = defaulted(
        "apps/v1", "Deployment", spec={"template": {"spec": {"containers": [{"name": "c", "image": "nginx"}]}}}
    )
    template = deployment["spec"]["template"]["spec"]
    pod = core.pod({"metadata": {"name": "x"}, "spec": template, "status": {}})
    assert pod["spec"]["containers"] is template["containers"]
    assert {**template, "enableServiceLinks": True} == pod["spec"]


def test_a_pods_requests_are_filled_from_its_limits_but_not_a_templates() -> None:
    container = {
        "name": "c",
        "image": "i",
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1m"}},
    }
    pod = defaulted("v1", "Pod", spec={"containers": [container], "initContainers": [{**container, "name": "d"}]})
    for found in (pod["spec"]["containers"][0], pod["spec"]["initContainers"][0]):
        assert found["resources"]["requests"] == {"cpu": "1m", "memory": "1Gi"}
    template = defaulted("v1", "PodTemplate", template={"spec": {"containers": [container]}})
    assert template["template"]["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1m"}


def test_a_pod_on_the_host_network_exposes_its_ports_on_the_host() -> None:
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081}]
    pod = defaulted(
        "v1", "Pod", spec={"hostNetwork": True, "containers": [{"name": "c", "image": "i", "ports": ports}]}
    )
    assert [port["hostPort"] for port in pod["spec"]["containers"][0]["ports"]] == [80, 8081]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {"emptyDir": {}}),
        ({"emptyDir": {"medium": "Memory"}}, {"emptyDir": {"medium": "Memory"}}),
        ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s", "defaultMode": 420}}),
        ({"configMap": {"name": "c", "defaultMode": 256}}, {"configMap": {"name": "c", "defaultMode": 256}}),
        ({"hostPath": {"path": "/a"}}, {"hostPath": {"path": "/a", "type": ""}}),
        ({"image": {"reference": "a:1"}}, {"image": {"reference": "a:1", "pullPolicy": "IfNotPresent"}}),
        (
            {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "c"}}]}},
            {
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}},
                        {"configMap": {"name": "c"}},
                    ],
                }
            },
        ),
        (
            {"downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {
                "downwardAPI": {
                    "defaultMode": 420,
                    "items": [{"path": "p", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}],
                }
            },
        ),
        (
            {"ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "s"}}}},
            {
                "ephemeral": {
                    "volumeClaimTemplate": {
                        "metadata": {},
                        "spec": {"storageClassName": "s", "resources": {}, "volumeMode": "Filesystem"},
                    }
                }
            },
        ),
    ],
)
def test_volumes(given: Object, found: Object) -> None:
    assert pods.volume(freeze({"name": "v", **given})) == {"name": "v", **found}


def test_pod_level_requests_come_from_the_containers_and_then_from_the_limits() -> None:
    """A sidecar counts with the containers; an init container counts alone, if it is larger."""
    spec = {
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
        "containers": [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"requests": {"cpu": "200m"}}}],
        "initContainers": [
            {"restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
            {"resources": {"requests": {"cpu": "320m"}}},
        ],
    }
    found = pod_level.pod_level_resources(freeze(spec))["resources"]
    assert found == {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "370m", "memory": "1Gi"}}
    untouched = freeze({"resources": {}, "containers": []})
    assert pod_level.pod_level_resources(untouched) is untouched


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {"sessionAffinity": "None", "type": "ClusterIP", "internalTrafficPolicy": "Cluster"}),
        (
            {"type": "ExternalName", "externalName": "a.b"},
            {"sessionAffinity": "None", "type": "ExternalName", "externalName": "a.b"},
        ),
        (
            {"type": "LoadBalancer", "sessionAffinity": "ClientIP"},
            {
                "type": "LoadBalancer",
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
                "allocateLoadBalancerNodePorts": True,
                "externalTrafficPolicy": "Cluster",
                "internalTrafficPolicy": "Cluster",
            },
        ),
        (
            {"ports": [{"port": 80}, {"port": 53, "protocol": "UDP", "targetPort": "dns"}]},
            {
                "sessionAffinity": "None",
                "type": "ClusterIP",
                "internalTrafficPolicy": "Cluster",
                "ports": [
                    {"port": 80, "protocol": "TCP", "targetPort": 80},
                    {"port": 53, "protocol": "UDP", "targetPort": "dns"},
                ],
            },
        ),
        (
            {"externalIPs": ["192.0.2.1"]},
            {
                "sessionAffinity": "None",
                "type": "ClusterIP",
                "externalIPs": ["192.0.2.1"],
                "externalTrafficPolicy": "Cluster",
                "internalTrafficPolicy": "Cluster",
            },
        ),
    ],
)
def test_services(given: Object, found: Object) -> None:
    assert core.service_spec(freeze(given)) == found


def test_string_data_of_a_secret_is_written_over_its_data() -> None:
    found = defaulted("v1", "Secret", data={"a": "b2xk", "b": "Yg=="}, stringData={"a": "new", "ü": "ö"})
    assert found["data"] == {"a": "bmV3", "b": "Yg==", "ü": "w7Y="}
    assert "stringData" not in found
    assert found["type"] == "Opaque"


def test_limits_of_containers_default_to_their_maximum_and_requests_to_the_limits() -> None:
    limits = [
        {"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "1m", "memory": "1Mi"}},
        {"type": "Pod", "max": {"cpu": "2"}},
    ]
    found = defaulted("v1", "LimitRange", spec={"limits": limits})["spec"]["limits"]
    assert found[0]["default"] == {"cpu": "1"}
    assert found[0]["defaultRequest"] == {"cpu": "1", "memory": "1Mi"}
    assert found[1] == {"type": "Pod", "max": {"cpu": "2"}}


@pytest.mark.parametrize(
    ("api_version", "kind", "given", "path", "found"),
    [
        ("apps/v1", "Deployment", {}, "spec.strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}),
        ("apps/v1", "Deployment", {"spec": {"strategy": {"type": "Recreate"}}}, "spec.strategy", {"type": "Recreate"}),
        ("apps/v1", "DaemonSet", {}, "spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
        ("apps/v1", "StatefulSet", {}, "spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
        ("apps/v1", "StatefulSet", {"spec": {"updateStrategy": {"type": "RollingUpdate"}}}, "spec.updateStrategy", {"type": "RollingUpdate"}),
        ("apps/v1", "StatefulSet", {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}}]}}, "spec.volumeClaimTemplates", [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "d"}, "spec": {"resources": {}, "volumeMode": "Filesystem"}, "status": {"phase": "Pending"}}]),
        ("batch/v1", "Job", {"spec": {"parallelism": 2}}, "spec.completions", None),
        ("batch/v1", "Job", {}, "spec.completions", 1),
        ("batch/v1", "Job", {"spec": {"backoffLimitPerIndex": 1}}, "spec.backoffLimit", 2147483647),
        ("batch/v1", "Job", {"spec": {"podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}}}, "spec.podFailurePolicy.rules", [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]),
        ("batch/v1", "CronJob", {}, "spec.jobTemplate", {"metadata": {}, "spec": {"template": {"metadata": {}, "spec": {**POD_SPEC, "containers": None}}}}),
        ("autoscaling/v2", "HorizontalPodAutoscaler", {}, "spec.metrics", [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]),
        ("autoscaling/v2", "HorizontalPodAutoscaler", {"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 9}}}}, "spec.behavior.scaleDown", {"stabilizationWindowSeconds": 9, "selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}),
        ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"egress": [{"ports": [{"port": 1}]}]}}, "spec", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{"ports": [{"port": 1, "protocol": "TCP"}]}]}),
        ("networking.k8s.io/v1", "IngressClass", {"spec": {"parameters": {"kind": "K", "name": "n"}}}, "spec.parameters.scope", "Cluster"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", {"roleRef": {"kind": "Role", "name": "r"}}, "roleRef.apiGroup", "rbac.authorization.k8s.io"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", {"subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}]}, "subjects", [{"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"}, {"kind": "ServiceAccount", "name": "s"}]),
        ("storage.k8s.io/v1", "StorageClass", {"provisioner": "p"}, "volumeBindingMode", "Immediate"),
        ("storage.k8s.io/v1", "CSIDriver", {"spec": {}}, "spec.volumeLifecycleModes", ["Persistent"]),
        ("scheduling.k8s.io/v1", "PriorityClass", {}, "preemptionPolicy", "PreemptLowerPriority"),
        ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", {}, "spec.matchingPrecedence", 1000),
        ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {"queues": 2}}}}}, "spec.limited.limitResponse.queuing", {"queues": 2, "handSize": 8, "queueLengthLimit": 50}),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", {"spec": {"matchConstraints": {"resourceRules": [{"operations": ["*"]}]}}}, "spec.matchConstraints", {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}, "resourceRules": [{"operations": ["*"], "scope": "*"}]}),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", {"webhooks": [{"name": "w", "clientConfig": {"service": {"name": "s", "namespace": "n"}}}]}, "webhooks.0.clientConfig.service.port", 443),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", {"webhooks": [{"name": "w"}]}, "webhooks.0.reinvocationPolicy", "Never"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"spec": {"names": {"kind": "Foo", "plural": "foos"}}}, "spec.names", {"kind": "Foo", "plural": "foos", "singular": "foo", "listKind": "FooList"}),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, "spec.conversion", {"strategy": "None"}),
        ("apiregistration.k8s.io/v1", "APIService", {"spec": {"service": {"name": "s", "namespace": "n"}}}, "spec.service.port", 443),
        ("discovery.k8s.io/v1", "EndpointSlice", {"ports": [{"port": 1}]}, "ports", [{"port": 1, "name": "", "protocol": "TCP"}]),
        ("resource.k8s.io/v1", "ResourceClaim", {"spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "d"}}]}}}, "spec.devices.requests.0.exactly", {"deviceClassName": "d", "allocationMode": "ExactCount", "count": 1}),
        ("v1", "ReplicationController", {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}, "spec.selector", {"a": "b"}),
        ("v1", "ReplicationController", {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}, "metadata.labels", {"a": "b"}),
        ("v1", "Namespace", {}, "metadata.labels", {"kubernetes.io/metadata.name": "x"}),
        ("v1", "Node", {"status": {"capacity": {"cpu": "1"}}}, "status.allocatable", {"cpu": "1"}),
        ("v1", "Pod", {"spec": {"serviceAccount": "s", "containers": [{"name": "c", "image": "i"}]}}, "spec.serviceAccountName", "s"),
        ("v1", "Pod", {"spec": {"containers": [{"name": "c", "image": "i", "livenessProbe": {"grpc": {"port": 1}}}]}}, "spec.containers.0", {**CONTAINER, "name": "c", "image": "i", "livenessProbe": {"grpc": {"port": 1, "service": ""}, "failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}}),
    ],
)  # fmt: skip
def test_kinds(api_version: str, kind: str, given: Object, path: str, found: Any) -> None:
    value: Any = defaulted(api_version, kind, **given)
    for segment in path.split("."):
        value = value[int(segment)] if segment.isdigit() else value.get(segment)
    assert value == found


@pytest.mark.parametrize(
    "kind", [kind for kind in REGISTRY.kinds if "update" in kind.verbs], ids=lambda kind: kind.resource
)
def test_defaults_are_idempotent_even_for_an_empty_object(kind: Any) -> None:
    once = defaults.apply(kind, freeze({"apiVersion": kind.version, "kind": kind.name, "metadata": {"name": "x"}}))
    assert defaults.apply(kind, once) is once


def test_every_row_of_the_table_names_a_function_and_a_kind() -> None:
    for resource in defaults.FUNCTIONS:
        kind = REGISTRY.resource(resource)
        found = defaults.apply(kind, {"metadata": {"name": "x"}})
        assert found["metadata"]["name"] == "x"
