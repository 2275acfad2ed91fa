"""Objects of kind Program: what the program in matching containers does.

    apiVersion: sim.kpy.dev/v1alpha1
    kind: Program
    metadata: {name: slow-web, namespace: default}
    spec:
      match:                        # all given must match; {} matches every container of the namespace
        image: "nginx:*"            # a glob over the image as written in the pod
        container: web              # a glob over the container's name
        selector: {matchLabels: {app: web}}
      pull: {after: 20s, error: "...", sizeBytes: 52428800}
      create: {after: 1s, error: "exec: ..."}   # from Created to Started; error: the runtime cannot start it
      # with `reason: CreateContainerError` it refuses to make it at all
      start: {after: 30s}           # from Started to listening
      ports: [8080]                 # where it listens; without it wherever it is asked
      http: [{path: /healthz, port: 8080, over: [{after: 0s, status: 200}, {after: 1m, status: 500}]}]
      tcp:  [{port: 5432, over: [{after: 10s, open: true}]}]
      grpc: [{port: 9000, service: "", over: [{after: 0s, status: SERVING}]}]
      exec: [{command: "cat *", over: [{after: 30s, code: 1, output: "gone"}]}]
      exit: {after: 10s, code: 1, message: "out of luck"}
      sigterm: {after: 3s, code: 143}           # or {ignore: true}
      cpu: 200m                     # or [{after: 0s, value: 50m}, {after: 1m, value: "1"}]
      memory: 64Mi                  # likewise
      disk: 1Gi                     # likewise: what it has written into its own files
      requests: {cpu: 2m, memory: 1Mi, latency: 20ms, perSecond: 100}   # what one request costs and how many it bears
      logs: [{after: 0s, text: "listening on 8080"}]

Times are seconds since the container started, as whole numbers or durations ('90', '90s', '1m30s'); fractions of a
second are rounded up, but for `requests.latency`. An HTTP status 0 means no answer in time. Where several Programs match,
the one that says more in `match` counts field by field before the others, then the first by name.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from minikube_py.api.simulator import time_s
from minikube_py.base import quantity, selector
from minikube_py.programs.behaviour import Answer, Behaviour, Course

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object, Objects


def amend(base: Behaviour, container: Object, pod: Object, found: Objects) -> Behaviour:
    """`base` with what the matching Programs say, the most specific last, so that it counts."""
    matching = [program for program in found if matches(program, container, pod)]
    for program in sorted(matching, key=lambda program: (_weight(program), _reversed(program["metadata"]["name"]))):
        base = _with(base, program.get("spec") or {})
    return base


def _weight(program: Object) -> int:
    """How much a match says: a container or an image without wildcard more than a glob, a selector in between."""
    match = (program.get("spec") or {}).get("match") or {}
    image, name = match.get("image", ""), match.get("container", "")
    return (2 if image and "*" not in image else bool(image)) + 2 * bool(name) + 3 * bool(match.get("selector"))


def _reversed(name: str) -> tuple[int, ...]:
    """Sorts names backwards: the first by name is applied last."""
    return tuple(-ord(letter) for letter in name)


def matches(program: Object, container: Object, pod: Object) -> bool:
    """Whether a Program is about this container of this pod (of its namespace)."""
    match = (program.get("spec") or {}).get("match") or {}
    if match.get("image") and not fnmatchcase(container.get("image", ""), match["image"]):
        return False
    if match.get("container") and not fnmatchcase(container["name"], match["container"]):
        return False
    wanted = match.get("selector")
    return not wanted or selector.from_label_selector(wanted).matches(pod["metadata"].get("labels") or {})


def _with(base: Behaviour, spec: Object) -> Behaviour:
    changed: dict[str, Any] = {}
    for part, apply in _APPLY.items():
        if part in spec:
            changed |= apply(spec[part] or {})
    return base._replace(**changed)


BYTES_EACH_S = 70 << 20  # of an image that are pulled in a second


def _pull(part: Object) -> dict[str, Any]:
    """An image whose size alone is given takes a second, and one more for each 70 MiB."""
    given = _given(part, after=("pull_s", time_s), error=("pull_error", str), sizeBytes=("image_size", int))
    if "sizeBytes" in part and "after" not in part:
        given["pull_s"] = 1 + int(part["sizeBytes"]) // BYTES_EACH_S
    return given


def _create(part: Object) -> dict[str, Any]:
    stage = "create_error" if part.get("reason") == "CreateContainerError" else "start_error"
    return _given(part, after=("create_s", time_s), error=(stage, str))


def _exit(part: Object) -> dict[str, Any]:
    if not part:
        return {"exit_after_s": None}
    return {
        "exit_after_s": time_s(part.get("after", 0)),
        "exit_code": int(part.get("code", 0)),
        "exit_message": part.get("message", ""),
    }


def _sigterm(part: Object) -> dict[str, Any]:
    if part.get("ignore"):
        return {"stop_s": None, "stop_code": 137}
    return {"stop_s": time_s(part.get("after", 0)), "stop_code": int(part.get("code", 0))}


def _given(part: Object, **fields: tuple[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {target: convert(part[name]) for name, (target, convert) in fields.items() if name in part}


def _rules(name: str, what: str, values: Callable[[Object], Any]) -> Callable[[Any], dict[str, Any]]:
    """Reads the rules of one list into {name: (Answer, ...)}; a rule without `over` is its own only entry."""

    def read(part: Any) -> dict[str, Any]:
        found = []
        for rule in part or ():
            entries = rule.get("over") or [rule]
            course = tuple(sorted((time_s(entry.get("after", 0)), values(entry)) for entry in entries))
            found.append(Answer(str(rule.get(what) or "*"), int(rule.get("port", 0)), course))
        return {name: tuple(found)}

    return read


def _course(name: str, convert: Callable[[Any], int]) -> Callable[[Any], dict[str, Any]]:
    def read(part: Any) -> dict[str, Any]:
        entries = part if isinstance(part, list) else [{"value": part}]
        course: Course = tuple(sorted((time_s(entry.get("after", 0)), convert(entry["value"])) for entry in entries))
        return {name: course}

    return read


def _logs(part: Any) -> dict[str, Any]:
    return {"log": tuple(sorted((time_s(entry.get("after", 0)), entry.get("text", "")) for entry in part or ()))}


_APPLY: dict[str, Callable[[Any], dict[str, Any]]] = {
    "pull": _pull,
    "create": _create,
    "start": lambda part: _given(part, after=("start_s", time_s)),
    "ports": lambda part: {"ports": tuple(int(port) for port in part)},
    "http": _rules("http", "path", lambda entry: int(entry.get("status", 200))),
    "tcp": _rules("tcp", "", lambda entry: bool(entry.get("open", True))),
    "grpc": _rules("grpc", "service", lambda entry: entry.get("status", "SERVING")),
    "exec": _rules("exec", "command", lambda entry: (int(entry.get("code", 0)), entry.get("output", ""))),
    "exit": _exit,
    "sigterm": _sigterm,
    "cpu": _course("cpu_m", quantity.milli),
    "memory": _course("memory", quantity.value),
    "disk": _course("disk", quantity.value),
    "requests": lambda part: {"requests": part},
    "logs": _logs,
}
