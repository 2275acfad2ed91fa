"""What the webhook of the VerticalPodAutoscaler warns of (pkg/admission-controller/resource/vpa/validation.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import vertical

if TYPE_CHECKING:
    from minikube_py.api.types import Object

ISSUE = "https://github.com/kubernetes/autoscaler/issues/8424"


def autoscaler(obj: Object, old: Object | None) -> list[str]:
    if vertical.mode(obj) != "Auto":
        return []
    return [
        'spec.updatePolicy: "Auto" mode is deprecated and will be removed in a future API version. '
        f"Use explicit update modes like: [{' '.join(vertical.MODES)}]. See {ISSUE} for more details."
    ]
