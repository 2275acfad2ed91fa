"""What was worked out from an object that never changes, found again by the object's identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Worked = TypeVar("Worked")


class Recall(Generic[Worked]):
    """A function of one object that remembers. An entry keeps its object alive, so that no other can take its place;
    with `most` entries all are forgotten. Identity decides what is worked out anew, never what comes out."""

    __slots__ = ("_known", "_most", "_work")

    def __init__(self, work: Callable[[Any], Worked], most: int = 4096) -> None:
        self._work, self._most = work, most
        self._known: dict[int, tuple[Any, Worked]] = {}

    def __call__(self, source: Any) -> Worked:
        found = self._known.get(id(source))
        if found is not None and found[0] is source:
            return found[1]
        if len(self._known) >= self._most:
            self._known.clear()
        worked = self._work(source)
        self._known[id(source)] = (source, worked)
        return worked
