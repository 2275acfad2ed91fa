"""The quota controller: writes what a namespace's objects use of a ResourceQuota into its status.

`step` runs on resourcequotas and is woken by: the quota itself; the changes of every namespaced object, for the quotas of its
namespace (what a write adds the API server could also charge at once: `admission.quota.charge`; what deletions and ends set free it
cannot). Source: k8s.io/kubernetes/pkg/controller/resourcequota/resource_quota_controller.go (syncResourceQuota).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import quotas
from minikube_py.api.types import Key, Patch
from minikube_py.base import patch

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock


def step(quota: Object, view: View, clock: Clock) -> Actions:
    meta, status = quota["metadata"], quota.get("status") or {}
    hard = quotas.hard(quota)
    fields = patch.diff(status, {"hard": hard, "used": quotas.used(view, quota)})
    if fields:
        yield Patch(Key("resourcequotas", meta["namespace"], meta["name"]), {"status": fields}, "status")
