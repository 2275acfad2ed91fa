"""ValidatingAdmissionPolicies have in their status what is wrong with the types in their expressions.

`step` runs on ValidatingAdmissionPolicies and is woken by: the policy itself.
Source: k8s.io/kubernetes/pkg/controller/validatingadmissionpolicystatus/controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key, Patch
from minikube_py.controllers.kinds_of import kinds

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"


def step(policy: Object, view: View, clock: Clock) -> Actions:
    meta = policy["metadata"]
    status = policy.get("status") or {}
    if status.get("observedGeneration", 0) >= meta.get("generation", 0):
        return
    checked: Object = {"observedGeneration": meta.get("generation", 0), "typeChecking": {}}
    from minikube_py.api.cel import frontend

    if frontend.available():
        from minikube_py.api.cel import typecheck

        found = typecheck.warnings(policy, kinds(view))
        checked["typeChecking"] = {"expressionWarnings": found or None}
    yield Patch(Key(POLICIES, "", meta["name"]), {"status": checked}, "status")
