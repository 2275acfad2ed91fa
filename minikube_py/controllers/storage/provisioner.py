"""External provisioners and resizers, played: what the sidecars of a CSI driver do for claims of its StorageClass.

`step` runs on persistentvolumeclaims (woken by the claim itself and by its StorageClass) and makes a volume for a claim that
the volume controller has handed to a provisioner; `delete_step` runs on persistentvolumes (woken by the volume itself) and
deletes a released one; `resize_step` runs on persistentvolumeclaims and lets a bound one grow. Each takes its time.
Source: github.com/kubernetes-sigs/sig-storage-lib-external-provisioner controller.go, github.com/kubernetes-csi/
external-resizer pkg/controller; k8s.io/kubernetes/pkg/controller/volume/expand/expand_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Create, Delete, Key, Patch, Record, Remember, Wake
from minikube_py.base import quantity
from minikube_py.controllers.ownership import key_of
from minikube_py.controllers.storage import names

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAME, NAME_DELETE, NAME_EXPAND, NAME_RESIZE = "volume-provisioner", "volume-deleter", "volume-expand", "volume-resizer"
PROVISION_S, DELETE_S, RESIZE_S = 3, 2, 3
DELETION_SECRETS = ("volume.kubernetes.io/provisioner-deletion-secret-name",
                    "volume.kubernetes.io/provisioner-deletion-secret-namespace")  # fmt: skip


def step(claim: Object, view: View, clock: Clock) -> Actions:
    """A volume for a claim that waits for this provisioner."""
    meta, provisioner = claim["metadata"], names.notes_of(claim).get(names.PROVISIONER) or ""
    if not provisioner or claim["spec"].get("volumeName") or "deletionTimestamp" in meta:
        return
    storage_class = names.class_of(claim, view)
    name = f"pvc-{meta['uid']}"
    if storage_class is None or storage_class.get("provisioner") != provisioner:
        return
    if view.get(Key(names.VOLUMES, "", name)) is not None:
        return
    done_s = view.memory(NAME, key_of(names.CLAIMS, claim)).get("done")
    if done_s is None:
        done_s = clock.now_s + PROVISION_S
        text = f'External provisioner is provisioning volume for claim "{meta["namespace"]}/{meta["name"]}"'
        yield Record(claim, "Normal", "Provisioning", text, provisioner)
        yield Remember({"done": done_s})
    if clock.now_s < done_s:
        yield Wake(done_s)
        return
    yield Create(_volume(name, claim, storage_class))
    yield Record(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}", provisioner)
    yield Remember({})


def _volume(name: str, claim: Object, storage_class: Object) -> Object:
    meta, spec, provisioner = claim["metadata"], claim["spec"], storage_class["provisioner"]
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resourceVersion": meta.get("resourceVersion", ""),
    }
    made = {
        "accessModes": spec.get("accessModes") or [],
        "capacity": {"storage": spec["resources"]["requests"]["storage"]},
        "claimRef": reference,
        "csi": {"driver": provisioner, "fsType": "ext4", "volumeHandle": name},
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
        "storageClassName": storage_class["metadata"]["name"],
        "volumeMode": names.volume_mode(claim),
    }
    if storage_class.get("mountOptions"):
        made["mountOptions"] = storage_class["mountOptions"]
    terms = [
        {"matchExpressions": [{"key": one["key"], "operator": "In", "values": one["values"]} for one in found]}
        for topology in storage_class.get("allowedTopologies") or ()
        if (found := topology.get("matchLabelExpressions"))
    ]
    if terms:
        made["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    notes = {names.PROVISIONED_BY: provisioner, **dict.fromkeys(DELETION_SECRETS, "")}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": notes},
        "spec": made,
    }


def delete_step(volume: Object, view: View, clock: Clock) -> Actions:
    """A released volume that a provisioner made and that is to be deleted goes after a while."""
    spec, meta = volume["spec"], volume["metadata"]
    if names.PROVISIONED_BY not in names.notes_of(volume) or spec.get("persistentVolumeReclaimPolicy") != "Delete":
        return
    if (volume.get("status") or {}).get("phase") != "Released" or "deletionTimestamp" in meta:
        return
    key = key_of(names.VOLUMES, volume)
    done_s = int(view.memory(NAME_DELETE, key).get("done") or clock.now_s + DELETE_S)
    if clock.now_s < done_s:
        yield Remember({"done": done_s})
        yield Wake(done_s)
    else:
        yield Delete(key)


def expand_step(claim: Object, view: View, clock: Clock) -> Actions:
    """kube-controller-manager's part in a resize: it says that it leaves it to somebody else (volume_expand)."""
    if not _wants_more(claim):
        return
    storage_class = names.class_of(claim, view)
    key, asked = key_of(names.CLAIMS, claim), claim["spec"]["resources"]["requests"]["storage"]
    if storage_class is None or view.memory(NAME_EXPAND, key).get("asked") == asked:
        return
    yield Record(
        claim,
        "Normal",
        "ExternalExpanding",
        "waiting for an external controller to expand this PVC",
        "volume_expand",
    )
    yield Remember({"asked": asked})


def resize_step(claim: Object, view: View, clock: Clock) -> Actions:
    """The driver's part: after a while the volume and the claim have the size that is asked for."""
    volume = view.get(Key(names.VOLUMES, "", claim["spec"].get("volumeName") or ""))
    provisioner = names.notes_of(volume).get(names.PROVISIONED_BY) if volume is not None else None
    if volume is None or not provisioner or not _wants_more(claim):
        return
    key, component, asked = key_of(names.CLAIMS, claim), f"external-resizer {provisioner}", claim["spec"]["resources"]
    size = quantity.canonical(asked["requests"]["storage"])
    known = view.memory(NAME_RESIZE, key)
    if known.get("size") != size:
        name = volume["metadata"]["name"]
        known = {"size": size, "done": clock.now_s + RESIZE_S}
        resizing = {"type": "Resizing", "status": "True", "lastProbeTime": None, "lastTransitionTime": clock.timestamp}
        yield Patch(key, {"status": {"conditions": [resizing]}}, "status")
        yield Record(claim, "Normal", "Resizing", f"External resizer is resizing volume {name}", component)
        yield Remember(known)
    if clock.now_s < known["done"]:
        yield Wake(known["done"])
        return
    yield Patch(key_of(names.VOLUMES, volume), {"spec": {"capacity": {"storage": size}}})
    yield Patch(key, {"status": {"capacity": {"storage": size}, "conditions": None}}, "status")
    yield Record(claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded", component)
    yield Remember({})


def _wants_more(claim: Object) -> bool:
    """Whether a bound claim asks for more than it has."""
    status = claim.get("status") or {}
    if status.get("phase") != "Bound" or "deletionTimestamp" in claim["metadata"]:
        return False
    return names.requested(claim) > quantity.value((status.get("capacity") or {}).get("storage", 0))
