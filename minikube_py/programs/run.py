"""One run of a shell script in virtual time: bashkit with commands that know the simulated time, names and files.

`Run(shell, horizon)` runs the script up to a second, and can then be given more commands in the same files.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from minikube_py.programs import tape

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.programs.shell import Shell
    from minikube_py.programs.tape import Asker, Entries, Said

SLEEPS_MAX = 300  # a script with an endless loop that has slept this often is taken to run for ever
LONG_SLEEPS_MAX = 5_000  # the same for a script without one
LOG_SLEEPS_MAX = 20_000  # how far a log is written: a line each second for five hours
COMMANDS_MAX = 20_000
LOG_COMMANDS_MAX = 400_000
LIMIT = "resource limit exceeded"  # what the shell says of a script that computes or calls without end
OUTPUT_MAX = 10 << 20  # bytes that a script may write before it is taken for a runaway
FOREVER_S = 10 * 365 * 86_400
SHELLS = ("sh", "bash", "ash", "dash")
# Common tools that a container runs as its only command.
TOOLS = (
    "awk", "basename", "cat", "cp", "cut", "date", "echo", "env", "expr", "false", "find", "grep", "head", "hostname",
    "id", "ls", "mkdir", "mv", "printenv", "printf", "pwd", "rm", "sed", "seq", "sleep", "sort", "tail", "test", "touch",
    "tr", "true", "uname", "wc", "whoami", "curl", "wget", "nslookup",
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
# Folders that every image has, and where privileged scripts write settings.
FOLDERS = (
    "/mnt", "/opt", "/proc/sys/kernel", "/proc/sys/net/core", "/proc/sys/vm", "/run", "/srv", "/usr/share", "/var/log",
    "/var/run",
)  # fmt: skip
MACHINE_ID = "0123456789abcdef0123456789abcdef\n"
TERMINATION_LOG = "/dev/termination-log"
SEEKERS = ("killall", "pgrep", "pidof", "pkill")
FETCHERS = ("curl", "nc", "wget")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Words behind which the name of a command stands.
PREFIXES = ("command", "dumb-init", "env", "exec", "nohup", "sudo", "time", "timeout", "tini")
ENDLESS = re.compile(r"while\s+(true|:|\[\s*1|sleep)|for\s*\(\(\s*;\s*;|until\s+false")
# A function that starts itself twice: two to the power of its depth would have to be run before a limit is met.
FORK_BOMB = re.compile(r"(?:function\s+)?([\w:]+)\s*\(\)\s*\{[^}]*\1\s*[|&]+\s*\1")
# The times in lines of `ls -l` and `stat`.
FILE_TIME = re.compile(
    r"(?m)^([-bcdlps][-rwxsStT]{9}[^\n]*?)\d{4}-\d\d-\d\d \d\d:\d\d|^((?:Access|Modify|Change|Birth): )\d{9,}"
)
FOLLOWING = re.compile(r"\btail\b[^;|&\n]*\s-(-follow|[a-z0-9]*[fF])")


class Run:
    """One run of a script up to a horizon (seconds since its start)."""

    def __init__(
        self, shell: Shell, horizon: int, tools: tuple[str, ...] = (), sleeps: int = 0, commands: int = COMMANDS_MAX,
        gone: bool = False, asker: Asker | None = None, present: int = 0,
    ) -> None:  # fmt: skip
        """`tools`: commands of the image, beside those of the script, that are taken to succeed. `gone`: what looks for
        processes finds none. `asker`: what
        is not on the shell's tape is asked, and written down as of second `present`."""
        from bashkit import Bash

        self.shell, self.horizon, self.now, self.changes = shell, horizon, 0, [0]
        # (command, arguments) -> (stdout, stderr, code) of curl and the like; None: a name that exists is taken to answer.
        self.clients: Callable[[str, list[str]], tuple[str, str, int] | None] | None = None
        self.tape: dict[str, Entries] = dict(shell.tape)
        self.asker, self.present, self.turn = asker, present, 0
        self.rest_ms = 0  # of sleeps, what is less than a second
        self.sleeps = sleeps or (SLEEPS_MAX if ENDLESS.search(shell.script) else LONG_SLEEPS_MAX)
        self.log: list[tuple[int, str]] = []
        self.unended = ["", ""]  # what stdout and stderr have written of their next line
        self.written = 0  # bytes
        self.pending = list(shell.edits)
        self.has_server = self.is_cut = self.is_runaway = False
        contents: dict[str, Any] = {"/etc/machine-id": MACHINE_ID, **dict(shell.files)}
        self.bash = Bash(
            python=shell.script.startswith("python3 "), username="root", hostname=shell.hostname, cwd="/", env={"PATH": PATH, "HOME": "/root", **dict(shell.env)},
            files=contents, max_commands=commands, custom_builtins=dict.fromkeys(tools, _succeed) | self._builtins() | (dict.fromkeys(SEEKERS, _fail) if gone else {}),
        )  # fmt: skip
        for folder in (*shell.folders, *FOLDERS, shell.cwd, shell.message_path.rpartition("/")[0] or "/"):
            if not self.bash.exists(folder):
                self.bash.mkdir(folder, recursive=True)
        if shell.prelude:
            self.bash.execute_sync(shell.prelude)
        self.now, self.changes, self.is_cut = 0, [0], False
        is_bomb = FORK_BOMB.search(shell.script) is not None
        result = self.bash.execute_sync("" if is_bomb else self._in_place(shell.script), on_output=self._note)
        if is_bomb or LIMIT in result.stderr:  # a loop without end
            self.is_cut = self.is_runaway = True
        self.errors = result.stderr
        self.log += [(self.now, line) for line in self.unended if line]
        self.code = int(result.exit_code)
        self.bash.clear_cancel()

    def _in_place(self, script: str) -> str:
        """The script in its working directory, which takes no line of its own: messages tell line numbers."""
        return script if self.shell.cwd == "/" else f"cd {shlex.quote(self.shell.cwd)}; {script}"

    def go_on(self, second: int) -> None:
        """Time passes to a second behind the script's own run: what people have changed by then is in place."""
        self.horizon, self.now = FOREVER_S, second
        self._apply_edits(self.bash.fs(), second + 1)

    def _apply_edits(self, fs: Any, before: int) -> None:
        while self.pending and self.pending[0][0] < before:
            _, path, content = self.pending.pop(0)
            apply_edit(fs, path, content)

    def _builtins(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "sleep": self._sleep, "date": self._date, "hostname": self._hostname, "id": self._id, "whoami": self._whoami,
        }  # fmt: skip
        found |= dict.fromkeys(CLIENTS, _succeed) | dict.fromkeys((*FETCHERS, *LOOKUPS), self._ask)
        if FOLLOWING.search(self.shell.script):
            found["tail"] = self._idle
        found = {folder + name: call for name, call in found.items() for folder in ("", "/bin/", "/usr/bin/")}
        return found | dict.fromkeys(unknown(self.shell.script), self._serve)

    def dated(self, text: str) -> str:
        """Output with the container's start in place of the times that the shell's files have: those are the machine's."""
        if FILE_TIME.search(text) is None:
            return text
        from time import gmtime, strftime

        moment = self.shell.start_s
        told = strftime("%Y-%m-%d %H:%M", gmtime(moment))
        return FILE_TIME.sub(lambda found: f"{found[1]}{told}" if found[1] else f"{found[2]}{moment}", text)

    def _idle(self, context: Any) -> str:
        return self._cut()

    def _cut(self) -> str:
        self.is_cut = True
        self.bash.cancel()
        return ""

    def _sleep(self, context: Any) -> str:
        passed_s, rest_ms = divmod(self.rest_ms + sum(_length_ms(word) for word in context.argv), 1000)
        if self.now + passed_s > self.horizon or len(self.changes) > self.sleeps:
            return self._cut()
        self.now, self.rest_ms = self.now + passed_s, rest_ms
        self.changes.append(self.now)
        if self.pending:
            self._apply_edits(context.fs, self.now)
        return ""

    def _serve(self, context: Any) -> str:
        if self.shell.ends:
            return ""
        self.has_server = True
        return self._cut()

    def _hostname(self, context: Any) -> str:
        return f"{self.shell.hostname}\n"

    def _whoami(self, context: Any) -> Any:
        user = self.shell.identity[0]
        return "root\n" if user == 0 else _failure(f"whoami: unknown uid {user}\n")

    def _id(self, context: Any) -> str:
        """`id`, `id -u`, `id -g`, `id -G`: 'uid=1000 gid=3000 groups=2000,3000', 'uid=0(root) gid=0(root) groups=0(root)'."""
        user, group, more = self.shell.identity
        groups = sorted({group, *more})
        flags = "".join(word.lstrip("-") for word in context.argv)
        for flag, text in (("u", str(user)), ("G", " ".join(map(str, groups))), ("g", str(group))):
            if flag in flags:
                return f"{text}\n"
        return f"uid={_named(user)} gid={_named(group)} groups={','.join(map(_named, groups))}\n"

    def _date(self, context: Any) -> str:
        """`date`, `date +FORMAT`, in virtual time."""
        from time import gmtime, strftime

        words = [word for word in context.argv if word.startswith("+")]
        moment = self.shell.start_s + self.now
        if words and words[0] == "+%s":
            return f"{moment}\n"
        return strftime(words[0][1:] if words else "%a %b %e %H:%M:%S UTC %Y", gmtime(moment)) + "\n"

    def _ask(self, context: Any) -> Any:
        """curl, wget, nc, nslookup: what a visitor's network says, what stands on the tape, or what the names tell."""
        from bashkit import BuiltinResult

        name = context.name.rpartition("/")[2]
        argv, target = tape.to_stdout(name, list(context.argv))
        said = self.clients(name, argv) if self.clients is not None else None
        if said is None:
            command = tape.command_of(name, argv)
            entries = self.tape.get(command)
            if entries is None and self.asker is not None:
                answers = self.asker(name, argv) or (self.own_answer(self.shell, name, argv),)
                entries = self.tape[command] = ((self.present, answers),)
            self.turn += 1
            said = tape.at(entries, self.now, self.turn) if entries else self.own_answer(self.shell, name, argv)
        if target and not said[2]:
            _write(context, target, said[0])
            said = "", said[1], 0
        return BuiltinResult(stdout=said[0], stderr=said[1], exit_code=said[2])

    @staticmethod
    def own_answer(shell: Shell, name: str, argv: list[str]) -> Said:
        """By the names that can be looked up: one that nobody serves cannot be resolved, the others are taken to answer."""
        if name in LOOKUPS:
            names = [word.rstrip(".") for word in argv if not word.startswith(("-", "+"))]
            missing = [one for one in names if not _is_known_name(one, shell.services)]
            if missing:
                return "", f"** server can't find {missing[0]}: NXDOMAIN\n", 1
            return "".join(f"Name:\t{one}\n" for one in names), "", 0
        host = next((_host(word) for word in argv if not word.startswith("-")), "")
        if not shell.services or not host or ":" in host or _is_known_name(host, shell.services):
            return "", "", 0
        if name == "curl":
            return "", f"curl: (6) Could not resolve host: {host}\n", 6
        return "", f"{name}: bad address '{host}'\n", 1

    def _note(self, out: str, error: str) -> None:
        self.written += len(out) + len(error)
        if self.written > OUTPUT_MAX or LIMIT in error:
            self.is_runaway = True
            self._cut()
            return
        for stream, text in enumerate((self.dated(out), error)):
            *lines, rest = (self.unended[stream] + text).split("\n")
            self.log += [(self.now, line) for line in lines]
            self.unended[stream] = rest


