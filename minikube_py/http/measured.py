"""metrics.k8s.io/v1beta1: what the metrics server tells of nodes and pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.apiserver import authorizer
from minikube_py.apiserver.authorizer import Target
from minikube_py.autoscaling import metrics
from minikube_py.base import errors
from minikube_py.http.answers import NOT_FOUND, Answer, accept_of, answer

if TYPE_CHECKING:
    from minikube_py.cluster import Cluster
    from minikube_py.http.requests import Request

GROUP = "metrics.k8s.io"
TELL = {"pods": (metrics.pod_metrics, "PodMetrics"), "nodes": (metrics.node_metrics, "NodeMetrics")}


def handle(cluster: Cluster, path: str, request: Request) -> Answer:
    """nodes[/NAME], [namespaces/NS/]pods[/NAME]. Raises KpyError."""
    words, namespace = path.split("/"), None
    if words[0] == "namespaces" and len(words) > 2:
        namespace, words = words[1], words[2:]
    if (
        words[0] not in TELL
        or len(words) > 2
        or (words[0] == "nodes" and namespace)
        or (words[0] == "pods" and len(words) == 2 and not namespace)
    ):
        return NOT_FOUND
    if request.method not in ("GET", "HEAD"):
        raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
    resource, name = words[0], words[1] if len(words) == 2 else ""
    if request.subject is not None:
        verb = "get" if name else "list"
        authorizer.require(cluster.view, request.subject, verb, Target(GROUP, resource, namespace or "", name))
    tell, kind = TELL[resource]
    accept = accept_of(request.headers.get("accept", ""), allowed=())
    query = request.query
    with cluster.as_administrator():
        if name:
            told = tell(cluster.get(resource, name, namespace or ""), cluster.view, cluster.clock)
            if told is None:
                raise errors.not_found(f"{kind.lower()}.{GROUP}", f"{namespace}/{name}" if namespace else name)
            return answer(told, accept)
        listed = cluster.list(resource, namespace, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        found = [one for obj in listed if (one := tell(obj, cluster.view, cluster.clock)) is not None]
    items = [{key: value for key, value in one.items() if key not in ("apiVersion", "kind")} for one in found]
    return answer({"kind": f"{kind}List", "apiVersion": f"{GROUP}/v1beta1", "metadata": {}, "items": items}, accept)
