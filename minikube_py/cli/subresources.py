"""`get --subresource`: an object's scale as an autoscaling/v1 Scale, its status as the object itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.kinds import Kind
from minikube_py.base.errors import NotFound, UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item

Object = dict[str, Any]

SCALE = Kind("Scale", "autoscaling/v1", "scales")
KNOWN = ("status", "scale", "resize")


def of(call: Call, found: Found) -> Found:
    """The items seen through --subresource."""
    name = call.text("subresource")
    if name not in KNOWN:
        raise UsageError(f'invalid subresource value: "{name}". Must be one of [status scale resize]')
    if not found.single:
        raise UsageError("subresource can not be used when bulk list of resources are requested")
    for item in found.items:
        if name not in item.kind.subresources:
            raise NotFound("the server could not find the requested resource")
    if name != "scale":
        return found
    return found._replace(items=[_scale(item) for item in found.items], kinds=[SCALE])


def _scale(item: Item) -> Item:
    from minikube_py.base import selector

    metadata, spec, status = item.object["metadata"], item.object["spec"], item.object.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    scale: Object = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": {
            "replicas": status.get("replicas", 0),
            "selector": selector.from_label_selector(spec.get("selector")).text,
        },
    }
    return item._replace(kind=SCALE, object=scale)
