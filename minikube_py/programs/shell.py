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
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.programs.behaviour import Behaviour

SLEEPS_MAX = 300  # a script that has slept this often is taken to run for ever
COMMANDS_MAX = 20_000
FOREVER_S = 10 * 365 * 86_400
SHELLS = ("sh", "bash", "ash", "dash")
# Common tools that a container runs as its only command.
TOOLS = (
    "awk", "basename", "cat", "cp", "cut", "date", "echo", "env", "expr", "false", "find", "grep", "head", "hostname",
    "id", "ls", "mkdir", "mv", "printenv", "printf", "pwd", "rm", "sed", "seq", "sleep", "sort", "tail", "test", "touch",
    "tr", "true", "uname", "wc", "whoami",
)  # fmt: skip
LOOKUPS = ("nslookup", "dig", "host", "getent")
CLIENTS = (
    "ab", "apk", "apt", "apt-get", "arping", "aws", "curl", "gcloud", "gsutil", "hey", "kubectl", "mc", "mysql",
    "mysqladmin", "mysqldump", "nc", "netstat", "openssl", "pg_dump", "pg_isready", "ping", "pip", "psql", "redis-cli",
    "ss", "stress", "stress-ng", "wget", "wrk", "yum",
)  # fmt: skip
# How pods find the API server (kubelet_pods.go, getServiceEnvVarMap).
API_SERVER = {
    "KUBERNETES_PORT": "tcp://10.96.0.1:443",
    "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443",
    "KUBERNETES_PORT_443_TCP_ADDR": "10.96.0.1",
    "KUBERNETES_PORT_443_TCP_PORT": "443",
    "KUBERNETES_PORT_443_TCP_PROTO": "tcp",
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
    "KUBERNETES_SERVICE_PORT_HTTPS": "443",
}


BUSYBOX = ("busybox", "alpine")
# Images whose file system holds nothing but common tools: what a script does not find there is really missing.
BASES = (*BUSYBOX, "bash", "centos", "debian", "fedora", "ubuntu")
KERNEL = ("/proc/sys/kernel", "/proc/sys/net/core", "/proc/sys/vm")  # where privileged scripts write settings
MACHINE_ID = "0123456789abcdef0123456789abcdef\n"
TERMINATION_LOG = "/dev/termination-log"
# Words behind which the name of a command stands.
PREFIXES = ("command", "dumb-init", "env", "exec", "nohup", "sudo", "time", "timeout", "tini")
UNKNOWN = ("No such file or directory", "command not found")
FOLLOWING = re.compile(r"\btail\b[^;|&\n]*\s-(-follow|[a-z0-9]*[fF])")


class Timeline(NamedTuple):
    """`end`: (second, exit code) or None; `changes`: seconds at which a sleep is over; `log`: (second, line)."""

    end: tuple[int, int] | None
    changes: tuple[int, ...]
    log: tuple[tuple[int, str], ...]
    has_server: bool
    message: str = ""  # what it wrote to the termination log


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

    def timeline(self) -> Timeline:
        return _timeline(self)

    def changes(self) -> tuple[int, ...]:
        return _timeline(self).changes

    def execute(self, second: int, command: tuple[str, ...]) -> Result:
        """A command in the container at a second; commands that are not known are taken to succeed, as in probes."""
        passed = [change for change in self.changes() if change <= second]
        return _execute(self, passed[-1] if passed else 0, command, True)

    def execute_strictly(self, second: int, command: tuple[str, ...]) -> Result:
        """The same for a person's command: it sees the time, and what is not known is not found (code 127)."""
        return _execute(self, second, command, False)


def of(container: Object, pod: Object, base: Behaviour, view: View | None = None) -> Behaviour | None:
    """The behaviour of a container whose command is a script or a common tool; None if it is neither."""
    argv = _argv(container, pod, view)
    script = script_of(argv)
    if script is None:
        return None
    shell = _shell(script, container, pod, view)
    timeline = shell.timeline()
    after_s, code = timeline.end or (None, 0)
    stop_s, stop_code = _reaction(script, timeline, base)
    return base._replace(
        exit_after_s=after_s, exit_code=code, exit_message=timeline.message, stop_s=stop_s, stop_code=stop_code, log=timeline.log,
        ports=None if timeline.has_server else (), http=(), shell=shell,
        start_s=base.start_s if timeline.has_server else 0,
    )  # fmt: skip


