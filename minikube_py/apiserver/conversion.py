"""Objects between the versions of their kind; custom resources whose definition has a conversion webhook by that webhook.

    to_version(view, clock, kind, version, objects)   stored objects as a client sees them
    to_stored(view, clock, kind, obj)                 a client's object as it is stored

A webhook on a loopback URL is called with a ConversionReview. Elsewhere a `WebhookStub` of the definition's name answers: one
that allows changes nothing but the apiVersion, one that denies makes the conversion fail with its message.
Source: k8s.io/apiextensions-apiserver/pkg/apiserver/conversion (converter.go, webhook_converter.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import convert
from minikube_py.api.types import Key
from minikube_py.base import errors, gotext

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import View
    from minikube_py.base.clock import Clock

Object = dict[str, Any]

TIMEOUT_S = 30
REVIEWS = ("v1", "v1beta1")


def to_version(view: View, clock: Clock, kind: Kind, version: str, objects: list[Object]) -> list[Object]:
    """Raises InternalError where a webhook fails; there is no failure policy."""
    if not kind.crd or version == kind.version:
        return [convert.to_version(kind, version, obj) for obj in objects]
    webhook = _webhook(view, kind)
    if webhook is None or not objects:
        return [convert.to_version(kind, version, obj) for obj in objects]
    return _converted(view, clock, kind, webhook, version, objects)


def to_stored(view: View, clock: Clock, kind: Kind, obj: Object) -> Object:
    if not kind.crd or obj["apiVersion"] == kind.version:
        return convert.to_stored(kind, obj)
    webhook = _webhook(view, kind)
    if webhook is None:
        return convert.to_stored(kind, obj)
    return _converted(view, clock, kind, webhook, kind.version, [obj])[0]


def _webhook(view: View, kind: Kind) -> Object | None:
    """The conversion webhook of a custom kind; None if only the apiVersion changes."""
    definition = view.get(Key("customresourcedefinitions.apiextensions.k8s.io", "", kind.crd))
    conversion: Object = ((definition or {}).get("spec") or {}).get("conversion") or {}
    return conversion.get("webhook") or {} if conversion.get("strategy") == "Webhook" else None


def _converted(
    view: View, clock: Clock, kind: Kind, webhook: Object, version: str, objects: list[Object]
) -> list[Object]:
    from minikube_py.apiserver.admission import webhook_calls

    start = f"conversion webhook for {objects[0]['apiVersion']}, Kind={kind.name}"
    spoken = next((one for one in webhook.get("conversionReviewVersions") or () if one in REVIEWS), "v1")
    uid = clock.uid("conversion", kind.crd, version, *(one["metadata"].get("uid") for one in objects))
    review = {
        "apiVersion": f"apiextensions.k8s.io/{spoken}",
        "kind": "ConversionReview",
        "request": {"uid": uid, "desiredAPIVersion": version, "objects": objects},
    }
    hook = {"name": kind.crd, "clientConfig": webhook.get("clientConfig") or {}, "timeoutSeconds": TIMEOUT_S}
    try:
        stub = webhook_calls.stub_of(view, kind.crd, kind.crd)
        answer = (
            _of_stub(stub, review, version) if stub is not None else webhook_calls.answer(hook, kind.crd, review, view)
        )
    except webhook_calls.Failed as error:
        raise errors.StatusError(f"{start} failed: {error}") from None
    response = answer.get("response")
    if not isinstance(response, dict):
        raise errors.StatusError(f"invalid response for {start}: no response provided")
    if spoken == "v1" and response.get("uid") != uid:
        told = f"expected response.uid={gotext.quoted(uid)}, got {gotext.quoted(str(response.get('uid') or ''))}"
        raise errors.StatusError(f"invalid response for {start}: {told}")
    result = response.get("result") or {}
    if result.get("status") != "Success":
        raise errors.StatusError(f"{start} failed: {result.get('message') or 'response.result.status was not Success'}")
    found = response.get("convertedObjects") or []
    if len(found) != len(objects):
        raise errors.StatusError(f"{start} returned {len(found)} objects, expected {len(objects)}")
    return [
        _checked(start, index, was, now, version) for index, (was, now) in enumerate(zip(objects, found, strict=True))
    ]


def _of_stub(stub: Object, review: Object, version: str) -> Object:
    spec, request = stub.get("spec") or {}, review["request"]
    allowed = spec.get("allowed", True)
    result = {"status": "Success"} if allowed else {"status": "Failure", "message": spec.get("message") or ""}
    converted = [{**obj, "apiVersion": version} for obj in request["objects"]]
    return {**review, "response": {"uid": request["uid"], "result": result, "convertedObjects": converted}}


def _checked(start: str, index: int, was: Object, now: Any, version: str) -> Object:
    """A converted object; of its metadata a webhook may change labels and annotations alone."""
    at = f"{start} returned invalid converted object at index {index}: "
    if not isinstance(now, dict) or not isinstance(now.get("metadata"), dict):
        raise errors.StatusError(f"{at}invalid metadata of type {type(now).__name__} in converted object")
    if now.get("apiVersion") != version:
        raise errors.StatusError(
            f"{at}invalid groupVersion (expected {version}, received {now.get('apiVersion') or ''})"
        )
    if now.get("kind") != was["kind"]:
        raise errors.StatusError(f"{at}invalid kind (expected {was['kind']}, received {now.get('kind') or ''})")
    meta = {name: value for name, value in was["metadata"].items() if name not in ("labels", "annotations")}
    kept = {name: now["metadata"][name] for name in ("labels", "annotations") if now["metadata"].get(name)}
    for name in ("name", "namespace", "uid"):
        if now["metadata"].get(name) != meta.get(name):
            told = f"must have the same {name}: {now['metadata'].get(name)} != {meta.get(name)}"
            raise errors.StatusError(f"{at}{told}")
    return {**now, "metadata": {**meta, **kept}}
