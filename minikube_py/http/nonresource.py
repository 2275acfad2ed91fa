"""Paths that are no resource's: discovery, OpenAPI, health, version, metrics, and the simulator's clock.

Sources: k8s.io/apiserver/pkg/server/{healthz,routes}, pkg/endpoints/discovery/aggregated/etag.go.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from minikube_py.apiserver import authorizer
from minikube_py.apiserver.authorizer import Target
from minikube_py.base import errors, jwt
from minikube_py.cluster import server_version
from minikube_py.http import clocks, discovery, metrics_api, openapi
from minikube_py.http.answers import JSON, NOT_FOUND, Accept, Answer, accept_of, answer, dumped, text

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.http.metrics import Metrics
    from minikube_py.http.paths import Place
    from minikube_py.http.requests import Request
    from minikube_py.http.world import World

CLOCK = "/apis/sim.kpy.dev/v1alpha1/clock"
HEALTH = ("healthz", "livez", "readyz")
CHECKS = ("ping", "log", "etcd")
READS = ("GET", "HEAD")
ROOTS = (
    "/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2",
    "/openapi/v3", "/openid/v1/jwks", "/readyz", "/version",
)  # fmt: skip


def is_own(path: str) -> bool:
    """Paths that look like a resource's but are answered here."""
    return path.rstrip("/") == CLOCK or path.startswith(metrics_api.PREFIXES)


def handle(world: World, metrics: Metrics, request: Request) -> Answer:
    """Answer a request on a path that is no resource's. Raises KpyError."""
    cluster, path = world.cluster, request.path.rstrip("/") or "/"
    if path.startswith(metrics_api.PREFIXES):
        return metrics_api.handle(cluster, path, request)
    authorize(cluster, request, None)
    if path == CLOCK:
        return clocks.handle(world, request)
    if request.method not in READS:
        raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
    words = path.strip("/").split("/")
    if words[0] in HEALTH:
        return _health(world, words, request)
    if words[0] == "openapi":
        return openapi.handle(cluster, words[1:], request)
    if path == "/version":
        version = server_version(cluster.info.kubernetes_version)
        return Answer(200, _indented(version), JSON)
    if path == "/metrics":
        return Answer(200, metrics.text(world).encode(), "text/plain; version=0.0.4; charset=utf-8")
    if path == "/":
        return answer({"paths": _paths(cluster)}, Accept())
    if words[0] in ("api", "apis"):
        return _discovery(cluster, words, request)
    if path == "/.well-known/openid-configuration":
        return answer(_issuer(), Accept())
    if path == "/openid/v1/jwks":
        return answer(jwt.keys(cluster.info.seed), Accept())
    return NOT_FOUND


def _indented(value: Object) -> bytes:
    import json

    return json.dumps(value, indent=2).encode()


def authorize(cluster: Cluster, request: Request, place: Place | None) -> None:
    """Whether the one who asks may read that path, or a resource that the server does not know. Raises Forbidden."""
    subject = request.subject
    if subject is None:
        return
    if place is not None:
        authorizer.require(
            cluster.view, subject, place.verb, Target(place.group, place.resource, place.namespace or "", place.name)
        )
        return
    verb = {"GET": "get", "HEAD": "head"}.get(request.method, request.method.lower())
    if not authorizer.allows(cluster.view, subject, verb, Target("", "", path=request.path)):
        raise errors.Forbidden(f'forbidden: User "{subject.user}" cannot {verb} path "{request.path}"')


# -- health ----------------------------------------------------------------------------------------------------------


def _health(world: World, words: list[str], request: Request) -> Answer:
    checks = {**dict.fromkeys(CHECKS, ""), "engine": world.problem}
    if len(words) > 1:
        if words[1] not in checks:
            return NOT_FOUND
        checks = {words[1]: checks[words[1]]}
    left_out = {value for name, value in request.repeated if name == "exclude"}
    lines = [
        f"[+]{name} excluded: ok" if name in left_out else f"[-]{name} failed: {why}" if why else f"[+]{name} ok"
        for name, why in checks.items()
    ]
    failed = any(why and name not in left_out for name, why in checks.items())
    if failed:
        return text("\n".join([*lines, f"{words[0]} check failed", ""]), code=500)
    if "verbose" in request.query:
        return text("\n".join([*lines, f"{words[0]} check passed", ""]))
    return text("ok")


# -- discovery -------------------------------------------------------------------------------------------------------


def _discovery(cluster: Cluster, words: list[str], request: Request) -> Answer:
    registry, header = cluster.registry, request.headers.get("accept", "")
    if len(words) == 1:
        for version in discovery.AGGREGATED_VERSIONS:
            if _asks_for(header, version):
                found = discovery.aggregated(registry, core=words[0] == "api", version=version)
                media = f"{JSON};g=apidiscovery.k8s.io;v={version};as={discovery.AGGREGATED}"
                return tagged(dumped(found), media, request)
    accept = accept_of(header, allowed=())
    found_: Object | None
    if words == ["api"]:
        found_ = discovery.core_versions(request.headers.get("host", ""))
    elif words == ["apis"]:
        found_ = discovery.group_list(registry)
    elif words[0] == "api" and len(words) == 2:
        found_ = discovery.resource_list(registry, words[1])
    elif words[0] == "apis" and len(words) == 2:
        found_ = discovery.group(registry, words[1])
    elif words[0] == "apis" and len(words) == 3:
        found_ = discovery.resource_list(registry, f"{words[1]}/{words[2]}")
    else:
        found_ = None
    return NOT_FOUND if found_ is None else answer(found_, accept)


def _asks_for(header: str, version: str) -> bool:
    """Whether the first form that this server speaks is aggregated discovery in that version."""
    for part in header.replace(" ", "").split(","):
        if part.startswith(JSON) and "g=apidiscovery.k8s.io" in part:
            if f"v={version}" in part.split(";") and f"as={discovery.AGGREGATED}" in part:
                return True
        elif part.partition(";")[0] in (JSON, "*/*") and "as=" not in part:
            return False
    return False


def tagged(body: bytes, media: str, request: Request) -> Answer:
    """A document with an ETag; who has it already, is not sent it again."""
    tag = f'"{sha256(body).hexdigest().upper()}"'
    headers = (("ETag", tag), ("Vary", "Accept"))
    if tag in request.headers.get("if-none-match", ""):
        return Answer(304, b"", media, headers)
    return Answer(200, body, media, headers)


def _paths(cluster: Cluster) -> list[str]:
    groups = discovery.groups_of(cluster.registry)
    found = {f"/apis/{name}" for name in groups if name}
    found |= {f"/apis/{version}" for name, versions in groups.items() if name for version in versions}
    return sorted({*ROOTS, *found, CLOCK})


def _issuer() -> Object:
    from minikube_py.api.accounts import ISSUER

    return {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
