"""`typing.NamedTuple` for modules that each command loads: a class costs 15 µs to make instead of 200.

    if TYPE_CHECKING:
        from typing import NamedTuple
    else:
        from minikube_py.base.record import NamedTuple

What is costly is the compiling of `__new__`, and most of the classes that a command loads it never calls: here it is compiled
when it is called first, and from then on as fast as the original's. Modules need `from __future__ import annotations`.
"""

from __future__ import annotations

from _collections import _tuplegetter  # type: ignore[import-not-found]
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Meta(type):
    """Makes a plain subclass of tuple out of the annotated fields of a class body."""

    def __new__(meta, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(meta, name, bases, body)
        fields = tuple(body.get("__annotations__", ()))
        defaults = {field: body.pop(field) for field in fields if field in body}
        shared = {name: value for name, value in _SHARED.items() if name not in body}
        getters = {field: _tuplegetter(index, "") for index, field in enumerate(fields)}
        return type(name, (tuple,), {**body, **shared, **getters, "_fields": fields, "_field_defaults": defaults})


class NamedTuple(metaclass=_Meta):
    """The base to write behind a class's name; no class has it as its base afterwards."""


def _new(cls: Any, *args: Any, **given: Any) -> Any:
    """The first call: compile what the class's `__new__` shall be, and call that."""
    import collections

    owner = next(one for one in cls.__mro__ if "_fields" in vars(one))
    make: Any = collections.namedtuple  # whose names and defaults are no literals here
    model = make(owner.__name__, owner._fields, defaults=tuple(owner._field_defaults.values()))
    owner.__new__ = staticmethod(model.__new__)
    return model.__new__(cls, *args, **given)


def _make(cls: Any, values: Iterable[Any]) -> Any:
    """An instance of an iterable of all fields, in order."""
    made = tuple.__new__(cls, values)
    if len(made) != len(cls._fields):
        raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
    return made


def _replace(self: Any, /, **changes: Any) -> Any:
    """A copy with some fields changed."""
    made = self._make(map(changes.pop, self._fields, self))
    if changes:
        raise ValueError(f"Got unexpected field names: {list(changes)!r}")
    return made


def _asdict(self: Any) -> dict[str, Any]:
    return dict(zip(self._fields, self, strict=True))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({shown})"


def _getnewargs(self: Any) -> tuple[Any, ...]:
    return tuple(self)


_SHARED: dict[str, Any] = {
    "__slots__": (), "__new__": _new, "__repr__": _repr, "__getnewargs__": _getnewargs, "_make": classmethod(_make),
    "_replace": _replace, "_asdict": _asdict,
}  # fmt: skip
