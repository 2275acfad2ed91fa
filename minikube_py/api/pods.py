"""What can be read off a pod: ready, available, finished, its requests, what it adds to its node.

Pure functions over pod objects. Sources: pkg/api/v1/pod/util.go, k8s.io/component-helpers/resource/helpers.go.
"""

from __future__ import annotations

from typing import Any

from minikube_py.base import quantity
from minikube_py.base.clock import seconds

Object = dict[str, Any]


def condition(obj: Object, name: str) -> Object | None:
    """The condition of that type in any object's status, or None."""
    for found in obj.get("status", {}).get("conditions") or ():
        if found.get("type") == name:
            return found  # type: ignore[no-any-return]
    return None


def disrupted(pod: Object, reason: str, message: str, stamp: str) -> list[Object]:
    """The pod's conditions with DisruptionTarget: it goes because of the cluster, not because of itself.

    Source: pkg/api/v1/pod/util.go (UpdatePodCondition).
    """
    told: Object = {"type": "DisruptionTarget", "status": "True"}
    if "generation" in pod["metadata"]:
        told["observedGeneration"] = pod["metadata"]["generation"]
    told |= {"lastProbeTime": None, "lastTransitionTime": stamp, "reason": reason, "message": message}
    before = pod.get("status", {}).get("conditions") or ()
    return [*(one for one in before if one.get("type") != "DisruptionTarget"), told]


def is_ready(pod: Object) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found.get("status") == "True"


def is_available(pod: Object, min_ready_s: int, now_s: int) -> bool:
    """Ready for at least `min_ready_s` seconds."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return False
    return min_ready_s == 0 or seconds(found["lastTransitionTime"]) + min_ready_s <= now_s


def is_finished(pod: Object) -> bool:
    """Phase Succeeded or Failed: its resources are free."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_terminating(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def is_active(pod: Object) -> bool:
    """Neither finished nor being deleted: what a ReplicaSet counts (controller.IsPodActive)."""
    return not is_finished(pod) and not is_terminating(pod)


def node_of(pod: Object) -> str:
    return pod["spec"].get("nodeName") or ""


# What the scheduler assumes of a container that does not say (pkg/scheduler/util/pod_resources.go).
DEFAULT_CPU_M = 100
DEFAULT_MEMORY_BYTES = 200 * 1024 * 1024

Amounts = dict[str, int]

# Results per spec: the pods of one template share their lists of containers. The values keep what the ids name alive,
# and objects are never changed, so an entry can not go stale.
_CACHE_MAX = 2048
_requests: dict[tuple[int, ...], tuple[tuple[Any, ...], Amounts, Amounts]] = {}
_counters: dict[tuple[int, ...], tuple[tuple[Any, ...], Amounts]] = {}


def counters(pod: Object) -> Amounts:
    """What a pod adds to its node, as counters that may be summed and subtracted. Do not change the result.

    'pods': 1; 'cpu' in millicores; 'memory', 'ephemeral-storage' and hugepages in bytes; extended resources in units;
    'nonzero/cpu' and 'nonzero/memory' with the scheduler's defaults for containers without requests;
    'port/TCP/0.0.0.0/80' for each host port; 'antiaffinity' 1 for pods with required pod anti-affinity and 'affinity' 1
    for pods with any pod (anti-)affinity; 'priority/0' 1 for the pod's priority.
    """
    spec = pod["spec"]
    parts = (*_resource_parts(spec), spec.get("affinity"), spec.get("priority"))
    ids = tuple(map(id, parts))
    found = _counters.get(ids)
    if found is None:
        if len(_counters) >= _CACHE_MAX:
            _counters.clear()
        found = _counters[ids] = (parts, _count(pod))
    return found[1]


def _count(pod: Object) -> Amounts:
    total = {"pods": 1, f"priority/{pod['spec'].get('priority') or 0}": 1, **requests(pod)}
    assumed = nonzero_requests(pod)
    total["nonzero/cpu"], total["nonzero/memory"] = assumed.get("cpu", 0), assumed.get("memory", 0)
    for protocol, address, port in host_ports(pod):
        total[f"port/{protocol}/{address}/{port}"] = 1
    affinity = pod["spec"].get("affinity") or {}
    near, far = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    if far.get("requiredDuringSchedulingIgnoredDuringExecution"):
        total["antiaffinity"] = 1
    if any((near, far)):
        total["affinity"] = 1
    return total


def host_ports(pod: Object) -> list[tuple[str, str, int]]:
    """(protocol, host address, port) of every host port of the containers and sidecars (pkg/scheduler/util GetHostPorts)."""
    spec = pod["spec"]
    running = [*spec["containers"], *(c for c in spec.get("initContainers") or () if is_sidecar(c))]
    return [
        (port.get("protocol") or "TCP", port.get("hostIP") or "0.0.0.0", port["hostPort"])
        for container in running
        for port in container.get("ports") or ()
        if port.get("hostPort")
    ]