def apply_edit(fs: Any, path: str, content: str | None) -> None:
    """Write, remove or (a path with a slash behind) make one entry of a file system."""
    if content is None:
        if fs.exists(path.rstrip("/")):
            fs.remove(path.rstrip("/"), True)
    elif path.endswith("/"):
        if not fs.exists(path.rstrip("/")):
            fs.mkdir(path.rstrip("/"), True)
    else:
        folder = path.rpartition("/")[0]
        if folder and not fs.exists(folder):
            fs.mkdir(folder, True)
        fs.write_file(path, content.encode("latin-1"))


def _write(context: Any, target: str, text: str) -> None:
    """A file that a command leaves; a folder that is not there takes none."""
    path = target if target.startswith("/") else f"{context.cwd.rstrip('/')}/{target}"
    if path != "/dev/null" and context.fs.exists(path.rpartition("/")[0] or "/"):
        context.fs.write_file(path, text.encode())


def _succeed(context: Any) -> str:
    return ""


def _fail(context: Any) -> Any:
    return _failure("")


def _failure(message: str, code: int = 1) -> Any:
    from bashkit import BuiltinResult

    return BuiltinResult(stdout="", stderr=message, exit_code=code)


def _named(number: int) -> str:
    return "0(root)" if number == 0 else str(number)


