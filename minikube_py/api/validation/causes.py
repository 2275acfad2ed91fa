"""Findings of validation, built and worded as `field.Error` of apimachinery (pkg/util/validation/field/errors.go).

A path is a plain string ('spec.ports[0].name'); a finding's text is the sort of error, the value as Go prints it, and
a detail: `Invalid value: -1: must be greater than or equal to 0`.
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}  # fmt: skip


class Causes:
    """Collects findings in the order in which the checks run."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Cause] = []

    def __len__(self) -> int:
        return len(self.found)

    def invalid(self, path: str, value: Any, detail: str) -> None:
        self._add(path, "FieldValueInvalid", f"Invalid value: {render(value)}", detail)

    def each_invalid(self, path: str, value: Any, details: Iterable[str]) -> None:
        """One finding for each detail: the shape of the checks of names, which return lists of texts."""
        for detail in details:
            self.invalid(path, value, detail)

    def invalid_without_value(self, path: str, detail: str) -> None:
        self._add(path, "FieldValueInvalid", "Invalid value", detail)

    def required(self, path: str, detail: str = "") -> None:
        self._add(path, "FieldValueRequired", "Required value", detail)

    def forbidden(self, path: str, detail: str) -> None:
        self._add(path, "FieldValueForbidden", "Forbidden", detail)

    def duplicate(self, path: str, value: Any, detail: str = "") -> None:
        self._add(path, "FieldValueDuplicate", f"Duplicate value: {render(value)}", detail)

    def not_found(self, path: str, value: Any, detail: str = "") -> None:
        self._add(path, "FieldValueNotFound", f"Not found: {render(value)}", detail)

    def not_supported(self, path: str, value: Any, allowed: Iterable[str]) -> None:
        listed = ", ".join(quote(one) for one in allowed)
        detail = f"supported values: {listed}" if listed else ""
        self._add(path, "FieldValueNotSupported", f"Unsupported value: {render(value)}", detail)

    def too_long(self, path: str, bytes_max: int) -> None:
        unit = "byte" if bytes_max == 1 else "bytes"
        self._add(path, "FieldValueTooLong", "Too long", f"may not be more than {bytes_max} {unit}")

    def too_many(self, path: str, count: int, count_max: int) -> None:
        unit = "item" if count_max == 1 else "items"
        self._add(path, "FieldValueTooMany", f"Too many: {count}", f"must have at most {count_max} {unit}")

    def not_negative(self, path: str, value: Any) -> None:
        """Finds a number below 0; an absent number counts as 0."""
        if value is not None and value < 0:
            self.invalid(path, value, NEGATIVE)

    def immutable(self, path: str, new: Any, old: Any) -> bool:
        """Finds a changed value; absent and empty are the same. True if it was found."""
        if same(new, old):
            return False
        self.invalid(path, new, IMMUTABLE)
        return True

    def one_of(self, path: str, value: Any, allowed: tuple[str, ...]) -> None:
        """A string from a closed set: absent is Required, anything else Unsupported. `allowed` is in the order of print."""
        if not value:
            self.required(path)
        elif value not in allowed:
            self.not_supported(path, value, allowed)

    def _add(self, path: str, reason: str, text: str, detail: str) -> None:
        self.found.append(Cause(path, reason, f"{text}: {detail}" if detail else text))


def same(new: Any, old: Any) -> bool:
    """apiequality.Semantic.DeepEqual for JSON values: absent, empty list, empty map and empty text are equal."""
    return new is old or new == old or (_empty(new) and _empty(old))


def _empty(value: Any) -> bool:
    return value is None or value == {} or value == [] or value == ""


def render(value: Any) -> str:
    """A value as the API server prints it in a finding: strings quoted, numbers bare, the rest as JSON."""
    if isinstance(value, str):
        return quote(value)
    return to_json(value)


def to_json(value: Any) -> str:
    """Compact JSON with Go's escapes of <, > and &; keys stay in their order (sort maps yourself)."""
    text = dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def quote(text: str) -> str:
    """Go's %q: `say "hi"` becomes `"say \\"hi\\""`."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_quoted(letter) for letter in text) + '"'


def _quoted(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def sorted_map(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """A map with its keys in the order in which Go prints maps; None stays None (printed as null)."""
    return dict(sorted(values.items())) if values else values
