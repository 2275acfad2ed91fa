"""Admission plugins, one by one, on a small server."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import quotas
from minikube_py.api.types import Key
from minikube_py.apiserver import admission
from minikube_py.apiserver.admission import Request, pod_standards, service_account
from minikube_py.base.errors import Forbidden, NotFound
from tests.apiserver.small import NOW, REGISTRY, SmallServer
from tests.support import FrozenView, freeze

Object = dict[str, Any]


def pod(name: str = "p", *, meta: Object | None = None, **spec: Any) -> Object:
    spec.setdefault("containers", [{"name": "c", "image": "nginx:1.27"}])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **(meta or {})}, "spec": spec}


def request_for(verb: str, resource: str, obj: Object | None, view: FrozenView, **changes: Any) -> Request:
    kind = REGISTRY.resource(resource)
    meta = (obj or {}).get("metadata", {"name": changes.pop("name", "")})
    key = Key(resource, "default" if kind.namespaced else "", meta.get("name", ""))
    fields = {"old": None, "subresource": "", "user": "admin", "groups": (), "dry_run": False, **changes}
    return Request(verb, kind, key, freeze(obj), clock=NOW, view=view, **fields)


# ---------------------------------------------------------------------------------------------------- lifecycle
@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_some_namespaces_may_not_be_deleted(name: str) -> None:
    with pytest.raises(Forbidden, match=f'namespaces "{name}" is forbidden: this namespace may not be deleted'):
        admission.check(request_for("DELETE", "namespaces", None, FrozenView({}), name=name))


def test_other_objects_may_be_deleted() -> None:
    assert admission.check(request_for("DELETE", "namespaces", None, FrozenView({}), name="team")) == []
    assert admission.check(request_for("DELETE", "pods", None, FrozenView({}), name="p")) == []


def test_objects_need_their_namespace() -> None:
    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        SmallServer().create(pod(meta={"namespace": "nowhere"}))


@pytest.mark.parametrize("namespace", [{"phase": "Terminating"}, {"phase": "Active"}])
def test_nothing_is_created_in_a_namespace_that_is_going_away(namespace: Object) -> None:
    server = SmallServer()
    meta = {"name": "default", "deletionTimestamp": NOW.timestamp}
    server._put(Key("namespaces", "", "default"), {"metadata": meta, "status": namespace})
    with pytest.raises(Forbidden) as refused:
        server.create(pod("late"))
    assert str(refused.value) == (
        'pods "late" is forbidden: unable to create new content in namespace default because it is being terminated'
    )
    assert refused.value.details["causes"][0].reason == "NamespaceTerminating"


# ---------------------------------------------------------------------------------------------------- pods
def test_every_pod_gets_account_token_priority_and_tolerations() -> None:
    spec = SmallServer().create(pod(initContainers=[{"name": "i", "image": "x"}]))["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert [one["tolerationSeconds"] for one in spec["tolerations"]] == [300, 300]
    volume = spec["volumes"][0]
    assert volume["name"].startswith("kube-api-access-")
    mount = {"mountPath": service_account.MOUNT_PATH, "name": volume["name"], "readOnly": True}
    assert spec["containers"][0]["volumeMounts"] == spec["initContainers"][0]["volumeMounts"] == [mount]


def test_the_token_shares_what_all_pods_have_in_common() -> None:
    server = SmallServer()
    first, second = server.create(pod("a"))["spec"], server.create(pod("b"))["spec"]
    assert first["volumes"][0]["name"] != second["volumes"][0]["name"]
    obj = pod(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "x"}])
    mutated = admission.mutate(request_for("CREATE", "pods", obj, server.view))
    assert mutated is not None
    one, other = mutated["spec"]["containers"]
    assert one["volumeMounts"][0] is other["volumeMounts"][0]
    assert mutated["spec"]["volumes"][0]["projected"] is service_account._PROJECTED


def test_the_default_account_of_a_new_namespace_need_not_be_there_yet() -> None:
    server = SmallServer()
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}})
    assert server.create(pod(), namespace="fresh")["spec"]["serviceAccountName"] == "default"


@pytest.mark.parametrize("where", ["pod", "account"])
def test_the_token_may_be_declined(where: str) -> None:
    server = SmallServer()
    declined = {"automountServiceAccountToken": False}
    account = {"metadata": {"name": "quiet", "namespace": "default"}, **(declined if where == "account" else {})}
    server._put(Key("serviceaccounts", "default", "quiet"), account)
    made = server.create(pod(serviceAccountName="quiet", **(declined if where == "pod" else {})))
    assert "volumes" not in made["spec"]


def test_pull_secrets_come_from_the_account_unless_the_pod_has_its_own() -> None:
    server = SmallServer()
    account = {"metadata": {"name": "default", "namespace": "default"}, "imagePullSecrets": [{"name": "hub"}]}
    server._put(Key("serviceaccounts", "default", "default"), account)
    assert server.create(pod("a"))["spec"]["imagePullSecrets"] == [{"name": "hub"}]
    assert server.create(pod("b", imagePullSecrets=[{"name": "own"}]))["spec"]["imagePullSecrets"] == [{"name": "own"}]


def test_a_refusal_before_the_name_is_known_shows_its_prefix() -> None:
    obj = pod(serviceAccountName="nope")
    obj["metadata"] = {"generateName": "r-"}
    with pytest.raises(Forbidden, match='pods "r-" is forbidden: error looking up service account default/nope'):
        SmallServer().create(obj)


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ([{"key": "a", "operator": "Exists"}], ["not-ready", "unreachable"]),
        ([{"operator": "Exists"}], []),
        ([{"operator": "Exists", "effect": "NoSchedule"}], ["not-ready", "unreachable"]),
        ([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}], ["unreachable"]),
    ],
)
def test_tolerations_are_added_where_the_pod_says_nothing(own: list[Object], added: list[str]) -> None:
    found = SmallServer().create(pod(tolerations=own))["spec"]["tolerations"]
    assert found[: len(own)] == own
    assert [one["key"].partition("/")[2] for one in found[len(own) :]] == added


def priority_class(name: str, value: int, **fields: Any) -> Object:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        **fields,
    }


def test_priority_comes_from_the_class_the_default_class_or_the_system() -> None:
    server = SmallServer()
    server.create(priority_class("high", 1000, preemptionPolicy="Never"))
    server.create(priority_class("usual", 5, globalDefault=True))
    high = server.create(pod("a", priorityClassName="high"))["spec"]
    usual = server.create(pod("b"))["spec"]
    system = server.create(pod("c", priorityClassName="system-node-critical"))["spec"]
    assert (high["priority"], high["preemptionPolicy"]) == (1000, "Never")
    assert (usual["priority"], usual["priorityClassName"]) == (5, "usual")
    assert system["priority"] == 2_000_001_000


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "high"}, "no PriorityClass with name high was found"),
        ({"priority": 7}, "the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name"),
        ({"runtimeClassName": "firecracker"}, 'pod rejected: RuntimeClass "firecracker" not found'),
    ],
)  # fmt: skip
def test_pods_are_refused_for_what_they_may_not_set(spec: Object, why: str) -> None:
    with pytest.raises(Forbidden) as refused:
        SmallServer().create(pod(**spec))
    assert str(refused.value) == f'pods "p" is forbidden: {why}'


def test_there_is_only_one_default_priority_class() -> None:
    server = SmallServer()
    server.create(priority_class("usual", 5, globalDefault=True))
    with pytest.raises(Forbidden, match="PriorityClass usual is already marked as default. Only one default can exist"):
        server.create(priority_class("other", 6, globalDefault=True))


def test_a_runtime_class_gives_overhead_selector_and_tolerations() -> None:
    server = SmallServer()
    toleration = {"key": "gvisor", "operator": "Exists"}
    obj = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "gvisor"},
        "handler": "runsc",
        "overhead": {"podFixed": {"cpu": "50m"}},
        "scheduling": {"nodeSelector": {"sandbox": "yes"}, "tolerations": [toleration]},
    }
    server.create(obj)
    spec = server.create(pod(runtimeClassName="gvisor", nodeSelector={"disk": "ssd"}))["spec"]
    assert spec["overhead"] == {"cpu": "50m"}
    assert spec["nodeSelector"] == {"disk": "ssd", "sandbox": "yes"}
    assert toleration in spec["tolerations"]


def test_an_update_keeps_the_priority_that_creation_gave() -> None:
    server = SmallServer()
    old = server.create(pod())
    bare = {key: value for key, value in old["spec"].items() if key not in ("priority", "preemptionPolicy")}
    mutated = admission.mutate(request_for("UPDATE", "pods", {**old, "spec": bare}, server.view, old=old))
    assert mutated is not None
    assert (mutated["spec"]["priority"], mutated["spec"]["preemptionPolicy"]) == (0, "PreemptLowerPriority")


# ---------------------------------------------------------------------------------------------------- others
def test_a_new_node_is_tainted_until_it_reports() -> None:
    server = SmallServer()
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    taint = {"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"}
    assert server.create(node)["spec"]["taints"] == [taint]


def test_limit_ranges_fill_in_and_say_so() -> None:
    server = SmallServer()
    limits = [{"type": "Container", "default": {"cpu": "500m", "memory": "256Mi"}, "defaultRequest": {"cpu": "100m", "memory": "64Mi"}}]  # fmt: skip
    server.create({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "lr"}, "spec": {"limits": limits}})
    made = server.create(pod())
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "500m", "memory": "256Mi"},
        "requests": {"cpu": "100m", "memory": "64Mi"},
    }
    assert made["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c"
    }


def storage_class(name: str, at: str) -> Object:
    notes = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {"metadata": {"name": name, "annotations": notes, "creationTimestamp": at}}


def claim(**spec: Any) -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}


def test_a_claim_gets_the_newest_default_class_and_its_protection() -> None:
    server = SmallServer()
    for name, at in (("old", "2026-01-01T00:00:00Z"), ("b", "2026-02-01T00:00:00Z"), ("a", "2026-02-01T00:00:00Z")):
        server._put(Key("storageclasses.storage.k8s.io", "", name), storage_class(name, at))
    made = server.create(claim())
    assert made["spec"]["storageClassName"] == "a"
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_a_claim_may_ask_for_no_class() -> None:
    server = SmallServer()
    server._put(Key("storageclasses.storage.k8s.io", "", "a"), storage_class("a", "2026-01-01T00:00:00Z"))
    assert server.create(claim(storageClassName=""))["spec"]["storageClassName"] == ""


def test_an_ingress_gets_the_default_class() -> None:
    server = SmallServer()
    notes = {"ingressclass.kubernetes.io/is-default-class": "true"}
    meta = {"name": "nginx", "annotations": notes, "creationTimestamp": NOW.timestamp}
    server._put(Key("ingressclasses.networking.k8s.io", "", "nginx"), {"metadata": meta})
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}, "spec": {"defaultBackend": backend}}  # fmt: skip
    assert server.create(ingress)["spec"]["ingressClassName"] == "nginx"


# ---------------------------------------------------------------------------------------------------- quota
def quota_object(hard: dict[str, str], **spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}


def sized(name: str, cpu: str) -> Object:
    needs = {"requests": {"cpu": cpu}}
    return pod(name, containers=[{"name": "c", "image": "x", "resources": needs}])


def test_a_quota_counts_and_then_refuses() -> None:
    server = SmallServer()
    server.create(quota_object({"pods": "2", "requests.cpu": "1"}))
    server.create(sized("a", "600m"))
    key = Key("resourcequotas", "default", "q")
    assert server.view.get(key)["status"] == {
        "hard": {"pods": "2", "requests.cpu": "1"},
        "used": {"pods": "1", "requests.cpu": "600m"},
    }
    with pytest.raises(Forbidden) as refused:
        server.create(sized("b", "600m"))
    assert str(refused.value) == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1'
    )


def test_a_dry_run_is_checked_but_not_charged() -> None:
    server = SmallServer()
    server.create(quota_object({"pods": "1"}))
    server.create(pod("a"), dry_run=True)
    assert "used" not in (server.view.get(Key("resourcequotas", "default", "q")).get("status") or {})


def test_use_can_be_counted_from_the_objects() -> None:
    server = SmallServer()
    server.create(sized("a", "600m"))
    server._put(Key("pods", "default", "done"), {**sized("done", "1"), "status": {"phase": "Succeeded"}})
    made = {
        "metadata": {"name": "q", "namespace": "default"},
        "spec": {"hard": {"pods": "9", "cpu": "9", "count/pods": "9"}},
    }
    assert quotas.count(server.view, made) == {"count/pods": "2", "cpu": "600m", "pods": "1"}


def test_use_follows_the_changes_of_objects() -> None:
    server = SmallServer()
    made = {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"pods": "9", "requests.cpu": "9"}}}
    assert quotas.used(server.view, made) == {"pods": "0", "requests.cpu": "0"}
    first = server.create(sized("a", "600m"))
    server.create(sized("b", "150m"))
    assert quotas.used(server.view, made) == {"pods": "2", "requests.cpu": "750m"}
    server._put(Key("pods", "default", "a"), {**first, "status": {"phase": "Succeeded"}})
    assert quotas.used(server.view, made) == quotas.count(server.view, made) == {"pods": "1", "requests.cpu": "150m"}


@pytest.mark.parametrize(
    ("resource", "obj", "expected"),
    [
        ("secrets", {}, {"count/secrets": "1", "secrets": "1"}),
        ("jobs.batch", {}, {"count/jobs.batch": "1"}),
        ("services", {"spec": {"type": "NodePort", "ports": [{}, {}]}}, {"count/services": "1", "services": "1", "services.nodeports": "2"}),
        ("services", {"spec": {"type": "LoadBalancer", "ports": [{}], "allocateLoadBalancerNodePorts": False}}, {"count/services": "1", "services": "1", "services.loadbalancers": "1"}),
        ("pods", {"spec": {"containers": [{"resources": {"requests": {"cpu": "1"}, "limits": {"example.com/gpu": "1"}}}], "initContainers": [{"resources": {"requests": {"cpu": "2"}}}]}}, {"count/pods": "1", "pods": "1", "cpu": "2", "requests.cpu": "2", "limits.example.com/gpu": "1"}),
        ("pods", {"status": {"phase": "Failed"}}, {"count/pods": "1"}),
    ],
)  # fmt: skip
def test_what_an_object_uses(resource: str, obj: Object, expected: dict[str, str]) -> None:
    assert quotas.usage(resource, {"metadata": {"name": "x"}, **obj}) == expected


# ---------------------------------------------------------------------------------------------------- pod security
@pytest.mark.parametrize("level", ["privileged", "baseline"])
def test_a_plain_pod_satisfies_the_baseline(level: str) -> None:
    assert pod_standards.findings(pod()["spec"], {}, level) == []


def test_in_a_user_namespace_root_and_proc_are_no_danger() -> None:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsUser": 0}
    spec = {
        "hostUsers": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "securityContext": context}],
    }
    assert pod_standards.findings(spec, {}, "restricted") == []
    assert [finding.reason for finding in pod_standards.findings({**spec, "hostUsers": True}, {}, "restricted")] == [
        "runAsNonRoot != true",
        "runAsUser=0",
    ]


def test_a_stricter_level_names_the_pods_that_break_it() -> None:
    server = SmallServer()
    server.create(pod("q1"))
    server.create(pod("q2"))
    server.create(pod("q3", hostNetwork=True))
    old = server.view.get(Key("namespaces", "", "default"))
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    server.update({"apiVersion": "v1", "kind": "Namespace", **old, "metadata": {"name": "default", "labels": labels}})
    rest = "allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile"
    assert server.warnings == [
        'existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
        f"q1 (and 1 other pod): {rest}",
        f"q3: host namespaces, {rest}",
    ]
