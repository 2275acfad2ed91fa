"""`kubectl describe`: one module for each group of kinds; objects in, text out (kubectl pkg/describe/describe.go).

`WRITERS` names the function that writes a kind. A kind without one is written field by field (`generic`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe.writer import Writer

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.printers.describe.lookup import Lookup

Object = dict[str, Any]

WRITERS = {
    "configmaps": "core:config_map",
    "endpoints": "services:endpoints",
    "limitranges": "quotas:limit_range",
    "namespaces": "core:namespace",
    "nodes": "nodes:node",
    "persistentvolumeclaims": "storage:claim",
    "persistentvolumes": "storage:volume",
    "pods": "pods:pod",
    "replicationcontrollers": "apps:replication_controller",
    "resourcequotas": "quotas:resource_quota",
    "secrets": "core:secret",
    "serviceaccounts": "core:service_account",
    "services": "services:service",
    "daemonsets.apps": "apps:daemon_set",
    "deployments.apps": "apps:deployment",
    "replicasets.apps": "apps:replica_set",
    "statefulsets.apps": "apps:stateful_set",
    "horizontalpodautoscalers.autoscaling": "autoscaling:autoscaler",
    "cronjobs.batch": "batch:cron_job",
    "jobs.batch": "batch:job",
    "endpointslices.discovery.k8s.io": "services:endpoint_slice",
    "ingressclasses.networking.k8s.io": "networking:ingress_class",
    "ingresses.networking.k8s.io": "networking:ingress",
    "networkpolicies.networking.k8s.io": "networking:network_policy",
    "poddisruptionbudgets.policy": "policy:disruption_budget",
    "clusterrolebindings.rbac.authorization.k8s.io": "rbac:role_binding",
    "clusterroles.rbac.authorization.k8s.io": "rbac:role",
    "rolebindings.rbac.authorization.k8s.io": "rbac:role_binding",
    "roles.rbac.authorization.k8s.io": "rbac:role",
    "priorityclasses.scheduling.k8s.io": "policy:priority_class",
    "csinodes.storage.k8s.io": "storage:csi_node",
    "storageclasses.storage.k8s.io": "storage:storage_class",
    "volumeattributesclasses.storage.k8s.io": "storage:attributes_class",
}


def describe(kind: Kind, obj: Object, lookup: Lookup, now_s: int, *, show_events: bool = True) -> str:
    """The text of `kubectl describe` for one object. `lookup` answers what the describers read besides (pods, events, ...)."""
    module, _, function = WRITERS.get(kind.resource, "generic:anything").partition(":")
    writer = Writer(lookup, now_s, show_events)
    getattr(import_module(f"minikube_py.printers.describe.{module}"), function)(obj, writer)
    return writer.text()
