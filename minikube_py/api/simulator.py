"""The simulator's own kinds (sim.kpy.dev/v1alpha1): the structural schemas of Program, Fault, NodeGroup, Traffic, MetricSeries and WebhookStub.

They are what a CustomResourceDefinition would say, so unknown fields and wrong types are found as for any custom resource.
What a schema cannot say is marked `x-kpy`, the sort of the value: a time, a quantity, a selector, a course (one quantity, or a
list of {after, value}), the rate or the source of a Traffic, the patch of a WebhookStub; `minikube_py.api.validation.simulator` looks at those and at what contradicts itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikube_py.api.types import Object

GROUP = "sim.kpy.dev"
FAULT_TYPES = (
    "NodeDown", "ZoneDown", "KubeletStopped", "PodKilled", "PullFailing", "SlowStart", "DiskPressure", "MemoryPressure",
    "PIDPressure", "BootFailing", "MemoryLeak",
)  # fmt: skip

TIME: Object = {"x-kpy": "time"}
QUANTITY: Object = {"x-kpy": "quantity"}
TEXT: Object = {"type": "string"}
BOOL: Object = {"type": "boolean"}
PORT: Object = {"type": "integer", "minimum": 1, "maximum": 65535}
CODE: Object = {"type": "integer", "minimum": 0, "maximum": 255}
COUNT: Object = {"type": "integer", "minimum": 0, "maximum": 1 << 53}
TEXTS: Object = {"type": "object", "additionalProperties": TEXT}


def _record(*required: str, **fields: Object) -> Object:
    """The schema of an object with these fields and no others."""
    found: Object = {"type": "object", "properties": fields}
    return {**found, "required": list(required)} if required else found


def _list(items: Object) -> Object:
    return {"type": "array", "items": items}


def _rules(match: Object, answer: Object) -> Object:
    """Rules of a Program: what is asked, and the answer, at once or `over` time."""
    over = _list(_record(after=TIME, **answer))
    return _list(_record(**match, **answer, after=TIME, over=over))


SELECTOR: Object = {
    **_record(
        matchLabels=TEXTS,
        matchExpressions=_list(_record("key", "operator", key=TEXT, operator=TEXT, values=_list(TEXT))),
    ),
    "x-kpy": "selector",
}
COURSE: Object = {"items": _record("value", after=TIME, value=QUANTITY), "x-kpy": "course"}
TAINT: Object = _record("key", "effect", key=TEXT, value=TEXT, effect={
    **TEXT, "enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
})  # fmt: skip

SPECS: dict[str, Object] = {
    "Program": _record(
        match=_record(image=TEXT, container=TEXT, selector=SELECTOR),
        pull=_record(after=TIME, error=TEXT, sizeBytes=COUNT),
        create=_record(
            after=TIME, error=TEXT, reason={**TEXT, "enum": ["CreateContainerError", "RunContainerError"]}
        ),
        start=_record(after=TIME),
        ports=_list(PORT),
        http=_rules({"path": TEXT, "port": PORT}, {"status": {"type": "integer", "minimum": 0, "maximum": 599}}),
        tcp=_rules({"port": PORT}, {"open": BOOL}),
        grpc=_rules({"port": PORT, "service": TEXT}, {"status": {**TEXT, "enum": ["NOT_SERVING", "SERVING"]}}),
        exec=_rules({"command": TEXT}, {"code": CODE, "output": TEXT}),
        exit=_record(after=TIME, code=CODE, message=TEXT),
        sigterm=_record(after=TIME, code=CODE, ignore=BOOL),
        cpu=COURSE,
        memory=COURSE,
        disk=COURSE,
        requests=_record(cpu=QUANTITY, memory=QUANTITY, latency=TIME, perSecond=COUNT),
        logs=_list(_record(after=TIME, text=TEXT)),
    ),
    "Fault": _record(
        "type",
        type={**TEXT, "enum": sorted(FAULT_TYPES)},
        node=TEXT,
        zone=TEXT,
        nodeSelector=SELECTOR,
        namespace=TEXT,
        selector=SELECTOR,
        image=TEXT,
        group=TEXT,
        after=TIME,
        delay=TIME,
        perMinute=QUANTITY,
        message=TEXT,
        **{"at": TIME, "for": TIME},
    ),
    "NodeGroup": _record(
        minimum=COUNT,
        maximum=COUNT,
        bootTime=TIME,
        price={"type": "number", "minimum": 0},
        zones=_list(TEXT),
        template=_record(
            capacity={"type": "object", "additionalProperties": QUANTITY}, labels=TEXTS, taints=_list(TAINT),
        ),
    ),
    "Traffic": _record(
        "target",
        "rate",
        target=_record(
            url=TEXT,
            service=_record("name", name=TEXT, namespace=TEXT, port=PORT, path=TEXT),
            ingress=_record("host", host=TEXT, path=TEXT, tls=BOOL),
            nodePort=_record("node", "port", node=TEXT, port=PORT, path=TEXT),
        ),
        **{"from": {"x-kubernetes-preserve-unknown-fields": True, "x-kpy": "source"}},
        rate={"x-kubernetes-preserve-unknown-fields": True, "x-kpy": "rate"},
        duration=TIME,
        timeout=TIME,
        retries=COUNT,
        keepAlive=BOOL,
        paused=BOOL,
    ),
    "MetricSeries": _record(
        "metric", "type", "value",
        metric=TEXT,
        type={**TEXT, "enum": ["External", "Object", "Pods"]},
        labels=TEXTS,
        selector=SELECTOR,
        object=_record("kind", "name", apiVersion=TEXT, kind=TEXT, name=TEXT),
        value=COURSE,
        shared=BOOL,
    ),
    "WebhookStub": _record(
        allowed=BOOL,
        message=TEXT,
        reason=TEXT,
        code={"type": "integer", "minimum": 400, "maximum": 599},
        patch={
            "x-kubernetes-preserve-unknown-fields": True,
            "items": {"x-kubernetes-preserve-unknown-fields": True},
            "x-kpy": "patch",
        },
        warnings=_list(TEXT),
    ),
}  # fmt: skip
_STATUS: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def schema(kind: str) -> Object:
    """The structural schema of a kind that is served without a CRD, by name."""
    if kind not in SPECS:
        from minikube_py.api.vertical import schema as vertical

        found: Object = vertical.of(kind)
        return found
    return {"type": "object", "properties": {"spec": SPECS[kind], "status": _STATUS}, "required": ["spec"]}


def time_s(value: Any) -> int:
    """Whole seconds of 90, '90', '90s' or '1m30s'; a fraction counts as a whole one. Raises ValueError."""
    from minikube_py.base import duration

    if isinstance(value, str):
        if value.isdigit():
            return int(value)
        return -int(-duration.parse_go(value) // 1)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"not a time: {value!r}")
    return -int(-value // 1)
