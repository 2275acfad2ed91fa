"""The pods on nodes that have pod (anti-)affinity, found by whom they speak of: a pod that nobody speaks of looks at none."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from minikube_py.scheduler.terms import pod_terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Key, Object

# A label that whoever a term speaks of must have; None: its selector demands no single one.
Mark: TypeAlias = "tuple[str, str] | None"


class Affine:
    """The pods by key, and the keys by a label of those that their terms speak of."""

    def __init__(self) -> None:
        self.pods: dict[Key, Object] = {}
        self._by_mark: dict[Mark, dict[Key, None]] = {}

    def add(self, key: Key, pod: Object) -> None:
        self.pods[key] = pod
        for mark in dict.fromkeys(_marks(pod)):
            self._by_mark.setdefault(mark, {})[key] = None

    def remove(self, key: Key) -> None:
        pod = self.pods.pop(key, None)
        for mark in dict.fromkeys(_marks(pod)) if pod is not None else ():
            keys = self._by_mark[mark]
            keys.pop(key, None)
            if not keys:
                del self._by_mark[mark]

    def that_may_speak_of(self, pod: Object) -> dict[Key, Object]:
        """All whose terms speak of this pod, and perhaps some others."""
        marks: tuple[Mark, ...] = (None, *(pod["metadata"].get("labels") or {}).items())
        return {key: self.pods[key] for mark in marks for key in self._by_mark.get(mark, ())}


def _marks(pod: Object) -> Iterator[Mark]:
    for terms in pod_terms(pod) or ():
        for term in terms:
            if not term.selector.nothing:
                yield next(iter(term.selector.exact().items()), None)
