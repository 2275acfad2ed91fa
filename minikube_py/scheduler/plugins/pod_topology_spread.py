"""PodTopologySpread: equal numbers of matching pods in every domain (pkg/scheduler/framework/plugins/podtopologyspread)."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import pods
from minikube_py.api.nodes import HOSTNAME, ZONE
from minikube_py.api.types import Key
from minikube_py.base import selector
from minikube_py.scheduler.events import ADDED, CHANGED, FREED, LABELS, PLACED, REMOVED, TAINTS
from minikube_py.scheduler.framework import MAX_SCORE, Feasible, Plugin, Refusal
from minikube_py.scheduler.terms import NodeRequirement, keeps_off, label_selector, node_requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minikube_py.api.types import Object
    from minikube_py.base.selector import Selector
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

UNEVEN = Refusal(("node(s) didn't match pod topology spread constraints",), resolvable=True)
NO_LABEL = Refusal(("node(s) didn't match pod topology spread constraints (missing required label)",))

# What counts for a pod without constraints of its own that belongs to a Service or a controller.
SYSTEM_DEFAULTS: tuple[Object, ...] = (
    {"topologyKey": HOSTNAME, "maxSkew": 3, "whenUnsatisfiable": "ScheduleAnyway"},
    {"topologyKey": ZONE, "maxSkew": 5, "whenUnsatisfiable": "ScheduleAnyway"},
)

OWNERS = {
    "ReplicationController": "replicationcontrollers",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
}


class Constraint(NamedTuple):
    key: str
    max_skew: int
    selector: Selector
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


class Domains:
    """How many matching pods each domain has, per constraint; kept up to date by `update`.

    `at_node`: the matching pods of single nodes, per constraint. `all_keys`: nodes that lack one of the keys do not count.
    """

    def __init__(self, pod: Object, cache: Cache, constraints: Sequence[Constraint], all_keys: bool) -> None:
        spec, meta = pod["spec"], pod["metadata"]
        self.constraints = constraints
        self.all_keys = all_keys
        self.namespace: str = meta["namespace"]
        self.requirement: NodeRequirement | None = node_requirement(spec)
        self.tolerations: Sequence[Object] = spec.get("tolerations") or ()
        self.own = [int(found.selector.matches(meta.get("labels"))) for found in constraints]
        self.counts: list[dict[str, int]] = [{} for _ in constraints]
        self.at_node: list[dict[str, int]] = [{} for _ in constraints]
        self._lowest: list[int] | None = None
        self._open = False
        self.hosts_are_nodes = cache.hosts_are_nodes()
        self.marks = [(self.namespace, next(iter(found.selector.exact().items()), None)) for found in constraints]

    def load(self, cache: Cache) -> None:
        """Count what is there."""
        seen: dict[str, Object] = {}
        for constraint in self.constraints:
            for pod in cache.placed(self.namespace, constraint.selector):
                seen[pod["metadata"]["name"]] = pod
        for pod in seen.values():
            node = cache.node(pods.node_of(pod))
            if node is not None:
                self.update(pod, node, 1)

    def open(self, cache: Cache) -> None:
        """Let every eligible domain count, with no pods so far. Looks at every node if the pod has wishes of its own."""
        self._open = True
        if self.requirement is None and not any(found.honor_taints for found in self.constraints):
            keys = tuple(found.key for found in self.constraints)
            for counts, values in zip(self.counts, cache.domains(keys), strict=False):
                counts.update(dict.fromkeys(values, 0))
            return
        for node in cache.nodes():
            for index, constraint in enumerate(self.constraints):
                if self.has_keys(node) and self.eligible(constraint, node):
                    self.counts[index].setdefault(node.labels[constraint.key], 0)

    def copy(self) -> Domains:
        twin = Domains.__new__(Domains)
        twin.__dict__.update(self.__dict__)
        twin.counts = [dict(found) for found in self.counts]
        twin.at_node = [dict(found) for found in self.at_node]
        return twin

    def survives(self, node: str, change: str) -> bool:
        """A node without matching pods changes no count, unless empty domains count."""
        return not self._open and not any(here.get(node) for here in self.at_node)

    def update(self, pod: Object, node: NodeInfo, sign: int) -> None:
        meta = pod["metadata"]
        if meta["namespace"] != self.namespace or "deletionTimestamp" in meta:
            return
        labels = meta.get("labels") or {}
        for index, constraint in enumerate(self.constraints):
            if not constraint.selector.matches(labels):
                continue
            here = self.at_node[index]
            here[node.name] = here.get(node.name, 0) + sign
            value = node.labels.get(constraint.key)
            if value is not None and self.has_keys(node) and self.eligible(constraint, node):
                counts = self.counts[index]
                counts[value] = counts.get(value, 0) + sign
                self._lowest = None

    def has_keys(self, node: NodeInfo) -> bool:
        return not self.all_keys or all(found.key in node.labels for found in self.constraints)

    def eligible(self, constraint: Constraint, node: NodeInfo) -> bool:
        """nodeAffinityPolicy and nodeTaintsPolicy: whether the pods of a node count."""
        if constraint.honor_affinity and self.requirement and not self.requirement.matches(node.name, node.labels):
            return False
        return not (constraint.honor_taints and keeps_off(node.taints, self.tolerations))

    def lowest(self) -> list[int]:
        """The number of pods in the emptiest domain, per constraint; 0 with fewer domains than minDomains."""
        if self._lowest is None:
            self._lowest = [
                min(counts.values(), default=0) if len(counts) >= found.min_domains else 0
                for counts, found in zip(self.counts, self.constraints, strict=True)
            ]
        return self._lowest


class PodTopologySpread(Plugin):
    name = "PodTopologySpread"
    helped_by = (ADDED, REMOVED, LABELS, TAINTS, FREED, PLACED, CHANGED)

    def __init__(self, defaults: Sequence[Object] | None = None) -> None:
        """`defaults`: what counts for pods without constraints of their own; None: the system's."""
        self._defaults = defaults

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        constraints = self._constraints(pod, cache, "DoNotSchedule")
        if not constraints:
            return None
        domains = Domains(pod, cache, constraints, all_keys=True)
        domains.open(cache)
        domains.load(cache)
        return domains

    def _constraints(self, pod: Object, cache: Cache, action: str) -> list[Constraint]:
        if pod["spec"].get("topologySpreadConstraints"):
            return _constraints(pod, action)
        found = [
            (default["topologyKey"], default["maxSkew"])
            for default in (SYSTEM_DEFAULTS if self._defaults is None else self._defaults)
            if default["whenUnsatisfiable"] == action
        ]
        return _for_all_alike(pod, cache, found) if found else []

    def place(self, state: Any, node: NodeInfo) -> tuple[str | int | None, ...]:
        """Per constraint the node's domain, or for the host name the number of pods there: so that hosts form classes."""
        labels = node.labels
        return tuple(
            [
                counts.get(node.name, 0)
                if found.key == HOSTNAME and state.hosts_are_nodes and HOSTNAME in labels
                else labels.get(found.key)
                for found, counts in zip(state.constraints, state.counts, strict=True)
            ]
        )

    def filter(self, state: Any, place: tuple[str | int | None, ...]) -> Refusal | None:
        """skew = pods in the domain with this one - pods in the emptiest domain."""
        lowest = state.lowest()
        for index, value in enumerate(place):
            if value is None:
                return NO_LABEL
            count = value if isinstance(value, int) else state.counts[index].get(value, 0)
            skew = count + state.own[index] - lowest[index]
            if skew > state.constraints[index].max_skew:
                return UNEVEN
        return None

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        constraints = self._constraints(pod, cache, "ScheduleAnyway")
        if not constraints:
            return None
        own = bool(pod["spec"].get("topologySpreadConstraints"))
        domains = Domains(pod, cache, constraints, all_keys=own or self._defaults is not None)
        domains.load(cache)
        return domains

    def measure(self, state: Any, node: NodeInfo) -> tuple[Any, ...] | None:
        """Per constraint the node's domain, or for the host name the node's own matching pods; None if it does not count."""
        if not state.has_keys(node):
            return None
        labels = node.labels
        return tuple(
            [
                (here.get(node.name, 0) if found.key in labels else None)
                if found.key == HOSTNAME
                else labels.get(found.key)
                for found, here in zip(state.constraints, state.at_node, strict=True)
            ]
        )

    def raw(self, state: Any, measures: Sequence[tuple[Any, ...] | None], feasible: Feasible) -> list[int | None]:
        counting = [measure for measure in measures if measure is not None]
        weights = self._weights(state, measures, counting, feasible)
        return [None if measure is None else self._raw(state, measure, weights) for measure in measures]

    def score(self, state: Any, measures: Sequence[tuple[Any, ...] | None], feasible: Feasible) -> list[int]:
        raw = self.raw(state, measures, feasible)
        known = [score for score in raw if score is not None]
        most, least = max(known, default=0), min(known, default=0)
        if most == 0:
            return [0 if score is None else MAX_SCORE for score in raw]
        return [0 if score is None else MAX_SCORE * (most + least - score) // most for score in raw]

    @staticmethod
    def _weights(state: Any, measures: Sequence[Any], counting: list[Any], feasible: Feasible) -> list[float]:
        """The fewer domains, the less a pod in one of them counts: log(domains + 2)."""
        if len(counting) == len(measures):
            hosts = feasible.nodes
        else:
            hosts = sum(size for size, found in zip(feasible.sizes(), measures, strict=True) if found is not None)
        return [
            log((hosts if found.key == HOSTNAME else len({measure[index] for measure in counting})) + 2)
            for index, found in enumerate(state.constraints)
        ]

    @staticmethod
    def _raw(state: Any, measure: tuple[Any, ...], weights: list[float]) -> int:
        """4 pods on the host of 10 (weight 2.48), 20 in the zone of 2 (1.39): 4 * 2.48 + 2 + 20 * 1.39 + 4 = 44."""
        score = 0.0
        for index, value in enumerate(measure):
            if value is not None:
                constraint = state.constraints[index]
                count = value if constraint.key == HOSTNAME else state.counts[index].get(value, 0)
                score += count * weights[index] + (constraint.max_skew - 1)
        return int(score + 0.5)


def _constraints(pod: Object, action: str) -> list[Constraint]:
    labels = pod["metadata"].get("labels")
    return [
        Constraint(
            found["topologyKey"],
            found["maxSkew"],
            label_selector(found.get("labelSelector"), found.get("matchLabelKeys") or (), (), labels),
            found.get("minDomains") or 1,
            (found.get("nodeAffinityPolicy") or "Honor") == "Honor",
            found.get("nodeTaintsPolicy") == "Honor",
        )
        for found in pod["spec"].get("topologySpreadConstraints") or ()
        if found["whenUnsatisfiable"] == action
    ]


def _for_all_alike(pod: Object, cache: Cache, wanted_skews: list[tuple[str, int]]) -> list[Constraint]:
    """(key, maxSkew) as constraints on what the Services and the controller of a pod select (plugins/helper/spread.go)."""
    labels: dict[str, str] = {}
    for service in cache.view.selecting("services", pod):
        labels.update(service["spec"]["selector"])
    wanted: Object = {"matchLabels": labels}
    owner = next((ref for ref in pod["metadata"].get("ownerReferences") or () if ref.get("controller")), None)
    if owner is not None and owner["kind"] in OWNERS:
        found = cache.view.get(Key(OWNERS[owner["kind"]], pod["metadata"]["namespace"], owner["name"]))
        chosen = (found["spec"].get("selector") if found else None) or {}
        if owner["kind"] == "ReplicationController":
            labels.update(chosen)
        else:
            labels.update(chosen.get("matchLabels") or {})
            wanted["matchExpressions"] = chosen.get("matchExpressions") or []
    if not labels and not wanted.get("matchExpressions"):
        return []
    compiled = selector.from_label_selector(wanted)
    return [Constraint(key, max_skew, compiled) for key, max_skew in wanted_skews]
