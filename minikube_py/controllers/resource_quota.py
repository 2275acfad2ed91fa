"""The resource quota controller: what a namespace uses of its quotas, counted anew when something is set free.

`step` runs on resourcequotas and is woken by: the quota itself; deletions in its namespace; pods of its namespace that
finish. (What is created is charged by admission, in the same write.)
Source: k8s.io/kubernetes/pkg/controller/resourcequota/resource_quota_controller.go (syncResourceQuota).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Patch
from minikube_py.apiserver.admission import quota as usage
from minikube_py.base import patch
from minikube_py.controllers.ownership import key_of

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock


def step(quota: Object, view: View, clock: Clock) -> Actions:
    hard = (quota.get("spec") or {}).get("hard") or {}
    used = usage.used(view, quota)
    status = {"hard": hard, "used": {name: used.get(name, "0") for name in sorted(hard)}}
    fields = patch.diff(quota.get("status") or {}, status)
    if fields:
        yield Patch(key_of("resourcequotas", quota), {"status": fields}, "status")
