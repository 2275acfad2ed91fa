"""Which of the options to grow a cluster is taken (--expander).

    least-waste   the least cpu and memory left idle
    most-pods     the most pods helped; least-nodes: the fewest machines
    price         the best value for the money, see `score`
    priority      the highest match in the ConfigMap; random: by the cluster's seed
Several in a row ("priority,least-waste") narrow the choice down one after the other; what is left to choose from goes to the
first name, where the real one throws dice. Sources: cluster-autoscaler expander/{price,priority,waste,mostpods,leastnodes}.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.autoscaling import node_groups
from minikube_py.base import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object, View
    from minikube_py.autoscaling.scale_up import Option
    from minikube_py.base.clock import Clock

PRIORITIES = Key("configmaps", "kube-system", "cluster-autoscaler-priority-expander")
# (reason, message) of events about the ConfigMap of priorities
Warnings: TypeAlias = "list[tuple[str, str]]"

# What a cpu and a GiB cost an hour, for what pods ask for: the cloud provider gce's price of ordinary machines, in dollars.
CPU_PRICE, GIB_PRICE = 0.033174, 0.004446
STABLE_PRICE = 0.5 * CPU_PRICE + 500 / 1024 * GIB_PRICE  # of an imagined pod, so that tiny pods do not decide
GPU_UNFITNESS = 1000.0
# (nodes of a cluster at most, cpus of the machine that suits it): three times the nodes, double the size
_PREFERRED = ((2, 1), (6, 2), (20, 4), (60, 8), (200, 16))


def choose(options: list[Option], expanders: tuple[str, ...], view: View, clock: Clock) -> tuple[Option, Warnings]:
    """The best option, and what is wrong with the priorities; `options` are in the order of their groups' names."""
    warnings: Warnings = []
    for expander in expanders:
        if expander == "random":
            names = ",".join(option.group.name for option in options)
            return clock.dice("expander", names, clock.now_s).choice(options), warnings
        if expander == "priority":
            options, said = _by_priority(options, view)
            warnings += said
        elif expander == "price":
            size = len(view.list("nodes"))
            options = _cheapest(options, [score(option, size) for option in options])
        else:
            options = _cheapest(options, list(map(_COSTS[expander], options)))
    return options[0], warnings


_COSTS: dict[str, Callable[[Option], float]] = {
    "least-waste": lambda option: option.waste,
    "least-nodes": lambda option: option.nodes,
    "most-pods": lambda option: -len(option.pods),
}


def _cheapest(options: list[Option], costs: list[float]) -> list[Option]:
    least = min(costs)
    return [option for option, one in zip(options, costs, strict=True) if one == least]


# --- price -------------------------------------------------------------------------------------------------------------


class Score(NamedTuple):
    """How a price came to be judged; the lower the `final`, the better."""

    nodes_price: float
    pods_price: float
    ratio: float
    unfitness: float
    suppressed: float
    final: float


def score(option: Option, size: int) -> float:
    return scored(option, size).final


def scored(option: Option, size: int) -> Score:
    """What an option costs for what it does, times how little its machines suit a cluster of `size` nodes.

    Two machines of 4 cpus at 0.19 for eight pods of 500m and 1Gi, in a cluster of 5 nodes (which 2 cpus suit):
        pods   8 * (0.5 * 0.033174 + 1 * 0.004446) = 0.1683;  stable pod 0.0188
        ratio  (0.38 + 0.0188) / (0.1683 + 0.0188) = 2.132
        unfit  max(2 / 4, 4 / 2) = 2, which counts less the more machines come: (2 - 1) * (1 - tanh(1 / 15)) + 1 = 1.933
        final  2.132 * 1.933 = 4.121
    """
    nodes_price = option.group.price * option.nodes
    pods_price = sum(_pod_price(pod) for pod in option.pods)
    ratio = (nodes_price + STABLE_PRICE) / (pods_price + STABLE_PRICE)
    capacity = _capacity(option.group.object)
    cpus, preferred = quantity.milli(capacity["cpu"]) / 1000, preferred_cpus(size)
    unfitness = max(preferred / cpus, cpus / preferred) if cpus else math.inf
    suppressed = (unfitness - 1.0) * (1.0 - math.tanh((option.nodes - 1) / 15.0)) + 1.0
    if any("/" in name and name.endswith("/gpu") for name in capacity):
        suppressed = GPU_UNFITNESS
    return Score(nodes_price, pods_price, ratio, unfitness, suppressed, suppressed * ratio)


