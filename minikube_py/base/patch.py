"""Patches over plain JSON: merge (RFC 7386), JSON patch (RFC 6902), strategic merge, and the three-way forms of apply.

Nothing is changed in place; whatever a patch does not touch stays the same object, so that `is` tells "unchanged".

    merge(target, patch)                       RFC 7386: null removes, lists are replaced whole
    diff(old, new)                             the merge patch from old to new; {} if they are equal
    json_patch(target, operations)             RFC 6902
    strategic(target, patch, lists)            kubectl patch --type=strategic
    three_way(original, modified, current, lists)   kubectl apply

Sources: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go, util/jsonmergepatch/patch.go, util/mergepatch/errors.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from minikube_py.base import gotext

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple

_ABSENT: Any = object()

PATCH, RETAIN_KEYS = "$patch", "$retainKeys"
DELETE_FROM, SET_ORDER = "$deleteFromPrimitiveList", "$setElementOrder"


class PatchError(ValueError):
    """The patch cannot be applied; the text is apimachinery's (or that of its JSON patch library)."""


class ListKeys(Protocol):
    """What the schema of a kind says about merging."""

    def merge_key(self, path: tuple[str, ...]) -> tuple[str, str] | None:
        """(strategy, key) of the field at `path` (names only, no indexes), None where nothing is said.

        ("spec", "template", "spec", "containers") -> ("merge", "name"); finalizers -> ("merge", "");
        volumes -> ("merge,retainKeys", "name"); a Deployment's strategy -> ("retainKeys", "").
        """
        ...


# ------------------------------------------------------------------------------------------------- merge patch


def merge(target: Any, patch: Any) -> Any:
    """`target` with a merge patch applied; `target` itself if nothing changes."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        return _without_nulls(patch)
    result = target
    for key, value in patch.items():
        old = target.get(key, _ABSENT)
        if value is None:
            if old is _ABSENT:
                continue
            if result is target:
                result = dict(target)
            del result[key]
            continue
        new = merge(old, value) if isinstance(value, dict) else value
        if new is old or (new == old and type(new) is type(old)):
            continue
        if result is target:
            result = dict(target)
        result[key] = new
    return result


def _without_nulls(patch: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in patch.items()
        if value is not None
    }


def diff(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that turns `old` into `new`: None for removed keys, {} if they are equal."""
    patch: dict[str, Any] = {}
    if old is new:
        return patch
    added = 0
    for key, value in new.items():
        before = old.get(key, _ABSENT)
        if before is value:
            continue
        if before is _ABSENT:
            added += 1
            patch[key] = value
        elif isinstance(value, dict) and isinstance(before, dict):
            inner = diff(before, value)
            if inner:
                patch[key] = inner
        elif before != value or (type(before) is not type(value) and type(value) is bool):
            patch[key] = value
    if len(old) != len(new) - added:
        for key in old:
            if key not in new:
                patch[key] = None
    return patch


# -------------------------------------------------------------------------------------------------- JSON patch


def json_patch(target: Any, operations: Sequence[dict[str, Any]]) -> Any:
    """`target` after RFC 6902 operations, in order. Raises PatchError.

    As the API server's library (evanphx/json-patch v4): `replace` of a missing key adds it, `copy` of one gives null,
    a negative index counts from the end.
    """
    for operation in operations:
        target = _operate(target, operation)
    return target


def _operate(target: Any, operation: dict[str, Any]) -> Any:
    name = operation.get("op", "unknown")
    if name not in ("add", "replace", "remove", "move", "copy", "test"):
        raise PatchError(f"Unexpected kind: {name}")
    path = _path_of(operation, "path", name)
    if name in ("move", "copy"):
        return _transfer(target, name, _path_of(operation, "from", name), path)
    value = operation.get("value")
    if path == "" and name == "replace":
        return value
    if name == "test":
        _test(target, path, value)
        return target
    shown = f'"{path}"' if name in ("add", "remove") else path
    missing = f"{name} operation does not apply: doc is missing path: {shown}: missing value"
    return _edit(target, path, missing, lambda container, key: _change(container, key, name, path, value))


