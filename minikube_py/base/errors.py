"""Every error that kpy raises on purpose, with its reason, exit code and HTTP code in one place.

    KpyError                       base; `str(error)` is the text without any prefix
    ├── UsageError                 bad command line or unreadable input: "error: ..." in kubectl's manner
    ├── StoreError                 the cluster file: missing, foreign, corrupt, newer, full, not permitted
    ├── RestlessError              components that work on without end at one virtual instant
    └── StatusError                what a Kubernetes API server would answer with a Status object
        ├── BadRequest             400  undecodable body, unknown field, bad selector
        ├── Unauthorized           401
        ├── Forbidden              403  refused by admission, quota or RBAC
        ├── NotFound               404
        ├── MethodNotAllowed       405  the resource does not support this verb
        ├── AlreadyExists          409  reason AlreadyExists
        ├── Conflict               409  stale resourceVersion or uid precondition
        ├── Expired                410  a resourceVersion older than the log
        ├── UnsupportedMediaType   415  a body or a sort of patch that the resource does not take
        ├── Invalid                422  validation; carries `causes`
        ├── TooManyRequests        429  an eviction that a disruption budget refuses
        └── InternalError          500

Source of reasons and codes: k8s.io/apimachinery/pkg/api/errors and apis/meta/v1/types.go (StatusReason*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple


class Cause(NamedTuple):
    """One finding of validation, as `field.Error` in apimachinery: where, which sort, and the text behind the field."""

    field: str
    reason: str  # FieldValueInvalid, FieldValueRequired, FieldValueNotSupported, FieldValueDuplicate, ...
    message: str  # 'Invalid value: -1: must be greater than or equal to 0'

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class KpyError(Exception):
    """Base of all expected errors; the CLI prints it in one line and leaves with `exit_code`."""

    exit_code = 1


class UsageError(KpyError):
    """Bad arguments or unreadable input. `usage` is an optional second line ("See 'kubectl get -h' for help ...")."""

    def __init__(self, message: str, usage: str = "") -> None:
        super().__init__(message)
        self.usage = usage


class StoreError(KpyError):
    """The cluster file cannot be used; the message names the file and says what to do."""


class RestlessError(KpyError):
    """The cluster's components keep changing things within one virtual instant. Nothing of that instant is kept."""


class StatusError(KpyError):
    """An answer of the API server. `details` as in metav1.StatusDetails: name, group, kind, causes, retryAfterSeconds."""

    reason = "Unknown"
    code = 500

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details or {}


class BadRequest(StatusError):
    reason, code = "BadRequest", 400


class Unauthorized(StatusError):
    reason, code = "Unauthorized", 401


class Forbidden(StatusError):
    reason, code = "Forbidden", 403


class NotFound(StatusError):
    reason, code = "NotFound", 404


class MethodNotAllowed(StatusError):
    reason, code = "MethodNotAllowed", 405


class AlreadyExists(StatusError):
    reason, code = "AlreadyExists", 409


class Conflict(StatusError):
    reason, code = "Conflict", 409


class Expired(StatusError):
    reason, code = "Expired", 410


class UnsupportedMediaType(StatusError):
    reason, code = "UnsupportedMediaType", 415


class TooManyRequests(StatusError):
    reason, code = "TooManyRequests", 429


class InternalError(StatusError):
    reason, code = "InternalError", 500


class Invalid(StatusError):
    """Validation failed: 'Deployment.apps "web" is invalid: ...' with one `Cause` for each finding, in order."""

    reason, code = "Invalid", 422

    def __init__(self, kind: str, group: str, name: str, causes: list[Cause], message: str = "") -> None:
        """`message` is for the few refusals of a whole request that name neither object nor cause."""
        qualified = f"{kind}.{group}" if group else kind
        texts = list(dict.fromkeys(str(cause) for cause in causes))
        listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
        super().__init__(
            message or f'{qualified} "{name}" is invalid: {listed}',
            details={"name": name, "group": group, "kind": kind, "causes": causes},
        )
        self.kind, self.name, self.causes = kind, name, causes


def not_found(resource: str, name: str) -> NotFound:
    """`resource` is the Key's resource: `deployments.apps "web" not found`."""
    plural, _, group = resource.partition(".")
    return NotFound(f'{resource} "{name}" not found', details={"name": name, "group": group, "kind": plural})


def already_exists(resource: str, name: str) -> AlreadyExists:
    plural, _, group = resource.partition(".")
    return AlreadyExists(f'{resource} "{name}" already exists', details={"name": name, "group": group, "kind": plural})


def conflict(resource: str, name: str) -> Conflict:
    plural, _, group = resource.partition(".")
    return Conflict(
        f'Operation cannot be fulfilled on {resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
        details={"name": name, "group": group, "kind": plural},
    )


def forbidden(resource: str, name: str, why: str) -> Forbidden:
    plural, _, group = resource.partition(".")
    return Forbidden(f'{resource} "{name}" is forbidden: {why}', details={"name": name, "group": group, "kind": plural})
