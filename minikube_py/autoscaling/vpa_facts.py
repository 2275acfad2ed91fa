"""What the VerticalPodAutoscaler's parts read off a pod every minute: worked out once for each version of it.

A pod that has not changed since the minute before costs a look at a dict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods, vertical
from minikube_py.api.vertical import targets as owners
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object, View
    from minikube_py.api.vertical.targets import Ref

CACHE = "vpa-facts"


class Facts(NamedTuple):
    """Of one pod.

    `labelled`: its labels as the name of what they have in common, 'app=web,tier=front'; `shape`: what recommendations and priority
    depend on; `alike`: what decides which VPA is in charge of it; `killed`: (container, when it was last killed for want of memory,
    0: never); `lived`: (container, seconds that its last run took) of those whose last run ended like that.
    """

    pod: Object
    labels: dict[str, str]
    labelled: str
    is_placed: bool  # on a node, neither finished nor leaving
    is_pending: bool
    controller: Ref | None
    alike: object
    shape: object
    observed: frozenset[str] | None  # the containers that admission saw; None if it did not see the pod
    killed: tuple[tuple[str, int], ...]
    lived: tuple[tuple[str, int], ...]
    started_s: int | None
    resize: Object | None  # the condition that says that a resize is pending or under way


class Known:
    """The facts of the pods that somebody asked about."""

    resources = frozenset({"pods"})

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Facts] = {}

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        self._known.pop((key.namespace, key.name), None)

    def of(self, pod: Object) -> Facts:
        meta = pod["metadata"]
        place = (meta["namespace"], meta["name"])
        found = self._known.get(place)
        if found is None or found.pod is not pod:
            found = self._known[place] = facts(pod)
        return found


def known(view: View) -> Known:
    """The facts of a view's cluster."""
    found: Known = view.derived(CACHE, _new)
    return found


def _new(_: View) -> Known:
    return Known()


def facts(pod: Object) -> Facts:
    meta, status = pod["metadata"], pod.get("status") or {}
    labels: dict[str, str] = meta.get("labels") or {}
    controller = owners.controller_of(pod)
    told = (meta.get("annotations") or {}).get(vertical.OBSERVED)
    started = status.get("startTime")
    return Facts(
        pod,
        labels,
        ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        bool(pods.node_of(pod)) and not pods.is_finished(pod) and not pods.is_terminating(pod),
        status.get("phase", "Pending") == "Pending",
        controller,
        (controller, tuple(labels.items())),
        _shape(pod, told),
        None if told is None else frozenset(told.split(", ")),
        tuple((one["name"], _killed_s(status, one["name"])) for one in pod["spec"]["containers"]),
        _lived(status),
        seconds(started) if started else None,
        _resize(pod),
    )


def _shape(pod: Object, observed: str | None) -> object:
    """Its containers' resources, and which of them admission saw."""
    parts: list[object] = [observed]
    for container in pod["spec"]["containers"]:
        requests, limits = vertical.resources_of(pod, container["name"])
        parts.append((container["name"], *(tuple((one or {}).items()) for one in (requests, limits))))
    return tuple(parts)


def _killed_s(status: Object, name: str) -> int:
    told: Object = next((one for one in status.get("containerStatuses") or () if one["name"] == name), {})
    for part in ("state", "lastState"):
        ended = (told.get(part) or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled" and ended.get("finishedAt"):
            return seconds(ended["finishedAt"])
    return 0


def _lived(status: Object) -> tuple[tuple[str, int], ...]:
    found = []
    for told in status.get("containerStatuses") or ():
        ended = (told.get("lastState") or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            ended_s = seconds(ended["finishedAt"])
            found.append((told["name"], ended_s - seconds(ended.get("startedAt") or ended["finishedAt"])))
    return tuple(found)


def _resize(pod: Object) -> Object | None:
    for name in ("PodResizePending", "PodResizeInProgress"):
        found = pods.condition(pod, name)
        if found is not None and found["status"] == "True":
            return found
    return None
