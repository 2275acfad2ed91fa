"""The Node authorizer: a kubelet may read what the pods on its node use, and write what is its own.

What a kubelet may do at all are the rules of the role `system:node`, bound to nobody; secrets, config maps, claims, volumes
and the like it gets only where a pod that is bound to its node refers to them.
Source: plugin/pkg/auth/authorizer/node (node_authorizer.go, graph.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Key
from minikube_py.apiserver import authorizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.types import View
    from minikube_py.apiserver.authorizer import Target

Object = dict[str, Any]

USER = "system:node:"
READ = ("get", "list", "watch")


def allows(view: View, user: str, verb: str, target: Target) -> bool:
    """Whether the kubelet of that name may; False says only that RBAC is to be asked."""
    node = user.removeprefix(USER)
    if node == user or not node:
        return False
    own = _OWN.get((target.group, target.resource))
    if own is not None:
        return own(view, node, verb, target)
    role = view.get(Key(f"clusterroles{authorizer.RBAC}", "", "system:node")) or {}
    return any(authorizer.covers(rule, verb, target) for rule in role.get("rules") or ())


def _referred(view: View, node: str, verb: str, target: Target) -> bool:
    """Secrets, config maps, claims, volumes, resource claims: those of the node's pods, one by one."""
    if verb not in READ or not target.name:
        return False
    return any(_refers(view, pod, target) for pod in view.on_node(node))


def _refers(view: View, pod: Object, target: Target) -> bool:
    if target.resource == "persistentvolumes":
        claims = (view.get(Key("persistentvolumeclaims", pod["metadata"]["namespace"], name)) for name in _claims(pod))
        return any(claim is not None and claim["spec"].get("volumeName") == target.name for claim in claims)
    if pod["metadata"]["namespace"] != target.namespace:
        return False
    if target.resource == "persistentvolumeclaims":
        return target.name in _claims(pod)
    if target.resource == "resourceclaims":
        used = (pod.get("status") or {}).get("resourceClaimStatuses") or ()
        named = [one.get("resourceClaimName") for one in (*used, *(pod["spec"].get("resourceClaims") or ()))]
        return target.name in named
    return target.name in sources(pod, "secret" if target.resource == "secrets" else "configMap")


def _claims(pod: Object) -> list[str]:
    found = []
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            found.append(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            found.append(f"{pod['metadata']['name']}-{volume['name']}")
    return found


def sources(pod: Object, kind: str) -> Iterator[str]:
    """The names of the secrets ('secret') or config maps ('configMap') that a pod refers to anywhere."""
    spec = pod["spec"]
    if kind == "secret":
        yield from (one["name"] for one in spec.get("imagePullSecrets") or () if one.get("name"))
    for volume in spec.get("volumes") or ():
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            found = source.get(kind) or {}
            yield from filter(None, (found.get("secretName") or found.get("name"),))
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            for one in container.get("envFrom") or ():
                yield from filter(None, ((one.get(f"{kind}Ref") or {}).get("name"),))
            for one in container.get("env") or ():
                yield from filter(None, (((one.get("valueFrom") or {}).get(f"{kind}KeyRef") or {}).get("name"),))


def _token(view: View, node: str, verb: str, target: Target) -> bool:
    """Tokens of the service accounts with which its pods run."""
    return verb == "create" and any(
        (pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName")) == (target.namespace, target.name)
        for pod in view.on_node(node)
    )


def _account(view: View, node: str, verb: str, target: Target) -> bool:
    return verb == "get" and _token(view, node, "create", target)


def _lease(view: View, node: str, verb: str, target: Target) -> bool:
    """Its own lease, and no other."""
    if verb == "create":
        return target.namespace == "kube-node-lease"
    return verb in ("get", "update", "patch", "delete") and (target.namespace, target.name) == ("kube-node-lease", node)


def _csi_node(view: View, node: str, verb: str, target: Target) -> bool:
    if verb == "create":
        return True
    return verb in ("get", "update", "patch", "delete") and target.name == node


def _node(view: View, node: str, verb: str, target: Target) -> bool:
    """It may make nodes, and read and write the one that it is."""
    if verb == "create":
        return not target.name or target.name == node
    if target.resource == "nodes/status":
        return verb in ("update", "patch") and target.name == node
    return verb in ("get", "list", "watch", "update", "patch") and target.name == node


def _pod(view: View, node: str, verb: str, target: Target) -> bool:
    """Pods of its node; a list of all must select them by node, which is not told apart here."""
    if verb in ("list", "watch") or (verb == "create" and target.resource == "pods"):
        return True
    pod = view.get(Key("pods", target.namespace, target.name))
    bound = pod is not None and pod["spec"].get("nodeName") == node
    allowed = {
        "pods": ("get", "delete"),
        "pods/status": ("update", "patch"),
        "pods/eviction": ("create",),
    }[target.resource]
    return verb in allowed and bound


_OWN: dict[tuple[str, str], Callable[[View, str, str, Target], bool]] = {
    ("", "configmaps"): _referred,
    ("", "persistentvolumeclaims"): _referred,
    ("", "persistentvolumes"): _referred,
    ("", "secrets"): _referred,
    ("resource.k8s.io", "resourceclaims"): _referred,
    ("", "serviceaccounts"): _account,
    ("", "serviceaccounts/token"): _token,
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _csi_node,
    ("", "nodes"): _node,
    ("", "nodes/status"): _node,
    ("", "pods"): _pod,
    ("", "pods/status"): _pod,
    ("", "pods/eviction"): _pod,
}
