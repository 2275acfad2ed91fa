"""Discovery, OpenAPI, health, version, metrics: the paths that are no resource's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.api.kinds import KINDS
from minikube_py.http import discovery, metrics_api

if TYPE_CHECKING:
    from tests.http.asgi import Api

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com", "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wd"]},
        "versions": [
            {
                "name": "v1", "served": True, "storage": True,
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size", "labelSelectorPath": ".status.labels"},
                },
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer", "description": "How large."}}},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            },
            {"name": "v1beta1", "served": True, "storage": False, "deprecated": True, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}},
        ],
    },
}  # fmt: skip
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"


def test_both_forms_of_discovery_tell_the_same(api: Api) -> None:
    legacy, aggregated = set(), set()
    versions = ["/api/v1"]
    for group in api.get("/apis").json["groups"]:
        versions += [f"/apis/{one['groupVersion']}" for one in group["versions"]]
    for version in versions:
        for one in api.get(version).json["resources"]:
            legacy.add((version.split("/", 2)[2], one["name"], one["kind"], tuple(one["verbs"])))
    for path in ("/api", "/apis"):
        found = api.get(path, accept=AGGREGATED)
        assert found.headers["content-type"].endswith("as=APIGroupDiscoveryList")
        for group in found.json["items"]:
            for version in group["versions"]:
                name = f"{group['metadata']['name']}/{version['version']}".lstrip("/")
                for one in version["resources"]:
                    aggregated.add((name, one["resource"], one["responseKind"]["kind"], tuple(one["verbs"])))
                    for below in one.get("subresources", ()):
                        aggregated.add(
                            (
                                name,
                                f"{one['resource']}/{below['subresource']}",
                                below["responseKind"]["kind"],
                                tuple(below["verbs"]),
                            )
                        )
    assert legacy == aggregated
    known = {(version, kind.plural) for kind in KINDS for version in (kind.version, *kind.others)}
    assert known <= {(version, name) for version, name, _, _ in legacy}


def test_who_has_a_document_is_not_sent_it_again(api: Api) -> None:
    for path, accept in (
        ("/apis", AGGREGATED),
        ("/openapi/v3/apis/apps/v1", "application/json"),
        ("/openapi/v2", "*/*"),
    ):
        tag = api.get(path, accept=accept).headers["etag"]
        again = api.get(path, accept=accept, if_none_match=tag)
        assert (again.code, again.body, again.headers["etag"]) == (304, b"", tag)


def test_a_custom_kind_is_served_at_once(api: Api) -> None:
    before = api.get("/apis", accept=AGGREGATED).headers["etag"]
    assert api.post(CRDS, CRD).code == 201
    assert api.get("/apis", accept=AGGREGATED).headers["etag"] != before
    assert api.get("/apis/example.com").json["preferredVersion"]["version"] == "v1"
    made = api.post(
        WIDGETS,
        {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3, "nope": 1}},
    )
    assert (made.code, made.json["spec"], len(made.warnings)) == (201, {"size": 3}, 1)
    table = api.get(WIDGETS, accept="application/json;as=Table;g=meta.k8s.io;v=v1").json
    assert table["rows"][0]["cells"] == ["w", 3]
    assert api.get(f"{WIDGETS}/w/scale").json["spec"] == {"replicas": 3}
    assert api.put(f"{WIDGETS}/w/scale", {"spec": {"replicas": 5}}).json["spec"] == {"replicas": 5}
    assert api.get(f"{WIDGETS}/w").json["spec"] == {"size": 5}
    assert api.patch(f"{WIDGETS}/w/status", {"status": {"size": 5, "labels": "a=b"}}).json["status"]["size"] == 5
    assert api.get(f"{WIDGETS}/w/scale").json["status"] == {"replicas": 5, "selector": "a=b"}
    old = api.get("/apis/example.com/v1beta1/widgets")
    assert (old.json["apiVersion"], old.json["items"][0]["apiVersion"]) == (
        "example.com/v1beta1",
        "example.com/v1beta1",
    )
    assert old.warnings == ['299 - "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"']
    assert api.patch(f"{WIDGETS}/w", {"spec": {}}, "strategic-merge-patch+json").code == 415
    schema = api.get("/openapi/v3/apis/example.com/v1").json["components"]["schemas"]["com.example.v1.Widget"]
    assert schema["properties"]["spec"]["properties"]["size"]["description"] == "How large."
    api.delete(f"{CRDS}/widgets.example.com")
    assert api.get(WIDGETS).code == 404
    assert "example.com" not in api.get("/apis").text


def test_every_group_has_an_apiservice(api: Api) -> None:
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    api.post(CRDS, CRD)
    found = {one["metadata"]["name"]: one for one in api.get(path).json["items"]}
    served = {one["groupVersion"] for group in api.get("/apis").json["groups"] for one in group["versions"]}
    expected = {"v1."} | {".".join(reversed(one.split("/"))) for one in served - {"apiregistration.k8s.io/v1"}}
    assert set(found) == expected
    assert found["v1.apps"]["spec"] == {
        "group": "apps",
        "version": "v1",
        "groupPriorityMinimum": 17800,
        "versionPriority": 15,
    }
    assert found["v2.autoscaling"]["spec"]["versionPriority"] > found["v1.autoscaling"]["spec"]["versionPriority"]
    assert api.get(f"{path}/v1.example.com").json["metadata"]["labels"] == {
        "kube-aggregator.kubernetes.io/automanaged": "true"
    }
    table = api.get(f"{path}/v1.", accept="application/json;as=Table;g=meta.k8s.io;v=v1").json
    assert table["rows"][0]["cells"][:3] == ["v1.", "Local", "True"]
    assert api.delete(f"{path}/v1.apps").code == 404
    with api.watch(f"{path}?watch=true") as watch:
        watch.wait(len(expected))


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(_references(one) for one in value.values()))
    return set().union(*(_references(one) for one in value)) if isinstance(value, list) else set()


def test_openapi_documents_are_whole(api: Api) -> None:
    paths = api.get("/openapi/v3").json["paths"]
    for name, one in paths.items():
        document = api.get(one["serverRelativeURL"]).json
        defined = {f"#/components/schemas/{schema}" for schema in document["components"]["schemas"]}
        assert _references(document) <= defined, name
    swagger = api.get("/openapi/v2").json
    assert _references(swagger) <= {f"#/definitions/{one}" for one in swagger["definitions"]}


def test_openapi_has_what_clients_look_for(api: Api) -> None:
    document = api.get("/openapi/v3/apis/apps/v1").json
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert {"fieldValidation", "dryRun", "fieldManager"} <= {one["name"] for one in patch["parameters"]}
    containers = document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert api.get("/openapi/v3/apis/nope/v1").code == 404
    assert api.get("/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf").code == 406


def test_health(api: Api) -> None:
    assert {api.get(path).text for path in ("/healthz", "/livez", "/readyz", "/readyz/ping")} == {"ok"}
    assert api.get("/livez?verbose").text.endswith("[+]engine ok\nlivez check passed\n")
    assert api.get("/readyz/nope").code == 404
    api.world.problem = "the disk is full"
    assert api.get("/readyz").code == 500
    assert "[-]engine failed: the disk is full" in api.get("/readyz").text
    assert api.get("/readyz?exclude=engine").code == 200


def test_version_paths_and_issuer(api: Api) -> None:
    assert api.get("/version").json["gitVersion"] == "v1.36.2"
    assert {"/api/v1", "/apis/apps/v1", "/openapi/v3", "/metrics"} <= set(api.get("/").json["paths"])
    assert api.get("/.well-known/openid-configuration").json["issuer"].startswith("https://")
    assert api.call("HEAD", "/version").body == b""


def test_metrics_count_requests_and_objects(api: Api) -> None:
    api.get("/api/v1/nodes")
    api.get("/api/v1/nodes/nope")
    text = api.get("/metrics").text
    assert 'apiserver_request_total{verb="LIST",resource="nodes",code="200"} 1' in text
    assert 'apiserver_request_total{verb="GET",resource="nodes",code="404"} 1' in text
    assert 'apiserver_storage_objects{resource="nodes"} 3' in text
    assert 'apiserver_request_duration_seconds_bucket{le="+Inf"}' in text


def test_what_pods_and_nodes_use(api: Api) -> None:
    api.post("/apis/sim.kpy.dev/v1alpha1/clock", {"for": "5m"})
    nodes = api.get("/apis/metrics.k8s.io/v1beta1/nodes").json
    assert (nodes["kind"], len(nodes["items"])) == ("NodeMetricsList", 3)
    assert api.get("/apis/metrics.k8s.io/v1beta1/nodes/worker-1").json["usage"]["cpu"]
    assert api.get("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods").json["items"] == []
    assert api.get("/apis/metrics.k8s.io/v1beta1/nodes/nope").code == 404
    assert api.get("/apis/metrics.k8s.io/v1beta1/nope").code == 404
    assert api.post("/apis/metrics.k8s.io/v1beta1/nodes", {}).code == 405
    assert {one.plural for one in discovery.MEASURED} == set(metrics_api.TELL)


@pytest.mark.parametrize("header", ["text/html", "application/json;as=Table;g=meta.k8s.io;v=v1"])
def test_discovery_in_forms_that_it_does_not_have(api: Api, header: str) -> None:
    assert api.get("/apis", accept=header).code == 406