def preferred_cpus(size: int) -> int:
    """The cpus of the machine that suits a cluster of so many nodes: 2 -> 1, 6 -> 2, 20 -> 4, 1000 -> 32."""
    return next((cpus for most, cpus in _PREFERRED if size <= most), 32)


def _pod_price(pod: Object) -> float:
    asked = pods.requests(pod)
    return float(asked.get("cpu", 0) / 1000 * CPU_PRICE + asked.get("memory", 0) / (1 << 30) * GIB_PRICE)


def _capacity(group: Object) -> dict[str, str]:
    found: dict[str, str] = node_groups.template(group, "preferred", index=1, turn=0)["status"]["capacity"]
    return found


# --- priority ----------------------------------------------------------------------------------------------------------


def _by_priority(options: list[Option], view: View) -> tuple[list[Option], Warnings]:
    """Those of the highest priority; all of them where the ConfigMap is missing, broken, or names none of them.

    {10: [.*], 50: [^spot-]}: groups called spot-... come first, the others only without them.
    """
    import re

    found = view.get(PRIORITIES)
    if found is None:
        return options, []
    try:
        table = _table(found.get("data") or {})
    except ValueError as error:
        return options, [("PriorityConfigMapInvalid", str(error))]
    ranks = [
        max(
            (rank for rank, patterns in table.items() if any(re.search(one, option.group.name) for one in patterns)),
            default=-1,
        )
        for option in options
    ]
    highest = max(ranks)
    lost = "The group won't be used."
    warnings = [
        (
            "PriorityConfigMapNotMatchedGroup",
            f"Priority expander: node group {option.group.name} not found in priority expander configuration. {lost}",
        )
        for option, rank in zip(options, ranks, strict=True)
        if rank < 0
    ]
    if highest < 0:
        none = "Priority expander: no priorities info found for any of the expansion options. Falling back to random choice."
        return options, [*warnings, ("PriorityConfigMapNoGroupMatched", none)]
    return [option for option, rank in zip(options, ranks, strict=True) if rank == highest], warnings


def _table(data: dict[str, str]) -> dict[int, list[str]]:
    """The patterns by priority. Raises ValueError with the words of the event."""
    import re

    import yaml

    if "priorities" not in data:
        raise ValueError("Wrong configmap for priority expander, doesn't contain priorities key. Ignoring update.")
    try:
        if not data["priorities"]:
            raise ValueError(
                f"priority configuration in {PRIORITIES.name} configmap is empty; please provide valid configuration"
            )
        found = _typed(yaml.safe_load(data["priorities"]))
        for rank, patterns in found.items():
            for pattern in patterns:
                try:
                    re.compile(pattern)
                except re.error as error:
                    raise ValueError(
                        f"Can't compile regexp rule for priority {rank} and rule {pattern}: error parsing regexp: {error}"
                    ) from error
    except yaml.YAMLError as error:
        told = f"Can't parse YAML with priorities in the configmap: {error}"
        raise ValueError(f"Wrong configuration for priority expander: {told}. Ignoring update.") from error
    except ValueError as error:
        raise ValueError(f"Wrong configuration for priority expander: {error}. Ignoring update.") from error
    return found


def _typed(found: object) -> dict[int, list[str]]:
    problem = "Can't parse YAML with priorities in the configmap: yaml: unmarshal errors"
    if not isinstance(found, dict):
        raise ValueError(problem)
    for rank, patterns in found.items():
        is_list = isinstance(patterns, list) and all(isinstance(one, str) for one in patterns)
        if not isinstance(rank, int) or not is_list:
            raise ValueError(problem)
    return found
