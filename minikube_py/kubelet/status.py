"""A pod's status, computed from the records of its containers.

Sources: pkg/kubelet/kubelet_pods.go (getPhase, generateAPIPodStatus, convertToAPIContainerStatuses),
pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.kubelet import containers, restarts
from minikube_py.kubelet.worker import timestamp
from minikube_py.programs import images

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker

WAITING = {
    "pull-failed": "ErrImagePull",
    "pull-backoff": "ImagePullBackOff",
    "config-error": "CreateContainerConfigError",
    "create-error": "CreateContainerError",
    "crashloop": "CrashLoopBackOff",
}
AGAIN = ("pulling", "creating", "anew")  # on the way to the next start
PENDING = "PodResizePending"
IN_PROGRESS = "PodResizeInProgress"
RESTARTING = "AllContainersRestarting"
OWN_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")

# (status, reason, message) of a condition
TRUE = ("True", "", "")
FALSE = ("False", "", "")


def build(worker: Worker) -> Object:
    """The whole status as the kubelet would report it now; unchanged conditions stay the same objects."""
    old: Object = worker.pod.get("status") or {}
    has_sandbox = bool(worker.memory.get("ip"))
    inits = [_container(worker, container, True) for container in worker.inits]
    mains = [_container(worker, container, False) for container in _by_name(worker.containers)]
    phase = worker.memory.get("phase") or _phase(worker)
    status = {**old, "phase": phase}
    status["observedGeneration"] = worker.meta.get("generation", 1)
    status["conditions"] = _conditions(worker, old.get("conditions") or [], phase, has_sandbox)
    status["hostIP"] = worker.memory["host"]
    status["hostIPs"] = worker.all_of("host")
    if has_sandbox:
        status["podIP"] = worker.memory["ip"]
        status["podIPs"] = worker.all_of("ip")
    status["startTime"] = old.get("startTime") or timestamp(worker.memory["started"])
    if inits:
        status["initContainerStatuses"] = inits
    status["containerStatuses"] = mains
    if worker.ephemerals:
        status["ephemeralContainerStatuses"] = [
            _ephemeral(worker, container) for container in _by_name(worker.ephemerals)
        ]
    for field in ("reason", "message"):
        if worker.memory.get(field):
            status[field] = worker.memory[field]
    return status


def _by_name(listed: list[Object]) -> list[Object]:
    """Statuses of regular and ephemeral containers come in the order of names (kubelet/types, SortedContainerStatuses)."""
    return sorted(listed, key=lambda container: str(container["name"])) if len(listed) > 1 else listed


def changes(old: Object, new: Object) -> Object:
    """The fields of the status that differ (every list is replaced whole)."""
    return {field: value for field, value in new.items() if old.get(field) != value}


def _container(worker: Worker, container: Object, is_init: bool) -> Object:
    record = worker.records.get(container["name"]) or containers.UNSTARTED
    state, last = _state(worker, record, is_init)
    is_running = record["state"] in ("running", "stopping")
    if is_init and not pods.is_sidecar(container):
        ready = containers.has_succeeded(record)
    else:
        ready = is_running and containers.is_ready(container, record)
    has_image = "id" in record and (record["state"] != "starting" or "last" in record)
    found: Object = {
        "containerID": record["id"] if has_image else "",
        "image": images.full_name(record["image"]) if has_image else container["image"],
        "imageID": images.image_id(record["image"]) if has_image else "",
        "lastState": last,
        "name": container["name"],
        "ready": ready,
        "restartCount": record["restarts"],
        "started": is_running and containers.is_started(container, record),
        "state": state,
    }
    if not found["containerID"]:
        del found["containerID"]
    if is_running:
        resources: Object = worker.applied.get(container["name"]) or container.get("resources") or {}
        if resources.get("requests"):
            found["allocatedResources"] = resources["requests"]
        found["resources"] = resources
        found["user"] = {"linux": _user(worker, container)}
    mounts = container.get("volumeMounts")
    if mounts:
        found["volumeMounts"] = [_mount(mount) for mount in mounts]
    return found


def _ephemeral(worker: Worker, container: Object) -> Object:
    """An ephemeral container is never ready nor started, and has no resources of its own."""
    found = _container(worker, container, False)
    kept = {key: value for key, value in found.items() if key != "allocatedResources"}
    return {**kept, "ready": False, "started": False} if "resources" not in kept else {**kept, "ready": False}


def _state(worker: Worker, record: Object, is_init: bool) -> tuple[Object, Object]:
    """(state, lastState) of a container."""
    name, last = record["state"], record.get("last")
    if name in ("running", "stopping"):
        return {"running": {"startedAt": timestamp(record["started"])}}, {"terminated": last} if last else {}
    waiting = record.get("reason") if name == "refused" else WAITING.get(name)
    if waiting:
        told: Object = {"reason": waiting}
        message = record.get("message", "")
        if name == "pull-backoff":
            message = f'Back-off pulling image "{record["image"]}": ErrImagePull: {message}'
        if message:
            told = {"message": message, **told}
        return {"waiting": told}, {"terminated": last} if last else {}
    if "failed" in record and name in AGAIN:
        reason, message = record["failed"]
        return {"waiting": {"message": message, "reason": reason}}, {"terminated": last} if last else {}
    if last and last.get("reason") == "StartError" and name in AGAIN:
        return {"waiting": {"message": last.get("message", ""), "reason": "RunContainerError"}}, {"terminated": last}
    if last:  # over, or on the way to its next start
        previous = record.get("previous")
        return {"terminated": last}, {"terminated": previous} if previous else {}
    reason = "PodInitializing" if worker.inits and (not is_init or worker.memory.get("ip")) else "ContainerCreating"
    return {"waiting": {"reason": reason}}, {}


def _mount(mount: Object) -> Object:
    found = {"mountPath": mount["mountPath"], "name": mount["name"]}
    if mount.get("readOnly"):
        return {**found, "readOnly": True, "recursiveReadOnly": "Disabled"}
    return found


def _user(worker: Worker, container: Object) -> Object:
    """The identity of the first process: the container's security context over the pod's; root by default."""
    of_pod = worker.spec.get("securityContext") or {}
    own = container.get("securityContext") or {}
    uid, gid = own.get("runAsUser", of_pod.get("runAsUser", 0)), own.get("runAsGroup", of_pod.get("runAsGroup", 0))
    groups = [gid, *([of_pod["fsGroup"]] if "fsGroup" in of_pod else ()), *(of_pod.get("supplementalGroups") or ())]
    return {"gid": gid, "supplementalGroups": list(dict.fromkeys(groups)), "uid": uid}


def _phase(worker: Worker) -> str:
    """getPhase: Pending until all have begun, Running while one runs or will be restarted, else how they ended."""
    policy = worker.spec.get("restartPolicy", "Always")
    for container in worker.inits:
        record = worker.records.get(container["name"]) or containers.UNSTARTED
        if record["state"] == "done" and record["last"]["exitCode"] and not pods.is_sidecar(container):
            return "Failed"
        if not _has_begun_after(worker, container, record):
            return "Pending"
    running = stopped = succeeded = 0
    for container in worker.containers:
        record = worker.records.get(container["name"]) or containers.UNSTARTED
        if record["state"] in ("running", "stopping"):
            running += 1
        elif "last" in record:
            stopped += 1
            succeeded += record["last"]["exitCode"] == 0
        else:
            return "Pending"
    if running:
        return "Running"
    if any(_will_restart(worker, container) for container in worker.containers):
        return "Running"
    if any(pods.is_sidecar(container) and _is_running(worker, container) for container in worker.inits):
        return "Running"
    if stopped == succeeded:
        return "Succeeded"
    return "Failed" if policy != "OnFailure" or worker.memory.get("killed") else "Running"


def _has_begun_after(worker: Worker, container: Object, record: Object) -> bool:
    """Whether the init container no longer holds the others back (or held them back only after they had begun)."""
    if containers.lets_next_begin(container, record):
        return True
    if pods.is_sidecar(container) and worker.memory.get("killed"):
        return True
    return any("id" in worker.records.get(main["name"], containers.UNSTARTED) for main in worker.containers)


def _is_running(worker: Worker, container: Object) -> bool:
    return (worker.records.get(container["name"]) or containers.UNSTARTED)["state"] in ("running", "stopping")


def _will_restart(worker: Worker, container: Object) -> bool:
    record = worker.records[container["name"]]
    if worker.memory.get("killed"):
        return False
    return record["state"] != "done" or restarts.should_restart(
        containers.policy(worker, container), record["last"]["exitCode"]
    )


def _conditions(worker: Worker, old: list[Object], phase: str, has_sandbox: bool) -> list[Object]:
    ready = _containers_ready(worker, phase)
    told = (
        TRUE if has_sandbox and phase not in ("Succeeded", "Failed") else FALSE,
        _initialized(worker, phase) if worker.inits or phase == "Succeeded" else TRUE,
        ready if ready is not TRUE else _gates(worker, old),
        ready,
        TRUE,
    )
    before = {condition["type"]: condition for condition in old}
    generation, now = worker.meta.get("generation", 1), worker.now
    built = [
        _condition(name, answer, before.pop(name, None), generation, now)
        for name, answer in zip(OWN_CONDITIONS, told, strict=True)
    ]
    if any(map(containers.may_restart_all, [*worker.inits, *worker.containers])):
        answer = _restarting(worker, phase)
        built.append(_condition(RESTARTING, answer, before.pop(RESTARTING, None), generation, now))
    pending = worker.memory.get("resize")
    former = before.pop(PENDING, None)
    if pending:
        built.append(_condition(PENDING, ("True", *pending), former, generation, now))
    if "resizing" in worker.memory:
        former = before.pop(IN_PROGRESS, None)
        built.append(_condition(IN_PROGRESS, TRUE, former, worker.memory["resizing"], now))
    else:
        before.pop(IN_PROGRESS, None)
    return built + list(before.values()) if before else built


def _restarting(worker: Worker, phase: str) -> tuple[str, str, str]:
    """AllContainersRestarting, which only pods have in which a container's exit can start all anew."""
    if phase in ("Succeeded", "Failed"):
        return "False", "PodCompleted" if phase == "Succeeded" else "PodFailed", ""
    return TRUE if "restarting" in worker.memory else FALSE


