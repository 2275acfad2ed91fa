"""`kubectl logs` (pkg/cmd/logs/logs.go, pkg/polymorphichelpers/logsforobject.go).

With -f virtual time passes until the containers have ended, at most --request-timeout (one minute unless given).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base.clock import seconds
from minikube_py.base.errors import BadRequest, KpyError, NotFound, UsageError
from minikube_py.cli import containers

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

EXPECTED = """expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command"""
SELECTOR_TAIL = 10
FOLLOWED_S = 60


class Stream(NamedTuple):
    """The log of one container of one pod."""

    pod: Object
    container: Object


def run(call: Call) -> None:
    selector, args = call.text("selector"), call.args
    if (not args and not selector) or len(args) > 2:
        raise call.usage(EXPECTED)
    if len(args) == 1 and selector:
        raise call.usage("only a selector (-l) or a POD name is allowed")
    since_s = _since_s(call)
    name = args[1] if len(args) == 2 else call.text("container")
    pods = _listed(call, selector) if selector else None
    item = None if selector else _found(call, args[0])
    _check(call, name)
    if pods is None:
        assert item is not None
        pods = _pods(call, item)
    streams = [stream for pod in pods for stream in _streams(call, pod, name)]
    if call.on("follow"):
        _follow(call, streams)
    for stream in streams:
        try:
            call.say(_text(call, stream, since_s))
        except KpyError as error:
            if not call.on("ignore-errors"):
                raise
            call.say(f"error: {error}\n")


def _since_s(call: Call) -> int:
    """The second from which on lines are shown."""
    given = call.text("since-time")
    if given:
        try:
            return seconds(given)
        except (ValueError, IndexError, KeyError):
            raise UsageError(
                f'parsing time "{given}" as "2006-01-02T15:04:05Z07:00": cannot parse "{given}" as "2006"'
            ) from None
    since = call.seconds("since")
    return call.now_s - int(since + 0.5) if since else 0


def _check(call: Call, name: str) -> None:
    """LogsOptions.Validate."""
    if call.text("since-time") and call.seconds("since"):
        raise UsageError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if call.on("all-containers") and name:
        raise UsageError(f"--all-containers=true should not be specified with container name {name}")
    if call.changed("container") and len(call.args) == 2:
        raise UsageError("only one of -c or an inline [CONTAINER] arg is allowed")
    if call.number("limit-bytes") < 0:
        raise UsageError("--limit-bytes must be greater than 0")
    if call.seconds("since") < 0:
        raise UsageError("--since must be greater than 0")
    if call.number("tail") < -1:
        raise UsageError("--tail must be greater than or equal to -1")


def _found(call: Call, word: str) -> Any:
    try:
        return containers.target(call, [word])
    except NotFound as error:
        raise UsageError(f'error from server (NotFound): {error} in namespace "{call.namespace}"') from None


def _listed(call: Call, selector: str) -> list[Object]:
    pods = call.cluster.list("pods", call.namespace, labels=selector)
    if not pods:
        call.complain(f"No resources found in {call.namespace} namespace.")
    return pods


def _pods(call: Call, item: Any) -> list[Object]:
    pod, count = containers.pod_of(call, item, "get the logs from", containers.by_logging)
    if count > 1 and call.on("all-pods"):
        labels = item.object["spec"]["selector"]
        from minikube_py.base import selector

        matching = labels.get("matchLabels") is not None or "matchExpressions" in labels
        wanted = selector.from_label_selector(labels) if matching else selector.from_map(labels)
        listed = call.cluster.list("pods", item.namespace)
        return [one for one in listed if wanted.matches(one["metadata"].get("labels") or {})]
    if count > 1:
        call.complain(f"Found {count} pods, using pod/{pod['metadata']['name']}")
    return [pod]


def _streams(call: Call, pod: Object, name: str) -> list[Stream]:
    if call.on("all-containers"):
        order = ("initContainers", "containers", "ephemeralContainers")
        return [Stream(pod, one) for listed in order for one in pod["spec"].get(listed) or ()]
    wanted = (pod["metadata"].get("annotations") or {}).get(containers.DEFAULT_CONTAINER, "")
    if not name and wanted and containers.find(pod, wanted) is None:
        call.complain(f'Default container name "{wanted}" not found in pod {pod["metadata"]["name"]}')
        name = str(pod["spec"]["containers"][0]["name"])
    return [Stream(pod, containers.chosen(call, pod, name, quiet=call.on("all-pods")))]


def _follow(call: Call, streams: list[Stream]) -> None:
    """Let time pass until the containers have ended."""
    most = call.number("max-log-requests")
    if len(streams) > 1 and len(streams) > most:
        raise UsageError(
            f"you are attempting to follow {len(streams)} log streams, but maximum allowed concurrency is {most}, "
            "use --max-log-requests to increase the limit"
        )
    for index, (pod, container) in enumerate(streams):
        first = containers.status_of(pod, container["name"]) or {}
        number = first.get("restartCount", 0)

        def ended(pod: Object = pod, name: str = container["name"], number: int = number) -> bool:
            now = _again(call, pod)
            entry = containers.status_of(now, name) if now is not None else {}
            if entry is None:
                return False
            return "terminated" in (entry.get("state") or {}) or entry.get("restartCount", 0) > number or not entry

        limit = call.text("request-timeout")
        limit_s = FOLLOWED_S if limit in ("", "0") else int(_duration(limit))
        call.cluster.run_until(ended, limit_s)
        streams[index] = Stream(_again(call, pod) or pod, container)


def _duration(text: str) -> float:
    from minikube_py.base.duration import parse_go

    try:
        return float(text) if text.isdigit() else parse_go(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _again(call: Call, pod: Object) -> Object | None:
    try:
        return containers.pod_named(call, pod["metadata"]["name"], pod["metadata"]["namespace"])
    except NotFound:
        return None


def _text(call: Call, stream: Stream, since_s: int) -> str:
    """What one request for a log answers. Raises BadRequest in the kubelet's words."""
    from minikube_py.programs import logs

    pod, container = stream
    name, previous = container["name"], call.on("previous")
    meta = pod["metadata"]
    call.cluster.authorize("get", call.registry.resource("pods"), meta["namespace"], meta["name"], "log")
    if not pod["spec"].get("nodeName"):
        return ""  # the API server has nobody to ask
    call.cluster.check_node(pod, f"containerLogs/{pod['metadata']['namespace']}/{pod['metadata']['name']}/{name}")
    problem = logs.problem(name, pod, previous)
    if problem:
        raise BadRequest(problem)
    found = logs.lines(container, pod, call.cluster.view, call.cluster.clock, previous)
    tail = call.number("tail")
    if tail == -1 and call.text("selector") and not call.changed("tail"):
        tail = SELECTOR_TAIL
    texts = logs.told(
        found, since_s=since_s, tail=tail, stamped=call.on("timestamps"), limit=call.number("limit-bytes")
    )
    if call.on("prefix") or call.on("all-pods"):
        texts = [f"[pod/{pod['metadata']['name']}/{name}] {text}" for text in texts]
    return "".join(texts)
