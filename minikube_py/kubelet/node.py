"""The kubelet about its own machine: registration, conditions, lease.

`template` makes the Node as kubeadm and the kubelet register it. The step keeps conditions, lease and the well-known
labels right; it writes nothing periodically: a lease and heartbeats are as old as the last change, and the node
lifecycle controller asks the Fault, not the age of the lease.

Wakes: the node itself; the Faults about it.
Sources: pkg/kubelet/nodestatus/setters.go, pkg/kubelet/kubelet_node_status.go, component-helpers/apimachinery/lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import faults
from minikube_py.api.types import Actions, Create, Key, Patch, Record, Remember, Wake
from minikube_py.base.clock import Clock
from minikube_py.kubelet import pressure

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

STEP = "kubelet-node"
VERSION = "v1.36.2"
LEASE_S = 40
LEASES = "kube-node-lease"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"

# (type, status, reason, message) of a healthy node, in the order in which a kubelet reports them.
HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def template(
    name: str,
    *,
    cpu: str = "2",
    memory: str = "4Gi",
    pods: int = 110,
    labels: dict[str, str] | None = None,
    taints: list[Object] | None = None,
    zone: str = "",
    control_plane: bool = False,
    index: int = 0,
    version: str = VERSION,
) -> Object:
    """A Node without status conditions (the step adds them); `index` gives its pod range and address.

    Index 1: pods in 10.244.1.0/24, the machine at 192.168.10.2; index 300: 10.245.44.0/24 and 192.168.11.45.
    """
    resources = {"cpu": cpu, "ephemeral-storage": "100Gi", "memory": memory, "pods": str(pods)}
    found = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    if control_plane:
        found |= {CONTROL_PLANE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
    if zone:
        region = zone.rpartition("-")[0] or zone
        found |= {"topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone}
    all_taints = [{"effect": "NoSchedule", "key": CONTROL_PLANE}] if control_plane else []
    all_taints += taints or []
    cidr, address = pod_range(index), machine_address(index)
    spec: Object = {"podCIDR": cidr, "podCIDRs": [cidr]}
    if all_taints:
        spec["taints"] = all_taints
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "labels": dict(sorted({**found, **(labels or {})}.items())),
            "name": name,
        },
        "spec": spec,
        "status": {
            "addresses": [{"address": address, "type": "InternalIP"}, {"address": name, "type": "Hostname"}],
            "allocatable": resources,
            "capacity": resources,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {**_info(name), "kubeletVersion": version},
        },
    }


def pod_range(index: int) -> str:
    """The /24 of a node: 10.244.0.0/24 for 0, 10.244.255.0/24 for 255, 10.245.0.0/24 for 256."""
    return (
        f"10.{244 + index // 256}.{index % 256}.0/24" if index < 12 * 256 else f"11.{index // 256}.{index % 256}.0/24"
    )


def machine_address(index: int) -> str:
    """192.168.10.1 for node 0, 192.168.10.254 for 253, 192.168.11.1 for 254."""
    return (
        f"192.168.{10 + index // 254}.{1 + index % 254}"
        if index < 254 * 240
        else f"172.{16 + index // 65536}.{index // 256 % 256}.{index % 256}"
    )


def _info(name: str) -> Object:
    """Identity of the machine: a pure function of its name."""
    ids = Clock(0)
    return {
        "architecture": "amd64",
        "bootID": ids.uid("boot", name),
        "containerRuntimeVersion": "containerd://2.1.0",
        "kernelVersion": "6.1.0-30-amd64",
        "kubeProxyVersion": "",
        "kubeletVersion": VERSION,
        "machineID": ids.uid("machine", name).replace("-", ""),
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "systemUUID": ids.uid("system", name),
    }


def step(node: Object, view: View, clock: Clock) -> Actions:
    """Keep a node's conditions and lease; a machine that is off does nothing."""
    name = node["metadata"]["name"]
    if faults.silencing(name, view) is not None:
        return
    pressures = pressure.under(name, view)
    if pressures:
        yield from _evict(name, pressures[0], view, clock)
    status = _status(node, clock, pressures)
    before = node.get("status") or {}
    changed = {field: value for field, value in status.items() if before.get(field) != value}
    lease = view.get(Key("leases.coordination.k8s.io", LEASES, name))
    if not changed and lease is not None:
        return
    was_ready = _is_ready(node)
    if not before.get("conditions"):
        yield Record(node, "Normal", "Starting", "Starting kubelet.", "kubelet", name)
    if changed:
        yield Patch(Key("nodes", "", name), {"status": changed}, "status")
        if not was_ready:
            yield Record(node, "Normal", "NodeReady", f"Node {name} status is now: NodeReady", "kubelet", name)
    if lease is None:
        yield Create(_lease(node, clock))
    else:
        fields = {"spec": {"renewTime": clock.micro_timestamp}}
        yield Patch(Key("leases.coordination.k8s.io", LEASES, name), fields)


