"""Images on a node: what is present, what a pull says, and the node's list of images.

Sources: pkg/kubelet/images/image_manager.go, pkg/kubelet/nodestatus/setters.go (Images).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key, Patch
from minikube_py.programs import images as references

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.kubelet.worker import Worker

# How many images a node pulls at a time (maxParallelImagePulls; 1 is what serializeImagePulls does); without it any number.
LIMIT = "sim.kpy.dev/max-parallel-image-pulls"
IMAGES_MAX = 50  # nodeStatusMaxImages: a node reports its largest ones


def present(image: str, node: Object, view: View) -> bool:
    """Whether the runtime of the node has the image."""
    name = references.full_name(image)
    reported = node.get("status", {}).get("images") or ()
    for entry in reported:
        if name in entry["names"]:
            return True
    if len(reported) < IMAGES_MAX:
        return False
    wanted = references.image_id(image)
    return any(
        status.get("imageID") == wanted
        for pod in view.on_node(node["metadata"]["name"])
        for status in pod.get("status", {}).get("containerStatuses") or ()
    )


def added(image: str, size: int, node: Object) -> Patch | None:
    """The node's new list of images after a pull, largest first; None if nothing changes in what it reports."""
    reported = node.get("status", {}).get("images") or []
    name, digest = references.full_name(image), references.image_id(image)
    if any(name in entry["names"] for entry in reported):
        return None
    names = [digest] if name == digest else [digest, name]
    listed = sorted([*reported, {"names": names, "sizeBytes": size}], key=lambda entry: -entry["sizeBytes"])[
        :IMAGES_MAX
    ]
    if listed == reported:
        return None
    return Patch(Key("nodes", "", node["metadata"]["name"]), {"status": {"images": listed}}, "status")


def limit_of(node: Object) -> int:
    """How many images a node may pull at a time; 0: any number."""
    text = str((node["metadata"].get("annotations") or {}).get(LIMIT, ""))
    return int(text) if text.isdigit() else 0


def turn(worker: Worker) -> int:
    """When a pull that is asked for now may begin: as soon as fewer others are under way than the node allows.

    Limit 1, and two pulls of others that end in 4 and in 9 seconds: in 9 seconds.
    """
    limit = limit_of(worker.node)
    if not limit:
        return worker.now
    name, own = worker.node["metadata"]["name"], worker.key
    keys = [own._replace(namespace=pod["metadata"]["namespace"], name=pod["metadata"]["name"])
            for pod in worker.view.on_node(name)]  # fmt: skip
    others = [worker.view.memory("kubelet", key).get("containers") or {} for key in keys if key != own]
    ends = sorted(
        record["until"]
        for records in (*others, worker.records)
        for record in records.values()
        if record["state"] == "pulling" and record["until"] > worker.now
    )
    return int(ends[-limit]) if len(ends) >= limit else worker.now


def should_pull(policy: str, is_present: bool) -> bool:
    return policy == "Always" or (policy != "Never" and not is_present)