def inside(container: Object, pod: Object, view: View | None) -> Shell:
    """A shell in a container, after its own script if it runs one: where an `exec` finds itself."""
    script = script_of(_argv(container, pod, view))
    return _shell(script if script is not None else ":", container, pod, view, is_named=True)


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
    return shlex.join((name, *argv[1:])) if name in TOOLS else None


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
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if any("$(" in word for word in words):
        env = environment(container, pod, view)
        words = [_expand(word, env) for word in words]
    return tuple(words)


def _expand(word: str, env: dict[str, str]) -> str:
    parts = word.split("$$")
    for name, value in env.items():
        parts = [part.replace(f"$({name})", value) for part in parts]
    return "$".join(parts) if len(parts) > 1 else parts[0]


def environment(container: Object, pod: Object, view: View | None) -> dict[str, str]:
    """The environment of a container: envFrom, then env in order, with the values of ConfigMaps, Secrets and fields."""
    found: dict[str, str] = {}
    namespace = pod["metadata"].get("namespace", "")
    for source in container.get("envFrom") or ():
        for field, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if source.get(field):
                data = _data(view, resource, namespace, source[field].get("name", ""))
                found |= {source.get("prefix", "") + name: value for name, value in data.items()}
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        if not source:
            found[variable["name"]] = _expand(variable.get("value") or "", found)
            continue
        for field, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if field in source:
                data = _data(view, resource, namespace, source[field].get("name", ""))
                if source[field]["key"] in data:
                    found[variable["name"]] = data[source[field]["key"]]
        if "fieldRef" in source:
            found[variable["name"]] = _field(pod, source["fieldRef"].get("fieldPath", ""))
    return found


def _data(view: View | None, resource: str, namespace: str, name: str) -> dict[str, str]:
    """The texts of a ConfigMap or Secret; {} if it is not there."""
    obj = view.get(Key(resource, namespace, name)) if view is not None else None
    data = dict((obj or {}).get("data") or {})
    if resource == "configmaps":
        return data
    from base64 import b64decode

    return {key: b64decode(value).decode("utf-8", "replace") for key, value in data.items()}


def _field(pod: Object, path: str) -> str:
    """A downward field: 'metadata.name', "metadata.labels['app']", 'status.podIP', 'spec.nodeName'."""
    head, bracket, key = path.partition("['")
    value: Any = pod
    for part in head.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if bracket and isinstance(value, dict):
        value = value.get(key[:-2])
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _files(container: Object, pod: Object, view: View | None) -> dict[str, str]:
    """The files that ConfigMap and Secret volumes put into a container, and its service account's namespace."""
    namespace = pod["metadata"].get("namespace", "")
    search = f"{namespace}.svc.cluster.local svc.cluster.local cluster.local"
    found = {
        "/var/run/secrets/kubernetes.io/serviceaccount/namespace": namespace,
        "/etc/resolv.conf": f"search {search}\nnameserver 10.96.0.10\noptions ndots:5\n",
    }
    found |= _inherited(container, pod, view)
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"]) or {}
        for field, resource, naming in (("configMap", "configmaps", "name"), ("secret", "secrets", "secretName")):
            source = volume.get(field)
            if not source:
                continue
            data = _data(view, resource, namespace, source.get(naming, ""))
            items = source.get("items")
            named = {item["path"]: data.get(item["key"], "") for item in items} if items else data
            for path, text in named.items():
                if mount.get("subPath") in (None, "", path):
                    where = mount["mountPath"] if mount.get("subPath") else f"{mount['mountPath'].rstrip('/')}/{path}"
                    found[where] = text
    return found


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


def _shell(script: str, container: Object, pod: Object, view: View | None, is_named: bool = False) -> Shell:
    """`is_named`: with the pod's name and time even if the script does not ask for them."""
    meta, spec = pod["metadata"], pod["spec"]
    short = container.get("image", "").rpartition("/")[2].partition(":")[0]
    is_init = any(init["name"] == container["name"] for init in spec.get("initContainers") or ())
    ends = is_init or any(owner.get("kind") == "Job" for owner in meta.get("ownerReferences") or ())
    # What names the pod or the time keeps the run from being shared with its siblings, so only where it is used.
    named = is_named or "hostname" in script.lower() or "uname" in script
    services: tuple[str, ...] = ()
    if view is not None and (is_named or any(word in script for word in LOOKUPS)):
        services = tuple(_service_names(view, meta.get("namespace", "")))
    folders = tuple(mount["mountPath"] for mount in container.get("volumeMounts") or () if not mount.get("subPath"))
    env = environment(container, pod, view) if container.get("env") or container.get("envFrom") else {}
    if is_named or "KUBERNETES" in script:
        env = {**API_SERVER, **env}
    if is_named or "HOSTNAME" in script:
        env = {"HOSTNAME": str(spec.get("hostname") or meta["name"]), **env}
    return Shell(
        script, tuple(env.items()), tuple(_files(container, pod, view).items()), folders,
        str(spec.get("hostname") or meta["name"]) if named else "pod", short, ends, services,
        _start_s(container, pod) if is_named or "date" in script else 0,
    )  # fmt: skip


