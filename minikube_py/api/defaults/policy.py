"""Zero values of the PodDisruptionBudget (pkg/apis/policy/v1 sets no defaults)."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, fill

Object = dict[str, Any]

STATUS: Object = {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}


def pod_disruption_budget(obj: Object) -> Object:
    return always(fill(obj, {"spec": {}}), "status", lambda status: fill(status, STATUS))
