"""SchedulingGates: a pod with gates waits (pkg/scheduler/framework/plugins/schedulinggates)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.scheduler.framework import Plugin

if TYPE_CHECKING:
    from minikube_py.api.types import Object


class SchedulingGates(Plugin):
    name = "SchedulingGates"

    def pre_enqueue(self, pod: Object) -> str:
        return "Scheduling is blocked due to non-empty scheduling gates" if pod["spec"].get("schedulingGates") else ""
