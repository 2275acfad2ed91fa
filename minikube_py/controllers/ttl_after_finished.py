"""The TTL-after-finished controller: deletes a finished Job when its time is up.

`step` runs on jobs.batch and is woken by: the Job itself. Its wake: the moment of the deletion, in
the background: a finished Job that waits for its removal does not keep the cluster from being settled, and can be looked at.
    ttlSecondsAfterFinished 3, finished at 10: deleted at 13
Source: k8s.io/kubernetes/pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Delete, Wake
from minikube_py.base.clock import seconds
from minikube_py.controllers import conditions, ownership

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock


def step(job: Object, view: View, clock: Clock) -> Actions:
    limit_s = job["spec"].get("ttlSecondsAfterFinished")
    status = job.get("status") or {}
    ends = [found for name in ("Complete", "Failed") if (found := conditions.get(status, name)) is not None]
    finished = [one["lastTransitionTime"] for one in ends if one["status"] == "True"]
    if limit_s is None or not finished or ownership.is_deleting(job):
        return
    due_s = seconds(finished[0]) + int(limit_s)
    if clock.now_s < due_s:
        yield Wake(due_s, background=True)
        return
    yield Delete(ownership.key_of("jobs.batch", job), propagation="Foreground", uid=job["metadata"]["uid"])
