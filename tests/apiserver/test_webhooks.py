"""Admission webhooks: called on this machine, answered by stubs elsewhere, and what happens if nobody answers."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.base.errors import BadRequest, Forbidden, InternalError, StatusError
from minikube_py.cluster import Cluster
from tests.apiserver.webhook_server import WebhookServer

if TYPE_CHECKING:
    from pathlib import Path

Object = dict[str, Any]
GROUP = "admissionregistration.k8s.io/v1"
SERVICE: Object = {"service": {"name": "hooks", "namespace": "default", "path": "/check"}}
CONFIG_MAPS: Object = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}


def hook(name: str = "check.example.com", config: Object = SERVICE, **more: Any) -> Object:
    return {
        "name": name, "clientConfig": config, "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "rules": [CONFIG_MAPS], **more,
    }  # fmt: skip


def configuration(kind: str, *hooks: Object, name: str = "hooks") -> Object:
    meta = {"name": name}
    return {"apiVersion": GROUP, "kind": f"{kind}WebhookConfiguration", "metadata": meta, "webhooks": list(hooks)}


def stub(name: str = "check.example.com", **spec: Any) -> Object:
    return {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "WebhookStub", "metadata": {"name": name}, "spec": spec}


def config_map(name: str = "one", **meta: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}, "data": {"a": "b"}}


def patch(*operations: Object) -> Object:
    text = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": text}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.memory(nodes=1)


# -- real calls ---------------------------------------------------------------------------------------------------


def test_a_webhook_on_this_machine_is_called(cluster: Cluster, tmp_path: Path) -> None:
    with WebhookServer(tmp_path, lambda request: {"allowed": True, "warnings": ["careful"]}) as server:
        cluster.create(configuration("Validating", hook(config=server.config)))
        cluster.create(config_map())
    asked = server.asked[0]
    assert asked["path"] == "/hook?timeout=10s"
    assert asked["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert asked["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (asked["operation"], asked["name"], asked["namespace"]) == ("CREATE", "one", "default")
    assert asked["userInfo"] == {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}
    assert asked["object"]["data"] == {"a": "b"}
    assert asked["oldObject"] is None
    assert asked["options"] == {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}
    assert cluster.warnings == ["careful"]


@pytest.mark.parametrize(
    ("status", "error", "text", "code"),
    [
        ({}, StatusError, "denied the request without explanation", 400),
        ({"message": "no"}, StatusError, "denied the request: no", 400),
        ({"message": "no", "code": 403}, StatusError, "denied the request: no", 403),
        ({"reason": "Forbidden", "code": 403}, Forbidden, "denied the request: Forbidden", 403),
    ],
)
def test_refusals(
    cluster: Cluster, tmp_path: Path, status: Object, error: type[StatusError], text: str, code: int
) -> None:
    with WebhookServer(tmp_path, lambda request: {"allowed": False, "status": status}) as server:
        cluster.create(configuration("Validating", hook(config=server.config)))
        with pytest.raises(error) as found:
            cluster.create(config_map())
    assert str(found.value) == f'admission webhook "check.example.com" {text}'
    assert found.value.code == code
    assert cluster.list("configmaps", "default", fields="metadata.name=one") == []


def test_patches_are_applied_one_after_the_other(cluster: Cluster, tmp_path: Path) -> None:
    def answer(request: Object) -> Object:
        count = len(request["object"]["data"])
        return patch({"op": "add", "path": f"/data/n{count}", "value": str(count)})

    with WebhookServer(tmp_path, answer) as server:
        first, second = (hook(f"{name}.example.com", server.config) for name in ("a", "b"))
        cluster.create(configuration("Mutating", first, second))
        made = cluster.create(config_map())
    assert made["data"] == {"a": "b", "n1": "1", "n2": "2"}


def test_a_webhook_is_asked_again_only_if_it_wants_and_something_changed(cluster: Cluster, tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(request: Object) -> Object:
        seen.append(",".join(sorted(request["object"]["data"])))
        return patch({"op": "add", "path": "/data/late", "value": "x"}) if len(seen) == 3 else {"allowed": True}

    with WebhookServer(tmp_path, answer) as server:
        policies = ("IfNeeded", "Never", "Never")
        hooks = [
            hook(f"{name}.example.com", server.config, reinvocationPolicy=policy)
            for name, policy in zip("abc", policies, strict=True)
        ]
        cluster.create(configuration("Mutating", *hooks))
        cluster.create(config_map())
    assert seen == ["a", "a", "a", "a,late"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"uid": "other", "allowed": True}, 'received invalid webhook response: expected response.uid="'),
        (
            {"apiVersion": "admission.k8s.io/v1", "kind": "Other", "response": {"allowed": True}},
            "received invalid webhook response: expected response.uid=",
        ),
        ({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}, "received invalid webhook response: webhook response was absent"),
        ((200, "nonsense"), "failed to call webhook: couldn't get version/kind; json parse error: "),
        ((404, ""), "failed to call webhook: the server could not find the requested resource"),
        ((500, "broken"), 'failed to call webhook: an error on the server ("broken") has prevented the request from succeeding'),
        (patch({"op": "add", "path": "/x", "value": 1}), "received invalid webhook response: validating webhook may not return response.patch"),
    ],
)  # fmt: skip
def test_answers_that_make_no_sense(cluster: Cluster, tmp_path: Path, answer: Any, text: str) -> None:
    with WebhookServer(tmp_path, lambda request: answer) as server:
        cluster.create(configuration("Validating", hook(config=server.config)))
        with pytest.raises(InternalError) as found:
            cluster.create(config_map())
        assert str(found.value).startswith(
            f'Internal error occurred: failed calling webhook "check.example.com": {text}'
        )
        ignoring = configuration("Validating", hook(config=server.config, failurePolicy="Ignore"))
        cluster.update({**cluster.get("validatingwebhookconfigurations", "hooks"), "webhooks": ignoring["webhooks"]})
        cluster.create(config_map())


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (patch({"op": "remove", "path": "/nope"}), "Internal error occurred: error in remove for path: '/nope'"),
        (patch({"op": "replace", "path": "", "value": [1]}), "json: cannot unmarshal into Go value of the object's type"),
        (patch({"op": "replace", "path": "/metadata", "value": 1}), "json: cannot unmarshal into Go value of the object's type"),
        (patch({"op": "replace", "path": "/kind", "value": "Secret"}), 'unable to decode "Secret" into ConfigMap'),
        (patch({"op": "replace", "path": "/data", "value": {"a": 1}}), "cannot unmarshal number into Go struct field"),
        (patch(1), "received undecodable patch in webhook response"),
        ({"allowed": True, "patchType": "JSONPatch", "patch": "!"}, "received undecodable patch in webhook response"),
        ({"allowed": True, "patchType": "MergePatch", "patch": "e30="}, 'unsupported patch type "MergePatch"'),
        ({"allowed": True, "patch": "W10="}, "webhook returned response.patch but not response.patchType"),
        ({"allowed": True, "patchType": "JSONPatch"}, "webhook returned response.patchType but not response.patch"),
        ({"allowed": "yes"}, "cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool"),
        ({"allowed": False, "status": {"message": 1}}, "cannot unmarshal number into Go struct field Status.response.status.message"),
        ({"allowed": True, "warnings": [1]}, "cannot unmarshal number into Go struct field AdmissionResponse.response.warnings"),
    ],
)  # fmt: skip
def test_patches_and_types_that_make_no_sense(cluster: Cluster, tmp_path: Path, answer: Object, text: str) -> None:
    with WebhookServer(tmp_path, lambda request: answer) as server:
        cluster.create(configuration("Mutating", hook(config=server.config)))
        with pytest.raises(InternalError) as found:
            cluster.create(config_map())
    assert text in str(found.value)


def test_an_unknown_authority_is_not_trusted(cluster: Cluster, tmp_path: Path) -> None:
    with WebhookServer(tmp_path, lambda request: {"allowed": True}) as server:
        cluster.create(configuration("Validating", hook(config={"url": server.config["url"]})))
        with pytest.raises(InternalError, match="x509: certificate signed by unknown authority"):
            cluster.create(config_map())


def test_nobody_listens(cluster: Cluster) -> None:
    cluster.create(configuration("Validating", hook(config={"url": "https://127.0.0.1:9/x"}, timeoutSeconds=3)))
    with pytest.raises(InternalError) as found:
        cluster.create(config_map())
    assert str(found.value) == (
        'Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: '
        'Post "https://127.0.0.1:9/x?timeout=3s": dial tcp 127.0.0.1:9: connect: connection refused'
    )


# -- what is not called -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (SERVICE, 'Post "https://hooks.default.svc:443/check?timeout=10s": service "hooks" not found'),
        ({"url": "https://hooks.example.com/x"}, 'Post "https://hooks.example.com/x?timeout=10s": dial tcp: lookup hooks.example.com: no such host'),
        ({"url": "https://10.0.0.1/x"}, 'Post "https://10.0.0.1/x?timeout=10s": context deadline exceeded'),
    ],
)  # fmt: skip
def test_others_fail_as_if_nobody_was_there(cluster: Cluster, config: Object, text: str) -> None:
    cluster.create(configuration("Validating", hook(config=config)))
    with pytest.raises(InternalError, match="failed to call webhook: ") as found:
        cluster.create(config_map())
    assert str(found.value).endswith(text)
    assert "kpy webhook stub check.example.com" in cluster.warnings[0]


def test_a_stub_allows_denies_and_patches(cluster: Cluster) -> None:
    cluster.create(configuration("Validating", hook()))
    cluster.create(stub(allowed=False, message="not today", code=403, reason="Forbidden"))
    with pytest.raises(Forbidden, match='admission webhook "check.example.com" denied the request: not today'):
        cluster.create(config_map())
    cluster.delete("webhookstubs", "check.example.com")
    cluster.create(stub(allowed=True, warnings=["old API"]))
    cluster.create(config_map())
    assert cluster.warnings[-1] == "old API"
    cluster.create(configuration("Mutating", hook("set.example.com"), name="setting"))
    cluster.create(stub("setting", patch={"data": {"a": None, "c": "d"}, "metadata": {"labels": {"x/y": "1"}}}))
    made = cluster.create(config_map("two"))
    assert (made["data"], made["metadata"]["labels"]) == ({"c": "d"}, {"x/y": "1"})


def test_what_components_write_is_looked_at_too(cluster: Cluster) -> None:
    rule = {**CONFIG_MAPS, "resources": ["pods"], "operations": ["CREATE"]}
    cluster.create(configuration("Mutating", hook(rules=[rule])))
    cluster.create(stub(patch=[{"op": "add", "path": "/metadata/labels/team", "value": "blue"}]))
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.create({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": spec})
    cluster.reconcile()
    assert [pod["metadata"]["labels"] for pod in cluster.list("pods", "default")] == [
        {"app": "web", "team": "blue"}
    ] * 2


def test_a_refusal_reaches_the_controller(cluster: Cluster) -> None:
    rule = {**CONFIG_MAPS, "resources": ["pods"], "operations": ["CREATE"]}
    cluster.create(configuration("Validating", hook(rules=[rule])))
    cluster.create(stub(allowed=False, message="no pods"))
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.create({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": spec})
    cluster.reconcile()
    condition = cluster.get("replicasets.apps", "web")["status"]["conditions"][0]
    assert condition["message"] == 'admission webhook "check.example.com" denied the request: no pods'


# -- who is asked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, True),
        ({"rules": [{**CONFIG_MAPS, "operations": ["UPDATE"]}]}, False),
        ({"rules": [{**CONFIG_MAPS, "resources": ["*"]}]}, True),
        ({"rules": [{**CONFIG_MAPS, "resources": ["*/*"]}]}, True),
        ({"rules": [{**CONFIG_MAPS, "resources": ["configmaps/status"]}]}, False),
        ({"rules": [{**CONFIG_MAPS, "apiGroups": ["apps"]}]}, False),
        ({"rules": [{**CONFIG_MAPS, "scope": "Cluster"}]}, False),
        ({"rules": [{**CONFIG_MAPS, "scope": "Namespaced"}]}, True),
        ({"objectSelector": {"matchLabels": {"a": "b"}}}, True),
        ({"objectSelector": {"matchLabels": {"a": "c"}}}, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, True),
        ({"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["default"]}]}}, False),
    ],
)  # fmt: skip
def test_rules_and_selectors(cluster: Cluster, more: Object, asked: bool) -> None:
    cluster.create(configuration("Validating", hook(**more)))
    cluster.create(stub(allowed=False))
    if asked:
        with pytest.raises(StatusError, match="denied the request"):
            cluster.create(config_map(labels={"a": "b"}))
    else:
        cluster.create(config_map(labels={"a": "b"}))


def test_equivalent_versions_are_converted(cluster: Cluster, tmp_path: Path) -> None:
    rule = {"apiGroups": ["autoscaling"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"]}
    spec = {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": spec,
    }
    with WebhookServer(tmp_path, lambda request: {"allowed": True}) as server:
        cluster.create(configuration("Validating", hook(config=server.config, rules=[rule])))
        cluster.create(scaler)
        assert server.asked[0]["object"]["apiVersion"] == "autoscaling/v1"
        assert server.asked[0]["requestKind"]["version"] == "v2"
        exact = hook(config=server.config, rules=[rule], matchPolicy="Exact")
        cluster.update({**cluster.get("validatingwebhookconfigurations", "hooks"), "webhooks": [exact]})
        cluster.patch("hpa", "h", "default", {"metadata": {"labels": {"a": "b"}}})
    assert len(server.asked) == 1


def test_deletions_status_and_scale(cluster: Cluster, tmp_path: Path) -> None:
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["*"],
        "resources": ["deployments", "deployments/*"],
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    with WebhookServer(tmp_path, lambda request: {"allowed": True}) as server:
        cluster.create(configuration("Validating", hook(config=server.config, rules=[rule])))
        cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
        cluster.patch("deployments.apps", "web", "default", {"spec": {"replicas": 4}}, subresource="scale")
        cluster.patch("deployments.apps", "web", "default", {"status": {"replicas": 4}}, subresource="status")
        cluster.delete("deployments.apps", "web", "default")
    told = [(one["operation"], one.get("subResource"), one["kind"]["kind"]) for one in server.asked]
    assert told == [
        ("CREATE", None, "Deployment"), ("UPDATE", "scale", "Scale"), ("UPDATE", "status", "Deployment"),
        ("DELETE", None, "Deployment"),
    ]  # fmt: skip
    assert server.asked[1]["object"]["spec"] == {"replicas": 4}
    assert (server.asked[3]["object"], server.asked[3]["oldObject"]["kind"]) == (None, "Deployment")


def test_a_dry_run_asks_only_webhooks_without_side_effects(cluster: Cluster) -> None:
    cluster.create(configuration("Validating", hook()))
    cluster.create(stub())
    cluster.create(config_map(), dry_run=True)
    stored = cluster.get("validatingwebhookconfigurations", "hooks")
    with cluster.transaction():  # such a configuration can be older than the rule against it
        hooks = [{**stored["webhooks"][0], "sideEffects": "Some"}]
        cluster.store.put(
            cluster._key(cluster.kind("validatingwebhookconfigurations"), "hooks", ""), {**stored, "webhooks": hooks},
            time_s=cluster.clock.now_s, actor="test", cause=0,
        )  # fmt: skip
    with pytest.raises(BadRequest, match='admission webhook "check.example.com" does not support dry run'):
        cluster.create(config_map(), dry_run=True)
    cluster.create(config_map())


def test_configurations_are_never_asked_about(cluster: Cluster) -> None:
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}
    cluster.create(configuration("Validating", hook(rules=[rule])))
    cluster.delete("validatingwebhookconfigurations", "hooks")
    cluster.create(configuration("Mutating", hook(rules=[rule])))
    cluster.delete("mutatingwebhookconfigurations", "hooks")


def test_without_webhooks_nothing_of_them_is_even_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from minikube_py.cluster import Cluster; c = Cluster.memory(nodes=1); "
        "print('minikube_py.apiserver.admission.webhook_calls' in sys.modules, 'ssl' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]


def test_connecting_to_a_pod_is_asked_about(cluster: Cluster, tmp_path: Path) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CONNECT"], "resources": ["pods/exec"]}
    with WebhookServer(tmp_path, lambda request: {"allowed": False, "status": {"message": "no shells"}}) as server:
        cluster.create(configuration("Validating", hook(config=server.config, rules=[rule])))
        cluster.connect("attach", "web", "default")
        with pytest.raises(StatusError, match='admission webhook "check.example.com" denied the request: no shells'):
            cluster.connect("exec", "web", "default", command=["sh"], container="c")
    asked = server.asked[0]
    assert (asked["operation"], asked["subResource"], asked["kind"]["kind"]) == ("CONNECT", "exec", "PodExecOptions")
    assert asked["object"] == {"kind": "PodExecOptions", "apiVersion": "v1", "command": ["sh"], "container": "c"}
    assert asked["options"] is None


def test_evictions_are_asked_about(cluster: Cluster, tmp_path: Path) -> None:
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["pods/eviction"]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    cluster.create(pod)
    with WebhookServer(tmp_path, lambda request: {"allowed": request["dryRun"]}) as server:
        cluster.create(configuration("Validating", hook(config=server.config, rules=[rule])))
        cluster.evict("p", "default", dry_run=True)
        with pytest.raises(StatusError, match="denied the request without explanation"):
            cluster.evict("p", "default")
    asked = server.asked[0]
    assert (asked["kind"], asked["subResource"]) == (
        {"group": "policy", "version": "v1", "kind": "Eviction"},
        "eviction",
    )
    assert asked["object"]["metadata"] == {"name": "p", "namespace": "default"}
