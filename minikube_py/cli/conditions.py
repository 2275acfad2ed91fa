"""What can be waited for: `condition=Available`, `jsonpath={.status.phase}=Running`, `create`, `delete` (pkg/cmd/wait)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]
Check: TypeAlias = "Callable[[Object | None], bool]"

JSONPATH_FORM = (
    "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
    "--for=jsonpath='{.status.readyReplicas}'"
)


def parse(text: str) -> Check:
    """A check over an object, or over None where it does not exist. Raises UsageError in kubectl's words."""
    if text.lower() == "delete":
        return lambda obj: obj is None
    if text.lower() == "create":
        return lambda obj: obj is not None
    if text.startswith("condition="):
        name, _, value = text.removeprefix("condition=").partition("=")
        return lambda obj: obj is not None and has_condition(obj, name, value or "true")
    if text.startswith("jsonpath="):
        return _json_path(text.removeprefix("jsonpath="))
    raise UsageError(f'unrecognized condition: "{text}"')


def has_condition(obj: Object, name: str, value: str) -> bool:
    """Whether a condition has that status; letters' case is no matter. A status from before the last change of the spec
    does not count."""
    for one in (obj.get("status") or {}).get("conditions") or ():
        if one.get("type", "").casefold() != name.casefold():
            continue
        observed = one.get("observedGeneration", (obj.get("status") or {}).get("observedGeneration"))
        if observed is not None and observed < obj["metadata"].get("generation", 0):
            return False
        return bool(one.get("status", "").casefold() == value.casefold())
    return False


def _json_path(text: str) -> Check:
    from minikube_py.base import jsonpath

    words = _split(text)
    if len(words) > 2:
        raise UsageError(JSONPATH_FORM)
    try:
        query = jsonpath.compile(jsonpath.relaxed(words[0]))
    except ValueError as error:
        raise UsageError(str(error)) from None
    wanted = words[1].strip("'\"") if len(words) == 2 else None
    if wanted == "":
        raise UsageError(
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3"
        )

    def holds(obj: Object | None) -> bool:
        found = query.find(obj) if obj is not None else []
        if not found:
            return False
        if wanted is None:
            return True
        if len(found) > 1:
            raise UsageError("given jsonpath expression matches more than one value")
        if isinstance(found[0], dict | list):
            raise UsageError("jsonpath leads to a nested object or list which is not supported")
        return _go_text(found[0]) == wanted

    return holds


def _go_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def _split(text: str) -> list[str]:
    """At single '='; '==' stays: '{.a[?(@.b=="c")].d}=e' has two parts."""
    parts, part, position = [], "", 0
    while position < len(text):
        if text.startswith("==", position):
            part += "=="
            position += 2
        elif text[position] == "=":
            parts.append(part)
            part = ""
            position += 1
        else:
            part += text[position]
            position += 1
    return [*parts, part]
