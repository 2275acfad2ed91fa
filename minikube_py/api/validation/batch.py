"""Jobs and CronJobs.

Source: pkg/apis/batch/validation/validation.go; schedules: github.com/robfig/cron/v3.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from minikube_py.api.validation import apps, metadata, names, pod_spec
from minikube_py.api.validation.causes import same, sorted_map
from minikube_py.base import selector

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

_UID_LABELS = ("batch.kubernetes.io/controller-uid", "controller-uid")
_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
_INDEXES_MAX = 100_000
_BOUNDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("dom", 1, 31, {}),
    (
        "month",
        1,
        12,
        {
            name: at
            for at, name in enumerate(
                ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
            )
        },
    ),
    ("dow", 0, 6, {name: at for at, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}),
)
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def job(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        _status(causes, obj.get("status") or {})
        return
    spec, meta = obj.get("spec") or {}, obj["metadata"]
    if old is None and not spec.get("manualSelector"):
        _generated(causes, spec, meta)
    _spec(causes, spec, "spec")
    found = spec.get("selector")
    if found is None:
        causes.required("spec.selector")
    else:
        metadata.selector(causes, found, "spec.selector")
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
        if not selector.from_label_selector(found).matches(labels or {}):
            detail = "`selector` does not match template `labels`"
            causes.invalid("spec.template.metadata.labels", sorted_map(labels), detail)
    if old is not None:
        _update(causes, obj, old)
    elif spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > 0:
        last = f"{meta.get('name', '')}-{spec['completions'] - 1}"
        if names.dns_label(last):
            detail = f"will not able to create pod with invalid DNS label: {last}"
            causes.invalid("metadata.name", meta.get("name", ""), detail)


def _generated(causes: Causes, spec: Object, meta: Object) -> None:
    """The API server's own labels and selector, which keep Jobs apart, may not be replaced."""
    found = spec.get("selector")
    if found is None:
        return
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    uid, name = meta.get("uid", ""), meta.get("name", "")
    expected = {**dict.fromkeys(_UID_LABELS, str(uid)), **dict.fromkeys(_NAME_LABELS, str(name))}
    for label in ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"):
        path = f"spec.template.metadata.labels[{label}]"
        if label not in labels:
            causes.required(path, f"must be '{expected[label]}'")
        elif labels[label] != expected[label]:
            causes.invalid(path, sorted_map(labels), f"must be '{expected[label]}'")
    if not selector.from_label_selector(found).matches(expected):
        causes.invalid("spec.selector", metadata.selector_value(found), "`selector` not auto-generated")