def _condition(name: str, told: tuple[str, str, str], old: Object | None, generation: int, now: int) -> Object:
    status, reason, message = told
    since = timestamp(now)
    if old is not None and old.get("status") == status:
        if name == "PodScheduled" or (old.get("reason", "") == reason and old.get("message", "") == message):
            return old
        since = old["lastTransitionTime"]
    found: Object = {"lastProbeTime": None, "lastTransitionTime": since}
    if message:
        found["message"] = message
    found["observedGeneration"] = generation
    if reason:
        found["reason"] = reason
    return {**found, "status": status, "type": name}


def _initialized(worker: Worker, phase: str) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return "True", "PodCompleted", ""
    if any("id" in worker.records.get(main["name"], containers.UNSTARTED) for main in worker.containers):
        return TRUE
    incomplete = [
        container["name"]
        for container in worker.inits
        if not containers.lets_next_begin(container, worker.records.get(container["name"]) or containers.UNSTARTED)
    ]
    if not incomplete:
        return TRUE
    return "False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(incomplete)}]"


def _containers_ready(worker: Worker, phase: str) -> tuple[str, str, str]:
    if phase in ("Succeeded", "Failed"):
        return "False", "PodCompleted" if phase == "Succeeded" else "PodFailed", ""
    listed = [*filter(pods.is_sidecar, worker.inits), *worker.containers] if worker.inits else worker.containers
    unready = [
        container["name"]
        for container in listed
        if not containers.is_ready(container, worker.records.get(container["name"]) or containers.UNSTARTED)
    ]
    if not unready:
        return TRUE
    return "False", "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"


def _gates(worker: Worker, old: list[Object]) -> tuple[str, str, str]:
    """The pod's readiness gates, once its containers are ready."""
    messages = []
    for gate in worker.spec.get("readinessGates") or ():
        name = gate["conditionType"]
        found = next((condition for condition in old if condition["type"] == name), None)
        if found is None:
            messages.append(f'corresponding condition of pod readiness gate "{name}" does not exist.')
        elif found.get("status") != "True":
            messages.append(f'the status of pod readiness gate "{name}" is not "True", but {found.get("status")}')
    return ("False", "ReadinessGatesNotReady", ", ".join(messages)) if messages else TRUE
