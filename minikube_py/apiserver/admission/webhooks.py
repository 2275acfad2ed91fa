"""MutatingAdmissionWebhook and ValidatingAdmissionWebhook: others are asked whether a request may pass, and what to change.

Configurations in the order of their names, webhooks as they stand in them. A webhook is asked if one of its rules and both
selectors match (and its matchConditions hold). Mutating ones are asked one after the other; if one changes the object, the
API server's own plugins see it again, and then those webhooks whose reinvocationPolicy is IfNeeded. Of validating ones all
are asked, and the first refusal counts.
Sources: k8s.io/apiserver/pkg/admission/plugin/webhook (generic/webhook.go, mutating/ and validating/dispatcher.go,
predicates/, request/admissionreview.go, errors/statuserror.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.apiserver.admission import matching, webhook_calls
from minikube_py.base import errors, gotext, patch

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.apiserver.admission import Request

Object = dict[str, Any]

MUTATING = f"mutatingwebhookconfigurations.{matching.GROUP}"
VALIDATING = f"validatingwebhookconfigurations.{matching.GROUP}"
CONFIGURATIONS = (MUTATING, VALIDATING)
REVIEWS = ("v1", "v1beta1")
_BY_REASON: dict[str, type[errors.StatusError]] = {
    one.reason: one
    for one in (
        errors.BadRequest, errors.Unauthorized, errors.Forbidden, errors.NotFound, errors.MethodNotAllowed,
        errors.AlreadyExists, errors.Conflict, errors.Expired, errors.TooManyRequests, errors.InternalError,
    )
}  # fmt: skip


class CallError(Exception):
    """A webhook could not be asked, or what it said makes no sense: its failure policy decides."""

    def __init__(self, text: str, *, unreachable: bool = False) -> None:
        super().__init__(text)
        self.unreachable = unreachable


class Invocation(NamedTuple):
    """A webhook that is to be asked about a request: `version` is the apiVersion in which it wants the object."""

    plugin: str
    configuration: str
    hook: Object
    version: str

    @property
    def rule(self) -> str:
        return f"{self.configuration}/{self.hook['name']}"


class Rounds:
    """What one request's second round has to know: which webhooks are to be asked again."""

    __slots__ = ("again", "asked", "due", "output")

    def __init__(self) -> None:
        self.again = False  # something has changed: the API server's own plugins must look again
        self.asked: set[str] = set()  # webhooks that may be asked again
        self.due: set[str] = set()  # those that have to
        self.output: Object | None = None

    def changed(self) -> None:
        self.due |= self.asked
        self.asked = set()


# -- mutating -----------------------------------------------------------------------------------------------------


def mutate(request: Request, plugins: Callable[[Request], Request]) -> Object | None:
    """The object after all mutating webhooks; `plugins` runs the API server's own mutating plugins again."""
    if request.key.resource in matching.EXEMPT:
        return request.object
    rounds = Rounds()
    request = _round(request, rounds, first=True)
    if rounds.again:
        request = plugins(request)
        if request.object != rounds.output:
            rounds.changed()
        request = _round(request, rounds, first=False)
    return request.object


def _round(request: Request, rounds: Rounds, *, first: bool) -> Request:
    for configuration in request.view.list(MUTATING):
        for hook in configuration.get("webhooks") or ():
            found = _invocation(request, "MutatingAdmissionWebhook", configuration, hook)
            if found is None or not (first or found.rule in rounds.due):
                continue
            before = request.object
            try:
                request = _mutated(request, found)
            except CallError as error:
                _failed(request, found, error)
            if request.object is not before:
                rounds.changed()
                rounds.again = True
            if hook.get("reinvocationPolicy") == "IfNeeded":
                rounds.asked.add(found.rule)
    rounds.output = request.object
    return request


def _mutated(request: Request, found: Invocation) -> Request:
    """The request with the object as the webhook wants it; the same one if it wants nothing."""
    response = _asked(request, found, mutating=True)
    operations = _operations(response)
    if not operations:
        request.note(found.plugin, found.rule, "allows")
        return request
    name = found.hook["name"]
    if request.object is None:
        raise _internal(
            f"admission webhook {gotext.quoted(name)} attempted to modify the object, "
            "which is not supported for this operation"
        )
    shown = matching.shown(request, found.version, request.object)
    try:
        changed = patch.json_patch(shown, operations)
    except patch.PatchError as error:
        raise _internal(str(error)) from None
    if changed == shown:
        request.note(found.plugin, found.rule, "allows")
        return request
    import json

    try:
        made = matching.taken_back(request, _object(changed, shown))
    except errors.BadRequest as error:
        raise _internal(str(error)) from None
    request.note(found.plugin, found.rule, "patches", json.dumps(operations))
    return request._replace(object=made)


