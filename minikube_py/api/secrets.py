"""What may be told of a Secret: everything but what is secret. kubectl prints it whole into errors; kpy does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from minikube_py.api.types import Object

SECRET_FIELDS = ("data", "stringData")
STARS = "***"  # as `kubectl diff` writes for a value


def hidden(fields: Any) -> Any:
    """A Secret, or a patch of one, with stars for its values; its annotations may repeat them (last-applied)."""
    if not isinstance(fields, dict):
        return STARS
    told: Object = {name: STARS if name in SECRET_FIELDS else value for name, value in fields.items()}
    meta = told.get("metadata")
    if isinstance(meta, dict) and "annotations" in meta:
        told["metadata"] = {**meta, "annotations": STARS}
    return told