def _path_of(operation: dict[str, Any], member: str, name: str) -> str:
    path = operation.get(member)
    if not isinstance(path, str):
        raise PatchError(f"{name} operation failed to decode {member}: missing value")
    return path


def _edit(target: Any, path: str, missing: str, change: Callable[[Any, str], Any]) -> Any:
    """`target` with the container that the last step of `path` lives in replaced by `change(container, step)`."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")]
    if len(steps) < 2:
        raise PatchError(missing)
    return _edit_steps(target, steps[1:], missing, change)


def _edit_steps(target: Any, steps: list[str], missing: str, change: Callable[[Any, str], Any]) -> Any:
    step = steps[0]
    if not isinstance(target, dict | list):
        raise PatchError(missing)
    if len(steps) == 1:
        return change(target, step)
    try:
        inner = _edit_steps(_get(target, step), steps[1:], missing, change)
    except _BadIndex:
        raise PatchError(missing) from None
    if isinstance(target, dict):
        return {**target, step: inner}
    index = _index(step, len(target))
    return [*target[:index], inner, *target[index + 1 :]]


class _BadIndex(PatchError):
    pass


def _index(step: str, length: int, insert: bool = False) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", step):
        why = f'strconv.Atoi: parsing "{step}": invalid syntax'
        raise _BadIndex(f"value was not a proper array index: '{step}': {why}" if insert else why)
    number = int(step)
    size = length + 1 if insert else length
    if not -length <= number < size:
        raise _BadIndex(f"Unable to access invalid index: {number}: invalid index referenced")
    return number + size if number < 0 else number


def _get(container: Any, step: str) -> Any:
    if isinstance(container, dict):
        return container.get(step)
    return container[_index(step, len(container))]


def _change(container: Any, step: str, name: str, path: str, value: Any) -> Any:
    try:
        if name == "remove":
            return _removed(container, step)
        if isinstance(container, dict):
            return {**container, step: value}
        if name == "add":
            return _inserted(container, step, value)
        index = _index(step, len(container))
        return [*container[:index], value, *container[index + 1 :]]
    except PatchError as error:
        if name == "replace":
            raise PatchError(f"replace operation does not apply: doc is missing key: {path}: missing value") from None
        raise PatchError(f"error in {name} for path: '{path}': {error}") from None


def _inserted(container: Any, step: str, value: Any) -> Any:
    if isinstance(container, dict):
        return {**container, step: value}
    index = len(container) if step == "-" else _index(step, len(container), insert=True)
    return [*container[:index], value, *container[index:]]


def _removed(container: Any, step: str) -> Any:
    if isinstance(container, dict):
        if step not in container:
            raise PatchError(f"Unable to remove nonexistent key: {step}: missing value")
        return {key: value for key, value in container.items() if key != step}
    index = _index(step, len(container))
    return [*container[:index], *container[index + 1 :]]


def _test(target: Any, path: str, wanted: Any) -> None:
    found: list[Any] = []

    def look(container: Any, step: str) -> Any:
        found.append(_get(container, step))
        return container

    if path == "":
        found.append(target)
    else:
        _edit(target, path, f"test operation does not apply: is missing path: {path}: missing value", look)
    if found[0] != wanted:
        raise PatchError(f"testing value {path} failed: test failed")


def _transfer(target: Any, name: str, source: str, path: str) -> Any:
    """Move or copy the value at `source` to `path`."""
    taken: list[Any] = []

    def take(container: Any, step: str) -> Any:
        try:
            taken.append(_get(container, step))
            return _removed(container, step) if name == "move" else container
        except PatchError as error:
            where = f"move for path: '{step}'" if name == "move" else f"copy for from: '{step}'"
            raise PatchError(f"error in {where}: {error}") from None

    def put(container: Any, step: str) -> Any:
        try:
            return _inserted(container, step, taken[0])
        except PatchError as error:
            where = f"error in move for path: '{path}'" if name == "move" else "error while adding value during copy"
            raise PatchError(f"{where}: {error}") from None

    doc = f"{name} operation does not apply: doc is missing"
    target = _edit(target, source, f"{doc} from path: {source}: missing value", take)
    return _edit(target, path, f"{doc} destination path: {path}: missing value", put)


# --------------------------------------------------------------------------------------- strategic merge patch


class _Mode(NamedTuple):
    """How two documents are merged: a patch into an object, or (for apply) one patch into another."""

    into_object: bool  # carry out parallel lists and drop nulls; else keep the directives for later


class _Want(NamedTuple):
    """What a two-way diff should look for."""

    deletions: bool
    changes: bool


def strategic(
    target: dict[str, Any], patch: dict[str, Any], lists: ListKeys, path: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`target` after a strategic merge patch; `target` itself if nothing changes. Raises PatchError."""
    return _merge_map(target, patch, lists, path, _Mode(into_object=True))