def _is_known_name(name: str, services: tuple[str, ...]) -> bool:
    _, dot, namespace = name.partition(".")
    if dot and "." not in namespace and f".{namespace}" in services:  # 'db.data', and there is a namespace 'data'
        return name in services
    return name in services or _is_outside(name)


def _host(word: str) -> str:
    """The host of 'http://web:80/x', 'web/x' or 'web'."""
    rest = word.partition("://")[2] or word
    return rest.partition("/")[0].rpartition("@")[2].partition(":")[0]


def _is_outside(name: str) -> bool:
    """A name of the internet or an address rather than of the cluster; 'hosts' is getent's database."""
    return name == "hosts" or ("." in name and ".svc" not in name and not name.endswith(".local"))


def _length_ms(word: str) -> int:
    """'30' -> 30000, '0.5' -> 500, '2m' -> 120000, 'infinity' -> for ever; in milliseconds."""
    unit = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}.get(word[-1:], 0)
    try:
        return int(float(word[:-1]) * unit) if unit else int(float(word) * 1000)
    except (ValueError, OverflowError):
        return (FOREVER_S + 1) * 1000


_KNOWN: dict[str, bool] = {}


@lru_cache(maxsize=1024)
def unknown(script: str) -> tuple[str, ...]:
    """The commands of a script that the shell does not have."""
    if script.startswith("python3 "):
        return ()
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
