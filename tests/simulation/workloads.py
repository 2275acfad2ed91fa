"""Random deeds on workloads of every kind: StatefulSets with claims, DaemonSets, Jobs, CronJobs, budgets and evictions."""

from __future__ import annotations

import contextlib
from random import Random
from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Key
from minikube_py.apiserver import eviction
from minikube_py.apiserver.origin import ADMIN
from minikube_py.base.errors import KpyError
from tests.simulation import workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cluster import Cluster

Command = tuple[Any, ...]
NAMES = ("db", "agent", "work", "api")
WORKERS = ("worker-1", "worker-2")


def commands(seed: int, length: int) -> list[Command]:
    """A list of commands as plain tuples, so that a failing one can be printed and cut down."""
    dice = Random(f"workloads {seed}")
    return [("class",), *(_command(dice) for _ in range(length))]


def _command(dice: Random) -> Command:
    deeds: list[Callable[[], Command]] = [
        lambda: ("set", dice.randint(0, 4), dice.randint(1, 3), dice.choice(("OrderedReady", "Parallel"))),
        lambda: ("set", dice.randint(1, 4), dice.randint(1, 3), "OrderedReady"),
        lambda: ("daemon", dice.randint(1, 3), dice.choice((0, 1)), dice.choice((1, 2))),
        lambda: ("job", dice.randint(1, 6), dice.randint(1, 3), dice.choice(("true", "exit 1", "sleep 20"))),
        lambda: ("indexed", dice.randint(1, 4), dice.randint(1, 3), dice.choice(("true", "exit 1"))),
        lambda: ("cron", dice.choice(("Allow", "Forbid", "Replace"))),
        lambda: ("budget", dice.choice(("db", "api")), dice.choice(("minAvailable", "maxUnavailable")), dice.choice((1, "50%"))),
        lambda: ("apply", "api", dice.randint(1, 5), dice.randint(1, 3), "25%", dice.choice((0, 1, "25%"))),
        lambda: ("evict", dice.choice(NAMES), dice.randint(0, 5)),
        lambda: ("evict", dice.choice(("db", "api")), dice.randint(0, 5)),
        lambda: ("kill", dice.choice(NAMES), dice.randint(0, 5)),
        lambda: ("delete", dice.choice(("statefulsets/db", "daemonsets/agent", "jobs/work", "cronjobs/tick")), dice.choice(("Background", "Foreground"))),
        lambda: ("fail", dice.choice(WORKERS)),
        lambda: ("recover", dice.choice(WORKERS)),
        lambda: ("cordon", dice.choice(WORKERS), dice.choice((True, False))),
        lambda: ("taint", dice.choice(WORKERS), dice.choice((True, False))),
        lambda: ("suspend", dice.choice((True, False))),
        lambda: ("reconcile",),
        lambda: ("for", dice.choice((1, 3, 10, 60, 400))),
        lambda: ("step",),
    ]  # fmt: skip
    return dice.choice(deeds)()


def _template(name: str, image: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": image, "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}}}
    container |= spec.pop("container", {})
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec}}


def _whole(version: str, kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _stateful(replicas: int, version: int, policy: str) -> dict[str, Any]:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    retention = {"whenDeleted": "Delete", "whenScaled": "Delete"}
    return _whole(
        "apps/v1", "StatefulSet", "db", replicas=replicas, serviceName="db", podManagementPolicy=policy,
        selector={"matchLabels": {"app": "db"}}, template=_template("db", f"gcr.io/shop/db:{version}"),
        volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": claim}],
        persistentVolumeClaimRetentionPolicy=retention,
    )  # fmt: skip


def _daemon(version: int, surge: int, unavailable: int) -> dict[str, Any]:
    rolling = {"maxSurge": surge, "maxUnavailable": 0 if surge else unavailable}
    return _whole(
        "apps/v1", "DaemonSet", "agent", selector={"matchLabels": {"app": "agent"}},
        template=_template("agent", f"gcr.io/shop/agent:{version}"),
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling},
    )  # fmt: skip


def _job_spec(completions: int, parallelism: int, script: str, **more: Any) -> dict[str, Any]:
    command = {"command": ["sh", "-c", script]}
    template = _template("work", "busybox:1.37", restartPolicy="Never", container=command)
    return {"completions": completions, "parallelism": parallelism, "backoffLimit": 3, "template": template, **more}


def carry_out(cluster: Cluster, command: Command) -> None:
    """One command; what the API server refuses (nothing of that name, say) is part of the game."""
    with contextlib.suppress(KpyError):
        _carry_out(cluster, *command)


def _carry_out(cluster: Cluster, deed: str, *words: Any) -> None:
    match deed:
        case "class":
            meta = {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
            mode = {"provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"}
            cluster.create({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": meta, **mode})
        case "set":
            cluster.apply(_stateful(*words))
        case "daemon":
            cluster.apply(_daemon(*words))
        case "job":
            cluster.create(_whole("batch/v1", "Job", "work", **_job_spec(*words)))
        case "indexed":
            limits = {"completionMode": "Indexed", "backoffLimitPerIndex": 1}
            cluster.create(_whole("batch/v1", "Job", "work", **_job_spec(*words, **limits)))
        case "cron":
            job = {"spec": _job_spec(1, 1, "sleep 90")}
            cluster.apply(
                _whole("batch/v1", "CronJob", "tick", schedule="* * * * *", concurrencyPolicy=words[0], jobTemplate=job)
            )
        case "budget":
            name, field, amount = words
            cluster.apply(
                _whole(
                    "policy/v1", "PodDisruptionBudget", name, selector={"matchLabels": {"app": name}}, **{field: amount}
                )
            )
        case "evict":
            pods = cluster.list("pods", "default", labels=f"app={words[0]}")
            if pods:
                with cluster.transaction():
                    eviction.evict(
                        cluster.server,
                        Key("pods", "default", pods[words[1] % len(pods)]["metadata"]["name"]),
                        origin=ADMIN,
                    )
        case "delete":
            resource, name = words[0].split("/")
            cluster.delete(resource, name, propagation=words[1])
        case "cordon":
            cluster.patch("nodes", words[0], "", {"spec": {"unschedulable": words[1]}})
        case "taint":
            taints = [{"key": "k", "value": "v", "effect": "NoExecute"}] if words[1] else None
            cluster.patch("nodes", words[0], "", {"spec": {"taints": taints}})
        case "suspend":
            cluster.patch("jobs", "work", "", {"spec": {"suspend": words[0]}})
        case _:
            workload.carry_out(cluster, (deed, *words))
