"""`kubectl drain` (pkg/cmd/drain/drain.go, pkg/drain/filters.go): cordon, evict, wait until the pods are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import pods as pod_facts
from minikube_py.base.clock import seconds
from minikube_py.base.errors import Forbidden, KpyError, NotFound, TooManyRequests, UsageError
from minikube_py.cli import cordon, failures, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

MIRROR = "kubernetes.io/config.mirror"
DAEMON_SET = "DaemonSet-managed Pods"
LOCAL = "Pods with local storage"
UNMANAGED = "Pods that declare no controller"
RETRY_S = 5  # how long kubectl waits before it tries a refused eviction again


class Verdict(NamedTuple):
    """What drain does with a pod: evict it or not, with a warning or a reason to stop."""

    evict: bool
    warning: str = ""
    fatal: str = ""


def run(call: Call) -> None:
    _check_selector(call)
    found = cordon.nodes(call, "drain")
    failures.raise_all(found.errors)
    with call.transaction():
        for item in found.items:
            cordon.mark(call, item, True)
    errors: list[KpyError] = []
    pending = []
    for item in found.items:
        try:
            _drain(call, item)
        except KpyError as error:
            call.complain(
                f'error: unable to drain node "{item.name}" due to error: {_joined(error)}, continuing command...'
            )
            pending.append(item.name)
            errors.append(error)
            continue
        show.result(call, item, "drained")
    if pending:
        call.complain("There are pending nodes to be drained:\n" + "\n".join(f" {name}" for name in pending))
    if errors:
        raise _Plain(errors)


def _check_selector(call: Call) -> None:
    from minikube_py.base import selector

    if call.args or call.text("selector"):
        try:
            selector.parse(call.text("pod-selector"))
        except selector.SelectorError:
            raise UsageError("--pod-selector=<pod_selector> must be a valid label selector") from None


def _joined(error: KpyError) -> str:
    if isinstance(error, failures.Several):
        return "[" + ", ".join(map(str, error.errors)) + "]"
    return str(error)


class _Plain(failures.Several):
    """Several errors, shown without 'error: ' in front even where it is one: kubectl's aggregate of aggregates."""

    def __init__(self, errors: list[KpyError]) -> None:
        flat: list[KpyError] = []
        for error in errors:
            flat += error.errors if isinstance(error, failures.Several) else [error]
        super().__init__(flat)


def _drain(call: Call, node: Item) -> None:
    chosen: list[Object] = []
    warnings: dict[str, list[str]] = {}
    fatal: dict[str, list[str]] = {}
    pods: list[Object] = call.cluster.view.on_node(node.name)
    for pod in pods:
        verdict = judge(call, pod)
        title = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if verdict.fatal:
            fatal.setdefault(verdict.fatal, []).append(title)
        if verdict.warning:
            warnings.setdefault(verdict.warning, []).append(title)
        if verdict.evict:
            chosen.append(pod)
    failures.raise_all([UsageError(f"cannot delete {text}: {', '.join(names)}") for text, names in fatal.items()])
    if warnings:
        call.warn("; ".join(f"{text}: {', '.join(names)}" for text, names in warnings.items()))
    if call.dry_run != "none":
        for pod in chosen:
            call.line(f"evicting pod {pod['metadata']['namespace']}/{pod['metadata']['name']}{call.dry_run_suffix}")
        return
    _evict_all(call, chosen)


