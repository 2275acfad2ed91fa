"""The variable `authorizer`: questions to the API server's authorizer, built up call by call.

    authorizer.group('apps').resource('deployments').namespace('x').name('web').check('get').allowed()

Source: k8s.io/apiserver pkg/cel/library/authz.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from minikube_py.api.cel import CelError
from minikube_py.api.cel.functions import no_overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.cel.functions import Function


class Question(NamedTuple):
    """Whether a user may. `path` is set for what is no resource; a resource may have a subresource."""

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


Decide: TypeAlias = "Callable[[Question], tuple[bool, str]]"


class Authorizer(NamedTuple):
    """Whom questions are about, and who answers them: `decide` gives (allowed, why)."""

    user: str
    groups: tuple[str, ...]
    decide: Decide

    @property
    def type_name(self) -> str:
        return "kubernetes.authorization.Authorizer"


class PathCheck(NamedTuple):
    authorizer: Authorizer
    path: str

    @property
    def type_name(self) -> str:
        return "kubernetes.authorization.PathCheck"


class GroupCheck(NamedTuple):
    authorizer: Authorizer
    group: str

    @property
    def type_name(self) -> str:
        return "kubernetes.authorization.GroupCheck"


class ResourceCheck(NamedTuple):
    authorizer: Authorizer
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def type_name(self) -> str:
        return "kubernetes.authorization.ResourceCheck"


class Decision(NamedTuple):
    allowed: bool
    reason: str

    @property
    def type_name(self) -> str:
        return "kubernetes.authorization.Decision"


def _path(authorizer: Any, path: str) -> PathCheck:
    if not isinstance(authorizer, Authorizer):
        raise no_overload()
    if not path:
        raise CelError("path must not be empty")
    return PathCheck(authorizer, path)


def _group(authorizer: Any, group: str) -> GroupCheck:
    if not isinstance(authorizer, Authorizer):
        raise no_overload()
    return GroupCheck(authorizer, group)


def _service_account(authorizer: Any, namespace: str, name: str) -> Authorizer:
    from minikube_py.api.validation import names

    if not isinstance(authorizer, Authorizer):
        raise no_overload()
    if names.dns_subdomain(name):
        raise CelError("Invalid service account name")
    if names.dns_label(namespace):
        raise CelError("Invalid service account namespace")
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return authorizer._replace(user=f"system:serviceaccount:{namespace}:{name}", groups=groups)


def _resource(check: Any, resource: str) -> ResourceCheck:
    if not isinstance(check, GroupCheck):
        raise no_overload()
    if not resource:
        raise CelError("resource must not be empty")
    return ResourceCheck(check.authorizer, check.group, resource)


def _with(field: str) -> Function:
    def narrowed(check: Any, value: str) -> ResourceCheck:
        if not isinstance(check, ResourceCheck):
            raise no_overload()
        changed: dict[str, Any] = {field: value} if field else {}
        return check._replace(**changed)

    return narrowed


def _check(check: Any, verb: str) -> Decision:
    if not isinstance(check, (PathCheck, ResourceCheck)):
        raise no_overload()
    asker = check.authorizer
    about = {"path": check.path} if isinstance(check, PathCheck) else check._asdict() | {}
    about.pop("authorizer", None)
    return Decision(*asker.decide(Question(asker.user, asker.groups, verb, **about)))


def _of_decision(field: str) -> Function:
    def read(decision: Any) -> Any:
        if not isinstance(decision, Decision):
            raise no_overload()
        return getattr(decision, field)

    return read


FUNCTIONS: dict[str, Function] = {
    "path": _path,
    "group": _group,
    "serviceAccount": _service_account,
    "resource": _resource,
    "subresource": _with("subresource"),
    "namespace": _with("namespace"),
    "name": _with("name"),
    "fieldSelector": _with(""),  # RBAC has no answer that depends on selectors
    "labelSelector": _with(""),
    "check": _check,
    "allowed": _of_decision("allowed"),
    "reason": _of_decision("reason"),
    "errored": lambda decision: False,  # RBAC never fails
    "error": lambda decision: "",
}
