"""What describers read besides the object itself."""

from __future__ import annotations

from typing import Any, Protocol

Object = dict[str, Any]


class Lookup(Protocol):
    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        ...

    def list(self, resource: str, namespace: str | None, labels: str = "") -> list[Object]:
        """Objects of a resource by label selector text; `namespace` None means all."""
        ...

    def on_node(self, node: str) -> list[Object]:
        """The pods with that spec.nodeName."""
        ...

    def events(self, obj: Object) -> list[Object]:
        """The core/v1 Events about an object."""
        ...
