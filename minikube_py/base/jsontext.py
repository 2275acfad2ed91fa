"""JSON text in and out: orjson where much is written or read, the standard library where a few objects are.

orjson costs 30 ms to import (it needs dataclasses, inspect and uuid) and saves 5 to 10 µs an object: commands that read or
write ten pods are faster without it. Both write the same text, but for floats such as 1e-07, which read back the same.
"""

from __future__ import annotations

import sys
from json import JSONEncoder
from json import loads as _small_loads
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

WORTH_IT = 400  # objects from which on the import of orjson pays for itself


def dumps(value: Any) -> str:
    """Compact JSON in the order of the dicts."""
    return str(_dump(value), "utf-8")


_encode = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_encode_sorted = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode
_written = 0  # texts written by this process with the standard library


def _dump_few(value: Any) -> bytes:
    """The first dumps of a process; puts orjson in its place when there are many."""
    global _dump, _written
    _written += 1
    if _written < WORTH_IT and "orjson" not in sys.modules:
        return _encode(value).encode()
    import orjson

    _dump = orjson.dumps
    return orjson.dumps(value)


_dump: Callable[[Any], bytes] = _dump_few


def dumps_sorted(value: Any) -> str:
    """Compact JSON with sorted keys."""
    if "orjson" not in sys.modules:
        return _encode_sorted(value)
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
