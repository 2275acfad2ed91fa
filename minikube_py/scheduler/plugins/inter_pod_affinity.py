"""InterPodAffinity: near some pods, apart from others (pkg/scheduler/framework/plugins/interpodaffinity)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import pods
from minikube_py.api.nodes import HOSTNAME
from minikube_py.api.types import Key
from minikube_py.scheduler.events import ADDED, CHANGED, FREED, LABELS, NAMESPACE, PLACED, REMOVED, TAINTS
from minikube_py.scheduler.framework import AFFINE, EVERYONE, MAX_SCORE, Feasible, Plugin, Refusal
from minikube_py.scheduler.terms import PodTerm, PodTerms, pod_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

ALONE = Refusal(("node(s) didn't match pod affinity rules",))
CROWDED = Refusal(("node(s) didn't match pod anti-affinity rules",), resolvable=True)
UNWELCOME = Refusal(("node(s) didn't satisfy existing pods anti-affinity rules",), resolvable=True)

NO_TERMS = PodTerms((), (), (), ())

Pair = tuple[str, str]


class Host(NamedTuple):
    """What the filter needs to know of a host that is one node, in place of its name: which pods it has.

    With it a thousand hosts fall into a few classes instead of a thousand.
    """

    near: bool
    apart: bool
    existing: bool


def _change(counts: dict[Pair, int], pair: Pair, amount: int) -> None:
    total = counts.get(pair, 0) + amount
    if total:
        counts[pair] = total
    else:
        counts.pop(pair, None)


class Neighbours(ABC):
    """What both states share: the pod, its terms, and the topology keys that matter (`keys`, sorted).

    A key that turns up later makes the state `stale`: what was seen of the nodes lacks it.
    """

    def __init__(self, pod: Object, cache: Cache) -> None:
        self.pod = pod
        self.cache = cache
        self.terms = pod_terms(pod) or NO_TERMS
        self.marks = [AFFINE] if self.terms is NO_TERMS else [EVERYONE]
        self.keys: tuple[str, ...] = ()
        self.stale = False
        self.hosts_are_nodes = cache.hosts_are_nodes()

    @property
    def idle(self) -> bool:
        """No term matters so far. The first that does makes the state stale."""
        return not self.keys

    def load(self, terms: Iterable[PodTerm]) -> None:
        """Count the pods that `terms` may speak of, and those with affinity of their own."""
        seen = self.cache.affine.that_may_speak_of(self.pod)
        for term in terms:
            everywhere = term.namespace_selector is not None
            for namespace in (None,) if everywhere else sorted(term.namespaces):
                for pod in self.cache.placed(namespace, term.selector):
                    meta = pod["metadata"]
                    seen[Key("pods", meta["namespace"], meta["name"])] = pod
        for pod in seen.values():
            node = self.cache.node(pods.node_of(pod))
            if node is not None:
                self.update(pod, node, 1)
        self.keys = tuple(sorted(self.topology_keys()))
        self.stale = False

    @abstractmethod
    def topology_keys(self) -> set[str]:
        """The keys that the terms of both sides name."""

    @abstractmethod
    def update(self, pod: Object, node: NodeInfo, sign: int) -> None:
        """Count a pod that came to a node (sign 1) or left it (-1)."""

    def survives(self, node: str, change: str) -> bool:
        return self.idle or change == TAINTS

    def speaks_of(self, term: PodTerm, pod: Object) -> bool:
        return term.matches(pod, self.cache.namespace_labels)

    def add(self, counts: dict[Pair, int], key: str, node: NodeInfo, amount: int) -> None:
        value = node.labels.get(key)
        if value is not None:
            _change(counts, (key, value), amount)
            self.stale = self.stale or key not in self.keys


class Rules(Neighbours):
    """The state of the filter: matching pods by (topology key, value)."""

    def __init__(self, pod: Object, cache: Cache) -> None:
        super().__init__(pod, cache)
        self.near: dict[Pair, int] = {}
        self.apart: dict[Pair, int] = {}
        self.existing: dict[Pair, int] = {}
        # The first pod of a group that wants to be near itself may go anywhere.
        self.first = bool(self.terms.near) and all(self.speaks_of(term, pod) for term in self.terms.near)
        self.load((*self.terms.near, *self.terms.apart))

    def topology_keys(self) -> set[str]:
        own = {term.topology_key for term in (*self.terms.near, *self.terms.apart)}
        return own | {key for key, _ in self.existing}

    def copy(self) -> Rules:
        twin = Rules.__new__(Rules)
        twin.__dict__.update(self.__dict__)
        twin.near, twin.apart, twin.existing = dict(self.near), dict(self.apart), dict(self.existing)
        return twin

    def update(self, pod: Object, node: NodeInfo, sign: int) -> None:
        near = self.terms.near
        if near and all(self.speaks_of(term, pod) for term in near):
            for term in near:
                self.add(self.near, term.topology_key, node, sign)
        for term in self.terms.apart:
            if self.speaks_of(term, pod):
                self.add(self.apart, term.topology_key, node, sign)
        if pod["spec"].get("affinity"):
            for term in (pod_terms(pod) or NO_TERMS).apart:
                if self.speaks_of(term, self.pod):
                    self.add(self.existing, term.topology_key, node, sign)


class Wishes(Neighbours):
    """The state of the score: the weights gathered by (topology key, value).

    `hard_weight`: what the required affinity of a pod that is there counts for a pod that would satisfy it.
    """

    def __init__(self, pod: Object, cache: Cache, hard_weight: int) -> None:
        super().__init__(pod, cache)
        self.hard_weight = hard_weight
        self.weights: dict[Pair, int] = {}
        self.load((*self.terms.prefers_near, *self.terms.prefers_apart))

    def topology_keys(self) -> set[str]:
        own = {term.topology_key for term in (*self.terms.prefers_near, *self.terms.prefers_apart)}
        return own | {key for key, _ in self.weights}

    def update(self, pod: Object, node: NodeInfo, sign: int) -> None:
        for terms, direction in ((self.terms.prefers_near, sign), (self.terms.prefers_apart, -sign)):
            for term in terms:
                if self.speaks_of(term, pod):
                    self.add(self.weights, term.topology_key, node, direction * term.weight)
        if not pod["spec"].get("affinity"):
            return
        theirs = pod_terms(pod) or NO_TERMS
        for terms, direction in (
            (theirs.near, sign * self.hard_weight),
            (theirs.prefers_near, sign),
            (theirs.prefers_apart, -sign),
        ):
            for term in terms:
                if self.speaks_of(term, self.pod):
                    self.add(self.weights, term.topology_key, node, direction * term.weight)


class InterPodAffinity(Plugin):
    name = "InterPodAffinity"
    helped_by = (ADDED, REMOVED, LABELS, FREED, PLACED, CHANGED, NAMESPACE)

    def __init__(self, hard_weight: int = 1, ignore_preferred: bool = False) -> None:
        """`ignore_preferred`: what pods that are there prefer does not count for one that prefers nothing itself."""
        self._hard_weight = hard_weight
        self._ignore_preferred = ignore_preferred

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        return Rules(pod, cache)

    def place(self, state: Any, node: NodeInfo) -> tuple[Any, ...]:
        """Per topology key the node's value; for the host name what is on the host."""
        return tuple([_seen(state, key, node) for key in state.keys])

    def filter(self, state: Any, place: tuple[Any, ...]) -> Refusal | None:
        if not place:
            return None
        here = dict(zip(state.keys, place, strict=True))
        if not _near_enough(state, here):
            return ALONE
        if any(_apart(state, term.topology_key, here[term.topology_key]) for term in state.terms.apart):
            return CROWDED
        if state.existing and any(_unwelcome(state, key, value) for key, value in here.items()):
            return UNWELCOME
        return None

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        terms = pod_terms(pod) or NO_TERMS
        if self._ignore_preferred and not terms.prefers_near and not terms.prefers_apart:
            return None
        return Wishes(pod, cache, self._hard_weight)

    def measure(self, state: Any, node: NodeInfo) -> tuple[Any, ...]:
        """Per topology key the node's value; for the host name the weight gathered on the host."""
        return tuple(
            [
                state.weights.get((key, node.name), 0)
                if key == HOSTNAME and state.hosts_are_nodes and key in node.labels
                else node.labels.get(key)
                for key in state.keys
            ]
        )

    def raw(self, state: Any, measures: Sequence[tuple[Any, ...]], feasible: Feasible) -> list[int | None]:
        """The sums of weights."""
        return list(_sums(state, measures))

    def score(self, state: Any, measures: Sequence[tuple[Any, ...]], feasible: Feasible) -> list[int] | None:
        """The sums of weights, stretched from 0 (the least) to 100 (the most)."""
        if not state.weights:
            return None
        sums = _sums(state, measures)
        least = min(sums)
        spread = max(sums) - least
        return [int(MAX_SCORE * ((total - least) / spread)) if spread else 0 for total in sums]


