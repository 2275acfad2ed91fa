"""VerticalPodAutoscalers as objects: what their fields mean, whom they are about, and what they make of a pod.

Recommender and updater (`minikube_py.autoscaling`) and admission (`minikube_py.apiserver.admission.vertical`) share this.
Source: kubernetes/autoscaler, vertical-pod-autoscaler/pkg/utils/vpa/api.go, pkg/utils/resources/resourcehelpers.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from minikube_py.api.types import Object

RESOURCE = "verticalpodautoscalers.autoscaling.k8s.io"
CHECKPOINTS = "verticalpodautoscalercheckpoints.autoscaling.k8s.io"
# Modes in the order in which messages list them; Auto is deprecated and means Recreate.
MODES = ("InPlace", "InPlaceOrRecreate", "Initial", "Off", "Recreate")
UPDATING = ("Recreate", "Auto", "InPlaceOrRecreate")
OBSERVED = "vpaObservedContainers"
UPDATES = "vpaUpdates"
IN_PLACE_UPDATED = "vpaInPlaceUpdated"
CONFIG = "vertical-pod-autoscaler-config"  # the ConfigMap of kube-system that holds the flags

# resource ('cpu') -> quantity
Amounts: TypeAlias = "dict[str, str]"


def mode(vpa: Object) -> str:
    """spec.updatePolicy.updateMode; Recreate unless given."""
    return ((vpa.get("spec") or {}).get("updatePolicy") or {}).get("updateMode") or "Recreate"


def policy(vpa: Object, container: str) -> Object:
    """The policy of a container: its own, else that for '*', else none ({})."""
    general: Object = {}
    for one in (vpa["spec"].get("resourcePolicy") or {}).get("containerPolicies") or ():
        if one.get("containerName") == container:
            return one  # type: ignore[no-any-return]
        if one.get("containerName") == "*":
            general = one
    return general


def is_off(vpa: Object, container: str) -> bool:
    """Whether a container is left alone (mode Off in its policy)."""
    return policy(vpa, container).get("mode") == "Off"


def controls_limits(vpa: Object, container: str) -> bool:
    return bool(policy(vpa, container).get("controlledValues", "RequestsAndLimits") == "RequestsAndLimits")


def resources_of(pod: Object, container: str) -> tuple[Amounts | None, Amounts | None]:
    """(requests, limits) that a container has: as its status says, else as its spec does; None where there are none."""
    for told in (pod.get("status") or {}).get("containerStatuses") or ():
        if told["name"] == container and "resources" in told:
            return told["resources"].get("requests"), told["resources"].get("limits")
    for one in pod["spec"]["containers"]:
        if one["name"] == container:
            found = one.get("resources") or {}
            return found.get("requests"), found.get("limits")
    return None, None


def recommended(recommendations: list[Object], container: str) -> Object | None:
    """The recommendation for a container."""
    return next((one for one in recommendations if one.get("containerName") == container), None)
