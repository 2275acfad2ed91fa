"""What a kubelet may do (Node authorizer and NodeRestriction), and who may decide about certificates."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from minikube_py.apiserver import authorizer
from minikube_py.base import p256, x509
from minikube_py.base.errors import Forbidden, Invalid, KpyError, NotFound
from minikube_py.cluster import Cluster

Object = dict[str, Any]
NODE = "worker-1"


@pytest.fixture
def cluster() -> Cluster:
    """A pod on worker-1 that uses a secret and a config map, and others of each."""
    found = Cluster.memory(nodes=3)
    for kind in ("Secret", "ConfigMap"):
        for name in ("used", "other"):
            found.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})
    container = {
        "name": "c", "image": "nginx",
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "used", "key": "a", "optional": True}}}],
        "envFrom": [{"configMapRef": {"name": "used", "optional": True}}],
    }  # fmt: skip
    for name, node in (("here", NODE), ("there", "worker-2")):
        spec = {"nodeName": node, "containers": [container if name == "here" else {"name": "c", "image": "nginx"}]}
        found.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    return found


def as_kubelet(cluster: Cluster) -> Cluster:
    cluster.subject = authorizer.impersonated(f"system:node:{NODE}", ["system:nodes"])
    return cluster


@pytest.mark.parametrize(
    ("verb", "resource", "namespace", "name", "allowed"),
    [
        ("get", "secrets", "default", "used", True),
        ("get", "secrets", "default", "other", False),
        ("list", "secrets", "default", "", False),
        ("get", "configmaps", "default", "used", True),
        ("get", "configmaps", "default", "kube-root-ca.crt", True),
        ("get", "configmaps", "default", "other", False),
        ("get", "configmaps", "kube-system", "used", False),
        ("get", "nodes", "", NODE, True),
        ("update", "nodes", "", "worker-2", False),
        ("patch", "nodes/status", "", NODE, True),
        ("get", "pods", "default", "here", True),
        ("get", "pods", "default", "there", False),
        ("delete", "pods", "default", "there", False),
        ("list", "pods", "", "", True),
        ("get", "services", "default", "kubernetes", True),
        ("create", "services", "default", "", False),
        ("create", "serviceaccounts/token", "default", "default", True),
        ("create", "serviceaccounts/token", "kube-system", "default", False),
        ("get", "persistentvolumes", "", "pv", False),
        ("create", "pods/eviction", "default", "here", True),
        ("create", "pods/eviction", "default", "there", False),
    ],
)
def test_a_kubelet_reads_what_its_pods_use(
    cluster: Cluster, verb: str, resource: str, namespace: str, name: str, allowed: bool
) -> None:
    who = authorizer.impersonated(f"system:node:{NODE}", ["system:nodes"])
    target = authorizer.Target("", resource, namespace, name)
    assert authorizer.allows(cluster.view, who, verb, target) is allowed
    stranger = authorizer.impersonated("somebody", ["system:nodes"])
    assert not authorizer.allows(cluster.view, stranger, verb, target)


@pytest.mark.parametrize(
    ("verb", "name", "allowed"), [("get", NODE, True), ("update", "worker-2", False), ("create", "", True)]
)
def test_a_kubelet_keeps_its_own_lease(cluster: Cluster, verb: str, name: str, allowed: bool) -> None:
    who = authorizer.impersonated(f"system:node:{NODE}", ["system:nodes"])
    lease = authorizer.Target("coordination.k8s.io", "leases", "kube-node-lease", name)
    assert authorizer.allows(cluster.view, who, verb, lease) is allowed


def refusal(run: Any) -> str:
    with pytest.raises(KpyError) as found:
        run()
    return str(found.value).partition("is forbidden: ")[2]


def test_a_kubelet_does_not_draw_work_to_itself(cluster: Cluster) -> None:
    as_kubelet(cluster)
    labels = {"metadata": {"labels": {"node-restriction.kubernetes.io/secure": "yes"}}}
    assert refusal(lambda: cluster.patch("nodes", NODE, "", labels)) == (
        'node "worker-1" is not allowed to modify labels: node-restriction.kubernetes.io/secure'
    )
    taints = {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
    assert (
        refusal(lambda: cluster.patch("nodes", NODE, "", taints)) == 'node "worker-1" is not allowed to modify taints'
    )
    cluster.patch("nodes", NODE, "", {"metadata": {"labels": {"kubelet.kubernetes.io/x": "1", "mine": "2"}}})
    assert cluster.get("nodes", NODE)["metadata"]["labels"]["mine"] == "2"


def test_a_kubelet_makes_only_mirror_pods_of_its_own(cluster: Cluster) -> None:
    as_kubelet(cluster)
    spec: Object = {"nodeName": NODE, "containers": [{"name": "c", "image": "nginx"}]}

    def create(spec: Object, **meta: Any) -> Object:
        obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "m", **meta}, "spec": spec}
        return cluster.create(obj)

    mirror = {"annotations": {"kubernetes.io/config.mirror": "x"}}
    assert 'annotation, node "worker-1" can only create mirror pods' in refusal(lambda: create(spec))
    assert "with spec.nodeName set to itself" in refusal(lambda: create({**spec, "nodeName": "worker-2"}, **mirror))
    assert "with an owner reference set to itself" in refusal(lambda: create(spec, **mirror))
    owner = {"apiVersion": "v1", "kind": "Node", "name": NODE, "controller": True, "uid": "wrong"}
    assert "UID mismatch" in refusal(lambda: create(spec, **mirror, ownerReferences=[owner]))
    owner["uid"] = cluster.get("nodes", NODE)["metadata"]["uid"]
    volume = {"name": "v", "secret": {"secretName": "used"}}
    assert refusal(lambda: create({**spec, "volumes": [volume]}, **mirror, ownerReferences=[owner])) == (
        'node "worker-1" can not create pods that reference secrets'
    )
    create(spec, **mirror, ownerReferences=[owner])
    cluster.delete("pods", "m", "default", grace_s=0)


def test_a_kubelets_tokens_are_bound_to_its_pods(cluster: Cluster) -> None:
    uids = {name: cluster.get("pods", name)["metadata"]["uid"] for name in ("here", "there")}
    as_kubelet(cluster)
    assert refusal(lambda: cluster.create_token("default", "default")) == "node requested token not bound to a pod"

    def bound(name: str) -> Object:
        return {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uids[name]}}

    assert refusal(lambda: cluster.create_token("default", "default", bound("there"))) == (
        "node requested token bound to a pod scheduled on a different node"
    )
    assert cluster.create_token("default", "default", bound("here"))["status"]["token"]


def test_a_kubelet_evicts_its_own_pods(cluster: Cluster) -> None:
    as_kubelet(cluster)
    with pytest.raises(Forbidden):
        cluster.evict("there", "default")
    cluster.evict("here", "default", grace_s=0)


# -- certificates -------------------------------------------------------------------------------------------------
CLIENT = "kubernetes.io/kube-apiserver-client"


def request(
    name: str = "jane", organizations: tuple[str, ...] = ("dev",), signer: str = CLIENT, usages: tuple[str, ...] = ("client auth",),
    common_name: str = "jane", **spec: Any,
) -> Object:  # fmt: skip
    text = x509.request(p256.key_of(1, name), common_name, organizations, spec.pop("names", ()))
    encoded = base64.b64encode(text.encode()).decode()
    return {
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
        "spec": {"request": encoded, "signerName": signer, "usages": list(usages), **spec},
    }  # fmt: skip


def decide(cluster: Cluster, name: str, kind: str = "Approved") -> None:
    obj = cluster.get("csr", name)
    condition = {"type": kind, "status": "True", "reason": "Test", "lastUpdateTime": cluster.clock.timestamp}
    cluster.update({**obj, "status": {"conditions": [condition]}}, subresource="approval")


def status(cluster: Cluster, name: str = "jane") -> Object:
    found: Object = cluster.get("csr", name).get("status") or {}
    return found


def test_an_approved_request_gets_its_certificate(cluster: Cluster) -> None:
    cluster.create(request())
    cluster.reconcile()
    assert status(cluster) == {}
    decide(cluster, "jane")
    cluster.reconcile()
    assert base64.b64decode(status(cluster)["certificate"]).startswith(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (request(usages=("server auth",)), "usages did not match [client auth digital signature key encipherment]"),
        (request(signer="kubernetes.io/kubelet-serving"), "subject organization is not system:nodes"),
        (
            request(signer="kubernetes.io/kubelet-serving", organizations=("system:nodes",), usages=("server auth",)),
            "DNS or IP subjectAltName is required",
        ),
        (
            request(signer="kubernetes.io/kubelet-serving", organizations=("system:nodes",), usages=("server auth",), names=("n",)),
            "subject common name does not begin with system:node:",
        ),
        (
            request(signer="kubernetes.io/kube-apiserver-client-kubelet", organizations=("system:nodes",), names=("n",)),
            "DNS subjectAltNames are not allowed",
        ),
        (request(signer="kubernetes.io/legacy-unknown", usages=("any",)), ""),
        (
            request(signer="kubernetes.io/kubelet-serving", organizations=("system:nodes",), usages=("server auth",), names=("n",), common_name="system:node:n"),
            "",
        ),
    ],
)  # fmt: skip
def test_each_signer_signs_what_it_may(cluster: Cluster, asked: Object, text: str) -> None:
    cluster.create(asked)
    decide(cluster, "jane")
    cluster.reconcile()
    found = status(cluster)
    assert ("certificate" in found) is not bool(text)
    failed = [one["message"] for one in found["conditions"] if one["type"] == "Failed"]
    assert failed == ([text] if text else [])


@pytest.mark.parametrize(
    ("granted", "asker", "changes", "message"),
    [
        ("nodeclient", "ann", {}, "Auto approving kubelet client certificate after SubjectAccessReview."),
        ("selfnodeclient", "ann", {}, ""),  # the certificate is not hers
        ("selfnodeclient", "ann", {"common_name": "ann"}, ""),  # a node is called system:node:NAME
        ("pods", "ann", {}, ""),
        ("nodeclient", "bob", {}, ""),
        ("nodeclient", "ann", {"usages": ("server auth",)}, ""),
        ("nodeclient", "ann", {"organizations": ("dev",)}, ""),
        ("nodeclient", "ann", {"signer": CLIENT}, ""),
    ],
)
def test_a_kubelets_client_certificate_is_approved_by_itself(
    cluster: Cluster, granted: str, asker: str, changes: Object, message: str
) -> None:
    rule = {"apiGroups": ["certificates.k8s.io"], "verbs": ["create"]}
    requests = "certificatesigningrequests"
    role(
        cluster,
        {**rule, "resources": [f"{requests}/{granted}"]},
    )
    role_for_all = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "all"}}
    cluster.create({**role_for_all, "kind": "ClusterRole", "rules": [{**rule, "resources": [requests]}]})
    everybody = {"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "ClusterRole", "name": "all", "apiGroup": "rbac.authorization.k8s.io"}
    cluster.create({**role_for_all, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [everybody]})
    administrator, cluster.subject = cluster.subject, authorizer.impersonated(asker)
    kubelet = {"signer": f"{CLIENT}-kubelet", "organizations": ("system:nodes",), "common_name": "system:node:n1"}
    cluster.create(request(**{**kubelet, **changes}))
    cluster.subject = administrator
    cluster.reconcile()
    found = status(cluster)
    assert [one["message"] for one in found.get("conditions", ())] == ([message] if message else [])
    assert ("certificate" in found) is bool(message)


@pytest.mark.parametrize(("kind", "after_s"), [("Approved", 3600), ("Denied", 3600), ("", 86400)])
def test_old_requests_are_cleaned_away(cluster: Cluster, kind: str, after_s: int) -> None:
    cluster.create(request())
    if kind:
        decide(cluster, "jane", kind)
    cluster.reconcile(for_s=after_s - 1)
    assert cluster.get("csr", "jane")
    cluster.reconcile(for_s=1)
    with pytest.raises(NotFound):
        cluster.get("csr", "jane")


def test_a_request_of_a_foreign_signer_waits_for_it(cluster: Cluster) -> None:
    cluster.create(request(signer="example.com/mine"))
    decide(cluster, "jane")
    cluster.reconcile(for_s=7 * 86400)
    assert "certificate" not in status(cluster)


def test_no_client_certificate_makes_a_master(cluster: Cluster) -> None:
    with pytest.raises(
        Forbidden, match="use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    ):
        cluster.create(request(organizations=("system:masters",)))
    cluster.create(request(organizations=("system:masters",), signer="example.com/mine"))


def role(cluster: Cluster, *rules: Object) -> None:
    group = "rbac.authorization.k8s.io"
    cluster.create(
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": list(rules)}
    )
    obj = {"apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "r"}}
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": "r"}
    cluster.create({**obj, "roleRef": reference, "subjects": [{"kind": "User", "name": "ann", "apiGroup": group}]})


@pytest.mark.parametrize(
    ("names", "allowed"), [([CLIENT], True), (["kubernetes.io/*"], True), (["example.com/*"], False), ([], True)]
)
def test_approving_needs_the_signer(cluster: Cluster, names: list[str], allowed: bool) -> None:
    cluster.create(request())
    requests = {"apiGroups": ["certificates.k8s.io"], "verbs": ["get", "update"]}
    signers: Object = {"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["approve"]}
    role(
        cluster,
        {**requests, "resources": ["certificatesigningrequests", "certificatesigningrequests/approval"]},
        {**signers, "resourceNames": names} if names else signers,
    )
    cluster.subject = authorizer.impersonated("ann")
    if allowed:
        decide(cluster, "jane")
        return
    with pytest.raises(Forbidden, match=f'user not permitted to approve requests with signerName "{CLIENT}"'):
        decide(cluster, "jane")


def test_signing_needs_the_signer(cluster: Cluster) -> None:
    cluster.create(request())
    rule = {"apiGroups": ["certificates.k8s.io"], "verbs": ["get", "update"]}
    role(cluster, {**rule, "resources": ["certificatesigningrequests", "certificatesigningrequests/status"]})
    cluster.subject = authorizer.impersonated("ann")
    obj = cluster.get("csr", "jane")
    with pytest.raises(Forbidden, match=f'user not permitted to sign requests with signerName "{CLIENT}"'):
        cluster.update({**obj, "status": {"certificate": "eA=="}}, subresource="status")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"request": "eA=="}, "spec.request: Invalid value"),
        ({"usages": []}, "spec.usages: Required value: usages must be provided"),
        ({"usages": ["fun"]}, 'spec.usages[0]: Unsupported value: "fun"'),
        ({"usages": ["any", "any"]}, 'spec.usages[1]: Duplicate value: "any"'),
        ({"signerName": "mine"}, "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
        ({"expirationSeconds": 5}, "may not specify a duration less than 600 seconds (10 minutes)"),
    ],
)
def test_bad_requests(cluster: Cluster, spec: Object, text: str) -> None:
    good = request()
    with pytest.raises(Invalid) as found:
        cluster.create({**good, "spec": {**good["spec"], **spec}})
    assert text in str(found.value)


def test_no_decision_is_taken_back(cluster: Cluster) -> None:
    cluster.create(request())
    decide(cluster, "jane")
    with pytest.raises(Invalid, match='updates may not remove a condition of type "Approved"'):
        decide(cluster, "jane", "Denied")
    with pytest.raises(Invalid, match='updates may not add a condition of type "Denied"'):
        obj = cluster.get("csr", "jane")
        conditions = [*obj["status"]["conditions"], {"type": "Denied", "status": "True"}]
        cluster.update({**obj, "status": {"conditions": conditions}}, subresource="status")


def test_a_pod_gets_the_zone_of_its_node() -> None:
    cluster = Cluster.memory(nodes=2)
    zones = {"topology.kubernetes.io/zone": "a", "topology.kubernetes.io/region": "r"}
    cluster.patch("nodes", "worker-1", "", {"metadata": {"labels": zones}})
    for name, labels in (("plain", {}), ("own", {"topology.kubernetes.io/zone": "mine"})):
        spec = {"containers": [{"name": "c", "image": "nginx"}]}
        cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec})
    cluster.reconcile()
    assert cluster.get("pods", "plain")["metadata"]["labels"] == zones
    assert cluster.get("pods", "own")["metadata"]["labels"] == {**zones, "topology.kubernetes.io/zone": "mine"}
