"""The life of one container: from nothing through image, creation and running to its end and its next start.

A table of states; each function takes the record and returns the next record, or None when it has to wait (it has then
left a wake, or waits for a change of an object). Sources: pkg/kubelet/kuberuntime/kuberuntime_container.go,
kuberuntime_manager.go, pkg/kubelet/images/image_manager.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import pods
from minikube_py.api.machines import SYSTEM_MEMORY
from minikube_py.api.types import Record
from minikube_py.base import duration, quantity
from minikube_py.kubelet import hooks, images, probes, references, restarts, usage
from minikube_py.kubelet.worker import COMPONENT, timestamp
from minikube_py.programs import images as names
from minikube_py.programs.behaviour import DEFAULT
from minikube_py.programs.run import FOREVER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker
    from minikube_py.programs.behaviour import Behaviour

MOVES_MAX = 64  # moves of one container within one second; a healthy one needs five
# An end that is further away does not keep the cluster from settling, unless the pod is meant to end (Jobs).
FOREGROUND_S = 60
UNSTARTED: Object = {"state": "", "restarts": 0}
SIGKILLED = 137
START_ERROR = 128
RESTART_ALL = "RestartAllContainers"
# What of its log an ended container tells as its message (kuberuntime_container.go, MaxContainerTerminationMessageLog*).
LOG_LINES, LOG_BYTES = 80, 2048


def advance(worker: Worker, container: Object) -> Object:
    """Bring one container up to now; returns its record."""
    name = container["name"]
    record = worker.records.get(name) or UNSTARTED
    for _ in range(MOVES_MAX):
        moved = STATES[record["state"]](worker, container, record)
        if moved is None:
            break
        worker.records[name] = record = moved
    worker.records[name] = record
    return record


def _begin(worker: Worker, container: Object, record: Object) -> Object:
    """Look for the image; pull it if the policy says so."""
    image = container["image"]
    if not names.full_name(image):
        message = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {names.invalid_reason(image)}'
        worker.event("Warning", "InspectFailed", message, container)
        worker.event("Warning", "Failed", "Error: InvalidImageName", container)
        return {**record, "state": "refused", "reason": "InvalidImageName", "message": message, "image": image}
    is_present = images.present(image, worker.node, worker.view)
    policy = container.get("imagePullPolicy", "IfNotPresent")
    if images.should_pull(policy, is_present):
        worker.event("Normal", "Pulling", f'Pulling image "{image}"', container)
        # A pull of what is already there only asks the registry for the digest.
        takes_s = min(worker.behaviour(container).pull_s, 1) if is_present else worker.behaviour(container).pull_s
        begins = images.turn(worker)
        asked: Object = {**record, "state": "pulling", "since": worker.now, "until": begins + takes_s, "image": image}
        return {**asked, "begins": begins} if begins > worker.now else asked
    if is_present:
        message = f'Container image "{image}" already present on machine and can be accessed by the pod'
        worker.event("Normal", "Pulled", message, container)
        return _create(worker, container, {**record, "image": image})
    message = f'Container image "{image}" is not present with pull policy of Never'
    worker.event("Warning", "ErrImageNeverPull", message, container)
    worker.event("Warning", "Failed", "Error: ErrImageNeverPull", container)
    return {**record, "state": "refused", "reason": "ErrImageNeverPull", "message": message, "image": image}


def _pulling(worker: Worker, container: Object, record: Object) -> Object | None:
    if container["image"] != record["image"]:
        return _begin(worker, container, record)
    if worker.now < record["until"]:
        worker.wake(record["until"])
        return None
    image, program = container["image"], worker.behaviour(container)
    if program.pull_error:
        tries = record.get("tries", 0) + 1
        worker.event("Warning", "Failed", f'Failed to pull image "{image}": {program.pull_error}', container)
        worker.event("Warning", "Failed", "Error: ErrImagePull", container)
        return {
            **record, "state": "pull-failed", "until": worker.now + 1, "retry": worker.now + restarts.pull_delay_s(tries),
            "tries": tries, "message": program.pull_error,
        }  # fmt: skip
    since = record["since"]
    took, waited = duration.go(worker.now - int(record.get("begins") or since)), duration.go(worker.now - since)
    size = program.image_size
    message = f'Successfully pulled image "{image}" in {took} ({waited} including waiting). Image size: {size} bytes.'
    worker.event("Normal", "Pulled", message, container)
    listed = images.added(image, size, worker.node)
    if listed is not None:
        worker.actions.append(listed)
        # Another of its pulls may end within this second, and reports the images with this one.
        worker.node = {**worker.node, "status": {**worker.node["status"], **listed.fields["status"]}}
    return _create(
        worker, container, {key: value for key, value in record.items() if key not in ("tries", "retry", "begins")}
    )


def _pull_failed(worker: Worker, container: Object, record: Object) -> Object | None:
    """ErrImagePull until the kubelet looks again, a second later."""
    if container["image"] != record["image"]:
        return _begin(worker, container, record)
    if worker.now < record["until"]:
        worker.wake(record["until"])
        return None
    worker.event("Normal", "BackOff", f'Back-off pulling image "{container["image"]}"', container)
    worker.event("Warning", "Failed", "Error: ImagePullBackOff", container)
    return {**record, "state": "pull-backoff", "until": record["retry"]}


def _pull_backoff(worker: Worker, container: Object, record: Object) -> Object | None:
    if container["image"] == record["image"] and worker.now < record["until"]:
        worker.wake(record["until"], background=True)
        return None
    return _begin(worker, container, record)


def _refused(worker: Worker, container: Object, record: Object) -> Object | None:
    """An image name that cannot be parsed, or an absent image that may not be pulled: until either changes."""
    if container["image"] != record["image"]:
        return _begin(worker, container, record)
    if record["reason"] == "ErrImageNeverPull" and images.present(container["image"], worker.node, worker.view):
        return _begin(worker, container, record)
    return None


def _create(worker: Worker, container: Object, record: Object) -> Object:
    """The image is there: resolve the environment and create the container."""
    problem = references.environment_problem(container, worker)
    if problem:
        if record.get("message") != problem or record["state"] != "config-error":
            worker.event("Warning", "Failed", f"Error: {problem}", container)
        return {**record, "state": "config-error", "message": problem}
    problem = worker.behaviour(container).create_error
    if problem:
        return _cannot_create(worker, container, record, problem)
    worker.event("Normal", "Created", "Container created", container)
    kept = {key: value for key, value in record.items() if key not in ("message", "reason")}
    return {**kept, "state": "creating", "until": worker.now + worker.behaviour(container).create_s}


def _cannot_create(worker: Worker, container: Object, record: Object, problem: str) -> Object:
    """The runtime refuses the container: tried again until a Program says otherwise, whose change wakes the pod."""
    if record.get("message") != problem or record["state"] != "create-error":
        worker.event("Warning", "Failed", f"Error: {problem}", container)
    return {**record, "state": "create-error", "message": problem}


def _create_error(worker: Worker, container: Object, record: Object) -> Object | None:
    if container["image"] == record["image"] and worker.behaviour(container).create_error == record["message"]:
        return None
    return _begin(worker, container, {**record, "state": "", "message": ""})


def _config_error(worker: Worker, container: Object, record: Object) -> Object | None:
    """Waits for the ConfigMap or Secret, whose change wakes the pod."""
    if container["image"] == record["image"]:
        problem = references.environment_problem(container, worker)
        if problem == record["message"]:
            return None
    return _begin(worker, container, {**record, "state": "", "message": ""})


def _creating(worker: Worker, container: Object, record: Object) -> Object | None:
    if worker.now < record["until"]:
        worker.wake(record["until"])
        return None
    restart = "last" in record
    worker.forget_files(container["name"])
    attempt = record["restarts"] + 1 if restart else 0
    kept = {key: value for key, value in record.items() if key not in ("until", "since", "failed")}
    started: Object = {
        **kept, "state": "running", "started": worker.now, "restarts": attempt,
        "id": worker.container_id(container, attempt),
    }  # fmt: skip
    if restart:
        ended_at = record["ended"]
        started["backoff"] = restarts.next_backoff_s(record.get("backoff", 0), record.get("backoff_at", 0), ended_at)
        started["backoff_at"] = worker.now
    problem = worker.behaviour(container).start_error
    if problem:
        worker.event("Warning", "Failed", f"Error: {problem}", container)
        return ended(worker, container, {**started, "started": 0}, START_ERROR, worker.now, "StartError", problem)
    worker.event("Normal", "Started", "Container started", container)
    if "lifecycle" in container:
        worker.records[container["name"]] = started
        hook = hooks.run(worker, container, "postStart")
        if hook is not hooks.NONE:
            begun = {**started, "state": "starting", "until": worker.now + hook.took_s}
            return {**begun, "hook": hook.problem} if hook.problem else begun
    return _started(container, started)


def _started(container: Object, record: Object) -> Object:
    begun = probes.begin(container, record["started"])
    return {**record, "probes": begun} if begun else record


def _starting(worker: Worker, container: Object, record: Object) -> Object | None:
    """Runs already, but the kubelet waits for the postStart hook before it says so."""
    if worker.now < record["until"]:
        worker.wake(record["until"])
        return None
    kept = {key: value for key, value in record.items() if key not in ("until", "hook")}
    if record.get("hook"):
        worker.event("Warning", "FailedPostStartHook", "PostStartHook failed", container)
        failed = {**kept, "state": "running", "failed": ["PostStartHookError", record["hook"]]}
        return stopping(worker, container, failed, "FailedPostStartHook")
    return _started(container, {**kept, "state": "running"})


def _running(worker: Worker, container: Object, record: Object) -> Object | None:
    if container["image"] != record["image"] and not worker.is_init(container):
        message = f"Container {container['name']} definition changed, will be restarted"
        return stopping(worker, container, record, message)
    end = _end(worker, container, record)
    if end is not None and end.at_s <= worker.now:
        # An end that nobody had foreseen (an edited Program, a Service that came) happens now, not in the past.
        at_s = end.at_s if record.get("end") == end.at_s else worker.now
        if end.of_machine:
            _tell_of_machine(worker, container)
        return ended(worker, container, record, end.code, at_s, end.reason, end.message)
    if end is not None:
        meant_to_end = policy(worker, container) != "Always"
        late = record["restarts"] > 0 or end.at_s - worker.now > FOREGROUND_S
        worker.wake(end.at_s, background=late and not meant_to_end)
        if record.get("end") != end.at_s:
            return {**record, "end": end.at_s}
    if "probes" not in record:
        return None
    probed, failed = probes.run(worker, container, record)
    if failed:
        message = f"Container {container['name']} failed {failed} probe, will be restarted"
        return stopping(
            worker, container, {**record, "probes": probed}, message, probes.grace_s(worker, container, failed)
        )
    if probed != record["probes"]:
        worker.records[container["name"]] = record = {**record, "probes": probed}
        return record
    return None


class End(NamedTuple):
    """How and when (seconds since 1970) a running container ends by itself."""

    at_s: int
    code: int
    reason: str = ""
    message: str = ""
    of_machine: bool = False  # the machine has run out of memory, not the container of its limit


def _end(worker: Worker, container: Object, record: Object) -> End | None:
    """The end of its program, or of its patience with the memory limit, whichever comes first."""
    program, started = worker.behaviour(container), record["started"]
    ends = []
    if program.exit_after_s is not None:
        message = program.exit_message or (_last_words(container, program, FOREVER_S) if program.exit_code else "")
        ends.append(End(started + program.exit_after_s, program.exit_code, "", message))
    if program.memory is not DEFAULT.memory:
        limit_bytes, of_machine = _memory_limit(worker, container)
        since_s = next((since for since, used in program.memory if used > limit_bytes), None)
        if since_s is not None:
            words = _last_words(container, program, since_s)
            ends.append(End(started + since_s, SIGKILLED, "OOMKilled", words, of_machine))
    return min(ends, key=lambda end: end.at_s) if ends else None


def _memory_limit(worker: Worker, container: Object) -> tuple[int, bool]:
    """(bytes that a container may use, whether that is because the machine has no more)."""
    of_machine = usage.capacity(worker.node, "MemoryPressure") - SYSTEM_MEMORY
    for resources in (container.get("resources"), worker.spec.get("resources")):
        limit = ((resources or {}).get("limits") or {}).get("memory")
        if limit is not None:
            return min(quantity.value(limit), of_machine), quantity.value(limit) > of_machine
    return of_machine, True


def _tell_of_machine(worker: Worker, container: Object) -> None:
    """The kernel has killed a process for want of memory of the machine: an event of the node.

    Source: pkg/kubelet/oom/oom_watcher_linux.go.
    """
    argv = container.get("command") or [names.repository(container["image"])]
    victim = argv[0].rpartition("/")[2][:15]  # as the kernel names it
    pid = 1000 + worker.clock.token("pid", worker.meta["uid"], container["name"]) % 30_000
    told = f"System OOM encountered, victim process: {victim}, pid: {pid}"
    host = worker.node["metadata"]["name"]
    worker.actions.append(Record(worker.node, "Warning", "SystemOOM", told, COMPONENT, host))


def _last_words(container: Object, program: Behaviour, second: int) -> str:
    """The end of the log as a termination message, where the container asks for that."""
    if container.get("terminationMessagePolicy") != "FallbackToLogsOnError":
        return ""
    written = [line for since, line in program.log if since <= second]
    return "".join(f"{line}\n" for line in written[-LOG_LINES:])[-LOG_BYTES:]


def stopping(worker: Worker, container: Object, record: Object, message: str, grace_s: int | None = None) -> Object:
    """Send SIGTERM: the container ends when its program has stopped, or with SIGKILL after the grace period."""
    worker.event("Normal", "Killing", message, container)
    grace_s = worker_grace_s(worker) if grace_s is None else grace_s
    until, code = stop(worker, container, worker.now, grace_s)
    return tell_of_hook(worker, container, {**record, "state": "stopping", "until": until, "code": code}, grace_s, 0)


def tell_of_hook(worker: Worker, container: Object, record: Object, grace_s: int, passed_s: int) -> Object:
    """Record that the preStop hook has failed, once; a hook that is cut off by the grace period is not told of."""
    hook = hooks.run(worker, container, "preStop")
    if not hook.problem or hook.took_s > min(grace_s, passed_s) or "told" in record:
        return record
    worker.event("Warning", "FailedPreStopHook", "PreStopHook failed", container)
    return {**record, "told": True}


def worker_grace_s(worker: Worker) -> int:
    found = worker.spec.get("terminationGracePeriodSeconds")
    return 30 if found is None else int(found)


def stop(worker: Worker, container: Object, since: int, grace_s: int) -> tuple[int, int]:
    """When a container that is told to stop at `since` ends, and with which code.

    The preStop hook runs first, within the grace period; SIGTERM then leaves the rest of it, at least 2 s.
    A hook of 20 s and a program that needs 15 s, in 30 s of grace: SIGTERM at 20, SIGKILL at 30, code 137.
    """
    program = worker.behaviour(container)
    hook_s = min(hooks.run(worker, container, "preStop").took_s, grace_s)
    rest_s = max(grace_s - hook_s, 2) if hook_s else grace_s
    if program.stop_s is not None and program.stop_s <= rest_s:
        return since + hook_s + program.stop_s, program.stop_code
    return since + hook_s + rest_s, SIGKILLED


def _stopping(worker: Worker, container: Object, record: Object) -> Object | None:
    if worker.now < record["until"]:
        worker.wake(record["until"], background=record["restarts"] > 0)
        return None
    return ended(worker, container, record, record["code"], record["until"])


def ended(
    worker: Worker, container: Object, record: Object, code: int, at_s: int, reason: str = "", message: str = ""
) -> Object:
    """The container's end, and what comes next: nothing, a start at once, or a wait."""
    last: Object = {
        "containerID": record["id"],
        "exitCode": code,
        "finishedAt": timestamp(at_s),
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "startedAt": timestamp(record["started"]),
    }
    if message:
        last["message"] = message
    dropped = ("probes", "until", "code", "started", "end", "hook", "killed", "told", "level")
    kept: Object = {key: value for key, value in record.items() if key not in dropped}
    if "last" in kept:
        kept["previous"] = kept["last"]
    after: Object = {**kept, "last": last, "ended": at_s}
    if not (worker.memory.get("killed") or record.get("killed")) and _rule(container, code) == RESTART_ALL:
        worker.memory = {**worker.memory, "restarting": worker.now}
        return {**after, "state": "done"}
    if worker.memory.get("killed") or record.get("killed") or not _should_restart(worker, container, code):
        return {**after, "state": "done"}
    delay_s = restarts.delay_s(record.get("backoff", 0), record.get("backoff_at", 0), at_s)
    if at_s + delay_s <= worker.now:
        return _begin(worker, container, after)
    message = f"Back-off restarting failed container {container['name']} in pod {worker.full_name()}"
    worker.event("Warning", "BackOff", message, container)
    text = f"back-off {duration.go(delay_s)} restarting failed container={container['name']} pod={worker.full_name()}"
    return {**after, "state": "crashloop", "until": at_s + delay_s, "message": text}