def _evict(name: str, sort: str, view: View, clock: Clock) -> Actions:
    """One pod every ten seconds while the pressure lasts."""
    key = Key("nodes", "", name)
    last_s = view.memory(STEP, key).get("evicted", 0)
    if clock.now_s < last_s + pressure.EVERY_S:
        yield Wake(last_s + pressure.EVERY_S, True)
        return
    pod = pressure.victim(name, sort, view, clock)
    if pod is None:
        return
    told = pressure.message(pod, sort, view, clock)
    meta = pod["metadata"]
    yield Record(pod, "Warning", "Evicted", told, "kubelet", name)
    yield Patch(Key("pods", meta["namespace"], meta["name"]), {"status": pressure.evicted(pod, told, clock)}, "status")
    yield Remember({"evicted": clock.now_s})
    yield Wake(clock.now_s + pressure.EVERY_S)


def _rows(pressures: tuple[str, ...]) -> tuple[tuple[str, str, str, str], ...]:
    """The conditions that a kubelet reports under these pressures."""
    if not pressures:
        return HEALTHY
    return tuple((row[0], "True", *pressure.SORTS[row[0]][:2]) if row[0] in pressures else row for row in HEALTHY)


def _status(node: Object, clock: Clock, pressures: tuple[str, ...] = ()) -> Object:
    """The status with healthy conditions, and with what a kubelet finds out about its machine where nobody said it."""
    before: Object = node.get("status") or {}
    name = node["metadata"]["name"]
    found: Object = {**before}
    if not before.get("nodeInfo"):
        found["nodeInfo"] = _info(name)
    if not before.get("daemonEndpoints"):
        found["daemonEndpoints"] = {"kubeletEndpoint": {"Port": 10250}}
    if not before.get("addresses"):
        address = machine_address(Clock(0).token("address", name) % (254 * 240))
        found["addresses"] = [{"address": address, "type": "InternalIP"}, {"address": name, "type": "Hostname"}]
    if not before.get("capacity"):
        found["capacity"] = {"cpu": "2", "ephemeral-storage": "100Gi", "memory": "4Gi", "pods": "110"}
    if not before.get("allocatable"):
        found["allocatable"] = found["capacity"]
    old = {condition["type"]: condition for condition in before.get("conditions") or ()}
    own = [_condition(row, old.get(row[0]), clock) for row in _rows(pressures)]
    if any(mine is not old.get(mine["type"]) for mine in own):
        # A kubelet posts all its conditions with one heartbeat.
        own = [{**condition, "lastHeartbeatTime": clock.timestamp} for condition in own]
        foreign = [condition for kind, condition in old.items() if kind not in {row[0] for row in HEALTHY}]
        found["conditions"] = [*foreign, *own]
    return found


def _condition(row: tuple[str, str, str, str], old: Object | None, clock: Clock) -> Object:
    kind, status, reason, message = row
    if old is not None and (old["status"], old.get("reason"), old.get("message")) == (status, reason, message):
        return old
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else clock.timestamp
    return {
        "lastHeartbeatTime": clock.timestamp,
        "lastTransitionTime": since,
        "message": message,
        "reason": reason,
        "status": status,
        "type": kind,
    }


def _is_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _lease(node: Object, clock: Clock) -> Object:
    meta = node["metadata"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta.get("uid", "")}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": meta["name"], "namespace": LEASES, "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": meta["name"],
            "leaseDurationSeconds": LEASE_S,
            "renewTime": clock.micro_timestamp,
        },
    }
