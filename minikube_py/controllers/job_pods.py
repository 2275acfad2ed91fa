"""The pods that a Job makes, and when they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.base.clock import seconds
from minikube_py.controllers import ownership
from minikube_py.controllers.job_indexes import INDEX

if TYPE_CHECKING:
    from minikube_py.api.types import Object

TRACKING = "batch.kubernetes.io/job-tracking"


def finished_s(pod: Object) -> int:
    """When a pod finished: its last container's end, or else the last change of its readiness."""
    ends = [
        ended
        for one in (pod.get("status") or {}).get("containerStatuses") or ()
        if (ended := ((one.get("state") or {}).get("terminated") or {}).get("finishedAt"))
    ]
    if not ends:
        ready = pods.condition(pod, "Ready")
        ends = [ready["lastTransitionTime"]] if ready is not None and ready.get("lastTransitionTime") else []
    return max((seconds(text) for text in ends), default=0)


def created_s(pod: Object) -> int:
    return seconds(pod["metadata"]["creationTimestamp"])


def is_tracked(pod: Object) -> bool:
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def new_pod(job: Object, index: int | None, notes: dict[str, str]) -> Object:
    """A pod of a Job; of an indexed one for that index, with its number in name, labels, environment and hostname."""
    template, meta = job["spec"]["template"], job["metadata"]
    described, spec = template.get("metadata") or {}, template["spec"]
    labels, annotations = {**(described.get("labels") or {})}, {**(described.get("annotations") or {}), **notes}
    prefix = f"{meta['name']}-"
    if index is not None:
        prefix = f"{meta['name']}-{index}-"
        labels[INDEX] = annotations[INDEX] = str(index)
        told = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}}
        spec = {**spec, "hostname": f"{meta['name']}-{index}"}
        for field in ("initContainers", "containers"):
            if spec.get(field):
                spec[field] = [{**one, "env": [*(one.get("env") or ()), told]} for one in spec[field]]
    own: Object = {"generateName": prefix, "namespace": meta["namespace"], "labels": labels}
    if annotations:
        own["annotations"] = annotations
    own["finalizers"] = [TRACKING]
    own["ownerReferences"] = [ownership.reference_to(job, "batch/v1", "Job")]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": spec}
