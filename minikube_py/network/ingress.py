"""Ingresses: which rule a request meets at the controller of its class, and what the controller answers by itself.

A class is served when its IngressClass exists. As ingress-nginx does, the Ingresses of a class are merged: an exact host
comes before a wildcard and both before none; then Exact paths, then the longest Prefix, then the older Ingress.
`ImplementationSpecific` paths count as Prefix. Source: staging/src/k8s.io/api/networking/v1/types.go; ingress-nginx's docs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Key
from minikube_py.network import gateway
from minikube_py.network.requests import Backend, Match, Request, host_rank

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View

RESOURCE = "ingresses.networking.k8s.io"
CLASSES = "ingressclasses.networking.k8s.io"
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
CLASS_NOTE = "kubernetes.io/ingress.class"
NGINX = "k8s.io/ingress-nginx"


def class_of(ingress: Object, view: View) -> Object | None:
    """The IngressClass that serves an Ingress: the one it names, else the default one; None: nobody does."""
    notes = ingress["metadata"].get("annotations") or {}
    name = ingress["spec"].get("ingressClassName") or notes.get(CLASS_NOTE)
    if name:
        return view.get(Key(CLASSES, "", name))
    for one in view.list(CLASSES):
        if (one["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true":
            return one
    return None


def addresses_of(ingress: Object) -> list[str]:
    entries = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [one["ip"] for one in entries if one.get("ip")]


def public_addresses(name: str, view: View) -> list[str]:
    """Where a public name leads: to the Ingresses and HTTPRoutes that have it as a host; [] if none does."""
    found: dict[str, None] = {}
    for one in view.list(RESOURCE):
        hosts = [rule.get("host", "") for rule in one["spec"].get("rules") or ()]
        if any(host and host_rank(host, name) for host in hosts):
            found |= dict.fromkeys(addresses_of(one))
    return [*found] or gateway.public_addresses(name, view)


def behind(address: str, view: View) -> Objects:
    """The Ingresses that are served at an address, the oldest first."""
    found = [one for one in view.list(RESOURCE) if address in addresses_of(one)]
    return sorted(found, key=lambda one: one["metadata"].get("creationTimestamp") or "")


class _Hit(NamedTuple):
    rank: tuple[int, int, int, int]  # host, exactness, length of the path, age: the largest wins
    ingress: Object
    backend: Object
    where: str


def match(request: Request, address: str, view: View) -> Match:
    """What the controller at `address` does with a request."""
    found = behind(address, view)
    one_class = class_of(found[0], view) if found else None
    controller = (one_class or {}).get("spec", {}).get("controller", "")
    refused = _tls(request, found, controller, view)
    if refused is not None:
        return refused
    hit = max(_hits(request, found), key=lambda one: one.rank, default=None)
    if hit is None:
        return _default(request, found)
    meta = hit.ingress["metadata"]
    told = f"Ingress {meta['namespace']}/{meta['name']} {hit.where}"
    return _backend(hit.backend, meta["namespace"], told)


def _hits(request: Request, found: Objects) -> list[_Hit]:
    hits: list[_Hit] = []
    for age, one in enumerate(found):
        for number, rule in enumerate(one["spec"].get("rules") or ()):
            host = rule.get("host", "")
            host_value = host_rank(host, request.name) if host else 1
            for index, path in enumerate((rule.get("http") or {}).get("paths") or ()):
                exact, length = _path_rank(path, request.path)
                if host_value and length:
                    shown = f"rule {host or '*'} {path.get('path', '/')} ({path['pathType']}, spec.rules[{number}].http.paths[{index}])"
                    hits.append(_Hit((host_value, exact, length, -age), one, path["backend"], shown))
    return hits


def _path_rank(rule: Object, path: str) -> tuple[int, int]:
    """(1 if exact, the rule's length), length 0 if it does not match. A prefix matches whole path elements."""
    wanted = rule.get("path") or "/"
    if rule["pathType"] == "Exact":
        return (1, len(wanted)) if path == wanted else (0, 0)
    stem = wanted.rstrip("/")
    return (0, len(stem) + 1) if path == stem or path.startswith(stem + "/") else (0, 0)


def _default(request: Request, found: Objects) -> Match:
    """The default backend of an Ingress, else the controller's own, which knows nothing."""
    for one in found:
        backend = one["spec"].get("defaultBackend")
        if backend:
            meta = one["metadata"]
            return _backend(backend, meta["namespace"], f"Ingress {meta['namespace']}/{meta['name']} defaultBackend")
    told = f"no Ingress has a rule for {request.name}{request.path}: the controller's default backend answers"
    return Match(404, (), (told,))


def _backend(backend: Object, namespace: str, told: str) -> Match:
    service = backend.get("service")
    if service is None:
        return Match(503, (), (told, "a resource backend, which nothing serves here"))
    port = service.get("port") or {}
    wanted = port.get("number") or port.get("name") or ""
    return Match(0, (Backend(namespace, service["name"], wanted, 1),), (told,))


def _tls(request: Request, found: Objects, controller: str, view: View) -> Match | None:
    """https without a certificate for the host ends at curl's check; http to a host that has one is sent to https."""
    for one in found:
        for entry in one["spec"].get("tls") or ():
            hosts = entry.get("hosts") or ()
            if hosts and not any(host_rank(host, request.name) for host in hosts):
                continue
            meta = one["metadata"]
            name = entry.get("secretName") or ""
            secret = view.get(Key("secrets", meta["namespace"], name)) if name else None
            if secret is None or secret.get("type") != "kubernetes.io/tls":
                continue
            told = f"TLS by Secret {meta['namespace']}/{name}"
            if request.scheme == "http" and controller == NGINX:
                return Match(308, (), (f"{told}: http is redirected to https",))
            return None
    if request.scheme == "https" and not request.insecure:
        told = f"no TLS Secret for {request.name}: the controller shows its own certificate, which no client trusts"
        return Match(0, (), (told,), "curl: (60) SSL certificate problem: self-signed certificate", 60)
    return None
