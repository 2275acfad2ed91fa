"""The Gateway API: which HTTPRoute rule a request meets at a Gateway, and where it goes from there.

The kinds are CustomResourceDefinitions (`manifests/gateway-api.yaml`); nothing here needs them to be there. Precedence: the
most specific host, an Exact path, the longest prefix, a method, the most headers, the most query parameters, the oldest
route, the first by name. Source: sigs.k8s.io/gateway-api apis/v1/httproute_types.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.network.requests import Backend, Match, Request, host_rank

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View

GROUP = "gateway.networking.k8s.io"
GATEWAYS, ROUTES, GRANTS = f"gateways.{GROUP}", f"httproutes.{GROUP}", f"referencegrants.{GROUP}"
CLASSES = f"gatewayclasses.{GROUP}"


def addresses_of(gateway: Object) -> list[str]:
    return [one["value"] for one in (gateway.get("status") or {}).get("addresses") or ()]


def public_addresses(name: str, view: View) -> list[str]:
    """Where a public name leads that HTTPRoutes, or listeners of Gateways with routes, have as hostname."""
    found: dict[str, None] = {}
    for route in view.list(ROUTES):
        for gateway, listener in parents(route, view):
            hosts = route["spec"].get("hostnames") or [listener.get("hostname") or ""]
            if any(host and host_rank(host, name, deep=True) for host in hosts):
                found |= dict.fromkeys(addresses_of(gateway))
    return [*found]


def behind(address: str, view: View) -> Objects:
    return [one for one in view.list(GATEWAYS) if address in addresses_of(one)]


def parents(route: Object, view: View) -> list[tuple[Object, Object]]:
    """(Gateway, listener) that a route is attached to: named by it, and willing to take it."""
    namespace = route["metadata"]["namespace"]
    found = []
    for ref in route["spec"].get("parentRefs") or ():
        gateway = view.get(Key(GATEWAYS, ref.get("namespace") or namespace, ref["name"]))
        if gateway is None or ref.get("kind", "Gateway") != "Gateway":
            continue
        for listener in gateway["spec"].get("listeners") or ():
            named = ref.get("sectionName") in (None, listener["name"]) and ref.get("port") in (None, listener["port"])
            if named and listener.get("protocol") in ("HTTP", "HTTPS") and _takes(listener, gateway, namespace, view):
                found.append((gateway, listener))
    return found


def _takes(listener: Object, gateway: Object, namespace: str, view: View) -> bool:
    """allowedRoutes: from the Gateway's own namespace unless it says All, or a Selector of namespaces."""
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    source = allowed.get("from", "Same")
    if source == "Selector":
        from minikube_py.base import selector

        space = view.get(Key("namespaces", "", namespace))
        labels = (space["metadata"].get("labels") or {}) if space is not None else {}
        return selector.from_label_selector(allowed.get("selector") or {}).matches(labels)
    return bool(source == "All" or (source == "Same" and namespace == gateway["metadata"]["namespace"]))


class _Hit(NamedTuple):
    rank: tuple[Any, ...]
    route: Object
    rule: Object
    where: str


def match(request: Request, gateway: Object, view: View) -> Match:
    """What a Gateway does with a request that came to its address."""
    meta = gateway["metadata"]
    title = f"Gateway {meta['namespace']}/{meta['name']}"
    listeners = [one for one in gateway["spec"].get("listeners") or () if one["port"] == request.port]
    if not listeners:
        told = f"{title} has no listener on port {request.port}"
        return Match(0, (), (told,), _refused(request), 7)
    listeners = [
        one for one in listeners if not one.get("hostname") or host_rank(one["hostname"], request.name, deep=True)
    ]
    refused = _tls(request, listeners, gateway, view)
    if refused is not None:
        return refused
    hit = max(_hits(request, gateway, listeners, view), key=lambda one: one.rank, default=None)
    if hit is None:
        return Match(404, (), (f"{title}: no HTTPRoute has a rule for {request.name}{request.path}",))
    return _carried_out(hit, view)


def _refused(request: Request) -> str:
    return f"curl: (7) Failed to connect to {request.name} port {request.port} after 0 ms: Could not connect to server"


def _tls(request: Request, listeners: Objects, gateway: Object, view: View) -> Match | None:
    if request.scheme != "https" or request.insecure:
        return None
    namespace = gateway["metadata"]["namespace"]
    for listener in listeners:
        for ref in (listener.get("tls") or {}).get("certificateRefs") or ():
            secret = view.get(Key("secrets", ref.get("namespace") or namespace, ref["name"]))
            if secret is not None and secret.get("type") == "kubernetes.io/tls":
                return None
    told = f"no listener for {request.name} has a TLS Secret"
    return Match(0, (), (told,), "curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL", 35)


