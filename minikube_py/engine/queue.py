"""Which keys each step has to look at: dirty keys, with the revision that made them so."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.types import Key


class DirtyKeys:
    """Dirty keys of one step.

    A pass takes them in order. A key that becomes dirty during the pass is still taken in this pass if it lies behind the
    one being looked at, else in the next: so a pass over dirty keys meets the same keys in the same order as a sweep
    over all of them that skips the clean ones.
    """

    __slots__ = ("_heap", "_now", "_rank", "causes")

    def __init__(self, rank: Callable[[Key], Any] | None = None) -> None:
        """`rank`: what orders the keys before their names do (the scheduler's queue: priority, then arrival)."""
        self.causes: dict[Key, int] = {}  # one dict for good: others ask whether it is empty
        self._heap: list[tuple[Any, Key]] = []
        self._now: tuple[Any, Key] | None = None
        self._rank = rank if rank is not None else _no_rank

    def __len__(self) -> int:
        return len(self.causes)

    def add(self, key: Key, cause: int) -> None:
        if key not in self.causes:
            self.causes[key] = cause
            if self._now is not None:
                entry = (self._rank(key), key)
                if entry > self._now:
                    heappush(self._heap, entry)

    def some(self) -> list[Key]:
        """The first key by name, if there is any: for those who want to know who is at work."""
        return sorted(self.causes)[:1]

    def clear(self) -> None:
        self.causes.clear()

    def take(self) -> Iterator[tuple[Key, int]]:
        """One pass."""
        rank = self._rank
        self._heap = [(rank(key), key) for key in self.causes]
        heapify(self._heap)
        try:
            while self._heap:
                self._now = heappop(self._heap)
                key = self._now[1]
                yield key, self.causes.pop(key)
        finally:
            self._now = None


def _no_rank(key: Key) -> int:
    return 0
