"""Cells of what runs pods: Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs.

Source: pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.clock import seconds
from minikube_py.base.duration import human
from minikube_py.printers.cells.meta import at, condition, labels, since

if TYPE_CHECKING:
    from minikube_py.api.types import Object


def ready(obj: Object, now_s: int) -> str:
    """'2/3': ready of desired."""
    return f"{at(obj, 'status', 'readyReplicas') or 0}/{at(obj, 'spec', 'replicas') or 0}"


def containers(obj: Object, now_s: int) -> str:
    return ",".join(one.get("name", "") for one in _containers(obj))


def images(obj: Object, now_s: int) -> str:
    return ",".join(one.get("image", "") for one in _containers(obj))


def template_labels(obj: Object, now_s: int) -> str:
    return labels(at(obj, "template", "metadata", "labels"))


def selector(obj: Object, now_s: int) -> str:
    """A LabelSelector; '<none>' if it is empty."""
    return selector_text(at(obj, "spec", "selector")) or "<none>"


def plain_selector(obj: Object, now_s: int) -> str:
    """A Deployment's: '' if it is empty."""
    return selector_text(at(obj, "spec", "selector"))


def label_selector(obj: Object, now_s: int) -> str:
    """A selector that is a plain map (Service, ReplicationController)."""
    return labels(at(obj, "spec", "selector"))


def job_selector(obj: Object, now_s: int) -> str:
    return selector_text(at(obj, "spec", "jobTemplate", "spec", "selector")) or "<none>"


def node_selector(obj: Object, now_s: int) -> str:
    return labels(at(obj, "spec", "template", "spec", "nodeSelector"))


def selector_text(found: Object | None) -> str:
    """'app=web,tier in (a,b)'; '<error>' if it is not valid."""
    from minikube_py.base import selector as selectors

    try:
        return selectors.from_label_selector(found).text
    except selectors.SelectorError:
        return "<error>"


def job_status(job: Object, now_s: int) -> str:
    for type, text in (("Complete", "Complete"), ("Failed", "Failed")):
        if _is_true(job, type):
            return text
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if _is_true(job, "Suspended"):
        return "Suspended"
    return "FailureTarget" if _is_true(job, "FailureTarget") else "Running"


def job_completions(job: Object, now_s: int) -> str:
    """'1/3'; '0/1 of 5' for a work queue with a parallelism of 5."""
    done, wanted = at(job, "status", "succeeded") or 0, at(job, "spec", "completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallelism = at(job, "spec", "parallelism") or 0
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def job_duration(job: Object, now_s: int) -> str:
    start, end = at(job, "status", "startTime"), at(job, "status", "completionTime")
    if not start:
        return ""
    return human((seconds(end) if end else now_s) - seconds(start))


def suspend(cronjob: Object, now_s: int) -> str:
    given = at(cronjob, "spec", "suspend")
    return "<unset>" if given is None else str(bool(given))


def active(cronjob: Object, now_s: int) -> int:
    return len(at(cronjob, "status", "active") or ())


def last_schedule(cronjob: Object, now_s: int) -> str:
    last = at(cronjob, "status", "lastScheduleTime")
    return since(last, now_s) if last else "<none>"


def controller(revision: Object, now_s: int) -> str:
    """'statefulset.apps/web'"""
    for owner in revision["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = owner["apiVersion"].rpartition("/")[0]
            return f"{owner['kind']}{'.' if group else ''}{group}".lower() + f"/{owner['name']}"
    return "<none>"


def _is_true(obj: Object, type: str) -> bool:
    found = condition(obj, type)
    return found is not None and found.get("status") == "True"


def _containers(obj: Object) -> Any:
    template = obj.get("template") or at(obj, "spec", "template") or at(obj, "spec", "jobTemplate", "spec", "template")
    return at(template, "spec", "containers") or ()
