"""PersistentVolumeClaims, PersistentVolumes, StorageClasses, CSINodes, VolumeAttributesClasses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts, volumes
from minikube_py.printers.describe.writer import go_list, rfc1123, titled_bool

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
SHORT_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def claim(obj: Object, w: Writer) -> None:
    claim_fields(obj, w, level=0, full=True)
    users = []
    for pod in w.lookup.list("pods", obj["metadata"].get("namespace", "")):
        for volume in pod["spec"].get("volumes") or ():
            if (volume.get("persistentVolumeClaim") or {}).get("claimName") == parts.name(obj):
                users.append(parts.name(pod))
                break
    parts.multiline(w, "Used By", sorted(users))
    conditions = (obj.get("status") or {}).get("conditions") or ()
    if conditions:
        w.put(0, "Conditions:\n")
        w.row(1, "Type", "Status", "LastProbeTime", "LastTransitionTime", "Reason", "Message")
        w.row(1, "----", "------", "-----------------", "------------------", "------", "-------")
    for one in conditions:
        times = (rfc1123(one.get("lastProbeTime")), rfc1123(one.get("lastTransitionTime")))
        cells = (one["type"], one["status"], *times, one.get("reason", ""))
        w.row(1, *(f"{cell} " for cell in cells), one.get("message", ""))
    parts.events(obj, w)


def claim_fields(obj: Object, w: Writer, *, level: int, full: bool) -> None:
    """The lines of a claim; of a claim template (`full` False) without what only a stored claim has."""
    metadata, spec, status = obj.get("metadata") or {}, obj["spec"], obj.get("status") or {}
    if full:
        parts.head(obj, w)
    w.line(level, "StorageClass", class_of(obj))
    if full:
        _status(obj, w)
    w.line(level, "Volume", spec.get("volumeName", ""))
    if full:
        parts.labels_and_annotations(obj, w)
    else:
        for title, field, sign in (("Labels", "labels", "="), ("Annotations", "annotations", ": ")):
            _nested(
                w, level, title, [f"{key}{sign}{value}" for key, value in sorted((metadata.get(field) or {}).items())]
            )
    if full:
        w.line(level, "Finalizers", go_list(metadata.get("finalizers")))
    capacity = modes = ""
    if spec.get("volumeName"):
        modes = modes_text(status.get("accessModes"))
        capacity = parts.quantity((status.get("capacity") or {}).get("storage", "0"))
    w.line(level, "Capacity", capacity)
    w.line(level, "Access Modes", modes)
    if spec.get("volumeMode") is not None:
        w.line(level, "VolumeMode", spec["volumeMode"])
    source = spec.get("dataSource")
    if source:
        w.put(level, "DataSource:\n")
        if source.get("apiGroup") is not None:
            w.line(level + 1, "APIGroup", source["apiGroup"])
        w.line(level + 1, "Kind", source["kind"])
        w.line(level + 1, "Name", source["name"])


def _nested(w: Writer, level: int, title: str, lines: list[str]) -> None:
    """Lines of a nested writer, which indents every piece it is given, behind a tab too."""
    w.put(level, f"{title}:\t")
    for index, text in enumerate(lines or ["<none>"]):
        if index:
            w.put(level, "\t")
        w.put(level, f"{text}\n")


def _status(obj: Object, w: Writer) -> None:
    deleted = obj["metadata"].get("deletionTimestamp")
    phase = (obj.get("status") or {}).get("phase", "")
    w.line(0, "Status", f"Terminating (lasts {w.age(deleted)})" if deleted else phase)


def class_of(obj: Object) -> str:
    """The storage class of a claim or volume: the old annotation first."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    if CLASS_ANNOTATION in annotations:
        return str(annotations[CLASS_ANNOTATION])
    return str(obj["spec"].get("storageClassName") or "")


def modes_text(modes: list[str] | None) -> str:
    """'RWO,ROX' in kubectl's order."""
    return ",".join(short for mode, short in SHORT_MODES.items() if mode in (modes or ()))


