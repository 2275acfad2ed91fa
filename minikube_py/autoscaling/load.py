"""The load that Traffic puts on pods: requests a second, as the picture of each Traffic says (`network.traffic`).

60 requests a second, two pods that are ready with a share of a half each: 30 a second for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.network import rates

if TYPE_CHECKING:
    from minikube_py.api.types import View

TRAFFICS, STEP = "traffics.sim.kpy.dev", "traffic"
REQUESTS = "requests_per_second"  # the metric of pods that comes from Traffic


def per_second(view: View, now_s: int) -> dict[str, float]:
    """Requests a second that reach each pod, by 'namespace/name', at a moment since the last change of anything."""
    found: dict[str, float] = {}
    for traffic in view.list(TRAFFICS):
        meta = traffic["metadata"]
        memory = view.memory(STEP, Key(TRAFFICS, meta["namespace"], meta["name"]))
        if not memory.get("picture") or (memory["ends"] and now_s >= memory["ends"]):
            continue
        rate = rates.at(memory["spec"]["rate"], max(0, now_s - memory["origin"]))
        for part in memory["picture"]:
            if part["pod"]:
                found[part["pod"]] = found.get(part["pod"], 0.0) + part["share"] * rate
    return found
