"""ValidatingAdmissionPolicy: CEL expressions that a request must satisfy.

A binding's validationActions say what a broken validation does: Deny, Warn or Audit. All policies are evaluated; the first
refusal counts.
Sources: k8s.io/apiserver/pkg/admission/plugin/policy/validating (dispatcher.go, validator.go, policy_decision.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.apiserver.admission import matching, policies
from minikube_py.base import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.apiserver.admission import Request
    from minikube_py.apiserver.admission.policies import Hook, Invocation

Object = dict[str, Any]

PLUGIN = "ValidatingAdmissionPolicy"
ANNOTATION_MAX = 10 * 1024


class Decision(NamedTuple):
    """A broken validation. `reason`: of the refusal, '' for Invalid."""

    message: str
    reason: str = ""


def check(request: Request) -> list[str]:
    """Raises the first refusal; otherwise the warnings of policies that only warn."""
    hooks = policies.hooks(request.view, policies.VALIDATING)
    if not hooks or request.key.resource in matching.EXEMPT:
        return []
    refusals: list[errors.StatusError] = []
    warnings: list[str] = []
    for hook in hooks:
        for found in policies.invocations(request, hook):
            if isinstance(found, policies.Misconfigured):
                refusals += _misconfigured(request, hook, found)
                continue
            decisions = list(_decisions(request, found))
            for decision in decisions:
                _act(request, found, decision, refusals, warnings)
            if not decisions:
                request.note(PLUGIN, found.rule, "allows")
    if refusals:
        raise refusals[0]
    return warnings if request.groups else []  # components do not read any


def _act(
    request: Request, found: Invocation, decision: Decision, refusals: list[errors.StatusError], warnings: list[str]
) -> None:
    policy, binding = found.hook.name, found.binding["metadata"]["name"]
    for action in found.binding["spec"].get("validationActions") or ():
        if action == "Deny":
            request.note(PLUGIN, found.rule, "denies", decision.message)
            refusals.append(_refusal(request, policy, binding, decision))
        elif action == "Warn":
            request.note(PLUGIN, found.rule, "warns", decision.message)
            told = f"Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {decision.message}"
            if told not in warnings:
                warnings.append(told)
        else:
            request.note(PLUGIN, found.rule, "audits", decision.message)


def _misconfigured(request: Request, hook: Hook, problem: policies.Misconfigured) -> list[errors.StatusError]:
    rule = f"{hook.name}/{problem.binding}" if problem.binding else hook.name
    if hook.spec.get("failurePolicy") == "Ignore":
        request.note(PLUGIN, rule, "ignores", str(problem))
        return []
    request.note(PLUGIN, rule, "fails", str(problem))
    return [_refusal(request, hook.name, problem.binding, Decision(str(problem)))]


def _decisions(request: Request, found: Invocation) -> Iterator[Decision]:
    """The validations that a request breaks, and what could not be evaluated if the policy fails then."""
    from minikube_py.api.cel import policies as expressions

    policy = found.hook.compiled
    evaluation = expressions.Evaluation(policy, policies.names(request, found))
    try:
        if not evaluation.matches():
            return
    except expressions.Failure as failure:
        yield Decision(str(failure))
        return
    for validation, compiled, told in policy.validations:
        try:
            if evaluation.value(compiled) is not True:
                message = evaluation.message(validation, told)
                yield Decision(message, validation.get("reason") or "")
        except expressions.Failure as failure:
            if policy.fails:
                yield Decision(str(failure))
            else:
                request.note(PLUGIN, found.rule, "ignores", str(failure))
            if failure.fatal:
                return
    yield from _annotations(request, found, evaluation)


def _annotations(request: Request, found: Invocation, evaluation: Any) -> Iterator[Decision]:
    """What goes into the audit log; an annotation that fails is a refusal if the policy fails then."""
    from minikube_py.api.cel import policies as expressions

    for key, compiled in evaluation.policy.annotations:
        try:
            value = evaluation.value(compiled)
        except expressions.Failure as failure:
            if evaluation.policy.fails:
                yield Decision(str(failure))
            continue
        text = value.strip()[:ANNOTATION_MAX] if isinstance(value, str) else ""
        if text:
            request.note(PLUGIN, found.rule, "audits", f"{found.hook.name}/{key}={text}")


def _refusal(request: Request, policy: str, binding: str, decision: Decision) -> errors.StatusError:
    bound = f" with binding '{binding}'" if binding else ""
    message = f"ValidatingAdmissionPolicy '{policy}'{bound} denied request: {decision.message}"
    return refusal(request, decision.reason or "Invalid", message, request.forbidden(message))


def refusal(request: Request, reason: str, message: str, usual: errors.Forbidden) -> errors.StatusError:
    """A refusal with a reason of its own, whose message is the cause: `usual` says it as Forbidden."""
    causes = [errors.Cause("", "", message)]
    if reason == "Invalid":
        return errors.Invalid(request.kind.plural, request.kind.group, request.name, causes, message=str(usual))
    usual.details["causes"] = causes
    if reason == "RequestEntityTooLarge":
        found = errors.StatusError(str(usual), details=usual.details)
        found.reason, found.code = reason, 413
        return found
    return usual
