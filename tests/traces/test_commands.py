"""Commands of recordings about quotas, storage, evictions and deletion, with what the real cluster answered.

`DIFFERENT` names the answers that are known to differ, with the reason; nothing else may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.base.clock import seconds
from tests.traces import commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.traces.machine import Machine, Object

FIVE = tuple(f"fake-{number:03}" for number in range(5))


def _users_of_classes(machine: Machine, step: Object) -> None:
    if step["t"] == 12.52:
        machine.cluster.create(commands.user_of("w", "user", "x-st2"))


def _users_and_losses(machine: Machine, step: Object) -> None:
    cluster, namespace = machine.cluster, "x-st3"
    if step["t"] == 18.67:
        for name in ("user", "user2"):
            cluster.create(commands.user_of("prot", name, namespace))
    elif step["t"] == 20.75:
        cluster.create(commands.user_of("prot", "user3", namespace))
    elif step["t"] == 28.22:
        cluster.patch("persistentvolumes", "lost", "", {"metadata": {"finalizers": None}})
        machine.pass_time(0)


def stateful_set(name: str, replicas: int, image: str = "nginx:1.27", ready_s: int = 1, **spec: Any) -> Object:
    container: Object = {"name": "c", "image": image}
    if ready_s:
        container["readinessProbe"] = {
            "exec": {"command": ["true"]},
            "initialDelaySeconds": ready_s,
            "periodSeconds": 1,
        }
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    if spec.pop("never", False):
        container["readinessProbe"]["initialDelaySeconds"] = 9999
    whole = {
        "replicas": replicas,
        "serviceName": name,
        "selector": {"matchLabels": {"app": name}},
        "template": template,
        **spec,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "x-sts"},
        "spec": whole,
    }


def with_claims(name: str, deleted: str, scaled: str) -> Object:
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "x-sts",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    templates = [{"metadata": {"name": "data"}, "spec": claim}]
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    return stateful_set(
        name,
        3,
        "nginx",
        0,
        podManagementPolicy="Parallel",
        volumeClaimTemplates=templates,
        persistentVolumeClaimRetentionPolicy=policy,
    )


def _sets(machine: Machine, step: Object) -> None:
    t = step["t"]
    made = {
        52.74: stateful_set("muv", 6, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}),
        63.61: stateful_set("odl", 2, ready_s=0, updateStrategy={"type": "OnDelete"}),
        68.73: stateful_set("brk", 3, ready_s=0),
        84.93: stateful_set("nr", 3, never=True),
        97.14: stateful_set("mrs", 3, ready_s=0, minReadySeconds=3),
        100.02: stateful_set("mrs", 3, ready_s=0, minReadySeconds=3),
        109.65: with_claims("pv-dr", "Delete", "Retain"),
        116.67: with_claims("pv-rd", "Retain", "Delete"),
        123.66: with_claims("pv-dd", "Delete", "Delete"),
    }  # fmt: skip
    if t == 102.66:
        for number in range(24):
            spec = {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "x-sts",
                "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": f"/x-sts/{number}"},
            }  # fmt: skip
            machine.cluster.create(
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolume",
                    "metadata": {"name": f"x-sts-{number:02}"},
                    "spec": spec,
                }
            )
        machine.pass_time(0)
    if t in made or step.get("given"):
        for one in machine.cluster.list("statefulsets", "x-sts"):
            machine.cluster.delete("statefulsets", one["metadata"]["name"], "x-sts")
        if t != 100.02:  # adopts the pods that are there
            for one in machine.cluster.list("pods", "x-sts"):
                machine.cluster.delete("pods", one["metadata"]["name"], "x-sts")
        for one in machine.cluster.list("persistentvolumeclaims", "x-sts"):
            machine.cluster.delete("persistentvolumeclaims", one["metadata"]["name"], "x-sts")
        machine.cluster.reconcile()
    if t in made:
        machine.cluster.create(made[t])
        machine.pass_time(0)


def daemon_set(name: str, cpu: str = "", **strategy: Any) -> Object:
    container: Object = {"name": "c", "image": "nginx:1.27"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template, "updateStrategy": strategy}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name, "namespace": "x-ds"}, "spec": spec}


def _daemons(machine: Machine, step: Object) -> None:
    made = {
        74.14: daemon_set("stuck", type="RollingUpdate", rollingUpdate={"maxUnavailable": 1}),
        82.96: daemon_set("ondel", type="OnDelete"),
        88.38: daemon_set("node", type="RollingUpdate"),
        114.41: daemon_set("big", cpu="1000", type="RollingUpdate"),
    }.get(step["t"])
    if step.get("given") or made:
        for one in machine.cluster.list("daemonsets", "x-ds"):
            machine.cluster.delete("daemonsets", one["metadata"]["name"], "x-ds")
        machine.cluster.reconcile()
    if made:
        machine.cluster.create(made)
        machine.cluster.reconcile()


def _owned(
    name: str,
    kind: str,
    owners: tuple[str, ...],
    uids: dict[str, str],
    finalizers: tuple[str, ...] = (),
    block: bool = False,
) -> Object:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner,
            "uid": uids[owner],
            **({"blockOwnerDeletion": True} if block else {}),
        }
        for owner in owners
    ]
    meta: Object = {"name": name, "namespace": "x-gc-own", "ownerReferences": references}
    if finalizers:
        meta["finalizers"] = list(finalizers)
    return {"apiVersion": "v1", "kind": kind, "metadata": meta}


def _owners(machine: Machine, step: Object) -> None:
    cluster = machine.cluster
    if step["t"] == 20.72:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x-gc-own"}})
        uids = {"gone": "11111111-2222-3333-4444-555555555555"}
        for name in ("owner", "owner2"):
            meta = {"name": name, "namespace": "x-gc-own"}
            uids[name] = cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})["metadata"]["uid"]
        cluster.create(_owned("dep", "ConfigMap", ("owner",), uids))
        cluster.create(_owned("dep-secret", "Secret", ("owner",), uids))
        cluster.create(_owned("dep-block", "ConfigMap", ("owner",), uids, ("example.com/hold",), block=True))
        cluster.create(_owned("dep-two-owners", "ConfigMap", ("owner", "owner2"), uids))
        cluster.create(_owned("dep-missing", "ConfigMap", ("gone",), uids))
    elif step["t"] == 27.62:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x-gc-fin"}})
        meta = {"name": "f", "namespace": "x-gc-fin", "finalizers": ["example.com/a", "example.com/b"]}
        cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


def _end_pods(machine: Machine) -> None:
    """The pods of one CronJob end three seconds after they were made: the first pod of the first Job well, then of each
    Job the first one badly and the second one well."""
    cluster, namespace = machine.cluster, "x-cron-hist"
    for pod in cluster.list("pods", namespace):
        meta = pod["metadata"]
        if pod["status"]["phase"] != "Pending" or _born(pod) + 3 > cluster.clock.now_s:
            continue
        job = meta["labels"]["job-name"]
        others = [one for one in cluster.list("pods", namespace, labels=f"job-name={job}") if _born(one) < _born(pod)]
        good = bool(others) or job == "cj-29926006"
        phase, code, now = ("Succeeded", 0, cluster.clock.timestamp) if good else ("Failed", 1, cluster.clock.timestamp)
        state = {"terminated": {"exitCode": code, "finishedAt": now, "startedAt": now}}
        container = {"name": "c", "image": "busybox", "imageID": "", "ready": False, "restartCount": 0, "state": state}
        ready = {"type": "Ready", "status": "False", "lastTransitionTime": now, "lastProbeTime": None}
        status = {"phase": phase, "conditions": [ready], "containerStatuses": [container]}
        cluster.patch("pods", meta["name"], namespace, {"status": status}, subresource="status")


def _born(pod: Object) -> int:
    return seconds(pod["metadata"]["creationTimestamp"])


def _pod(machine: Machine, name: str, phase: str, ready: bool, labels: Object) -> None:
    namespace, now = "x-ev", machine.cluster.clock.timestamp
    meta = {"name": name, "namespace": namespace, "labels": labels}
    spec = {"schedulerName": "none", "containers": [{"name": "c", "image": "nginx"}]}
    machine.cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": now, "lastProbeTime": None}]
    machine.cluster.patch(
        "pods", name, namespace, {"status": {"phase": phase, "conditions": conditions}}, subresource="status"
    )


def _evicted(machine: Machine, step: Object) -> None:
    t, labels = step["t"], {"app": "x"}

    def budget(name: str, field: str) -> None:
        spec = {field: 1, "selector": {"matchLabels": labels}}
        meta = {"name": name, "namespace": "x-ev"}
        machine.cluster.create(
            {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec}
        )

    if t == 0.13:
        machine.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x-ev"}})
        _pod(machine, "a", "Running", True, labels)
    elif t == 1.18:
        for name, phase, ready in (("r1", "Running", True), ("nr", "Running", False), ("pend", "Pending", False)):
            _pod(machine, name, phase, ready, labels)
        budget("one", "minAvailable")
    elif t == 2.66:
        budget("two", "maxUnavailable")
    elif step.get("note") == "not ready pod, IfHealthyBudget, budget has desired healthy":
        machine.cluster.delete("poddisruptionbudgets", "two", "x-ev")
        _pod(machine, "nr2", "Running", False, labels)
    elif step.get("note") == "not ready pod while currentHealthy < desiredHealthy":
        _pod(machine, "nr3", "Running", False, labels)
    else:
        return
    machine.pass_time(0)


def _used(machine: Machine, step: Object) -> None:
    """A claim that two running pods use and one that nobody schedules; later a pod that comes too late, and a late class."""
    cluster, namespace, t = machine.cluster, "x-st4", step["t"]

    def user(name: str, claim: str, **spec: Any) -> None:
        container = {"name": "c", "image": "nginx:1.27"}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 30, **spec}
        spec["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]
        meta = {"name": name, "namespace": namespace}
        cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    def claim(name: str, **spec: Any) -> None:
        wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
        meta = {"name": name, "namespace": namespace}
        cluster.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": wanted})

    if t == 4.07:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        slow, meta = {"sigterm": {"after": "2s"}, "create": {"after": "1s"}}, {"name": "slow", "namespace": namespace}
        cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Program", "metadata": meta, "spec": slow})
        spec = {
            "capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "st4",
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/data/st4-prot"},
        }  # fmt: skip
        cluster.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "st4-prot"}, "spec": spec})
        claim("prot", storageClassName="st4")
        machine.pass_time(1)
        user("run1", "prot")
        user("run2", "prot")
        machine.pass_time(2)
    elif t == 8.28:
        user("late", "prot")
        machine.pass_time(1)
    elif t == 15.51:
        claim("unsched", storageClassName="st4")
        user("idle", "unsched", schedulerName="none")
        machine.pass_time(0)
    elif t == 84.93:
        claim("noclass")
        machine.pass_time(1)
        meta = {"name": "st4-dflt", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
        cluster.create(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": meta,
                "provisioner": "example.com/prov",
            }
        )
        machine.pass_time(16)


BETWEEN: dict[str, Callable[[Machine, Object], None]] = {
    "classes_and_waiting": _users_of_classes,
    "protection_and_resync": _used,
    "evictions": _evicted,
    "garbage_collection": _owners,
    "statefulsets": _sets,
    "daemonsets": _daemons,
    "reclaim_protection_expansion": _users_and_losses,
}
# The binder of the real cluster looked at waiting claims every 15 s, counted from a moment of its own.
EACH_SECOND = {"cronjobs": _end_pods}
EPOCHS = {"cronjobs": 1_795_560_327, "reclaim_protection_expansion": 1_795_559_012}
SETTLED = ("statefulsets", "daemonsets")
REFUSALS = ("jobs",)  # their workloads were made by raw requests; see test_jobs
RECORDINGS = (
    "quota_limitrange", "classes_and_waiting", "protection_and_resync", "reclaim_protection_expansion", "garbage_collection",
    "evictions", "daemonsets", "statefulsets", "cronjobs", *REFUSALS,
)  # fmt: skip
DIFFERENT: dict[str, dict[float, str]] = {
    "quota_limitrange": {
        10.06: "two quotas refuse: which one is told is chance",
        12.02: "the order of a map",
    },
    "reclaim_protection_expansion": {
        10.55: "the pod that empties a volume is not played",
        20.49: "the emptying took for ever there",
        24.18: "the emptying took for ever there",
        38.07: "the emptying took for ever there; a volume was removed by a raw request",
        38.17: "a volume was removed by a raw request",
    },
    "statefulsets": {20.85: "the order of events of one second"},
    "daemonsets": {19.76: "the order of events of one second", 55.4: "the order of events of one second"},
    "evictions": {
        6.34: "a raw request with another name in its body: commands cannot make one",
        8.38: "which of two budgets is told on the pod is chance, so it is not told",
    },
    "jobs": dict.fromkeys((160.79, 205.65, 205.74, 205.91), "its Job was made by a raw request"),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_commands_answer_as_they_did_on_a_real_cluster(name: str, tmp_path: Path) -> None:
    between, epoch_s = BETWEEN.get(name), EPOCHS.get(name)
    settled, refusals = name in SETTLED, name in REFUSALS
    outcomes = list(
        commands.replay(
            tmp_path,
            name,
            refusals_only=refusals,
            nodes=FIVE,
            between=between,
            epoch_s=epoch_s,
            settled=settled,
            each_second=EACH_SECOND.get(name),
        )
    )
    different = [one for one in outcomes if not one.equal and one.step["t"] not in DIFFERENT.get(name, {})]
    print(f"{name}: {sum(one.equal for one in outcomes)} of {len(outcomes)} equal")
    assert not different, "\n".join(
        f"{one.title}\n--- recorded\n{one.expected}\n--- found\n{one.found}" for one in different
    )
