"""The disruption controller: how many of a PodDisruptionBudget's pods may be evicted now.

`step` runs on poddisruptionbudgets.policy and is woken by: the budget itself; pods that its selector matches or matched; the
controllers of those pods (their wanted sizes). Its wake: when an eviction that was granted has been waited for too long.

    10 pods wanted, minAvailable 80%: 8 must be healthy; 9 are: 1 may go
    10 pods wanted, maxUnavailable 3: 7 must be healthy; 9 are: 2 may go
Source: k8s.io/kubernetes/pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import budgets, pods
from minikube_py.api.types import Key, Patch, Record, Remember, Wake
from minikube_py.base import patch, selector
from minikube_py.base.clock import seconds
from minikube_py.controllers import ownership

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
    from minikube_py.base.clock import Clock

STEP, COMPONENT = "disruption", "controllermanager"
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of the PDB "
    "cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set "
    '".spec.minAvailable" field of the PDB to an integer value.'
)
GRANTED_S = 120  # DeletionTimeout: an evicted pod that is not being deleted by then was not evicted


def step(budget: Object, view: View, clock: Clock) -> Actions:
    found = _covered(budget, view)
    old = budget.get("status") or {}
    granted = _still_granted(old.get("disruptedPods") or {}, found, clock)
    healthy = sum(
        1
        for pod in found
        if pods.is_ready(pod) and not pods.is_terminating(pod) and pod["metadata"]["name"] not in granted
    )
    expected, needed = _expected(budget, found, view)
    allowed = max(0, healthy - needed) if expected > 0 else 0
    status: Object = {
        "currentHealthy": healthy,
        "desiredHealthy": needed,
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "observedGeneration": budget["metadata"].get("generation", 0),
        "conditions": [budgets.condition(budget, old, allowed, clock.timestamp)],
    }
    if granted:
        status["disruptedPods"] = granted
    fields = patch.diff(old, status)
    key = ownership.key_of("poddisruptionbudgets.policy", budget)
    if fields:
        yield Patch(key, {"status": fields}, "status")
    yield from _tell(budget, found, view.memory(STEP, key))
    if granted:
        yield Wake(min(map(seconds, granted.values())) + GRANTED_S)


def _tell(budget: Object, found: Objects, known: Object) -> Actions:
    """Events about budgets that cover nothing, or pods whose number nobody has stated; again only when that changes."""
    told = ""
    if not found:
        told = "NoPods"
        if known.get("told") != told:
            yield Record(budget, "Normal", "NoPods", "No matching pods found", COMPONENT)
    elif not isinstance(budget["spec"].get("minAvailable", "0%"), int) and any(
        ownership.controller_of(pod) is None for pod in found
    ):
        told = "UnmanagedPods"
        if known.get("told") != told:
            text = UNMANAGED.format(_go_selector(budget["spec"].get("selector") or {}))
            yield Record(budget, "Warning", "UnmanagedPods", text, COMPONENT)
    if known.get("told", "") != told:
        yield Remember({"told": told} if told else {})


def _go_selector(wanted: Object) -> str:
    """A label selector as Go's %v prints it."""
    labels = "".join(f"{name}: {text}," for name, text in sorted((wanted.get("matchLabels") or {}).items()))
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},Values:[{' '.join(one.get('values') or ())}],}},"
        for one in wanted.get("matchExpressions") or ()
    )
    return f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"


def _covered(budget: Object, view: View) -> Objects:
    """Selected pods that are not finished; a budget without selector covers none, an empty one all."""
    wanted = budget["spec"].get("selector")
    if wanted is None:
        return []
    chosen, namespace = selector.from_label_selector(wanted), budget["metadata"]["namespace"]
    labels = wanted.get("matchLabels") or {}
    found = view.selected(namespace, labels) if labels else view.list("pods", namespace)
    return [pod for pod in found if chosen.matches(pod["metadata"].get("labels") or {}) and not pods.is_finished(pod)]


def _still_granted(granted: dict[str, str], found: Objects, clock: Clock) -> dict[str, str]:
    """Pods whose eviction was granted but that are not being deleted yet."""
    there = {pod["metadata"]["name"] for pod in found if not pods.is_terminating(pod)}
    return {name: at for name, at in granted.items() if name in there and clock.now_s < seconds(at) + GRANTED_S}


def _expected(budget: Object, found: Objects, view: View) -> tuple[int, int]:
    """(pods there should be, pods that must stay healthy). A plain minAvailable counts pods; all else counts wanted sizes."""
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        expected = _wanted(found, view)
        return expected, max(0, expected - _share(spec["maxUnavailable"], expected))
    minimum = spec.get("minAvailable", 0)
    if isinstance(minimum, int):
        return len(found), minimum
    expected = _wanted(found, view)
    return expected, _share(minimum, expected)


def _share(value: int | str, whole: int) -> int:
    """A number, or a percentage of `whole` rounded up: 50% of 3 is 2."""
    return value if isinstance(value, int) else -(-int(value.rstrip("%")) * whole // 100)


def _wanted(found: Objects, view: View) -> int:
    """The sum of spec.replicas of the pods' topmost controllers, each counted once: the Deployment, not its ReplicaSets."""
    sizes: dict[str, int] = {}
    for pod in found:
        owner, top = ownership.controller_of(pod), None
        while owner is not None:
            resource = ownership.POD_OWNERS.get(owner["kind"])
            above = view.get(Key(resource, pod["metadata"]["namespace"], owner["name"])) if resource else None
            if above is None:
                break
            top, owner = above, ownership.controller_of(above)
        if top is not None and "replicas" in top["spec"]:
            sizes[top["metadata"]["uid"]] = int(top["spec"]["replicas"])
    return sum(sizes.values())
