"""Nodes (describeNode)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import quantity
from minikube_py.printers.describe import parts
from minikube_py.printers.describe.resources import pod_total, summed
from minikube_py.printers.describe.writer import go_bool, rfc1123

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

ROLE_PREFIX = "node-role.kubernetes.io/"
STANDARD = frozenset(("cpu", "memory", "ephemeral-storage", "pods", "storage"))
SYSTEM_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)


def node(obj: Object, w: Writer) -> None:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    parts.head(obj, w, namespaced=False)
    w.line(0, "Roles", ",".join(roles(obj)) or "<none>")
    parts.labels_and_annotations(obj, w)
    w.line(0, "CreationTimestamp", rfc1123(obj["metadata"].get("creationTimestamp")))
    taints = sorted(spec.get("taints") or (), key=lambda taint: f"{taint['effect']},{taint['key']}")
    parts.multiline(w, "Taints", [taint_text(taint) for taint in taints])
    w.line(0, "Unschedulable", go_bool(spec.get("unschedulable")))
    _lease(parts.name(obj), w)
    _conditions(status.get("conditions") or (), w)
    w.put(0, "Addresses:\n")
    for address in status.get("addresses") or ():
        w.line(1, address["type"], address["address"])
    for title, field in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        if status.get(field):
            w.put(0, f"{title}:\n")
            parts.resource_list(w, 1, status[field])
    w.put(0, "System Info:\n")
    for title, field in SYSTEM_INFO:
        w.line(1, title, (status.get("nodeInfo") or {}).get(field, ""))
    if spec.get("podCIDR"):
        w.line(0, "PodCIDR", spec["podCIDR"])
    if spec.get("podCIDRs"):
        w.line(0, "PodCIDRs", ",".join(spec["podCIDRs"]))
    if spec.get("providerID"):
        w.line(0, "ProviderID", spec["providerID"])
    _pods(obj, w)
    parts.events(obj, w)


def roles(obj: Object) -> list[str]:
    """From the labels node-role.kubernetes.io/<role> and kubernetes.io/role=<role>."""
    labels = obj["metadata"].get("labels") or {}
    found = {key[len(ROLE_PREFIX) :] for key in labels if key.startswith(ROLE_PREFIX)} | {
        labels.get("kubernetes.io/role", "")
    }
    return sorted(found - {""})


def taint_text(taint: Object) -> str:
    """Taint.ToString: 'key=value:NoSchedule', 'key:NoSchedule'."""
    key, value, effect = taint["key"], taint.get("value", ""), taint.get("effect", "")
    if not effect:
        return f"{key}={value}:" if value else key
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"


def _lease(node_name: str, w: Writer) -> None:
    lease = w.lookup.get("leases.coordination.k8s.io", "kube-node-lease", node_name)
    if lease is None:
        w.line(0, "Lease", f'Failed to get lease: leases.coordination.k8s.io "{node_name}" not found')
        return
    spec = lease.get("spec") or {}
    w.put(0, "Lease:\n")
    w.line(1, "HolderIdentity", spec.get("holderIdentity", "<unset>"))
    for title, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        w.line(1, title, rfc1123(spec[field]) if spec.get(field) else "<unset>")


def _conditions(conditions: Any, w: Writer) -> None:
    if conditions:
        w.put(0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n")
        w.row(1, "----", "------", "-----------------", "------------------", "------", "-------")
    for one in conditions:
        times = (rfc1123(one.get("lastHeartbeatTime")), rfc1123(one.get("lastTransitionTime")))
        cells = (one["type"], one["status"], *times, one.get("reason", ""))
        w.row(1, *(f"{cell} " for cell in cells), one.get("message", ""))


def _pods(obj: Object, w: Writer) -> None:
    status = obj.get("status") or {}
    room = status.get("allocatable") or status.get("capacity") or {}
    running = [
        pod
        for pod in w.lookup.on_node(parts.name(obj))
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]
    w.line(0, "Non-terminated Pods", f"({len(running)} in total)")
    w.row(1, "Namespace", "Name", "", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    w.row(1, "---------", "----", "", "------------", "----------", "---------------", "-------------", "---")
    for pod in running:
        requests, limits = pod_total(pod, "requests"), pod_total(pod, "limits")
        cells = [
            share(values.get(name, "0"), room.get(name, "0"), name)
            for name in ("cpu", "memory")
            for values in (requests, limits)
        ]
        metadata = pod["metadata"]
        w.row(1, metadata.get("namespace", ""), metadata["name"], "", *cells, w.age(metadata.get("creationTimestamp")))
    _allocated(summed(running, "requests"), summed(running, "limits"), room, w)


def share(used: str, room: str, resource: str) -> str:
    """'100m (5%)': the percentage is cut off, not rounded."""
    measure = quantity.milli if resource == "cpu" else quantity.value
    total = measure(room)
    percent = int(measure(used) / total * 100) if total else 0
    return f"{quantity.canonical(used)} ({percent}%)"


def _allocated(requests: dict[str, str], limits: dict[str, str], room: dict[str, Any], w: Writer) -> None:
    w.put(0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n")
    w.row(1, "Resource", "Requests", "Limits")
    w.row(1, "--------", "--------", "------")
    huge = sorted(name for name in room if name.startswith("hugepages-"))
    for name in ("cpu", "memory", "ephemeral-storage", *huge):
        total = str(room.get(name, "0"))
        w.row(1, name, share(requests.get(name, "0"), total, name), share(limits.get(name, "0"), total, name))
    for name in sorted(room):
        if name not in STANDARD and not name.startswith("hugepages-"):
            w.row(1, name, requests.get(name, "0"), limits.get(name, "0"))
