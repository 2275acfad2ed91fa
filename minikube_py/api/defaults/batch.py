"""Defaults of jobs. Source: pkg/apis/batch/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults import pods
from minikube_py.api.defaults.shape import always, each, fill, settle, within

Object = dict[str, Any]

_JOB: Object = {"completionMode": "NonIndexed", "manualSelector": False, "parallelism": 1, "suspend": False}
_CRON_JOB: Object = {
    "concurrencyPolicy": "Allow",
    "failedJobsHistoryLimit": 1,
    "jobTemplate": {},
    "successfulJobsHistoryLimit": 3,
    "suspend": False,
}
_NO_LIMIT = 2**31 - 1  # with a limit for each index the whole job has none


def job(obj: Object) -> Object:
    """A Job. Its generated selector and labels are the strategy's work (minikube_py.api.strategy)."""
    return always(fill(obj, {"status": {}}), "spec", _job_spec)


def _job_spec(spec: Object) -> Object:
    if "completions" not in spec and "parallelism" not in spec:
        spec = {**spec, "completions": 1}
    limit = _NO_LIMIT if "backoffLimitPerIndex" in spec else 6
    replacement = "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
    spec = fill(fill(spec, _JOB), {"backoffLimit": limit, "podReplacementPolicy": replacement})
    return _template_and_policy(spec)


def _template_and_policy(spec: Object) -> Object:
    """What a CronJob's job template gets, too: the pod template, and status True for the conditions of a rule."""
    spec = within(spec, "podFailurePolicy", lambda policy: each(policy, "rules", _failure_rule))
    return pods.template(spec)


def _failure_rule(rule: Object) -> Object:
    return each(rule, "onPodConditions", lambda pattern: settle(pattern, {"status": "True"}))


def cron_job(obj: Object) -> Object:
    return always(fill(obj, {"status": {}}), "spec", _cron_job_spec)


def _cron_job_spec(spec: Object) -> Object:
    return always(fill(spec, _CRON_JOB), "jobTemplate", _job_template)


def _job_template(obj: Object) -> Object:
    return always(fill(obj, {"metadata": {}}), "spec", _template_and_policy)
