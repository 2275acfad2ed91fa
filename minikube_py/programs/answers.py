"""What a program answers to a probe at a second, in the kubelet's words, and when that may change.

Sources: pkg/probe/http/http.go, pkg/probe/tcp/tcp.go, pkg/probe/exec/exec.go, pkg/probe/grpc/grpc.go.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from minikube_py.programs import throttling
from minikube_py.programs.behaviour import Answer, Behaviour, at

if TYPE_CHECKING:
    from minikube_py.api.types import Object

CHANGES_MAX = 256  # an endless loop in a script: what it does behind its 256th sleep is taken as constant


class Question:
    """One probe of one container, ready to be asked at seconds since the container's start."""

    __slots__ = ("behaviour", "changes", "container", "ip", "pod", "probe", "rule", "sort")

    def __init__(self, probe: Object, container: Object, behaviour: Behaviour, ip: str, pod: Object) -> None:
        self.probe, self.container, self.behaviour, self.ip, self.pod = probe, container, behaviour, ip, pod
        self.sort = next((sort for sort in ("httpGet", "tcpSocket", "exec", "grpc") if sort in probe), "")
        self.rule = self._rule()
        self.changes = self._changes()

    def at(self, second: int) -> tuple[bool, str]:
        """(whether the probe succeeds, 'failed: ...' or 'errored: ...')."""
        if self.sort == "httpGet":
            return self._http(second)
        if self.sort == "tcpSocket":
            return self._tcp(second)
        if self.sort == "grpc":
            return self._grpc(second)
        return self._exec(second) if self.sort == "exec" else (True, "")

    def change_after(self, second: int) -> int | None:
        """The next second at which the answer may be another one; None if it stays."""
        return next((change for change in self.changes if change > second), None)

    def _rule(self) -> Answer | None:
        program, probe = self.behaviour, self.probe
        if self.sort == "httpGet":
            path, port = probe["httpGet"].get("path") or "/", self.port()
            return _match(program.http, path.partition("?")[0], port)
        if self.sort == "tcpSocket":
            return _match(program.tcp, "*", self.port())
        if self.sort == "grpc":
            return _match(program.grpc, probe["grpc"].get("service") or "", self.port())
        if self.sort == "exec":
            return _match(program.exec, " ".join(probe["exec"].get("command") or ()), 0)
        return None

    def _changes(self) -> tuple[int, ...]:
        found = {self.behaviour.start_s}
        if self.rule is not None:
            found.update(since for since, _ in self.rule.course)
        if self.sort == "httpGet":
            found.update(throttling.changes(self.behaviour, self.container))
        if self.sort != "exec":
            for other in self.behaviour.tcp:
                found.update(since for since, _ in other.course)
        elif self.rule is None and self.behaviour.shell is not None:
            found.update(self.behaviour.shell.changes()[:CHANGES_MAX])
        return tuple(sorted(found))

    def port(self) -> int:
        """The port asked, a name looked up among the container's ports; 0 if there is none of that name."""
        wanted = self.probe[self.sort].get("port", 0)
        if isinstance(wanted, int):
            return wanted
        for port in self.container.get("ports") or ():
            if port.get("name") == wanted:
                return int(port["containerPort"])
        return int(wanted) if str(wanted).isdigit() else 0

    def _host(self) -> str:
        return self.probe[self.sort].get("host") or self.ip

    def _refused(self, second: int) -> str:
        """Why no connection to the port can be made; '' if one can."""
        program, port = self.behaviour, self.port()
        listens = program.ports is None or port in program.ports or _names(program.http, port)
        course = _match(program.tcp, "*", port)
        if course is not None:
            listens = bool(at(course.course, second))
        if second >= program.start_s and listens:
            return ""
        return f"dial tcp {self._host()}:{port}: connect: connection refused"

    def _http(self, second: int) -> tuple[bool, str]:
        asked = self.probe["httpGet"]
        path = asked.get("path") or "/"
        url = f"{(asked.get('scheme') or 'HTTP').lower()}://{self._host()}:{self.port()}{'' if path[0] == '/' else '/'}{path}"
        refused = self._refused(second)
        if refused:
            return False, f'failed: Get "{url}": {refused}'
        status = 200 if self.rule is None else at(self.rule.course, second)
        if status is None:
            status = 200
        if status == 0 or self._is_late(second):
            why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return False, f'failed: Get "{url}": {why}'
        return 200 <= status < 400, f"failed: HTTP probe failed with statuscode: {status}"

    def _is_late(self, second: int) -> bool:
        """Whether the program, as slow as it is for want of CPU, answers after the probe's timeout."""
        limit_s = int(self.probe.get("timeoutSeconds", 0))
        return limit_s > 0 and throttling.speed(self.behaviour, self.container, second).latency_s > limit_s

    def _tcp(self, second: int) -> tuple[bool, str]:
        refused = self._refused(second)
        return not refused, f"failed: {refused}"

    def _grpc(self, second: int) -> tuple[bool, str]:
        if self._refused(second):
            limit_s = self.probe.get("timeoutSeconds", 1)
            where = f"{self._host()}:{self.port()}"
            return (
                False,
                f'failed: timeout: failed to connect service "{where}" within {limit_s}s: context deadline exceeded',
            )
        answer = "SERVING" if self.rule is None else at(self.rule.course, second) or "SERVING"
        return answer == "SERVING", f'failed: service unhealthy (responded with "{answer}")'

    def _exec(self, second: int) -> tuple[bool, str]:
        command = tuple(self.probe["exec"].get("command") or ())
        if self.rule is not None:
            found = at(self.rule.course, second)
            code, output = found if found is not None else (0, "")
        elif self.behaviour.shell is not None:
            result = self.behaviour.shell.execute(second, command)
            limit_s = self.probe.get("timeoutSeconds", 1)
            if result.took_s > limit_s:
                return False, f'failed: command timed out: "{" ".join(command)}" timed out after {limit_s}s'
            code, output = result.code, result.output
        else:
            code, output = (0, "") if second >= self.behaviour.start_s else (1, "")
        return code == 0, f"failed: {output}"


def _match(rules: tuple[Answer, ...], what: str, port: int) -> Answer | None:
    """The first rule for `what` on `port`."""
    for rule in rules:
        if rule.port in (0, port) and fnmatchcase(what, rule.what):
            return rule
    return None


def _names(rules: tuple[Answer, ...], port: int) -> bool:
    """Whether a rule names the port: a program that answers there also listens there."""
    return any(rule.port == port for rule in rules)
