"""What a pod answers to a request at an instant: the same answers that its probes get, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.base import clock as time
from minikube_py.network import places
from minikube_py.programs import answers, behaviour, images, shell, throttling
from minikube_py.programs.throttling import LATENCY_S

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.programs.behaviour import Behaviour

REFUSED, SILENT, ANSWERED = "refused", "timeout", "answered"


class Reply(NamedTuple):
    """`sort`: answered (with an HTTP `status`), refused, or timeout. `until` is when it may change by itself (0: never).

    `latency_s` and `per_second` are what the program's `requests` say: the time of one request, and how many a second it
    bears (0: any number). `version` is the tag of the image that answers.
    """

    sort: str
    status: int = 0
    why: str = ""
    container: str = ""
    version: str = ""
    latency_s: float = LATENCY_S
    per_second: int = 0
    until: int = 0


def reply(pod: Object, port: int, path: str, view: View, clock: Clock) -> Reply:
    """What comes back from `port` of a pod. Nothing does from a machine that is off or a pod that has ended."""
    node = pods.node_of(pod)
    if places.is_down(node, view):
        return Reply(SILENT, why=f"node {node} is down")
    if pods.is_finished(pod) or not (pod.get("status") or {}).get("podIP"):
        return Reply(SILENT, why="the pod has no network any more")
    running = _running(pod)
    refusals: list[Reply] = []
    for container, started in sorted(running, key=lambda one: not _declares(one[0], port)):
        found = _of_container(container, started, pod, port, path, view, clock)
        if found.sort != REFUSED:
            return found
        refusals.append(found)
    if refusals:
        until = min((one.until for one in refusals if one.until), default=0)
        return refusals[0]._replace(until=until)
    return Reply(REFUSED, why="no container is running")


def version_of(pod: Object, port: int) -> str:
    """The tag of the image that serves the port: of the container that declares it, else of the first."""
    containers = pod["spec"]["containers"]
    chosen = next((one for one in containers if _declares(one, port)), containers[0])
    return images.tag(chosen.get("image") or "") or "latest"


def _running(pod: Object) -> list[tuple[Object, int]]:
    """(container, when it started) of the running containers, sidecars included."""
    spec, status = pod["spec"], pod.get("status") or {}
    by_name = {one["name"]: one for one in [*(spec.get("initContainers") or ()), *spec["containers"]]}
    found = []
    for one in [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]:
        state = (one.get("state") or {}).get("running")
        if state and one["name"] in by_name:
            found.append((by_name[one["name"]], time.seconds(state["startedAt"])))
    return found


def _declares(container: Object, port: int) -> bool:
    return any(one["containerPort"] == port for one in container.get("ports") or ())


def _of_container(
    container: Object, started: int, pod: Object, port: int, path: str, view: View, clock: Clock
) -> Reply:
    program = behaviour.behaviour(container, pod, view, clock)
    name, version = container["name"], images.tag(container.get("image") or "") or "latest"
    closed_at = stops_listening_at(pod, container, program)
    if closed_at is not None and clock.now_s >= closed_at:
        return Reply(REFUSED, why=f"container {name} got SIGTERM and listens no more", container=name, version=version)
    if not _listens_on(container, program, port):
        why = f"container {name} does not listen on port {port}"
        return Reply(REFUSED, why=why, container=name, version=version, until=closed_at or 0)
    address = (pod.get("status") or {}).get("podIP") or ""
    probe = {"httpGet": {"path": path or "/", "port": port}}
    question = answers.Question(probe, container, program, address, pod)
    second = clock.now_s - started
    change = question.change_after(second)
    ends = [at for at in (started + change if change is not None else 0, closed_at or 0) if at > clock.now_s]
    speed = throttling.speed(program, container, second)
    base = Reply(ANSWERED, 200, "", name, version, speed.latency_s, speed.per_second, min(ends, default=0))
    good, told = question.at(second)
    if good:
        return base._replace(why=f"container {name} answers", status=_status(question, second))
    if "connection refused" in told:
        return base._replace(sort=REFUSED, status=0, why=f"container {name} does not listen on port {port} yet")
    if "deadline exceeded" in told:
        return base._replace(sort=SILENT, status=0, why=f"container {name} accepts, but does not answer")
    return base._replace(status=_status(question, second), why=f"container {name} answers")


def _status(question: answers.Question, second: int) -> int:
    """The HTTP status: what the matching rule says, else 200."""
    found = behaviour.at(question.rule.course, second) if question.rule is not None else None
    return 200 if found is None else int(found)


def _listens_on(container: Object, program: Behaviour, port: int) -> bool:
    """A program whose ports nobody told listens on those its container declares or is probed at; with none on any."""
    if program.ports is not None:
        return port in program.ports or any(rule.port == port for rule in (*program.http, *program.tcp))
    known = {one["containerPort"] for one in container.get("ports") or () if one.get("protocol", "TCP") == "TCP"}
    if not known or port in known:
        return True
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container.get(kind) or {}
        if any((probe.get(sort) or {}).get("port") == port for sort in ("httpGet", "tcpSocket")):
            return True
    return any(rule.port == port for rule in (*program.http, *program.tcp))


def stops_listening_at(pod: Object, container: Object, program: Behaviour) -> int | None:
    """When a terminating pod's container closes its port: at SIGTERM, which the preStop hook comes before; None if never.

    Deleted at 100 with 30 s of grace and `preStop: {sleep: {seconds: 5}}`: it listens until 105. A program that ignores
    SIGTERM listens until SIGKILL, at 130.
    """
    meta = pod["metadata"]
    if "deletionTimestamp" not in meta:
        return None
    grace_s = int(meta.get("deletionGracePeriodSeconds") or 0)
    until = time.seconds(meta["deletionTimestamp"])
    if program.stop_s is None:
        return until
    return until - grace_s + min(prestop_s(container), grace_s)


def prestop_s(container: Object) -> int:
    """How long the preStop hook takes: `sleep`, or an exec whose script sleeps; others return at once."""
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    if "sleep" in hook:
        return int(hook["sleep"].get("seconds") or 0)
    command = (hook.get("exec") or {}).get("command")
    return shell.outcome(tuple(command)).took_s if command else 0