def _sums(state: Wishes, measures: Sequence[tuple[Any, ...]]) -> list[int]:
    weights = state.weights
    return [
        sum(
            value if isinstance(value, int) else weights.get((key, value), 0)
            for key, value in zip(state.keys, values, strict=True)
        )
        for values in measures
    ]


def _seen(state: Rules, key: str, node: NodeInfo) -> str | Host | None:
    if key != HOSTNAME or not state.hosts_are_nodes or key not in node.labels:
        return node.labels.get(key)
    pair = key, node.name
    return Host(state.near.get(pair, 0) > 0, state.apart.get(pair, 0) > 0, state.existing.get(pair, 0) > 0)


def _apart(state: Rules, key: str, value: Any) -> bool:
    return value.apart if isinstance(value, Host) else state.apart.get((key, value), 0) > 0


def _unwelcome(state: Rules, key: str, value: Any) -> bool:
    return value.existing if isinstance(value, Host) else state.existing.get((key, value), 0) > 0


def _near_enough(state: Rules, here: dict[str, Any]) -> bool:
    near = True
    for term in state.terms.near:
        key = term.topology_key
        value = here[key]
        if value is None:
            return False
        near = near and (value.near if isinstance(value, Host) else state.near.get((key, value), 0) > 0)
    return near or (not state.near and state.first)
