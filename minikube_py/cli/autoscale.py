"""`kubectl autoscale` (pkg/cmd/autoscale/autoscale.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import quantity
from minikube_py.base.errors import UsageError
from minikube_py.cli import create, failures, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]


def run(call: Call) -> None:
    least, most = call.number("min"), call.number("max")
    if most < 1:
        raise UsageError(f"--max=MAXPODS is required and must be at least 1, max: {most}")
    if most < least:
        raise UsageError(f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {most}, min: {least}")
    if call.number("cpu-percent") > 0 and call.text("cpu"):
        raise UsageError("--cpu-percent and --cpu are mutually exclusive")
    metrics = _metrics(call)
    found = select.find(call)
    failures.raise_all(found.errors)
    if not found.items:
        raise UsageError("no objects passed to autoscale")
    for item in found.items:
        if "scale" not in item.kind.subresources:
            raise UsageError(
                f"cannot autoscale a {item.kind.name}: could not find scale subresource for {item.kind.version}, Resource={item.kind.plural} in discovery information"
            )
        create.generated(
            call, _autoscaler(call, item, metrics), verb="created" if call.dry_run == "client" else "autoscaled"
        )


def _autoscaler(call: Call, item: Item, metrics: list[Object]) -> Object:
    spec: Object = {
        "scaleTargetRef": {"kind": item.kind.name, "name": item.name, "apiVersion": item.kind.version},
        **({"minReplicas": call.number("min")} if call.number("min") > 0 else {}),
        "maxReplicas": call.number("max"),
        **({"metrics": metrics} if metrics else {}),
    }
    return {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v2",
        "metadata": {"name": call.text("name") or item.name},
        "spec": spec,
        "status": {"currentReplicas": 0, "desiredReplicas": 0, "currentMetrics": None},
    }


def _metrics(call: Call) -> list[Object]:
    metrics = []
    if call.number("cpu-percent") > 0:
        metrics.append(_metric("cpu", f"{call.number('cpu-percent')}%"))
    for resource in ("cpu", "memory"):
        if call.text(resource):
            metrics.append(_metric(resource, call.text(resource)))
    return metrics


def _metric(resource: str, text: str) -> Object:
    """'80%' is a utilization, '500m' an average value."""
    if text.endswith("%"):
        percent = text[:-1]
        if not percent.isdigit() or int(percent) < 1:
            raise UsageError(f"invalid percentage value: {percent}")
        target: Object = {"type": "Utilization", "averageUtilization": int(percent)}
    else:
        try:
            target = {"type": "AverageValue", "averageValue": quantity.canonical(text)}
        except ValueError:
            raise UsageError(f"invalid resource {resource} value: {text}") from None
    return {"type": "Resource", "resource": {"name": resource, "target": target}}
