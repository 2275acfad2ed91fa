"""Scale, eviction, binding, tokens, logs, the proxy, and what is changed from one side only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.http.asgi import Api, deployment, pod

if TYPE_CHECKING:
    from typing import Any

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


def test_scale_is_read_replaced_and_patched(api: Api) -> None:
    api.post(DEPLOYMENTS, deployment("web"))
    path = f"{DEPLOYMENTS}/web/scale"
    found = api.get(path).json
    assert (found["kind"], found["apiVersion"], found["spec"], found["status"]) == (
        "Scale", "autoscaling/v1", {"replicas": 2}, {"replicas": 2, "selector": "app=web"},
    )  # fmt: skip
    assert api.put(path, {**found, "spec": {"replicas": 1}}).code in (200, 409)
    assert api.put(path, {"spec": {"replicas": 3}}).json["spec"] == {"replicas": 3}
    assert api.patch(path, {"spec": {"replicas": 4}}).json["spec"] == {"replicas": 4}
    assert len(api.get(PODS).json["items"]) == 4
    assert api.put(path, {"spec": {"replicas": -1}}).code == 422
    assert api.put(path, {"spec": {"replicas": "many"}}).code == 400
    assert api.put(path, {"kind": "Pod"}).code == 400
    assert api.get("/apis/apps/v1/namespaces/default/daemonsets/x/scale").code == 404


def test_the_status_is_changed_apart(api: Api) -> None:
    api.post(DEPLOYMENTS, deployment("web"))
    found = api.get(f"{DEPLOYMENTS}/web").json
    both = {**found, "spec": {**found["spec"], "replicas": 9}, "status": {**found["status"], "replicas": 7}}
    changed = api.put(f"{DEPLOYMENTS}/web/status", both).json
    assert (changed["spec"]["replicas"], changed["status"]["replicas"]) == (2, 7)
    assert api.get(f"{DEPLOYMENTS}/web/status").json["kind"] == "Deployment"
    assert api.delete(f"{DEPLOYMENTS}/web/status").code == 405


def test_an_eviction_asks_the_budget(api: Api) -> None:
    api.post(DEPLOYMENTS, deployment("web"))
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}}
    api.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets", budget)
    name = api.get(PODS).json["items"][0]["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    refused = api.post(f"{PODS}/{name}/eviction", body)
    assert (refused.code, refused.json["reason"]) == (429, "TooManyRequests")
    assert refused.json["details"]["causes"][0]["reason"] == "DisruptionBudget"
    api.delete("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b")
    assert api.post(f"{PODS}/{name}/eviction?dryRun=All", body).code == 201
    assert api.post(f"{PODS}/{name}/eviction", body).json["status"] == "Success"
    assert api.get(f"{PODS}/{name}").code == 404
    assert api.post(f"{PODS}/{name}/eviction", body).code == 404
    assert api.post(f"{PODS}/{name}/eviction", {"kind": "Pod"}).code == 400


def test_a_scheduler_of_ones_own_binds(api: Api) -> None:
    waiting = pod("w")
    waiting["spec"]["schedulerName"] = "mine"
    api.post(PODS, waiting)
    assert "nodeName" not in api.get(f"{PODS}/w").json["spec"]
    binding: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "w"},
        "target": {"kind": "Node", "name": "worker-2"},
    }
    assert api.post(f"{PODS}/w/binding", {**binding, "target": {}}).code == 422
    assert api.post(f"{PODS}/w/binding", binding).json["status"] == "Success"
    assert api.get(f"{PODS}/w").json["status"]["phase"] == "Running"
    assert api.post(f"{PODS}/w/binding", binding).json["reason"] == "Conflict"
    waiting = {**pod("v"), "spec": waiting["spec"]}
    api.post(PODS, waiting)
    assert api.post("/api/v1/namespaces/default/bindings", {**binding, "metadata": {"name": "v"}}).code == 201
    assert api.get(f"{PODS}/v").json["spec"]["nodeName"] == "worker-2"


def test_an_ephemeral_container_is_added_and_a_container_resized(api: Api) -> None:
    api.post(PODS, pod("web"))
    added = [{"name": "look", "image": "busybox"}]
    found = api.patch(
        f"{PODS}/web/ephemeralcontainers", {"spec": {"ephemeralContainers": added}}, "strategic-merge-patch+json"
    )
    assert found.json["spec"]["ephemeralContainers"][0]["name"] == "look"
    sized = {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "10m"}}}]}}
    refused = api.patch(f"{PODS}/web/resize", sized, "strategic-merge-patch+json")
    assert refused.code == 422, "a pod may not change its class of service"
    assert api.patch(f"{PODS}/web", sized, "strategic-merge-patch+json").code == 422


def test_tokens_tell_whose_they_are_until_they_end() -> None:
    with Api(tokens={}) as api:
        api.cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
        made = api.cluster.create_token("robot", spec={"expirationSeconds": 600})
        token = made["status"]["token"]
        refused = api.get(PODS, authorization=f"Bearer {token}")
        assert refused.json["message"] == (
            'pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" in API group "" '
            'in the namespace "default"'
        )
        assert api.get(PODS, authorization=f"Bearer {token[:-2]}xx").code == 401
        api.cluster.reconcile(for_s=601)
        assert api.get(PODS, authorization=f"Bearer {token}").code == 401


def test_a_token_is_asked_for_and_reviewed(api: Api) -> None:
    made = api.post(
        f"{ACCOUNT}/token", {"kind": "TokenRequest", "spec": {"audiences": ["a"], "expirationSeconds": 700}}
    )
    assert (made.code, made.json["spec"]["audiences"]) == (201, ["a"])
    assert api.post(f"{ACCOUNT}/token", {"spec": {"expirationSeconds": 5}}).code == 422
    assert api.post(f"{ACCOUNT}/token", {"spec": {"expirationSeconds": "x"}}).code == 400
    assert api.post(f"{ACCOUNT}/token", {"spec": {"boundObjectRef": {"kind": "Pod", "name": "nope"}}}).code == 404
    review = {"spec": {"token": made.json["status"]["token"], "audiences": ["a", "b"]}}
    told = api.post("/apis/authentication.k8s.io/v1/tokenreviews", review).json["status"]
    assert (told["authenticated"], told["user"]["username"]) == (True, "system:serviceaccount:default:default")
    assert (
        "authenticated"
        not in api.post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}}).json["status"]
    )
    assert api.post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {}}).code == 400


def test_logs_are_cut_as_asked(api: Api) -> None:
    api.post(PODS, pod("web"))
    whole = api.get(f"{PODS}/web/log")
    assert whole.headers["content-type"] == "text/plain"
    lines = whole.text.splitlines()
    assert len(lines) == 2
    assert api.get(f"{PODS}/web/log?tailLines=1").text.splitlines() == lines[-1:]
    assert api.get(f"{PODS}/web/log?limitBytes=5").text == whole.text[:5]
    assert api.get(f"{PODS}/web/log?timestamps=true&tailLines=1").text.startswith("2026-01-01T00:00:0")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("container=nope", 400), ("tailLines=-1", 422), ("limitBytes=0", 422), ("sinceSeconds=0", 422), ("tailLines=x", 400),
        ("sinceTime=yesterday", 400), ("sinceTime=2026-01-01T00:00:00Z&sinceSeconds=3", 422), ("previous=true", 400),
    ],
)  # fmt: skip
def test_wrong_wishes_for_a_log(api: Api, query: str, code: int) -> None:
    api.post(PODS, pod("web"))
    assert api.get(f"{PODS}/web/log?{query}").code == code
    assert api.post(f"{PODS}/web/log", {}).code == 405


def test_a_log_is_followed_to_its_end(api: Api) -> None:
    api.post("/apis/sim.kpy.dev/v1alpha1/clock", {"mode": "manual"})
    body = pod("job")
    body["spec"]["restartPolicy"] = "Never"
    body["spec"]["containers"][0].update(
        image="busybox", command=["sh", "-c", "echo one; sleep 60; echo two; sleep 60"]
    )
    api.post(PODS, body)
    api.post("/apis/sim.kpy.dev/v1alpha1/clock", {"for": 30})
    with api.watch(f"{PODS}/job/log?follow=true") as log:
        api.until(lambda: log.buffer == b"one\n")
        api.post("/apis/sim.kpy.dev/v1alpha1/clock", {"for": 60})
        api.until(lambda: log.buffer == b"one\ntwo\n")
        api.post("/apis/sim.kpy.dev/v1alpha1/clock", {"for": 60})
        api.until(lambda: log.ended)


def test_the_proxy_asks_pods_and_services(api: Api) -> None:
    api.post(PODS, pod("web", labels={"app": "web"}))
    service = {
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]},
    }
    api.post("/api/v1/namespaces/default/services", service)
    assert api.get(f"{PODS}/web/proxy/").text == "200 from pod default/web (1.27)\n"
    assert api.get(f"{PODS}/web:80/proxy/index.html").code == 200
    assert api.get(f"{PODS}/web:81/proxy/").json["reason"] == "ServiceUnavailable"
    assert api.get("/api/v1/namespaces/default/services/web:8080/proxy/").text == "200 from pod default/web (1.27)\n"
    assert api.get("/api/v1/namespaces/default/services/http:web:8080/proxy/").code == 200
    assert api.get("/api/v1/namespaces/default/services/web:9/proxy/").code == 503
    assert api.get("/api/v1/nodes/worker-1/proxy/metrics").code == 404


def test_a_namespace_is_finalized_and_a_request_approved(api: Api) -> None:
    api.post("/api/v1/namespaces", {"metadata": {"name": "n"}})
    found = api.get("/api/v1/namespaces/n").json
    assert api.put("/api/v1/namespaces/n/finalize", found).code == 200
    assert api.delete("/api/v1/namespaces/n").json["status"]["phase"] == "Terminating"
    assert api.get("/api/v1/namespaces/n").code == 404


def test_connecting_needs_an_upgrade(api: Api) -> None:
    api.post(PODS, pod("web"))
    found = api.post(f"{PODS}/web/exec?command=ls", {})
    assert (found.code, found.json["message"]) == (400, "Upgrade request required")
    assert api.post(f"{PODS}/nope/exec?command=ls", {}).code == 404
    assert (
        api.post(f"{PODS}/web/exec?command=ls&container=x", {}).json["message"]
        == "container x is not valid for pod web"
    )
    assert api.post(f"{PODS}/web/exec", {}).json["message"] == "you must specify at least 1 command for the container"
