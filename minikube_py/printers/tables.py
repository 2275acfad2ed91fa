"""Tables as kubectl prints them: columns three blanks apart, the last one not padded.

Sources: k8s.io/cli-runtime/pkg/printers/tableprinter.go; github.com/liggitt/tabwriter (minimum width 6, padding 3).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minikube_py.api.columns import COLUMNS, DEFAULT, Column
from minikube_py.printers.cells import meta

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

    Cell = Callable[[Object, int], Any]

MIN_WIDTH, PADDING = 6, 3
BREAKS = "\f\n\r"
_cells: dict[str, Cell] = {}


def table(
    kind: Kind,
    objects: Sequence[Object],
    *,
    now_s: int,
    wide: bool = False,
    headers: bool = True,
    namespace: bool = False,
    show_labels: bool = False,
    label_columns: Sequence[str] = (),
    show_kind: bool = False,
    columns: Sequence[Column] | None = None,
) -> str:
    """The text that `kubectl get` prints for objects of one kind; '' without objects.

    `namespace`: with the column NAMESPACE (-A), for namespaced kinds; `label_columns`: -L; `columns`: other columns than
    the kind's own (a custom resource's).
    """
    if not objects:
        return ""
    shown = [one for one in (columns_of(kind) if columns is None else columns) if wide or not one.wide]
    cells = [cell_of(one.cell) for one in shown]
    rows = [[_text(cell(obj, now_s)) for cell in cells] for obj in objects]
    head = [one.name.upper() for one in shown]
    if show_kind:
        at = next((index for index, one in enumerate(shown) if one.format == "name"), None)
        if at is not None:
            for row in rows:
                row[at] = f"{kind.qualified}/{row[at]}"
    if namespace and kind.namespaced:
        head.insert(0, "NAMESPACE")
        for row, obj in zip(rows, objects, strict=True):
            row.insert(0, obj["metadata"].get("namespace", ""))
    for label in label_columns:
        head.append(label.rpartition("/")[2].upper())
        for row, obj in zip(rows, objects, strict=True):
            row.append((obj["metadata"].get("labels") or {}).get(label, ""))
    if show_labels:
        head.append("LABELS")
        for row, obj in zip(rows, objects, strict=True):
            row.append(meta.labels(obj["metadata"].get("labels")))
    return layout([head, *rows] if headers else rows)


def layout(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as padded lines: every column is as wide as its longest cell and PADDING, the last is as it is.

    layout([["NAME", "AGE"], ["web", "5m"]]) == 'NAME   AGE\\nweb    5m\\n'
    """
    if not rows:
        return ""
    widths = [max(MIN_WIDTH, max(map(len, column)) + PADDING) for column in zip(*rows, strict=True)][:-1]
    form = "".join(f"%-{width}s" for width in widths) + "%s\n"
    return "".join([form % tuple(row) for row in rows])


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """The columns of a kind: its own, those of its CustomResourceDefinition, or NAME and AGE."""
    if kind.columns:
        return tuple(Column(*one) for one in kind.columns)
    return COLUMNS.get(kind.resource, DEFAULT)


def cell_of(cell: str) -> Cell:
    """The function that a column names; see `api.columns`."""
    found = _cells.get(cell)
    if found is None:
        found = _cells[cell] = _resolve(cell)
    return found


def _resolve(cell: str) -> Cell:
    if cell.startswith("."):
        path, _, missing = cell[1:].partition("|")
        return _path(tuple(path.split(".")), missing)
    if cell.startswith("crd:"):
        return _printer_column(cell)
    room, _, function = cell.partition(".")
    return getattr(import_module(f"minikube_py.printers.cells.{room}"), function)  # type: ignore[no-any-return]


def _path(path: tuple[str, ...], missing: str) -> Cell:
    def cell(obj: Object, now_s: int) -> Any:
        found = meta.at(obj, *path)
        return missing if found is None or found == "" else found

    return cell


def _printer_column(cell: str) -> Cell:
    """A custom resource's column: 'crd:TYPE:JSONPATH'."""
    from minikube_py.printers.cells import custom

    _, type, path = cell.split(":", 2)
    return custom.cell(type, path)


def _text(value: Any) -> str:
    """A cell as tabwriter gets it: cut at the first line break; what is not there is empty."""
    if isinstance(value, str):
        return value if value.isprintable() else _cut(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _cut(value: str) -> str:
    for index, letter in enumerate(value):
        if letter in BREAKS:
            return value[:index] + "..."
    return value
