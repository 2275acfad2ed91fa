"""What ValidatingAdmissionPolicies and MutatingAdmissionPolicies have in common: which of them are about a request, with
which parameters, and what their variables stand for.

Policies in the order of their names, their bindings likewise. A policy without a binding does nothing, and neither does a
binding to a policy that isn't there.
Sources: k8s.io/apiserver/pkg/admission/plugin/policy/generic (policy_source.go, policy_dispatcher.go), plugin/cel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.apiserver.admission import matching
from minikube_py.base import selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.cel.policies import Policy
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import View
    from minikube_py.apiserver.admission import Request

Object = dict[str, Any]

GROUP = matching.GROUP
VALIDATING, MUTATING = f"validatingadmissionpolicies.{GROUP}", f"mutatingadmissionpolicies.{GROUP}"
BINDINGS = {
    VALIDATING: f"validatingadmissionpolicybindings.{GROUP}",
    MUTATING: f"mutatingadmissionpolicybindings.{GROUP}",
}
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
RESOURCES = frozenset({*BINDINGS, *BINDINGS.values()})
_HIDDEN = ("managedFields", "ownerReferences", "selfLink")


class Hook:
    """A policy with its bindings. Its expressions are compiled when the first request matches."""

    __slots__ = ("_compiled", "bindings", "policy")

    def __init__(self, policy: Object, bindings: list[Object], compiled: Policy | None) -> None:
        self.policy, self.bindings, self._compiled = policy, bindings, compiled

    @property
    def name(self) -> str:
        return str(self.policy["metadata"]["name"])

    @property
    def spec(self) -> Object:
        spec: Object = self.policy["spec"]
        return spec

    @property
    def compiled(self) -> Policy:
        if self._compiled is None:
            from minikube_py.api.cel import policies

            self._compiled = policies.Policy(self.spec)
        return self._compiled

    def same(self, policy: Object) -> Policy | None:
        """What was compiled, if another version of the policy says the same."""
        return self._compiled if policy["spec"] == self.spec else None


class Hooks:
    """All policies that are bound, kept up to date by the store (a `types.Derived`)."""

    __slots__ = ("_found", "_known", "_view")
    resources = RESOURCES

    def __init__(self, view: View) -> None:
        self._view = view
        self._found: dict[str, list[Hook] | None] = dict.fromkeys(BINDINGS)
        self._known: dict[str, dict[str, Hook]] = {resource: {} for resource in BINDINGS}

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        for resource, bindings in BINDINGS.items():
            if key.resource in (resource, bindings):
                self._found[resource] = None

    def of(self, resource: str) -> list[Hook]:
        found = self._found[resource]
        if found is None:
            found = self._found[resource] = self._read(resource)
            self._known[resource] = {hook.name: hook for hook in found}
        return found

    def _read(self, resource: str) -> list[Hook]:
        known = self._known[resource]
        bound: dict[str, list[Object]] = {}
        for binding in self._view.list(BINDINGS[resource]):
            bound.setdefault(binding["spec"].get("policyName", ""), []).append(binding)
        if not bound:
            return []
        policies = self._view.list(resource)
        return [
            Hook(policy, bound[name], known[name].same(policy) if name in known else None)
            for policy in policies
            if (name := policy["metadata"]["name"]) in bound
        ]


def hooks(view: View, resource: str) -> list[Hook]:
    """The policies of a resource that are bound; [] costs a look into a cache."""
    found: Hooks = view.derived("admission-policies", Hooks)
    return found.of(resource)


class Misconfigured(Exception):
    """A policy or a binding cannot be used for a request: the policy's failurePolicy decides."""

    def __init__(self, text: str, binding: str = "") -> None:
        super().__init__(f"failed to configure {'binding' if binding else 'policy'}: {text}")
        self.binding = binding


class Invocation(NamedTuple):
    """A policy that is about a request, by a binding, with one parameter (None: none). `version`: of the object."""

    hook: Hook
    binding: Object
    parameter: Object | None
    version: str

    @property
    def rule(self) -> str:
        return f"{self.hook.name}/{self.binding['metadata']['name']}"


def invocations(request: Request, hook: Hook) -> Iterator[Invocation | Misconfigured]:
    """How a policy is about a request: not at all, or once for each binding and parameter."""
    constraints = hook.spec.get("matchConstraints") or {}
    version = _asked(request, constraints)
    if not version:
        return
    try:
        scope = _parameter_kind(request, hook.spec.get("paramKind"))
    except Misconfigured as problem:
        yield problem
        return
    for binding in hook.bindings:
        narrowed = binding["spec"].get("matchResources")
        if narrowed is not None and not _asked(request, narrowed):
            continue
        try:
            parameters = _parameters(request, scope, binding)
        except Misconfigured as problem:
            yield problem
            continue
        for parameter in parameters:
            yield Invocation(hook, binding, parameter, version)


