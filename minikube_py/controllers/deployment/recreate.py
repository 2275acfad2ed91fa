"""The strategy Recreate: all old pods go, and only when they are gone the new ReplicaSet is created at full size.

Source: k8s.io/kubernetes/pkg/controller/deployment/recreate.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.controllers import ownership
from minikube_py.controllers.deployment import progress, sizes, sync

if TYPE_CHECKING:
    from minikube_py.api.types import Actions


def recreate(work: sync.Work) -> Actions:
    sets = yield from sync.replica_sets(work, create=False)

    scaled_down = False
    for rs in sets.old:
        changed, _ = yield from sync.scale_set_to(work, rs, 0)
        scaled_down = scaled_down or changed
    if scaled_down or _old_pods_running(work, sets):
        yield from progress.write(work, sets)
        return

    if sets.new is None:
        sets = yield from sync.replica_sets(work, create=True)
    assert sets.new is not None, "replica_sets creates the new one or gives up"
    yield from sync.scale_set_to(work, sets.new, sizes.replicas(work.deployment))
    if progress.is_complete(work.deployment, work.deployment.get("status") or {}):
        yield from sync.clean_up(work, sets.old)
    yield from progress.write(work, sets)


def _old_pods_running(work: sync.Work, sets: sync.Sets) -> bool:
    """Whether an old pod is still there, be it terminating: finished pods do not count."""
    if sizes.counted(sets.old, "replicas") > 0:
        return True
    for rs in sets.old:
        for pod in work.view.owned(rs["metadata"]["uid"], "pods"):
            if ownership.is_controlled_by(pod, rs) and not pods.is_finished(pod):
                return True
    return False
