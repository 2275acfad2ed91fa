"""What describers read besides the object itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects


class Lookup(Protocol):
    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        ...

    def list(self, resource: str, namespace: str | None, labels: str = "") -> Objects:
        """Objects of a resource by label selector text; `namespace` None means all."""
        ...

    def on_node(self, node: str) -> Objects:
        """The pods with that spec.nodeName."""
        ...

    def events(self, obj: Object) -> Objects:
        """The core/v1 Events about an object."""
        ...
