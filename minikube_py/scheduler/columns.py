"""What one plugin sees of each node, kept for all pods that are alike to this plugin.

Pods of different templates mostly differ to few plugins: by their labels to none, by their requests to two. A template that
looks at many nodes for the first time takes what the others saw from their columns, and asks for the rest only.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.framework import Plugin
    from minikube_py.scheduler.nodes import NodeInfo

Ask: TypeAlias = "Callable[[Any, Sequence[NodeInfo]], Sequence[Hashable]]"

COLUMNS_MAX = 128


class Columns:
    """All columns of a cache, by plugin and by what is alike to it. Each tells how much of `dirty` it has read."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[list[int], dict[str, Hashable]]] = {}

    def clear(self) -> None:
        self._found.clear()

    def of(self, key: Hashable, dirty: Sequence[str]) -> dict[str, Hashable]:
        """The values by node of one column, without those of nodes that changed; made at first use."""
        row = self._found.pop(key, None)
        if row is None:
            while len(self._found) >= COLUMNS_MAX:
                del self._found[next(iter(self._found))]  # the one that was not asked for for the longest time
            row = [len(dirty)], {}
        read, values = self._found[key] = row
        for position in range(read[0], len(dirty)):
            values.pop(dirty[position], None)
        read[0] = len(dirty)
        return values


class Crowd:
    """Some nodes that are looked at together."""

    def __init__(self, cache: Cache, names: list[str]) -> None:
        self.names = names
        self._cache = cache
        self._pick = itemgetter(*names) if len(names) > 1 else None

    def seen_by(self, kind: str, plugin: Plugin, state: Any, ask: Ask) -> Sequence[Any]:
        """What a plugin sees of each node. `kind`: what is asked, 'place' or 'measure'."""
        like = plugin.like(state)
        if like is None:
            return ask(state, self._nodes(self.names))
        values = self._cache.columns.of((kind, plugin, like), self._cache.dirty)
        if len(values) < len(self.names) or not all(map(values.__contains__, self.names)):
            missing = [name for name in self.names if name not in values]
            values.update(zip(missing, ask(state, self._nodes(missing)), strict=True))
        return self._pick(values) if self._pick is not None else [values[name] for name in self.names]

    def _nodes(self, names: list[str]) -> list[NodeInfo]:
        found = [self._cache.node(name) for name in names]
        return [node for node in found if node is not None]
