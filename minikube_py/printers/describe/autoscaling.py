"""HorizontalPodAutoscalers (autoscaling/v2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts
from minikube_py.printers.describe.writer import rfc1123

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def autoscaler(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    w.line(0, "CreationTimestamp", rfc1123(obj["metadata"].get("creationTimestamp")))
    w.line(0, "Reference", f"{target['kind']}/{target['name']}")
    w.line(0, "Metrics", "( current / target )")
    currents = status.get("currentMetrics") or []
    for index, metric in enumerate(spec.get("metrics") or ()):
        _metric(metric, currents[index] if index < len(currents) else {}, w)
    w.line(0, "Min replicas", spec.get("minReplicas", "<unset>"))
    w.line(0, "Max replicas", spec.get("maxReplicas", 0))
    if spec.get("behavior"):
        w.put(0, "Behavior:\n")
        _direction("Scale Up", spec["behavior"].get("scaleUp"), w)
        _direction("Scale Down", spec["behavior"].get("scaleDown"), w)
    w.line(
        0,
        f"{target['kind']} pods",
        f"{status.get('currentReplicas', 0)} current / {status.get('desiredReplicas', 0)} desired",
    )
    if status.get("conditions"):
        w.put(0, "Conditions:\n")
        w.row(1, "Type", "Status", "Reason", "Message")
        w.row(1, "----", "------", "------", "-------")
    for one in status.get("conditions") or ():
        w.row(1, one["type"], one["status"], one.get("reason", ""), one.get("message", ""))
    parts.events(obj, w)


def _metric(metric: Object, current: Object, w: Writer) -> None:
    """One line: what is measured, the current value and the target."""
    field = FIELDS.get(metric["type"])
    if field is None:
        w.put(1, f'<unknown metric type "{metric["type"]}">\n')
        return
    spec, now = metric[field], (current.get(field) or {}).get("current")
    target = spec["target"]
    averaged = target.get("averageValue") is not None
    if field in ("resource", "containerResource"):
        what = f"resource {spec['name']}"
        what += f' of container "{spec["container"]}" on pods' if field == "containerResource" else " on pods"
        if not averaged:
            _utilization(what, target, now, w)
            return
    elif field == "pods":
        what = f'"{spec["metric"]["name"]}" on pods'
    elif field == "object":
        about = spec["describedObject"]
        averaged = target.get("type") == "AverageValue"
        what = f'"{spec["metric"]["name"]}" on {about["kind"]}/{about["name"]} (target {"average " if averaged else ""}value)'
    else:
        what = f'"{spec["metric"]["name"]}" (target {"average " if averaged else ""}value)'
    value = "averageValue" if averaged or field == "pods" else "value"
    shown = parts.quantity(now[value]) if now and now.get(value) is not None else "<unknown>"
    w.line(1, what, f"{shown} / {parts.quantity(target[value])}")


def _utilization(what: str, target: Object, now: Object | None, w: Writer) -> None:
    current = "<unknown>"
    if now and now.get("averageUtilization") is not None:
        current = f"{now['averageUtilization']}% ({parts.quantity(now.get('averageValue', '0'))})"
    percent = target.get("averageUtilization")
    wanted = "<auto>" if percent is None else f"{percent}%"
    # kubectl writes this half at level 1 too, hence the second pair of blanks in the middle of the line
    w.line(1, f"{what}  (as a percentage of request)", f"{current} / {wanted}")


def _direction(title: str, rules: Object | None, w: Writer) -> None:
    if rules is None:
        return
    w.put(1, f"{title}:\n")
    if rules.get("stabilizationWindowSeconds") is not None:
        w.put(2, f"Stabilization Window: {rules['stabilizationWindowSeconds']} seconds\n")
    if rules.get("policies"):
        w.put(2, f"Select Policy: {rules.get('selectPolicy', 'Max')}\n")
        w.put(2, "Policies:\n")
    for one in rules.get("policies") or ():
        w.row(3, f"- Type: {one['type']}", f"Value: {one['value']}", f"Period: {one['periodSeconds']} seconds")
