"""NodeRestriction: a kubelet changes its own node, pods and leases, and nothing that would let it draw work to itself.

It looks at requests of the group system:nodes alone.
Source: plugin/pkg/admission/noderestriction/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Key
from minikube_py.apiserver import node_authorizer
from minikube_py.base import errors, gotext

if TYPE_CHECKING:
    from minikube_py.api.types import View
    from minikube_py.apiserver.admission import Request

Object = dict[str, Any]

GROUP, USER = "system:nodes", "system:node:"
MIRROR = "kubernetes.io/config.mirror"
PROTECTED = "node-restriction.kubernetes.io"
# Labels of the Kubernetes domains that a kubelet may set on its node.
_OWN_LABELS = frozenset({
    "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
    "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type", "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
    "node.kubernetes.io/windows-build",
})  # fmt: skip
_OWN_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")


def admit(request: Request) -> Object | None:
    """Refuses what a kubelet may not do; changes nothing."""
    if GROUP in request.groups and request.user.startswith(USER):
        look = _LOOKS.get(request.key.resource)
        if look is not None:
            look(request, request.user.removeprefix(USER))
    return request.object


def _pod(request: Request, node: str) -> None:
    shown, old = gotext.quoted(node), request.old or {}
    if request.subresource == "status":
        if (old.get("spec") or {}).get("nodeName") != node:
            raise request.forbidden(
                f"node {shown} can only update pod status for pods with spec.nodeName set to itself"
            )
        _same_labels(request, old, shown)
    elif request.subresource == "eviction":
        pod = request.view.get(request.key)
        if pod is None:
            raise errors.not_found("pods", request.key.name)
        if pod["spec"].get("nodeName") != node:
            raise request.forbidden(f"node {node} can only evict pods with spec.nodeName set to itself")
    elif request.subresource:
        name = gotext.quoted(request.subresource)
        raise request.forbidden(f"unexpected pod subresource {name}, only 'status' and 'eviction' are allowed")
    elif request.verb == "CREATE":
        _new_pod(request, node)
    elif request.verb == "DELETE":
        if (old.get("spec") or {}).get("nodeName") != node:
            raise request.forbidden(f"node {shown} can only delete pods with spec.nodeName set to itself")
    else:
        verb = gotext.quoted(request.verb)
        raise request.forbidden(f"unexpected operation {verb}, node {shown} can only create and delete mirror pods")


def _same_labels(request: Request, old: Object, shown: str) -> None:
    assert request.object is not None
    if (old["metadata"].get("labels") or {}) != (request.object["metadata"].get("labels") or {}):
        raise request.forbidden(f"node {shown} cannot update labels through pod status")


def _new_pod(request: Request, node: str) -> None:
    """Only mirror pods, of the node's own, that use nothing of the API."""
    pod, shown = request.object, gotext.quoted(node)
    assert pod is not None
    meta, spec = pod["metadata"], pod["spec"]
    if MIRROR not in (meta.get("annotations") or ()):
        told = f"pod does not have {gotext.quoted(MIRROR)} annotation, node {shown} can only create mirror pods"
        raise request.forbidden(told)
    if spec.get("nodeName") != node:
        raise request.forbidden(f"node {shown} can only create pods with spec.nodeName set to itself")
    owners = meta.get("ownerReferences") or []
    if len(owners) > 1:
        raise request.forbidden(f"node {shown} can only create pods with a single owner reference set to itself")
    if not owners or (owners[0]["apiVersion"], owners[0]["kind"], owners[0]["name"]) != ("v1", "Node", node):
        raise request.forbidden(f"node {shown} can only create pods with an owner reference set to itself")
    if not owners[0].get("controller"):
        raise request.forbidden(f"node {shown} can only create pods with a controller owner reference set to itself")
    if owners[0].get("blockOwnerDeletion"):
        raise request.forbidden(f"node {shown} must not set blockOwnerDeletion on an owner reference")
    machine = request.view.get(Key("nodes", "", node))
    if machine is None:
        raise errors.not_found("nodes", node)
    if owners[0].get("uid") != machine["metadata"]["uid"]:
        told = f"node {node} UID mismatch: expected {owners[0].get('uid')} got {machine['metadata']['uid']}"
        raise request.forbidden(told)
    for what, found in (
        ("a service account", spec.get("serviceAccountName")),
        ("secrets", any(node_authorizer.sources(pod, "secret"))),
        ("configmaps", any(node_authorizer.sources(pod, "configMap"))),
        ("persistentvolumeclaims", any("persistentVolumeClaim" in one for one in spec.get("volumes") or ())),
    ):
        if found:
            raise request.forbidden(f"node {shown} can not create pods that reference {what}")


