"""What the scheduler's step does, as lists of actions."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Delete, Key, Patch, Record, Remember
from minikube_py.base.errors import KpyError
from minikube_py.scheduler.step import step
from tests.scheduler.fakes import Cluster
from tests.support import T0, FrozenView, actions, of_type

Object = dict[str, Any]
KEY = Key("pods", "default", "web")


def node(name: str, cpu: str = "2", **spec: Any) -> Object:
    room = {"cpu": cpu, "memory": "4Gi", "pods": "10"}
    return {"kind": "Node", "metadata": {"name": name}, "spec": spec, "status": {"allocatable": room}}


def pod(
    name: str = "web", cpu: str = "1", status: Object | None = None, meta: Object | None = None, **spec: Any
) -> Object:
    container = {"name": "c", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1, **(meta or {})},
        "spec": {"containers": [container], **spec},
        "status": {"phase": "Pending", **(status or {})},
    }


def taken(obj: Object, *nodes: Object, others: tuple[Object, ...] = ()) -> list[Any]:
    found = actions(step, obj, FrozenView({"nodes": list(nodes), "pods": [obj, *others]}))
    return [action for action in found if not isinstance(action, Remember)]


def test_a_pod_is_bound_and_an_event_tells_so() -> None:
    web = pod()
    assert taken(web, node("a")) == [
        Patch(KEY, {"spec": {"nodeName": "a"}}, "binding"),
        Record(
            web, "Normal", "Scheduled", "Successfully assigned default/web to a", "default-scheduler", action="Binding"
        ),
    ]


@pytest.mark.parametrize(
    "obj",
    [
        pod(schedulerName="other"),
        pod(nodeName="a"),
        pod(meta={"deletionTimestamp": T0.timestamp}),
        pod(status={"phase": "Failed"}),
        pod(resourceClaims=[{"name": "gpu", "resourceClaimName": "missing"}]),
    ],
    ids=["of another scheduler", "on a node", "terminating", "finished", "without its claim"],
)
def test_other_pods_are_left_alone(obj: Object) -> None:
    assert taken(obj, node("a")) == []


def test_a_gated_pod_waits_without_an_event() -> None:
    gated = pod(schedulingGates=[{"name": "example.com/wait"}])
    [patch] = taken(gated, node("a"))
    assert patch.fields["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": T0.timestamp,
            "observedGeneration": 1,
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
    ]
    again = {**gated, "status": patch.fields["status"]}
    assert taken(again, node("a")) == []


def test_a_refused_pod_says_why_once() -> None:
    message = (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. no new claims to deallocate, "
        "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    other = {"type": "Other", "status": "True"}
    web = pod(cpu="3", status={"conditions": [other]})
    nodes = node("a"), node("b", cpu="4", unschedulable=True)
    patch, event = taken(web, *nodes)
    assert event == Record(web, "Warning", "FailedScheduling", message, "default-scheduler", action="Scheduling")
    assert [found["type"] for found in patch.fields["status"]["conditions"]] == ["Other", "PodScheduled"]
    assert patch.fields["status"]["conditions"][1]["message"] == message
    again = {**web, "status": {**web["status"], **patch.fields["status"]}}
    assert taken(again, *nodes) == []


def test_without_nodes_the_message_is_a_plain_one() -> None:
    _, event = taken(pod())
    assert event.message == "no nodes available to schedule pods"


def test_a_refused_binding_is_an_error_of_the_scheduler() -> None:
    web = pod()
    run = step(web, FrozenView({"nodes": [node("a")], "pods": [web]}), T0)
    assert isinstance(next(run), Patch)
    told = run.send(KpyError("no"))
    assert isinstance(told, Patch)
    (condition,) = told.fields["status"]["conditions"]
    assert (condition["reason"], condition["message"]) == ("SchedulerError", 'running Bind plugin "DefaultBinder": no')
    event = run.send(None)
    assert isinstance(event, Record)
    assert (event.reason, event.message) == ("FailedScheduling", condition["message"])


def test_a_preemptor_is_nominated_and_its_victim_deleted() -> None:
    low = pod("low", cpu="2", priority=1, nodeName="a")
    web = pod(cpu="2", priority=100)
    found = taken(web, node("a"), others=(low,))
    assert found[0].fields["status"]["nominatedNodeName"] == "a"
    assert [event.message for event in of_type(found, Record)] == [
        "0/1 nodes are available: 1 Insufficient cpu.",
        "Preempted by pod uid-web on node a",
    ]
    assert of_type(found, Delete) == [Delete(Key("pods", "default", "low"), uid="uid-low")]


def test_a_preemptor_takes_back_the_promises_to_lesser_pods() -> None:
    low = pod("low", cpu="2", priority=1, nodeName="a")
    lesser = pod("lesser", cpu="2", priority=2, status={"nominatedNodeName": "a"})
    found = taken(pod(cpu="2", priority=100), node("a"), others=(low, lesser))
    assert found[-1] == Patch(Key("pods", "default", "lesser"), {"status": {"nominatedNodeName": None}}, "status")


def test_a_nomination_ends_when_preemption_does_not_help_any_more() -> None:
    web = pod(cpu="3", status={"nominatedNodeName": "a"})
    assert taken(web, node("a"))[0].fields["status"]["nominatedNodeName"] is None


def test_a_preemptor_waits_for_its_victims_and_then_takes_their_place() -> None:
    cluster = Cluster()
    cluster.create(node("a"))
    victim = cluster.create(pod("low", cpu="2", priority=1, nodeName="a"))
    web = cluster.create(pod(cpu="2", priority=100))
    cluster.settle()
    events = list(cluster.events[web])
    cluster.settle()
    assert cluster.events[web] == events
    cluster.remove(victim)
    cluster.settle()
    assert [event["note"] for event in cluster.events[web]][1:] == ["Successfully assigned default/web to a"]


def test_a_claim_that_waits_for_its_consumer_gets_the_node_and_the_pod_waits() -> None:
    claim = {"metadata": {"name": "data", "namespace": "default"}, "spec": {"storageClassName": "fast"}}
    storage = {
        "metadata": {"name": "fast"},
        "provisioner": "example.com/x",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    web = pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    objects = {
        "nodes": [node("a")],
        "pods": [web],
        "persistentvolumeclaims": [claim],
        "storageclasses.storage.k8s.io": [storage],
    }
    assert actions(step, web, FrozenView(objects)) == [
        Patch(
            Key("persistentvolumeclaims", "default", "data"),
            {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "a"}}},
        ),
        Patch(KEY, {"status": {"nominatedNodeName": "a"}}, "status"),
    ]
