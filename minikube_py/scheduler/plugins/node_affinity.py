"""NodeAffinity: nodeSelector, required and preferred node affinity (pkg/scheduler/framework/plugins/nodeaffinity)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.scheduler.events import ADDED, LABELS
from minikube_py.scheduler.framework import Feasible, Plugin, Refusal, Rejected, normalize
from minikube_py.scheduler.terms import PREFERRED, NodeRequirement, node_requirement, term_matches

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

NOT_ENFORCED = Refusal(("node(s) didn't match scheduler-enforced node affinity",))
NO_MATCH = Refusal(("node(s) didn't match Pod's node affinity/selector",))


class State(NamedTuple):
    requirement: NodeRequirement | None
    names: frozenset[str] | None


class NodeAffinity(Plugin):
    name = "NodeAffinity"
    helped_by = (ADDED, LABELS)

    def __init__(self, added: Object | None = None) -> None:
        """`added`: a node affinity that every pod is given on top of its own (addedAffinity)."""
        self._added = node_requirement({"affinity": {"nodeAffinity": added}}) if added else None
        self._preferred: Sequence[Object] = (added or {}).get(PREFERRED) or ()

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        requirement = node_requirement(pod["spec"])
        if requirement is None:
            return None if self._added is None else State(None, None)
        names = _named(requirement.terms or ())
        if names is not None and not names:
            raise Rejected("pod affinity terms conflict")
        return State(requirement, names)

    def candidates(self, state: Any) -> frozenset[str] | None:
        return state.names  # type: ignore[no-any-return]

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        if self._added is not None and not self._added.matches(node.name, node.labels):
            return NOT_ENFORCED
        requirement = state.requirement
        return None if requirement is None or requirement.matches(node.name, node.labels) else NO_MATCH

    def like(self, state: Any) -> Hashable:
        return repr(state)

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
        return [*self._preferred, *(affinity.get(PREFERRED) or ())] or None

    def measure(self, state: Any, node: NodeInfo) -> int:
        """The sum of the weights of the preferred terms that the node matches."""
        return sum(found["weight"] for found in state if _prefers(found["preference"], node))

    def score(self, state: Any, measures: Sequence[int], feasible: Feasible) -> list[int]:
        return normalize(measures)


def _prefers(term: Object, node: NodeInfo) -> bool:
    return term_matches(term, node.name, node.labels)


def _named(terms: Sequence[Object]) -> frozenset[str] | None:
    """The nodes that the terms name by metadata.name; None if one of the terms names none."""
    names: frozenset[str] = frozenset()
    if not terms:
        return None
    for term in terms:
        sets = [
            frozenset(found["values"])
            for found in term.get("matchFields") or ()
            if found["key"] == "metadata.name" and found["operator"] == "In"
        ]
        if not sets:
            return None
        names |= frozenset.intersection(*sets)
    return names
