"""One call of a webhook: a real one if its URL is on this machine, else what the user says it answers.

    answer(hook, configuration, review, view)  the review that came back; Failed in the API server's words

A webhook with a `WebhookStub` of its name (or of its configuration's) is not called: the stub answers. Only loopback URLs
are called (TLS, with the hook's caBundle, within its timeout, which is real time). Everything else fails as it would where
nobody listens, and then the failure policy decides.
Sources: k8s.io/apiserver (pkg/util/webhook/client.go, error.go), client-go rest/request.go.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.base import gotext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.types import View

Object = dict[str, Any]

STUBS = "webhookstubs.sim.kpy.dev"
LOOPBACK = ("localhost", "::1", "0:0:0:0:0:0:0:1")
TIMEOUT_S = 10
ANSWER_MAX = 3 << 20  # bytes; what the API server reads of an answer
# What client-go makes of a status without a body that it can read (apimachinery, NewGenericServerResponse).
_STATUS = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    406: "the server was unable to respond with a content type that the client supports",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


class Failed(Exception):
    """The call did not come about; the text is what stands behind 'failed to call webhook: '.

    `unreachable`: nobody was asked, since the address is no loopback one and there is no stub.
    """

    def __init__(self, text: str, *, unreachable: bool = False) -> None:
        super().__init__(text)
        self.unreachable = unreachable


class Place(NamedTuple):
    """Where a webhook listens."""

    url: str
    host: str
    port: int
    service: str = ""  # 'namespace/name'


class Call(NamedTuple):
    """A POST to a webhook on this machine. `ca_bundle`: base64 of PEM, '' for the system's authorities."""

    url: str
    place: Place
    ca_bundle: str
    timeout_s: int
    review: Object


# Who makes the calls, where that is not `post`: a server that goes on answering others meanwhile.
CALLER: ContextVar[Callable[[Call], Object]] = ContextVar("CALLER")


def answer(hook: Object, configuration: str, review: Object, view: View) -> Object:
    """The AdmissionReview (or ConversionReview) with which the webhook answers. Raises Failed."""
    stub = stub_of(view, hook["name"], configuration)
    if stub is not None:
        return _of_stub(stub, review)
    config, timeout_s = hook.get("clientConfig") or {}, hook.get("timeoutSeconds") or TIMEOUT_S
    place = place_of(config)
    url = f"{place.url}{'&' if '?' in place.url else '?'}timeout={timeout_s}s"
    if not is_loopback(place.host):
        raise Failed(f"Post {gotext.quoted(url)}: {_nobody(place, view)}", unreachable=True)
    return CALLER.get(post)(Call(url, place, config.get("caBundle") or "", timeout_s, review))


def stub_of(view: View, name: str, configuration: str) -> Object | None:
    """The WebhookStub that answers for a webhook: one of its name, or one for all of its configuration."""
    return view.get(Key(STUBS, "", name)) or view.get(Key(STUBS, "", configuration))


def place_of(config: Object) -> Place:
    """The URL of a clientConfig; a Service's is https://NAME.NAMESPACE.svc:PORT/PATH."""
    from urllib.parse import urlsplit

    service = config.get("service")
    if service:
        host, port = f"{service['name']}.{service['namespace']}.svc", service.get("port") or 443
        path = (service.get("path") or "").lstrip("/")
        return Place(f"https://{host}:{port}/{path}", host, port, f"{service['namespace']}/{service['name']}")
    url = config.get("url") or ""
    parts = urlsplit(url)
    return Place(url, parts.hostname or "", parts.port or 443)


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine and nothing else."""
    return host in LOOPBACK or (host.startswith("127.") and host.count(".") == 3 and host.replace(".", "").isdigit())


def _nobody(place: Place, view: View) -> str:
    """What dialling an address says to which nobody answers."""
    if not place.service:
        if place.host.replace(".", "").isdigit() or ":" in place.host:
            return "context deadline exceeded"
        return f"dial tcp: lookup {place.host}: no such host"
    namespace, name = place.service.split("/")
    service = view.get(Key("services", namespace, name))
    if service is None:
        return f"service {gotext.quoted(name)} not found"
    ports = [one.get("port") for one in service["spec"].get("ports") or ()]
    address = service["spec"].get("clusterIP")
    if place.port not in ports or not address or address == "None":
        return f"no service port {place.port} found for service {gotext.quoted(name)}"
    return f"dial tcp {address}:{place.port}: connect: connection refused"


def _of_stub(stub: Object, review: Object) -> Object:
    """The answer that a stub gives. Its patch is a JSON patch, or a mapping to be merged into the object."""
    spec, request = stub.get("spec") or {}, review["request"]
    response: Object = {"uid": request["uid"], "allowed": spec.get("allowed", True)}
    if not response["allowed"]:
        status = {
            "code": spec.get("code") or 0,
            "message": spec.get("message") or "",
            "reason": spec.get("reason") or "",
        }
        response["status"] = {name: value for name, value in status.items() if value}
    operations = patch_of(spec.get("patch"), request.get("object"))
    if operations:
        response["patch"], response["patchType"] = encoded(operations), "JSONPatch"
    if spec.get("warnings"):
        response["warnings"] = spec["warnings"]
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}


def patch_of(given: Any, obj: Object | None) -> list[Object]:
    """A stub's patch as operations of a JSON patch on an object."""
    if not isinstance(given, dict):
        return given or []
    return list(_operations(given, obj or {}, ""))


