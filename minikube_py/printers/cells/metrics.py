"""Cells of NodeMetrics and PodMetrics (metrics-server, pkg/api/table.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object


def cpu(measured: Object, now_s: int) -> str:
    """Of a node, or of the containers of a pod together."""
    return _sum(measured, "cpu")


def memory(measured: Object, now_s: int) -> str:
    return _sum(measured, "memory")


def _sum(measured: Object, name: str) -> str:
    found = "0"
    for one in measured.get("containers") or (measured,):
        found = quantity.add(found, (one.get("usage") or {}).get(name, "0"))
    return found
