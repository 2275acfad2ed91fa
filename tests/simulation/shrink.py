"""From a long list of commands that goes wrong to a short one that still does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def shrink(commands: Sequence[T], fails: Callable[[list[T]], bool], *, tries: int = 300) -> list[T]:
    """The shortest list that could be found: leave out halves, quarters, ... single commands, as long as it fails still.

    `fails` has to be true for the whole list. It is asked at most `tries` times.
    """
    kept, size = list(commands), max(len(commands) // 2, 1)
    while tries > 0:
        start, shorter = 0, False
        while start < len(kept) and tries > 0:
            candidate = kept[:start] + kept[start + size :]
            tries -= 1
            if candidate and fails(candidate):
                kept, shorter = candidate, True
            else:
                start += size
        if size == 1 and not shorter:
            break
        if not shorter:
            size = max(size // 2, 1)
    return kept