def _service_names(view: View, namespace: str) -> list[str]:
    """All names under which Services can be looked up in pods of a namespace."""
    found = ["localhost"]
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


class _Run:
    """One run of a script up to a horizon (seconds since its start)."""

    def __init__(self, shell: Shell, horizon: int, tools: tuple[str, ...] = ()) -> None:
        """`tools`: commands of the image, beside those of the script, that are taken to succeed."""
        from bashkit import Bash

        self.shell, self.horizon, self.now, self.changes = shell, horizon, 0, [0]
        self.log: list[tuple[int, str]] = []
        self.unended = ["", ""]  # what stdout and stderr have written of their next line
        self.has_server = self.is_cut = False
        files: dict[str, Any] = {"/etc/machine-id": MACHINE_ID, **dict(shell.files)}
        self.bash = Bash(
            hostname=shell.hostname, env=dict(shell.env), files=files, max_commands=COMMANDS_MAX,
            custom_builtins=dict.fromkeys(tools, _succeed) | self._builtins(),
        )  # fmt: skip
        for folder in (*shell.folders, *KERNEL):
            if not self.bash.exists(folder):
                self.bash.mkdir(folder, recursive=True)
        result = self.bash.execute_sync(shell.script, on_output=self._note)
        if "resource limit exceeded" in result.stderr:  # a loop without end
            self.is_cut = True
        self.errors = result.stderr
        self.log += [(self.now, line) for line in self.unended if line]
        self.code = int(result.exit_code)
        self.bash.clear_cancel()

    def _builtins(self) -> dict[str, Any]:
        found: dict[str, Any] = {"sleep": self._sleep, "date": self._date, "hostname": self._hostname}
        found |= dict.fromkeys(LOOKUPS, self._look_up) | dict.fromkeys(CLIENTS, _succeed)
        if FOLLOWING.search(self.shell.script):
            found["tail"] = self._idle
        found = {folder + name: call for name, call in found.items() for folder in ("", "/bin/", "/usr/bin/")}
        return found | dict.fromkeys(_unknown(self.shell.script), self._serve)

    def _idle(self, context: Any) -> str:
        return self._cut()

    def _cut(self) -> str:
        self.is_cut = True
        self.bash.cancel()
        return ""

    def _sleep(self, context: Any) -> str:
        length_s = sum(_length_s(word) for word in context.argv)
        if self.now + length_s > self.horizon or len(self.changes) > SLEEPS_MAX:
            return self._cut()
        self.now += length_s
        self.changes.append(self.now)
        return ""

    def _serve(self, context: Any) -> str:
        if self.shell.ends:
            return ""
        self.has_server = True
        return self._cut()

    def _hostname(self, context: Any) -> str:
        return f"{self.shell.hostname}\n"

    def _date(self, context: Any) -> str:
        """`date`, `date +FORMAT`, in virtual time."""
        from time import gmtime, strftime

        words = [word for word in context.argv if word.startswith("+")]
        moment = self.shell.start_s + self.now
        if words and words[0] == "+%s":
            return f"{moment}\n"
        return strftime(words[0][1:] if words else "%a %b %e %H:%M:%S UTC %Y", gmtime(moment)) + "\n"

    def _look_up(self, context: Any) -> Any:
        from bashkit import BuiltinResult

        names = [word.rstrip(".") for word in context.argv if not word.startswith(("-", "+"))]
        missing = [name for name in names if name not in self.shell.services and not _is_outside(name)]
        if not missing:
            return "".join(f"Name:\t{name}\n" for name in names)
        return BuiltinResult(stdout="", stderr=f"** server can't find {missing[0]}: NXDOMAIN\n", exit_code=1)

    def _note(self, out: str, error: str) -> None:
        for stream, text in enumerate((out, error)):
            *lines, rest = (self.unended[stream] + text).split("\n")
            self.log += [(self.now, line) for line in lines]
            self.unended[stream] = rest


def _succeed(context: Any) -> str:
    return ""


