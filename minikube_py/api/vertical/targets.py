"""Whom a VerticalPodAutoscaler is about: the pods that its target's selector matches, and the controllers above a pod.

Sources: vertical-pod-autoscaler/pkg/target/fetcher.go, pkg/target/controller_fetcher/controller_fetcher.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import vertical
from minikube_py.api.types import Key
from minikube_py.base import selector

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View
    from minikube_py.base.selector import Selector

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
KNOWN = {
    "DaemonSet": "daemonsets.apps",
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicationController": "replicationcontrollers",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
}


class TargetError(Exception):
    """Why a target cannot be had, in the words of the real components."""


class Ref(NamedTuple):
    """A controller in a namespace that is known besides."""

    api_version: str
    kind: str
    name: str


def target_of(vpa: Object) -> Ref:
    ref = vpa["spec"]["targetRef"]
    return Ref(ref.get("apiVersion", ""), ref["kind"], ref["name"])


def selector_of(vpa: Object, view: View) -> Selector:
    """The selector of the target's pods. Raises TargetError."""
    ref, namespace = target_of(vpa), vpa["metadata"]["namespace"]
    if ref.kind in KNOWN:
        found = view.get(Key(KNOWN[ref.kind], namespace, ref.name))
        if found is None:
            raise TargetError(f"{ref.kind} {namespace}/{ref.name} does not exist")
        return _selector(ref.kind, found["spec"])
    text = _scaled(ref, namespace, view)
    if isinstance(text, TargetError):
        where = f"{ref.api_version} / {ref.kind} / {ref.name}"
        raise TargetError(f"unhandled targetRef {where}, last error {text}")
    if not text:
        where = f"{ref.api_version} / {ref.kind} / {ref.name}"
        problem = f"resource {namespace}/{ref.name} has an empty selector for scale sub-resource"
        raise TargetError(f"unhandled targetRef {where}, last error {problem}")
    return selector.parse(text)


def _selector(kind: str, spec: Object) -> Selector:
    if kind == "CronJob":
        return selector.from_map((spec["jobTemplate"]["spec"]["template"].get("metadata") or {}).get("labels"))
    if kind == "ReplicationController":
        return selector.from_map(spec.get("selector"))
    return selector.from_label_selector(spec.get("selector"))


def _scaled(ref: Ref, namespace: str, view: View) -> str | TargetError:
    """status.selector of a custom resource's scale, or why there is none."""
    from minikube_py.api import custom

    group, _, version = ref.api_version.rpartition("/")
    for definition in view.list(CRDS):
        spec = definition["spec"]
        if (spec["group"], spec["names"]["kind"]) != (group, ref.kind):
            continue
        resource = f"{spec['names']['plural']}.{group}"
        paths = custom.scale_paths(definition, version)
        if paths is None:
            return TargetError("the server could not find the requested resource")
        found: Any = view.get(Key(resource, namespace, ref.name))
        if found is None:
            return TargetError(f'{resource} "{ref.name}" not found')
        for name in paths[2].lstrip(".").split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return str(found or "")
    return TargetError(f'no matches for kind "{ref.kind}" in group "{group}"')


# --- the controllers above ---------------------------------------------------------------------------------------------


def controller_of(obj: Object) -> Ref | None:
    """The controller among an object's owners."""
    for one in obj["metadata"].get("ownerReferences") or ():
        if one.get("controller"):
            return Ref(one.get("apiVersion", ""), one["kind"], one["name"])
    return None


def topmost(ref: Ref, namespace: str, view: View) -> Ref | None:
    """The uppermost controller that is well known or can be scaled, going up from `ref`. Raises TargetError.

    A pod's ReplicaSet web-5d9 -> its Deployment web; the Deployment of an operator's Shop stays if Shops have no scale.
    """
    found: Ref | None = None
    for _ in range(16):
        if ref.kind in KNOWN or (ref.kind != "Node" and not isinstance(_scaled(ref, namespace, view), TargetError)):
            found = ref
        above = _above(ref, namespace, view)
        if above is None:
            return found
        ref = above
    raise TargetError("cycle detected in ownership chain")


def _above(ref: Ref, namespace: str, view: View) -> Ref | None:
    if ref.kind == "Node":
        raise TargetError("node is not a valid owner")
    if ref.kind in KNOWN:
        found = view.get(Key(KNOWN[ref.kind], namespace, ref.name))
        if found is None:
            raise TargetError(f"{ref.kind} {namespace}/{ref.name} does not exist")
        return controller_of(found)
    text = _scaled(ref, namespace, view)
    if isinstance(text, TargetError) and str(text).startswith("no matches"):
        where = f"{ref.api_version} / {ref.kind} / {ref.name}"
        raise TargetError(f"unhandled targetRef {where}, last error {text}")
    return None  # a Scale names no owners


def controlling(pod: Object, vpas: Objects, view: View) -> Object | None:
    """Of VPAs of the pod's namespace the one that is in charge of it: about its uppermost controller, the oldest."""
    owner, namespace = controller_of(pod), pod["metadata"]["namespace"]
    if owner is None or not vpas:
        return None
    try:
        top = topmost(owner, namespace, view)
    except TargetError:
        return None
    if top is None:
        return None
    for vpa in sorted(vpas, key=_age):
        target = target_of(vpa)
        if (target.kind, target.name) != (top.kind, top.name):
            continue
        try:
            chosen = selector_of(vpa, view)
        except TargetError:
            continue
        if chosen.matches(pod["metadata"].get("labels")):
            return vpa
    return None


def _age(vpa: Object) -> tuple[str, str]:
    return vpa["metadata"]["creationTimestamp"], vpa["metadata"]["name"]


def in_charge(namespace: str, view: View, modes: tuple[str, ...]) -> Objects:
    """The VPAs of a namespace in some modes."""
    return [vpa for vpa in view.list(vertical.RESOURCE, namespace) if vertical.mode(vpa) in modes]
