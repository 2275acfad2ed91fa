"""The APIServices of the groups that the API server serves itself: computed from the table of kinds, not stored.

Source: pkg/controlplane/apiserver/aggregator.go (DefaultGenericAPIServicePriorities, makeAPIService).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import custom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.kinds import Registry
    from minikube_py.api.types import Object
    from minikube_py.base.clock import Clock

OWN_GROUP = "apiregistration.k8s.io"  # the one group that no APIService is about
# {group: (its priority, the least priority of a version)}; a newer version has a higher one.
PRIORITIES = {
    "": (18000, 1), "apps": (17800, 15), "events.k8s.io": (17750, 5), "authentication.k8s.io": (17700, 15),
    "authorization.k8s.io": (17600, 15), "autoscaling": (17500, 15), "batch": (17400, 15),
    "certificates.k8s.io": (17300, 15), "networking.k8s.io": (17200, 15), "policy": (17100, 15),
    "rbac.authorization.k8s.io": (17000, 15), "storage.k8s.io": (16800, 15), "apiextensions.k8s.io": (16700, 15),
    "admissionregistration.k8s.io": (16700, 15), "scheduling.k8s.io": (16600, 15), "coordination.k8s.io": (16500, 15),
    "node.k8s.io": (16300, 15), "discovery.k8s.io": (16200, 15), "resource.k8s.io": (16200, 15),
    "flowcontrol.apiserver.k8s.io": (16100, 21),
}  # fmt: skip
CUSTOM = (1000, 100)  # of groups of CustomResourceDefinitions
STEP = 15  # between a version and the next newer one


def local(registry: Registry, born: Clock) -> Iterator[Object]:
    """The APIServices of all groups and versions. `born`: when the cluster began."""
    versions: dict[str, list[str]] = {}
    by_crd = {kind.group for kind in registry.kinds if kind.crd}
    for kind in registry.kinds:
        found = versions.setdefault(kind.group, [])
        found += [one for one in (kind.version, *kind.others) if one not in found]
    for group, served in versions.items():
        if group == OWN_GROUP:
            continue
        oldest_first = sorted(served, key=lambda one: custom.version_rank(one.rpartition("/")[2]), reverse=True)
        for place, version in enumerate(oldest_first):
            yield _service(group, version.rpartition("/")[2], place, born, "true" if group in by_crd else "onstart")


def _service(group: str, version: str, place: int, born: Clock, managed: str) -> Object:
    minimum, priority = PRIORITIES.get(group, CUSTOM)
    name = f"{version}.{group}"
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {
            "name": name,
            "uid": born.uid("apiservice", name),
            "resourceVersion": "1",
            "creationTimestamp": born.timestamp,
            "labels": {"kube-aggregator.kubernetes.io/automanaged": managed},
        },
        "spec": {
            **({"group": group} if group else {}),
            "version": version,
            "groupPriorityMinimum": minimum,
            "versionPriority": priority + STEP * place,
        },
        "status": {
            "conditions": [
                {
                    "type": "Available",
                    "status": "True",
                    "lastTransitionTime": born.timestamp,
                    "reason": "Local",
                    "message": "Local APIServices are always available",
                }
            ]
        },
    }
