"""The Service `default/kubernetes` leads to this server: the API server itself writes where it is.

Source: pkg/controlplane/reconcilers/instancecount.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.bootstrap import ORIGIN

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster


def publish(cluster: Cluster, host: str, port: int) -> None:
    """Write address and port into the Endpoints and the EndpointSlice of the API server's Service, if there are any."""
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    changes: tuple[tuple[str, Object], ...] = (
        ("endpoints", {"subsets": [{"addresses": [{"ip": host}], "ports": ports}]}),
        (
            "endpointslices.discovery.k8s.io",
            {"endpoints": [{"addresses": [host], "conditions": {"ready": True}}], "ports": ports},
        ),
    )
    with cluster.transaction():
        for resource, fields in changes:
            key = Key(resource, "default", "kubernetes")
            if cluster.store.get(key) is not None:
                cluster.server.change(key, fields, "", ORIGIN)
