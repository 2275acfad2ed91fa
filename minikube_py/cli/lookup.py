"""What the describers ask the cluster (printers.describe.lookup.Lookup)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects
    from minikube_py.cluster import Cluster


class ClusterLookup:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        try:
            return self._cluster.get(resource, name, namespace)
        except (NotFound, Forbidden):
            return None

    def list(self, resource: str, namespace: str | None, labels: str = "") -> Objects:
        try:
            return self._cluster.list(resource, namespace, labels=labels)
        except Forbidden:
            return []  # who may not see something is shown an object without it

    def on_node(self, node: str) -> Objects:
        return self._cluster.view.on_node(node)

    def events(self, obj: Object) -> Objects:
        """Events whose involvedObject is this one; kubelets write a node's name for its uid.

        The names of events begin with the name of what they are about, so they are found without looking at all others.
        """
        metadata = obj["metadata"]
        try:
            self._cluster.authorize("list", self._cluster.kind("events"), metadata.get("namespace") or "default")
        except Forbidden:
            return []
        uids = {metadata.get("uid"), metadata["name"] if obj.get("kind") == "Node" else metadata.get("uid")}
        return [
            event
            for event in self._cluster.store.events_named(metadata.get("namespace") or "default", metadata["name"])
            if (event.get("involvedObject") or {}).get("uid") in uids
            and event["involvedObject"].get("name") == metadata["name"]
        ]