def _should_restart(worker: Worker, container: Object, code: int) -> bool:
    """By the first of the container's own rules that fits the exit code, else by its policy."""
    return bool(_rule(container, code)) or restarts.should_restart(policy(worker, container), code)


def _rule(container: Object, code: int) -> str:
    """The action of the container's first rule that fits an exit code; '' if none does."""
    for rule in container.get("restartPolicyRules") or ():
        wanted = rule.get("exitCodes") or {}
        if (code in (wanted.get("values") or ())) == (wanted.get("operator") == "In"):
            return str(rule.get("action") or "Restart")
    return ""


def may_restart_all(container: Object) -> bool:
    """Whether an exit of the container can start the whole pod anew."""
    return any(rule.get("action") == RESTART_ALL for rule in container.get("restartPolicyRules") or ())


def kill_at_once(worker: Worker, container: Object) -> None:
    """SIGKILL without a hook or a grace period: all containers start anew. What it leaves may begin again."""
    record = worker.records.get(container["name"])
    if record is None:
        return
    if record["state"] in ("starting", "running", "stopping"):
        record = ended(worker, container, {**record, "killed": True}, SIGKILLED, worker.now)
    worker.records[container["name"]] = {**record, "state": "anew"} if "last" in record else UNSTARTED


def _anew(worker: Worker, container: Object, record: Object) -> Object:
    return _begin(
        worker, container, {key: value for key, value in record.items() if key not in ("backoff", "backoff_at")}
    )


