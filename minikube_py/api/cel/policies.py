"""The expressions of ValidatingAdmissionPolicies and MutatingAdmissionPolicies: compiled, and evaluated for a request.

Sources: k8s.io/apiserver/pkg/admission/plugin/cel (compile.go, composition.go, activation.go, condition.go),
policy/validating/validator.go, policy/mutating/{compilation.go,patch}.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.cel import CelError, CompileError, declarations, frontend, syntax
from minikube_py.api.cel.declarations import parse
from minikube_py.api.cel.evaluate import Message, Program, Scope
from minikube_py.api.cel.syntax import Type
from minikube_py.api.cel.values import Duration, Optional, Timestamp, Uint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from minikube_py.api.types import Object

BUDGET, CONDITIONS_BUDGET = 10_000_000, 2_500_000
OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
MESSAGE_MAX = 5 * 1024
VARIABLES = "kubernetes.variables"
BOOL, STRING, NULL = (syntax.BOOL,), (syntax.STRING,), Type("null_type")
OBJECT, PATCHES = (Type("Object"),), (Type("list", (Type("JSONPatch"),)),)
_TEXTS = "name namespace operation subResource requestSubResource"


def _fields(**types: str) -> dict[str, Type]:
    return {name: parse(type) for name, type in types.items()}


def _strings(names: str) -> dict[str, Type]:
    return dict.fromkeys(names.split(), syntax.STRING)


REQUEST: dict[str, dict[str, Type]] = {
    "kubernetes.GroupVersionKind": _strings("group version kind"),
    "kubernetes.GroupVersionResource": _strings("group version resource"),
    "kubernetes.UserInfo": {
        **_strings("username uid"),
        **_fields(groups="list(string)", extra="map(string, dyn)"),
    },
    "kubernetes.AdmissionRequest": {
        **_strings(_TEXTS),
        **_fields(
            kind="kubernetes.GroupVersionKind",
            resource="kubernetes.GroupVersionResource",
            requestKind="kubernetes.GroupVersionKind",
            requestResource="kubernetes.GroupVersionResource",
            userInfo="kubernetes.UserInfo",
            dryRun="bool",
            options="dyn",
        ),
    },
}
NAMESPACE: dict[str, dict[str, Type]] = {
    "kubernetes.NamespaceSpec": _fields(finalizers="list(string)"),
    "kubernetes.NamespaceCondition": {**_strings("status type message reason"), "lastTransitionTime": Type("timestamp")},
    "kubernetes.NamespaceStatus": _fields(conditions="list(kubernetes.NamespaceCondition)", phase="string"),
    "kubernetes.NamespaceMetadata": {
        **_strings("name generateName namespace UID resourceVersion"),
        **_fields(
            labels="map(string, string)", annotations="map(string, string)", creationTimestamp="timestamp",
            deletionGracePeriodSeconds="int", deletionTimestamp="timestamp", generation="int", finalizers="list(string)",
        ),
    },
    "kubernetes.Namespace": _fields(
        metadata="kubernetes.NamespaceMetadata", spec="kubernetes.NamespaceSpec", status="kubernetes.NamespaceStatus"
    ),
}  # fmt: skip
JSON_PATCH: dict[str, dict[str, Type]] = {"JSONPatch": {**_strings("op path from"), "value": syntax.DYN}}
_USED = re.compile(r"\bvariables\s*\.\s*\??(\w+)")
_KEPT_TYPES = frozenset({"bool", "bytes", "double", "duration", "int", "null_type", "string", "timestamp", "uint"})


class Variables(NamedTuple):
    """Which variables an expression may use, besides object, oldObject, request and namespaceObject."""

    params: bool = False
    authorizer: bool = True
    patches: bool = False


@lru_cache(128)
def _shared_environment(declared: Variables, variables: tuple[tuple[str, Type], ...]) -> frontend.Environment:
    """Policies that use the same variables of the same types share what the library knows of them."""
    return _environment(declared, dict(variables), {})


def _environment(
    declared: Variables, variables: dict[str, Type], objects: dict[str, dict[str, Type]]
) -> frontend.Environment:
    types = _fields(
        object="dyn", oldObject="dyn", request="kubernetes.AdmissionRequest", namespaceObject="kubernetes.Namespace"
    )
    if declared.params:
        types["params"] = syntax.DYN
    if declared.authorizer:
        types["authorizer"] = parse("kubernetes.authorization.Authorizer")
        types["authorizer.requestResource"] = parse("kubernetes.authorization.ResourceCheck")
    messages = {**REQUEST, **NAMESPACE, VARIABLES: variables}
    types["variables"] = Type(VARIABLES)
    functions: tuple[declarations.Overload, ...] = ()
    if declared.patches:
        messages |= {**JSON_PATCH, "Object": {}, **objects}
        functions = tuple(declarations.read(declarations.JSON_PATCH))
    return frontend.Environment(types, messages, functions)


class Compiled(NamedTuple):
    """An expression with its program, or why it has none."""

    text: str
    program: Program | None
    error: str = ""

    @property
    def type(self) -> Type:
        return self.program.checked.type if self.program else syntax.DYN


class Compiler:
    """Compiles the expressions of one policy; variables are added one by one and seen by what comes after them."""

    __slots__ = ("_params", "compiled", "variables")

    def __init__(self, params: bool) -> None:
        self._params = params
        self.variables: dict[str, Type] = {}
        self.compiled: dict[str, Compiled] = {}

    def add(self, name: str, text: str) -> Compiled:
        """A variable of the policy."""
        found = self.compile(text, ())
        self.compiled[name] = found
        self.variables[name] = declared_type(found.type)
        return found

    def compile(self, text: str, returns: tuple[Type, ...], authorizer: bool = True, patches: bool = False) -> Compiled:
        """`returns`: the types that the expression may have; () for any."""
        declared = Variables(self._params, authorizer, patches)
        try:
            checked = self._environment(declared, text).compile(text)
        except CompileError as error:
            return Compiled(text, None, f"compilation failed: {error}")
        if returns and checked.type not in returns:
            return Compiled(text, None, _wrong_type(returns, checked.type))
        return Compiled(text, Program(checked))

    def _environment(self, declared: Variables, text: str) -> frontend.Environment:
        objects = frontend.objects_in(text) if declared.patches else {}
        used = {name: self.variables[name] for name in sorted(set(_USED.findall(text))) if name in self.variables}
        if objects:
            return _environment(declared, used, objects)
        return _shared_environment(declared, tuple(used.items()))


def declared_type(type: Type) -> Type:
    """The type of a variable: what is opaque, or a message, is dynamic."""
    if type.name in ("list", "map"):
        return type._replace(params=tuple(map(declared_type, type.params)))
    return type if type.name in _KEPT_TYPES else syntax.DYN


def _wrong_type(wanted: tuple[Type, ...], found: Type) -> str:
    if len(wanted) == 1:
        return f"must evaluate to {wanted[0]} but got {found}"
    return f"must evaluate to one of [{' '.join(map(str, wanted))}] but got {found}"


# ---------------------------------------------------------------------------------------------------------- policies


class Policy:
    """A policy's compiled expressions. `mutations`: (type of patch, expression)."""

    __slots__ = ("annotations", "compiler", "conditions", "fails", "mutations", "validations")

    def __init__(self, spec: Object) -> None:
        self.compiler = compiler = Compiler(bool(spec.get("paramKind")))
        self.fails = spec.get("failurePolicy") != "Ignore"
        for variable in spec.get("variables") or ():
            compiler.add(variable["name"], variable["expression"])
        self.conditions = [
            (one["name"], compiler.compile(one["expression"], BOOL)) for one in spec.get("matchConditions") or ()
        ]
        self.validations = [self._validation(one) for one in spec.get("validations") or ()]
        self.annotations = [
            (one["key"], compiler.compile(one["valueExpression"], (syntax.STRING, NULL)))
            for one in spec.get("auditAnnotations") or ()
        ]
        self.mutations = [self._mutation(one) for one in spec.get("mutations") or ()]

    def _validation(self, validation: Object) -> tuple[Object, Compiled, Compiled | None]:
        message = validation.get("messageExpression")
        told = self.compiler.compile(message, STRING, authorizer=False) if message else None
        return validation, self.compiler.compile(validation["expression"], BOOL), told

    def _mutation(self, mutation: Object) -> tuple[str, Compiled]:
        kind = mutation.get("patchType", "")
        text = (mutation.get("jsonPatch" if kind == "JSONPatch" else "applyConfiguration") or {}).get("expression", "")
        return kind, self.compiler.compile(text, PATCHES if kind == "JSONPatch" else OBJECT, patches=True)


