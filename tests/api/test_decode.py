"""Decoding compared with recorded answers of a real API server (tests/data/kinds)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api.decode import decode, patched
from minikube_py.api.gocodec import corrupt_base64
from minikube_py.api.kinds import Registry
from minikube_py.base.errors import BadRequest, Invalid

DATA = Path(__file__).parent.parent / "data" / "kinds"
REGISTRY = Registry()
REFUSALS = json.loads((DATA / "refusals.json").read_text())
DECODED = json.loads((DATA / "round_trip.json").read_text())


def kind_of(obj: dict[str, Any]) -> Any:
    return REGISTRY.find(obj["apiVersion"], obj["kind"])


def pod(**spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", **spec.pop("container", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["name"])
def test_refuses_in_the_servers_words(case: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(kind_of(case["object"]), case["object"])
    assert str(refused.value) == case["error"]


@pytest.mark.parametrize("obj", DECODED, ids=lambda obj: f"{obj['kind']}-{obj['metadata'].get('name', '')}")
def test_what_a_server_printed_is_decoded_to_itself(obj: dict[str, Any]) -> None:
    assert decode(kind_of(obj), obj) == (obj, [])


FIELDS = [
    # given field of a container, what is printed
    ({"stdin": False}, {}),
    ({"args": []}, {}),
    ({"args": None}, {}),
    ({"workingDir": ""}, {}),
    ({"securityContext": {}}, {"securityContext": {}}),
    ({"securityContext": {"runAsUser": 0}}, {"securityContext": {"runAsUser": 0}}),
    ({"resources": {"limits": {"memory": "1024Mi", "cpu": 0.5}}}, {"resources": {"limits": {"memory": "1Gi", "cpu": "500m"}}}),
    ({"ports": [{"containerPort": 80.0}]}, {"ports": [{"containerPort": 80}]}),
    ({"env": [{"name": "A", "value": ""}]}, {"env": [{"name": "A"}]}),
    ({"env": [None]}, {"env": [{"name": ""}]}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "printed"), FIELDS, ids=lambda fields: json.dumps(fields))
def test_prints_a_container_as_go_does(given: dict[str, Any], printed: dict[str, Any]) -> None:
    decoded, _ = decode(REGISTRY.resource("pods"), pod(container=given))
    assert decoded["spec"]["containers"] == [{"name": "c", "image": "i", "resources": {}, **printed}]
    assert decoded["status"] == {}


WRONG = [
    ({"container": {"resources": {"limits": {"cpu": "lots"}}}},
     "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
    ({"container": {"ports": [{"containerPort": 3000000000}]}},
     "json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"),
    ({"container": {"imagePullPolicy": 1}},
     "json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy"),
    ({"volumes": ["v"]}, "json: cannot unmarshal string into Go struct field PodSpec.spec.volumes of type v1.Volume"),
    ({"nodeSelector": {"a": 1}}, "json: cannot unmarshal number into Go struct field PodSpec.spec.nodeSelector of type string"),
    ({"nodeSelector": []}, "json: cannot unmarshal array into Go struct field PodSpec.spec.nodeSelector of type map[string]string"),
    ({"container": {"livenessProbe": {"tcpSocket": {"port": True}}}},
     "json: cannot unmarshal bool into Go struct field TCPSocketAction.spec.containers.livenessProbe.tcpSocket.port of type int32"),
    # a type error is told before unknown fields, and a quantity's before a type error
    ({"foo": 1, "hostNetwork": "yes"}, "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"),
    ({"hostNetwork": "yes", "overhead": {"cpu": []}},
     "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "error"), WRONG, ids=lambda value: value if isinstance(value, str) else None)
def test_tells_wrong_types_as_go_does(spec: dict[str, Any], error: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(REGISTRY.resource("pods"), pod(**spec))
    assert str(refused.value) == f'Pod in version "v1" cannot be handled as a Pod: {error}'


def test_unknown_fields_are_warned_of_or_dropped() -> None:
    given = pod(container={"imagePullPolcy": "Always"}, foo=1)
    unknown = ['unknown field "spec.containers[0].imagePullPolcy"', 'unknown field "spec.foo"']
    assert decode(REGISTRY.resource("pods"), given, "Warn")[1] == unknown
    decoded, warnings = decode(REGISTRY.resource("pods"), given, "Ignore")
    assert warnings == []
    assert decoded == decode(REGISTRY.resource("pods"), pod())[0]


def test_times_are_printed_in_utc_and_nulls_that_go_prints_stay() -> None:
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05+01:00"}
    decoded, _ = decode(REGISTRY.resource("pods"), {**pod(), "status": {"conditions": [condition]}})
    assert decoded["status"]["conditions"] == [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T02:04:05Z", "lastProbeTime": None}
    ]


PATCHED = [
    ({"replicas": "x"}, "unrecognized type: int32"),  # recorded
    ({"replicas": 1.5}, "cannot convert float64 to int32"),
    ({"selector": "x"}, "cannot restore struct from: string"),
    ({"template": {"spec": {"containers": {}}}}, "cannot restore slice from map"),
    ({"template": {"spec": {"dnsPolicy": 1}}}, "cannot convert int64 to v1.DNSPolicy"),
    ({"selector": {"matchLabels": [1]}}, "cannot restore map from slice"),
    ({"z": 1, "a": 1}, 'strict decoding error: unknown field "spec.a", unknown field "spec.z"'),
]


@pytest.mark.parametrize(("spec", "problem"), PATCHED, ids=lambda value: json.dumps(value))
def test_tells_what_a_strategic_patch_broke(spec: dict[str, Any], problem: str) -> None:
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    with pytest.raises(Invalid) as refused:
        patched(kind_of(obj), obj, {"spec": {"replicas": "x"}}, "strategic")
    [cause] = refused.value.causes
    assert str(cause) == f'patch: Invalid value: "map[spec:map[replicas:x]]": {problem}'


def test_tells_what_a_merge_patch_broke() -> None:
    obj = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": {"hostNetwork": "x"}}
    with pytest.raises(Invalid) as refused:
        patched(kind_of(obj), obj, {}, "merge")
    assert str(refused.value.causes[0]) == (
        r'patch: Invalid value: "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"hostNetwork\":\"x\"}}": '
        "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"
    )


def test_a_patch_that_breaks_nothing_is_decoded() -> None:
    assert patched(REGISTRY.resource("pods"), pod(), {}, "strategic") == decode(REGISTRY.resource("pods"), pod())
    warned = patched(REGISTRY.resource("pods"), pod(foo=1), {}, "merge", "Warn")
    assert warned[1] == ['unknown field "spec.foo"']


BASE64 = [
    ("YQ==", None),
    ("", None),
    ("YQ==\n", None),
    ("not base64!", 3),
    ("YQ", 0),
    ("YQ=", 3),
    ("YWI=x", 4),
    ("=", 0),
]


@pytest.mark.parametrize(("text", "at"), BASE64)
def test_finds_the_fault_in_base64_where_go_does(text: str, at: int | None) -> None:
    assert corrupt_base64(text) == at