def _hits(request: Request, gateway: Object, listeners: Objects, view: View) -> list[_Hit]:
    names = {one["name"] for one in listeners}
    own = (gateway["metadata"]["namespace"], gateway["metadata"]["name"])
    hits = []
    for route in view.list(ROUTES):
        attached = [
            listener
            for found, listener in parents(route, view)
            if (found["metadata"]["namespace"], found["metadata"]["name"]) == own and listener["name"] in names
        ]
        if not attached:
            continue
        hosts = route["spec"].get("hostnames") or [""]
        best = max(host_rank(host, request.name, deep=True) * 1000 + len(host) if host else 1 for host in hosts)
        if best == 1 or best >= 1000:
            hits += _of_rules(request, route, best)
    return hits


def _of_rules(request: Request, route: Object, host: int) -> list[_Hit]:
    hits, meta = [], route["metadata"]
    age = _Earlier((meta.get("creationTimestamp") or "", f"{meta['namespace']}/{meta['name']}"))
    for number, rule in enumerate(route["spec"].get("rules") or ()):
        for index, one in enumerate(rule.get("matches") or [{}]):
            rank = _rank(request, one)
            if rank is not None:
                where = f"HTTPRoute {meta['namespace']}/{meta['name']} spec.rules[{number}].matches[{index}]"
                hits.append(_Hit((host, *rank, age, -number, -index), route, rule, where))
    return hits


class _Earlier:
    """Sorts backwards: the older route, and of one age the first by name, ranks higher."""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, str]) -> None:
        self.words = words

    def __lt__(self, other: _Earlier) -> bool:
        return self.words > other.words

    def __gt__(self, other: _Earlier) -> bool:
        return self.words < other.words

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Earlier) and self.words == other.words

    def __hash__(self) -> int:
        raise TypeError("ranks are compared, not looked up")


def _rank(request: Request, one: Object) -> tuple[int, int, int, int, int] | None:
    """(exactness, length of the path, method, headers, query parameters); None if a condition does not hold."""
    path = one.get("path") or {}
    sort, value = path.get("type", "PathPrefix"), path.get("value", "/")
    if not _path_fits(sort, value, request.path):
        return None
    if one.get("method") not in (None, request.method):
        return None
    headers, queries = one.get("headers") or (), one.get("queryParams") or ()
    asked = dict(pair.partition("=")[::2] for pair in request.query.split("&") if pair)
    if not all(_value_fits(entry, request.header(entry["name"])) for entry in headers):
        return None
    if not all(_value_fits(entry, asked.get(entry["name"])) for entry in queries):
        return None
    return int(sort == "Exact"), len(value), int("method" in one), len(headers), len(queries)


def _path_fits(sort: str, value: str, path: str) -> bool:
    if sort == "Exact":
        return path == value
    if sort == "RegularExpression":
        return re.match(value, path) is not None
    stem = value.rstrip("/")
    return path == stem or path.startswith(stem + "/")


def _value_fits(entry: Object, found: str | None) -> bool:
    if found is None:
        return False
    if entry.get("type") == "RegularExpression":
        return re.fullmatch(entry["value"], found) is not None
    return bool(found == entry["value"])


def _carried_out(hit: _Hit, view: View) -> Match:
    for one in hit.rule.get("filters") or ():
        if one.get("type") == "RequestRedirect":
            return Match(int((one.get("requestRedirect") or {}).get("statusCode", 302)), (), (hit.where, "redirects"))
    namespace = hit.route["metadata"]["namespace"]
    backends = []
    for ref in hit.rule.get("backendRefs") or ():
        target = ref.get("namespace") or namespace
        if target != namespace and not _granted(namespace, target, ref["name"], view):
            told = f"backend {target}/{ref['name']}: no ReferenceGrant allows it"
            return Match(500, (), (hit.where, told))
        if view.get(Key("services", target, ref["name"])) is None:
            return Match(500, (), (hit.where, f"Service {target}/{ref['name']} does not exist"))
        if ref.get("weight", 1):
            backends.append(Backend(target, ref["name"], ref.get("port", 80), int(ref.get("weight", 1))))
    if not backends:
        return Match(500, (), (hit.where, "no backend"))
    return Match(0, tuple(backends), (hit.where,))


def _granted(source: str, target: str, name: str, view: View) -> bool:
    """Whether a ReferenceGrant of the target's namespace lets HTTPRoutes of `source` refer to a Service there."""
    for grant in view.list(GRANTS, target):
        spec = grant["spec"]
        comes = any(one.get("namespace") == source and one.get("kind") == "HTTPRoute" for one in spec.get("from") or ())
        goes = any(one.get("kind") == "Service" and one.get("name") in (None, name) for one in spec.get("to") or ())
        if comes and goes:
            return True
    return False
