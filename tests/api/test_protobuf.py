"""Objects in protobuf are read as the JSON that a Go client would have sent."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from minikube_py.api import gotypes, protobuf


def varint(number: int) -> bytes:
    out = b""
    number &= (1 << 64) - 1
    while number > 0x7F:
        out += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return out + bytes((number,))


def field(number: int, value: Any) -> bytes:
    """A field as Go's generated code writes it."""
    if isinstance(value, bool | int):
        return varint(number << 3) + varint(int(value))
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def message(**fields: Any) -> bytes:
    return b"".join(
        field(int(name[1:]), one)
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
    )


def body(version: str, kind: str, raw: bytes) -> bytes:
    return protobuf.MAGIC + message(_1=message(_1=version, _2=kind), _2=raw, _3="", _4="")


META = message(_1="web", _3="", _11=message(_1="app", _2="web"), _8=message(_1=1_767_225_600, _2=0))
CONTAINER = message(
    _1="main",
    _2="nginx:1.27",
    _3=["sh", "-c"],
    _6=message(_1="http", _2=0, _3=80, _4="TCP"),
    _8=message(_1=message(_1="cpu", _2=message(_1="500m"))),
    _10=message(_1=message(_2=message(_1="/", _2=message(_1=1, _3="http"))), _2=5),
)
POD = message(
    _1=META, _2=message(_1=message(_1="data", _2=message(_2=message(_1=""))), _2=CONTAINER, _4=30, _11=False, _25=-7)
)


def test_a_pod_is_read_with_all_sorts_of_fields() -> None:
    found = protobuf.read(body("v1", "Pod", POD))
    assert (found["apiVersion"], found["kind"]) == ("v1", "Pod")
    assert found["metadata"]["labels"] == {"app": "web"}
    assert found["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert found["spec"]["volumes"] == [{"name": "data", "emptyDir": {"medium": ""}}]
    container = found["spec"]["containers"][0]
    assert container["command"] == ["sh", "-c"]
    assert container["ports"][0]["containerPort"] == 80
    assert container["resources"] == {"limits": {"cpu": "500m"}}
    assert container["livenessProbe"] == {"httpGet": {"path": "/", "port": "http"}, "initialDelaySeconds": 5}
    assert found["spec"]["terminationGracePeriodSeconds"] == 30
    assert (found["spec"]["hostNetwork"], found["spec"]["priority"]) == (False, -7)


def test_leaves_have_their_json_forms() -> None:
    secret = message(_1=message(_1="s"), _2=message(_1="k", _2=b"\x00\xff"))
    assert protobuf.read(body("v1", "Secret", secret))["data"] == {"k": "AP8="}
    lease = message(_1=message(_1="l"), _2=message(_3=message(_1=1_767_225_600, _2=5_000)))
    assert (
        protobuf.read(body("coordination.k8s.io/v1", "Lease", lease))["spec"]["acquireTime"]
        == "2026-01-01T00:00:00.000005Z"
    )
    review = message(_2=message(_5=message(_1="k", _2=message(_1=["a", "b"])), _3="jane"))
    assert protobuf.read(body("authorization.k8s.io/v1", "SubjectAccessReview", review))["spec"]["extra"] == {
        "k": ["a", "b"]
    }
    options = protobuf.read(body("policy/v1", "DeleteOptions", message(_1=0, _4="Foreground", _5=["All"])))
    assert (options["gracePeriodSeconds"], options["propagationPolicy"], options["dryRun"]) == (
        0,
        "Foreground",
        ["All"],
    )
    budget = message(_1=message(_1="b"), _2=message(_1=message(_1=0, _2=2), _2=message(_1=message(_1="app", _2="web"))))
    assert protobuf.read(body("policy/v1", "PodDisruptionBudget", budget))["spec"]["minAvailable"] == 2


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "does not appear to be a protobuf message"),
        (b"k8s\x00", 'no kind "" is registered'),
        (body("v1", "Nope", b""), 'no kind "Nope" is registered'),
        (body("apiextensions.k8s.io/v1", "CustomResourceDefinition", b""), "is registered"),
        (body("v1", "Pod", POD)[:-3], "EOF"),
        (body("v1", "Pod", b"\x0b"), "illegal wireType"),
        (body("v1", "Pod", b"\xff" * 12), "EOF"),
        (body("v1", "Pod", field(1, 5)), "wrong wireType"),
        (body("v1", "Pod", message(_1=message(_1=b"\xff\xfe"))), "EOF"),
    ],
)
def test_what_is_no_object_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        protobuf.read(data)


def test_every_type_with_numbers_is_known_and_its_fields_too() -> None:
    embedded = {name[1:] for fields in protobuf.numbers().values() for name in fields if name.startswith("+")}
    for name, fields in protobuf.numbers().items():
        assert len(set(fields.values())) == len(fields), name
        known = gotypes.fields_of(name)
        assert known is not None or name in embedded, name
        if known is not None and name not in embedded:
            assert {one for one in fields if not one.startswith("+")} <= set(known), name
