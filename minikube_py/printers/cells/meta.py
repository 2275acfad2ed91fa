"""Cells that many kinds share: name, age, counts of data; and helpers for the other families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.clock import seconds
from minikube_py.base.duration import human

if TYPE_CHECKING:
    from collections.abc import Mapping

    from minikube_py.api.types import Object

UNKNOWN = "<unknown>"


def name(obj: Object, now_s: int) -> str:
    return str(obj["metadata"].get("name", ""))


def age(obj: Object, now_s: int) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now_s)


def created_at(obj: Object, now_s: int) -> str:
    return str(obj["metadata"].get("creationTimestamp") or UNKNOWN)


def data(obj: Object, now_s: int) -> int:
    """The keys of a ConfigMap or a Secret."""
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def since(moment: str | None, now_s: int) -> str:
    """The time gone by since a timestamp as kubectl tells it: '5m', '3d4h', '<unknown>'."""
    return human(now_s - seconds(moment)) if moment else UNKNOWN


def labels(found: Mapping[str, str] | None) -> str:
    """labels.FormatLabels: 'a=1,b=2' sorted, '<none>' if there are none."""
    return ",".join(f"{key}={found[key]}" for key in sorted(found)) if found else "<none>"


def at(obj: Any, *path: str) -> Any:
    """What lies at a path, None if it ends on the way: at(pod, 'spec', 'nodeName')."""
    for field in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(field)
    return obj


def condition(obj: Object, type: str) -> Object | None:
    """A status condition by its type."""
    for one in at(obj, "status", "conditions") or ():
        if one.get("type") == type:
            return one  # type: ignore[no-any-return]
    return None


def some(texts: list[str], count: int, most: int = 3) -> str:
    """'a,b,c' or 'a,b,c + 2 more...' if there are more than `most`."""
    joined = ",".join(texts[:most])
    return f"{joined} + {count - most} more..." if count > most else joined
