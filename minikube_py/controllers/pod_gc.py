"""The pod garbage collector: pods that nobody will ever finish.

`step` runs on pods and is woken by: the pod itself when it is bound or its deletion begins; the deletion of its node; a change
of its node's taints. Its wakes: its own rounds, every 20 s of the virtual clock.

- The node is gone: seen in one round, the pod fails and is removed two rounds (40 s) later, if the node is still gone.
- The node is tainted out-of-service and not ready, and the pod is terminating: removed in the next round.
- The pod is terminating and never had a node: removed in the next round.

`finished_step` runs on the namespace `default`, which stands for the whole cluster, and is woken by pods that finish. Its
wake, in the background: the next round. Of finished pods 12500 are kept: beyond that evicted ones go first, then the oldest.
Source: k8s.io/kubernetes/pkg/controller/podgc/gc_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Delete, Key, Patch, Remember, Wake
from minikube_py.controllers import taints
from minikube_py.controllers.ownership import key_of

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

STEP = "podgc"
ROUND_S, QUARANTINE_S = 20, 40
FINISHED, FINISHED_MAX = "podgc-finished", 12500  # --terminated-pod-gc-threshold


def step(pod: Object, view: View, clock: Clock) -> Actions:
    key, name = key_of("pods", pod), pods.node_of(pod)
    node = view.get(Key("nodes", "", name)) if name else None
    known = view.memory(STEP, key)
    due_s = known.get("due")
    wait_s, reason = _lost(pod, name, node)
    if not reason:
        if known:
            yield Remember({})
        return
    if due_s is None:
        due_s = next_round_s(clock.now_s) + wait_s
        yield Remember({"due": due_s})
    if clock.now_s < due_s:
        yield Wake(due_s)
        return
    if not pods.is_finished(pod):
        status: Object = {"phase": "Failed"}
        if wait_s:
            status["conditions"] = pods.disrupted(pod, "DeletionByPodGC", reason, clock.timestamp)
        yield Patch(key, {"status": status}, "status")
    yield Delete(key, grace_s=0, uid=pod["metadata"]["uid"])


def finished_step(namespace: Object, view: View, clock: Clock) -> Actions:
    key = key_of("namespaces", namespace)
    due_s = view.memory(FINISHED, key).get("due")
    if due_s is None:
        due_s = next_round_s(clock.now_s)
        yield Remember({"due": due_s})
    if clock.now_s < due_s:
        yield Wake(due_s, background=True)
        return
    yield Remember({})
    finished = [pod for pod in view.list("pods") if pods.is_finished(pod) and not pods.is_terminating(pod)]
    surplus = len(finished) - FINISHED_MAX
    for pod in sorted(finished, key=_goes_first)[: max(0, surplus)]:
        yield Delete(key_of("pods", pod), grace_s=0, uid=pod["metadata"]["uid"])


def _goes_first(pod: Object) -> tuple[bool, str, str]:
    meta, status = pod["metadata"], pod["status"]
    is_evicted = status["phase"] == "Failed" and status.get("reason") == "Evicted"
    return not is_evicted, meta["creationTimestamp"], meta["name"]


def next_round_s(now_s: int) -> int:
    """The first round after now: at 41 it is 60, at 60 it is 80."""
    return now_s - now_s % ROUND_S + ROUND_S


def _lost(pod: Object, name: str, node: Object | None) -> tuple[int, str]:
    """(seconds in quarantine, why the pod is lost); the reason is '' if it is not."""
    if name and node is None:
        return QUARANTINE_S, "PodGC: node no longer exists"
    if not pods.is_terminating(pod) or pod["metadata"].get("finalizers"):
        return 0, ""
    if not name:
        return 0, "unscheduled"
    assert node is not None, "a named node that is gone was dealt with above"
    out = any(taint["key"] == taints.OUT_OF_SERVICE for taint in taints.of(node))
    return (0, "out of service") if out and not pods.is_ready(node) else (0, "")
