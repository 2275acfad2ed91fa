"""What a pod looks like to the plugins: everything of it that one may read, as a key for a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object, Objects

_CONTAINERS = ("containers", "initContainers")
_PARTS = (
    "affinity",
    "nodeName",
    "nodeSelector",
    "overhead",
    "priority",
    "resources",
    "tolerations",
    "topologySpreadConstraints",
)
_TEXTS_MAX = 8192

_texts: dict[int, tuple[Any, str]] = {}


def _text(part: Any, essence: Callable[[Any], Any] | None = None) -> str:
    """A part of a pod as text. Remembered by identity: pods of one template share their parts. An entry holds its part,
    and parts are never changed, so that it cannot go wrong."""
    found = _texts.get(id(part))
    if found is None:
        if len(_texts) >= _TEXTS_MAX:
            _texts.clear()
        found = _texts[id(part)] = (part, repr(essence(part) if essence else part))
    return found[1]


def _asked(containers: Objects) -> list[Any]:
    """What the plugins read of containers. Mounts, for example, differ: the one of the token has a generated name."""
    return [
        (
            found.get("image"),
            (found.get("resources") or {}).get("requests"),
            found.get("restartPolicy"),
            [port for port in found.get("ports") or () if port.get("hostPort")],
        )
        for found in containers
    ]


def template_key(pod: Object) -> tuple[Any, ...]:
    """Equal for pods that no plugin can tell apart."""
    spec, meta = pod["spec"], pod["metadata"]
    return (
        meta["namespace"],
        spec.get("schedulerName"),
        _text(meta.get("labels")),
        _text(meta.get("ownerReferences")),
        *[_text(spec[part], _asked) if spec.get(part) else "" for part in _CONTAINERS],
        *[_text(spec[part]) if part in spec else "" for part in _PARTS],
    )