def _asked(request: Request, criteria: Object) -> str:
    """The version in which the object is asked for; '' if the criteria leave it out."""
    if not matching.selected(request, criteria):
        return ""
    policy = criteria.get("matchPolicy") or "Exact"
    if matching.version_asked(request, criteria.get("excludeResourceRules") or (), policy):
        return ""
    rules = criteria.get("resourceRules") or ()
    return matching.version_asked(request, rules, policy) if rules else request.kind.version


# ------------------------------------------------------------------------------------------------------- parameters


def _parameter_kind(request: Request, wanted: Object | None) -> Kind | None:
    """The kind of a policy's parameters; None if it has none. Raises Misconfigured if there is no such kind."""
    if wanted is None:
        return None
    found = kind_of(request.view, wanted.get("apiVersion", ""), wanted.get("kind", ""))
    if found is None:
        named = f"{wanted.get('apiVersion', '')}, Kind={wanted.get('kind', '')}"
        raise Misconfigured(f"failed to find resource referenced by paramKind: '{named}'")
    return found


def kind_of(view: View, version: str, name: str) -> Kind | None:
    """The kind of an apiVersion and kind: built in, or a custom one."""
    from minikube_py.api import custom
    from minikube_py.api.kinds import KINDS

    crds = (kind for crd in view.list(CRDS) if custom.is_established(crd) for kind in custom.kinds_of(crd))
    for kind in (*KINDS, *crds):
        if kind.name == name and version in (kind.version, *kind.others):
            return kind
    return None


def _parameters(request: Request, kind: Kind | None, binding: Object) -> list[Object | None]:
    """What a binding's paramRef picks; [None] if there is none. Raises Misconfigured."""
    reference, name = binding["spec"].get("paramRef"), binding["metadata"]["name"]
    if kind is None or reference is None:
        return [None]
    namespace = reference.get("namespace") or ""
    if namespace and not kind.namespaced:
        raise Misconfigured("paramRef.namespace must not be provided for a cluster-scoped `paramKind`", name)
    if kind.namespaced and not namespace:
        namespace = request.key.namespace
        if not namespace:
            words = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            raise Misconfigured(words, name)
    if reference.get("name"):
        one = request.view.get(Key(kind.storage, namespace, reference["name"]))
        found = [one] if one is not None else []
    else:
        chosen = selector.from_label_selector(reference.get("selector"))
        there = request.view.list(kind.storage, namespace if kind.namespaced else None)
        found = [one for one in there if chosen.matches(one["metadata"].get("labels") or {})]
    if not found and reference.get("parameterNotFoundAction") == "Deny":
        raise Misconfigured("no params found for policy binding with `Deny` parameterNotFoundAction", name)
    return [{"apiVersion": kind.version, "kind": kind.name, **one} for one in found]


# -------------------------------------------------------------------------------------------------------- variables


def names(request: Request, found: Invocation) -> dict[str, Any]:
    """What the variables of a policy's expressions stand for."""
    return variables(request, found.version, found.parameter)


def variables(request: Request, version: str, parameter: Object | None) -> dict[str, Any]:
    """The same for an object in some version."""
    from minikube_py.api.cel import authorizer

    info = request.user_info
    asker = authorizer.Authorizer(info["username"], tuple(info.get("groups") or ()), _decider(request))
    key = request.key
    return {
        "object": matching.shown(request, version, request.object),
        "oldObject": matching.shown(request, version, request.old),
        "params": parameter,
        "request": matching.asked(request, version),
        "namespaceObject": _namespace(request),
        "authorizer": asker,
        "authorizer.requestResource": authorizer.ResourceCheck(
            asker, request.kind.group, request.kind.plural, request.subresource, key.namespace, key.name
        ),
    }


def _namespace(request: Request) -> Object | None:
    if not request.key.namespace:
        return None
    found = request.view.get(Key("namespaces", "", request.key.namespace))
    if found is None:
        return None
    meta = {name: value for name, value in found["metadata"].items() if name not in _HIDDEN}
    return {**found, "metadata": meta}


def _decider(request: Request) -> Any:
    """Answers an expression's questions by the roles of the cluster."""
    from minikube_py.apiserver import authorizer

    def decide(question: Any) -> tuple[bool, str]:
        resource = f"{question.resource}/{question.subresource}" if question.subresource else question.resource
        target = authorizer.Target(question.group, resource, question.namespace, question.name, question.path)
        subject = authorizer.Subject(question.user, question.groups)
        return authorizer.allows(request.view, subject, question.verb, target), ""

    return decide
