"""A request followed from the client to the container: name, Service or Ingress or node port, policy, endpoint, answer.

`plan` goes as far as the choice of an endpoint, `arrive` from there to the answer; `request` does both for one request,
`spread` for many at once, each endpoint with its share. Every step leaves a `Hop` that names the rule which decided.
What a client sees of a failure is told in curl's words, with its exit codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.api.families import IPV4, family_of, pod_addresses
from minikube_py.api.nodes import ZONE
from minikube_py.network import addresses, dns, gateway, ingress, places, policy, services, serving
from minikube_py.network.requests import Backend, Match, Request
from minikube_py.network.services import Endpoint
from minikube_py.programs.throttling import LATENCY_S

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.network.places import Place

TRIES_MAX = 3  # of a proxy that is refused, before it gives up (proxy_next_upstream of nginx)
API_SERVER = ("default", "kubernetes")
# The controllers behind Ingresses and Gateways, as policies see them.
PROXY = places.Place(
    "10.244.0.3", None, "", "ingress-nginx", (("app.kubernetes.io/name", "ingress-nginx"),), "ingress", "fd00:10:244::3"
)


class Hop(NamedTuple):
    """`step`: dns, service, ingress, gateway, node, policy, endpoint, pod, client."""

    step: str
    text: str


class Candidate(NamedTuple):
    """An endpoint that a request may come to, its share of all requests, and who it sees as the client."""

    share: float
    endpoint: Endpoint
    source: Place


class Outcome(NamedTuple):
    """What the client sees: an HTTP status, or 0 with curl's exit code and message. `cause` is a word for statistics:
    '' (answered below 500), dns, refused, timeout, policy, tls, or http-503 and the like."""

    status: int
    cause: str
    exit_code: int = 0
    message: str = ""
    hops: tuple[Hop, ...] = ()
    pod: str = ""  # namespace/name
    version: str = ""
    image_note: str = ""
    latency_s: float = LATENCY_S
    per_second: int = 0
    until: int = 0  # when the answer may change by itself; 0: never
    body: str = ""  # the page, where it is known


class Route(NamedTuple):
    """The way up to the endpoints. `outcome` is set where it ends before. `proxied`: an HTTP proxy makes the last step;
    `retried`: who is refused by one endpoint tries the next."""

    hops: tuple[Hop, ...]
    candidates: tuple[Candidate, ...] = ()
    outcome: Outcome | None = None
    proxied: bool = False
    retried: bool = False
    sticky: bool = False


def request(view: View, clock: Clock, source: Place, asked: Request, *, number: int = 0, limit_s: int = 10) -> Outcome:
    """Follow one request. `number` tells requests of the same second apart: the choice of endpoint depends on it."""
    route = plan(view, clock, source, asked, limit_s=limit_s)
    if route.outcome is not None:
        return route.outcome._replace(hops=(*route.hops, *route.outcome.hops))
    hops, left = list(route.hops), list(route.candidates)
    words = (source.ip, asked.host, asked.port, clock.now_s, number)
    outcome = None
    for _ in range(TRIES_MAX if route.proxied else len(left)):
        chosen = _stuck_to(left, clock, words[:3]) if route.sticky else _draw(left, clock, words)
        outcome = arrive(view, clock, chosen, asked, limit_s=limit_s)
        hops += outcome.hops
        left.remove(chosen)
        if outcome.cause != "refused" or not route.retried or not left:
            break
    assert outcome is not None, "a route without an outcome has candidates"
    return _through_proxy(outcome, route)._replace(hops=tuple(hops))


def spread(
    view: View, clock: Clock, source: Place, asked: Request, *, limit_s: int = 10
) -> list[tuple[float, Endpoint | None, Outcome]]:
    """Where many requests go: (share, endpoint, what comes of it); the shares add up to 1."""
    route = plan(view, clock, source, asked, limit_s=limit_s)
    if route.outcome is not None:
        return [(1.0, None, route.outcome)]
    chosen = route.candidates
    if route.sticky and source.pod is not None:
        chosen = (_stuck_to(list(chosen), clock, (source.ip, asked.host, asked.port))._replace(share=1.0),)
    return settle([(one, arrive(view, clock, one, asked, limit_s=limit_s)) for one in chosen], route)


def settle(found: list[tuple[Candidate, Outcome]], route: Route) -> list[tuple[float, Endpoint | None, Outcome]]:
    """The shares of outcomes; where the refused are tried again, the others take over their share."""
    total = sum(one.share for one, _ in found)
    kept = [(one, outcome) for one, outcome in found if not (route.retried and outcome.cause == "refused")] or found
    taken = sum(one.share for one, _ in kept)
    scale = 1 / taken if taken and total else 0
    return [(one.share * scale, one.endpoint, _through_proxy(outcome, route)) for one, outcome in kept]


def _draw(candidates: list[Candidate], clock: Clock, words: tuple[object, ...]) -> Candidate:
    """By weight; the dice depends on the words alone."""
    total = sum(one.share for one in candidates)
    mark = clock.dice("endpoint", *words).random() * total
    for one in candidates:
        mark -= one.share
        if mark < 0:
            return one
    return candidates[-1]


def _stuck_to(candidates: list[Candidate], clock: Clock, words: tuple[object, ...]) -> Candidate:
    """Session affinity ClientIP: a client stays with its endpoint as long as that is there, whichever others come and go (it is
    the one that scores highest with it)."""
    return max(candidates, key=lambda one: clock.token("affinity", *words, one.endpoint.ip))


# -- the way to the endpoints ------------------------------------------------------------------------------------------


def plan(view: View, clock: Clock, source: Place, asked: Request, *, limit_s: int = 10) -> Route:
    """From the client's words to the endpoints that its connection may be sent to."""
    if places.is_down(source.node, view) and source.title != "outside":
        return _ended((Hop("client", f"node {source.node} is down"),), _timeout(asked, limit_s))
    if addresses.is_address(asked.host):
        found, hops = [asked.host], []
    elif asked.host == "localhost":
        found, hops = [source.ip], [Hop("dns", "localhost: the client itself")]
    else:
        answer = dns.lookup(asked.host, source, view)
        hops = [Hop("dns", f"{name}: {code}") for name, code in answer.tried[:-1] if code != answer.code]
        if answer.code == dns.TIMEOUT:
            message = f"curl: (28) Resolving timed out after {limit_s * 1000} milliseconds"
            return _ended((Hop("dns", answer.why),), Outcome(0, "dns", 28, message))
        found = _of_family(answer.addresses, asked.family)
        if not found:
            message = f"curl: (6) Could not resolve host: {asked.host}"
            asks = ", ".join(name for name, _ in answer.tried)
            return _ended((Hop("dns", f"{answer.why} (asked: {asks})"),), Outcome(0, "dns", 6, message))
        shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        hops.append(Hop("dns", f"{asked.host} is {answer.name}: {shown}"))
    return _through(view, source, asked, found, tuple(hops), limit_s)


