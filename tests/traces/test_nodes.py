"""A node falls silent and comes back: what a real cluster wrote on it, its pods and their events, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.traces.machine import Machine, Object, distinct, load

if TYPE_CHECKING:
    from pathlib import Path

NODES = ("fake-000", "fake-001", "fake-002")
LOST = "fake-002"
COMPONENTS = ("node-controller", "taint-eviction-controller")


def _workload(kind: str, name: str, seconds: int | None, **spec: Any) -> Object:
    tolerations: list[Object] = []
    if seconds is not None:
        tolerations = [{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}]
        if seconds >= 0:
            tolerations[0]["tolerationSeconds"] = seconds
    pod = {"terminationGracePeriodSeconds": 30, "containers": [{"name": "c", "image": "nginx:1.27"}]}
    if tolerations:
        pod["tolerations"] = tolerations
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    whole = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "t-j"}, "spec": whole}


def _start(machine: Machine) -> None:
    for obj in (
        _workload("Deployment", "def", None, replicas=6),
        _workload("Deployment", "tol0", 0, replicas=6),
        _workload("Deployment", "tol30", 30, replicas=3),
        _workload("Deployment", "forever", -1, replicas=3),
        _workload("StatefulSet", "db", None, replicas=3, serviceName="db"),
        _workload("DaemonSet", "ds", None),
    ):
        machine.cluster.create(obj)
    machine.pass_time(68)  # the lease was renewed eight seconds ago


def _node_row(taints: Any, conditions: Any) -> Object:
    return {"taints": taints or [], "conditions": sorted(map(tuple, conditions))}


def _recorded() -> Object:
    rows = load("j_node_notready")["rows"]
    nodes = [row["fields"] for row in rows if row["kind"] == "nodes" and row["name"] == LOST]
    lost_s = next(row["t"] for row in rows if row["kind"] == "nodes" and row["name"] == LOST)
    events = {
        (_group(row["fields"]["object"]), row["fields"]["reason"], round(row["t"] - lost_s, -1))
        for row in rows
        if row["kind"] == "events" and row["fields"]["component"] in COMPONENTS
    }
    taints = [[[taint["key"], taint["effect"]] for taint in one["taints"] or ()] for one in nodes]
    seen = zip(taints, nodes, strict=True)
    return {"node": distinct(_node_row(found, one["conditions"]) for found, one in seen), "events": _until_back(events)}


def _group(regarding: str) -> str:
    """'Pod/def-7bc559447b-fs47k' is one of 'Pod/def'."""
    return regarding.split("-")[0] if regarding.startswith("Pod/") else regarding


def _until_back(events: set[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    return sorted(one for one in events if one[2] <= 300)


def _found(machine: Machine) -> Object:
    nodes, events, lost_s = [], set(), None
    for change in machine.changes():
        new = change.new
        if change.key.resource == "nodes" and change.key.name == LOST and new is not None:
            conditions = [
                [one["type"], one["status"], one["reason"], one["message"]] for one in new["status"]["conditions"]
            ]
            ready = next(one for one in conditions if one[0] == "Ready")
            if lost_s is None and ready[1] != "True":
                lost_s = machine.second(change)
            if lost_s is not None:
                taints = [[one["key"], one["effect"]] for one in new["spec"].get("taints") or ()]
                nodes.append(_node_row(taints, conditions))
        if (
            change.key.resource == "events"
            and new is not None
            and new["source"].get("component") in COMPONENTS
            and lost_s is not None
        ):
            about = f"{new['involvedObject']['kind']}/{new['involvedObject']['name']}"
            events.add((_group(about), new["reason"], float(round(machine.second(change) - lost_s, -1))))
    return {"node": distinct(nodes), "events": _until_back(events), "lost_s": lost_s}


def replay(folder: Path) -> tuple[Object, Object]:
    """(recorded, found)."""
    machine = Machine(folder, NODES, ["t-j"])
    try:
        _start(machine)
        machine.mark()
        fault = {"type": "NodeDown", "node": LOST}
        meta = {"name": f"node-down-{LOST}"}
        machine.cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": meta, "spec": fault})
        machine.pass_time(368)
        machine.cluster.delete("faults", f"node-down-{LOST}")
        machine.pass_time(30)
        return _recorded(), _found(machine)
    finally:
        machine.close()


def test_a_node_that_falls_silent_is_lost_and_found_as_a_real_one(tmp_path: Path) -> None:
    recorded, found = replay(tmp_path)
    assert 40 <= found.pop("lost_s") <= 50
    assert found["events"] == recorded["events"]
    assert found["node"] == recorded["node"]
