"""Where `kpy curl` and `kpy dns` ask from: a pod, a node, or outside the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import NotFound, UsageError
from minikube_py.network import places

if TYPE_CHECKING:
    from minikube_py.cli import own
    from minikube_py.network.places import Place

HELP = "Ask from: POD, NAMESPACE/POD, pod/POD, node/NODE, or outside."


def place(context: own.Context, text: str) -> Place:
    """'outside', 'worker-1', 'node/worker-1', 'web-1', 'shop/web-1', 'pod/web-1'; a pod counts before a node of its name.

    Raises NotFound, and UsageError for a pod that does not run.
    """
    if text == "outside":
        return places.OUTSIDE
    cluster = context.cluster
    kind, slash, name = text.partition("/")
    if slash and kind in ("node", "nodes", "no"):
        return places.of_node(cluster.get("nodes", name))
    namespace = context.namespace
    if slash and kind not in ("pod", "pods", "po"):
        namespace = kind
    try:
        pod = cluster.get("pods", name if slash else text, namespace)
    except NotFound:
        if slash:
            raise
        try:
            return places.of_node(cluster.get("nodes", text))
        except NotFound:
            raise NotFound(
                f'neither a pod "{text}" in namespace "{namespace}" nor a node of that name was found'
            ) from None
    if not (pod.get("status") or {}).get("podIP") or (pod["status"].get("phase") != "Running"):
        phase = (pod.get("status") or {}).get("phase") or "Pending"
        raise UsageError(f'pod "{pod["metadata"]["name"]}" cannot ask: it is {phase} (try `kpy reconcile`)')
    return places.of_pod(pod)
