"""Priority, DefaultTolerationSeconds and RuntimeClass: what else every pod is given.

Sources: plugin/pkg/admission/{priority,defaulttolerationseconds,runtimeclass}/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

CLASSES = "priorityclasses.scheduling.k8s.io"
# The classes that every API server makes at its start, for clusters that (still) lack the objects.
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
LOWER = "PreemptLowerPriority"
_NOT_READY, _UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
_DEFAULTS: tuple[Object, ...] = tuple(
    {"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}
    for key in (_NOT_READY, _UNREACHABLE)
)
_BOTH: list[Object] = list(_DEFAULTS)


def priority(request: Request) -> Object:
    """spec.priority and preemptionPolicy from the pod's class, or from the class that is the default."""
    pod = request.object
    assert pod is not None
    spec = pod["spec"]
    if request.verb == "UPDATE":
        before = (request.old or {}).get("spec") or {}
        kept = {
            field: before[field] for field in ("priority", "preemptionPolicy") if field in before and field not in spec
        }
        return {**pod, "spec": {**spec, **kept}} if kept else pod
    name = spec.get("priorityClassName") or ""
    value, policy = 0, LOWER
    if name:
        value, policy = _class(request, name)
    else:
        chosen = _default_class(request)
        if chosen is not None:
            name = chosen["metadata"]["name"]
            value, policy = chosen.get("value", 0), chosen.get("preemptionPolicy") or LOWER
    _refuse_own(request, spec, value, policy)
    added: Object = {"priority": value, "preemptionPolicy": policy}
    if name and not spec.get("priorityClassName"):
        added["priorityClassName"] = name
    return {**pod, "spec": {**spec, **added}}


def _class(request: Request, name: str) -> tuple[int, str]:
    found = request.view.get(Key(CLASSES, "", name))
    if found is not None:
        return found.get("value", 0), found.get("preemptionPolicy") or LOWER
    if name in SYSTEM_CLASSES:
        return SYSTEM_CLASSES[name], LOWER
    raise request.forbidden(f"no PriorityClass with name {name} was found")


def _default_class(request: Request) -> Object | None:
    """The class marked globalDefault; of several, the one with the lowest value."""
    marked = [one for one in request.view.list(CLASSES) if one.get("globalDefault")]
    return min(marked, key=lambda one: int(one.get("value", 0))) if marked else None


def _refuse_own(request: Request, spec: Object, value: int, policy: str) -> None:
    own = spec.get("priority")
    if own is not None and own != value:
        raise request.forbidden(
            f"the integer value of priority ({own}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
    chosen = spec.get("preemptionPolicy")
    if chosen is not None and chosen != policy:
        raise request.forbidden(
            f"the string value of PreemptionPolicy ({chosen}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )


def only_default(request: Request) -> None:
    """There may be only one PriorityClass that is the default."""
    obj = request.object
    if obj is None or not obj.get("globalDefault"):
        return
    for other in request.view.list(CLASSES):
        if other.get("globalDefault") and other["metadata"]["name"] != obj["metadata"]["name"]:
            name = other["metadata"]["name"]
            raise request.forbidden(f"PriorityClass {name} is already marked as default. Only one default can exist")


def tolerations(request: Request) -> Object:
    """Five minutes' grace for nodes that are not ready or unreachable, unless the pod says something about them."""
    pod = request.object
    assert pod is not None
    spec = pod["spec"]
    own = spec.get("tolerations")
    if not own:
        return {**pod, "spec": {**spec, "tolerations": _BOTH}}
    about = {one.get("key", "") for one in own if one.get("effect", "") in ("", "NoExecute")}
    if "" in about:
        return pod
    missing = [default for default in _DEFAULTS if default["key"] not in about]
    return {**pod, "spec": {**spec, "tolerations": [*own, *missing]}} if missing else pod


def runtime_class(request: Request) -> Object:
    """Overhead, node selector and tolerations of the pod's RuntimeClass."""
    pod = request.object
    assert pod is not None
    spec = pod["spec"]
    name = spec.get("runtimeClassName")
    if not name:
        if spec.get("overhead"):
            raise request.forbidden(
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            )
        return pod
    found = request.view.get(Key("runtimeclasses.node.k8s.io", "", name))
    if found is None:
        raise request.forbidden(f'pod rejected: RuntimeClass "{name}" not found')
    added: Object = {}
    fixed = (found.get("overhead") or {}).get("podFixed")
    own = spec.get("overhead")
    if own and not (fixed and _equal_amounts(own, fixed)):
        raise request.forbidden("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    if fixed:
        added["overhead"] = fixed
    scheduling = found.get("scheduling") or {}
    if scheduling.get("nodeSelector"):
        added["nodeSelector"] = _selector(request, spec.get("nodeSelector") or {}, scheduling["nodeSelector"])
    if scheduling.get("tolerations"):
        kept = spec.get("tolerations") or []
        added["tolerations"] = [*kept, *(one for one in scheduling["tolerations"] if one not in kept)]
    return {**pod, "spec": {**spec, **added}} if added else pod


def _equal_amounts(one: dict[str, str], other: dict[str, str]) -> bool:
    return one.keys() == other.keys() and all(quantity.compare(one[name], other[name]) == 0 for name in one)


def _selector(request: Request, own: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    for key, value in more.items():
        if key in own and own[key] != value:
            raise request.forbidden(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own[key]}"
            )
    return dict(sorted({**own, **more}.items()))
