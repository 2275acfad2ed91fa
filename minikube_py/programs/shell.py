"""Shell scripts in containers, run in virtual time by bashkit: a bash with a file system in memory.

`sleep` adds to a counter instead of waiting, so what a script has done by second T is a pure function of the script,
its environment, its mounted files and T. One run to the end gives the timeline (end, seconds at which something can
change, log); a probe's command at T runs in a shell that was stopped at T.

Commands that bashkit does not have: network clients answer at once (name lookups ask the Services of the cluster);
anything else is taken for a server that runs for ever, or, where the pod is meant to end (Jobs, init containers), for
a task that succeeds. A shell that is process 1 ignores SIGTERM unless it traps it, as in a real container.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from minikube_py.api.types import Key
from minikube_py.base import quantity
from minikube_py.base.clock import seconds
from minikube_py.programs import environment, files
from minikube_py.programs import tape as tapes
from minikube_py.programs.run import (
    API_SERVER,
    BASES,
    BUSYBOX,
    FETCHERS,
    FOREVER_S,
    LOG_COMMANDS_MAX,
    LOG_SLEEPS_MAX,
    LOOKUPS,
    SHELLS,
    TERMINATION_LOG,
    TOOLS,
    Run,
    unknown,
)  # fmt: skip

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.programs.behaviour import Behaviour
    from minikube_py.programs.tape import Tape

UNKNOWN = ("No such file or directory", "command not found")
MESSAGE_MAX = 4096  # of a termination message (kubelet/container, MaxContainerTerminationMessageLength)
KEEPER = "kubelet"  # the step in whose memory the edits of files are kept
PYTHONS = ("python", "python3")
# The embedded Python knows no sys.exit: an exception with its code stands for it.
PYTHON_EXIT = re.compile(r"\bsys\.exit\(([^()]*)\)")
PYTHON_EXITED = re.compile(r"Exception: SystemExit (\d+)\s*$")
PYTHON_LACKS = ("ModuleNotFoundError", "AttributeError: module", "Internal error in monty")
ASKS_SERVICES = re.compile(r"KUBERNETES|_SERVICE_|_PORT|\benv\b|\bprintenv\b|\bset\b")


# (second, path, content): what somebody changed by hand. Content holds bytes as Latin-1 letters; None: removed; a path
# with a slash behind is a folder.
Edit: TypeAlias = "tuple[int, str, str | None]"


class Timeline(NamedTuple):
    """`end`: (second, exit code) or None; `changes`: seconds at which a sleep is over; `log`: (second, line)."""

    end: tuple[int, int] | None
    changes: tuple[int, ...]
    log: tuple[tuple[int, str], ...]
    has_server: bool
    message: str = ""  # what it wrote to the termination log
    is_runaway: bool = False  # cut off: it computes, forks or writes without end


class Result(NamedTuple):
    """What a command in a container came to, and how many seconds it took."""

    code: int
    stdout: str
    stderr: str
    took_s: int

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class Shell(NamedTuple):
    """One script with all that its run depends on."""

    script: str
    env: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]  # where volumes are mounted
    hostname: str
    image: str  # its short name: 'busybox'
    ends: bool  # unknown commands end at once instead of serving for ever
    services: tuple[str, ...]  # names that can be looked up
    start_s: int  # what `date` shows at second 0
    cwd: str = "/"
    identity: tuple[int, int, tuple[int, ...]] = (0, 0, ())  # user, group, more groups
    edits: tuple[Edit, ...] = ()
    prelude: str = ""  # the script of its postStart hook
    message_path: str = TERMINATION_LOG
    tape: Tape = ()  # what the network has answered it

    def timeline(self) -> Timeline:
        return _timeline(self)

    def changes(self) -> tuple[int, ...]:
        if not self.edits:
            return _timeline(self).changes
        return tuple(sorted({*_timeline(self).changes, *(edit[0] for edit in self.edits)}))

    def log_until(self, second: int) -> tuple[tuple[int, str], ...]:
        """The lines written up to a second; for an endless script more than the timeline knows."""
        timeline = _timeline(self)
        if timeline.end is not None or not timeline.changes or second <= timeline.changes[-1]:
            return tuple(line for line in timeline.log if line[0] <= second)
        return _long_log(self, second)

    def execute(self, second: int, command: tuple[str, ...]) -> Result:
        """A command in the container at a second; commands that are not known are taken to succeed, as in probes."""
        passed = [change for change in self.changes() if change <= second]
        return _execute(self, passed[-1] if passed else 0, command)


def of(
    container: Object, pod: Object, base: Behaviour, view: View | None = None, tape: Tape | None = None
) -> Behaviour | None:
    """The behaviour of a container whose command is a script or a common tool; None if it is neither. `tape`: what the
    network has answered, where the kubelet has not written it down yet."""
    argv = _argv(container, pod, view)
    script = script_of(argv)
    if script is None:
        return None
    shell = _shell(script, container, pod, view)
    if tape is not None:
        shell = shell._replace(tape=tape)
    timeline = shell.timeline()
    after_s, code = timeline.end or (None, 0)
    stop_s, stop_code = _reaction(script, timeline, base)
    if timeline.is_runaway:
        base = base._replace(cpu_m=((0, _cpu_limit_m(container)),))
    return base._replace(
        exit_after_s=after_s, exit_code=code, exit_message=timeline.message, stop_s=stop_s, stop_code=stop_code, log=timeline.log,
        ports=None if timeline.has_server else (), http=(), shell=shell,
        start_s=base.start_s if timeline.has_server else 0,
    )  # fmt: skip


def _cpu_limit_m(container: Object) -> int:
    """What a container takes that computes without end: its limit, else one CPU; in millicores."""
    limit = ((container.get("resources") or {}).get("limits") or {}).get("cpu")
    return quantity.milli(limit) if limit else 1000


def inside(container: Object, pod: Object, view: View | None, second: int) -> Shell:
    """A shell in a container, after its own script if it runs one: where an `exec` finds itself."""
    script = script_of(_argv(container, pod, view))
    shell = _shell(script if script is not None else ":", container, pod, view, is_named=True)
    shared = _shared(container, pod, view, second)
    return shell._replace(files=tuple({**shared, **dict(shell.files)}.items())) if shared else shell


def script_of(argv: tuple[str, ...]) -> str | None:
    """The script that a command line runs: that of `sh -c`, or a common tool with its arguments; else None."""
    if not argv:
        return None
    name = argv[0].rpartition("/")[2]
    if name in SHELLS:
        for index, word in enumerate(argv[1:], 1):
            if word.startswith("-") and not word.startswith("--") and "c" in word:
                return _inline(argv[index + 1 :], word)
            if not word.startswith("-"):
                return None
        return "true"  # a shell without script and terminal reads the end of its input
    if name in PYTHONS and len(argv) > 2 and argv[1] in ("-c", "-uc"):
        return shlex.join(("python3", "-c", PYTHON_EXIT.sub(r'raise Exception("SystemExit " + str(\1))', argv[2])))
    if name in TOOLS or (name == "nc" and any(word.startswith("-") and "z" in word for word in argv[1:])):
        return shlex.join((name, *argv[1:]))
    return None


def is_bare(argv: tuple[str, ...]) -> bool:
    """Whether a command line is a shell that reads its commands from its input."""
    name = argv[0].rpartition("/")[2]
    return name in SHELLS and not any("c" in word or not word.startswith("-") for word in argv[1:])


def _inline(words: tuple[str, ...], option: str) -> str | None:
    """The script behind `-c`, with its positional arguments and the options e, u and x: ('--', 'ls', 'sh', 'a') -> ls."""
    words = words[1:] if words[:1] == ("--",) else words
    if not words:
        return None
    flags = "".join(letter for letter in option if letter in "eux")
    head = (f"set -{flags}\n" if flags else "") + (f"set -- {shlex.join(words[2:])}\n" if words[2:] else "")
    return head + words[0]


def _argv(container: Object, pod: Object, view: View | None) -> tuple[str, ...]:
    """command and args with $(NAME) replaced; $$(NAME) is an escape."""
    words = [*(container.get("command") or _entrypoint(container)), *(container.get("args") or ())]
    if any("$" in word for word in words):
        env = environment.of(container, pod, view)
        if any("_SERVICE_" in word or "_PORT" in word for word in words):
            env = {**environment.of_services(pod, view, _start_s(container, pod)), **env}
        words = [environment.expand(word, env) for word in words]
    return tuple(words)


def _entrypoint(container: Object) -> tuple[str, ...]:
    """What images of curl put in front of arguments that are no command."""
    args = container.get("args")
    if not args or container.get("image", "").rpartition("/")[2].partition(":")[0] != "curl":
        return ()
    return () if args[0] in (*SHELLS, *TOOLS) else ("curl",)


def _inherited(container: Object, pod: Object, view: View | None) -> dict[str, str]:
    """What the init containers before this one have left in volumes that it mounts too."""
    mine = {mount["name"]: mount["mountPath"].rstrip("/") for mount in container.get("volumeMounts") or ()}
    found: dict[str, str] = {}
    for init in pod["spec"].get("initContainers") or () if mine else ():
        if init["name"] == container["name"]:
            break
        theirs = [mount for mount in init.get("volumeMounts") or () if mount["name"] in mine]
        script = script_of(_argv(init, pod, view)) if theirs and init.get("restartPolicy") != "Always" else None
        if script is None:
            continue
        shell = _shell(script, init, pod, view)
        for mount in theirs:
            for path, text in _left_in(shell, mount["mountPath"].rstrip("/")):
                found[mine[mount["name"]] + path] = text
    return found


def left_behind(pod: Object, volume: str, path: str, view: View | None) -> str:
    """A file that the init containers have left in a volume; '' if they have not."""
    reader = {"name": "", "volumeMounts": [{"name": volume, "mountPath": "/volume"}]}
    return _inherited(reader, pod, view).get(f"/volume/{path}", "")


def _shared(container: Object, pod: Object, view: View | None, second: int) -> dict[str, str]:
    """What the other running containers have written by now into volumes that this one mounts too."""
    mine = {mount["name"]: mount["mountPath"].rstrip("/") for mount in container.get("volumeMounts") or ()}
    started = _start_s(container, pod)
    found: dict[str, str] = {}
    for other in [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]] if mine else ():
        theirs = [mount for mount in other.get("volumeMounts") or () if mount["name"] in mine]
        if other["name"] == container["name"] or not theirs or not _has_begun(other["name"], pod):
            continue
        script = script_of(_argv(other, pod, view))
        shell = _shell(script if script is not None else ":", other, pod, view)
        passed = second + started - _start_s(other, pod)
        for mount in theirs:
            for path, text in _left_in(shell, mount["mountPath"].rstrip("/"), max(passed, 0)):
                found[mine[mount["name"]] + path] = text
    return found


def _has_begun(name: str, pod: Object) -> bool:
    status = pod.get("status") or {}
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return any(
        entry["name"] == name and {"running", "terminated"} & (entry.get("state") or {}).keys() for entry in listed
    )


def edits_of(container: Object, pod: Object, view: View | None) -> tuple[Edit, ...]:
    """What people have changed in the running container's files (`kpy exec`, `kpy cp`)."""
    kept = (memory_of(pod, view).get("files") or {}).get(container["name"])
    if not kept or kept["started"] != _start_s(container, pod):
        return ()
    return tuple((entry[0], entry[1], entry[2]) for entry in kept["edits"])


