"""What the API server refuses, kind by kind, in its own words: `validate(kind, obj, old, subresource) -> findings`.

Objects come decoded and with their defaults. The checks live in one module per area, imported when the first object of
a kind is checked; each is a function `check(causes, obj, old, subresource)` that adds its findings in the order of the
Kubernetes source it names. Metadata is checked here, before, by `metadata.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.validation import metadata, names
from minikube_py.api.validation.causes import Causes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object
    from minikube_py.base.errors import Cause

    Check = Callable[[Causes, Object, Object | None, str], None]

# resource -> module and function of this package
FUNCTIONS = {
    "configmaps": "core:config_map",
    "endpoints": "core:endpoints",
    "events": "core:event",
    "limitranges": "core:limit_range",
    "namespaces": "core:namespace",
    "nodes": "core:node",
    "persistentvolumeclaims": "claims:claim",
    "persistentvolumes": "claims:volume",
    "pods": "pods:pod",
    "podtemplates": "apps:pod_template",
    "replicationcontrollers": "apps:replication_controller",
    "resourcequotas": "core:resource_quota",
    "secrets": "core:secret",
    "serviceaccounts": "core:service_account",
    "services": "service:service",
    "mutatingadmissionpolicies.admissionregistration.k8s.io": "admission_policies:mutating",
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": "admission_policies:binding",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": "webhooks:configuration",
    "validatingadmissionpolicies.admissionregistration.k8s.io": "admission_policies:validating",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": "admission_policies:binding",
    "validatingwebhookconfigurations.admissionregistration.k8s.io": "webhooks:configuration",
    "customresourcedefinitions.apiextensions.k8s.io": "apiextensions:definition",
    "controllerrevisions.apps": "apps:controller_revision",
    "daemonsets.apps": "apps:daemon_set",
    "deployments.apps": "apps:deployment",
    "replicasets.apps": "apps:replica_set",
    "statefulsets.apps": "apps:stateful_set",
    "horizontalpodautoscalers.autoscaling": "policy:horizontal_pod_autoscaler",
    "verticalpodautoscalercheckpoints.autoscaling.k8s.io": "vertical:checkpoint",
    "verticalpodautoscalers.autoscaling.k8s.io": "vertical:autoscaler",
    "certificatesigningrequests.certificates.k8s.io": "certificates:signing_request",
    "cronjobs.batch": "batch:cron_job",
    "jobs.batch": "batch:job",
    "leases.coordination.k8s.io": "core:lease",
    "endpointslices.discovery.k8s.io": "networking:endpoint_slice",
    "ingressclasses.networking.k8s.io": "networking:ingress_class",
    "ingresses.networking.k8s.io": "networking:ingress",
    "networkpolicies.networking.k8s.io": "networking:network_policy",
    "runtimeclasses.node.k8s.io": "core:runtime_class",
    "poddisruptionbudgets.policy": "policy:pod_disruption_budget",
    "clusterrolebindings.rbac.authorization.k8s.io": "policy:cluster_role_binding",
    "clusterroles.rbac.authorization.k8s.io": "policy:cluster_role",
    "rolebindings.rbac.authorization.k8s.io": "policy:role_binding",
    "roles.rbac.authorization.k8s.io": "policy:role",
    "priorityclasses.scheduling.k8s.io": "core:priority_class",
    "faults.sim.kpy.dev": "simulator:fault",
    "metricseries.sim.kpy.dev": "simulator:metric_series",
    "nodegroups.sim.kpy.dev": "simulator:node_group",
    "programs.sim.kpy.dev": "simulator:program",
    "traffics.sim.kpy.dev": "simulator:traffic",
    "webhookstubs.sim.kpy.dev": "simulator:webhook_stub",
    "csidrivers.storage.k8s.io": "storage:csi_driver",
    "csinodes.storage.k8s.io": "storage:csi_node",
    "storageclasses.storage.k8s.io": "storage:storage_class",
    "volumeattachments.storage.k8s.io": "storage:volume_attachment",
}
_LABEL_NAMES = frozenset({"namespaces", "services", "statefulsets.apps"})
_PATH_NAMES = frozenset({
    "clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io",
})  # fmt: skip
# These look at a selector's own checks in an order of their own: pods check their metadata themselves.
_OWN_METADATA = frozenset({"pods"})


class _Room(NamedTuple):
    """How one resource is checked; `core`: finalizers of built-in kinds need a domain."""

    check: Check | None
    name_rule: Callable[[str], Sequence[str]]
    own_metadata: bool
    core: bool


_ROOMS: dict[str, _Room] = {}


def validate(kind: Kind, obj: Object, old: Object | None = None, subresource: str = "") -> list[Cause]:
    """The findings about `obj`, which is new or replaces `old`; none means that it may be stored.

    `subresource`: '' for everything but status, 'status', or a subresource with rules of its own ('resize',
    'ephemeralcontainers', 'finalize', 'binding').
    """
    room = _ROOMS.get(kind.resource)
    if room is None:
        room = _ROOMS[kind.resource] = _room(kind)
    causes = Causes()
    if not room.own_metadata:
        if old is None:
            metadata.create(causes, obj["metadata"], kind.namespaced, room.name_rule, room.core)
        else:
            metadata.update(causes, obj["metadata"], old["metadata"], room.core)
    if room.check is not None:
        room.check(causes, obj, old, subresource)
    elif kind.crd:
        from minikube_py.api.validation import custom

        custom.check(causes, kind, obj, old)
    return causes.found


def _room(kind: Kind) -> _Room:
    resource = kind.resource
    rule: Callable[[str], Sequence[str]] = names.dns_subdomain
    if resource in _LABEL_NAMES:
        rule = names.dns_label
    elif resource in _PATH_NAMES:
        from minikube_py.api.validation.policy import path_name

        rule = path_name
    where = FUNCTIONS.get(resource)
    check: Check | None = None
    if where is not None and not kind.crd:
        from importlib import import_module

        module, _, function = where.partition(":")
        check = getattr(import_module(f"{__name__}.{module}"), function)
    return _Room(check, rule, resource in _OWN_METADATA, not kind.crd)
