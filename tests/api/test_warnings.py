"""Warnings of the API server, and silence about everything in the corpus that a real one accepted without a word."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.kinds import Registry
from minikube_py.api.warnings import FUNCTIONS, warnings
from tests.api.corpus import Case, cases
from tests.support import freeze

REGISTRY = Registry()
Object = dict[str, Any]


def warned(resource: str, metadata: Object | None = None, **fields: Any) -> list[str]:
    return warnings(REGISTRY.resource(resource), freeze({"metadata": {"name": "x", **(metadata or {})}, **fields}))


def template(**spec: Any) -> Object:
    return {"template": {"spec": spec}}


@pytest.mark.parametrize(
    ("resource", "given", "found"),
    [
        # recorded
        ("endpoints", {}, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
        ("deployments.apps", {"spec": template(containers=[{"ports": [{"name": "a", "containerPort": 80}, {"name": "b", "containerPort": 80}]}])}, "spec.template.spec.containers[0].ports[1]: duplicate port definition with spec.template.spec.containers[0].ports[0]"),
        ("persistentvolumes", {"spec": {"persistentVolumeReclaimPolicy": "Recycle"}}, "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."),
        # from the source
        ("pods", {"spec": {"nodeSelector": {"beta.kubernetes.io/os": "linux"}}}, 'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'),
        ("pods", {"spec": {"containers": [{"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]}}, 'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'),
        ("pods", {"spec": {"containers": [{"resources": {"limits": {"memory": "100m"}}}]}}, 'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer'),
        ("pods", {"spec": {"containers": [{"ports": [{"containerPort": 80, "hostIP": "10.0.0.1"}]}]}}, "spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"),
        ("pods", {"spec": {"containers": [{"ports": [{"containerPort": 80}, {"containerPort": 80, "hostPort": 1}]}]}}, "spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]"),
        ("pods", {"spec": {"volumes": [{"name": "v", "gitRepo": {}}]}}, "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"),
        ("pods", {"spec": {"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}}, 'spec.imagePullSecrets[1].name: duplicate name "a"'),
        ("pods", {"spec": {"terminationGracePeriodSeconds": -1}}, "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"),
        ("cronjobs.batch", {"spec": {"jobTemplate": {"spec": template(topologySpreadConstraints=[{"topologyKey": "zone"}])}}}, "spec.jobTemplate.spec.template.spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"),
        ("persistentvolumeclaims", {"spec": {"resources": {"requests": {"storage": "1500m"}}}}, 'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer'),
        ("services", {"spec": {"clusterIP": "None", "sessionAffinity": "ClientIP"}}, "spec.SessionAffinity is ignored for headless services"),
        ("services", {"spec": {"externalIPs": ["192.0.2.1"]}}, "spec.externalIPs is deprecated and may no longer be implemented in some clusters"),
        ("services", {"spec": {"loadBalancerIP": "2001:DB8::1"}}, 'spec.loadBalancerIP: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'),
        ("networkpolicies.networking.k8s.io", {"spec": {"ingress": [{"from": [{"ipBlock": {"cidr": "10.1.2.3/24", "except": ["10.1.2.4/32"]}}]}]}}, 'spec.ingress[0].from[0].ipBlock.cidr: CIDR value "10.1.2.3/24" is ambiguous in this context (should be "10.1.2.0/24" or "10.1.2.3/32"?)'),
        ("services", {"spec": {"trafficDistribution": "PreferClose"}}, 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'),
    ],
)  # fmt: skip
def test_warnings(resource: str, given: Object, found: str) -> None:
    assert warned(resource, **given) == [found]


def test_annotations_that_became_fields() -> None:
    class_name = {"annotations": {"volume.beta.kubernetes.io/storage-class": "default"}}
    text = 'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead'
    assert warned("persistentvolumeclaims", class_name) == [text]
    key = "container.apparmor.security.beta.kubernetes.io/hello"
    text = f'metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'
    profile = {"annotations": {key: "localhost/k8s-apparmor-example-deny-write"}}
    assert warned("pods", profile, spec={"containers": [{"name": "hello"}]}) == [text]
    field = {"type": "Localhost", "localhostProfile": "k8s-apparmor-example-deny-write"}
    assert (
        warned("pods", profile, spec={"containers": [{"name": "hello"}], "securityContext": {"appArmorProfile": field}})
        == []
    )


def test_a_variable_that_builds_on_an_earlier_one_hides_nothing() -> None:
    variables = [{"name": "P", "value": "/a"}, {"name": "P", "value": "$(P):/b"}]
    assert warned("pods", spec={"containers": [{"env": variables}]}) == []


def test_a_name_that_is_no_dns_label_makes_odd_host_names() -> None:
    (text,) = warned("deployments.apps", {"name": "my.app"}, spec={})
    assert text.startswith(
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior"
    )
    assert text.endswith("regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')]")


def test_an_update_warns_only_if_the_template_changed() -> None:
    kind = REGISTRY.resource("deployments.apps")
    old = freeze(
        {"metadata": {"name": "x"}, "spec": {"replicas": 1, **template(nodeSelector={"beta.kubernetes.io/os": "l"})}}
    )
    assert warnings(kind, freeze({**old, "spec": {**old["spec"], "replicas": 2}}), old) == []
    changed = template(nodeSelector={"beta.kubernetes.io/os": "w"})
    assert len(warnings(kind, freeze({**old, "spec": changed}), old)) == 1
    assert warnings(REGISTRY.resource("pods"), old, old) == []


@pytest.mark.parametrize(
    "case", [case for case in cases() if case.objects and "Warning" not in case.stderr], ids=lambda case: case.path
)
def test_what_a_real_server_took_without_a_word_gives_no_warning(case: Case) -> None:
    for obj in case.objects:
        kind = REGISTRY.find(obj["apiVersion"], obj["kind"])
        assert kind is not None
        assert warnings(kind, obj) == []


def test_every_row_names_a_function_and_a_kind() -> None:
    for resource in FUNCTIONS:
        assert isinstance(warned(resource), list)
