"""One sync of a Deployment, from its ReplicaSets to its status.

`step` runs on deployments.apps and is woken by: the Deployment itself; the ReplicaSets that it controls (their own changes
included); ReplicaSets without a controller that its selector matches; the deletion of pods of its ReplicaSets (Recreate
waits for them). Its wake: one second past the progress deadline, or a retry after a refused write.

One sync writes in one direction only; its own writes wake it again.
Source: k8s.io/kubernetes/pkg/controller/deployment/deployment_controller.go (syncDeployment).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Record
from minikube_py.base import selector
from minikube_py.controllers import ownership, retry
from minikube_py.controllers.deployment import progress, recreate, rolling, sizes, sync

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

STEP = "deployment"


def step(deployment: Object, view: View, clock: Clock) -> Actions:
    key = ownership.key_of("deployments.apps", deployment)
    try:
        yield from _sync(deployment, view, clock)
    except sync.SyncFailed:
        yield from retry.again(STEP, key, deployment, view, clock)
    except sync.OutOfDate:
        return
    else:
        yield from retry.forget(STEP, key, view)


def _sync(deployment: Object, view: View, clock: Clock) -> Actions:
    wanted = deployment["spec"].get("selector") or {}
    if not wanted.get("matchLabels") and not wanted.get("matchExpressions"):
        text = "This deployment is selecting all pods. A non-empty selector is required."
        yield Record(deployment, "Warning", "SelectingAll", text, sync.COMPONENT)
        return

    meta = deployment["metadata"]
    found = [
        *view.owned(meta["uid"], sync.RESOURCE),
        *view.unowned(sync.RESOURCE, meta["namespace"]),
    ]
    reference = ownership.reference_to(deployment, "apps/v1", "Deployment")
    chosen = selector.from_label_selector(wanted)
    mine = yield from ownership.claim(deployment, reference, found, chosen, sync.RESOURCE)
    work = sync.Work(deployment, mine, view, clock)

    if ownership.is_deleting(deployment):
        sets = yield from sync.replica_sets(work, create=False)
        yield from sync.write_status(work, sync.counted_status(work, sets))
        return
    yield from progress.note_pause(work)
    if deployment["spec"].get("paused") or (yield from sync.is_scaling_event(work)):
        yield from sync.scale_only(work)
    elif sizes.is_rolling(deployment):
        yield from rolling.roll(work)
    else:
        yield from recreate.recreate(work)
