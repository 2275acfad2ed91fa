"""What the program in a container does: data, chosen from the most to the least specific source.

1. objects of kind Program that match the image, the pod or the container (`program.py`);
2. the container's own command, when it is a shell script or a common tool, in virtual time (`shell.py`);
3. the catalogue of well-known images (`catalogue.py`);
4. the default: pulls in 2 s, starts in 1 s, serves its ports, answers every probe, runs for ever; in a Job ends with 0
   after 5 s.

A `Behaviour` is a pure function of the container, its pod and the Programs of the namespace; all its times are whole
seconds since the start of the container. The kubelet asks it; nothing here writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.programs.shell import Shell
    from minikube_py.programs.tape import Tape

# (since when, value): the value holds from that second on, until the next entry.
Course: TypeAlias = "tuple[tuple[int, Any], ...]"

JOB_RUNS_S = 5
INIT_RUNS_S = 1
IMAGE_SIZE = 72_195_292  # bytes: what an image weighs that nobody described


class Answer(NamedTuple):
    """How one thing that can be asked answers over time: an HTTP path, a TCP port, a gRPC service, an exec command.

    `course` values: HTTP a status code (0: no answer in time), TCP True or False, gRPC 'SERVING' or 'NOT_SERVING',
    exec (exit code, output).
    """

    what: str  # a path, service or command; a glob ('*' matches all)
    port: int  # 0: any port
    course: Course


class Behaviour(NamedTuple):
    """All that the kubelet, the network and the printers may ask about a program."""

    pull_s: int = 2
    pull_error: str = ""
    image_size: int = IMAGE_SIZE
    create_s: int = 1  # from 'Created' to 'Started'
    start_s: int = 0  # from 'Started' to listening
    ports: tuple[int, ...] | None = None  # None: listens wherever it is asked
    http: tuple[Answer, ...] = ()
    tcp: tuple[Answer, ...] = ()
    grpc: tuple[Answer, ...] = ()
    exec: tuple[Answer, ...] = ()
    exit_after_s: int | None = None  # None: runs for ever
    exit_code: int = 0
    exit_message: str = ""
    stop_s: int | None = 1  # from SIGTERM to the end; None: ignores SIGTERM, so SIGKILL ends it with 137
    stop_code: int = 0
    cpu_m: Course = ((0, 1),)  # millicores
    memory: Course = ((0, 16 << 20),)  # bytes
    disk: Course = ((0, 24 << 10),)  # bytes in its own files and its log
    log: tuple[tuple[int, str], ...] = ()
    shell: Shell | None = None
    start_error: str = ""  # the runtime cannot start it: 'exec: "x": executable file not found in $PATH'
    create_error: str = ""  # the runtime refuses to make the container
    requests: Any = None  # Program's spec.requests: cpu, memory, latency, capacity per request


DEFAULT = Behaviour()
JOB = Behaviour(exit_after_s=JOB_RUNS_S)


def behaviour(container: Object, pod: Object, view: View, clock: Clock, tape: Tape | None = None) -> Behaviour:
    """What `container` of `pod` does, by the Programs in the pod's namespace, its command, its image, or by default.

    `tape`: what the network has answered its script, if the kubelet has just found that out (`programs.tape`).
    """
    base = _without_programs(container, pod, view, tape)
    found = view.list("programs.sim.kpy.dev", pod["metadata"].get("namespace", ""))
    if found:
        from minikube_py.programs import program

        base = program.amend(base, container, pod, found)
    if view.list("faults.sim.kpy.dev"):
        from minikube_py.programs import leaks

        base = leaks.amend(base, container, pod, view, clock.now_s)
    return base


def _without_programs(container: Object, pod: Object, view: View, tape: Tape | None) -> Behaviour:
    from minikube_py.programs import catalogue, tools

    found = catalogue.of(container) or DEFAULT
    if container.get("command") or container.get("args"):
        from minikube_py.programs import shell

        if container.get("stdin") and shell.is_bare(
            (*(container.get("command") or ()), *(container.get("args") or ()))
        ):
            return found._replace(exit_after_s=None, log=())  # a shell that waits for somebody to attach
        scripted = shell.of(container, pod, found, view, tape)
        if scripted is not None:
            return scripted
        # Another program than the image's own, or told to do something: its end is not known.
        argv = (*(container.get("command") or ()), *(container.get("args") or ()))
        found = tools.loaded(argv, container.get("image") or "", found._replace(exit_after_s=None, exit_code=0, log=()))
        problem = tools.missing(container)
        if problem:
            return found._replace(start_error=problem)
    elif container.get("stdin") and found.exit_after_s is not None:  # a shell that waits for its input
        found = found._replace(exit_after_s=None)
    ends_after_s = _ends_after_s(container, pod)
    return found if ends_after_s is None or found.exit_after_s is not None else _ending(found, ends_after_s)


def _ending(found: Behaviour, after_s: int) -> Behaviour:
    return JOB if found is DEFAULT and after_s == JOB_RUNS_S else found._replace(exit_after_s=after_s)


def _ends_after_s(container: Object, pod: Object) -> int | None:
    """When a program that nobody described comes to its end: in init containers and the pods of Jobs; else None."""
    spec = pod["spec"]
    for init in spec.get("initContainers") or ():
        if init["name"] == container["name"]:
            return None if init.get("restartPolicy") == "Always" else INIT_RUNS_S
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("kind") == "Job" and owner.get("controller"):
            return JOB_RUNS_S
    return None


def at(course: Course, second: int) -> Any:
    """The value of a course at a second; None before its first entry."""
    value = None
    for since, entry in course:
        if since > second:
            break
        value = entry
    return value
