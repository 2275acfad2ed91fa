"""Node selectors and pod affinity terms, compiled once per pod template.

Sources: k8s.io/component-helpers/scheduling/corev1/nodeaffinity, pkg/scheduler/framework/types.go (AffinityTerm),
k8s.io/api/core/v1/toleration.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base import selector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from minikube_py.api.types import Object
    from minikube_py.base.selector import Selector

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

Labels = dict[str, str]


def label_selector(
    found: Object | None,
    match_keys: Sequence[str] = (),
    mismatch_keys: Sequence[str] = (),
    labels: Labels | None = None,
) -> Selector:
    """A LabelSelector, compiled: None matches nothing, {} everything.

    `match_keys` and `mismatch_keys` add the values that the pod itself has (`labels`), as the API server does.
    """
    own = labels or {}
    extra = [
        {"key": key, "operator": operator, "values": [own[key]]}
        for keys, operator in ((match_keys, "In"), (mismatch_keys, "NotIn"))
        for key in keys
        if key in own
    ]
    if extra and found is not None:
        found = {**found, "matchExpressions": [*(found.get("matchExpressions") or ()), *extra]}
    return selector.from_label_selector(found)


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _requirement(found: Object, values: Mapping[str, str]) -> bool:
    operator, key = found["operator"], found["key"]
    wanted: Sequence[str] = found.get("values") or ()
    if operator == "In":
        return values.get(key) in wanted
    if operator == "NotIn":
        return values.get(key) not in wanted
    if operator == "Exists":
        return key in values
    if operator == "DoesNotExist":
        return key not in values
    if key not in values or len(wanted) != 1:
        return False
    here, limit = _number(values[key]), _number(wanted[0])
    if here is None or limit is None:
        return False
    return here > limit if operator == "Gt" else here < limit


def term_matches(term: Object, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node matches one NodeSelectorTerm; an empty term matches no node."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(_requirement(found, labels) for found in expressions) and all(
        _requirement(found, {"metadata.name": name}) for found in fields
    )


class NodeRequirement(NamedTuple):
    """What a pod demands of its node: all of `labels` and one of `terms` (None: no terms at all)."""

    labels: Labels
    terms: Sequence[Object] | None

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        for key, value in self.labels.items():
            if labels.get(key) != value:
                return False
        return self.terms is None or any(term_matches(term, name, labels) for term in self.terms)


def node_requirement(spec: Object) -> NodeRequirement | None:
    """spec.nodeSelector and required node affinity; None if the pod goes anywhere."""
    wanted = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    labels = spec.get("nodeSelector") or {}
    if wanted is None and not labels:
        return None
    return NodeRequirement(labels, None if wanted is None else wanted.get("nodeSelectorTerms") or ())


def tolerates(tolerations: Sequence[Object], taint: Object) -> bool:
    """Whether any toleration covers a taint."""
    return any(_covers(toleration, taint) for toleration in tolerations)


def _covers(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if not toleration.get("key") and toleration.get("operator") != "Exists":
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == (taint.get("value") or "")


def keeps_off(taints: Sequence[Object], tolerations: Sequence[Object]) -> bool:
    """Whether a taint with effect NoSchedule or NoExecute is not tolerated."""
    return any(taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(tolerations, taint) for taint in taints)


class PodTerm(NamedTuple):
    """A pod (anti-)affinity term: the pods that `selector` selects in the named or the selected namespaces."""

    selector: Selector
    namespaces: frozenset[str]
    namespace_selector: Selector | None
    topology_key: str
    weight: int

    def matches(self, pod: Object, namespace_labels: Callable[[str], Labels]) -> bool:
        """Whether a pod is one that the term speaks of."""
        meta = pod["metadata"]
        namespace = meta["namespace"]
        if namespace not in self.namespaces and (
            self.namespace_selector is None or not self.namespace_selector.matches(namespace_labels(namespace))
        ):
            return False
        return self.selector.matches(meta.get("labels"))


class PodTerms(NamedTuple):
    """The four lists of terms of a pod's inter-pod affinity."""

    near: tuple[PodTerm, ...]
    apart: tuple[PodTerm, ...]
    prefers_near: tuple[PodTerm, ...]
    prefers_apart: tuple[PodTerm, ...]


# With the parts that the terms were made of: while an entry holds them, their ids are nobody else's.
_compiled: dict[tuple[int, int, str], tuple[Any, PodTerms]] = {}
_COMPILED_MAX = 4096


def pod_terms(pod: Object) -> PodTerms | None:
    """The pod's inter-pod affinity; None if it has none. Remembered by identity, as the pods of a template share its parts."""
    affinity = pod["spec"].get("affinity") or {}
    if not affinity.get("podAffinity") and not affinity.get("podAntiAffinity"):
        return None
    meta = pod["metadata"]
    parts = affinity, meta.get("labels"), meta["namespace"]
    key = id(affinity), id(parts[1]), parts[2]
    found = _compiled.get(key)
    if found is None:
        if len(_compiled) >= _COMPILED_MAX:
            _compiled.clear()
        found = _compiled[key] = parts, _compile(pod, affinity)
    return found[1]


def _compile(pod: Object, affinity: Object) -> PodTerms:
    near, apart = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    return PodTerms(
        tuple(_pod_term(pod, term, 1) for term in near.get(REQUIRED) or ()),
        tuple(_pod_term(pod, term, 1) for term in apart.get(REQUIRED) or ()),
        tuple(_pod_term(pod, term["podAffinityTerm"], term["weight"]) for term in near.get(PREFERRED) or ()),
        tuple(_pod_term(pod, term["podAffinityTerm"], term["weight"]) for term in apart.get(PREFERRED) or ()),
    )


def _pod_term(pod: Object, term: Object, weight: int) -> PodTerm:
    meta = pod["metadata"]
    by_labels = term.get("namespaceSelector")
    named = frozenset(term.get("namespaces") or ())
    if not named and by_labels is None:
        named = frozenset((meta["namespace"],))
    chosen = label_selector(
        term.get("labelSelector"),
        term.get("matchLabelKeys") or (),
        term.get("mismatchLabelKeys") or (),
        meta.get("labels"),
    )
    return PodTerm(chosen, named, None if by_labels is None else label_selector(by_labels), term["topologyKey"], weight)
