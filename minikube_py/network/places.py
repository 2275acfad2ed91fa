"""Where a request comes from or goes to: a pod, a node, or the world outside the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import facets, faults, pods
from minikube_py.api.types import Key
from minikube_py.network import addresses

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View


class Place(NamedTuple):
    """One end of a connection. `pod` and `node` are what is known of it: a client outside has neither.

    `namespace` and `labels` are what NetworkPolicy peers look at; a pod on its node's network has the node's identity.
    """

    ip: str
    pod: Object | None = None
    node: str = ""
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    title: str = ""

    @property
    def is_pod(self) -> bool:
        """Whether policies know it as a pod."""
        return bool(self.namespace)


OUTSIDE = Place(addresses.CLIENT, title="outside")
# CoreDNS, as kubeadm deploys it: no pods of it are simulated, but policies can be about it.
DNS = Place("10.244.0.2", None, "", "kube-system", (("k8s-app", "kube-dns"),), "kube-system/coredns")


def of_pod(pod: Object) -> Place:
    meta, status = pod["metadata"], pod.get("status") or {}
    title = f"{meta['namespace']}/{meta['name']}"
    node = pods.node_of(pod)
    if pod["spec"].get("hostNetwork"):
        return Place(status.get("podIP") or "", pod, node, title=title)
    labels = tuple(sorted((meta.get("labels") or {}).items()))
    return Place(status.get("podIP") or "", pod, node, meta["namespace"], labels, title)


def of_node(node: Object) -> Place:
    name = node["metadata"]["name"]
    return Place(node_address(node), None, name, title=f"node {name}")


def node_address(node: Object) -> str:
    """The node's internal address; '' if it has none."""
    for address in (node.get("status") or {}).get("addresses") or ():
        if address["type"] == "InternalIP":
            return str(address["address"])
    return ""


def is_down(node: str, view: View) -> bool:
    """Whether the machine is switched off."""
    return bool(node) and faults.silencing(node, view, faults.MACHINE_OFF) is not None


class PodAddresses:
    """Which pod has an address, kept up to date by the store (a `types.Derived`). Pods on their node's network share it."""

    resources = frozenset(("pods",))
    facets = facets.CAME | facets.WENT | facets.ADDRESS | facets.ENDED

    def __init__(self, view: View) -> None:
        self.keys: dict[str, Key] = {}
        for pod in view.list("pods"):
            self._take(Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]), pod)

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource != "pods":
            return
        before = (old.get("status") or {}).get("podIP") if old is not None else None
        if before and self.keys.get(before) == key and (new is None or pods.is_finished(new)):
            del self.keys[before]
        if new is not None:
            self._take(key, new)

    def _take(self, key: Key, pod: Object) -> None:
        address = (pod.get("status") or {}).get("podIP")
        if address and not pod["spec"].get("hostNetwork") and not pods.is_finished(pod):
            self.keys[address] = key


def pod_at(address: str, view: View) -> Object | None:
    """The pod that has an address of its own."""
    known: PodAddresses = view.derived("network-pod-addresses", PodAddresses)
    key = known.keys.get(address)
    return None if key is None else view.get(key)


def node_at(address: str, view: View) -> Object | None:
    return next((node for node in view.list("nodes") if node_address(node) == address), None)