def _node(request: Request, node: str) -> None:
    shown = gotext.quoted(node)
    if request.key.name != node:
        raise request.forbidden(f"node {shown} is not allowed to modify node {gotext.quoted(request.key.name)}")
    obj, old = request.object or {}, request.old or {}
    meta, before = obj.get("metadata") or {}, old.get("metadata") or {}
    labels, known = meta.get("labels") or {}, before.get("labels") or {}
    changed = sorted(key for key in {*labels, *known} if labels.get(key) != known.get(key))
    forbidden = ", ".join(key for key in changed if _is_forbidden(key))
    if request.verb == "CREATE" and forbidden:
        raise request.forbidden(f"node {shown} is not allowed to set the following labels: {forbidden}")
    if request.verb != "UPDATE":
        return
    if ((obj.get("spec") or {}).get("taints") or []) != ((old.get("spec") or {}).get("taints") or []):
        raise request.forbidden(f"node {shown} is not allowed to modify taints")
    if forbidden:
        raise request.forbidden(f"node {shown} is not allowed to modify labels: {forbidden}")
    if (meta.get("ownerReferences") or []) != (before.get("ownerReferences") or []):
        raise request.forbidden(f"node {shown} is not allowed to modify ownerReferences")


def _is_forbidden(label: str) -> bool:
    domain = label.partition("/")[0] if "/" in label else ""
    if domain == PROTECTED or domain.endswith(f".{PROTECTED}"):
        return True
    if label in _OWN_LABELS or any(domain == own or domain.endswith(f".{own}") for own in _OWN_DOMAINS):
        return False
    return any(domain == one or domain.endswith(f".{one}") for one in ("kubernetes.io", "k8s.io"))


def _claim(request: Request, node: str) -> None:
    if request.subresource != "status":
        raise request.forbidden("may only update PVC status")


def _lease(request: Request, node: str) -> None:
    if request.key.namespace != "kube-node-lease":
        raise request.forbidden('can only access leases in the "kube-node-lease" system namespace')
    if request.key.name != node:
        raise request.forbidden("can only access node lease with the same name as the requesting node")


def _csi_node(request: Request, node: str) -> None:
    if request.key.name != node:
        raise request.forbidden("can only access CSINode with the same name as the requesting node")


def token(view: View, user: str, key: Key, wanted: Object) -> None:
    """A kubelet may ask for tokens that are bound to a pod of its node. Raises Forbidden."""
    if not user.startswith(USER):
        return
    reference = (wanted.get("spec") or {}).get("boundObjectRef") or {}
    name, uid = reference.get("name") or "", reference.get("uid") or ""
    if reference.get("kind") != "Pod" or not name or not uid:
        raise errors.forbidden("serviceaccounts", key.name, "node requested token not bound to a pod")
    pod = view.get(Key("pods", key.namespace, name))
    if pod is None:
        raise errors.not_found("pods", name)
    if uid != pod["metadata"]["uid"]:
        told = f"the UID in the bound object reference ({uid}) does not match the UID in record."
        raise errors.forbidden(
            "serviceaccounts", key.name, f"{told} The object might have been deleted and then recreated"
        )
    if pod["spec"].get("nodeName") != user.removeprefix(USER):
        told = "node requested token bound to a pod scheduled on a different node"
        raise errors.forbidden("serviceaccounts", key.name, told)


_LOOKS = {
    "pods": _pod,
    "nodes": _node,
    "persistentvolumeclaims": _claim,
    "leases.coordination.k8s.io": _lease,
    "csinodes.storage.k8s.io": _csi_node,
}