def _object(changed: Any, shown: Object | None) -> Object:
    """What a patch made, which must still be an object of its kind. Raises InternalError."""
    if not isinstance(changed, dict) or not isinstance(changed.get("metadata", {}), dict):
        raise _internal("json: cannot unmarshal into Go value of the object's type")
    kind = (shown or {}).get("kind")
    if changed.get("kind") != kind:
        raise _internal(f"unable to decode {gotext.quoted(str(changed.get('kind') or ''))} into {kind}")
    return changed


def _operations(response: Object) -> list[Object]:
    import json
    from base64 import b64decode

    if not response.get("patch"):
        return []
    if response["patchType"] != "JSONPatch":
        raise CallError(f"unsupported patch type {gotext.quoted(response['patchType'])}")
    try:
        found = json.loads(b64decode(response["patch"]))
    except ValueError as error:
        raise CallError(f"received undecodable patch in webhook response: {error}") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise CallError(
            "received undecodable patch in webhook response: json: cannot unmarshal into Go value of type jsonpatch.Patch"
        )
    return found


# -- validating ---------------------------------------------------------------------------------------------------


def validate(request: Request) -> None:
    """Asks every validating webhook; raises the first refusal."""
    configurations = request.view.list(VALIDATING)
    if not configurations or request.key.resource in matching.EXEMPT:
        return
    chosen = [
        found
        for configuration in configurations
        for hook in configuration.get("webhooks") or ()
        if (found := _invocation(request, "ValidatingAdmissionWebhook", configuration, hook)) is not None
    ]
    refusals: list[errors.KpyError] = []
    for found in chosen:
        try:
            _asked(request, found, mutating=False)
            request.note(found.plugin, found.rule, "allows")
        except CallError as error:
            try:
                _failed(request, found, error)
            except errors.KpyError as refusal:
                refusals.append(refusal)
        except errors.KpyError as refusal:
            refusals.append(refusal)
    if refusals:
        raise refusals[0]


# -- whether to ask -----------------------------------------------------------------------------------------------


def _invocation(request: Request, plugin: str, configuration: Object, hook: Object) -> Invocation | None:
    version = matching.version_asked(request, hook.get("rules") or (), hook.get("matchPolicy") or "Equivalent")
    if not version or not matching.selected(request, hook):
        return None
    found = Invocation(plugin, configuration["metadata"]["name"], hook, version)
    return found if _conditions_hold(request, found) else None


def _conditions_hold(request: Request, found: Invocation) -> bool:
    """Whether all matchConditions hold; one that cannot be evaluated leaves it to the failure policy."""
    if not found.hook.get("matchConditions"):
        return True
    from minikube_py.api.cel import policies as expressions
    from minikube_py.apiserver.admission import policies

    policy = expressions.Policy({name: found.hook.get(name) for name in ("matchConditions", "failurePolicy")})
    names = policies.variables(request, found.version, None)
    try:
        return expressions.Evaluation(policy, names).matches()
    except expressions.Failure as failure:
        raise _internal(f"failed calling webhook {gotext.quoted(found.hook['name'])}: {failure}") from None


# -- asking -------------------------------------------------------------------------------------------------------


def _asked(request: Request, found: Invocation, *, mutating: bool) -> Object:
    """The response of a webhook that allows the request. Raises CallError, or the refusal."""
    hook = found.hook
    if request.dry_run and hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
        raise errors.BadRequest(f"admission webhook {gotext.quoted(hook['name'])} does not support dry run")
    spoken = next((one for one in hook.get("admissionReviewVersions") or () if one in REVIEWS), None)
    if spoken is None:
        raise CallError(
            "could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)"
        )
    review = _review(request, found, f"admission.k8s.io/{spoken}")
    try:
        answer = webhook_calls.answer(hook, found.configuration, review, request.view)
    except webhook_calls.Failed as error:
        raise CallError(f"failed to call webhook: {error}", unreachable=error.unreachable) from None
    misread = _misread(answer)
    if misread:
        raise CallError(f"failed to call webhook: {misread}")
    problem = _problem(answer, review, mutating=mutating)
    if problem:
        raise CallError(f"received invalid webhook response: {problem}")
    response: Object = answer["response"]
    for key, value in sorted((response.get("auditAnnotations") or {}).items()):
        request.note(found.plugin, found.rule, "audits", f"{hook['name']}/{key}={value}")
    request.warn(*(response.get("warnings") or ()))
    if not response.get("allowed"):
        refusal = _refusal(hook["name"], response.get("status") or {})
        request.note(found.plugin, found.rule, "denies", str(refusal))
        raise refusal
    return response


