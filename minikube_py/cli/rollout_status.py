"""`kubectl rollout status` (pkg/cmd/rollout/rollout_status.go, pkg/polymorphichelpers/rollout_status.go).

It drives the cluster itself: virtual time passes until the rollout is done, fails, or nothing more happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.pods import condition
from minikube_py.base.errors import NotFound, UsageError
from minikube_py.cli import failures, rollout, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

REVISION = "deployment.kubernetes.io/revision"


def run(call: Call) -> None:
    rollout.require_objects(call)
    revision = call.number("revision")
    if revision < 0:
        raise UsageError(f"revision must be a positive integer: {revision}")
    objects = rollout.found(call)
    for item in objects.items:
        _follow(call, item, revision)
    failures.raise_all(objects.errors)
    if not objects.items:
        writing.nothing_found(call)


def _follow(call: Call, item: Item, revision: int) -> None:
    """Print the status now and at each change of the object, until it is done."""
    text, done = status(item.object, revision)
    call.say(text)
    if done or not call.on("watch"):
        return
    seen = int(item.object["metadata"].get("resourceVersion") or 0)

    def finished() -> bool:
        nonlocal seen, done
        for change in call.cluster.changes(seen):
            seen = change.revision
            if not done and change.key == (item.kind.storage, item.namespace, item.name):
                if change.new is None:
                    raise UsageError("object has been deleted")
                text, done = status(change.new, revision)
                call.say(text)
        return done

    timeout_s = int(call.seconds("timeout")) or None
    if not call.cluster.run_until(finished, timeout_s):
        raise UsageError("timed out waiting for the condition")


def current(call: Call, item: Item) -> Object | None:
    try:
        return call.cluster.get(item.kind.resource, item.name, item.namespace)
    except NotFound:
        return None


def status(obj: Object, revision: int = 0) -> tuple[str, bool]:
    """(the line to print, whether the rollout is done). Raises UsageError if it failed."""
    writers = {"Deployment": _deployment, "DaemonSet": _daemon_set, "StatefulSet": _stateful_set}
    if obj["kind"] not in writers:
        group = obj["apiVersion"].rpartition("/")[0]
        raise UsageError(f"no status viewer has been implemented for {obj['kind']}{'.' + group if group else ''}")
    if obj["kind"] == "Deployment" and revision:
        running = int((obj["metadata"].get("annotations") or {}).get(REVISION) or 0)
        if running != revision:
            raise UsageError(f"desired revision ({revision}) is different from the running revision ({running})")
    return writers[obj["kind"]](obj)


def _deployment(obj: Object) -> tuple[str, bool]:
    name, wanted, state = obj["metadata"]["name"], obj["spec"].get("replicas", 1), obj.get("status") or {}
    if obj["metadata"].get("generation", 0) > state.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    progressing = condition(obj, "Progressing")
    if progressing and progressing.get("reason") == "ProgressDeadlineExceeded":
        raise UsageError(f'deployment "{name}" exceeded its progress deadline')
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    total, updated, available = (state.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas"))
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...\n", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...\n", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...\n", False
    return f'deployment "{name}" successfully rolled out\n', True


def _only_rolling(strategy: Object) -> None:
    if strategy.get("type") != "RollingUpdate":
        raise UsageError("rollout status is only available for RollingUpdate strategy type")


def _daemon_set(obj: Object) -> tuple[str, bool]:
    _only_rolling(obj["spec"].get("updateStrategy") or {})
    name, state = obj["metadata"]["name"], obj.get("status") or {}
    if obj["metadata"].get("generation", 0) > state.get("observedGeneration", 0):
        return "Waiting for daemon set spec update to be observed...\n", False
    wanted, updated, available = (
        state.get(field, 0) for field in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...\n", False
    if available < wanted:
        return f"{waiting}{available} of {wanted} updated pods are available...\n", False
    return f'daemon set "{name}" successfully rolled out\n', True


def _stateful_set(obj: Object) -> tuple[str, bool]:
    strategy = obj["spec"].get("updateStrategy") or {}
    _only_rolling(strategy)
    wanted, state = obj["spec"].get("replicas", 1), obj.get("status") or {}
    observed = state.get("observedGeneration", 0)
    if observed == 0 or obj["metadata"].get("generation", 0) > observed:
        return "Waiting for statefulset spec update to be observed...\n", False
    ready, updated = state.get("readyReplicas", 0), state.get("updatedReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...\n", False
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        partition = rolling.get("partition")
        if partition is not None and updated < wanted - partition:
            return (
                f"Waiting for partitioned roll out to finish: {updated} out of {wanted - partition} new pods have been "
                "updated...\n",
                False,
            )
        return f"partitioned roll out complete: {updated} new pods have been updated...\n", True
    revision, running = state.get("updateRevision", ""), state.get("currentRevision", "")
    if revision != running:
        return (
            f"waiting for statefulset rolling update to complete {updated} pods at revision {revision}...\n",
            False,
        )
    return (
        f"statefulset rolling update complete {state.get('currentReplicas', 0)} pods at revision {running}...\n",
        True,
    )
