"""What a request is about, from its method and path.

    /api/v1/namespaces/default/pods/web/log     get    v1, pods, default, web, log
    /apis/apps/v1/deployments?watch=true        watch  apps/v1, deployments, all namespaces

Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from typing import NamedTuple

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
CONNECT = ("attach", "exec", "portforward", "proxy")
OF_NAMESPACES = ("finalize", "status")


class Place(NamedTuple):
    """A resource's place. `version`: 'v1' or 'apps/v1'; `namespace` None: all of them, or a cluster-scoped kind."""

    verb: str
    version: str
    resource: str
    namespace: str | None = None
    name: str = ""
    subresource: str = ""
    rest: str = ""  # what follows a proxy

    @property
    def group(self) -> str:
        return self.version.rpartition("/")[0]


def is_true(text: str | None) -> bool:
    """A boolean of a query string, as Go's conversion reads it: there, and neither 'false' nor '0'."""
    return text is not None and text.lower() not in ("false", "0")


def place_of(method: str, path: str, query: dict[str, str]) -> Place | None:
    """The place of a path below /api/VERSION or /apis/GROUP/VERSION; None for every other path."""
    words = path.strip("/").split("/")
    if words[0] == "api" and len(words) > 2:
        version, rest = words[1], words[2:]
    elif words[0] == "apis" and len(words) > 3:
        version, rest = f"{words[1]}/{words[2]}", words[3:]
    else:
        return None
    verb = VERBS.get(method, "")
    if rest[0] == "watch" and len(rest) > 1:  # deprecated since 1.11, but served
        verb, rest = "watch", rest[1:]
    namespace: str | None = None
    if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in OF_NAMESPACES):
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    found = Place(verb, version, rest[0], namespace, name, subresource, "/".join(rest[3:]))
    return found._replace(verb=_verb(found, query))


def _verb(place: Place, query: dict[str, str]) -> str:
    """A GET without a name is a list, or a watch; a DELETE without one a deletecollection."""
    if place.verb == "get" and not place.name:
        return "watch" if is_true(query.get("watch")) else "list"
    if place.verb == "get" and not place.subresource and is_true(query.get("watch")):
        return "watch"
    return "deletecollection" if place.verb == "delete" and not place.name else place.verb
