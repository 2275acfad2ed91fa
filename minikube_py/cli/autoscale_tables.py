"""The tables of `kpy autoscale-report`: (what `-o json` prints, the text)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import quantity
from minikube_py.base.clock import timestamp
from minikube_py.base.errors import NotFound
from minikube_py.printers import tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Key, Object
    from minikube_py.autoscaling.vpa_model import Model
    from minikube_py.cluster import Cluster

BOUNDS = ("lowerBound", "target", "upperBound")


def of_hpa(cluster: Cluster, key: Key) -> tuple[Any, str]:
    from minikube_py.autoscaling import hpa

    decisions: list[Object] = cluster.view.memory(hpa.NAME + hpa.DECISIONS, key).get("decisions") or []
    found = [{"time": timestamp(int(one["at_s"])), **one} for one in decisions]
    rows = [["TIME", "CURRENT", "METRICS", "ASKED", "WINDOW", "LIMIT", "REPLICAS"]]
    for one in found:
        window = str(one["stabilized"]) if one["stabilized"] == one["asked"] else f"{one['stabilized']} ({one['able']})"
        limit = "" if one["limited"] == "DesiredWithinRange" else one["limited"]
        told = "; ".join(map(_metric, one["metrics"]))
        cells = (one["time"], one["current"], told, one["asked"], window, limit, one["replicas"])
        rows.append([str(cell) for cell in cells])
    return found, tables.layout(rows) if decisions else f"{key.namespace}/{key.name} has decided nothing yet\n"


def _metric(told: list[Any]) -> str:
    """'cpu resource utilization (percentage of request): 80% (40m) -> 5', or why there is no value."""
    if len(told) == 1:
        return str(told[0])
    name, value_m, percent, replicas = told
    value = quantity.from_milli(value_m, quantity.BINARY_SI if name.startswith("memory") else quantity.DECIMAL_SI)
    return f"{name}: {f'{percent}% ({value})' if percent is not None else value} -> {replicas}"


def of_vpa(cluster: Cluster, key: Key) -> tuple[Any, str]:
    from minikube_py.autoscaling import vpa_recommender, vpa_updater

    vpa = cluster.store.get(key)
    assert vpa is not None, key
    model = vpa_recommender.model_of(vpa, cluster.view, cluster.clock)
    deeds: list[Object] = cluster.view.memory(vpa_updater.NAME + vpa_updater.DEEDS, key).get("deeds") or []
    deeds = [{"time": timestamp(one["at_s"]), **one} for one in deeds]
    found: Object = {"containers": _containers(vpa, model), "deeds": deeds}
    if not found["containers"]:
        conditions = (vpa.get("status") or {}).get("conditions") or ()
        why = next((f": {one['message']}" for one in conditions if one.get("message")), "")
        return found, f"{key.namespace}/{key.name} has recommended nothing yet{why}\n"
    flags = model.flags
    margin = f"+{flags.margin * 100:g}%"
    rows = [["CONTAINER", "RESOURCE", "BOUND", "PERCENTILE", margin, "CONFIDENCE", "FLOOR", "POLICY"]]
    lines = []
    for one in found["containers"]:
        lines.append(
            f"{one['name']}: {one['samples']} samples over {one['days']:.3g} days, confidence {one['confidence']:.3g}\n"
        )
        for bound in one["bounds"]:
            steps = (bound["percentile"], bound["withMargin"], bound["withConfidence"], bound["withFloor"])
            amounts = [_amount(bound["resource"], amount) for amount in steps]
            rows.append([one["name"], bound["resource"], bound["bound"], *amounts, bound["recommended"]])
    text = "".join(lines) + "\n" + tables.layout(rows)
    if deeds:
        listed = [[one["time"], one["pod"], one["deed"], one["why"]] for one in deeds]
        text += "\n" + tables.layout([["TIME", "POD", "DEED", "WHY"], *listed])
    return found, text


def _containers(vpa: Object, model: Model) -> list[Object]:
    from minikube_py.api import vertical
    from minikube_py.api.vertical import capping
    from minikube_py.autoscaling import vpa_estimates

    recommended = ((vpa.get("status") or {}).get("recommendation") or {}).get("containerRecommendations") or []
    states = {name: state for name, state in model.by_container().items() if not vertical.is_off(vpa, name)}
    found = []
    for name, state in states.items():
        told = vertical.recommended(recommended, name)
        if told is None:
            continue
        bounds = []
        for resource in capping.RESOURCES:
            for field in BOUNDS:
                if resource in (told.get(field) or {}):
                    one = vpa_estimates.steps(resource, field, state, model.flags, len(states))
                    names = ("percentile", "withMargin", "withConfidence", "withFloor")
                    steps = dict(zip(names, one, strict=True))
                    bounds.append({"resource": resource, "bound": field, **steps, "recommended": told[field][resource]})
        days = ((state.last_s or 0) - (state.first_s or 0)) / 86_400
        sure = vpa_estimates.confidence(state, model.flags.confidence_cpu_s)
        found.append({"name": name, "samples": state.count, "days": days, "confidence": sure, "bounds": bounds})
    return found


def _amount(resource: str, amount: int) -> str:
    from minikube_py.autoscaling.vpa_estimates import AMOUNT_MAX

    if amount >= AMOUNT_MAX:
        return "endless"
    return quantity.from_milli(amount) if resource == "cpu" else quantity.from_value(amount)


def of_cluster(cluster: Cluster, key: Key) -> tuple[Any, str]:
    from minikube_py.autoscaling import cluster_autoscaler, node_groups

    groups = node_groups.groups(cluster.view)
    if not groups:
        raise NotFound("there are no NodeGroups, so there is nothing to scale")
    memory = cluster.view.memory(cluster_autoscaler.NAME, node_groups.key_of(groups[0].name))
    rows = [["GROUP", "MIN", "MAX", "WANTED", "NODES", "BOOTING", "NODE-HOURS", "COST"]]
    found: Object = {"groups": [], "nodes": []}
    total = 0.0
    for group in groups:
        hours, cost = node_groups.cost(group, cluster.clock)
        total += cost
        numbers = (group.minimum, group.maximum, group.target, len(group.nodes), len(group.booting))
        rows.append([group.name, *map(str, numbers), f"{hours:.2f}", f"{cost:.2f}"])
        names = ("minimum", "maximum", "wanted", "nodes", "booting")
        told = dict(zip(names, numbers, strict=True))
        found["groups"].append({"name": group.name, **told, "nodeHours": hours, "cost": cost})
    text = tables.layout(rows) + f"\ncost so far: {total:.2f}\n"
    since, needed = memory.get("unneeded") or {}, memory.get("needed") or {}
    lines = [["NODE", "GROUP", "STATE"]]
    for group in groups:
        for node in group.nodes:
            own_name = node["metadata"]["name"]
            state = f"unneeded since {timestamp(since[own_name])}" if own_name in since else needed.get(own_name, "")
            lines.append([own_name, group.name, state])
            found["nodes"].append({"name": own_name, "group": group.name, "state": state})
    return found, text + ("\n" + tables.layout(lines) if len(lines) > 1 else "")


OF: dict[str, Callable[[Cluster, Key], tuple[Any, str]]] = {"hpa": of_hpa, "vpa": of_vpa, "cluster": of_cluster}