def _of_family(found: list[str], family: str) -> list[str]:
    """The addresses that a client tries: where there are both families IPv4 comes first, as private IPv6 addresses have the
    lower precedence (RFC 6724); the others would only be tried if it were out of reach."""
    if not family and any(":" not in one for one in found):
        family = IPV4
    return [one for one in found if not family or family_of(one) == family]


def _through(view: View, source: Place, asked: Request, found: list[str], hops: tuple[Hop, ...], limit_s: int) -> Route:
    """Several addresses are a headless Service's: the client takes them as they come, one after the other."""
    if len(found) == 1:
        return _to_address(view, source, asked, found[0], hops, limit_s)
    routes = [_to_address(view, source, asked, one, (), limit_s) for one in found]
    candidates = tuple(one._replace(share=one.share / len(found)) for route in routes for one in route.candidates)
    if not candidates:
        return routes[0]._replace(hops=(*hops, *routes[0].hops))
    return Route(
        (*hops, Hop("client", f"tries the {len(found)} addresses one after the other")), candidates, retried=True
    )


def _to_address(view: View, source: Place, asked: Request, address: str, hops: tuple[Hop, ...], limit_s: int) -> Route:
    source = places.towards(source, address)
    if not source.ip and ":" in address:
        return _ended((*hops, Hop("client", f"it has no IPv6 address to reach {address} from")), _refused(asked))
    if ingress.behind(address, view):
        if asked.port not in (80, 443):
            return _ended(
                (*hops, Hop("ingress", f"the controller listens on 80 and 443, not {asked.port}")), _refused(asked)
            )
        return _proxied(view, ingress.match(asked, address, view), asked, "ingress", hops)
    gateways = gateway.behind(address, view)
    if gateways:
        return _proxied(view, gateway.match(asked, gateways[0], view), asked, "gateway", hops)
    owned = services.owner_of(address, asked.port, view)
    if owned is not None:
        return _to_service(view, source, asked, owned, hops, limit_s)
    node = places.node_at(address, view)
    if node is not None:
        return _to_node(view, source, asked, node, hops, limit_s)
    pod = places.pod_at(address, view)
    if pod is None:
        return _ended((*hops, Hop("endpoint", f"nobody has the address {address}")), _timeout(asked, limit_s))
    if source.title == "outside":
        return _ended(
            (*hops, Hop("endpoint", f"{address} is a pod: not reachable from outside the cluster")),
            _timeout(asked, limit_s),
        )
    return Route(hops, (Candidate(1.0, _endpoint_of(pod, address, asked.port), source),))