class Failure(Exception):
    """An expression could not be compiled or evaluated; `fatal`: nothing more may be evaluated for this request."""

    def __init__(self, text: str, fatal: bool = False) -> None:
        super().__init__(text)
        self.fatal = fatal


class _Lazy(dict[str, Any]):
    """`variables`: each is evaluated when it is asked for, once."""

    __slots__ = ("_compiled", "_names", "cost")

    def __init__(self, compiled: Mapping[str, Compiled], names: dict[str, Any]) -> None:
        super().__init__()
        self._compiled, self._names, self.cost = compiled, names, 0

    def __contains__(self, name: object) -> bool:
        return name in self._compiled

    def __missing__(self, name: str) -> Any:
        compiled = self._compiled[name]
        if compiled.program is None:
            raise CelError(f'composited variable "{name}" fails to compile: {compiled.error}')
        scope = Scope({**self._names, "variables": self})
        try:
            self[name] = compiled.program.run(scope)
        except CelError as error:
            raise CelError(f'composited variable "{name}" fails to evaluate: {error}') from None
        finally:
            self.cost += scope.cost
        return self[name]


class Evaluation:
    """A policy's expressions for one request and one parameter. `names`: what the variables stand for."""

    __slots__ = ("_lazy", "_names", "budget", "policy")

    def __init__(self, policy: Policy, names: dict[str, Any], budget: int = BUDGET) -> None:
        self.policy, self.budget = policy, budget
        self._names = names
        self._lazy = _Lazy(policy.compiler.compiled, names)

    def value(self, compiled: Compiled) -> Any:
        """Raises Failure."""
        if compiled.program is None:
            raise Failure(f"compilation error: {compiled.error}")
        scope = Scope({**self._names, "variables": self._lazy})
        problem: CelError | None = None
        result: Any = None
        try:
            result = compiled.program.run(scope)
        except CelError as error:
            problem = error
        spent, self._lazy.cost = scope.cost + self._lazy.cost, 0
        if spent > self.budget:
            raise Failure(OUT_OF_BUDGET, fatal=True)
        self.budget -= spent
        if problem is not None:
            raise Failure(f"expression '{compiled.text}' resulted in error: {problem}")
        return result

    def matches(self) -> bool:
        """Whether all matchConditions hold. Raises Failure if that cannot be said and the policy fails then."""
        budget, self.budget = self.budget, CONDITIONS_BUDGET
        problems = []
        try:
            for _, compiled in self.policy.conditions:
                try:
                    if self.value(compiled) is False:
                        return False
                except Failure as failure:
                    if failure.fatal:
                        problems = [str(failure)]
                        break
                    problems.append(str(failure))
        finally:
            self.budget = budget
        if not problems:
            return True
        if not self.policy.fails:
            return False
        raise Failure(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")

    def message(self, validation: Object, told: Compiled | None) -> str:
        """Why a validation refuses: by its messageExpression, its message, or its expression."""
        if told is not None:
            try:
                text = self.value(told)
            except Failure as failure:
                if failure.fatal:
                    raise Failure(f"failed messageExpression: {failure}") from None
                text = None
            stripped = text.strip() if isinstance(text, str) else ""
            if stripped and len(stripped.encode()) <= MESSAGE_MAX and "\n" not in stripped:
                return str(stripped)
        return validation.get("message", "").strip() or f"failed expression: {validation['expression'].strip()}"


# ---------------------------------------------------------------------------------------------------------- results


def plain(value: Any, types: tuple[str, ...] = ()) -> Any:
    """A value as JSON. `types`: the path of type names in which it stands, to be kept by what Object{...} makes.

    Raises Failure where a type name is not that of the field that it stands in.
    """
    if isinstance(value, Message):
        if types and value.type_name != ".".join(types):
            told = f'unexpected type name "{value.type_name}", expected "{".".join(types)}"'
            raise Failure(f"type mismatch: {told}, which matches field name path from root Object type")
        path = tuple(value.type_name.split("."))
        return {name: plain(one, (*path, name)) for name, one in value.items()}
    if isinstance(value, dict):
        return {str(name): plain(one, types) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one, types) for one in value]
    if isinstance(value, Optional):
        return plain(value.value, types)
    if isinstance(value, Uint):
        return int(value)
    return str(value) if isinstance(value, (Duration, Timestamp)) else value


def operations(patches: list[Any]) -> list[Object]:
    """The JSON patch that a list of JSONPatch{...} stands for."""
    out = []
    for one in patches:
        operation: Object = {"op": one.get("op", ""), "path": one.get("path", "")}
        if one.get("from"):
            operation["from"] = one["from"]
        if "value" in one:
            operation["value"] = plain(one["value"])
        out.append(operation)
    return out
