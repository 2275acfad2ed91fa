"""Status conditions of the apps controllers: read one, put one in.

A condition that is put in moves to the end of the list, as in the real controllers.
Source: k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go (SetDeploymentCondition),
pkg/controller/replicaset/replica_set_utils.go (SetCondition).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects


def get(status: Object, name: str) -> Object | None:
    for found in status.get("conditions") or ():
        if found["type"] == name:
            return found  # type: ignore[no-any-return]
    return None


def without(conditions: Objects, name: str) -> Objects:
    return [one for one in conditions if one["type"] != name]


def put(conditions: Objects, new: Object) -> Objects:
    """The list with `new` in it; unchanged if its status and reason are the ones already there (its text is not compared).

    If only the status stays, the time of the last transition stays too.
    """
    old = next((one for one in conditions if one["type"] == new["type"]), None)
    if old is not None and (old["status"], old.get("reason")) == (new["status"], new.get("reason")):
        return conditions
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return [*without(conditions, new["type"]), new]
