"""What brings Faults into force and ends them, kills the pods that one is about, and changes how containers start.

Wakes: the Fault itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import faults
from minikube_py.api.simulator import time_s
from minikube_py.api.types import Actions, Delete, Key, Patch, Remember, Wake
from minikube_py.base.clock import timestamp

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.programs.behaviour import Behaviour

STEP = "faults"
STARTING = ("PullFailing", "SlowStart")
UNREACHABLE = (
    'failed to pull and unpack image "{name}": failed to resolve reference "{name}": failed to do request: dial tcp: '
    "i/o timeout"
)


def step(fault: Object, view: View, clock: Clock) -> Actions:
    """Keep a timed Fault's status right, and kill the pods that one of type PodKilled is about, once."""
    key = Key(faults.FAULTS, "", fault["metadata"]["name"])
    begin, end = faults.bounds(fault)
    is_begun, is_over = clock.now_s >= begin, end is not None and clock.now_s >= end
    if faults.is_timed(fault):
        phase = faults.OVER if is_over else faults.ACTIVE if is_begun else faults.PENDING
        status = {"phase": phase, "begins": timestamp(begin)} | ({"ends": timestamp(end)} if end is not None else {})
        if (fault.get("status") or {}) != status:
            yield Patch(key, {"status": status}, "status")
    if is_begun and fault["spec"].get("type") == "PodKilled" and not view.memory(STEP, key):
        for pod in view.list("pods"):
            if pod["spec"].get("nodeName") and faults.is_about_pod(fault, pod, view):
                meta = pod["metadata"]
                yield Delete(Key("pods", meta["namespace"], meta["name"]), 0, uid=meta["uid"])
        yield Remember({"killed": True})
    if not is_begun:
        yield Wake(begin)
    elif end is not None and not is_over:
        yield Wake(end, end - clock.now_s > FOREGROUND_S)


FOREGROUND_S = 600


def amend(behaviour: Behaviour, container: Object, pod: Object, view: View) -> Behaviour:
    """A container's behaviour under the Faults that are in force: pulls that fail, starts that take longer."""
    for fault in faults.in_force(view, STARTING):
        image = container.get("image", "")
        if not faults.is_about_pod(fault, pod, view, image):
            continue
        if fault["spec"]["type"] == "SlowStart":
            behaviour = behaviour._replace(start_s=behaviour.start_s + time_s(fault["spec"].get("delay", 0)))
        else:
            from minikube_py.programs import images

            told = fault["spec"].get("message") or UNREACHABLE.format(name=images.full_name(image))
            behaviour = behaviour._replace(pull_error=told)
    return behaviour