def _is_outside(name: str) -> bool:
    """A name of the internet or an address rather than of the cluster; 'hosts' is getent's database."""
    return name == "hosts" or ("." in name and ".svc" not in name and not name.endswith(".local"))


def _length_s(word: str) -> int:
    """'30' -> 30, '0.5' -> 0, '2m' -> 120, 'infinity' -> for ever."""
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(word[-1:], 0)
    try:
        return int(float(word[:-1]) * unit) if unit else int(float(word))
    except (ValueError, OverflowError):
        return FOREVER_S + 1


_KNOWN: dict[str, bool] = {}


@lru_cache(maxsize=1024)
def _unknown(script: str) -> tuple[str, ...]:
    """The commands of a script that the shell does not have."""
    from bashkit import Bash

    try:
        commands = Bash().analyze(script).commands
    except Exception:  # a script that does not parse fails when it runs
        return ()
    names: set[str] = set()
    for command in commands:
        words = [command.name, *command.args]
        while words and words[0] in PREFIXES:
            words = [
                word for word in words[1:] if word and not word[0].isdigit() and word[0] != "-" and "=" not in word
            ]
        if words and words[0]:
            names.add(words[0])
    return tuple(sorted(name for name in names if not _is_known(name)))


def _is_known(name: str) -> bool:
    folder, _, last = name.rpartition("/")
    if folder in ("/bin", "/usr/bin"):
        name = last
    if name in SHELLS or name in LOOKUPS or name in CLIENTS or name in ("sleep", "date", "hostname"):
        return True
    if name not in _KNOWN:
        from bashkit import Bash

        _KNOWN[name] = Bash().execute_sync(f"type {shlex.quote(name)}").exit_code == 0
    return _KNOWN[name]


@lru_cache(maxsize=512)
def _timeline(shell: Shell) -> Timeline:
    run = _Run(shell, FOREVER_S)
    end = None if run.is_cut else (run.now, run.code)
    if end is not None and run.code and _is_guess(shell, run.errors):
        if not shell.ends:
            return Timeline(None, tuple(dict.fromkeys(run.changes)), (), True)
        end = (run.now, 0)
    message = str(run.bash.read_file(TERMINATION_LOG)) if run.bash.exists(TERMINATION_LOG) else ""
    return Timeline(end, tuple(dict.fromkeys(run.changes)), tuple(run.log), run.has_server, message)


def _is_guess(shell: Shell, errors: str) -> bool:
    """Whether a script failed because the files and programs of its image are not known here."""
    is_missing = any(text in errors for text in UNKNOWN)
    return is_missing and shell.image not in BASES and not re.search(r"\bexit\b", shell.script)


@lru_cache(maxsize=256)
def _left_in(shell: Shell, folder: str) -> tuple[tuple[str, str], ...]:
    """(path behind the folder, text) of the files that a script has left there when it ended."""
    bash = _Run(shell, FOREVER_S).bash
    paths = bash.execute_sync(f"find {shlex.quote(folder)} -type f").stdout.splitlines()
    return tuple((path[len(folder) :], bash.read_file(path)) for path in sorted(paths) if path.startswith(folder))


@lru_cache(maxsize=4096)
def _execute(shell: Shell, second: int, command: tuple[str, ...], is_lenient: bool) -> Result:
    script = script_of(command)
    script = script if script is not None else shlex.join(command)
    run = _Run(shell, second, _unknown(script) if is_lenient else ())
    run.horizon, run.now = FOREVER_S, second
    result = run.bash.execute_sync(script)
    errors = _as_busybox(result.stderr) if shell.image in BUSYBOX else result.stderr
    return Result(int(result.exit_code), result.stdout, errors, run.now - second)


def _as_busybox(output: str) -> str:
    """busybox quotes what cat cannot open: "cat: can't open '/tmp/healthy': No such file or directory"."""
    lines = []
    for line in output.splitlines(keepends=True):
        name, _, rest = line.partition(": ")
        path, marked, tail = rest.partition(": No such file or directory")
        lines.append(f"cat: can't open '{path}'{marked}{tail}" if name == "cat" and marked else line)
    return "".join(lines)


@lru_cache(maxsize=512)
def duration_s(command: tuple[str, ...]) -> int:
    """How long a command takes that a hook runs; 0 for one that is no script."""
    script = script_of(command)
    if script is None:
        return 0
    end = Shell(script, (), (), (), "pod", "", True, (), 0).timeline().end
    return end[0] if end is not None else FOREVER_S