def memory_of(pod: Object, view: View | None) -> Object:
    """What the kubelet keeps in mind about a pod."""
    if view is None:
        return {}
    return view.memory(KEEPER, Key("pods", pod["metadata"].get("namespace", ""), pod["metadata"].get("name", "")))


def last_start_s(name: str, pod: Object) -> int:
    """When a container started that runs or has run; 0 if it never did."""
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(field) or ():
            if entry["name"] == name:
                state, last = entry.get("state") or {}, entry.get("lastState") or {}
                ran = state.get("running") or state.get("terminated") or last.get("terminated") or {}
                return seconds(ran["startedAt"]) if ran.get("startedAt") else 0
    return 0


def _shell(script: str, container: Object, pod: Object, view: View | None, is_named: bool = False) -> Shell:
    """`is_named`: with the pod's name, address and time even if the script does not ask for them."""
    meta, spec = pod["metadata"], pod["spec"]
    name, start_s = str(spec.get("hostname") or meta["name"]), _start_s(container, pod)
    short = container.get("image", "").rpartition("/")[2].partition(":")[0]
    is_init = any(init["name"] == container["name"] for init in spec.get("initContainers") or ())
    ends = is_init or any(owner.get("kind") == "Job" for owner in meta.get("ownerReferences") or ())
    # What names the pod or the time keeps the run from being shared with its siblings, so only where it is used.
    named = is_named or "hostname" in script.lower() or "uname" in script
    services: tuple[str, ...] = ()
    if view is not None and (is_named or any(word in script for word in (*LOOKUPS, *FETCHERS))):
        services = tuple(_service_names(view, meta.get("namespace", "")))
    folders = tuple(mount["mountPath"] for mount in container.get("volumeMounts") or () if not mount.get("subPath"))
    env = environment.of(container, pod, view) if container.get("env") or container.get("envFrom") else {}
    if is_named or ASKS_SERVICES.search(script):
        env = {**API_SERVER, **environment.of_services(pod, view, start_s), **env}
    if is_named or "HOSTNAME" in script:
        env = {"HOSTNAME": name, **env}
    contents = {f"{files.ACCOUNT}/namespace": meta.get("namespace", ""), "/etc/resolv.conf": files.resolver(pod)}
    if is_named or "/etc/host" in script:
        contents |= {"/etc/hosts": files.hosts(pod), "/etc/hostname": f"{name}\n"}
    contents |= {**_inherited(container, pod, view), **files.of(container, pod, view)}
    return Shell(
        script, tuple(env.items()), tuple(contents.items()), folders, name if named else "pod", short, ends, services,
        start_s if is_named or "date" in script else 0, container.get("workingDir") or "/", _identity(container, pod),
        edits_of(container, pod, view), _prelude(container), container.get("terminationMessagePath") or TERMINATION_LOG,
        tapes.of(memory_of(pod, view), container["name"], last_start_s(container["name"], pod)) if tapes.asks(script) else (),
    )  # fmt: skip


