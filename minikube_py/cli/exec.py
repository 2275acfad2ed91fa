"""`kubectl exec` (pkg/cmd/exec/exec.go): a command, or a shell, in a container's simulated files.

What it changes there is kept until the container ends (`minikube_py.programs.commands`). It takes no virtual time.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import InternalError, UsageError
from minikube_py.cli import containers, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.programs.commands import Session

Object = dict[str, Any]

NOT_SUPPORTED = "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead"
NO_TTY = "Unable to use a TTY - input is not a terminal or the right kind of file"


def run(call: Call) -> int:
    dash, args, files = call.parsed.dash, call.args, call.list("filename")
    resource = args[0] if args and dash != 0 else ""
    if dash in (0, 1):
        command = tuple(args[dash:])
    elif len(args) > 1 or (args and files):
        raise call.usage(NOT_SUPPORTED)
    else:
        command = ()
    if not resource and not files:
        raise UsageError("pod, type/name or --filename must be specified")
    if not command:
        raise UsageError("you must specify at least one command for the container")
    pod = _pod(call, resource)
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise UsageError(f"cannot exec into a container in a completed pod; current phase is {phase}")
    container = containers.chosen(call, pod, call.text("container"), quiet=call.on("quiet"))
    is_terminal = call.on("stdin") and call.on("tty") and sys.stdin.isatty()
    if call.on("stdin") and call.on("tty") and not is_terminal and not call.on("quiet"):
        call.complain(NO_TTY)
    return inside(call, pod, container, command, is_terminal)


def _pod(call: Call, resource: str) -> Object:
    if resource:
        item = containers.target(call, [resource])
    else:
        found = select.find(call, [])
        if found.errors:
            raise found.errors[0]
        if len(found.items) != 1:
            raise UsageError("cannot exec into multiple objects at a time")
        item = found.items[0]
    return containers.pod_of(call, item, "attach to", containers.by_activity)[0]


def inside(call: Call, pod: Object, container: Object, command: tuple[str, ...], is_terminal: bool) -> int:
    """Run a command, or on a terminal a shell's dialogue, in a container and keep what it changes; the exit code."""
    from minikube_py.programs import shell

    session = visit(call, pod, container, command)
    problem = session.missing(command)
    if problem:
        raise UsageError(call.cluster.cannot_start(pod, container, problem))
    if is_terminal and shell.is_bare(command):
        code = _dialogue(session)
    else:
        stdin = _input() if call.on("stdin") and not is_terminal else None
        result = session.execute(command, stdin)
        call.say(result.stdout)
        sys.stdout.flush()
        sys.stderr.write(result.stderr)
        code = result.code
    keep(call, pod, session)
    if code:
        call.complain(f"command terminated with exit code {code}")
    return code


def visit(call: Call, pod: Object, container: Object, command: tuple[str, ...] = ("tar",)) -> Session:
    """A session in a running container. Raises in the API server's words where there is none to enter, or one may not."""
    meta = pod["metadata"]
    told: Object = {"stdout": True, "stderr": True, "container": container["name"]}
    if call.command == "attach":
        call.cluster.connect("attach", meta["name"], meta["namespace"], **told)
    else:
        call.cluster.connect("exec", meta["name"], meta["namespace"], **told, command=list(command))
    try:
        return call.cluster.enter(pod, container)
    except InternalError as error:
        if not str(error).startswith("Internal error"):
            raise  # of a node that is off: the API server itself says so
        raise UsageError(str(error)) from None


def keep(call: Call, pod: Object, session: Session) -> None:
    """Store what a session has changed, and have the pod's kubelet look at it."""
    call.cluster.leave(pod, session)


def _input() -> str:
    """All of standard input; bytes that are no UTF-8 survive."""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def _dialogue(session: Session) -> int:
    """A prompt, a line, its output, until `exit` or the end of the input; the last exit code."""
    code = 0
    while True:
        try:
            line = input(session.prompt)
        except EOFError:
            sys.stdout.write("\n")
            return code
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            continue
        words = line.split()
        if words[:1] == ["exit"]:
            return int(words[1]) % 256 if len(words) > 1 and words[1].isdigit() else code
        result = session.say(line)
        sys.stdout.write(result.stdout + result.stderr)
        sys.stdout.flush()
        code = result.code