def _endpoint_of(pod: Object, address: str, port: int) -> Endpoint:
    meta = pod["metadata"]
    return Endpoint(address, port, meta["namespace"], meta["name"], pods.node_of(pod))


def _ended(hops: tuple[Hop, ...], outcome: Outcome) -> Route:
    return Route(hops, (), outcome)


def _title(service: Object) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"


def _to_service(
    view: View, source: Place, asked: Request, owned: services.Owned, hops: tuple[Hop, ...], limit_s: int
) -> Route:
    """kube-proxy on the client's node, or on the node that a load balancer chose."""
    service, how, port = owned
    meta = service["metadata"]
    told = f"{_title(service)} {how} {asked.port}/TCP"
    if source.title == "outside" and how == "ClusterIP":
        why = f"{told}: a ClusterIP is not reachable from outside the cluster"
        return _ended((*hops, Hop("service", why)), _timeout(asked, limit_s))
    if port is None:
        why = f"{_title(service)} has no port {asked.port}/TCP"
        return _ended((*hops, Hop("service", why)), _timeout(asked, limit_s))
    if (meta["namespace"], meta["name"]) == API_SERVER:
        return _ended((*hops, Hop("service", f"{told}: the API server")), _api_server(asked))
    if how != "ClusterIP":
        refusal = _ranges_refuse(service, source)
        if refusal:
            return _ended((*hops, Hop("service", refusal)), _timeout(asked, limit_s))
        if source.title == "outside":
            return _balanced(view, source, asked, owned, hops, limit_s)
    found = services.endpoints(service, port, view, family_of(source.ip))
    choice = _choice(view, service, found, source.node, external=False)
    return _chosen(service, choice, source, asked, (*hops, Hop("service", f"{told}: {choice.why}")), limit_s)


def _choice(view: View, service: Object, found: list[Endpoint], node: str, *, external: bool) -> services.Choice:
    """What kube-proxy on a node chooses from; '' is no node."""
    from minikube_py.api.types import Key

    there = view.get(Key("nodes", "", node)) if node else None
    zone = (there["metadata"].get("labels") or {}).get(ZONE, "") if there is not None else ""
    return services.choose(service, found, node=node, external=external, zone=zone)


def _ranges_refuse(service: Object, source: Place) -> str:
    ranges = service["spec"].get("loadBalancerSourceRanges") or ()
    if ranges and not any(addresses.inside(source.ip, one) for one in ranges):
        return f"{_title(service)}: loadBalancerSourceRanges do not have {source.ip}"
    return ""


def _chosen(
    service: Object, choice: services.Choice, source: Place, asked: Request, hops: tuple[Hop, ...], limit_s: int
) -> Route:
    if not choice.endpoints:
        return _ended(hops, _timeout(asked, limit_s) if choice.dropped else _refused(asked))
    share = 1 / len(choice.endpoints)
    sticky = service["spec"].get("sessionAffinity") == "ClientIP"
    return Route(hops, tuple(Candidate(share, one, source) for one in choice.endpoints), sticky=sticky)


def _balanced(
    view: View, source: Place, asked: Request, owned: services.Owned, hops: tuple[Hop, ...], limit_s: int
) -> Route:
    """A load balancer sends to the nodes that are up; with externalTrafficPolicy Local to those with a ready endpoint."""
    service, how, port = owned
    found = services.endpoints(service, port, view, family_of(source.ip))
    up = [
        node
        for node in view.list("nodes")
        if pods.is_ready(node) and not places.is_down(node["metadata"]["name"], view)
    ]
    told = f"{_title(service)} {how} {asked.port}/TCP"
    if service["spec"].get("externalTrafficPolicy") != "Local":
        seen = places.towards(places.of_node(up[0]), source.ip) if up else source
        choice = _choice(view, service, found, "", external=True)
        return _chosen(service, choice, seen, asked, (*hops, Hop("service", f"{told}: {choice.why}")), limit_s)
    choices = [_choice(view, service, found, node["metadata"]["name"], external=True) for node in up]
    healthy = [choice for choice in choices if choice.endpoints]
    why = f"{len(healthy)} of {len(up)} nodes have a ready endpoint (externalTrafficPolicy: Local)"
    candidates = tuple(
        Candidate(1 / len(healthy) / len(choice.endpoints), one, source)
        for choice in healthy
        for one in choice.endpoints
    )
    hops = (*hops, Hop("service", f"{told}: {why}"))
    sticky = service["spec"].get("sessionAffinity") == "ClientIP"
    return Route(hops, candidates, sticky=sticky) if candidates else _ended(hops, _timeout(asked, limit_s))


