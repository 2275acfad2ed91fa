"""The charts of `kpy autoscale-report`: the course of an autoscaler, read off the log of its object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import quantity
from minikube_py.base.clock import seconds
from minikube_py.cli import chart
from minikube_py.cli.chart import Band, Line, Panel

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object
    from minikube_py.cluster import Cluster

UNITS = {"cpu": ("millicores", quantity.milli, 1), "memory": ("MiB", quantity.value, 1 << 20)}
BAND_MOST = 4  # times the highest target: bounds of the first minutes are endless


def write(cluster: Cluster, sort: str, key: Key, path: str, *, png: bool) -> None:
    title, subtitle, panels, start = _OF[sort](cluster, key)
    chart.write(path, title, subtitle, panels, start, cluster.clock.now_s, png=png)


def _versions(cluster: Cluster, key: Key) -> list[tuple[int, Object]]:
    """(second, object as it was from then on) of every write that the log has kept; of each second the last."""
    found = {one.time_s: one.new for one in cluster.store.versions(key, cluster.store.compacted) if one.new is not None}
    return sorted(found.items())


def _of_hpa(cluster: Cluster, key: Key) -> tuple[str, str, list[Panel], float]:
    versions = _versions(cluster, key)
    newest = versions[-1][1]
    spec = newest["spec"]
    replicas = [
        Line(name, [(second, one["status"].get(field, 0)) for second, one in versions if one.get("status")], dashed)
        for name, field, dashed in (("current", "currentReplicas", False), ("desired", "desiredReplicas", True))
    ]
    panels = [Panel("replicas", replicas)]
    for index, metric in enumerate(spec.get("metrics") or ()):
        panels.append(_metric(index, metric, versions))
    target = spec["scaleTargetRef"]
    subtitle = (
        f"{target['kind']} {target['name']}, {spec.get('minReplicas', 1)} to {spec['maxReplicas']} replicas, "
        f"in namespace {key.namespace}"
    )
    return f"HorizontalPodAutoscaler {key.name}", subtitle, panels, versions[0][0]


def _metric(index: int, metric: Object, versions: list[tuple[int, Object]]) -> Panel:
    """The value of one metric, and what it should be."""
    field = metric["type"][0].lower() + metric["type"][1:]
    source = metric[field]
    name = source.get("name") or source["metric"]["name"]
    wanted_field, wanted = _value(source["target"])
    values = []
    for second, one in versions:
        told = (one.get("status") or {}).get("currentMetrics") or ()
        current = ((told[index].get(field) or {}).get("current") or {}) if index < len(told) else {}
        amount = current.get(wanted_field)
        if amount is not None:
            values.append((float(second), _number(amount)))
    unit = f"{name}, % of the request" if wanted_field == "averageUtilization" else f"{name} ({wanted_field})"
    goal = [(float(versions[0][0]), wanted)]
    return Panel(unit, [Line("value", values), Line("target", goal, dashed=True)])


def _value(target: Object) -> tuple[str, float]:
    for field in ("averageUtilization", "averageValue", "value"):
        if target.get(field) is not None:
            return field, _number(target[field])
    return "value", 0.0


def _number(amount: Any) -> float:
    return quantity.milli(amount) / 1000


def _of_vpa(cluster: Cluster, key: Key) -> tuple[str, str, list[Panel], float]:
    versions = _versions(cluster, key)
    newest = versions[-1][1]
    names = [one["containerName"] for one in _recommendations(newest)]
    panels = [_container(name, resource, versions) for name in names for resource in UNITS]
    target = newest["spec"]["targetRef"]
    mode = (newest["spec"].get("updatePolicy") or {}).get("updateMode", "Recreate")
    subtitle = f"{target['kind']} {target['name']}, mode {mode}, in namespace {key.namespace}"
    return f"VerticalPodAutoscaler {key.name}", subtitle, panels or [Panel("no recommendation yet", [])], versions[0][0]


def _recommendations(vpa: Object) -> list[Object]:
    return ((vpa.get("status") or {}).get("recommendation") or {}).get("containerRecommendations") or []


def _container(name: str, resource: str, versions: list[tuple[int, Object]]) -> Panel:
    unit, measure, size = UNITS[resource]
    target, band = [], []
    for second, vpa in versions:
        told = next((one for one in _recommendations(vpa) if one["containerName"] == name), None)
        if told is None or resource not in told["target"]:
            continue
        low, middle, high = (measure(told[field][resource]) / size for field in ("lowerBound", "target", "upperBound"))
        target.append((float(second), middle))
        band.append((float(second), low, high))
    most = BAND_MOST * max((value for _, value in target), default=0)
    bounds = [(second, low, min(high, most)) for second, low, high in band]
    return Panel(f"{name}: {resource}, {unit}", [Line("target", target)], [Band("lower to upper bound", bounds)])


def _of_cluster(cluster: Cluster, key: Key) -> tuple[str, str, list[Panel], float]:
    from minikube_py.autoscaling import node_groups

    groups = node_groups.groups(cluster.view)
    nodes, wanted, costs, start = [], [], [], cluster.clock.now_s
    for group in groups:
        versions = _versions(cluster, node_groups.key_of(group.name))
        start = min(start, versions[0][0])
        counts = [(float(second), float((one.get("status") or {}).get("nodes", 0))) for second, one in versions]
        nodes.append(Line(group.name, counts))
        wanted.append(
            Line(
                f"{group.name}, wanted",
                [(float(second), float((one.get("status") or {}).get("targetSize", 0))) for second, one in versions],
                dashed=True,
            )
        )
        costs.append((group, versions))
    panels = [
        Panel("nodes", [*nodes, *wanted]),
        Panel("cost so far", [_cost(*one, cluster.clock.now_s) for one in costs]),
    ]
    total = sum(node_groups.cost(group, cluster.clock)[1] for group in groups)
    return (
        "Cluster Autoscaler",
        f"{len(groups)} node {'group' if len(groups) == 1 else 'groups'}, cost so far {total:.2f}",
        panels,
        start,
    )


def _cost(group: Any, versions: list[tuple[int, Object]], now_s: int) -> Line:
    """Money over time: it rises with every hour of a node, so the line is drawn along points."""
    points = []
    for second, one in versions:
        status = one.get("status") or {}
        if "countedAt" in status:
            since_s = second - seconds(status["countedAt"])
            spent_s = status.get("nodeSeconds", 0) + status.get("nodes", 0) * since_s
            points.append((float(second), spent_s / 3600 * group.price))
    if points:
        last = versions[-1][1].get("status") or {}
        spent_s = last.get("nodeSeconds", 0) + last.get("nodes", 0) * (now_s - seconds(last["countedAt"]))
        points.append((float(now_s), spent_s / 3600 * group.price))
    return Line(group.name, points, sloped=True)


_OF = {"hpa": _of_hpa, "vpa": _of_vpa, "cluster": _of_cluster}