def _operations(given: Object, found: Object, path: str) -> Iterator[Object]:
    """What a merge patch does, one operation for each value that it sets or removes (null)."""
    for name, value in given.items():
        place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        if value is None:
            if name in found:
                yield {"op": "remove", "path": place}
        elif isinstance(value, dict) and isinstance(found.get(name), dict):
            yield from _operations(value, found[name], place)
        elif found.get(name) != value:
            yield {"op": "add", "path": place, "value": value}


def encoded(operations: list[Object]) -> str:
    import json
    from base64 import b64encode

    return b64encode(json.dumps(operations).encode()).decode()


# -- calling ------------------------------------------------------------------------------------------------------


def post(call: Call) -> Object:
    """The body of the answer to a POST. No redirects, no proxies: the address was looked at. Raises Failed."""
    import json
    from http.client import HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    url, place, ca_bundle, timeout_s, review = call
    parts = urlsplit(url)
    start = f"Post {gotext.quoted(url)}: "
    connection = HTTPSConnection(place.host, place.port, timeout=timeout_s, context=_trusting(ca_bundle))
    try:
        connection.request(
            "POST", f"{parts.path or '/'}?{parts.query}", json.dumps(review).encode(),
            {"Content-Type": "application/json", "Accept": "application/json, */*", "User-Agent": "kube-apiserver-admission"},
        )  # fmt: skip
        response = connection.getresponse()
        body, code = response.read(ANSWER_MAX), response.status
    except OSError as error:
        raise Failed(start + _dialling(error, place)) from None
    except HTTPException as error:
        raise Failed(
            f'{start}net/http: HTTP/1.x transport connection broken: malformed HTTP response "{error}"'
        ) from None
    finally:
        connection.close()
    if not 200 <= code < 300:
        told = body.decode("utf-8", "replace").strip()
        generic = (
            f"an error on the server ({gotext.quoted(told or 'unknown')}) has prevented the request from succeeding"
        )
        unknown = f"the server responded with the status code {code} but did not return more information"
        raise Failed(told if code == 403 else _STATUS.get(code) or (generic if code >= 500 else unknown))
    return _review(body)


def _review(body: bytes) -> Object:
    import json

    try:
        found = json.loads(body)
    except ValueError as error:
        raise Failed(f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(found, dict):
        raise Failed("couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct")
    if not found.get("kind"):
        raise Failed("Object 'Kind' is missing in " + gotext.quoted(body.decode("utf-8", "replace")[:200]))
    return found


def _trusting(ca_bundle: str) -> Any:
    """A TLS context that trusts the bundle (base64 of PEM), or the system's authorities without one."""
    import ssl
    from base64 import b64decode

    if not ca_bundle:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=b64decode(ca_bundle).decode("ascii", "replace"))
    except (ValueError, ssl.SSLError):
        raise Failed("unable to load root certificates: unable to parse bytes as PEM block") from None


def _dialling(error: OSError, place: Place) -> str:
    """An error of the connection as Go's net and crypto/tls word it."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        told = "certificate signed by unknown authority"
        if "expired" in error.verify_message:
            told = "certificate has expired or is not yet valid"
        elif "match" in error.verify_message or "valid for" in error.verify_message:
            told = f"certificate is not valid for any names, but wanted to match {place.host}"
        return f"tls: failed to verify certificate: x509: {told}"
    if isinstance(error, ssl.SSLError):
        return (
            "http: server gave HTTP response to HTTPS client"
            if "WRONG_VERSION" in str(error)
            else f"tls: {error.reason}"
        )
    if isinstance(error, TimeoutError):
        return "context deadline exceeded"
    if isinstance(error, ConnectionRefusedError):
        host = "127.0.0.1" if place.host == "localhost" else place.host
        shown = f"[{host}]" if ":" in host else host
        return f"dial tcp {shown}:{place.port}: connect: connection refused"
    return "EOF"