def _spec(causes: Causes, spec: Object, path: str) -> None:
    """What Jobs and the templates of CronJobs share (validateJobSpec)."""
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        causes.not_negative(f"{path}.{field}", spec.get(field))
    for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
        causes.not_negative(f"{path}.{field}", spec.get(field))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        causes.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.get("managedBy") is not None:
        metadata.domain_prefixed_path(causes, spec["managedBy"], f"{path}.managedBy")
        if len(spec["managedBy"]) > 63:
            causes.too_long(f"{path}.managedBy", 63)
    mode = spec.get("completionMode")
    if mode not in (None, "NonIndexed", "Indexed"):
        causes.not_supported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        _indexed(causes, spec, path)
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                causes.invalid(f"{path}.{field}", spec[field], "requires indexed completion mode")
    if spec.get("podFailurePolicy") is not None:
        _failure_policy(causes, spec, f"{path}.podFailurePolicy")
    if spec.get("successPolicy") is not None:
        _success_policy(causes, spec, f"{path}.successPolicy")
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        allowed = ("Failed",) if spec.get("podFailurePolicy") is not None else ("Failed", "TerminatingOrFailed")
        if replacement not in allowed:
            causes.not_supported(f"{path}.podReplacementPolicy", replacement, allowed)
    template = spec.get("template") or {}
    pod_spec.template(causes, template, f"{path}.template")
    policy = (template.get("spec") or {}).get("restartPolicy", "")
    here = f"{path}.template.spec.restartPolicy"
    if policy in ("", "Always"):
        causes.required(here, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        causes.not_supported(here, policy, ("OnFailure", "Never"))
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        causes.invalid(here, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _indexed(causes: Causes, spec: Object, path: str) -> None:
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    if completions is None:
        causes.required(f"{path}.completions", "when completion mode is Indexed")
    if parallelism is not None and parallelism > _INDEXES_MAX:
        detail = f"must be less than or equal to {_INDEXES_MAX} when completion mode is Indexed"
        causes.invalid(f"{path}.parallelism", parallelism, detail)
    failed = spec.get("maxFailedIndexes")
    if failed is not None and completions is not None and failed > completions:
        causes.invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions")


def _failure_policy(causes: Causes, spec: Object, path: str) -> None:
    pod = (spec.get("template") or {}).get("spec") or {}
    known = {one.get("name") for field in ("containers", "initContainers") for one in pod.get(field) or ()}
    rules = spec["podFailurePolicy"].get("rules") or []
    if len(rules) > 20:
        causes.too_many(f"{path}.rules", len(rules), 20)
    for index, rule in enumerate(rules):
        here, action = f"{path}.rules[{index}]", rule.get("action", "")
        if not action:
            causes.required(f"{here}.action", 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]')
        elif action == "FailIndex":
            if spec.get("backoffLimitPerIndex") is None:
                causes.invalid(f"{here}.action", action, "requires the backoffLimitPerIndex to be set")
        elif action not in ("FailJob", "Ignore", "Count"):
            causes.not_supported(f"{here}.action", action, ("Count", "FailIndex", "FailJob", "Ignore"))
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
        if codes is not None:
            _exit_codes(causes, codes, known, f"{here}.onExitCodes")
        for at, one in enumerate(conditions):
            where, kind = f"{here}.onPodConditions[{at}]", one.get("type", "")
            causes.each_invalid(f"{where}.type", kind, names.qualified_name(kind))
            status = one.get("status")
            if not status:
                causes.required(f"{where}.status", 'valid values: ["False" "True" "Unknown"]')
            elif status not in ("False", "True", "Unknown"):
                causes.not_supported(f"{where}.status", status, ("False", "True", "Unknown"))
        if codes is not None and conditions:
            causes.invalid_without_value(here, "specifying both OnExitCodes and OnPodConditions is not supported")
        elif codes is None and not conditions:
            causes.invalid_without_value(here, "specifying one of OnExitCodes and OnPodConditions is required")


def _exit_codes(causes: Causes, found: Object, known: set[str | None], path: str) -> None:
    operator, values = found.get("operator", ""), found.get("values") or []
    if not operator:
        causes.required(f"{path}.operator", 'valid values: ["In" "NotIn"]')
    elif operator not in ("In", "NotIn"):
        causes.not_supported(f"{path}.operator", operator, ("In", "NotIn"))
    name = found.get("containerName")
    if name is not None and name not in known:
        detail = "must be one of the container or initContainer names in the pod template"
        causes.invalid(f"{path}.containerName", name, detail)
    if not values:
        causes.invalid(f"{path}.values", values, "at least one value is required")
    elif len(values) > 255:
        causes.too_many(f"{path}.values", len(values), 255)
    ordered, unique = True, True
    seen: set[int] = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            causes.invalid(f"{path}.values[{index}]", value, "must not be 0 for the In operator")
        if value in seen:
            causes.duplicate(f"{path}.values[{index}]", value)
            unique = False
        seen.add(value)
        ordered = ordered and (index == 0 or values[index - 1] <= value)
    if not ordered and unique:
        causes.invalid(f"{path}.values", values, "must be ordered")


def _success_policy(causes: Causes, spec: Object, path: str) -> None:
    policy = spec["successPolicy"]
    rules = policy.get("rules") or []
    if spec.get("completionMode") != "Indexed":
        shown = [
            {"SucceededIndexes": rule.get("succeededIndexes"), "SucceededCount": rule.get("succeededCount")}
            for rule in rules
        ]
        causes.invalid(path, {"Rules": shown or None}, "requires indexed completion mode")
        return
    if not rules:
        causes.required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > 20:
        causes.too_many(f"{path}.rules", len(rules), 20)
    completions = spec.get("completions") or 0
    for index, rule in enumerate(rules):
        here = f"{path}.rules[{index}]"
        indexes, count = rule.get("succeededIndexes"), rule.get("succeededCount")
        if indexes is None and count is None:
            causes.required(here, "at least one of succeededCount or succeededIndexes must be specified")
        total = 0
        if indexes is not None:
            total, wrong = _parse_indexes(indexes, completions)
            if wrong:
                causes.invalid(f"{here}.succeededIndexes", indexes, f"error parsing succeededIndexes: {wrong}")
        if count is not None:
            causes.not_negative(f"{here}.succeededCount", count)
            if count > completions:
                detail = f"must be less than or equal to {completions} (the number of specified completions)"
                causes.invalid(f"{here}.succeededCount", count, detail)
            if indexes is not None and count > total:
                detail = f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"  # fmt: skip
                causes.invalid(f"{here}.succeededCount", count, detail)


def _parse_indexes(text: str, completions: int) -> tuple[int, str]:
    """'1,3-5' as the number of indexes, or what is wrong with it."""
    if not text:
        return 0, ""
    total, last = 0, -1
    for interval in text.split(","):
        first, dash, end = interval.partition("-")
        if "-" in end:
            return 0, f'the fragment "{interval}" violates the requirement that an index interval can have at most two parts separated by \'-\''  # fmt: skip
        for limit in (first, end) if dash else (first,):
            if not limit.isdigit():
                return 0, f'cannot convert string to integer for index: "{limit}"'
            if int(limit) >= completions:
                return 0, f'too large index: "{limit}"'
        low, high = int(first), int(end) if dash else int(first)
        if last >= low:
            return 0, f"non-increasing order, previous: {last}, current: {low}"
        if dash and high < low:
            return 0, f"non-increasing order, previous: {low}, current: {high}"
        total, last = total + high - low + 1, high
    return total, ""


def _status(causes: Causes, status: Object) -> None:
    for field in ("active", "succeeded", "failed", "ready", "terminating"):
        causes.not_negative(f"status.{field}", status.get(field))


def _update(causes: Causes, obj: Object, old: Object) -> None:
    spec, before = obj["spec"], old["spec"]
    completions, earlier = spec.get("completions"), before.get("completions")
    if completions != earlier:
        if spec.get("completionMode") != "Indexed":
            causes.immutable("spec.completions", completions, earlier)
        elif completions is not None and completions != spec.get("parallelism"):
            detail = "can only be modified in tandem with spec.parallelism"
            causes.invalid("spec.completions", completions, detail)
    if not same(spec.get("selector"), before.get("selector")):
        causes.invalid("spec.selector", metadata.selector_value(spec.get("selector")), "field is immutable")
    _template_update(causes, obj, old)
    causes.immutable("spec.completionMode", spec.get("completionMode"), before.get("completionMode"))
    for field in ("podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        causes.immutable(f"spec.{field}", spec.get(field), before.get(field))


def _template_update(causes: Causes, obj: Object, old: Object) -> None:
    """The template is fixed; while the Job is suspended and never ran, what steers scheduling may still change."""
    new, before = obj["spec"].get("template") or {}, old["spec"].get("template") or {}
    status = old.get("status") or {}
    if old["spec"].get("suspend") and not status.get("startTime"):
        pod = new.get("spec") or {}
        mutable = ("nodeSelector", "tolerations", "schedulingGates", "affinity")
        kept = {field: value for field, value in (before.get("spec") or {}).items() if field not in mutable}
        kept |= {field: pod[field] for field in mutable if field in pod}
        before = {**before, "spec": kept}
        if "metadata" in new:
            before = {**before, "metadata": new["metadata"]}
    if not same(new, before):
        causes.invalid("spec.template", apps.template_value(new), "field is immutable")


def cron_job(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        return
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    if old is None and len(name) > 52:
        causes.invalid("metadata.name", name, names.max_length(52))
    schedule = spec.get("schedule", "")
    if not schedule:
        causes.required("spec.schedule")
    else:
        _schedule(causes, schedule, spec.get("timeZone"), "spec.schedule")
    causes.not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    _time_zone(causes, spec.get("timeZone"), "spec.timeZone")
    causes.one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
    template = spec.get("jobTemplate") or {}
    _spec(causes, template.get("spec") or {}, "spec.jobTemplate.spec")
    inner = template.get("spec") or {}
    if inner.get("selector") is not None:
        shown = metadata.selector_value(inner["selector"])
        causes.invalid("spec.jobTemplate.spec.selector", shown, "`selector` will be auto-generated")
    if inner.get("manualSelector"):
        causes.not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false"))
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        causes.not_negative(f"spec.{field}", spec.get(field))


def _schedule(causes: Causes, schedule: str, zone: str | None, path: str) -> None:
    wrong = schedule_error(schedule)
    if wrong:
        causes.invalid(path, schedule, wrong)
    if "TZ" in schedule:
        if zone is not None:
            detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        else:
            detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        causes.invalid(path, schedule, detail)


def _time_zone(causes: Causes, zone: str | None, path: str) -> None:
    if zone is None:
        return
    if not zone:
        causes.invalid(path, zone, "timeZone must be nil or non-empty string")
    elif zone.lower() == "local":
        causes.invalid(
            path, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
    elif not _is_time_zone(zone):
        causes.invalid(path, zone, f"unknown time zone {zone}")


@lru_cache(256)
def _is_time_zone(zone: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(1024)
def schedule_error(schedule: str) -> str:
    """What robfig/cron's standard parser says about a schedule; '' if it is good."""
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        zone, blank, rest = schedule.partition("=")[2].partition(" ")
        if not _is_time_zone(zone):
            return f"provided bad location {zone}: unknown time zone {zone}"
        schedule = rest.strip() if blank else ""
    if schedule.startswith("@"):
        return _descriptor_error(schedule)
    fields = schedule.split()
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for field, (_, low, high, words) in zip(fields, _BOUNDS, strict=True):
        for part in field.split(","):
            wrong = _part_error(part, low, high, words)
            if wrong:
                return wrong
    return ""


def _descriptor_error(text: str) -> str:
    if text.startswith("@every "):
        from minikube_py.base import duration

        try:
            duration.parse_go(text.removeprefix("@every "))
        except ValueError as error:
            return f"failed to parse duration {text}: {error}"
        return ""
    return "" if text in _DESCRIPTORS else f"unrecognized descriptor: {text}"


def _part_error(part: str, low: int, high: int, words: dict[str, int]) -> str:
    """One member of a field: '*', '*/5', '3', '1-5', '1-5/2', 'mon'."""
    pieces = part.split("/")
    ends = pieces[0].split("-")
    single = len(ends) == 1
    if ends[0] in ("*", "?"):
        start, end = low, high
    else:
        start, wrong = _number(ends[0], words)
        if wrong:
            return wrong
        if len(ends) > 2:
            return f"too many hyphens: {part}"
        end, wrong = (start, "") if single else _number(ends[1], words)
        if wrong:
            return wrong
    step = 1
    if len(pieces) == 2:
        if not pieces[1].isdigit():
            return _number(pieces[1], {})[1]
        step = int(pieces[1])
        if single and ends[0] not in ("*", "?"):
            end = high
    elif len(pieces) > 2:
        return f"too many slashes: {part}"
    if start < low:
        return f"beginning of range ({start}) below minimum ({low}): {part}"
    if end > high:
        return f"end of range ({end}) above maximum ({high}): {part}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {part}"
    return f"step of range should be a positive number: {part}" if step == 0 else ""


def _number(text: str, words: dict[str, int]) -> tuple[int, str]:
    if text.lower() in words:
        return words[text.lower()], ""
    if text.isdigit() and text.isascii():
        return int(text), ""
    if text.startswith("-") and text[1:].isdigit():
        return 0, f"negative number ({text}) not allowed: {text}"
    return 0, f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
