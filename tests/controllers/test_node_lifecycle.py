"""Nodes that fall silent and come back, and what becomes of their pods: traces/j_node_notready."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import faults
from minikube_py.api.types import Key, Patch, Record, Remember, Wake
from minikube_py.base.clock import Clock
from minikube_py.cluster import Cluster
from minikube_py.controllers import node_lifecycle, pod_gc, taint_eviction, zones
from tests.controllers.objects import at, node, pod
from tests.support import T0, Delete, FrozenView, actions, of_type

N1 = Key("nodes", "", "n1")
POD = Key("pods", "default", "a")
SEEN = {("nodelifecycle", N1): {"ready": "True"}}
DEFAULT = [
    {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for name in ("not-ready", "unreachable")
]


def _fault(seconds_ago: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "node-down-n1", "creationTimestamp": at(seconds_ago)},
        "spec": {"type": "NodeDown", "node": "n1"},
    }


def _taint(effect: str, seconds_ago: int = 0, name: str = "unreachable") -> dict[str, str]:
    return {"key": f"node.kubernetes.io/{name}", "effect": effect, "timeAdded": at(seconds_ago)}


def _view(made: dict[str, Any], *, fault_ago: int | None = None, pods: list[Any] | None = None) -> FrozenView:
    faults = [_fault(fault_ago)] if fault_ago is not None else []
    return FrozenView({"nodes": [made, node("n2")], "faults.sim.kpy.dev": faults, "pods": pods or []}, SEEN)


def test_a_new_node_is_registered_once() -> None:
    (event, seen) = actions(node_lifecycle.step, node(), FrozenView({"nodes": [node()]}))
    assert event.message == "Node n1 event: Registered Node n1 in Controller"
    assert seen == Remember({"ready": "True"})
    assert actions(node_lifecycle.step, node(), _view(node())) == []


@pytest.mark.parametrize(
    ("off_ago", "wake_in"),
    [(0, 50), (7, 40), (10, 40), (44, 0)],
    ids=["off right after a renewal", "7 s after one", "10 s ago", "50 s after the last renewal"],
)
def test_silence_is_noticed_50_s_after_the_last_renewal(off_ago: int, wake_in: int) -> None:
    """The node was created 1000 s ago: renewals at -1000, -990, ..., 0."""
    taken = actions(node_lifecycle.step, node(), _view(node(), fault_ago=off_ago))
    assert of_type(taken, Wake) == ([Wake(T0.now_s + wake_in)] if wake_in else [])
    assert bool(of_type(taken, Patch)) == (wake_in == 0)


def test_a_silent_node_is_tainted_and_its_pods_are_not_ready() -> None:
    taken = actions(node_lifecycle.step, node(), _view(node(), fault_ago=44, pods=[pod("a")]))
    status, no_schedule, pod_status, no_execute = of_type(taken, Patch)
    assert {(one["status"], one["reason"], one["message"]) for one in status.fields["status"]["conditions"]} == {
        ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    }
    assert {one["lastHeartbeatTime"] for one in status.fields["status"]["conditions"]} == {at(500)}
    assert no_schedule == Patch(N1, {"spec": {"taints": [_taint("NoSchedule")]}})
    assert no_execute == Patch(N1, {"spec": {"taints": [_taint("NoSchedule"), _taint("NoExecute")]}})
    not_ready = {"type": "Ready", "status": "False", "lastTransitionTime": T0.timestamp}
    assert pod_status == Patch(POD, {"status": {"conditions": [not_ready]}}, "status")
    assert [(one.type, one.reason, one.message, one.component) for one in of_type(taken, Record)] == [
        ("Normal", "NodeNotReady", "Node n1 status is now: NodeNotReady", "node-controller"),
        ("Warning", "NodeNotReady", "Node is not ready", "node-controller"),
    ]


def test_on_return_the_no_schedule_taint_goes_at_once_and_no_execute_at_the_next_tick() -> None:
    made = node(taints=[_taint("NoSchedule", 300), _taint("NoExecute", 300)], created_ago=998)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": T0.timestamp}
    made = {**made, "status": {"conditions": [*made["status"]["conditions"][:3], ready]}}
    taken = actions(node_lifecycle.step, made, _view(made))
    assert of_type(taken, Patch) == [Patch(N1, {"spec": {"taints": [_taint("NoExecute", 300)]}})]
    assert of_type(taken, Wake) == [Wake(T0.now_s + 2)], "created at -998: ticks at -998, -993, ..., 2"
    later = actions(node_lifecycle.step, made, _view(made), Clock(T0.now_s + 2, 1))
    assert of_type(later, Patch)[-1] == Patch(N1, {"spec": {"taints": None}})


def _lost(name: str, tainted_ago: int | None = None) -> dict[str, Any]:
    return node(name, ready="Unknown", taints=[_taint("NoExecute", tainted_ago)] if tainted_ago is not None else None)


@pytest.mark.parametrize(
    ("others", "from_s"),
    [
        ([node("a")], 0),
        ([node("a"), _lost("b")], 0),
        ([node("a"), _lost("b", tainted_ago=4)], T0.now_s + 6),
        ([_lost("a"), _lost("b")], None),
        ([node("a"), _lost("b"), _lost("c")], None),
        ([node("a"), node("b"), node("c"), _lost("d"), _lost("e")], 0),
    ],
    ids=["alone", "none tainted yet", "one tainted 4 s ago", "all lost", "three of four lost", "three of six lost"],
)
def test_nodes_of_a_zone_are_evicted_one_each_10_s_unless_too_many_are_lost(
    others: list[dict[str, Any]], from_s: int | None
) -> None:
    assert zones.evictable_from_s(_lost("n1"), FrozenView({"nodes": [_lost("n1"), *others]}), T0.now_s) == from_s


def test_what_is_kept_of_zones_and_faults_follows_changes_as_if_it_were_counted_anew() -> None:
    """Nodes that come, fall silent, are tainted, move to another zone and go, and the Faults about them."""
    nodes: dict[str, dict[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {}
    kept, known = zones.Zones(FrozenView({})), faults.ByNode(FrozenView({}))
    for turn in range(300):
        name = f"n{turn * 7 % 11}"
        sorts = (node(name), _lost(name), _lost(name, tainted_ago=turn), None)
        new = sorts[turn * 5 % 7 % 4]
        if new is not None:
            labels = {"topology.kubernetes.io/zone": f"zone-{turn * 3 % 5 % 2}"}
            new = {**new, "metadata": {**new["metadata"], "labels": labels}}
        kept.changed(Key("nodes", "", name), nodes.pop(name, None), new)
        nodes |= {name: new} if new is not None else {}

        about: dict[str, Any] = {"node": name} if turn % 3 else {"zone": "zone-1"}
        fault = {"metadata": {"name": f"f{turn % 13}"}, "spec": {"type": "NodeDown", **about}} if turn % 4 else None
        known.changed(Key(faults.FAULTS, "", f"f{turn % 13}"), found.pop(f"f{turn % 13}", None), fault)
        found |= {f"f{turn % 13}": fault} if fault is not None else {}

        anew = zones.Zones(FrozenView({"nodes": list(nodes.values())}))
        assert kept.lost == anew.lost
        for zone, size in kept.size.items():
            assert size == anew.size.get(zone, 0)
            assert kept.ready[zone] == anew.ready.get(zone, {})
            assert kept.tainted_s[zone] == anew.tainted_s.get(zone, {})
        wanted = [found[one] for one in sorted(found) if found[one]["spec"].get("node") in (None, name)]
        assert known.perhaps_about(name) == wanted
        assert all(known.of_node.values()), "nothing is kept of nodes without a Fault"


def test_a_cordoned_node_gets_its_taint_and_loses_it() -> None:
    made = node()
    cordoned = {**made, "spec": {"unschedulable": True}}
    taint = _taint("NoSchedule", name="unschedulable")
    assert actions(node_lifecycle.step, cordoned, _view(cordoned)) == [Patch(N1, {"spec": {"taints": [taint]}})]
    uncordoned = node(taints=[taint])
    assert actions(node_lifecycle.step, uncordoned, _view(uncordoned)) == [Patch(N1, {"spec": {"taints": None}})]


def test_taints_of_others_stay() -> None:
    own = {"key": "dedicated", "value": "db", "effect": "NoSchedule"}
    made = node(taints=[own, _taint("NoSchedule", name="not-ready")])
    assert actions(node_lifecycle.step, made, _view(made)) == [Patch(N1, {"spec": {"taints": [own]}})]


def _on_tainted(tolerations: list[Any], memory: dict[str, Any] | None = None, now_s: int = T0.now_s) -> list[Any]:
    made = pod("a")
    made = {**made, "spec": {**made["spec"], "tolerations": tolerations}}
    remembered = {("tainteviction", POD): memory} if memory else {}
    view = FrozenView({"nodes": [node(taints=[_taint("NoExecute")])], "pods": [made]}, remembered)
    return actions(taint_eviction.step, made, view, Clock(now_s, 1))


def test_a_pod_without_toleration_is_evicted_at_once() -> None:
    event, status, deletion = _on_tainted([])
    assert event.message == "Marking for deletion Pod default/a"
    assert status.fields["status"]["conditions"][-1]["reason"] == "DeletionByTaintManager"
    assert deletion == Delete(POD, uid="uid-a")


def test_a_pod_with_toleration_seconds_is_evicted_later() -> None:
    assert _on_tainted(DEFAULT) == [Remember({"since": T0.now_s}), Wake(T0.now_s + 300)]
    assert _on_tainted(DEFAULT, {"since": T0.now_s}, T0.now_s + 299) == [Wake(T0.now_s + 300)]
    assert Delete in map(type, _on_tainted(DEFAULT, {"since": T0.now_s}, T0.now_s + 300))


def test_a_pod_that_tolerates_for_ever_stays() -> None:
    assert _on_tainted([{"operator": "Exists"}]) == []


def test_an_eviction_is_cancelled_when_the_taint_goes() -> None:
    view = FrozenView({"nodes": [node()], "pods": [pod("a")]}, {("tainteviction", POD): {"since": T0.now_s}})
    forgotten, event = actions(taint_eviction.step, pod("a"), view)
    assert forgotten == Remember({})
    assert event.message == "Cancelling deletion of Pod default/a"


def test_pods_of_a_node_that_is_gone_are_removed_after_a_quarantine() -> None:
    due_s = pod_gc.next_round_s(T0.now_s) + 40
    view = FrozenView({"pods": [pod("a")]})
    assert actions(pod_gc.step, pod("a"), view) == [Remember({"due": due_s}), Wake(due_s)]
    later = FrozenView({"pods": [pod("a")]}, {("podgc", POD): {"due": due_s}})
    failed, deletion = actions(pod_gc.step, pod("a"), later, Clock(due_s, 1))
    assert failed.fields["status"]["phase"] == "Failed"
    assert failed.fields["status"]["conditions"][-1]["message"] == "PodGC: node no longer exists"
    assert deletion == Delete(POD, grace_s=0, uid="uid-a")


def test_pods_of_a_living_node_are_left_alone() -> None:
    assert actions(pod_gc.step, pod("a"), FrozenView({"nodes": [node()], "pods": [pod("a")]})) == []


def test_a_removed_node_is_told_of_once() -> None:
    cluster = Cluster.memory(nodes=2, seed=1)
    cluster.reconcile()
    cluster.delete("nodes", "worker-1")
    cluster.reconcile(for_s=60)
    told = [one["message"] for one in cluster.list("events") if one["reason"] == "RemovingNode"]
    assert told == ["Node worker-1 event: Removing Node worker-1 from Controller"]


def test_of_finished_pods_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four have finished, two are kept: the evicted one goes first, then the oldest; and not before the next round."""
    monkeypatch.setattr(pod_gc, "FINISHED_MAX", 2)
    there = [pod(f"p{number}", phase="Succeeded", creationTimestamp=at(100 - number)) for number in range(4)]
    there[3]["status"] = {"phase": "Failed", "reason": "Evicted"}
    default = {"metadata": {"name": "default"}}
    key = Key("namespaces", "", "default")
    first = actions(pod_gc.finished_step, default, FrozenView({"pods": there}))
    due_s = pod_gc.next_round_s(T0.now_s)
    assert first == [Remember({"due": due_s}), Wake(due_s, background=True)]
    view = FrozenView({"pods": there}, {("podgc-finished", key): {"due": due_s}})
    gone = of_type(actions(pod_gc.finished_step, default, view, Clock(due_s, 1)), Delete)
    assert [one.key.name for one in gone] == ["p3", "p0"]
