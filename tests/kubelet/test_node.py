"""The node: how it registers, what it reports, when it writes."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import machines
from minikube_py.api.types import Create, Key, Patch, Record, Remember
from minikube_py.kubelet import node
from tests.support import T0, FrozenView, actions

Object = dict[str, Any]
LEASE = {"metadata": {"name": "worker-1", "namespace": "kube-node-lease"}, "spec": {}}


def registered() -> Object:
    return machines.template("worker-1", cpu="4", memory="8Gi", index=1)


def after(found: Object, taken: list[Any]) -> Object:
    for action in taken:
        if isinstance(action, Patch) and action.key.resource == "nodes":
            found = {**found, "status": {**found["status"], **action.fields["status"]}}
    return found


def test_a_new_node_becomes_ready_and_takes_its_lease() -> None:
    taken = actions(node.step, registered(), FrozenView({}))
    assert [action.message for action in taken if isinstance(action, Record)] == [
        "Starting kubelet.",
        "Node worker-1 status is now: NodeReady",
    ]
    lease = next(action.object for action in taken if isinstance(action, Create))
    assert lease["metadata"]["namespace"] == "kube-node-lease"
    assert lease["metadata"]["ownerReferences"][0]["kind"] == "Node"
    assert lease["spec"] == {
        "holderIdentity": "worker-1", "leaseDurationSeconds": 40, "renewTime": T0.micro_timestamp,
    }  # fmt: skip
    conditions = after(registered(), taken)["status"]["conditions"]
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in conditions] == [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]


def test_a_healthy_node_writes_nothing() -> None:
    ready = after(registered(), actions(node.step, registered(), FrozenView({})))
    later = T0.at(T0.now_s + 86_400)
    assert actions(node.step, ready, FrozenView({"leases.coordination.k8s.io": [LEASE]}), later) == []


def test_a_node_that_is_off_does_nothing_and_comes_back_ready() -> None:
    ready = after(registered(), actions(node.step, registered(), FrozenView({})))
    unknown = [
        {**condition, "status": "Unknown", "reason": "NodeStatusUnknown"} for condition in ready["status"]["conditions"]
    ]
    lost = {**ready, "status": {**ready["status"], "conditions": unknown}}
    fault = {"metadata": {"name": "node-down-worker-1"}, "spec": {"type": "NodeDown", "node": "worker-1"}}
    leases = {"leases.coordination.k8s.io": [LEASE]}
    assert actions(node.step, lost, FrozenView({"faults.sim.kpy.dev": [fault], **leases})) == [Remember({"off": True})]
    later = T0.at(T0.now_s + 600)
    taken = actions(node.step, lost, FrozenView(leases), later)
    assert [action.message for action in taken if isinstance(action, Record)] == [
        "Node worker-1 status is now: NodeReady"
    ]
    assert (
        Patch(
            Key("leases.coordination.k8s.io", "kube-node-lease", "worker-1"),
            {"spec": {"renewTime": later.micro_timestamp}},
        )
        in taken
    )
    ready_condition = after(lost, taken)["status"]["conditions"][-1]
    assert (ready_condition["status"], ready_condition["lastTransitionTime"]) == ("True", later.timestamp)


def test_the_template_is_what_kubeadm_and_a_kubelet_register() -> None:
    made = machines.template("cp", control_plane=True, zone="eu-west-1a", labels={"disk": "ssd"})
    assert made["metadata"]["labels"] == {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "disk": "ssd",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "cp",
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/control-plane": "",
        "node.kubernetes.io/exclude-from-external-load-balancers": "",
        "topology.kubernetes.io/region": "eu-west",
        "topology.kubernetes.io/zone": "eu-west-1a",
    }
    assert made["spec"] == {
        "podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"],
        "taints": [{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}],
    }  # fmt: skip
    assert made["status"]["nodeInfo"]["kubeletVersion"] == "v1.36.2"


@pytest.mark.parametrize(
    ("index", "pods", "machine"),
    [
        (0, "10.244.0.0/24", "192.168.10.1"),
        (1, "10.244.1.0/24", "192.168.10.2"),
        (300, "10.245.44.0/24", "192.168.11.47"),
    ],
)
def test_each_node_has_its_own_range_and_address(index: int, pods: str, machine: str) -> None:
    assert (machines.pod_range(index), machines.machine_address(index)) == (pods, machine)


def test_five_thousand_nodes_have_five_thousand_ranges() -> None:
    assert len({machines.pod_range(index) for index in range(5000)}) == 5000
    assert len({machines.machine_address(index) for index in range(5000)}) == 5000
