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
        ("Traffic", {"target": {"service": {"name": "web", "port": 80}}, "rate": 100}),
        (
            "Traffic",
            {"target": {"url": "web/path"}, "rate": {"ramp": {"from": 0, "to": 9.5, "over": "5m"}}, "from": "inside"},
        ),
        (
            "Traffic",
            {
                "target": {"nodePort": {"node": "worker-1", "port": 30080}},
                "rate": {"sine": {"mean": 5, "amplitude": 5, "period": "1h"}},
                "from": {"podSelector": {}},
            },
        ),
        (
            "Traffic",
            {
                "target": {"ingress": {"host": "shop.example.com"}},
                "rate": {"spike": {"peak": 9, "for": 5}},
                "duration": "1m",
            },
        ),
        (
            "Traffic",
            {
                "target": {"url": "http://web"},
                "rate": {"steps": [{"perSecond": 1}, {"after": 60, "perSecond": 2}]},
                "paused": True,
            },
        ),
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
        ("Fault", {"type": "Boredom"}, ['spec.type: Unsupported value: "Boredom": supported values: "BootFailing", "DiskPressure", "KubeletStopped", "MemoryLeak", "MemoryPressure", "NodeDown", "PIDPressure", "PodKilled", "PullFailing", "SlowStart", "ZoneDown"']),
        ("Fault", {"type": "NodeDown"}, ["spec.node: Required value: a Fault of type NodeDown says where: one of node, nodeSelector"]),
        ("Fault", {"type": "ZoneDown", "zone": "a", "image": "x"}, ["spec.image: Forbidden: may not be set for type ZoneDown"]),
        ("Fault", {"type": "NodeDown", "node": "a", "for": 0}, ["spec.for: Invalid value: 0: must be greater than zero"]),
        ("NodeGroup", {"minimum": 3, "maximum": 1}, ["spec.maximum: Invalid value: 1: must be greater than or equal to spec.minimum"]),
        ("Traffic", {"rate": 1}, ["spec.target: Required value"]),
        ("Traffic", {"target": {"url": "web"}}, ["spec.rate: Required value"]),
        ("Traffic", {"target": {}, "rate": 1}, ["spec.target: Required value: one of url, service, ingress, nodePort"]),
        ("Traffic", {"target": {"url": "web", "ingress": {"host": "a"}}, "rate": 1}, ["spec.target.ingress: Forbidden: may not be set beside `url`"]),
        ("Traffic", {"target": {"url": "ftp://web"}, "rate": 1}, ['spec.target.url: Invalid value: "ftp://web": must be a URL of the scheme http or https']),
        ("Traffic", {"target": {"url": "web"}, "rate": -1}, ["spec.rate: Invalid value: -1: the rate must be a number that is not negative"]),
        ("Traffic", {"target": {"url": "web"}, "rate": {"wave": 1}}, ['spec.rate: Invalid value: {"wave":1}: must be a number, or have exactly one of constant, ramp, sine, spike, steps']),
        ("Traffic", {"target": {"url": "web"}, "rate": {"ramp": {"from": 1, "to": 2}}}, ['spec.rate: Invalid value: {"ramp":{"from":1,"to":2}}: ramp.over is required']),
        ("Traffic", {"target": {"url": "web"}, "rate": {"sine": {"mean": 1, "amplitude": 2, "period": 9}}}, ['spec.rate: Invalid value: {"sine":{"mean":1,"amplitude":2,"period":9}}: sine.amplitude must not be greater than sine.mean']),
        ("Traffic", {"target": {"url": "web"}, "rate": 1, "from": "Mars"}, ['spec.from: Invalid value: "Mars": must be outside, inside, or have a podSelector']),
        ("Traffic", {"target": {"service": {"name": "a", "port": 70000}}, "rate": 1}, ["spec.target.service.port: Invalid value: 70000: spec.target.service.port in body should be less than or equal to 65535"]),
        ("Traffic", {"target": {"url": "web"}, "rate": 1, "duration": "0s"}, ['spec.duration: Invalid value: "0s": must be greater than zero']),
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
