"""What becomes of a volume whose claim is gone: Retain leaves it, Delete removes it, Recycle empties it for the next claim.

The controller itself can delete and recycle host paths below /tmp only; what a CSI driver made, the driver deletes (see
`provisioner`). The recycler's pod (`rm -rf` on the volume; deprecated) is played by the time it takes.
Source: k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go (reclaimVolume), pkg/volume/hostpath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Delete, Patch, Record, Remember, Wake
from minikube_py.controllers.ownership import key_of
from minikube_py.controllers.storage import names

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAME = "volume-binder"  # the step that calls this: what it remembers is kept under its name
RECYCLE_S = 10


def reclaim(volume: Object, view: View, clock: Clock) -> Actions:
    policy = volume["spec"].get("persistentVolumeReclaimPolicy") or "Retain"
    if policy == "Delete":
        yield from _delete(volume, clock)
    elif policy == "Recycle":
        yield from _recycle(volume, view, clock)


def _delete(volume: Object, clock: Clock) -> Actions:
    spec, name = volume["spec"], volume["metadata"]["name"]
    if "deletionTimestamp" in volume["metadata"] or (volume.get("status") or {}).get("phase") == "Failed":
        return
    if names.PROVISIONED_BY in names.notes_of(volume) or "csi" in spec:
        return
    if "hostPath" not in spec:
        problem = f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
        yield from _fail(volume, "VolumeFailedDelete", problem, clock)
    elif not _below_tmp(spec["hostPath"].get("path") or ""):
        problem = f"host_path deleter only supports /tmp/.+ but received provided {spec['hostPath'].get('path') or ''}"
        yield from _fail(volume, "VolumeFailedDelete", problem, clock)
    else:
        yield Delete(key_of(names.VOLUMES, volume))


def _below_tmp(path: str) -> bool:
    return path.startswith("/tmp/") and len(path) > len("/tmp/")


def _recycle(volume: Object, view: View, clock: Clock) -> Actions:
    if (volume.get("status") or {}).get("phase") == "Failed":
        return
    if not {"hostPath", "nfs"} & volume["spec"].keys():
        yield from _fail(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!", clock)
        return
    key = key_of(names.VOLUMES, volume)
    done_s = int(view.memory(NAME, key).get("done") or clock.now_s + RECYCLE_S)
    if clock.now_s < done_s:
        yield Remember({"done": done_s})
        yield Wake(done_s)
        return
    yield Record(volume, "Normal", "VolumeRecycled", "Volume recycled", names.COMPONENT)
    bound = {names.BOUND_BY_CONTROLLER: None}
    yield Patch(key, {"metadata": {"annotations": bound}, "spec": {"claimRef": None}})
    yield Remember({})


def _fail(volume: Object, reason: str, message: str, clock: Clock) -> Actions:
    fields = {"phase": "Failed", "message": message, "lastPhaseTransitionTime": clock.timestamp}
    yield Patch(key_of(names.VOLUMES, volume), {"status": fields}, "status")
    yield Record(volume, "Warning", reason, message, names.COMPONENT)
