"""Small objects for the tests of controllers."""

from __future__ import annotations

from typing import Any

from minikube_py.base.clock import timestamp
from tests.support import T0

Object = dict[str, Any]


def at(seconds_ago: int) -> str:
    return timestamp(T0.now_s - seconds_ago)


def owned_by(owner: Object, kind: str, api_version: str = "apps/v1") -> list[Object]:
    meta = owner["metadata"]
    reference = {"apiVersion": api_version, "kind": kind, "name": meta["name"], "uid": meta["uid"]}
    return [{**reference, "controller": True, "blockOwnerDeletion": True}]


def replicaset(name: str = "web-1", replicas: int = 3, **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def pod(name: str, *, node: str = "n1", phase: str = "Running", ready_ago: int | None = 60, **meta: Any) -> Object:
    """A pod of the app web; `ready_ago` None: not ready."""
    state = "False" if ready_ago is None else "True"
    condition = {"type": "Ready", "status": state, "lastTransitionTime": at(ready_ago or 0)}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": {"app": "web"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "creationTimestamp": at(100), "generation": 1, **meta},
        "spec": {"containers": [{"name": "c", "image": "nginx"}], **({"nodeName": node} if node else {})},
        "status": {"phase": phase, "conditions": [condition]},
    }


def node(name: str = "n1", ready: str = "True", taints: list[Object] | None = None, created_ago: int = 1000) -> Object:
    told = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": ready}
    conditions = [
        {"type": kind, "status": state, "lastHeartbeatTime": at(500), "lastTransitionTime": at(500), "reason": "R"}
        for kind, state in told.items()
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": at(created_ago)},
        "spec": {"taints": taints} if taints else {},
        "status": {"conditions": conditions},
    }


def configmap(name: str, owners: list[Object] | None = None, **meta: Any) -> Object:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", **meta}
    if owners is not None:
        metadata["ownerReferences"] = owners
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
