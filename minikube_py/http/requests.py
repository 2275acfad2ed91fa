"""A request as the handlers see it, and what its query and body say.

Sources: k8s.io/apimachinery/pkg/apis/meta/v1 (types.go: *Options), k8s.io/apiserver/pkg/endpoints/handlers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from minikube_py.base import errors
from minikube_py.http.answers import JSON, YAML, Accept, Refusal
from minikube_py.http.paths import Place, is_true

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.authorizer import Subject

BODY_MAX = 3 * 1024 * 1024  # bytes (apiserver's MaxRequestBodyBytes)
PROTOBUF = "application/vnd.kubernetes.protobuf"
YAMLS = (YAML, "application/x-yaml", "text/yaml")
PATCHES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
VALIDATIONS = ("Strict", "Warn", "Ignore")
MANAGER_MAX = 128


class Request(NamedTuple):
    """`query`: the last value of each parameter; `repeated`: all of them; `subject` None: the administrator."""

    method: str
    path: str
    query: dict[str, str]
    repeated: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    subject: Subject | None
    accept: Accept = Accept()
    place: Place = Place("", "", "")

    # ---- the query

    def is_on(self, name: str) -> bool:
        return is_true(self.query.get(name))

    def number(self, name: str) -> int | None:
        """A number of the query. Raises BadRequest."""
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise errors.BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None

    @property
    def dry_run(self) -> bool:
        found = [value for name, value in self.repeated if name == "dryRun"] or self.options.get("dryRun") or []
        if any(one != "All" for one in found):
            cause = errors.Cause(
                "dryRun",
                "FieldValueNotSupported",
                f'Unsupported value: {found[0]!r}: supported values: "All"'.replace("'", '"'),
            )
            raise errors.Invalid(
                "UpdateOptions" if self.method == "PUT" else "CreateOptions", "meta.k8s.io", "", [cause]
            )
        return bool(found)

    @property
    def validation(self) -> str:
        found = self.query.get("fieldValidation") or "Warn"
        if found not in VALIDATIONS:
            cause = errors.Cause(
                "fieldValidation", "FieldValueNotSupported",
                f'Unsupported value: "{found}": supported values: "Ignore", "Strict", "Warn"',
            )  # fmt: skip
            raise errors.Invalid("CreateOptions", "meta.k8s.io", "", [cause])
        return found

    @property
    def manager(self) -> str:
        """The field manager: what the client calls itself, else the first word of its User-Agent."""
        told = self.query.get("fieldManager", "")
        if len(told) > MANAGER_MAX or not told.isprintable():
            cause = errors.Cause(
                "fieldManager", "FieldValueTooLong", f"Too long: may not be more than {MANAGER_MAX} bytes"
            )
            raise errors.Invalid("PatchOptions", "meta.k8s.io", "", [cause])
        return told or self.headers.get("user-agent", "").partition("/")[0][:MANAGER_MAX] or "unknown"

    # ---- the body

    @property
    def media(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def object(self) -> Object:
        """The object in the body. Raises BadRequest, or Refusal for a media type that is not spoken."""
        media = self.media or JSON
        if media not in (JSON, PROTOBUF, *YAMLS, "*/*"):
            known = ", ".join((JSON, YAML, PROTOBUF))
            raise Refusal(
                415, f"the body of the request was in an unknown format - accepted media types include: {known}"
            )
        if not self.body.strip():
            wanted = self.place.resource or "object"
            raise errors.BadRequest(f"the object provided is unrecognized (must be of type {wanted})")
        return self._decoded(media)

    def _decoded(self, media: str) -> Object:
        if media == PROTOBUF:
            from minikube_py.api import protobuf

            return protobuf.read(self.body)
        return as_object(parsed_yaml(self.body) if media in YAMLS else parsed(self.body))

    @property
    def patch(self) -> tuple[str, Any]:
        """(json, merge, strategic or apply; the patch)."""
        form = PATCHES.get(self.media)
        if form is None:
            known = ", ".join(PATCHES)
            raise Refusal(
                415, f"the body of the request was in an unknown format - accepted media types include: {known}"
            )
        if form == "apply":
            return form, as_object(parsed_yaml(self.body))
        return form, parsed(self.body)

    @property
    def options(self) -> Object:
        """The DeleteOptions of a body; {} where there are none."""
        if self.method != "DELETE" or not self.body.strip():
            return {}
        return self._decoded(self.media)


def parsed(body: bytes) -> Any:
    """JSON. Raises BadRequest in the words of Go's decoder."""
    try:
        return orjson.loads(body)
    except ValueError:
        from minikube_py.api import json_problem

        _, told = json_problem.find(body.decode("utf-8", "replace"))
        raise errors.BadRequest(f"couldn't get version/kind; json parse error: {told}") from None


def parsed_yaml(body: bytes) -> Any:
    """The one document of a YAML body. Raises BadRequest."""
    import yaml

    from minikube_py.api import documents

    try:
        found = [one.object for one in documents.read_text(body.decode("utf-8"), "body")]
    except (yaml.YAMLError, UnicodeDecodeError, errors.UsageError) as error:
        raise errors.BadRequest(f"error decoding YAML: {error}") from None
    if len(found) != 1:
        raise errors.BadRequest(f"error decoding YAML: expected one document, found {len(found)}")
    return found[0]


def as_object(value: Any) -> Object:
    if not isinstance(value, dict):
        raise errors.BadRequest("json: cannot unmarshal the body into Go value of type map[string]interface {}")
    return value
