"""The fields of a KubeSchedulerConfiguration and their types: what is misspelt or of another type is refused, as kube-scheduler's
strict decoder does (pkg/scheduler/apis/config/scheme, k8s.io/kube-scheduler/config/v1/types.go)."""

from __future__ import annotations

from typing import Any

Shape = Any  # a type, a list with the shape of its elements, or a dict of fields

PLUGIN = {"name": str, "weight": int}
SET = {"enabled": [PLUGIN], "disabled": [PLUGIN]}
POINTS = (
    "preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score", "reserve", "permit", "preBind", "bind",
    "postBind", "multiPoint",
)  # fmt: skip
PROFILE = {
    "schedulerName": str,
    "percentageOfNodesToScore": int,
    "plugins": dict.fromkeys(POINTS, SET),
    "pluginConfig": [{"name": str, "args": dict}],
}
CONFIGURATION = {
    "apiVersion": str,
    "kind": str,
    "parallelism": int,
    "leaderElection": dict,
    "clientConnection": dict,
    "healthzBindAddress": str,
    "metricsBindAddress": str,
    "enableProfiling": bool,
    "enableContentionProfiling": bool,
    "delayCacheUntilActive": bool,
    "percentageOfNodesToScore": int,
    "podInitialBackoffSeconds": int,
    "podMaxBackoffSeconds": int,
    "profiles": [PROFILE],
    "extenders": [dict],
}
_HEAD = {"apiVersion": str, "kind": str}
_RESOURCE = {"name": str, "weight": int}
_POINT = {"utilization": int, "score": int}
_REQUIREMENT = {"key": str, "operator": str, "values": [str]}
_TERM = {"matchExpressions": [_REQUIREMENT], "matchFields": [_REQUIREMENT]}
ARGUMENTS = {
    "NodeResourcesFit": {
        **_HEAD,
        "ignoredResources": [str],
        "ignoredResourceGroups": [str],
        "scoringStrategy": {
            "type": str,
            "resources": [_RESOURCE],
            "requestedToCapacityRatio": {"shape": [_POINT]},
        },
    },
    "NodeAffinity": {
        **_HEAD,
        "addedAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_TERM]},
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": int, "preference": _TERM}],
        },
    },
    "PodTopologySpread": {
        **_HEAD,
        "defaultingType": str,
        "defaultConstraints": [
            {"maxSkew": int, "topologyKey": str, "whenUnsatisfiable": str, "labelSelector": dict},
        ],
    },
    "InterPodAffinity": {**_HEAD, "hardPodAffinityWeight": int, "ignorePreferredTermsOfExistingPods": bool},
}
_GO = {str: "string", int: "int32", bool: "bool", dict: "map", list: "slice"}
_JSON = {str: "string", int: "number", float: "number", bool: "bool", dict: "object", list: "array"}
INT32_MAX = 2**31 - 1


def problem(value: Any, shape: Shape, path: str) -> str:
    """What is wrong with a value, in the decoder's words; '' if nothing is. An absent or null field has any type."""
    if value is None:
        return ""
    kind = shape if isinstance(shape, type) else type(shape)
    if not _is_of(value, kind):
        return (
            f"json: cannot unmarshal {_JSON.get(type(value), 'value')} into Go struct field {path} of type {_GO[kind]}"
        )
    if isinstance(shape, dict):
        for name, part in value.items():
            inner = f"{path}.{name}" if path else str(name)
            if name not in shape:
                return f'strict decoding error: unknown field "{inner}"'
            if found := problem(part, shape[name], inner):
                return found
    elif isinstance(shape, list):
        for index, part in enumerate(value):
            if part is None:
                return f"json: cannot unmarshal null into Go struct field {path}[{index}]"
            if found := problem(part, shape[0], f"{path}[{index}]"):
                return found
    return ""


def without_nulls(value: Any) -> Any:
    """A field that is null is none."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def _is_of(value: Any, kind: type) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= INT32_MAX
    return isinstance(value, kind)
