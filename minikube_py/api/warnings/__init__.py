"""What the API server warns of without refusing: deprecated fields and annotations, definitions that hide each other.

`warnings(kind, obj, old)` takes an object that has passed validation, as it will be stored. Texts come without
'Warning: ' in front, in the order of the server. Source: WarningsOnCreate and WarningsOnUpdate of pkg/registry/<group>/<kind>/strategy.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

    Warn = Callable[[Object, Object | None], list[str]]

# resource -> module of this package and function
FUNCTIONS: dict[str, str] = {
    "endpoints": "services:endpoints",
    "persistentvolumeclaims": "storage:claim",
    "persistentvolumes": "storage:volume",
    "pods": "pods:pod",
    "podtemplates": "pods:pod_template",
    "replicationcontrollers": "pods:named_workload",
    "services": "services:service",
    "daemonsets.apps": "pods:workload",
    "deployments.apps": "pods:named_workload",
    "replicasets.apps": "pods:named_workload",
    "statefulsets.apps": "pods:workload",
    "verticalpodautoscalers.autoscaling.k8s.io": "vertical:autoscaler",
    "cronjobs.batch": "pods:cron_job",
    "jobs.batch": "pods:job",
    "ingresses.networking.k8s.io": "services:ingress",
    "networkpolicies.networking.k8s.io": "services:network_policy",
    "runtimeclasses.node.k8s.io": "pods:runtime_class",
}

_LOADED: dict[str, Warn | None] = {}


def warnings(kind: Kind, obj: Object, old: Object | None = None) -> list[str]:
    """The warnings about a new object, or about an update of `old`."""
    resource = kind.resource
    try:
        function = _LOADED[resource]
    except KeyError:
        function = _LOADED[resource] = _load(FUNCTIONS.get(resource, ""))
    return [] if function is None else function(obj, old)


def _load(path: str) -> Warn | None:
    if not path:
        return None
    from importlib import import_module

    module, _, name = path.partition(":")
    function: Warn = getattr(import_module(f"{__name__}.{module}"), name)
    return function