def policy(worker: Worker, container: Object) -> str:
    """The container's own restart policy, else the pod's; init containers that must end are not started again after
    a success."""
    own = container.get("restartPolicy")
    if own:
        return str(own)
    if worker.ephemerals and any(container is one for one in worker.ephemerals):
        return "Never"
    of_pod = str(worker.spec.get("restartPolicy", "Always"))
    return "OnFailure" if of_pod == "Always" and worker.is_init(container) else of_pod


def _crashloop(worker: Worker, container: Object, record: Object) -> Object | None:
    if worker.now < record["until"] and container["image"] == record["image"]:
        worker.wake(record["until"], background=True)
        return None
    kept = {key: value for key, value in record.items() if key != "message"}
    return _begin(worker, container, kept)


def _done(worker: Worker, container: Object, record: Object) -> Object | None:
    return None


STATES: dict[str, Callable[[Worker, Any, Any], Any]] = {
    "": _begin,
    "pulling": _pulling,
    "pull-failed": _pull_failed,
    "pull-backoff": _pull_backoff,
    "refused": _refused,
    "config-error": _config_error,
    "create-error": _create_error,
    "creating": _creating,
    "starting": _starting,
    "running": _running,
    "stopping": _stopping,
    "crashloop": _crashloop,
    "done": _done,
    "anew": _anew,
}


def is_started(container: Object, record: Object) -> bool:
    """Running, and past its startup probe."""
    if record["state"] not in ("running", "stopping"):
        return False
    return probes.passed(record, "startupProbe")


def is_ready(container: Object, record: Object) -> bool:
    return is_started(container, record) and probes.passed(record, "readinessProbe")


def has_succeeded(record: Object) -> bool:
    return bool(record["state"] == "done" and record["last"]["exitCode"] == 0)


def lets_next_begin(container: Object, record: Object) -> bool:
    """Whether the init container behind this one may begin."""
    return is_started(container, record) if pods.is_sidecar(container) else has_succeeded(record)
