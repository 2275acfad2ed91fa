"""The load that Traffic puts on pods: requests a second, as the picture of each Traffic says (`network.traffic`).

60 requests a second, two pods that are ready with a share of a half each: 30 a second for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.network import rates

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View

TRAFFICS, STEP = "traffics.sim.kpy.dev", "traffic"
REQUESTS = "requests_per_second"  # the metric of pods that comes from Traffic


def per_second(view: View, now_s: int) -> dict[str, float]:
    """Requests a second that reach each pod, by 'namespace/name', at a moment since the last change of anything."""
    pictures = _pictures(view, now_s)
    last: _Last = view.derived("requests-per-second", _Last)
    if last.at_s != now_s or not _same(last.pictures, pictures):
        last.at_s, last.pictures, last.found = now_s, pictures, _sums(pictures, now_s)
    return last.found


def _pictures(view: View, now_s: int) -> Objects:
    """What the Traffics that run remember."""
    found = []
    for traffic in view.list(TRAFFICS):
        meta = traffic["metadata"]
        memory = view.memory(STEP, Key(TRAFFICS, meta["namespace"], meta["name"]))
        if memory.get("picture") and not (memory["ends"] and now_s >= memory["ends"]):
            found.append(memory)
    return found


def _sums(pictures: Objects, now_s: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for memory in pictures:
        rate = rates.at(memory["spec"]["rate"], max(0, now_s - memory["origin"]))
        for part in memory["picture"]:
            if part["pod"]:
                found[part["pod"]] = found.get(part["pod"], 0.0) + part["share"] * rate
    return found


def _same(old: Objects, new: Objects) -> bool:
    return len(old) == len(new) and all(one is other for one, other in zip(old, new, strict=True))


class _Last:
    """The last answer, for the autoscalers that ask at the same moment."""

    resources: frozenset[str] = frozenset()

    def __init__(self, view: View) -> None:
        self.at_s = -1
        self.pictures: Objects = []
        self.found: dict[str, float] = {}

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        """Nothing to do: what Traffics remember is compared."""
