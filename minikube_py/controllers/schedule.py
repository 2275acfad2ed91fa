"""Cron schedules in a time zone: the latest moment up to now, and the next one.

The parser (cronsim) knows the five fields; the words (@hourly and the like) are put into fields here.
Source: github.com/robfig/cron/v3 (ParseStandard), k8s.io/kubernetes/pkg/controller/cronjob/utils.go.
"""

from __future__ import annotations

from functools import lru_cache

from minikube_py.base.clock import zoned

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def latest(expression: str, zone: str, after_s: int, now_s: int) -> int | None:
    """The latest scheduled second in (after_s, now_s], None if there is none. ValueError: not a schedule or zone."""
    found = _moment(expression, zone, now_s + 1, back=True)
    return found if found is not None and found > after_s else None


def following(expression: str, zone: str, now_s: int) -> int | None:
    """The first scheduled second after now_s; None if there is none, as on 30 February. ValueError as above."""
    return _moment(expression, zone, now_s, back=False)


@lru_cache(256)  # a CronJob is looked at several times in each of its minutes
def _moment(expression: str, zone: str, from_s: int, *, back: bool) -> int | None:
    from cronsim import CronSim, CronSimError

    try:
        moments = CronSim(_WORDS.get(expression, expression), zoned(from_s, zone), reverse=back)
    except CronSimError as error:
        raise ValueError(str(error)) from error
    found = next(moments, None)
    return int(found.timestamp()) if found is not None else None
