"""DefaultBinder: the pod's `binding` is created, and an event tells of it (pkg/scheduler/framework/plugins/defaultbinder)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key, Patch, Record
from minikube_py.scheduler.framework import Plugin

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Object, Outcome


class DefaultBinder(Plugin):
    name = "DefaultBinder"

    def bind(self, pod: Object, node: str) -> Generator[Action, Outcome, str]:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        outcome = yield Patch(Key("pods", namespace, name), {"spec": {"nodeName": node}}, "binding")
        if isinstance(outcome, Exception):
            return str(outcome)
        message = f"Successfully assigned {namespace}/{name} to {node}"
        component = pod["spec"].get("schedulerName") or "default-scheduler"
        yield Record(pod, "Normal", "Scheduled", message, component, action="Binding")
        return ""