def _to_node(view: View, source: Place, asked: Request, node: Object, hops: tuple[Hop, ...], limit_s: int) -> Route:
    """A node's own address: a node port, a pod with that host port or on the node's network, or nothing."""
    name = node["metadata"]["name"]
    if places.is_down(name, view):
        return _ended((*hops, Hop("node", f"{name} is down")), _timeout(asked, limit_s))
    health = services.health(asked.port, name, view)
    if health is not None:
        hop = Hop("node", f"{name}: kube-proxy answers on a health check node port")
        return _ended((*hops, hop), _answered(health.status)._replace(body=health.body))
    owned = services.node_port(asked.port, view)
    if owned is not None:
        found = services.endpoints(owned.service, owned.port, view, family_of(source.ip))
        choice = _choice(view, owned.service, found, name, external=True)
        is_local = owned.service["spec"].get("externalTrafficPolicy") == "Local"
        seen = (
            source if is_local else places.towards(places.of_node(node), source.ip)
        )  # else the node puts its own address in the packets
        hops = (*hops, Hop("service", f"{_title(owned.service)} NodePort {asked.port} on {name}: {choice.why}"))
        return _chosen(owned.service, choice, seen, asked, hops, limit_s)
    for pod in view.on_node(name):
        if pods.is_finished(pod) or not (pod.get("status") or {}).get("podIP"):
            continue
        inner = _host_port(pod, asked.port)
        if inner:
            hop = Hop("node", f"{name}: host port {asked.port} of pod {places.of_pod(pod).title}")
            address = next((one for one in pod_addresses(pod) if family_of(one) == family_of(source.ip)), "")
            return Route((*hops, hop), (Candidate(1.0, _endpoint_of(pod, address, inner), source),))
    return _ended((*hops, Hop("node", f"nothing listens on port {asked.port} of {name}")), _refused(asked))


def _host_port(pod: Object, number: int) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("hostPort") == number and port.get("protocol", "TCP") == "TCP":
                return int(port["containerPort"])
            if pod["spec"].get("hostNetwork") and port["containerPort"] == number:
                return number
    return 0


def _proxied(view: View, found: Match, asked: Request, step: str, hops: tuple[Hop, ...]) -> Route:
    """What an Ingress controller or Gateway does: answers itself, or sends to the endpoints of a Service."""
    hops = (*hops, *(Hop(step, text) for text in found.steps))
    if found.error:
        return _ended(hops, Outcome(0, "tls" if found.exit_code != 7 else "refused", found.exit_code, found.error))
    if found.status:
        return _ended(hops, _answered(found.status))
    candidates: list[Candidate] = []
    total = sum(one.weight for one in found.backends)
    for backend in found.backends:
        choice, told = _backend(view, backend)
        hops = (*hops, Hop("service", told))
        share = backend.weight / total
        candidates += [Candidate(share / len(choice), one, PROXY) for one in choice]
    if not candidates:
        return _ended(hops, _answered(503))
    return Route(hops, tuple(candidates), proxied=True, retried=True)


def _backend(view: View, backend: Backend) -> tuple[tuple[Endpoint, ...], str]:
    from minikube_py.api.types import Key

    title = f"{backend.namespace}/{backend.service}"
    service = view.get(Key("services", backend.namespace, backend.service))
    if service is None:
        return (), f"Service {title} does not exist"
    for port in service["spec"].get("ports") or ():
        if backend.port in (port["port"], port.get("name", "")):
            found = services.endpoints(service, port, view, (service["spec"].get("ipFamilies") or [IPV4])[0])
            ready = tuple(one for one in found if one.ready)
            return ready, f"{title} {port['port']}/TCP: {len(ready)} of {len(found)} endpoints ready"
    return (), f"{title} has no port {backend.port}"


