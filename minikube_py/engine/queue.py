"""Which keys each step has to look at: dirty keys, with the revision that made them so."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Key


class DirtyKeys:
    """Dirty keys of one step.

    A pass takes them in order. A key that becomes dirty during the pass is still taken in this pass if it lies behind the
    one being looked at, else in the next: so a pass over dirty keys meets the same keys in the same order as a sweep
    over all of them that skips the clean ones.
    """

    __slots__ = ("_causes", "_heap", "_now")

    def __init__(self) -> None:
        self._causes: dict[Key, int] = {}
        self._heap: list[Key] = []
        self._now: Key | None = None

    def __len__(self) -> int:
        return len(self._causes)

    def add(self, key: Key, cause: int) -> None:
        if key not in self._causes:
            self._causes[key] = cause
            if self._now is not None and key > self._now:
                heappush(self._heap, key)

    def take(self) -> Iterator[tuple[Key, int]]:
        """One pass."""
        self._heap = list(self._causes)
        heapify(self._heap)
        try:
            while self._heap:
                self._now = heappop(self._heap)
                yield self._now, self._causes.pop(self._now)
        finally:
            self._now = None