def is_sidecar(container: Object) -> bool:
    """An init container that goes on running: restartPolicy Always."""
    return container.get("restartPolicy") == "Always"


def requests(pod: Object) -> Amounts:
    """What a pod asks for in all: cpu in millicores, the rest in bytes or units. Do not change the result.

    Sources: PodRequests of k8s.io/component-helpers/resource/helpers.go. The containers run together with the sidecars;
    each other init container runs with the sidecars started before it; the larger counts. Pod-level requests
    (spec.resources) take the place of the containers' for cpu, memory and huge pages; overhead comes on top.
    Init 300m, sidecar 100m, init 150m, containers 120m: max(300, 100 + 150, 100 + 120) = 300.
    """
    return _both_requests(pod["spec"])[0]


def nonzero_requests(pod: Object) -> Amounts:
    """As `requests`, but a container without a cpu or memory request counts with 100m and 200Mi."""
    return _both_requests(pod["spec"])[1]


def _resource_parts(spec: Object) -> tuple[Any, ...]:
    return spec.get("containers"), spec.get("initContainers"), spec.get("overhead"), spec.get("resources")


def _both_requests(spec: Object) -> tuple[Amounts, Amounts]:
    parts = _resource_parts(spec)
    ids = tuple(map(id, parts))
    found = _requests.get(ids)
    if found is None:
        if len(_requests) >= _CACHE_MAX:
            _requests.clear()
        found = _requests[ids] = (parts, _spec_requests(spec, {}), _spec_requests(spec, _ASSUMED))
    return found[1], found[2]


_ASSUMED = {"cpu": DEFAULT_CPU_M, "memory": DEFAULT_MEMORY_BYTES}


def _spec_requests(spec: Object, assumed: Amounts) -> Amounts:
    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, _container_requests(container, assumed))
    started: Amounts = {}  # the sidecars so far
    largest: Amounts = {}  # the most that any init container needs while it runs
    for container in spec.get("initContainers") or ():
        wanted = _container_requests(container, assumed)
        if is_sidecar(container):
            _add(total, wanted)
            _add(started, wanted)
            wanted = started
        else:
            _add(wanted, started)
        _raise_to(largest, wanted)
    _raise_to(total, largest)
    for name, amount in ((spec.get("resources") or {}).get("requests") or {}).items():
        if name in ("cpu", "memory") or name.startswith("hugepages-"):
            total[name] = amount_of(name, amount)
    _add(total, {name: amount_of(name, amount) for name, amount in (spec.get("overhead") or {}).items()})
    return total


def _container_requests(container: Object, assumed: Amounts) -> Amounts:
    asked = (container.get("resources") or {}).get("requests") or {}
    return {**assumed, **{name: amount_of(name, amount) for name, amount in asked.items()}}


def amount_of(name: str, amount: Any) -> int:
    """A quantity as a counter: millicores for cpu, whole units for everything else (rounded up)."""
    return quantity.milli(amount) if name == "cpu" else quantity.value(amount)


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        if amount > total.get(name, -1):
            total[name] = amount


def qos_class(pod: Object) -> str:
    """Guaranteed, Burstable or BestEffort (pkg/apis/core/v1/helper/qos/qos.go).

    Guaranteed: every container has cpu and memory limits, and the requests add up to the same. A container whose
    requests were defaulted from its limits has both.
    """
    spec = pod["spec"]
    holders = [spec] if spec.get("resources") else [*spec["containers"], *(spec.get("initContainers") or ())]
    asked: Amounts = {}
    limited: Amounts = {}
    complete = True
    for holder in holders:
        resources = holder.get("resources") or {}
        _add(asked, _compute(resources.get("requests")))
        limits = _compute(resources.get("limits"))
        _add(limited, limits)
        complete = complete and len(limits) == 2
    if not asked and not limited:
        return "BestEffort"
    return "Guaranteed" if complete and asked == limited else "Burstable"


def _compute(amounts: Object | None) -> Amounts:
    """The cpu and memory of a list of resources in thousandths, without zeros."""
    found = {name: quantity.milli(amounts[name]) for name in ("cpu", "memory") if amounts and name in amounts}
    return {name: amount for name, amount in found.items() if amount > 0}


CLIENTS = ("curl", "wget", "nslookup", "nc ")


def asks_network(pod: Object) -> bool:
    """Whether a command of a container names a client of the network: its program may do otherwise when a Service changes."""
    spec = pod["spec"]
    for listed in (spec["containers"], spec.get("initContainers") or ()):
        for container in listed:
            if "command" in container or "args" in container:
                words = f"{container.get('image')} {container.get('command')} {container.get('args')}"
                if any(client in words for client in CLIENTS):
                    return True
    return False
