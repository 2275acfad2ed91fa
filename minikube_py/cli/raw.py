"""`get --raw PATH`: what the API server answers to a GET, for the version, its health, and objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import Forbidden, NotFound, UsageError
from minikube_py.base.gotext import json_text

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.cli.call import Call

Object = dict[str, Any]

HEALTH = ("/healthz", "/livez", "/readyz")
MISSING = "the server could not find the requested resource"


def run(call: Call) -> None:
    path = call.text("raw")
    if call.args or call.list("filename"):
        raise UsageError("arguments may not be passed when --raw is specified")
    if call.on("watch") or call.on("watch-only") or call.text("selector"):
        raise UsageError(
            "--raw may not be specified with other flags that filter the server request or alter the output"
        )
    if call.text("output"):
        raise UsageError("--raw and --output are mutually exclusive")
    if not path.startswith("/"):
        raise UsageError(f'--raw must be a valid URL path: parse "{path}": invalid URI for request')
    path, _, query = path.partition("?")
    path = path.rstrip("/")
    _authorize(call, path)
    if path == "/version":
        from minikube_py.cluster import server_version

        call.say(json.dumps(server_version(call.cluster.info.kubernetes_version), indent=2))
    elif path in HEALTH:
        call.say("ok")
    else:
        call.say(json_text(_resource(call, path, query)))


def _authorize(call: Call, path: str) -> None:
    """Whether --as may read a path that is no resource's, or a pod's log."""
    subject, words = call.cluster.subject, path.strip("/").split("/")
    if subject is None:
        return
    if words[0] in ("api", "apis") and len(words) > 2:
        if words[:2] == ["api", "v1"] and words[2] == "namespaces" and words[4:5] == ["pods"] and words[6:] == ["log"]:
            call.cluster.authorize("get", call.registry.resource("pods"), words[3], words[5], "log")
        return
    from minikube_py.apiserver import authorizer

    if not authorizer.allows(call.cluster.view, subject, "get", authorizer.Target("", "", path=path)):
        raise Forbidden(f'forbidden: User "{subject.user}" cannot get path "{path}"')


def _resource(call: Call, path: str, query: str) -> Object:
    """/api/v1/[namespaces/NS/]pods[/NAME], /apis/GROUP/VERSION/..."""
    words = path.strip("/").split("/")
    if words[0] == "api" and len(words) > 2:
        version, rest = words[1], words[2:]
    elif words[0] == "apis" and len(words) > 2 and words[1].endswith("metrics.k8s.io"):
        return _metrics(call, words[1], words[2], words[3:], query)
    elif words[0] == "apis" and len(words) > 3:
        version, rest = f"{words[1]}/{words[2]}", words[3:]
    else:
        raise NotFound(MISSING)
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    kind = _kind(call, version, rest[0])
    if len(rest) == 1:
        items = call.cluster.list(kind.resource, namespace)
        revision = str(call.cluster.store.revision)
        kept = [{key: value for key, value in item.items() if key not in ("apiVersion", "kind")} for item in items]
        name = kind.list_name or f"{kind.name}List"
        return {"kind": name, "apiVersion": version, "metadata": {"resourceVersion": revision}, "items": kept}
    if len(rest) == 2:
        return call.cluster.get(kind.resource, rest[1], namespace or "")
    raise NotFound(MISSING)


def _metrics(call: Call, group: str, version: str, words: list[str], query: str) -> Object:
    """The metrics APIs: those of the metrics server, of custom and of external metrics."""
    from urllib.parse import parse_qsl

    from minikube_py.autoscaling import metrics_api

    cluster, asked = call.cluster, dict(parse_qsl(query))
    if group != "metrics.k8s.io":
        return metrics_api.answer(group, version, words, asked, cluster.view, cluster.clock)
    namespace = None
    if words[:1] == ["namespaces"] and len(words) > 2:
        namespace, words = words[1], words[2:]
    is_node = words[:1] == ["nodes"]
    if version != "v1beta1" or words[:1] not in (["pods"], ["nodes"]) or len(words) > 2 or (is_node and namespace):
        raise NotFound(MISSING)
    if len(words) == 2:
        return cluster.get(f"{words[0]}.metrics.k8s.io", words[1], namespace or "")
    items = cluster.list(f"{words[0]}.metrics.k8s.io", namespace, asked.get("labelSelector", ""))
    return {
        "kind": "NodeMetricsList" if is_node else "PodMetricsList",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {},
        "items": [{key: value for key, value in one.items() if key not in ("apiVersion", "kind")} for one in items],
    }


def _kind(call: Call, version: str, plural: str) -> Kind:
    for kind in call.registry.kinds:
        if kind.plural == plural and version in (kind.version, *kind.others):
            return kind
    raise NotFound(MISSING)
