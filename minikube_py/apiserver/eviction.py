"""The eviction subresource: a deletion that asks the PodDisruptionBudgets first.

Source: pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import budgets, pods
from minikube_py.api.types import Key
from minikube_py.base import errors

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.origin import Origin
    from minikube_py.apiserver.verbs import ApiServer

BUDGETS = "poddisruptionbudgets.policy"


def evict(server: ApiServer, key: Key, *, origin: Origin, grace_s: int | None = None, dry_run: bool = False) -> None:
    """Delete a pod if its disruption budget allows it, and charge the budget. Raises NotFound, TooManyRequests."""
    pod = server.store.get(key)
    if pod is None:
        raise errors.not_found("pods", key.name)
    meta = {"name": key.name, "namespace": key.namespace}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
    server.admit("CREATE", key, "eviction", eviction, origin=origin, dry_run=dry_run)
    covering = [] if ignores_budgets(pod) else server.view.selecting(BUDGETS, pod)
    if len(covering) > 1:
        raise errors.InternalError(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
    for budget in covering:
        if not (unhealthy_goes_free(pod, budget)):
            charge(server, pod, budget, origin, dry_run)
    if not dry_run:
        told = pods.disrupted(pod, "EvictionByEvictionAPI", "Eviction API: evicting", server.clock.timestamp)
        server.change(key, {"status": {"conditions": told}}, "status", origin._replace(trusted=True))
    server.delete(server.registry.resource("pods"), key, grace_s=grace_s, origin=origin, dry_run=dry_run)


def ignores_budgets(pod: Object) -> bool:
    """Pods that are finished, on their way out or not running yet disturb nobody."""
    return pods.is_finished(pod) or pods.is_terminating(pod) or (pod.get("status") or {}).get("phase") == "Pending"


def unhealthy_goes_free(pod: Object, budget: Object) -> bool:
    """spec.unhealthyPodEvictionPolicy: IfHealthyBudget (default) lets a pod that isn't ready go while enough others are."""
    if pods.is_ready(pod):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    return bool(desired > 0 and healthy >= desired)


def charge(server: ApiServer, pod: Object, budget: Object, origin: Origin, dry_run: bool) -> None:
    """Take one disruption off the budget's status."""
    status, meta = budget.get("status") or {}, budget["metadata"]
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        raise errors.TooManyRequests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            details={
                "causes": [
                    {
                        "reason": "DisruptionBudget",
                        "message": f"The disruption budget {meta['name']} is still being processed by the server.",
                    }
                ],
                "retryAfterSeconds": 10,
            },
        )
    if status.get("disruptionsAllowed", 0) <= 0:
        message = (
            f"The disruption budget {meta['name']} needs {status.get('desiredHealthy', 0)} healthy pods "
            f"and has {status.get('currentHealthy', 0)} currently"
        )
        raise errors.TooManyRequests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            details={"causes": [{"reason": "DisruptionBudget", "message": message}]},
        )
    if not dry_run:
        disrupted = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: server.clock.timestamp}
        allowed = status["disruptionsAllowed"] - 1
        told = [budgets.condition(budget, status, allowed, server.clock.timestamp)]
        fields = {"status": {"disruptionsAllowed": allowed, "disruptedPods": disrupted, "conditions": told}}
        key = Key(BUDGETS, meta["namespace"], meta["name"])
        server.change(key, fields, "status", origin._replace(trusted=True))
