"""The structural schemas of VerticalPodAutoscaler and VerticalPodAutoscalerCheckpoint, autoscaling.k8s.io/v1.

Source: kubernetes/autoscaler, vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikube_py.api.types import Object

TEXT: Object = {"type": "string"}
TIME: Object = {"type": "string", "format": "date-time"}
QUANTITY: Object = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
    "x-kubernetes-int-or-string": True,
}
AMOUNTS: Object = {"type": "object", "additionalProperties": QUANTITY}


def _enum(*words: str) -> Object:
    return {**TEXT, "enum": list(words)}


def _integer(least: int | None = None, form: str = "int32") -> Object:
    found: Object = {"type": "integer", "format": form}
    return found if least is None else {**found, "minimum": least}


def _list(items: Object) -> Object:
    return {"type": "array", "items": items}


def _record(*required: str, **fields: Object) -> Object:
    found: Object = {"type": "object", "properties": fields}
    return {**found, "required": list(required)} if required else found


_BOOST = _record(
    cpu=_record(
        "type",
        type=_enum("Factor", "Quantity"),
        factor=_integer(),
        quantity=QUANTITY,
        durationSeconds=_integer(),
    )
)
_POLICY = _record(
    containerName=TEXT,
    mode=_enum("Auto", "Off"),
    minAllowed=AMOUNTS,
    maxAllowed=AMOUNTS,
    controlledResources=_list(TEXT),
    controlledValues=_enum("RequestsAndLimits", "RequestsOnly"),
    oomBumpUpRatio=QUANTITY,
    oomMinBumpUp=QUANTITY,
    memoryAggregationIntervalSeconds=_integer(1),
    memoryAggregationIntervalCount=_integer(1, "int64"),
    startupBoost=_BOOST,
)
_UPDATE = _record(
    updateMode=_enum("Off", "Initial", "Recreate", "InPlaceOrRecreate", "InPlace", "Auto"),
    minReplicas=_integer(),
    evictionRequirements=_list(
        _record(
            "changeRequirement",
            "resources",
            resources=_list(TEXT),
            changeRequirement=_enum("TargetHigherThanRequests", "TargetLowerThanRequests"),
        )
    ),
    evictAfterOOMSeconds=_integer(1),
)
_SPEC = _record(
    "targetRef",
    targetRef={
        **_record("kind", "name", apiVersion=TEXT, kind=TEXT, name=TEXT),
        "x-kubernetes-map-type": "atomic",
    },
    updatePolicy=_UPDATE,
    resourcePolicy=_record(containerPolicies=_list(_POLICY)),
    recommenders=_list(_record("name", name=TEXT)),
    startupBoost=_BOOST,
)
_RECOMMENDATION = _record(
    "target", containerName=TEXT, target=AMOUNTS, lowerBound=AMOUNTS, upperBound=AMOUNTS, uncappedTarget=AMOUNTS
)
_CONDITION = _record(
    "status",
    "type",
    type=TEXT,
    status=TEXT,
    lastTransitionTime=TIME,
    reason=TEXT,
    message=TEXT,
    observedGeneration=_integer(0, "int64"),
)
_STATUS = _record(
    recommendation=_record(containerRecommendations=_list(_RECOMMENDATION)),
    conditions=_list(_CONDITION),
    observedGeneration=_integer(0, "int64"),
)
_HISTOGRAM = _record(
    referenceTimestamp={**TIME, "nullable": True},
    bucketWeights={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    totalWeight={"type": "number"},
)
_KINDS: dict[str, Object] = {
    "VerticalPodAutoscaler": _record("spec", spec=_SPEC, status=_STATUS),
    "VerticalPodAutoscalerCheckpoint": _record(
        spec=_record(vpaObjectName=TEXT, containerName=TEXT),
        status=_record(
            lastUpdateTime={**TIME, "nullable": True},
            version=TEXT,
            cpuHistogram=_HISTOGRAM,
            memoryHistogram=_HISTOGRAM,
            firstSampleStart={**TIME, "nullable": True},
            lastSampleStart={**TIME, "nullable": True},
            totalSamplesCount={"type": "integer"},
        ),
    ),
}


def of(kind: str) -> Any:
    """The schema of one of the two kinds, by name; None of any other."""
    return _KINDS.get(kind)
