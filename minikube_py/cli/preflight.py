"""What kubectl checks of a document before it sends it: that it says what it is (k8s.io/kubectl/pkg/validation)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import gotext
from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

TURN_OFF = "if you choose to ignore these errors, turn validation off with --validate=false"
UNSUPPORTED = "cannot perform warn validation if server-side field validation is unsupported, skipping validation"


def check(call: Call, document: Any, source: str) -> None:
    """Raises UsageError for a document without kind or apiVersion; notes that an unknown kind is not validated."""
    problems = ["invalid object to validate"] if not isinstance(document, dict) else _problems(document)
    if problems:
        told = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise UsageError(f"error validating {gotext.quoted(source)}: error validating data: {told}; {TURN_OFF}")
    version, kind = document["apiVersion"], document["kind"]
    if call.validation == "Warn" and kind != "List" and call.registry.find(version, kind) is None:
        call.log(UNSUPPORTED)


def _problems(document: dict[str, Any]) -> list[str]:
    problems = []
    for field in ("apiVersion", "kind"):
        value = document.get(field)
        if value is None:
            problems.append(f"{field} not set")
        elif not isinstance(value, str):
            problems.append(f"{field} isn't string type")
        elif field == "apiVersion" and value.count("/") > 1:
            problems.append(f"unexpected GroupVersion string: {value}")
    return problems
