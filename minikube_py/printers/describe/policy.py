"""PodDisruptionBudgets and PriorityClasses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts
from minikube_py.printers.describe.writer import go_bool

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]


def disruption_budget(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    if spec.get("minAvailable") is not None:
        w.line(0, "Min available", spec["minAvailable"])
    elif spec.get("maxUnavailable") is not None:
        w.line(0, "Max unavailable", spec["maxUnavailable"])
    selector = spec.get("selector")
    w.line(0, "Selector", "<unset>" if selector is None else parts.label_selector(selector))
    w.put(0, "Status:\n")
    for title, field in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        w.line(2, title, status.get(field, 0))
    parts.events(obj, w)


def priority_class(obj: Object, w: Writer) -> None:
    parts.head(obj, w, namespaced=False)
    w.line(0, "Value", obj.get("value", 0))
    w.line(0, "GlobalDefault", go_bool(obj.get("globalDefault")))
    w.line(0, "PreemptionPolicy", obj.get("preemptionPolicy", ""))
    w.line(0, "Description", obj.get("description", ""))
    w.line(0, "Annotations", parts.map_text(obj["metadata"].get("annotations")))
    parts.events(obj, w)
