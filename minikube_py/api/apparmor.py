"""The deprecated AppArmor annotations of a new pod are copied into the fields that replaced them.

Source: applyAppArmorVersionSkew in pkg/registry/core/pod/strategy.go.
"""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import each

Object = dict[str, Any]

PREFIX = "container.apparmor.security.beta.kubernetes.io/"


def fields_from_annotations(spec: Object, annotations: dict[str, str]) -> Object:
    """A pod's spec with containers[*].securityContext.appArmorProfile set from the annotations, where it is not set."""
    if not any(key.startswith(PREFIX) for key in annotations) or (spec.get("os") or {}).get("name") == "windows":
        return spec
    of_pod = (spec.get("securityContext") or {}).get("appArmorProfile")

    def synced(container: Object) -> Object:
        profile = profile_of(annotations.get(PREFIX + container.get("name", ""), ""))
        context = container.get("securityContext") or {}
        if profile is None or profile == of_pod or "appArmorProfile" in context:
            return container
        return {**container, "securityContext": {**context, "appArmorProfile": profile}}

    for key in ("initContainers", "containers", "ephemeralContainers"):
        spec = each(spec, key, synced)
    return spec


def profile_of(annotation: str) -> Object | None:
    """An annotation's value as the field has it; None if it says nothing valid."""
    if annotation == "runtime/default":
        return {"type": "RuntimeDefault"}
    if annotation == "unconfined":
        return {"type": "Unconfined"}
    name = annotation.removeprefix("localhost/")
    if name == annotation or not name.strip():
        return None
    return {"type": "Localhost", "localhostProfile": name}
