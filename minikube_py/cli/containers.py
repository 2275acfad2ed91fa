"""Which pod and which container a command means: `logs`, `exec`, `attach`, `cp` and `debug`.

Sources: kubectl pkg/cmd/util/podcmd/podcmd.go, pkg/polymorphichelpers (attachablepodforobject.go, helpers.go), pkg/util/podutils.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import select

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cli.call import Call

Object = dict[str, Any]

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
LISTS = ("containers", "initContainers", "ephemeralContainers")


def find(pod: Object, name: str) -> tuple[Object, str] | None:
    """(container, 'spec.containers{name}')."""
    for listed in LISTS:
        for container in pod["spec"].get(listed) or ():
            if container["name"] == name:
                return container, f"spec.{listed}{{{name}}}"
    return None


def names(pod: Object) -> str:
    """'web, debugger-x (ephem), setup (init)'."""
    marks = {"containers": "", "ephemeralContainers": " (ephem)", "initContainers": " (init)"}
    return ", ".join(one["name"] + mark for listed, mark in marks.items() for one in pod["spec"].get(listed) or ())


def chosen(call: Call, pod: Object, name: str, *, quiet: bool = False) -> Object:
    """The container of that name, else the pod's default one. Raises UsageError for a name that it does not have."""
    name = name or (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER, "")
    if name:
        found = find(pod, name)
        if found is None:
            raise UsageError(f"container {name} is not valid for pod {pod['metadata']['name']} out of: {names(pod)}")
        return found[0]
    first: Object = pod["spec"]["containers"][0]
    if not quiet and sum(len(pod["spec"].get(listed) or ()) for listed in LISTS) > 1:
        call.complain(f'Defaulted container "{first["name"]}" out of: {names(pod)}')
    return first


def target(call: Call, words: list[str]) -> select.Item:
    """The one object that 'web', 'deploy/web' or ('deploy', 'web') means; a bare word is a pod."""
    args = ["pods", words[0]] if len(words) == 1 and "/" not in words[0] else words
    found = select.find(call, args)
    if found.errors:
        raise found.errors[0]
    return found.items[0]


def pod_of(call: Call, item: select.Item, what: str, better: Callable[[Object], Any]) -> tuple[Object, int]:
    """(the pod to talk to, how many there are). Time passes until there is one, at most --pod-running-timeout.

    `what`: 'attach to' for the error about kinds that have no pods; `better`: a sort key, the smallest is taken.
    """
    if item.kind.resource == "pods":
        return item.object, 1
    labels = _selector(item.object, what)

    def found() -> list[Object]:
        from minikube_py.base import selector

        wanted = selector.from_label_selector(labels) if _is_label_selector(labels) else selector.from_map(labels)
        return [
            pod
            for pod in call.cluster.list("pods", item.namespace)
            if wanted.matches(pod["metadata"].get("labels") or {})
        ]

    if not call.cluster.run_until(lambda: bool(found()), int(call.seconds("pod-running-timeout")) or None):
        raise UsageError("timed out waiting for the condition")
    pods = sorted(found(), key=better)
    return pods[0], len(pods)


def _selector(obj: Object, what: str) -> Object:
    spec = obj.get("spec") or {}
    wanted = spec.get("selector")
    kind = obj["kind"]
    if kind == "Service" and not wanted:
        raise UsageError(f"invalid service '{obj['metadata']['name']}': Service is defined without a selector")
    if not wanted or kind not in (
        "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Deployment", "Job", "Service",
    ):  # fmt: skip
        version = obj["apiVersion"].replace("/", "").replace(".k8s.io", "") if "/" in obj["apiVersion"] else "v1"
        raise UsageError(f"cannot {what} *{version}.{kind}: selector for *{version}.{kind} not implemented")
    found: Object = wanted
    return found


def _is_label_selector(labels: Object) -> bool:
    return "matchLabels" in labels or "matchExpressions" in labels


def by_activity(pod: Object) -> tuple[Any, ...]:
    """The most active pod first: assigned, running, ready, the oldest (the reverse of podutils.ActivePods)."""
    status = pod.get("status") or {}
    phase = {"Running": 0, "Unknown": 1, "Pending": 2}.get(status.get("phase", ""), 3)
    return (not pod["spec"].get("nodeName"), phase, not is_ready(pod), _restarts(pod), _created(pod))


def by_logging(pod: Object) -> tuple[Any, ...]:
    """The pod whose log tells most first (podutils.ByLogging): assigned, running, ready, longest ready."""
    return (*by_activity(pod)[:3], _created(pod), pod["metadata"]["name"])


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _restarts(pod: Object) -> int:
    return max(
        (one.get("restartCount", 0) for one in (pod.get("status") or {}).get("containerStatuses") or ()), default=0
    )


def _created(pod: Object) -> str:
    return str(pod["metadata"].get("creationTimestamp", ""))


def pod_named(call: Call, name: str, namespace: str) -> Object:
    return call.cluster.get("pods", name, namespace)


def status_of(pod: Object, name: str) -> Object | None:
    """The status of a container; None while the kubelet has not written one."""
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(field) or ():
            if entry["name"] == name:
                found: Object = entry
                return found
    return None
