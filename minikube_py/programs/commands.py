"""Commands that a person runs in a container: `kpy exec`, and the files that `kpy cp` moves.

A `Session` is one visit: the container's files as its script, the kubelet and earlier visitors have left them by this
second. What the visit changes are its `edits`; whoever keeps them (`kept`) makes them part of the container: its script
finds them when it goes on, probes see them, and they go when the container does.
"""

from __future__ import annotations

import shlex
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from minikube_py.base.clock import seconds
from minikube_py.programs import run, shell
from minikube_py.programs.behaviour import at, behaviour

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock

STDIN = "/dev/.stdin"
# What a visit changes there is not kept: it belongs to the kernel, or to the image.
UNKEPT = ("/bin", "/dev", "/proc", "/sys", "/usr/bin")
KEPT_MAX = 16 << 20  # bytes of changed files in one container
# Images that hold one program and no shell.
BARE = ("coredns", "etcd", "hello-world", "pause", "scratch", "distroless", "static", "base-debian11", "base-debian12")


class Session:
    """A visit to a running container. Raises ValueError if it does not run."""

    def __init__(self, container: Object, pod: Object, view: View, clock: Clock) -> None:
        started = started_s(container["name"], pod)
        if started is None:
            raise ValueError(f"container {container['name']} does not run")
        self.container, self.started, self.second = container, started, clock.now_s - started
        self.behaviour = behaviour(container, pod, view, clock)
        self.shell = shell.inside(container, pod, view, self.second)
        self.run = run.Run(self.shell, self.second)
        self.run.go_on(self.second)
        self.bash = self.run.bash
        self.before = self._contents()

    def missing(self, command: tuple[str, ...]) -> str:
        """Why the runtime cannot start the command; '' if it can."""
        if self._rule(command) is not None:
            return ""
        name = command[0]
        if self.shell.image in BARE:
            return f'exec: "{name}": {_not_found(name)}'
        if shell.script_of(command) is not None or not run.unknown(shlex.quote(name)) or self.bash.exists(name):
            return ""
        return f'exec: "{name}": {_not_found(name)}'

    def execute(self, command: tuple[str, ...], stdin: str | None = None) -> shell.Result:
        """What a command comes to. A Program's rule counts first; a bare shell runs what its input says."""
        rule = self._rule(command)
        if rule is not None:
            return rule
        script = shell.script_of(command)
        if script is None:
            script = shlex.join(command)
        if stdin is not None and shell.is_bare(command):
            script = stdin
        elif stdin is not None:
            self.bash.fs().write_file(STDIN, stdin.encode("utf-8", "surrogateescape"))
            script = f"{{\n{script}\n}} < {STDIN}"
        return self.say(script)

    def say(self, script: str) -> shell.Result:
        """Lines of a script in the session's shell, which keeps its variables and its folder."""
        before = self.run.now
        result = self.bash.execute_sync(script)
        self.bash.clear_cancel()
        errors = shell.errors_of(self.shell, result.stderr)
        return shell.Result(int(result.exit_code), self.run.dated(result.stdout), errors, self.run.now - before)

    def _rule(self, command: tuple[str, ...]) -> shell.Result | None:
        words = " ".join(command)
        for rule in self.behaviour.exec:
            if fnmatchcase(words, rule.what):
                code, output = at(rule.course, self.second) or (0, "")
                return shell.Result(code, output, "", 0)
        return None

    @property
    def cwd(self) -> str:
        found: str = self.bash.shell_state().cwd
        return found

    @property
    def prompt(self) -> str:
        """'/ # ' in a busybox, 'root@web-1:/# ' in a bash."""
        user = self.shell.identity[0]
        sign = "#" if user == 0 else "$"
        if self.shell.image in run.BUSYBOX:
            return f"{self.cwd} {sign} "
        return f"{'root' if user == 0 else 'user'}@{self.shell.hostname}:{self.cwd}{sign} "

    def _contents(self) -> dict[str, bytes | None]:
        """path -> content of every file that can be kept; folders end in a slash and have none."""
        fs = self.bash.fs()
        found: dict[str, bytes | None] = {}
        waiting = ["/"]
        while waiting:
            folder = waiting.pop()
            for entry in fs.read_dir(folder or "/"):
                path = f"{folder.rstrip('/')}/{entry['name']}"
                if path.startswith(UNKEPT):
                    continue
                if entry["metadata"]["file_type"] == "directory":
                    found[path + "/"] = None
                    waiting.append(path)
                elif entry["metadata"]["file_type"] == "file":
                    found[path] = bytes(fs.read_file(path))
        return found

    def edits(self) -> list[list[object]]:
        """[second, path, content or None] of all that the visit has changed, in the order of paths."""
        after = self._contents()
        gone = [path for path in self.before if path not in after]
        found: list[list[object]] = [[self.second, path, None] for path in sorted(gone, reverse=True)]
        for path in sorted(after):
            content = after[path]
            if path in self.before and self.before[path] == content:
                continue
            found.append([self.second, path, "" if content is None else content.decode("latin-1")])
        return found

    def kept(self, memory: Object) -> Object | None:
        """The kubelet's memory of the pod with this visit's edits in it; None if nothing was changed.

        Raises ValueError where a container would hold more than 16 MiB of changes.
        """
        edits = self.edits()
        if not edits:
            return None
        name = self.container["name"]
        all_files = memory.get("files") or {}
        mine = all_files.get(name) or {}
        old = mine["edits"] if mine.get("started") == self.started else []
        told = [*old, *edits]
        if sum(len(str(entry[2])) for entry in told) > KEPT_MAX:
            raise ValueError("no space left on device")
        # The step has to look at the pod again: its probes may answer otherwise.
        return {**memory, "files": {**all_files, name: {"started": self.started, "edits": told}}, "seen": ""}


def _not_found(name: str) -> str:
    if "/" in name:
        return f"stat {name}: no such file or directory"
    return "executable file not found in $PATH"


def started_s(name: str, pod: Object) -> int | None:
    """When the running container started; None if it does not run."""
    status = pod.get("status") or {}
    for field in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(field) or ():
            running = (entry.get("state") or {}).get("running")
            if entry["name"] == name and running:
                return seconds(running["startedAt"])
    return None