# -- from the endpoint to the answer -----------------------------------------------------------------------------------


def arrive(view: View, clock: Clock, chosen: Candidate, asked: Request, *, limit_s: int = 10) -> Outcome:
    """What one endpoint makes of the request: policy, then the program."""
    endpoint = chosen.endpoint
    pod = _pod_of(endpoint, view)
    if pod is None:
        hop = Hop("endpoint", f"{_socket(endpoint)}: nobody has this address")
        return _timeout(asked, limit_s)._replace(hops=(hop,))
    target = places.towards(places.of_pod(pod), endpoint.ip)
    allowed = policy.verdict(view, places.towards(chosen.source, endpoint.ip), target, endpoint.port)
    hops: tuple[Hop, ...] = (
        Hop("endpoint", f"{_socket(endpoint)} (pod {target.title} on {target.node})"),
        Hop("policy", allowed.why),
    )
    if not allowed.allowed:
        return _timeout(asked, limit_s)._replace(cause="policy", hops=hops, pod=target.title)
    reply = serving.reply(pod, endpoint.port, asked.path, view, clock)
    version = reply.version or serving.version_of(pod, endpoint.port)
    hops = (*hops, Hop("pod", f"{reply.why}{f': {reply.status}' if reply.status else ''}"))
    if reply.sort == serving.ANSWERED:
        base = _answered(reply.status)
    else:
        base = _refused(asked) if reply.sort == serving.REFUSED else _timeout(asked, limit_s)
    return base._replace(
        hops=hops,
        pod=target.title,
        version=version,
        latency_s=reply.latency_s,
        per_second=reply.per_second,
        until=reply.until,
    )


def _socket(endpoint: Endpoint) -> str:
    return f"[{endpoint.ip}]:{endpoint.port}" if ":" in endpoint.ip else f"{endpoint.ip}:{endpoint.port}"


def _pod_of(endpoint: Endpoint, view: View) -> Object | None:
    from minikube_py.api.types import Key

    if endpoint.pod:
        pod = view.get(Key("pods", endpoint.namespace, endpoint.pod))
        if pod is not None and endpoint.ip in pod_addresses(pod):
            return pod
    return places.pod_at(endpoint.ip, view)


def _through_proxy(outcome: Outcome, route: Route) -> Outcome:
    """A proxy answers for endpoints that do not: 502 if they refuse, 504 if they are silent."""
    if not route.proxied or outcome.status:
        return outcome
    return _answered(502 if outcome.cause == "refused" else 504)._replace(
        hops=outcome.hops, pod=outcome.pod, version=outcome.version, until=outcome.until
    )


def _answered(status: int) -> Outcome:
    return Outcome(status, f"http-{status}" if status >= 500 else "")


def _api_server(asked: Request) -> Outcome:
    if asked.scheme == "https" and not asked.insecure:
        told = "curl: (60) SSL certificate problem: unable to get local issuer certificate"
        return Outcome(0, "tls", 60, told)
    return _answered(403 if asked.scheme == "https" else 400)


def _refused(asked: Request) -> Outcome:
    message = f"curl: (7) Failed to connect to {asked.host} port {asked.port} after 0 ms: Could not connect to server"
    return Outcome(0, "refused", 7, message)


def _timeout(asked: Request, limit_s: int) -> Outcome:
    return Outcome(0, "timeout", 28, f"curl: (28) Connection timed out after {limit_s * 1000} milliseconds")


def parse(
    url: str, *, headers: tuple[tuple[str, str], ...] = (), method: str = "GET", insecure: bool = False
) -> Request:
    """A URL as curl reads it: 'web', 'web:8080/path', 'http://web.shop/'. Raises ValueError."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "http", url
    scheme = scheme.lower()
    if scheme not in ("http", "https"):
        raise ValueError(f'curl: (1) Protocol "{scheme}" not supported')
    where, slash, path = rest.partition("/")
    if "?" in where:
        where, _, query = where.partition("?")
        path = "?" + query
    path, _, query = (slash + path if slash else "/" + path).partition("?")
    host, colon, port = where.rpartition(":") if not where.endswith("]") else (where, "", "")
    if not colon:
        host, port = where, ""
    if port and (not port.isdigit() or not 0 < int(port) < 65536):
        raise ValueError("curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535")
    if not host:
        raise ValueError("curl: (3) URL rejected: No host part in the URL")
    number = int(port) if port else 443 if scheme == "https" else 80
    return Request(scheme, host.strip("[]"), number, path or "/", query, method, headers, insecure)
