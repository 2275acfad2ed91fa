"""MutatingAdmissionPolicy: CEL expressions that change an object, as apply configurations or JSON patches.

Each policy sees what those before it have changed. If anything changed, the API server's own plugins look again, and then
those policies whose reinvocationPolicy is IfNeeded.
Sources: k8s.io/apiserver/pkg/admission/plugin/policy/mutating (dispatcher.go, reinvocationcontext.go, patch/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.apiserver.admission import matching, policies
from minikube_py.base import errors, patch

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.apiserver.admission import Request
    from minikube_py.apiserver.admission.policies import Hook, Invocation

Object = dict[str, Any]

PLUGIN = "MutatingAdmissionPolicy"


def mutate(request: Request, plugins: Callable[[Request], Request]) -> Request:
    """The request with the object after all policies; `plugins` runs the API server's own mutating plugins again."""
    if request.object is None or request.key.resource in matching.EXEMPT:
        return request
    seen: set[str] = set()  # policies that may be asked again because something changed after them
    due: set[str] = set()
    before = request.object
    request = _round(request, None, seen, due)
    if request.object is before:
        return request
    output = request.object
    request = plugins(request)
    if request.object != output:
        due |= seen
    return _round(request, due, set(), set())


def again(request: Request) -> Request:
    """After a webhook changed the object: only policies whose reinvocationPolicy is IfNeeded."""
    hooks = policies.hooks(request.view, policies.MUTATING)
    wanted = {hook.name for hook in hooks if hook.spec.get("reinvocationPolicy") == "IfNeeded"}
    return _round(request, wanted, set(), set())


def _round(request: Request, only: set[str] | None, seen: set[str], due: set[str]) -> Request:
    """Each policy once; `only`: those to be asked (None: all)."""
    problems: list[str] = []
    for hook in policies.hooks(request.view, policies.MUTATING):
        if only is not None and hook.name not in only:
            continue
        before = request.object
        for found in list(policies.invocations(request, hook)):
            if isinstance(found, policies.Misconfigured):
                _failed(request, hook, found.binding, str(found), problems)
            else:
                request = _applied(request, found, problems)
        if request.object is not before:
            due |= seen
            seen.clear()
        if hook.spec.get("reinvocationPolicy") == "IfNeeded":
            seen.add(hook.name)
    if problems:
        from minikube_py.apiserver.admission import validating_policy

        usual = errors.forbidden(request.key.resource, request.name, "admission request denied by policy")
        usual = errors.Forbidden(problems[0], details=usual.details)
        raise validating_policy.refusal(request, "Invalid", problems[0], usual)
    return request


def _applied(request: Request, found: Invocation, problems: list[str]) -> Request:
    """The request after one policy's mutations, in their order."""
    from minikube_py.api.cel import policies as expressions

    policy, binding = found.hook.compiled, found.binding["metadata"]["name"]
    evaluation = expressions.Evaluation(policy, policies.names(request, found))
    try:
        if not evaluation.matches():
            return request
    except expressions.Failure as failure:
        _failed(request, found.hook, binding, str(failure), problems)
        return request
    for kind, compiled in policy.mutations:
        evaluation = expressions.Evaluation(policy, policies.names(request, found), evaluation.budget)
        try:
            changed = _mutated(request, found, kind, evaluation.value(compiled))
        except expressions.Failure as failure:
            _failed(request, found.hook, binding, str(failure), problems)
            continue
        if changed is not None and changed != request.object:
            request.note(PLUGIN, found.rule, "patches", compiled.text)
            request = request._replace(object=changed)
        else:
            request.note(PLUGIN, found.rule, "allows")
    return request


def _mutated(request: Request, found: Invocation, kind: str, value: Any) -> Object | None:
    """The object after one mutation; None where a test of a JSON patch failed. Raises Failure."""
    from minikube_py.api import fieldsets
    from minikube_py.api.cel import policies as expressions

    current = matching.shown(request, found.version, request.object)
    assert current is not None
    if kind == "JSONPatch":
        operations = expressions.operations(value)
        try:
            changed = patch.json_patch(current, operations)
        except patch.PatchError as error:
            if any(one["op"] == "test" for one in operations) and "test" in str(error):
                return None
            raise expressions.Failure(f"JSON Patch: {error}") from None
        return matching.taken_back(request, changed)
    configuration = expressions.plain(value, ("Object",))
    atomic = fieldsets.atomics(request.kind, configuration)
    if atomic:
        listed = ", ".join(atomic)
        text = f"invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {listed}"
        raise expressions.Failure(f"error applying patch: {text}")
    return matching.taken_back(request, fieldsets.merge(request.kind, current, configuration))


def _failed(request: Request, hook: Hook, binding: str, text: str, problems: list[str]) -> None:
    rule = f"{hook.name}/{binding}" if binding else hook.name
    if hook.spec.get("failurePolicy") == "Ignore":
        request.note(PLUGIN, rule, "ignores", text)
        return
    request.note(PLUGIN, rule, "fails", text)
    named = f"policy '{hook.name}' with binding '{binding}'" if binding else f'policy "{hook.name}"'
    problems.append(f"{named} denied request: {text}")
