"""The taint eviction controller: pods leave a node whose NoExecute taints they do not, or no longer, tolerate.

`step` runs on pods and is woken by: the pod itself (bound, tolerations, deletion); a change of its node's taints. Its wake:
the end of the tolerated time, counted from when the taints met the pod.

    default tolerations (300 s for not-ready and unreachable), taint added at 45: evicted at 345
    tolerationSeconds 0: at once;  no tolerationSeconds: never
Source: k8s.io/kubernetes/pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Delete, Key, Patch, Record, Remember, Wake
from minikube_py.controllers import taints
from minikube_py.controllers.ownership import key_of

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

STEP = "tainteviction"
COMPONENT = "taint-eviction-controller"


def step(pod: Object, view: View, clock: Clock) -> Actions:
    name = pods.node_of(pod)
    node = view.get(Key("nodes", "", name)) if name else None
    key = key_of("pods", pod)
    met = view.memory(STEP, key)
    if pods.is_terminating(pod) or node is None:
        if met:
            yield Remember({})
        return

    found = taints.with_effect(node, taints.NO_EXECUTE)
    limit_s = taints.tolerated_s(found, pod["spec"].get("tolerations") or []) if found else None
    if limit_s is None:
        if met:
            yield Remember({})
            text = f"Cancelling deletion of Pod {key.namespace}/{key.name}"
            yield Record(pod, "Normal", "TaintManagerEviction", text, COMPONENT)
        return

    since_s = met.get("since", clock.now_s)
    if clock.now_s < since_s + limit_s:
        if not met:
            yield Remember({"since": since_s})
        yield Wake(since_s + limit_s)
        return
    yield from _evict(pod, key, clock)


def _evict(pod: Object, key: Key, clock: Clock) -> Actions:
    text = f"Marking for deletion Pod {key.namespace}/{key.name}"
    yield Record(pod, "Normal", "TaintManagerEviction", text, COMPONENT)
    told = "Taint manager: deleting due to NoExecute taint"
    found = pods.disrupted(pod, "DeletionByTaintManager", told, clock.timestamp)
    yield Patch(key, {"status": {"conditions": found}}, "status")
    yield Delete(key, uid=pod["metadata"]["uid"])
