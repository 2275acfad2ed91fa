"""Where a request comes from or goes to: a pod, a node, or the world outside the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import facets, families, faults, pods
from minikube_py.api.types import Key
from minikube_py.network import addresses

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View


class Place(NamedTuple):
    """One end of a connection. `pod` and `node` are what is known of it: a client outside has neither.

    `namespace` and `labels` are what NetworkPolicy peers look at; a pod on its node's network has the node's identity.
    `second`: its IPv6 address, where `ip` is an IPv4 one and there are both.
    """

    ip: str
    pod: Object | None = None
    node: str = ""
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    title: str = ""
    second: str = ""

    @property
    def is_pod(self) -> bool:
        """Whether policies know it as a pod."""
        return bool(self.namespace)


OUTSIDE = Place(addresses.CLIENT, title="outside", second=addresses.CLIENT_IPV6)
# CoreDNS, as kubeadm deploys it: no pods of it are simulated, but policies can be about it.
DNS = Place("10.244.0.2", None, "", "kube-system", (("k8s-app", "kube-dns"),), "kube-system/coredns")


def of_pod(pod: Object) -> Place:
    meta, status = pod["metadata"], pod.get("status") or {}
    title = f"{meta['namespace']}/{meta['name']}"
    node, ip = pods.node_of(pod), status.get("podIP") or ""
    listed: list[Object] = status.get("podIPs") or []
    second = listed[1]["ip"] if len(listed) > 1 else ""
    if pod["spec"].get("hostNetwork"):
        return Place(ip, pod, node, title=title, second=second)
    labels = tuple(sorted((meta.get("labels") or {}).items()))
    return Place(ip, pod, node, meta["namespace"], labels, title, second)


def of_node(node: Object) -> Place:
    name = node["metadata"]["name"]
    second = families.node_addresses(node)[1:]
    return Place(node_address(node), None, name, title=f"node {name}", second=second[0] if second else "")


def towards(place: Place, address: str) -> Place:
    """The place as the other end sees it: with its address of the same family, '' if it has none."""
    return place._replace(ip=place.second) if ":" in address and ":" not in place.ip else place


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
        if old is not None and (new is None or pods.is_finished(new)):
            for before in families.pod_addresses(old):
                if self.keys.get(before) == key:
                    del self.keys[before]
        if new is not None:
            self._take(key, new)

    def _take(self, key: Key, pod: Object) -> None:
        if not pod["spec"].get("hostNetwork") and not pods.is_finished(pod):
            for address in families.pod_addresses(pod):
                self.keys[address] = key


def pod_at(address: str, view: View) -> Object | None:
    """The pod that has an address of its own."""
    known: PodAddresses = view.derived("network-pod-addresses", PodAddresses)
    key = known.keys.get(address)
    return None if key is None else view.get(key)


def node_at(address: str, view: View) -> Object | None:
    return next((node for node in view.list("nodes") if address in families.node_addresses(node)), None)
