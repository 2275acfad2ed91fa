"""Faults of type MemoryLeak: what programs hold beside what they say they use.

A leak of `perMinute: 60Mi` that began 30 s before the container did has taken 10Mi by its 10th second. It ends with the Fault's
time, and what it has taken is only given back by the container's end, or when the Fault is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import faults
from minikube_py.base import quantity
from minikube_py.programs import shell
from minikube_py.programs.behaviour import at

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.programs.behaviour import Behaviour, Course

TYPE = "MemoryLeak"
EVERY_S = 10
CEILING = 64 << 30  # bytes: no machine has more for one container
STEPS_MAX = 500


def amend(base: Behaviour, container: Object, pod: Object, view: View, now_s: int) -> Behaviour:
    """`base` with the leaks that are or were in force."""
    for fault in view.list(faults.FAULTS):
        if fault["spec"].get("type") != TYPE:
            continue
        begin, end = faults.bounds(fault)
        if begin > now_s or not faults.is_about_pod(fault, pod, view, container.get("image") or ""):
            continue
        started = shell.last_start_s(container["name"], pod) or now_s
        until = None if end is None else end - started
        if until is None or until > 0:
            leak = course(quantity.value(fault["spec"]["perMinute"]), max(begin - started, 0), until)
            base = base._replace(memory=added(base.memory, leak))
    return base


def course(per_minute: int, since: int, until: int | None) -> Course:
    """60Gi a minute from second 5 to 25: ((5, 0), (15, 10Gi), (25, 20Gi)); the steps are longer where it leaks slowly."""
    every = max(EVERY_S, -(-CEILING * 60 // (per_minute * STEPS_MAX)))
    found, second = [(since, 0)], since + every
    while (until is None or second <= until) and len(found) <= STEPS_MAX:
        found.append((second, per_minute * (second - since) // 60))
        second += every
    return tuple(found)


def added(first: Course, second: Course) -> Course:
    """The sum of two courses."""
    times = sorted({since for since, _ in (*first, *second)})
    return tuple((since, (at(first, since) or 0) + (at(second, since) or 0)) for since in times)
