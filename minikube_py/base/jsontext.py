"""JSON text in and out: orjson where much is written or read, the standard library where a few objects are.

orjson costs 30 ms to import and saves 5 to 10 µs an object: commands that read ten pods are faster without it.
"""

from __future__ import annotations

import sys
from json import loads as _small_loads
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

WORTH_IT = 400  # objects from which on the import of orjson pays for itself


def dumps(value: Any) -> str:
    """Compact JSON in the order of the dicts."""
    return str(_dump(value), "utf-8")


def _first_dump(value: Any) -> bytes:
    global _dump
    import orjson

    _dump = orjson.dumps
    return orjson.dumps(value)


_dump: Callable[[Any], bytes] = _first_dump


def dumps_sorted(value: Any) -> str:
    """Compact JSON with sorted keys."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def loader(count: int) -> Callable[[str], Any]:
    """The function to read `count` texts with."""
    if "orjson" in sys.modules or count >= WORTH_IT:
        import orjson

        return orjson.loads
    return _small_loads


def loads(text: str) -> Any:
    return loader(1)(text)
