"""What the API server fills in before admission: the versioned defaults of every kind.

`apply(kind, obj)` is pure and idempotent and returns the same object when nothing is missing. The functions live in one
module per API group, imported at first use. They do two things that in Go happen on one way: the SetDefaults_* functions
of pkg/apis/<group>/<version>/defaults.go, and the zero values that a Go struct always prints (`resources: {}`,
`spec.template.metadata: {}`) because the field is neither a pointer nor `omitempty`.

What a storage strategy does to status and generation is in `minikube_py.api.strategy`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

# resource -> module of this package and function
FUNCTIONS: dict[str, str] = {
    "endpoints": "core:endpoints",
    "events": "core:event",
    "limitranges": "core:limit_range",
    "namespaces": "core:namespace",
    "nodes": "core:node",
    "persistentvolumeclaims": "core:persistent_volume_claim",
    "persistentvolumes": "core:persistent_volume",
    "pods": "core:pod",
    "podtemplates": "core:pod_template_object",
    "replicationcontrollers": "core:replication_controller",
    "resourcequotas": "core:resource_quota",
    "secrets": "core:secret",
    "services": "core:service",
    "mutatingadmissionpolicies.admissionregistration.k8s.io": "admissionregistration:mutating_policy",
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": "admissionregistration:policy_binding",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": "admissionregistration:mutating_configuration",
    "validatingadmissionpolicies.admissionregistration.k8s.io": "admissionregistration:validating_policy",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": "admissionregistration:policy_binding",
    "validatingwebhookconfigurations.admissionregistration.k8s.io": "admissionregistration:validating_configuration",
    "customresourcedefinitions.apiextensions.k8s.io": "apiextensions:custom_resource_definition",
    "apiservices.apiregistration.k8s.io": "apiregistration:api_service",
    "daemonsets.apps": "apps:daemon_set",
    "deployments.apps": "apps:deployment",
    "replicasets.apps": "apps:replica_set",
    "statefulsets.apps": "apps:stateful_set",
    "events.events.k8s.io": "core:event",
    "horizontalpodautoscalers.autoscaling": "autoscaling:horizontal_pod_autoscaler",
    "cronjobs.batch": "batch:cron_job",
    "jobs.batch": "batch:job",
    "endpointslices.discovery.k8s.io": "discovery:endpoint_slice",
    "flowschemas.flowcontrol.apiserver.k8s.io": "flowcontrol:flow_schema",
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": "flowcontrol:priority_level",
    "ingresses.networking.k8s.io": "networking:ingress",
    "ingressclasses.networking.k8s.io": "networking:ingress_class",
    "networkpolicies.networking.k8s.io": "networking:network_policy",
    "poddisruptionbudgets.policy": "policy:pod_disruption_budget",
    "clusterrolebindings.rbac.authorization.k8s.io": "rbac:binding",
    "clusterroles.rbac.authorization.k8s.io": "rbac:role",
    "rolebindings.rbac.authorization.k8s.io": "rbac:binding",
    "roles.rbac.authorization.k8s.io": "rbac:role",
    "deviceclasses.resource.k8s.io": "resource:device_class",
    "resourceclaims.resource.k8s.io": "resource:resource_claim",
    "resourceclaimtemplates.resource.k8s.io": "resource:resource_claim_template",
    "resourceslices.resource.k8s.io": "resource:resource_slice",
    "priorityclasses.scheduling.k8s.io": "scheduling:priority_class",
    "csidrivers.storage.k8s.io": "storage:csi_driver",
    "csinodes.storage.k8s.io": "storage:csi_node",
    "storageclasses.storage.k8s.io": "storage:storage_class",
    "volumeattachments.storage.k8s.io": "storage:volume_attachment",
}

_LOADED: dict[str, Callable[[Object], Object] | None] = {}


def apply(kind: Kind, obj: Object) -> Object:
    """The object as the API server holds it after decoding: with its defaults. `obj` is not changed."""
    resource = kind.resource
    try:
        function = _LOADED[resource]
    except KeyError:
        function = _LOADED[resource] = _load(FUNCTIONS.get(resource, ""))
    return obj if function is None else function(obj)


def _load(path: str) -> Callable[[Object], Object] | None:
    if not path:
        return None
    from importlib import import_module

    module, _, name = path.partition(":")
    function: Callable[[Object], Object] = getattr(import_module(f"{__name__}.{module}"), name)
    return function
