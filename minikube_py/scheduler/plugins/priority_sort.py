"""PrioritySort: who is tried first (pkg/scheduler/framework/plugins/queuesort/priority_sort.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.scheduler.framework import Plugin

if TYPE_CHECKING:
    from minikube_py.api.types import Object


def queue_key(pod: Object) -> tuple[int, str, str, str]:
    """Sorts waiting pods: the highest priority first, then the oldest; pods of one second by namespace and name."""
    meta = pod["metadata"]
    priority = pod["spec"].get("priority") or 0
    return -priority, meta.get("creationTimestamp") or "", meta.get("namespace") or "", meta.get("name") or ""


class PrioritySort(Plugin):
    name = "PrioritySort"
    queue_key = staticmethod(queue_key)
