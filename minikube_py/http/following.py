"""What a container tells: its log, whole or followed, and what it answers through the API server's proxy.

Sources: pkg/registry/core/pod/strategy.go (LogLocation), pkg/apis/core/validation (ValidatePodLogOptions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.base import errors
from minikube_py.base.clock import seconds
from minikube_py.http.answers import Answer, Refusal, text
from minikube_py.http.watching import Stream
from minikube_py.network import services, serving
from minikube_py.programs import logs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.http.requests import Request
    from minikube_py.http.world import World

LISTS = ("containers", "initContainers", "ephemeralContainers")
PLAIN = "text/plain"


def log(world: World, kind: Kind, request: Request) -> Answer | Stream:
    """GET pods/NAME/log. Raises BadRequest in the API server's and the kubelet's words."""
    cluster, place = world.cluster, request.place
    if kind.resource != "pods" or place.verb != "get":
        raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
    cluster.authorize("get", kind, place.namespace, place.name, "log")
    pod = cluster.stored("pods", place.name, place.namespace or "")
    wanted = _Wanted(cluster, request)
    container = chosen(pod, request.query.get("container", ""))
    if not pods.node_of(pod):
        return text("", headers=())
    cluster.check_node(pod, f"containerLogs/{place.namespace}/{place.name}/{container['name']}")
    problem = logs.problem(container["name"], pod, wanted.previous)
    if problem:
        raise errors.BadRequest(problem)
    found = logs.lines(container, pod, cluster.view, cluster.clock, wanted.previous)
    if not request.is_on("follow"):
        return Answer(200, "".join(wanted.told(found)).encode("utf-8", "surrogateescape"), PLAIN)
    return Stream(_followed(world, pod, container, wanted, found), lambda: None, PLAIN)


class _Wanted:
    """The options of a request for a log. Raises Invalid and BadRequest for those that are none."""

    def __init__(self, cluster: Cluster, request: Request) -> None:
        self.previous, self.stamped = request.is_on("previous"), request.is_on("timestamps")
        tail, limit = request.number("tailLines"), request.number("limitBytes")
        since, moment = request.number("sinceSeconds"), request.query.get("sinceTime", "")
        for name, number, least in (("tailLines", tail, 0), ("limitBytes", limit, 1), ("sinceSeconds", since, 1)):
            if number is not None and number < least:
                told = "must be greater than or equal to 0" if not least else "must be greater than 0"
                cause = errors.Cause(name, "FieldValueInvalid", f"Invalid value: {number}: {told}")
                raise errors.Invalid("PodLogOptions", "", request.place.name, [cause])
        if since is not None and moment:
            told = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
            raise errors.Invalid(
                "PodLogOptions", "", request.place.name, [errors.Cause("", "FieldValueForbidden", told)]
            )
        self.tail, self.limit = -1 if tail is None else tail, limit or 0
        self.since_s = cluster.clock.now_s - since if since is not None else 0
        if moment:
            try:
                self.since_s = seconds(moment)
            except (ValueError, KeyError, IndexError):
                raise errors.BadRequest(
                    f'parsing time "{moment}" as "2006-01-02T15:04:05Z07:00": cannot parse it'
                ) from None

    def told(self, found: list[tuple[int, str]]) -> list[str]:
        return logs.told(found, since_s=self.since_s, tail=self.tail, stamped=self.stamped, limit=self.limit)


async def _followed(
    world: World, pod: Object, container: Object, wanted: _Wanted, found: list[tuple[int, str]]
) -> AsyncIterator[bytes]:
    """The log so far, and what is written as time passes, until the container has ended."""
    cluster, name = world.cluster, container["name"]
    number = restarts(pod, name)
    key = Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
    yield "".join(wanted.told(found)).encode("utf-8", "surrogateescape")
    count = len(found)
    while True:
        now = cluster.store.get(key)
        if now is None or has_ended(now, name, number):
            return
        await world.hub.moved()
        now = cluster.store.get(key)
        if now is None or restarts(now, name) != number:
            return
        lines = logs.lines(container, now, cluster.view, cluster.clock)
        if len(lines) > count:
            yield "".join(logs.told(lines[count:], stamped=wanted.stamped)).encode("utf-8", "surrogateescape")
            count = len(lines)


def _entry(pod: Object, name: str) -> Object:
    status = pod.get("status") or {}
    entries = (one for field in logs.FIELDS for one in status.get(field) or ())
    return next((one for one in entries if one["name"] == name), {})


def restarts(pod: Object, name: str) -> int:
    return int(_entry(pod, name).get("restartCount", 0))


def has_ended(pod: Object, name: str, number: int) -> bool:
    entry = _entry(pod, name)
    return "terminated" in (entry.get("state") or {}) or entry.get("restartCount", 0) > number


def chosen(pod: Object, name: str) -> Object:
    """The container of that name, or the only one. Raises BadRequest in the API server's words."""
    spec, title = pod["spec"], pod["metadata"]["name"]
    if not name:
        names = {field: " ".join(one["name"] for one in spec.get(field) or ()) for field in LISTS}
        if len(spec["containers"]) == 1:
            return spec["containers"][0]  # type: ignore[no-any-return]
        told = f"a container name must be specified for pod {title}, choose one of: [{names['containers']}]"
        if names["initContainers"]:
            told += f" or one of the init containers: [{names['initContainers']}]"
        if names["ephemeralContainers"]:
            told += f" or one of the ephemeral containers: [{names['ephemeralContainers']}]"
        raise errors.BadRequest(told)
    for field in LISTS:
        for one in spec.get(field) or ():
            if one["name"] == name:
                return one  # type: ignore[no-any-return]
    raise errors.BadRequest(f"container {name} is not valid for pod {title}")


