"""Programs, Faults, NodeGroups and Traffic: what is refused, with the path of the field."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.base.errors import BadRequest, Invalid
from tests.apiserver.small import SmallServer
from tests.programs.test_program import GOOD

Object = dict[str, Any]


def made(kind: str, spec: Any) -> Object:
    return {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Program", GOOD),
        ("Program", {"match": {}, "http": [{"path": "/", "over": [{"status": 0}]}]}),
        ("Fault", {"type": "NodeDown", "node": "worker-1"}),
        ("Fault", {"type": "SlowStart", "image": "nginx*", "delay": "30s", "at": "1m", "for": "10m"}),
        ("Fault", {"type": "ZoneDown", "zone": "a"}),
        ("NodeGroup", {"minimum": 1, "maximum": 3, "template": {"capacity": {"cpu": "4"}, "labels": {"a": "b"}}}),
        ("Traffic", {"to": {"service": "web", "port": 80}, "requestsPerSecond": 100}),
    ],
)
def test_what_is_right_is_stored_as_it_was_written(kind: str, spec: Object) -> None:
    assert SmallServer().create(made(kind, spec))["spec"] == spec


@pytest.mark.parametrize(
    ("kind", "spec", "causes"),
    [
        ("Program", None, ["spec: Required value"]),
        ("Program", {"pull": {"after": -1}}, ["spec.pull.after: Invalid value: -1: must be greater than or equal to 0"]),
        ("Program", {"pull": {"after": "soon"}}, ['spec.pull.after: Invalid value: "soon": time: invalid duration "soon"']),
        ("Program", {"ports": [0]}, ["spec.ports[0]: Invalid value: 0: spec.ports[0] in body should be greater than or equal to 1"]),
        ("Program", {"ports": 80}, ['spec.ports: Invalid value: "integer": spec.ports in body must be of type array: "integer"']),
        ("Program", {"http": [{"status": 99}]}, ["spec.http[0].status: Invalid value: 99: must be 0 (no answer in time) or between 100 and 599"]),
        ("Program", {"grpc": [{"status": "OK"}]}, ['spec.grpc[0].status: Unsupported value: "OK": supported values: "NOT_SERVING", "SERVING"']),
        ("Program", {"cpu": [{"after": 1}]}, ["spec.cpu[0].value: Required value"]),
        ("Program", {"memory": "-1Mi"}, ['spec.memory: Invalid value: "-1Mi": must be greater than or equal to 0']),
        ("Program", {"match": {"image": ""}}, ['spec.match.image: Invalid value: "": matches no container; leave it out to match every one']),
        ("Program", {"sigterm": {"ignore": True, "after": 3}}, ["spec.sigterm.after: Forbidden: may not be set when `ignore` is true"]),
        ("Program", {"ports": [80], "tcp": [{"port": 81}]}, ["spec.tcp[0].port: Invalid value: 81: is not among spec.ports, where the program listens"]),
        ("Program", {"http": [{"status": 500, "over": [{"status": 200}]}]}, ["spec.http[0].status: Forbidden: may not be set beside `over`"]),
        ("Program", {"exec": [{"over": [{"after": "60s"}, {"after": "1m"}]}]}, ['spec.exec[0].over[1].after: Duplicate value: "1m"']),
        ("Fault", {"type": "Boredom"}, ['spec.type: Unsupported value: "Boredom": supported values: "DiskPressure", "KubeletStopped", "MemoryPressure", "NodeDown", "PIDPressure", "PodKilled", "PullFailing", "SlowStart", "ZoneDown"']),
        ("Fault", {"type": "NodeDown"}, ["spec.node: Required value: a Fault of type NodeDown says where: one of node, nodeSelector"]),
        ("Fault", {"type": "ZoneDown", "zone": "a", "image": "x"}, ["spec.image: Forbidden: may not be set for type ZoneDown"]),
        ("Fault", {"type": "NodeDown", "node": "a", "for": 0}, ["spec.for: Invalid value: 0: must be greater than zero"]),
        ("NodeGroup", {"minimum": 3, "maximum": 1}, ["spec.maximum: Invalid value: 1: must be greater than or equal to spec.minimum"]),
        ("Traffic", {"to": {"port": 80}}, ["spec.to: Required value: one of service, ingress, node"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(kind: str, spec: Any, causes: list[str]) -> None:
    obj = made(kind, spec)
    if spec is None:
        del obj["spec"]
    with pytest.raises(Invalid) as caught:
        SmallServer().create(obj)
    assert [str(cause) for cause in caught.value.causes] == causes


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        ("Program", {"start": {"afer": 1}}, "spec.start.afer"),
        ("Program", {"pul": {}}, "spec.pul"),
        ("Program", {"http": [{"over": [{"state": 1}]}]}, "spec.http[0].over[0].state"),
        ("Fault", {"type": "NodeDown", "nod": "a"}, "spec.nod"),
        ("NodeGroup", {"size": 1}, "spec.size"),
    ],
)
def test_unknown_fields_are_refused_strictly(kind: str, spec: Object, field: str) -> None:
    with pytest.raises(BadRequest, match="strict decoding error") as caught:
        SmallServer().create(made(kind, spec))
    assert f'unknown field "{field}"' in str(caught.value)
