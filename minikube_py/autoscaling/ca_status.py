"""The ConfigMap kube-system/cluster-autoscaler-status: what the Cluster Autoscaler thinks of the cluster and each group.

It is written when something in it other than the time has changed; a transition time stays while its status stays. Source: cluster-autoscaler clusterstate/api/types.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Create, Key, Patch
from minikube_py.autoscaling import scale_down
from minikube_py.autoscaling.scale_up import STARTUP_S
from minikube_py.base.clock import seconds
from minikube_py.base.duration import go

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
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
    written = (old.get("data") or {}).get("status", "") if old is not None else ""
    told = status(view, groups, memory, clock)
    stamp = f"{clock.timestamp[:10]} {clock.timestamp[11:19]} +0000 UTC"
    if written and _without_times(written) == _without_times(text(told, stamp)):
        return
    shown = text(_with_transitions(told, _read(written)), stamp)
    fields: Object = {"metadata": {"annotations": {UPDATED: stamp}}, "data": {"status": shown}}
    if old is not None:
        yield Patch(KEY, fields)
        return
    meta = {"name": KEY.name, "namespace": KEY.namespace, **fields["metadata"]}
    yield Create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": fields["data"]})


def _read(written: str) -> Object:
    """The status that stands there; {} if somebody else has written something else."""
    import yaml

    try:
        found = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(written).get_single_data()
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}


def _with_transitions(new: Any, old: Any) -> Any:
    """The new status with the transition times of the old one, where a status has not changed."""
    if isinstance(new, list):
        known = {one.get("name"): one for one in old if isinstance(one, dict)} if isinstance(old, list) else {}
        return [_with_transitions(one, known.get(one["name"])) for one in new]
    if not isinstance(new, dict):
        return new
    before = old if isinstance(old, dict) else {}
    found = {name: _with_transitions(value, before.get(name)) for name, value in new.items()}
    if "lastTransitionTime" in new and before.get("status") == new["status"] and before.get("lastTransitionTime"):
        found["lastTransitionTime"] = f'"{before["lastTransitionTime"]}"'
    return found


def _without_times(written: str) -> list[str]:
    return [line for line in written.splitlines() if "ime: " not in line]


def status(view: View, groups: list[Group], memory: Object, clock: Clock) -> Object:
    """The status as data; 'TIME' stands where the moment of writing goes."""
    nodes, now_s = view.list("nodes"), clock.now_s
    booting = sum(len(group.booting) for group in groups)
    unneeded = memory.get("unneeded") or {}
    told = [_group(group, unneeded, memory, now_s) for group in groups]
    return {
        "autoscalerStatus": "Running",
        "clusterWide": {
            "health": {"status": "Healthy", "nodeCounts": _counts(nodes, booting, now_s), **_TIMES},
            "scaleUp": {"status": "InProgress" if booting else "NoActivity", **_TIMES},
            "scaleDown": _down(len(unneeded)),
        },
        "nodeGroups": told,
    }


_TIMES = {"lastProbeTime": "TIME", "lastTransitionTime": "TIME"}


def _group(group: Group, unneeded: Object, memory: Object, now_s: int) -> Object:
    until, _, waited_s = (memory.get("backoff") or {}).get(group.name, [0, 0, 0])
    up: Object = {"status": "Backoff" if until > now_s else "InProgress" if group.booting else "NoActivity"}
    if until > now_s:
        message = f"Scale-up timed out for node group {group.name} after {go(waited_s)}"
        up["backoffInfo"] = {"errorCode": "timeout", "errorMessage": message}
    idle = sum(1 for node in group.nodes if node["metadata"]["name"] in unneeded)
    health = {
        "status": "Healthy",
        "nodeCounts": _counts(group.nodes, len(group.booting), now_s),
        "cloudProviderTarget": group.target,
        "minSize": group.minimum,
        "maxSize": group.maximum,
        **_TIMES,
    }
    return {"name": group.name, "health": health, "scaleUp": {**up, **_TIMES}, "scaleDown": _down(idle)}


def _counts(nodes: Objects, booting: int, now_s: int) -> Object:
    """A node that is not ready has not started yet, or is unready if it has been there for longer than that takes."""
    waiting = [seconds(node["metadata"]["creationTimestamp"]) for node in nodes if not scale_down.is_ready(node)]
    unready = sum(1 for since_s in waiting if now_s - since_s >= STARTUP_S)
    deleting = sum(1 for node in nodes if scale_down.is_marked(node))
    registered: Object = {
        "total": len(nodes),
        "ready": len(nodes) - len(waiting),
        "notStarted": len(waiting) - unready,
    }
    if deleting:
        registered["beingDeleted"] = deleting
    if unready:
        registered["unready"] = {"total": unready, "resourceUnready": 0}
    return {"registered": registered, "longUnregistered": 0, "unregistered": booting}


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