# -- the proxy -------------------------------------------------------------------------------------------------------


def proxy(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    """A request through the API server to a pod or a Service. The answer tells, as `kpy curl` does, who gave it."""
    place = request.place
    if "proxy" not in kind.subresources or kind.resource == "nodes":
        raise Refusal(404, "the server could not find the requested resource")
    cluster.authorize(place.verb, kind, place.namespace, place.name, "proxy")
    words = place.name.split(":")
    name, port = (words[1], words[2]) if len(words) == 3 else (words[0], words[1] if len(words) == 2 else "")
    if kind.resource == "pods":
        pod = cluster.stored("pods", name, place.namespace or "")
        number = int(port) if port.isdigit() else _first_port(pod)
    else:
        service = cluster.stored("services", name, place.namespace or "")
        pod, number = _endpoint(cluster, service, port)
    reply = serving.reply(pod, number, f"/{place.rest}", cluster.view, cluster.clock)
    if reply.sort != serving.ANSWERED:
        told = f"dial tcp {(pod.get('status') or {}).get('podIP', '')}:{number}: connect: connection refused"
        raise Unavailable(f"error trying to reach service: {told}")
    body = f"{reply.status} from pod {pod['metadata']['namespace']}/{pod['metadata']['name']} ({reply.version})\n"
    return Answer(reply.status, body.encode(), PLAIN)


class Unavailable(errors.StatusError):
    reason, code = "ServiceUnavailable", 503


def _first_port(pod: Object) -> int:
    return next((int(one["containerPort"]) for box in pod["spec"]["containers"] for one in box.get("ports") or ()), 80)


def _endpoint(cluster: Cluster, service: Object, port: str) -> tuple[Object, int]:
    """(a ready pod behind a Service, its port). Raises Unavailable."""
    title = service["metadata"]["name"]
    for one in service["spec"].get("ports") or ():
        if port in ("", one.get("name", ""), str(one["port"])):
            for found in services.endpoints(service, one, cluster.view):
                pod = cluster.store.get(Key("pods", found.namespace, found.pod)) if found.pod and found.ready else None
                if pod is not None:
                    return pod, found.port
            break
    raise Unavailable(f'no endpoints available for service "{title}"')
