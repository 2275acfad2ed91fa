"""What a Job's policies make of its pods: podFailurePolicy, successPolicy, and the failures that each index may have.

    onExitCodes In [42], FailJob: one pod that ends with 42 ends the Job
    backoffLimitPerIndex 1: an index has failed for good when its second pod fails
Source: k8s.io/kubernetes/pkg/controller/job/{pod_failure_policy,success_policy,indexed_job_utils,backoff_utils}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.controllers.job_indexes import indexed, parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minikube_py.api.types import Object, Objects

FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


class Verdict(NamedTuple):
    """What the first rule that matches says of a failed pod: an action ('' for none), and the words for FailJob."""

    action: str = ""
    message: str = ""

    @property
    def counts(self) -> bool:
        """Whether the failure counts towards the back-off limit."""
        return self.action != "Ignore"


def verdict(spec: Object, pod: Object) -> Verdict:
    meta = pod["metadata"]
    for number, rule in enumerate((spec.get("podFailurePolicy") or {}).get("rules") or ()):
        action, reason = rule["action"], ""
        if rule.get("onExitCodes"):
            ended = _ended_with(rule["onExitCodes"], pod)
            if ended is not None:
                code = ended["state"]["terminated"]["exitCode"]
                reason = (
                    f"Container {ended['name']} for pod {meta['namespace']}/{meta['name']} failed with exit code {code}"
                )
        else:
            found = _condition_like(rule.get("onPodConditions") or (), pod)
            if found:
                reason = f"Pod {meta['namespace']}/{meta['name']} has condition {found}"
        if reason:
            return Verdict(action, f"{reason} matching {action} rule at index {number}")
    return Verdict()


def _ended_with(rule: Object, pod: Object) -> Object | None:
    """The first container that ended with one of the codes, or with none of them. 0 never matches."""
    status = pod.get("status") or {}
    for one in [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]:
        code = ((one.get("state") or {}).get("terminated") or {}).get("exitCode")
        if not code or rule.get("containerName") not in (None, one["name"]):
            continue
        if (code in rule["values"]) == (rule["operator"] == "In"):
            return one  # type: ignore[no-any-return]
    return None


def _condition_like(patterns: Sequence[Object], pod: Object) -> str:
    for found in (pod.get("status") or {}).get("conditions") or ():
        for pattern in patterns:
            if found["type"] == pattern["type"] and found["status"] == pattern.get("status", "True"):
                return str(found["type"])
    return ""


def failures(pod: Object, name: str = FAILURES) -> int:
    """How many pods of its index had failed before this one was made."""
    text = (pod["metadata"].get("annotations") or {}).get(name, "")
    return int(text) if text.isdecimal() else 0


def absolute_failures(pod: Object) -> int:
    return failures(pod) + failures(pod, IGNORED)


def failed_indexes(spec: Object, before: str, failed: Objects) -> list[int]:
    """The indexes that will not be tried again: those known, and those whose pod failed once too often."""
    limit = spec["backoffLimitPerIndex"]
    found = set(parsed(before))
    for pod in failed:
        index = indexed(pod)
        if index is not None and (failures(pod) >= limit or verdict(spec, pod).action == "FailIndex"):
            found.add(index)
    return sorted(found)


def last_failed(failed: Objects, settled: set[int]) -> dict[int, Object]:
    """index -> its last failed pod, for the indexes that wait for their next try. Such a pod keeps its finalizer: the next
    pod takes the number of failures from it."""
    found: dict[int, Object] = {}
    for pod in failed:
        index = indexed(pod)
        if index is None or index in settled:
            continue
        if index not in found or absolute_failures(found[index]) <= absolute_failures(pod):
            found[index] = pod
    return found


def failure_notes(spec: Object, last: Object | None) -> dict[str, str]:
    """The annotations that tell a new pod how many failed before it at its index."""
    if last is None:
        return {FAILURES: "0"}
    ignored = verdict(spec, last).action == "Ignore"
    counted, passed = failures(last) + (not ignored), failures(last, IGNORED) + ignored
    return {FAILURES: str(counted), **({IGNORED: str(passed)} if passed else {})}


def success_rule(spec: Object, done: list[int]) -> int | None:
    """The number of the first rule of the success policy that the succeeded indexes fulfil.

    succeededIndexes '0-2', succeededCount 2, done [1, 2, 5]: two of the three are there: fulfilled
    """
    for number, rule in enumerate((spec.get("successPolicy") or {}).get("rules") or ()):
        wanted, count = rule.get("succeededIndexes"), rule.get("succeededCount")
        among = set(parsed(wanted)) if wanted is not None else None
        matched = len(done) if among is None else len(among.intersection(done))
        if matched >= (count if count is not None else len(among or ())):
            return number
    return None
