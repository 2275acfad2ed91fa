"""Who asks: tokens, anonymous requests and impersonation.

Sources: k8s.io/apiserver/pkg/endpoints/filters (authentication.go, impersonation.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

from minikube_py.api.accounts import ISSUER
from minikube_py.apiserver import authorizer, tokens
from minikube_py.apiserver.authorizer import MASTERS, SERVICE_ACCOUNT, Subject, Target
from minikube_py.apiserver.origin import ADMIN
from minikube_py.base import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from minikube_py.cluster import Cluster

ANONYMOUS = Subject("system:anonymous", ("system:unauthenticated",))
AUTHENTICATED = "system:authenticated"
EXTRA = "impersonate-extra-"
Extra: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


class Users:
    """`tokens`: whose each token is; the administrator is told by the group system:masters. `open`: whoever sends no token
    is the administrator (plain HTTP on loopback: clients send no tokens there)."""

    def __init__(self, known: Mapping[str, Subject], *, open: bool = False) -> None:
        self._known = {token: _authenticated(subject) for token, subject in known.items()}
        self._open = open

    def subject(
        self, cluster: Cluster, headers: Mapping[str, str], impersonated: Iterable[tuple[str, str]]
    ) -> Subject | None:
        """Who asks; None is the administrator, who may do anything. Raises Unauthorized, Forbidden."""
        asking = self._asking(cluster, headers.get("authorization", ""))
        user = headers.get("impersonate-user", "")
        groups = [value for name, value in impersonated if name == "impersonate-group"]
        if not user:
            if groups or any(name.startswith("impersonate-") for name, _ in impersonated):
                raise errors.InternalError("Internal error occurred: requested impersonation without a user")
            return asking
        uid, extra = headers.get("impersonate-uid", ""), _extra(impersonated)
        if asking is not None:
            _may_impersonate(cluster, asking, user, groups, uid, extra)
        found = authorizer.impersonated(user, groups, uid, extra)
        return None if found.user == ADMIN.user and MASTERS in found.groups else found

    def _asking(self, cluster: Cluster, header: str) -> Subject | None:
        scheme, _, token = header.partition(" ")
        if not header:
            return None if self._open else ANONYMOUS
        if scheme.lower() != "bearer" or not token:
            return ANONYMOUS  # other schemes are not looked at
        found = self.owner_of(cluster, token.strip())
        if found is None:
            raise errors.Unauthorized("Unauthorized")
        return None if found.user == ADMIN.user else found

    def owner_of(self, cluster: Cluster, token: str, audiences: tuple[str, ...] = (ISSUER,)) -> Subject | None:
        """Whose token it is; None if nobody's."""
        known = self._known.get(token)
        return known or tokens.owner_of(cluster.view, cluster.clock, token, audiences)


def _authenticated(subject: Subject) -> Subject:
    return subject._replace(groups=tuple(dict.fromkeys((*subject.groups, AUTHENTICATED))))


def _extra(headers: Iterable[tuple[str, str]]) -> Extra:
    """Impersonate-Extra-KEY: VALUE, each key with all its values."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        if name.startswith(EXTRA):
            key = unquote(name.removeprefix(EXTRA))
            found[key] = (*found.get(key, ()), value)
    return tuple(found.items())


def _may_impersonate(cluster: Cluster, asking: Subject, user: str, groups: list[str], uid: str, extra: Extra) -> None:
    """Whether somebody may play that user, with all that is told of them. Raises Forbidden."""
    namespace, _, name = user.removeprefix(SERVICE_ACCOUNT).partition(":")
    wanted = [
        Target("", "serviceaccounts", namespace, name)
        if user.startswith(SERVICE_ACCOUNT)
        else Target("", "users", "", user),
        *(Target("", "groups", "", group) for group in groups),
        *(Target("authentication.k8s.io", "uids", "", uid) for _ in uid[:1]),
        *(Target("authentication.k8s.io", f"userextras/{key}", "", value) for key, values in extra for value in values),
    ]
    for target in wanted:
        authorizer.require(cluster.view, asking, "impersonate", target)