def _misread(answer: Object) -> str:
    """What encoding/json says of an answer whose fields are of other types than an AdmissionResponse's; '' if it fits."""
    response = answer.get("response")
    if response is None:
        return ""
    if not isinstance(response, dict):
        return _unmarshal(response, "AdmissionReview.response", "v1.AdmissionResponse")
    for field, (sort, name) in _FIELDS.items():
        value = response.get(field)
        items = (
            value
            if isinstance(value, list)
            else value.values()
            if isinstance(value, dict) and field != "status"
            else ()
        )
        if value is not None and not isinstance(value, sort):
            return _unmarshal(value, f"AdmissionResponse.response.{field}", name)
        wrong = next((item for item in items if not isinstance(item, str)), None)
        if wrong is not None:
            return _unmarshal(wrong, f"AdmissionResponse.response.{field}", "string")
    for field, sort, name in (("message", str, "string"), ("reason", str, "v1.StatusReason"), ("code", int, "int32")):
        value = (response.get("status") or {}).get(field)
        if value is not None and not isinstance(value, sort):
            return _unmarshal(value, f"Status.response.status.{field}", name)
    return ""


def _unmarshal(value: Any, field: str, name: str) -> str:
    sorts = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    return f"json: cannot unmarshal {sorts[type(value)]} into Go struct field {field} of type {name}"


_FIELDS: dict[str, tuple[type, str]] = {
    "uid": (str, "types.UID"),
    "allowed": (bool, "bool"),
    "status": (dict, "v1.Status"),
    "patch": (str, "[]uint8"),
    "patchType": (str, "v1.PatchType"),
    "auditAnnotations": (dict, "map[string]string"),
    "warnings": (list, "[]string"),
}


def _problem(answer: Object, review: Object, *, mutating: bool) -> str:
    """What is wrong with an answer, '' if nothing is."""
    response, wanted = answer.get("response"), review["apiVersion"]
    if not isinstance(response, dict):
        return "webhook response was absent"
    has_patch, kind = bool(response.get("patch")), response.get("patchType")
    if wanted.endswith("/v1"):
        uid = review["request"]["uid"]
        if response.get("uid") != uid:
            return f"expected response.uid={gotext.quoted(uid)}, got {gotext.quoted(str(response.get('uid') or ''))}"
        if (answer.get("apiVersion"), answer.get("kind")) != (wanted, "AdmissionReview"):
            got = f"{answer.get('apiVersion') or ''}, Kind={answer.get('kind') or ''}"
            return f"expected webhook response of {wanted}, Kind=AdmissionReview, got {got}"
        if not mutating:
            if has_patch:
                return "validating webhook may not return response.patch"
            return "validating webhook may not return response.patchType" if kind is not None else ""
        if has_patch and kind is None:
            return "webhook returned response.patch but not response.patchType"
        if not has_patch and kind is not None:
            return "webhook returned response.patchType but not response.patch"
    elif has_patch:
        response["patchType"] = "JSONPatch"
    return ""


def _refusal(name: str, status: Object) -> errors.StatusError:
    """The error of a webhook's own status: its code (at least 400), reason and message."""
    start = f"admission webhook {gotext.quoted(name)} denied the request"
    told = status.get("message") or status.get("reason")
    text = f"{start}: {told}" if told else f"{start} without explanation"
    found = _BY_REASON.get(status.get("reason") or "", errors.StatusError)(text, details=status.get("details") or {})
    found.code = max(400, status.get("code") or 0)
    return found


def _internal(text: str) -> errors.InternalError:
    return errors.InternalError(f"Internal error occurred: {text}")


def _failed(request: Request, found: Invocation, error: CallError) -> None:
    """A webhook that could not be asked: passed over if its policy is Ignore, else the request fails."""
    text = f"failed calling webhook {gotext.quoted(found.hook['name'])}: {error}"
    if error.unreachable:
        name = found.hook["name"]
        request.warn(f"nobody answers for webhook {gotext.quoted(name)} here; `kpy webhook stub {name} --allow` does")
    if found.hook.get("failurePolicy") == "Ignore":
        request.note(found.plugin, found.rule, "ignores", text)
        return
    request.note(found.plugin, found.rule, "fails", text)
    raise _internal(text)


def _review(request: Request, found: Invocation, version: str) -> Object:
    """The AdmissionReview that a webhook is sent."""
    uid = request.clock.uid(
        "admission-review", found.rule, *request.key, request.verb, request.subresource, _revision(request)
    )
    asked: Object = {
        "uid": uid,
        **matching.asked(request, found.version),
        "object": matching.shown(request, found.version, request.object),
        "oldObject": matching.shown(request, found.version, request.old),
    }
    return {"kind": "AdmissionReview", "apiVersion": version, "request": asked}


def _revision(request: Request) -> str:
    found = request.old or request.object or {}
    meta = found.get("metadata") or {}
    return str(meta.get("resourceVersion") or meta.get("uid") or "")
