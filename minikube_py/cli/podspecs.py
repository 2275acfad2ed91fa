"""Where the pod spec of an object is, for everything that makes pods (polymorphichelpers UpdatePodSpecForObject)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]

_TEMPLATE = ("spec", "template", "spec")
PATHS = {
    "Pod": ("spec",),
    "ReplicationController": _TEMPLATE,
    "Deployment": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


def spec_of(obj: Object) -> Object | None:
    """The pod spec, or None for kinds that have none."""
    path = PATHS.get(obj.get("kind", ""))
    if path is None:
        return None
    value: Any = obj
    for step in path:
        value = value.get(step) or {}
    return value  # type: ignore[no-any-return]


def with_spec(obj: Object, change: Callable[[Object], Object]) -> Object:
    """The object with its pod spec replaced by `change(spec)`."""

    def replace(value: Object, path: tuple[str, ...]) -> Object:
        if not path:
            return change(value)
        return {**value, path[0]: replace(value.get(path[0]) or {}, path[1:])}

    return replace(obj, PATHS[obj["kind"]])


def with_containers(spec: Object, change: Callable[[Object], Object], *, init: bool) -> Object:
    """A pod spec with each container (and init container) replaced by `change(container)`."""
    fields = ("initContainers", "containers") if init else ("containers",)
    return {**spec, **{field: [change(one) for one in spec[field]] for field in fields if spec.get(field)}}
