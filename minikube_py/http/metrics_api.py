"""The metrics APIs: metrics.k8s.io/v1beta1 (nodes and pods), custom.metrics.k8s.io and external.metrics.k8s.io."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.kinds import METRICS
from minikube_py.apiserver import authorizer
from minikube_py.apiserver.authorizer import Target
from minikube_py.autoscaling import metrics_api
from minikube_py.base import errors
from minikube_py.http import tables
from minikube_py.http.answers import NOT_FOUND, Answer, accept_of, answer

if TYPE_CHECKING:
    from minikube_py.cluster import Cluster
    from minikube_py.http.requests import Request

GROUP = "metrics.k8s.io"
TELL = {"pods": "PodMetrics", "nodes": "NodeMetrics"}
# The paths that are answered here: below them resources of other kinds than the registry's.
PREFIXES = (f"/apis/{METRICS}/", f"/apis/{metrics_api.CUSTOM}/", f"/apis/{metrics_api.EXTERNAL}/")


def handle(cluster: Cluster, path: str, request: Request) -> Answer:
    """GET on a path below one of PREFIXES. Raises KpyError."""
    if request.method not in ("GET", "HEAD"):
        raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
    group, version, *words = path.removeprefix("/apis/").split("/")
    if group == GROUP:
        return _of_server(cluster, words, request)
    namespace = words[1] if len(words) > 2 else ""
    if request.subject is not None:
        resource, name = (words[2], words[3] if len(words) > 4 else "") if len(words) > 2 else ("*", "")
        authorizer.require(cluster.view, request.subject, "get", Target(group, resource, namespace, name))
    told = metrics_api.answer(group, version, words, request.query, cluster.view, cluster.clock)
    return answer(told, accept_of(request.headers.get("accept", ""), allowed=()))


def _of_server(cluster: Cluster, words: list[str], request: Request) -> Answer:
    """nodes[/NAME], [namespaces/NS/]pods[/NAME]."""
    namespace = None
    if words[0] == "namespaces" and len(words) > 2:
        namespace, words = words[1], words[2:]
    if (
        words[0] not in TELL
        or len(words) > 2
        or (words[0] == "nodes" and namespace)
        or (words[0] == "pods" and len(words) == 2 and not namespace)
    ):
        return NOT_FOUND
    resource, name = words[0], words[1] if len(words) == 2 else ""
    if request.subject is not None:
        verb = "get" if name else "list"
        authorizer.require(cluster.view, request.subject, verb, Target(GROUP, resource, namespace or "", name))
    accept = accept_of(request.headers.get("accept", ""), allowed=("Table",))
    query, kind = request.query, cluster.registry.resource(f"{resource}.{GROUP}")
    with cluster.as_administrator():
        if name:
            found = [cluster.get(kind.resource, name, namespace or "")]
        else:
            labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
            found = cluster.list(kind.resource, namespace, labels, fields)
    if accept.as_kind:
        include = query.get("includeObject", "") or "Metadata"
        return answer(tables.table(kind, found, {}, now_s=cluster.clock.now_s, include=include), accept)
    if name:
        return answer(found[0], accept)
    items = [{key: value for key, value in one.items() if key not in ("apiVersion", "kind")} for one in found]
    return answer({"kind": f"{TELL[resource]}List", "apiVersion": METRICS, "metadata": {}, "items": items}, accept)
