"""What the API server refuses of a pod's wishes on nodes, and that a pod without hope costs nothing until something changes."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.base.errors import KpyError
from minikube_py.cluster import Cluster
from minikube_py.scheduler.waiting import STEP

Object = dict[str, Any]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
NO_NAME = (
    "Invalid value: \"not a key\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def on_node(**expression: Any) -> Object:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", **expression}]}]}}}


def near(key: str) -> Object:
    return {"podAffinity": {REQUIRED: [{"labelSelector": {}, "topologyKey": key}]}}


def spread(**fields: Any) -> list[Object]:
    return [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}, **fields}]


def pod(**spec: Any) -> Object:
    spec = {"containers": [{"name": "c", "image": "nginx"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


EXPRESSION = (
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]"
)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"affinity": on_node(operator="Near", values=["x"])},
            f'Pod "p" is invalid: {EXPRESSION}.operator: Invalid value: "Near": not a valid selector operator',
        ),
        (
            {"affinity": on_node(operator="In")},
            f"Pod \"p\" is invalid: {EXPRESSION}.values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
        (
            {"affinity": on_node(operator="Gt", values=["1", "2"])},
            f'Pod "p" is invalid: {EXPRESSION}.values: Required value: must be specified single value when `operator` is '
            "'Lt' or 'Gt'",
        ),
        (
            {"affinity": on_node(operator="Exists", values=["1"])},
            f"Pod \"p\" is invalid: {EXPRESSION}.values: Forbidden: may not be specified when `operator` is 'Exists' or "
            "'DoesNotExist'",
        ),
        (
            {"topologySpreadConstraints": spread(maxSkew=-1)},
            'Pod "p" is invalid: spec.topologySpreadConstraints[0].maxSkew: Invalid value: -1: must be greater than zero',
        ),
        (
            {"topologySpreadConstraints": spread(topologyKey="")},
            'Pod "p" is invalid: spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
        ),
        (
            {"topologySpreadConstraints": spread(topologyKey="not a key")},
            f'Pod "p" is invalid: spec.topologySpreadConstraints[0].topologyKey: {NO_NAME}',
        ),
        (
            {"topologySpreadConstraints": spread(whenUnsatisfiable="Perhaps")},
            'Pod "p" is invalid: spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Perhaps": supported '
            'values: "DoNotSchedule", "ScheduleAnyway"',
        ),
        (
            {"affinity": near("not a key")},
            'Pod "p" is invalid: '
            f"spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: {NO_NAME}",
        ),
        (
            {"tolerations": [{"key": "a", "operator": "Gt", "value": "1"}]},
            'Pod "p" is invalid: spec.tolerations[0].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", '
            '"Lt", "Gt"',
        ),
        (  # recorded as G03
            {"nodeName": "worker-1", "schedulingGates": [{"name": "example.com/a"}]},
            'Pod "p" is invalid: spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
        ),
        (  # recorded as G07
            {"priorityClassName": "system-cluster-critical", "priority": 7},
            'pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission '
            "controller computed 2000000000 from the given PriorityClass name",
        ),
        ({"priorityClassName": "nope"}, 'pods "p" is forbidden: no PriorityClass with name nope was found'),
    ],
)
def test_impossible_wishes_are_refused_by_the_api_server(spec: Object, message: str) -> None:
    with pytest.raises(KpyError) as refused:
        Cluster.memory(nodes=1).create(pod(**spec))
    assert str(refused.value) == message


def test_a_pod_that_nothing_fits_waits_with_the_reason_and_costs_nothing() -> None:
    cluster = Cluster.memory(nodes=3)
    cluster.create(pod(nodeSelector={"disk": "ssd"}))
    cluster.reconcile()
    (condition,) = cluster.get("pods", "p", "default")["status"]["conditions"]
    assert (condition["reason"], condition["message"]) == (
        "Unschedulable",
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
    )
    tried: list[str] = []
    run = cluster.engine._run

    def counting(step: Any, key: Any, cause: int) -> None:
        if step.name == STEP:
            tried.append(key.name)
        run(step, key, cause)

    cluster.engine._run = counting  # type: ignore[method-assign]
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    cluster.reconcile(for_s=3600)
    assert tried == [], "an hour and a foreign change"
    cluster.patch("nodes", "worker-1", "", {"metadata": {"labels": {"disk": "hdd"}}})
    cluster.reconcile()
    assert tried == ["p"], "its first in line is asked about a label"
    cluster.patch("nodes", "worker-2", "", {"metadata": {"labels": {"disk": "ssd"}}})
    cluster.reconcile()
    assert tried == ["p", "p"]
    assert cluster.get("pods", "p", "default")["spec"]["nodeName"] == "worker-2"
