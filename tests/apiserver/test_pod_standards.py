"""The check table of the Pod Security Standards' documentation, as a table: what a pod sets, and since when it is forbidden."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.apiserver.admission import pod_security, pod_standards
from minikube_py.cluster import Cluster

Object = dict[str, Any]
GOOD: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(context: Object | None = None, container: Object | None = None, **spec: Any) -> Object:
    """A spec that satisfies `restricted`, but for what is told."""
    one = {"name": "c", "image": "nginx", "securityContext": {**GOOD, **(context or {})}, **(container or {})}
    one["securityContext"] = {name: value for name, value in one["securityContext"].items() if value is not None}
    return {"containers": [one], **spec}


def probe(host: str) -> Object:
    return {"livenessProbe": {"httpGet": {"path": "/", "port": 80, "host": host}}}


# What is set; the level that forbids it ('' none); from which minor version on; until which it is forbidden; the reason.
TABLE: list[tuple[Object, str, int, int, str]] = [
    (pod(), "", 0, 99, ""),
    # -- baseline
    (pod(container={"securityContext": {**GOOD, "windowsOptions": {"hostProcess": True}}}), "baseline", 0, 99, "hostProcess"),
    (pod(hostNetwork=True), "baseline", 0, 99, "host namespaces"),
    (pod(hostPID=True), "baseline", 0, 99, "host namespaces"),
    (pod(hostIPC=True), "baseline", 0, 99, "host namespaces"),
    (pod({"privileged": True}), "baseline", 0, 99, "privileged"),
    (pod({"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}), "baseline", 0, 99, "capabilities"),
    (pod({"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}), "restricted", 22, 99, "unrestricted capabilities"),
    (pod({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}), "", 0, 99, ""),
    (pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "baseline", 0, 99, "volume"),
    (pod(container={"ports": [{"containerPort": 80, "hostPort": 80}]}), "baseline", 0, 99, "hostPort"),
    (pod(container={"ports": [{"containerPort": 80, "hostPort": 0}]}), "", 0, 99, ""),
    (pod(container=probe("10.0.0.1")), "baseline", 34, 99, "probe or lifecycle host"),
    (pod(container=probe("127.0.0.1")), "baseline", 34, 99, "probe or lifecycle host"),
    (pod(container=probe("")), "", 0, 99, ""),
    (pod({"appArmorProfile": {"type": "Unconfined"}}), "baseline", 0, 99, "forbidden AppArmor profile"),
    (pod({"appArmorProfile": {"type": "Localhost", "localhostProfile": "x"}}), "", 0, 99, ""),
    (pod({"seLinuxOptions": {"type": "container_t"}}), "", 0, 99, ""),
    (pod({"seLinuxOptions": {"type": "container_engine_t"}}), "baseline", 0, 30, "seLinuxOptions"),
    (pod({"seLinuxOptions": {"type": "spc_t"}}), "baseline", 0, 99, "seLinuxOptions"),
    (pod({"seLinuxOptions": {"user": "u"}}), "baseline", 0, 99, "seLinuxOptions"),
    (pod({"procMount": "Unmasked"}), "baseline", 0, 99, "procMount"),
    (pod({"seccompProfile": {"type": "Unconfined"}}), "baseline", 19, 99, "seccompProfile"),
    (pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}), "baseline", 0, 99, "forbidden sysctls"),
    (pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}), "", 0, 99, ""),
    (pod(securityContext={"sysctls": [{"name": "net.ipv4.ip_local_reserved_ports", "value": "1"}]}), "baseline", 0, 26, "forbidden sysctls"),
    (pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_fin_timeout", "value": "1"}]}), "baseline", 0, 28, "forbidden sysctls"),
    (pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}), "baseline", 0, 31, "forbidden sysctls"),
    # -- restricted
    (pod(volumes=[{"name": "v", "nfs": {"server": "s", "path": "/"}}]), "restricted", 0, 99, "restricted volume types"),
    (pod(volumes=[{"name": "v", "image": {"reference": "x"}}]), "", 0, 99, ""),
    (pod({"allowPrivilegeEscalation": None}), "restricted", 8, 99, "allowPrivilegeEscalation != false"),
    (pod({"allowPrivilegeEscalation": True}, os={"name": "windows"}), "restricted", 8, 24, "allowPrivilegeEscalation != false"),
    (pod({"runAsNonRoot": None}), "restricted", 0, 99, "runAsNonRoot != true"),
    (pod({"runAsNonRoot": None}, securityContext={"runAsNonRoot": True}), "", 0, 99, ""),
    (pod({"runAsNonRoot": False}, securityContext={"runAsNonRoot": True}), "restricted", 0, 99, "runAsNonRoot != true"),
    (pod({"runAsNonRoot": None}, hostUsers=False), "restricted", 0, 34, "runAsNonRoot != true"),
    (pod({"runAsUser": 0}), "restricted", 23, 99, "runAsUser=0"),
    (pod({"runAsUser": 0}, hostUsers=False), "restricted", 23, 34, "runAsUser=0"),
    (pod({"seccompProfile": None}), "restricted", 19, 99, "seccompProfile"),
    (pod({"seccompProfile": None}, securityContext={"seccompProfile": {"type": "Localhost"}}), "", 0, 99, ""),
    (pod({"seccompProfile": None}, os={"name": "windows"}), "restricted", 19, 24, "seccompProfile"),
    (pod({"capabilities": None}), "restricted", 22, 99, "unrestricted capabilities"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "level", "since", "until", "reason"), TABLE)
def test_what_each_level_forbids_in_each_version(spec: Object, level: str, since: int, until: int, reason: str) -> None:
    for minor in range(pod_standards.NEWEST + 1):
        for asked in ("baseline", "restricted"):
            found = [one.reason for one in pod_standards.findings(spec, {}, asked, minor)]
            strict_enough = level == "baseline" or (level == "restricted" and asked == "restricted")
            if strict_enough and since <= minor <= until:
                assert any(reason in one for one in found), (asked, minor)
            else:
                assert found == [], (asked, minor)
    assert pod_standards.findings(spec, {}, "privileged") == []


def test_a_pod_in_a_user_namespace_may_see_all_of_proc_in_baseline_since_1_35() -> None:
    spec = pod({"procMount": "Unmasked"}, hostUsers=False)
    assert [len(pod_standards.findings(spec, {}, "baseline", minor)) for minor in (0, 34, 35)] == [1, 1, 0]
    assert [len(pod_standards.findings(spec, {}, "restricted", minor)) for minor in (0, 34, 35)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("notes", "level", "minor", "text"),
    [
        ({"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"}, "baseline", 35, ""),
        (
            {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}, "baseline", 35,
            'forbidden AppArmor profile (annotation must not set AppArmor profile type to '
            '"container.apparmor.security.beta.kubernetes.io/c="unconfined"")',
        ),
        (
            {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}, "baseline", 18,
            'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
        ),
        ({"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}, "baseline", 19, ""),
    ],
)  # fmt: skip
def test_annotations_count_too(notes: dict[str, str], level: str, minor: int, text: str) -> None:
    assert ", ".join(map(str, pod_standards.findings(pod(), notes, level, minor))) == text


LABEL = pod_security.PREFIX


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, "privileged:latest privileged:latest privileged:latest"),
        ({"enforce": "baseline"}, "baseline:latest privileged:latest baseline:latest"),
        ({"enforce": "baseline", "enforce-version": "v1.30"}, "baseline:v1.30 privileged:latest baseline:v1.30"),
        ({"enforce": "restricted", "warn": "baseline"}, "restricted:latest privileged:latest baseline:latest"),
        (
            {"enforce": "strict", "audit": "strict", "warn": "strict"},
            "restricted:latest privileged:latest privileged:latest",
        ),
        ({"enforce": "baseline", "enforce-version": "1.30"}, "baseline:latest privileged:latest baseline:latest"),
        ({"audit": "restricted", "audit-version": "v1.25"}, "privileged:latest restricted:v1.25 privileged:latest"),
    ],
)
def test_the_policy_of_a_namespace(labels: dict[str, str], expected: str) -> None:
    found = pod_security.policy_of({LABEL + name: value for name, value in labels.items()}, {})
    assert f"{found.enforce} {found.audit} {found.warn}" == expected


@pytest.mark.parametrize(("text", "good"), [("latest", True), ("v1.0", True), ("v1.36", True), ("v1.01", False), ("v2.1", False), ("1.3", False), ("v1.", False)])  # fmt: skip
def test_versions(text: str, good: bool) -> None:
    assert pod_security._is_version(text) is good


def configured(settings: Object) -> Cluster:
    return Cluster.memory(nodes=1, admission={"PodSecurity": settings})


def bad_pod(namespace: str = "default", **spec: Any) -> Object:
    meta = {"name": "p", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**pod(hostNetwork=True), **spec}}


def test_a_configured_default_holds_for_namespaces_without_labels() -> None:
    cluster = configured({"defaults": {"enforce": "baseline", "enforce-version": "latest"}})
    with pytest.raises(Exception, match='violates PodSecurity "baseline:latest": host namespaces'):
        cluster.create(bad_pod())


def test_namespaces_users_and_runtime_classes_can_be_exempt() -> None:
    exemptions = {"namespaces": ["kube-system"], "usernames": ["root"], "runtimeClasses": ["vm"]}
    cluster = configured({"defaults": {"enforce": "restricted"}, "exemptions": exemptions})
    cluster.create(bad_pod("kube-system"))
    handler = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "vm"}, "handler": "vm"}
    cluster.create(handler)
    cluster.create(bad_pod(runtimeClassName="vm"))
    labels = {f"{LABEL}enforce": "baseline"}
    cluster.patch("namespaces", "kube-system", "", {"metadata": {"labels": labels}})
    assert cluster.warnings[-1] == (
        'namespace "kube-system" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored'
    )


def test_audit_is_told_to_whoever_traces() -> None:
    cluster = Cluster.memory(nodes=1)
    cluster.patch("namespaces", "default", "", {"metadata": {"labels": {f"{LABEL}audit": "baseline"}}})
    cluster.server.trace = []
    cluster.create(bad_pod())
    found = [note for note in cluster.server.trace if note.plugin == "PodSecurity"]
    assert [(note.rule, note.verdict) for note in found] == [
        ("namespace/default enforce=privileged:latest", "allows"),
        ("namespace/default audit=baseline:latest", "audits"),
    ]
    assert "hostNetwork=true" in found[1].text