def three_way(
    original: dict[str, Any] | None, modified: dict[str, Any], current: dict[str, Any], lists: ListKeys | None
) -> dict[str, Any]:
    """The patch of `kubectl apply`: add and change what differs between `current` and `modified`, and delete what was
    in `original` (the last applied one) but is no longer in `modified`.

    With `lists` a strategic merge patch; without (custom resources) a JSON merge patch. {} if there is nothing to do.
    """
    original = original or {}
    if lists is None:
        return _three_way_json(original, modified, current)
    delta = _diff_maps(current, modified, lists, (), _Want(deletions=False, changes=True), False)
    gone = _diff_maps(original, modified, lists, (), _Want(deletions=True, changes=False), False)
    return _merge_map(gone, delta, lists, (), _Mode(into_object=False))


def two_way(original: dict[str, Any], modified: dict[str, Any], lists: ListKeys) -> dict[str, Any]:
    """The strategic merge patch from `original` to `modified` (kubectl edit, label, set, ...)."""
    return _diff_maps(original, modified, lists, (), _Want(deletions=True, changes=True), False)


def _three_way_json(original: dict[str, Any], modified: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    changes = _only(diff(current, modified), nulls=False)
    deletions = _only(diff(original, modified), nulls=True)
    return _overlay(deletions, changes)


def _only(patch: dict[str, Any], nulls: bool) -> dict[str, Any]:
    """The part of a merge patch that deletes (`nulls`), or the part that does not."""
    kept: dict[str, Any] = {}
    for key, value in patch.items():
        if value is None:
            if nulls:
                kept[key] = None
        elif isinstance(value, dict) and value:
            inner = _only(value, nulls)
            if inner:
                kept[key] = inner
        elif not nulls:
            kept[key] = value
    return kept


def _overlay(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Two merge patches as one; nulls of `base` stay."""
    result = dict(base)
    for key, value in over.items():
        before = result.get(key)
        result[key] = _overlay(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


def _strategy(lists: ListKeys, path: tuple[str, ...]) -> tuple[bool, str, str]:
    """(retain keys, 'merge' | 'replace' | '', merge key) of a field."""
    found = lists.merge_key(path)
    if found is None:
        return False, "", ""
    words = [word for word in found[0].split(",") if word]
    others = [word for word in words if word != "retainKeys"]
    if len(others) > 1:
        raise PatchError(f"unexpected patch strategy: [{' '.join(words)}]")
    return "retainKeys" in words, others[0] if others else "", found[1]


# ------------------------------------------------------------------------------- two-way diffs (diffMaps, diffLists)


def _diff_maps(
    original: dict[str, Any],
    modified: dict[str, Any],
    lists: ListKeys,
    path: tuple[str, ...],
    want: _Want,
    retain: bool,
) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    if original is modified:
        return patch
    for key in sorted(modified):
        value = modified[key]
        before = original.get(key, _ABSENT)
        if before is value:
            continue
        if before is _ABSENT or (_kind(before) is not _kind(value) and key != PATCH):
            if want.changes:
                patch[key] = value
        elif isinstance(value, dict):
            _diff_field(patch, key, before, value, lists, (*path, key), want)
        elif isinstance(value, list):
            _diff_list_field(patch, key, before, value, lists, (*path, key), want)
        elif want.changes and before != value:
            patch[key] = value
    if want.deletions:
        for key in sorted(original):
            if key not in modified:
                patch[key] = None
    if retain:
        kept = sorted(key for key, value in modified.items() if value is not None)
        if kept and (patch or any(value is not None and key not in modified for key, value in original.items())):
            patch[RETAIN_KEYS] = kept
    return patch


def _diff_field(
    patch: dict[str, Any],
    key: str,
    before: dict[str, Any],
    value: dict[str, Any],
    lists: ListKeys,
    path: tuple[str, ...],
    want: _Want,
) -> None:
    retain, strategy, _ = _strategy(lists, path)
    if strategy == "replace":
        if want.changes:
            patch[key] = value
        return
    inner = _diff_maps(before, value, lists, path, want, retain)
    if inner:
        patch[key] = inner


def _diff_list_field(
    patch: dict[str, Any],
    key: str,
    before: list[Any],
    value: list[Any],
    lists: ListKeys,
    path: tuple[str, ...],
    want: _Want,
) -> None:
    retain, strategy, merge_key = _strategy(lists, path)
    if strategy != "merge":
        if want.changes and before != value:
            patch[key] = value
        return
    added, removed, order = _diff_lists(before, value, lists, path, merge_key, want, retain)
    if added:
        patch[key] = added
    if removed:
        patch[f"{DELETE_FROM}/{key}"] = removed
    if order:
        patch[f"{SET_ORDER}/{key}"] = order


def _diff_lists(
    original: list[Any],
    modified: list[Any],
    lists: ListKeys,
    path: tuple[str, ...],
    merge_key: str,
    want: _Want,
    retain: bool,
) -> tuple[list[Any], list[Any], list[Any]]:
    """(elements to merge, primitive values to delete, the wanted order)."""
    if not original:
        return (modified if modified and want.changes else []), [], []
    if _element_type(original, modified) is dict:
        changed, gone = _diff_lists_of_maps(original, modified, lists, path, merge_key, want, retain)
        changed = [*_in_order(changed, modified, merge_key), *gone]
        same_order = [item.get(merge_key) for item in original] == [item.get(merge_key) for item in modified]
        needs_order = (want.changes and (changed or not same_order)) or (want.deletions and changed)
        return changed, [], [{merge_key: item[merge_key]} for item in modified] if needs_order else []
    before, after = [gotext.shown(item) for item in original], [gotext.shown(item) for item in modified]
    added = _surplus(modified, after, before) if want.changes else []
    removed = _distinct(_surplus(original, before, after)) if want.deletions else []
    needs_order = (want.deletions and removed) or (want.changes and original != modified)
    return _in_order(added, modified, ""), removed, modified if needs_order else []


def _surplus(items: list[Any], texts: list[str], others: list[str]) -> list[Any]:
    """The items that occur more often in `texts` than in `others`, sorted by text."""
    left = list(others)
    surplus = []
    for text, item in sorted(zip(texts, items, strict=True), key=lambda pair: pair[0]):
        if text in left:
            left.remove(text)
        else:
            surplus.append(item)
    return surplus


def _diff_lists_of_maps(
    original: list[Any],
    modified: list[Any],
    lists: ListKeys,
    path: tuple[str, ...],
    merge_key: str,
    want: _Want,
    retain: bool,
) -> tuple[list[Any], list[Any]]:
    """Both lists are walked in the order of their merge keys, as two hands of sorted cards."""
    before = sorted(original, key=lambda item: gotext.shown(_key_of(item, merge_key)))
    after = sorted(modified, key=lambda item: gotext.shown(_key_of(item, merge_key)))
    changed: list[Any] = []
    gone: list[Any] = []
    left = right = 0
    while left < len(before) or right < len(after):
        left_text = gotext.shown(before[left][merge_key]) if left < len(before) else None
        right_text = gotext.shown(after[right][merge_key]) if right < len(after) else None
        if left_text == right_text:
            inner = _diff_maps(before[left], after[right], lists, path, want, retain)
            if inner:
                changed.append({**inner, merge_key: after[right][merge_key]})
            left, right = left + 1, right + 1
        elif left_text is None or (right_text is not None and left_text > right_text):
            if want.changes:
                changed.append(after[right])
            right += 1
        else:
            if want.deletions:
                gone.append({PATCH: "delete", merge_key: before[left][merge_key]})
            left += 1
    return changed, gone


# --------------------------------------------------------------------------- merging (mergeMap, mergeSlice and others)


def _merge_map(
    target: dict[str, Any], patch: dict[str, Any], lists: ListKeys, path: tuple[str, ...], mode: _Mode
) -> dict[str, Any]:
    if PATCH in patch:
        return _directive(patch)
    result, patch = dict(target), dict(patch)
    _apply_retain_keys(result, patch, mode)
    _apply_element_order(result, patch, lists, path, mode)
    for raw_key, value in patch.items():
        deleting = raw_key.startswith(DELETE_FROM)
        if deleting and not mode.into_object:
            result[raw_key] = value
            continue
        key = _parallel_key(raw_key, DELETE_FROM) if deleting else raw_key
        if value is None:
            result.pop(key, None)
            if mode.into_object:
                continue
        before = result.get(key, _ABSENT)
        if before is _ABSENT or _kind(before) is not _kind(value):
            if not deleting:
                _put(result, key, _discard_nulls(value) if mode.into_object else value)
        elif isinstance(value, dict):
            replace = _strategy(lists, (*path, key))[1] == "replace"
            result[key] = value if replace else _merge_map(before, value, lists, (*path, key), mode)
        elif isinstance(value, list):
            _, strategy, merge_key = _strategy(lists, (*path, key))
            if deleting or strategy == "merge":
                result[key] = _merge_lists(before, value, lists, (*path, key), merge_key, mode, deleting)
            else:
                result[key] = value
        else:
            result[key] = value
    unchanged = len(result) == len(target) and all(target.get(key, _ABSENT) is value for key, value in result.items())
    return target if unchanged else result


def _directive(patch: dict[str, Any]) -> dict[str, Any]:
    if patch[PATCH] == "replace":
        return {key: value for key, value in patch.items() if key != PATCH}
    if patch[PATCH] == "delete":
        return {}
    raise PatchError(f"unknown patch type: {gotext.shown(patch[PATCH])} in map: {gotext.shown(patch)}")


def _put(result: dict[str, Any], key: str, value: Any) -> None:
    cleaned = _without_directives(value)
    if cleaned is _ABSENT:
        result.pop(key, None)
    else:
        result[key] = cleaned


def _apply_retain_keys(result: dict[str, Any], patch: dict[str, Any], mode: _Mode) -> None:
    """Drop from the object what the patch's $retainKeys does not name (union types: volumes, update strategies)."""
    retained = patch.pop(RETAIN_KEYS, _ABSENT)
    if retained is _ABSENT:
        return
    if not mode.into_object:
        if result.setdefault(RETAIN_KEYS, retained) != retained:
            raise PatchError(
                f"{gotext.shown(result[RETAIN_KEYS])} and {gotext.shown(retained)} are not deep equal: "
                "this may happen when calculating the 3-way diff patch"
            )
        return
    if not isinstance(retained, list):
        raise PatchError("invalid patch format of retainKeys")
    for key, value in patch.items():
        parallel = key.startswith((DELETE_FROM, SET_ORDER))
        if value is not None and not parallel and key not in retained:
            raise PatchError("invalid patch format of retainKeys")
    for key in list(result):
        if key not in retained:
            del result[key]


def _apply_element_order(
    result: dict[str, Any], patch: dict[str, Any], lists: ListKeys, path: tuple[str, ...], mode: _Mode
) -> None:
    """Carry out the $setElementOrder lists; the lists that they order are taken out of `patch`."""
    for raw_key in [key for key in patch if key.startswith(SET_ORDER)]:
        order = patch.pop(raw_key)
        if not mode.into_object and result.setdefault(raw_key, order) != order:
            raise PatchError("invalid patch format of setElementOrder list")
        if not isinstance(order, list):
            raise PatchError(f"expected a []interface {{}}, but received a {gotext.type_name(order)}")
        key = _parallel_key(raw_key, SET_ORDER)
        before, value = result.get(key, _ABSENT), patch.get(key, _ABSENT)
        for given in (before, value):
            if given is not _ABSENT and not isinstance(given, list):
                raise PatchError(f"expected a []interface {{}}, but received a {gotext.type_name(given)}")
        _, strategy, merge_key = _strategy(lists, (*path, key))
        if value is not _ABSENT:
            _check_order(value, order, merge_key)
        if before is _ABSENT and value is _ABSENT:
            continue
        if value is _ABSENT:
            merged = before
        elif before is _ABSENT:
            merged = _without_directives(value)
        elif strategy == "merge":
            merged = _merge_lists(before, value, lists, (*path, key), merge_key, mode, False)
        else:
            merged = value
        server = [] if before is _ABSENT else _server_order(before, value, merge_key)
        result[key] = _ordered(merged, order, server, merge_key)
        patch.pop(key, None)


def _server_order(before: list[Any], value: Any, merge_key: str) -> list[Any]:
    """What Go's code takes for the server's order when a patch both deletes and adds elements.

    It closes the gaps of deletions within the server's list and lets additions fill the room this leaves at its end, so
    that they count as the server's: [1, 2, 4] with "delete 1, add 3" is compared with [2, 4, 3], hence 3 comes last.
    """
    if value is _ABSENT or not merge_key or not any(map(_is_deletion, value)):
        return before
    keys = [_key_of(item, merge_key) for item in value if _is_deletion(item)]
    room, length = list(before), len(before)
    for key in keys:
        for index in range(length - 1, -1, -1):
            if room[index].get(merge_key) == key:
                room[index : length - 1] = room[index + 1 : length]
                length -= 1
    present = [item.get(merge_key) for item in room[:length]]
    added = [item for item in value if PATCH not in item and item[merge_key] not in present]
    fitting = added[: len(room) - length]
    return [*room[:length], *fitting, *room[length + len(fitting) :]]


def _check_order(value: list[Any], order: list[Any], merge_key: str) -> None:
    """The elements of a patch must come in the order that its $setElementOrder names."""
    if not value or not order:
        return
    wanted = [_key_of(item, merge_key) for item in order]
    position = 0
    for item in value:
        if isinstance(item, dict) and PATCH in item:
            continue
        key = _key_of(item, merge_key)
        while position < len(wanted) and wanted[position] != key:
            position += 1
        if position == len(wanted):
            raise PatchError(
                f"The order in patch list:\n{gotext.shown(value)}\n doesn't match {SET_ORDER} list:\n{gotext.shown(order)}\n"
            )
        position += 1


def _merge_lists(
    before: list[Any],
    value: list[Any],
    lists: ListKeys,
    path: tuple[str, ...],
    merge_key: str,
    mode: _Mode,
    deleting: bool,
) -> list[Any]:
    if not before and not value:
        return before
    if _element_type(before, value) is not dict:
        if deleting and mode.into_object:
            return [item for item in before if item not in value]
        merged = _distinct([*before, *value])
        return _ordered(merged, value, before, "")
    if not merge_key:
        raise PatchError(f"cannot merge lists without merge key for {path[-1]}")
    before, value = _special_elements(before, value, merge_key)
    merged = list(before)
    for item in value:
        key = _key_of(item, merge_key)
        for index, found in enumerate(merged):
            if isinstance(found, dict) and found.get(merge_key, _ABSENT) == key:
                merged[index] = _merge_map(found, item, lists, path, mode)
                break
        else:
            merged.append(item)
    ordered = _ordered(merged, value, before, merge_key)
    same = len(ordered) == len(before) and all(new is old for new, old in zip(ordered, before, strict=True))
    return before if same else ordered


def _special_elements(before: list[Any], value: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the elements of a patch that are directives: `$patch: delete` and `$patch: replace`."""
    plain, replace = [], False
    for item in value:
        directive = item.get(PATCH, _ABSENT)
        if directive is _ABSENT:
            plain.append(item)
        elif directive == "delete":
            key = _key_of(item, merge_key)
            if any(found.get(merge_key, _ABSENT) == key for found in before):
                before = [found for found in before if found.get(merge_key, _ABSENT) != key]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch")
        else:
            raise PatchError(f"unknown patch type: {gotext.shown(directive)} in map: {gotext.shown(item)}")
    return (plain, []) if replace else (before, plain)


def _ordered(merged: list[Any], order: list[Any], server: list[Any], merge_key: str) -> list[Any]:
    """`merged` with the elements of `order` in that order, and the server's own between them as they stood.

    The server's [a, b, c] with a patch that orders [c, a] gives [c, a, b] or [b, c, a]: of two heads of the queues the
    patch's goes first, unless the server had its own one before it (mergeSortedSlice).
    """
    if not merge_key:
        mine = [item for item in merged if item in order]
        others = [item for item in merged if item not in order]
    else:
        named = [item.get(merge_key) for item in order]
        mine = [item for item in merged if _key_of(item, merge_key) in named]
        others = [item for item in merged if _key_of(item, merge_key) not in named]
    mine, others = _in_order(mine, order, merge_key), _in_order(others, server, merge_key)
    positions = [_key_of(item, merge_key) for item in server]
    result: list[Any] = []
    left = right = 0
    while left < len(others) or right < len(mine):
        if left < len(others) and right < len(mine):
            mine_at = _position(positions, _key_of(mine[right], merge_key))
            others_at = _position(positions, _key_of(others[left], merge_key))
            take_other = 0 <= others_at < mine_at
        else:
            take_other = left < len(others)
        result.append(others[left] if take_other else mine[right])
        left, right = left + take_other, right + (not take_other)
    return result


def _in_order(items: list[Any], order: list[Any], merge_key: str) -> list[Any]:
    """Sorted by their place in `order`; deletions behind all others (normalizeSliceOrder)."""
    if len(items) < 2:
        return items
    positions = [_key_of(item, merge_key) for item in order]
    kept = [item for item in items if not _is_deletion(item)]
    gone = [item for item in items if _is_deletion(item)]
    return sorted(kept, key=lambda item: _position(positions, _key_of(item, merge_key))) + gone


def _is_deletion(item: Any) -> bool:
    return isinstance(item, dict) and item.get(PATCH) == "delete"


def _position(keys: list[Any], key: Any) -> int:
    return keys.index(key) if key in keys else -1


def _key_of(item: Any, merge_key: str) -> Any:
    if not merge_key:
        return item
    if not isinstance(item, dict):
        raise PatchError(f"expected a map[string]interface {{}}, but received a {gotext.type_name(item)}")
    if merge_key not in item:
        raise PatchError(f"map: {gotext.shown(item)} does not contain declared merge key: {merge_key}")
    return item[merge_key]


def _parallel_key(raw_key: str, prefix: str) -> str:
    start, slash, key = raw_key.partition("/")
    if not slash or start != prefix:
        what = "primitive" if prefix == DELETE_FROM else "setElementOrder"
        raise PatchError(f"invalid patch format of {what} list")
    return key


def _distinct(items: list[Any]) -> list[Any]:
    result: list[Any] = []
    for item in items:
        if item not in result:
            result.append(item)
    return result


def _discard_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _discard_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_discard_nulls(item) for item in value]
    return value


def _without_directives(value: Any) -> Any:
    """`value` without the maps that carry $patch; _ABSENT if it is one itself (removeDirectives)."""
    if isinstance(value, dict):
        if PATCH in value:
            return _ABSENT
        cleaned = {key: _without_directives(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item is not _ABSENT}
    if isinstance(value, list):
        return [item for item in map(_without_directives, value) if item is not _ABSENT]
    return value


def _kind(value: Any) -> type:
    return dict if isinstance(value, dict) else list if isinstance(value, list) else type(value)


def _element_type(*lists: list[Any]) -> type:
    found: type | None = None
    for items in lists:
        for item in items:
            kind = _kind(item)
            if kind is list:
                raise PatchError("lists of lists are not supported")
            if found is not None and kind is not found:
                raise PatchError(
                    f"list element types are not identical: {' '.join(gotext.shown(one) for one in lists)}"
                )
            found = kind
    if found is None:
        raise PatchError("no elements in any of the given slices")
    return found