def volume(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w, namespaced=False)
    parts.labels_and_annotations(obj, w)
    w.line(0, "Finalizers", go_list(obj["metadata"].get("finalizers")))
    w.line(0, "StorageClass", class_of(obj))
    _status(obj, w)
    ref = spec.get("claimRef")
    w.line(0, "Claim", f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else "")
    w.line(0, "Reclaim Policy", spec.get("persistentVolumeReclaimPolicy", ""))
    w.line(0, "Access Modes", modes_text(spec.get("accessModes")))
    if spec.get("volumeMode") is not None:
        w.line(0, "VolumeMode", spec["volumeMode"])
    w.line(0, "Capacity", parts.quantity((spec.get("capacity") or {}).get("storage", "0")))
    _node_affinity(spec.get("nodeAffinity") or {}, w)
    w.line(0, "Message", status.get("message", ""))
    w.put(0, "Source:\n")
    volumes.source(w, spec)
    parts.events(obj, w)


def _node_affinity(affinity: Object, w: Writer) -> None:
    required = affinity.get("required")
    if required is None:
        w.line(0, "Node Affinity", "<none>")
        return
    w.line(0, "Node Affinity")
    terms = required.get("nodeSelectorTerms") or ()
    w.line(1, "Required Terms", "" if terms else "<none>")
    for index, term in enumerate(terms):
        _expressions(2, f"Term {index}", term.get("matchExpressions") or (), w)


def _expressions(level: int, title: str, requirements: Any, w: Writer) -> None:
    w.put(level, f"{title}:\t")
    if not requirements:
        w.put(0, "<none>\n")
    for index, one in enumerate(requirements):
        if index:
            w.put(level, "\t")
        values = f" [{', '.join(one['values'])}]" if one.get("values") else ""
        w.put(0, f"{one['key']} {one.get('operator', 'In').lower()}{values}\n")


def storage_class(obj: Object, w: Writer) -> None:
    annotations = obj["metadata"].get("annotations") or {}
    parts.head(obj, w, namespaced=False)
    default = any(annotations.get(name) == "true" for name in DEFAULT_ANNOTATIONS)
    w.line(0, "IsDefaultClass", "Yes" if default else "No")
    w.line(0, "Annotations", parts.map_text(annotations))
    w.line(0, "Provisioner", obj.get("provisioner", ""))
    w.line(0, "Parameters", parts.map_text(obj.get("parameters")))
    w.line(0, "AllowVolumeExpansion", titled_bool(obj.get("allowVolumeExpansion")))
    w.put(0, "MountOptions:\n" if obj.get("mountOptions") else "MountOptions:\t<none>\n")
    for option in obj.get("mountOptions") or ():
        w.put(1, f"{option}\n")
    for title, field in (("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode")):
        if obj.get(field) is not None:
            w.line(0, title, obj[field])
    topologies = obj.get("allowedTopologies")
    if topologies is not None:
        w.line(0, "AllowedTopologies", "" if topologies else "<none>")
    for index, term in enumerate(topologies or ()):
        _expressions(1, f"Term {index}", term.get("matchLabelExpressions") or (), w)
    parts.events(obj, w)


def attributes_class(obj: Object, w: Writer) -> None:
    parts.head(obj, w, namespaced=False)
    w.line(0, "Annotations", parts.map_text(obj["metadata"].get("annotations")))
    w.line(0, "DriverName", obj.get("driverName", ""))
    w.line(0, "Parameters", parts.map_text(obj.get("parameters")))
    parts.events(obj, w)


def csi_node(obj: Object, w: Writer) -> None:
    parts.head(obj, w, namespaced=False)
    parts.labels_and_annotations(obj, w)
    w.line(0, "CreationTimestamp", rfc1123(obj["metadata"].get("creationTimestamp")))
    w.put(0, "Spec:\n")
    drivers = obj["spec"].get("drivers")
    if drivers is not None:
        w.put(1, "Drivers:\n")
    for driver in drivers or ():
        w.put(2, f"{driver['name']}:\n")
        w.line(3, "Node ID", driver.get("nodeID", ""))
        count = (driver.get("allocatable") or {}).get("count")
        if count is not None:
            w.put(3, "Allocatables:\n")
            w.line(4, "Count", count)
        if driver.get("topologyKeys") is not None:
            w.line(3, "Topology Keys", go_list(driver["topologyKeys"]))
    parts.events(obj, w)