def _prelude(container: Object) -> str:
    """The script of the postStart hook, taken to be done when the container's own script begins."""
    hook = (container.get("lifecycle") or {}).get("postStart") or {}
    return script_of(tuple((hook.get("exec") or {}).get("command") or ())) or ""


def _identity(container: Object, pod: Object) -> tuple[int, int, tuple[int, ...]]:
    """(user, group, supplementary groups) by the security contexts; root where nobody says otherwise."""
    of_pod, own = pod["spec"].get("securityContext") or {}, container.get("securityContext") or {}
    user = own.get("runAsUser", of_pod.get("runAsUser", 0))
    group = own.get("runAsGroup", of_pod.get("runAsGroup", 0))
    more = [*(of_pod.get("supplementalGroups") or ())]
    if "fsGroup" in of_pod:
        more.append(of_pod["fsGroup"])
    return int(user), int(group), tuple(int(one) for one in more)


def _service_names(view: View, namespace: str) -> list[str]:
    """All names under which Services can be looked up in pods of a namespace; '.data' for each namespace."""
    found = ["localhost", *(f".{space['metadata']['name']}" for space in view.list("namespaces"))]
    for service in view.list("services"):
        name, other = service["metadata"]["name"], service["metadata"]["namespace"]
        found += [f"{name}.{other}", f"{name}.{other}.svc", f"{name}.{other}.svc.cluster.local"]
        if other == namespace:
            found.append(name)
    return found


