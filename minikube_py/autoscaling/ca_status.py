"""The ConfigMap kube-system/cluster-autoscaler-status: what the Cluster Autoscaler thinks of the cluster and each group.

It is written when something in it other than the time has changed. Source: cluster-autoscaler clusterstate/api/types.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Create, Key, Patch
from minikube_py.autoscaling import scale_down

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.autoscaling.node_groups import Group
    from minikube_py.base.clock import Clock

KEY = Key("configmaps", "kube-system", "cluster-autoscaler-status")
UPDATED = "cluster-autoscaler.kubernetes.io/last-updated"


def reference(view: View) -> Object:
    """The ConfigMap as events name it, before it exists too."""
    found = view.get(KEY)
    return found or {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": KEY.name, "namespace": KEY.namespace},
    }


def write(view: View, clock: Clock, groups: list[Group], memory: Object) -> Actions:
    old = view.get(KEY)
    told = status(view, groups, memory, clock.now_s)
    stamp = f"{clock.timestamp[:10]} {clock.timestamp[11:19]} +0000 UTC"
    if old is not None and _without_times(old["data"].get("status", "")) == _without_times(text(told, stamp)):
        return
    fields: Object = {"metadata": {"annotations": {UPDATED: stamp}}, "data": {"status": text(told, stamp)}}
    if old is not None:
        yield Patch(KEY, fields)
        return
    meta = {"name": KEY.name, "namespace": KEY.namespace, **fields["metadata"]}
    yield Create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": fields["data"]})


def _without_times(written: str) -> list[str]:
    return [line for line in written.splitlines() if "ime: " not in line]


def status(view: View, groups: list[Group], memory: Object, now_s: int) -> Object:
    """The status as data; 'TIME' stands where the moment of writing goes."""
    nodes = view.list("nodes")
    ready = sum(1 for node in nodes if scale_down.is_ready(node))
    booting = sum(len(group.booting) for group in groups)
    unneeded = memory.get("unneeded") or {}
    told = [_group(group, unneeded, memory, now_s) for group in groups]
    return {
        "autoscalerStatus": "Running",
        "clusterWide": {
            "health": {"status": "Healthy", "nodeCounts": _counts(len(nodes), ready, booting), **_TIMES},
            "scaleUp": {"status": "InProgress" if booting else "NoActivity", **_TIMES},
            "scaleDown": _down(len(unneeded)),
        },
        "nodeGroups": told,
    }


_TIMES = {"lastProbeTime": "TIME", "lastTransitionTime": "TIME"}


def _group(group: Group, unneeded: Object, memory: Object, now_s: int) -> Object:
    ready = sum(1 for node in group.nodes if scale_down.is_ready(node))
    until = (memory.get("backoff") or {}).get(group.name, [0])[0]
    up: Object = {"status": "Backoff" if until > now_s else "InProgress" if group.booting else "NoActivity"}
    if until > now_s:
        up["backoffInfo"] = {"errorCode": "timeout", "errorMessage": "Scale-up timed out"}
    idle = sum(1 for node in group.nodes if node["metadata"]["name"] in unneeded)
    health = {
        "status": "Healthy",
        "nodeCounts": _counts(len(group.nodes), ready, len(group.booting)),
        "cloudProviderTarget": group.target,
        "minSize": group.minimum,
        "maxSize": group.maximum,
        **_TIMES,
    }
    return {"name": group.name, "health": health, "scaleUp": {**up, **_TIMES}, "scaleDown": _down(idle)}


def _counts(total: int, ready: int, booting: int) -> Object:
    return {
        "registered": {"total": total, "ready": ready, "notStarted": total - ready},
        "longUnregistered": 0,
        "unregistered": booting,
    }


def _down(candidates: int) -> Object:
    found = {"status": "CandidatesPresent", "candidates": candidates} if candidates else {"status": "NoCandidates"}
    return {**found, **_TIMES}


def text(told: Object, stamp: str) -> str:
    """As the autoscaler writes it: YAML, with the time in front."""
    moment = f'"{stamp[:10]}T{stamp[11:19]}Z"'
    return f"time: {stamp}\n" + "".join(line + "\n" for line in _lines(told, "")).replace("TIME", moment)


def _lines(value: Any, indent: str) -> list[str]:
    lines: list[str] = []
    for name, item in value.items():
        if isinstance(item, dict):
            lines += [f"{indent}{name}:", *_lines(item, indent + "  ")]
        elif isinstance(item, list):
            lines.append(f"{indent}{name}:" if item else f"{indent}{name}: []")
            for one in item:
                inner = _lines(one, indent + "  ")
                lines += [f"{indent}- {inner[0].strip()}", *inner[1:]]
        else:
            lines.append(f"{indent}{name}: {item}")
    return lines
