"""Shell scripts in containers, run in virtual time by bashkit: a bash with a file system in memory.

`sleep` adds to a counter instead of waiting, so what a script has done by second T is a pure function of the script,
its environment, its mounted files and T. One run to the end gives the timeline (end, seconds at which something can
change, log); a probe's command at T runs in a shell that was stopped at T.

Commands that bashkit does not have: network clients answer at once (name lookups ask the Services of the cluster);
anything else is taken for a server that runs for ever, or, where the pod is meant to end (Jobs, init containers), for
a task that succeeds. A shell that is process 1 ignores SIGTERM unless it traps it, as in a real container.
"""

from __future__ import annotations

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
SHELL_SIGTERM = 143  # 128 + 15


class Timeline(NamedTuple):
    """`end`: (second, exit code) or None; `changes`: seconds at which a sleep is over; `log`: (second, line)."""

    end: tuple[int, int] | None
    changes: tuple[int, ...]
    log: tuple[tuple[int, str], ...]
    has_server: bool


class Shell(NamedTuple):
    """One script with all that its run depends on."""

    script: str
    env: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    hostname: str
    is_busybox: bool
    ends: bool  # unknown commands end at once instead of serving for ever
    services: tuple[str, ...]  # names that can be looked up
    start_s: int  # what `date` shows at second 0

    def timeline(self) -> Timeline:
        return _timeline(self)

    def changes(self) -> tuple[int, ...]:
        return _timeline(self).changes

    def execute(self, second: int, command: tuple[str, ...]) -> tuple[int, str]:
        """(exit code, output) of a command in the container at a second."""
        passed = [change for change in self.changes() if change <= second]
        return _execute(self, passed[-1] if passed else 0, command)


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
        exit_after_s=after_s, exit_code=code, exit_message="", stop_s=stop_s, stop_code=stop_code, log=timeline.log,
        ports=None if timeline.has_server else (), http=(), shell=shell,
        start_s=base.start_s if timeline.has_server else 0,
    )  # fmt: skip


def script_of(argv: tuple[str, ...]) -> str | None:
    """The script that a command line runs: that of `sh -c`, or a common tool with its arguments; else None."""
    if not argv:
        return None
    name = argv[0].rpartition("/")[2]
    if name in SHELLS:
        for index, word in enumerate(argv[1:], 1):
            if word.startswith("-") and not word.startswith("--") and "c" in word:
                if index + 1 >= len(argv):
                    return None
                rest = argv[index + 3 :]
                return (f"set -- {shlex.join(rest)}\n" if rest else "") + argv[index + 1]
            if not word.startswith("-"):
                return None
        return "true"  # a shell without script and terminal reads the end of its input
    return shlex.join((name, *argv[1:])) if name in TOOLS else None


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
    found = {"/var/run/secrets/kubernetes.io/serviceaccount/namespace": namespace}
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


def _shell(script: str, container: Object, pod: Object, view: View | None) -> Shell:
    meta, spec = pod["metadata"], pod["spec"]
    short = container.get("image", "").rpartition("/")[2].partition(":")[0]
    is_init = any(init["name"] == container["name"] for init in spec.get("initContainers") or ())
    ends = is_init or any(owner.get("kind") == "Job" for owner in meta.get("ownerReferences") or ())
    # What names the pod or the time keeps the run from being shared with its siblings, so only where it is used.
    named = "hostname" in script.lower() or "uname" in script
    services: tuple[str, ...] = ()
    if view is not None and any(word in script for word in LOOKUPS):
        services = tuple(_service_names(view, meta.get("namespace", "")))
    env = environment(container, pod, view) if container.get("env") or container.get("envFrom") else {}
    return Shell(
        script, tuple(env.items()), tuple(_files(container, pod, view).items()),
        str(spec.get("hostname") or meta["name"]) if named else "pod", short in ("busybox", "alpine"), ends, services,
        _start_s(container, pod) if "date" in script else 0,
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

    def __init__(self, shell: Shell, horizon: int) -> None:
        from bashkit import Bash

        self.shell, self.horizon, self.now, self.changes = shell, horizon, 0, [0]
        self.log: list[tuple[int, str]] = []
        self.has_server = self.is_cut = False
        builtins: dict[str, Any] = {"sleep": self._sleep, "date": self._date, "hostname": self._hostname}
        builtins |= dict.fromkeys(LOOKUPS, self._look_up) | dict.fromkeys(CLIENTS, _succeed)
        builtins |= dict.fromkeys(_unknown(shell.script), self._serve)
        files: dict[str, Any] = dict(shell.files)
        self.bash = Bash(
            hostname=shell.hostname,
            env=dict(shell.env),
            files=files,
            max_commands=COMMANDS_MAX,
            custom_builtins=builtins,
        )
        result = self.bash.execute_sync(shell.script, on_output=self._note)
        self.code = int(result.exit_code)
        self.bash.clear_cancel()

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
        self.log += [(self.now, line) for text in (out, error) for line in text.splitlines()]


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
    names = {str(command.name) for command in commands if getattr(command, "name", None)}
    return tuple(sorted(name for name in names if name and not _is_known(name)))


def _is_known(name: str) -> bool:
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
    return Timeline(end, tuple(dict.fromkeys(run.changes)), tuple(run.log), run.has_server)


@lru_cache(maxsize=4096)
def _execute(shell: Shell, second: int, command: tuple[str, ...]) -> tuple[int, str]:
    run = _Run(shell, second)
    script = script_of(command)
    result = run.bash.execute_sync(script if script is not None else shlex.join(command))
    output = result.stdout + result.stderr
    if shell.is_busybox:
        output = _as_busybox(output)
    return int(result.exit_code), output


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
    end = Shell(script, (), (), "pod", False, True, (), 0).timeline().end
    return end[0] if end is not None else FOREVER_S
