"""Objects as the server-side Table that kubectl prints, and as PartialObjectMetadata.

Sources: k8s.io/apiserver/pkg/endpoints/handlers/response.go, k8s.io/kubernetes/pkg/printers/tablegenerator.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers import tables

if TYPE_CHECKING:
    from minikube_py.api.columns import Column
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

META = "meta.k8s.io/v1"
NAMES = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
    "client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
    "idempotence and configuration definition. Cannot be updated."
)


def table(
    kind: Kind, objects: list[Object], metadata: Object, *, now_s: int, include: str = "Metadata", headers: bool = True
) -> Object:
    """A Table of objects. `include`: what stands beside the cells of a row: None, Metadata or Object."""
    columns = tables.columns_of(kind)
    cells = [tables.cell_of(column.cell) for column in columns]
    rows = []
    for obj in objects:
        row: Object = {"cells": [_cell(cell(obj, now_s), column) for cell, column in zip(cells, columns, strict=True)]}
        if include == "Metadata":
            row["object"] = partial(obj)
        elif include == "Object":
            row["object"] = obj
        rows.append(row)
    definitions = [_definition(column) for column in columns] if headers else []
    return {"kind": "Table", "apiVersion": META, "metadata": metadata, "columnDefinitions": definitions, "rows": rows}


def _definition(column: Column) -> Object:
    told = NAMES if column.format == "name" else f"{column.name} of the object."
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": told,
        "priority": 1 if column.wide else 0,
    }


def _cell(value: Any, column: Column) -> Any:
    """A cell has the type of its column: kubectl prints numbers and booleans by themselves."""
    if column.type == "integer" and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value


def partial(obj: Object) -> Object:
    """The metadata of an object alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": obj["metadata"]}


def partial_list(objects: list[Object], metadata: Object) -> Object:
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": META,
        "metadata": metadata,
        "items": [{"metadata": obj["metadata"]} for obj in objects],
    }