def judge(call: Call, pod: Object) -> Verdict:
    """The filters in kubectl's order; the last warning wins."""
    metadata, finished = pod["metadata"], pod_facts.is_finished(pod)
    skip_s = call.number("skip-wait-for-delete-timeout")
    deleted = metadata.get("deletionTimestamp")
    if skip_s > 0 and deleted and call.now_s - seconds(deleted) > skip_s:
        return Verdict(False)
    owner = next((ref for ref in metadata.get("ownerReferences") or () if ref.get("controller")), None)
    warning = ""
    if owner and owner["kind"] == "DaemonSet" and not finished:
        verdict = _of_daemon_set(call, metadata["namespace"], owner["name"])
        if not verdict.evict:
            return verdict
        warning = verdict.warning
    if MIRROR in (metadata.get("annotations") or {}):
        return Verdict(False)
    if not finished and any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ()):
        if not call.on("delete-emptydir-data"):
            return Verdict(False, fatal=f"{LOCAL} (use --delete-emptydir-data to override)")
        warning = f"deleting {LOCAL}"
    if not finished and owner is None:
        if not call.on("force"):
            return Verdict(False, fatal=f"{UNMANAGED} (use --force to override)")
        warning = f"deleting {UNMANAGED}"
    selector = call.text("pod-selector")
    if selector:
        from minikube_py.base import selector as selectors

        if not selectors.parse(selector).matches(metadata.get("labels") or {}):
            return Verdict(False)
    return Verdict(True, warning)


def _of_daemon_set(call: Call, namespace: str, name: str) -> Verdict:
    try:
        call.cluster.get("daemonsets.apps", name, namespace)
    except NotFound as error:
        return Verdict(True, warning=str(error)) if call.on("force") else Verdict(False, fatal=str(error))
    if not call.on("ignore-daemonsets"):
        return Verdict(False, fatal=f"{DAEMON_SET} (use --ignore-daemonsets to ignore)")
    return Verdict(False, warning=f"ignoring {DAEMON_SET}")


def _evict_all(call: Call, chosen: list[Object]) -> None:
    """Evict; where a disruption budget refuses, let 5 s pass and try again; then wait until the pods are gone."""
    timeout_s = int(call.seconds("timeout"))
    limit_s = call.now_s + timeout_s if timeout_s else None
    waiting = list(chosen)
    while waiting:
        waiting = _evict_once(call, waiting)
        if waiting and limit_s is not None and call.now_s >= limit_s:
            metadata = waiting[0]["metadata"]
            raise UsageError(
                f'error when evicting pods/"{metadata["name"]}" -n "{metadata["namespace"]}": global timeout reached: '
                f"{call.text('timeout')}"
            )
        if waiting:
            call.cluster.reconcile(for_s=RETRY_S)
    left = {pod["metadata"]["uid"]: pod for pod in chosen}

    def gone() -> bool:
        for uid, pod in list(left.items()):
            metadata = pod["metadata"]
            try:
                live = call.cluster.get("pods", metadata["name"], metadata["namespace"])
            except NotFound:
                live = {}
            if (live.get("metadata") or {}).get("uid") != uid:
                call.line(f"pod/{metadata['name']} {'deleted' if call.on('disable-eviction') else 'evicted'}")
                del left[uid]
        return not left

    remaining_s = None if limit_s is None else max(limit_s - call.now_s, 0)
    if not gone() and not call.cluster.run_until(gone, remaining_s):
        metadata = next(iter(left.values()))["metadata"]
        raise UsageError(
            f'error when waiting for pod "{metadata["name"]}" in namespace "{metadata["namespace"]}" to terminate: '
            f"global timeout reached: {call.text('timeout')}"
        )


def _evict_once(call: Call, pods: list[Object]) -> list[Object]:
    """Try each pod; those that a budget protects are given back."""
    grace_s = call.number("grace-period")
    grace = grace_s if grace_s >= 0 else None
    refused = []
    for pod in pods:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        call.line(f"evicting pod {namespace}/{name}")
        try:
            if call.on("disable-eviction"):
                call.cluster.delete("pods", name, namespace, grace_s=grace)
            else:
                call.cluster.evict(name, namespace, grace_s=grace)
        except TooManyRequests as error:
            call.complain(f'error when evicting pods/"{name}" -n "{namespace}" (will retry after {RETRY_S}s): {error}')
            refused.append(pod)
        except NotFound:
            continue
        except Forbidden as error:
            raise UsageError(f'error when evicting pods/"{name}" -n "{namespace}": {error}') from None
    return refused