def _start_s(container: Object, pod: Object) -> int:
    for status in pod.get("status", {}).get("containerStatuses") or ():
        running = (status.get("state") or {}).get("running")
        if status["name"] == container["name"] and running:
            return seconds(running["startedAt"])
    started = pod.get("status", {}).get("startTime")
    return seconds(started) if started else 0


def _reaction(script: str, timeline: Timeline, base: Behaviour) -> tuple[int | None, int]:
    """What SIGTERM does to process 1: a trap or an exec'ed server ends, a plain shell or sleep ignores it."""
    if "trap " in script:
        return 1, 0
    is_single = not any(mark in script for mark in ";\n&|")
    if timeline.has_server and (is_single or "exec " in script):
        return base.stop_s, base.stop_code
    return None, 137


@lru_cache(maxsize=512)
def _timeline(shell: Shell) -> Timeline:
    run = Run(shell, FOREVER_S)
    end = None if run.is_cut else (run.now, run.code)
    exited = PYTHON_EXITED.search(run.errors) if run.code else None
    if exited is not None and end is not None:
        written = [line for line in run.log if line[1] not in run.errors.split("\n")]
        return Timeline((run.now, int(exited[1]) % 256), tuple(dict.fromkeys(run.changes)), tuple(written), False)
    if end is not None and run.code and _is_guess(shell, run.errors):
        if not shell.ends:
            return Timeline(None, tuple(dict.fromkeys(run.changes)), (), True)
        end = (run.now, 0)
    path = shell.message_path
    message = str(run.bash.read_file(path))[:MESSAGE_MAX] if run.bash.exists(path) else ""
    changes = tuple(dict.fromkeys(run.changes))
    return Timeline(end, changes, tuple(run.log), run.has_server, message, run.is_runaway)


