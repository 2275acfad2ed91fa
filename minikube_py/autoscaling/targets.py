"""What an autoscaler scales: a scaleTargetRef resolved to its scale (spec.replicas, status.replicas, selector).

Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go (scaleForResourceMappings), pkg/registry/apps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key, Patch
from minikube_py.base import selector

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View
    from minikube_py.base.selector import Selector

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
_SCALABLE = {
    ("apps", "Deployment"): "deployments.apps",
    ("apps", "ReplicaSet"): "replicasets.apps",
    ("apps", "StatefulSet"): "statefulsets.apps",
    ("", "ReplicationController"): "replicationcontrollers",
}
_WITHOUT_SCALE = (
    ("apps", "DaemonSet"), ("batch", "Job"), ("batch", "CronJob"), ("", "Pod"), ("", "Service"), ("", "Node"),
)  # fmt: skip


class Scale(NamedTuple):
    """`selector`: the text of status.selector, '' where the target has none; `path`: where the replicas stand."""

    key: Key
    replicas: int
    status_replicas: int
    selector: str
    path: tuple[str, ...]

    def patch(self, replicas: int) -> Patch:
        fields: Any = replicas
        for name in reversed(self.path):
            fields = {name: fields}
        return Patch(self.key, fields)


def find(reference: Object, namespace: str, view: View) -> Scale | str:
    """The scale of a target, or why there is none, in the words of the API server or the client."""
    group = reference.get("apiVersion", "").rpartition("/")[0]
    kind, name = reference["kind"], reference["name"]
    resource = _SCALABLE.get((group, kind))
    if resource is not None:
        found = view.get(Key(resource, namespace, name))
        return f'{resource} "{name}" not found' if found is None else _built_in(Key(resource, namespace, name), found)
    if (group, kind) in _WITHOUT_SCALE:
        return "the server could not find the requested resource"
    for definition in view.list(CRDS):
        spec = definition["spec"]
        if spec["group"] == group and spec["names"]["kind"] == kind:
            return _custom(definition, Key(f"{spec['names']['plural']}.{group}", namespace, name), view)
    return f'no matches for kind "{kind}" in group "{group}"'


def _built_in(key: Key, found: Object) -> Scale:
    spec, status = found["spec"], found.get("status") or {}
    chosen = spec.get("selector") or {}
    of = selector.from_map(chosen) if key.resource == "replicationcontrollers" else selector.from_label_selector(chosen)
    return Scale(key, spec.get("replicas", 1), status.get("replicas", 0), of.text, ("spec", "replicas"))


def _custom(definition: Object, key: Key, view: View) -> Scale | str:
    versions = definition["spec"]["versions"]
    paths = next(
        (one["subresources"]["scale"] for one in versions if (one.get("subresources") or {}).get("scale")), None
    )
    if paths is None:
        return "the server could not find the requested resource"
    found = view.get(key)
    if found is None:
        return f'{key.resource} "{key.name}" not found'
    path = tuple(paths["specReplicasPath"].lstrip(".").split("."))
    return Scale(
        key,
        int(_at(found, path) or 0),
        int(_at(found, tuple(paths["statusReplicasPath"].lstrip(".").split("."))) or 0),
        str(_at(found, tuple(paths.get("labelSelectorPath", "").lstrip(".").split("."))) or ""),
        path,
    )


def _at(found: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def may_share(one: Selector, other: Selector) -> bool:
    """False if two selectors want different values of one label."""
    wanted = other.exact()
    return all(wanted.get(name, value) == value for name, value in one.exact().items())


def pods_of(namespace: str, chosen: Selector, view: View) -> Objects:
    """The pods of a namespace that a selector matches, by name. Do not change the list: who asks next gets it too."""
    exact = chosen.exact()
    if exact and len(exact) == len(chosen.requirements) and not chosen.nothing:  # the index says it all
        last: _Last = view.derived("autoscaled-pods", _Last)
        place = (namespace, *exact.items())
        known = last.found.get(place)
        if known is None:
            known = last.found[place] = view.selected(namespace, exact)
        return known
    found = view.selected(namespace, exact) if exact else view.list("pods", namespace)
    return [pod for pod in found if chosen.matches(pod["metadata"].get("labels"))]


class _Last:
    """What was selected since a pod changed last: autoscalers ask again and again, and twice each time."""

    resources = frozenset({"pods"})

    def __init__(self, view: View) -> None:
        self.found: dict[tuple[object, ...], Objects] = {}

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        self.found.clear()
