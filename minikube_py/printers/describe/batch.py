"""Jobs and CronJobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.clock import seconds
from minikube_py.base.duration import human
from minikube_py.printers.describe import containers, parts
from minikube_py.printers.describe.writer import go_bool, rfc1123, titled_bool

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

INDEXES_SHOWN = 50  # characters of status.completedIndexes, then up to the next comma


def job(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    w.line(0, "Selector", parts.as_selector(spec.get("selector")))
    parts.labels_and_annotations(obj, w)
    parts.controlled_by(obj, w)
    _settings(spec, w)
    started, completed = status.get("startTime"), status.get("completionTime")
    if started:
        w.line(0, "Start Time", rfc1123(started))
    if completed:
        w.line(0, "Completed At", rfc1123(completed))
    if started and completed:
        w.line(0, "Duration", human(seconds(completed) - seconds(started)))
    if spec.get("activeDeadlineSeconds") is not None:
        w.line(0, "Active Deadline Seconds", f"{spec['activeDeadlineSeconds']}s")
    ready = f" ({status['ready']} Ready)" if status.get("ready") is not None else ""
    w.line(
        0,
        "Pods Statuses",
        f"{status.get('active', 0)} Active{ready} / {status.get('succeeded', 0)} Succeeded / {status.get('failed', 0)} Failed",
    )
    if spec.get("completionMode") == "Indexed":
        w.line(0, "Completed Indexes", _indexes(status.get("completedIndexes", "")))
    containers.template(w, spec["template"])
    parts.events(obj, w)


def _settings(spec: Object, w: Writer) -> None:
    if spec.get("parallelism") is not None:
        w.line(0, "Parallelism", spec["parallelism"])
    w.line(0, "Completions", spec.get("completions", "<unset>"))
    if spec.get("completionMode") is not None:
        w.line(0, "Completion Mode", spec["completionMode"])
    if spec.get("suspend") is not None:
        w.line(0, "Suspend", go_bool(spec["suspend"]))
    if spec.get("backoffLimit") is not None:
        w.line(0, "Backoff Limit", spec["backoffLimit"])
    if spec.get("ttlSecondsAfterFinished") is not None:
        w.line(0, "TTL Seconds After Finished", spec["ttlSecondsAfterFinished"])


def _indexes(text: str) -> str:
    """'0-3,5', cut behind the first comma after 50 characters."""
    comma = text.find(",", INDEXES_SHOWN)
    return (text if comma < 0 else text[: comma + 1] + "...") or "<none>"


def cron_job(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    w.line(0, "Schedule", spec.get("schedule", ""))
    w.line(0, "Concurrency Policy", spec.get("concurrencyPolicy", ""))
    w.line(0, "Suspend", titled_bool(spec.get("suspend")))
    w.line(0, "Time Zone", spec.get("timeZone", "<unset>"))
    w.line(0, "Successful Job History Limit", spec.get("successfulJobsHistoryLimit", "<unset>"))
    w.line(0, "Failed Job History Limit", spec.get("failedJobsHistoryLimit", "<unset>"))
    deadline = spec.get("startingDeadlineSeconds")
    w.line(0, "Starting Deadline Seconds", "<unset>" if deadline is None else f"{deadline}s")
    _job_template(spec["jobTemplate"].get("spec") or {}, w)
    last = status.get("lastScheduleTime")
    w.line(0, "Last Schedule Time", rfc1123(last) if last else "<unset>")
    w.line(0, "Active Jobs", ", ".join(one.get("name", "") for one in status.get("active") or ()) or "<none>")
    parts.events(obj, w)


def _job_template(spec: Object, w: Writer) -> None:
    w.line(0, "Selector", parts.as_selector(spec["selector"]) if spec.get("selector") else "<unset>")
    w.line(0, "Parallelism", spec.get("parallelism", "<unset>"))
    w.line(0, "Completions", spec.get("completions", "<unset>"))
    if spec.get("activeDeadlineSeconds") is not None:
        w.line(0, "Active Deadline Seconds", f"{spec['activeDeadlineSeconds']}s")
    containers.template(w, spec.get("template") or {})
