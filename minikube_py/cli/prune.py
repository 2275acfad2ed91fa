"""`apply --prune`: delete what an earlier apply made and this one does not name (pkg/cmd/apply/prune.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import select
from minikube_py.cli.create import LAST_APPLIED

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

OLD_WAY = (
    "Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag "
    "in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the "
    "--prune-allowlist flag."
)
# The kinds that are pruned when no --prune-allowlist is given, in kubectl's order.
DEFAULT_KINDS = (
    "configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers", "secrets", "services",
    "jobs.batch", "cronjobs.batch", "ingresses.networking.k8s.io", "daemonsets.apps", "deployments.apps",
    "replicasets.apps", "statefulsets.apps",
)  # fmt: skip
DEFAULT_CLUSTER_KINDS = ("namespaces", "persistentvolumes")


def run(call: Call, applied: list[Item]) -> None:
    kept = {(item.kind.resource, item.namespace, item.name) for item in applied}
    namespaces = list(dict.fromkeys(item.namespace for item in applied if item.kind.namespaced))
    for kind in _kinds(call):
        for namespace in namespaces if kind.namespaced else [""]:
            call.note_deprecation(kind)
            found = call.cluster.list(kind.resource, namespace or None, labels=call.text("selector"))
            for obj in found:
                item = select.item_of(kind, obj)
                made_by_apply = LAST_APPLIED in (obj["metadata"].get("annotations") or {})
                if made_by_apply and (kind.resource, item.namespace, item.name) not in kept:
                    _delete(call, item)


def _kinds(call: Call) -> list[Kind]:
    allowed = call.list("prune-allowlist")
    if not allowed:
        call.log("prune.go:71", OLD_WAY)  # kubectl says so with and without --namespace
        return [call.registry.resource(name) for name in (*DEFAULT_KINDS, *DEFAULT_CLUSTER_KINDS)]
    return sorted((_allowed(call, text) for text in allowed), key=lambda kind: not kind.namespaced)


def _allowed(call: Call, text: str) -> Kind:
    """'core/v1/ConfigMap', 'apps/v1/Deployment'."""
    parts = text.split("/")
    if len(parts) != 3:
        raise UsageError(f"invalid GroupVersionKind format: {text}, please follow <group/version/kind>")
    group, version, name = parts
    kind = call.registry.find(version if group == "core" else f"{group}/{version}", name)
    if kind is None:
        raise UsageError(f'no matches for kind "{name}" in version "{text.rpartition("/")[0]}"')
    return kind


def _delete(call: Call, item: Item) -> None:
    if call.dry_run == "none":
        call.cluster.delete(item.kind.resource, item.name, item.namespace)
    call.line(f"{item.title} pruned{call.dry_run_suffix}")
