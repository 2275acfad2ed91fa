"""The webhook of the VerticalPodAutoscaler: a new pod gets the recommended requests, and limits in proportion.

It notes on the pod what it did and which containers it saw:
    vpaUpdates: 'Pod resources updated by web: container 0: cpu request, memory request, cpu limit'
    vpaObservedContainers: 'web, log'
Sources: vertical-pod-autoscaler/pkg/admission-controller/resource/pod/{handler.go,patch}, resource/vpa/handler.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import vertical

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.vertical.capping import Given
    from minikube_py.apiserver.admission import Request

APPLYING = ("Initial", "Recreate", "Auto", "InPlaceOrRecreate")


def default_policy(request: Request) -> Object:
    """A VPA without an updatePolicy gets one: Recreate."""
    obj = request.object
    assert obj is not None
    if not isinstance(obj.get("spec"), dict) or obj["spec"].get("updatePolicy") is not None:
        return obj
    return {**obj, "spec": {**obj["spec"], "updatePolicy": {"updateMode": "Recreate"}}}


def mutate(request: Request) -> Object:
    """The pod with the resources that the VPA in charge of it recommends."""
    pod = request.object
    assert pod is not None
    if not request.view.list(vertical.RESOURCE, request.key.namespace):
        return pod
    from minikube_py.api.vertical import capping, targets

    vpas = targets.in_charge(request.key.namespace, request.view, APPLYING)
    vpa = targets.controlling(pod, vpas, request.view)
    if vpa is None:
        return pod
    meta = pod["metadata"]
    annotations = dict(meta.get("annotations") or {})
    containers, told = [], []
    for index, (container, given) in enumerate(
        zip(pod["spec"]["containers"], capping.for_pod(vpa, pod, request.view), strict=True)
    ):
        changed, notes = _with(container, given)
        containers.append(changed)
        if notes:
            told.append(f"container {index}: {', '.join(notes)}")
    if told:
        annotations[vertical.UPDATES] = f"Pod resources updated by {vpa['metadata']['name']}: {'; '.join(told)}"
    annotations[vertical.OBSERVED] = ", ".join(container["name"] for container in containers)
    return {
        **pod,
        "metadata": {**meta, "annotations": annotations},
        "spec": {**pod["spec"], "containers": containers},
    }


def _with(container: Object, given: Given) -> tuple[Object, list[str]]:
    """The container with what it is given, and what the pod's annotation says about it."""
    if not given.requests and not given.limits:
        return container, []
    resources, notes = dict(container.get("resources") or {}), list(given.notes)
    for field, word, amounts in (("requests", "request", given.requests), ("limits", "limit", given.limits)):
        if amounts:
            resources[field] = dict(sorted({**(resources.get(field) or {}), **amounts}.items()))
            notes += [f"{name} {word}" for name in sorted(amounts)]
    return {**container, "resources": resources}, notes
