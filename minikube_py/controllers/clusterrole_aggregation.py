"""ClusterRoles with an aggregationRule have the rules of the ClusterRoles that it selects.

`step` runs on ClusterRoles and is woken by: the role itself; for every role with an aggregationRule, any other that changes.
Source: k8s.io/kubernetes/pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key, Patch
from minikube_py.base import selector

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

CLUSTER_ROLES = "clusterroles.rbac.authorization.k8s.io"


def step(role: Object, view: View, clock: Clock) -> Actions:
    wanted = role.get("aggregationRule")
    if not wanted:
        return
    rules: list[Object] = []
    for one in wanted.get("clusterRoleSelectors") or ():
        chosen = selector.from_label_selector(one)
        for other in view.list(CLUSTER_ROLES):
            if other["metadata"]["name"] != role["metadata"]["name"] and chosen.matches(
                other["metadata"].get("labels") or {}
            ):
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
    if rules != (role.get("rules") or []):
        yield Patch(Key(CLUSTER_ROLES, "", role["metadata"]["name"]), {"rules": rules})