@lru_cache(maxsize=64)
def _long_log(shell: Shell, second: int) -> tuple[tuple[int, str], ...]:
    return tuple(Run(shell, second, sleeps=LOG_SLEEPS_MAX, commands=LOG_COMMANDS_MAX).log)


def _is_guess(shell: Shell, errors: str) -> bool:
    """Whether a script failed because the files and programs of its image are not known here."""
    if shell.script.startswith("python3 ") and any(text in errors for text in PYTHON_LACKS):
        return True
    is_missing = any(text in errors for text in UNKNOWN)
    return is_missing and shell.image not in BASES and not re.search(r"\bexit\b", shell.script)


@lru_cache(maxsize=256)
def _left_in(shell: Shell, folder: str, second: int = FOREVER_S) -> tuple[tuple[str, str], ...]:
    """(path behind the folder, text) of the files that a script has left there when it ended, or by a second."""
    run = Run(shell, second)
    run.go_on(second)
    paths = run.bash.execute_sync(f"find {shlex.quote(folder)} -type f").stdout.splitlines()
    return tuple((path[len(folder) :], run.bash.read_file(path)) for path in sorted(paths) if path.startswith(folder))


@lru_cache(maxsize=4096)
def _execute(shell: Shell, second: int, command: tuple[str, ...]) -> Result:
    script = script_of(command)
    script = script if script is not None else shlex.join(command)
    run = Run(shell, second, unknown(script))
    run.go_on(second)
    result = run.bash.execute_sync(script)
    return Result(int(result.exit_code), run.dated(result.stdout), errors_of(shell, result.stderr), run.now - second)


def errors_of(shell: Shell, text: str) -> str:
    """What a command says on stderr, in the words of the image's own tools."""
    return _as_busybox(text) if shell.image in BUSYBOX else text


def _as_busybox(output: str) -> str:
    """busybox quotes what cat cannot open: "cat: can't open '/tmp/healthy': No such file or directory"."""
    lines = []
    for line in output.splitlines(keepends=True):
        name, _, rest = line.partition(": ")
        path, marked, tail = rest.partition(": No such file or directory")
        lines.append(f"cat: can't open '{path}'{marked}{tail}" if name == "cat" and marked else line)
    return "".join(lines)


# What a preStop hook tells a server to do before it waits until the server is gone.
ENDING = re.compile(r"\b(quit|stop|shutdown|kill|pkill)\b")


@lru_cache(maxsize=512)
def outcome(command: tuple[str, ...]) -> Result:
    """What a command that a hook runs comes to; one that is no script succeeds at once, one without end takes for ever.

    'nginx -s quit; while killall -0 nginx; do sleep 1; done' is over at once: the server is gone.
    """
    script = script_of(command)
    if script is None:
        return Result(0, "", "", 0)
    run = Run(Shell(script, (), (), (), "pod", "", True, (), 0), FOREVER_S, gone=ENDING.search(script) is not None)
    if run.is_cut:
        return Result(0, "", "", FOREVER_S)
    lines = [line for _, line in run.log if line not in run.errors.split("\n")]
    return Result(run.code, "".join(f"{line}\n" for line in lines), run.errors, run.now)
