"""Recordings that are lists of steps, replayed step by step: command lines and raw requests, with what they answered.

Between two steps as many whole seconds pass as lay between them. Ages, times and chance are masked.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base.errors import KpyError
from tests.traces.machine import EPOCH_S, Machine, Object, load, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_AGES = re.compile(r"(?<![\w.-])(\d+d)?(\d+h)?(\d+m)?\d+(\.\d+)?(s|m|h|d)\b(?! pod)")
_SPACES = re.compile(r" {2,}")
_VERSIONS = re.compile(r'"?resourceVersion"?: "\d+"')
_ADDRESSES = re.compile(r"\b10\.\d+\.\d+\.\d+\b")
_DATES = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4}")
_PROBES = re.compile(r"\n +Readiness: .*")  # the stand-in needed none
_BY_NAME = re.compile(r" get (events|controllerrevisions|\S*pod)")
_COUNTS = re.compile(r"  \d+$")
_LASTS = re.compile(r"\(x\d+ over AGE\)")


class Outcome(NamedTuple):
    """A step and what it answered there and here."""

    step: Object
    expected: str
    found: str

    @property
    def equal(self) -> bool:
        return self.expected == self.found

    @property
    def title(self) -> str:
        return f"{self.step['t']} {self.step.get('cmd') or self.step.get('api')} {self.step.get('note', '')}"


def shown(text: str) -> str:
    """Without ages, chance and the widths that depend on them."""
    text = _VERSIONS.sub("resourceVersion: N", _AGES.sub("AGE", masked(text)))
    text = _DATES.sub("DATE", text)
    text = _LASTS.sub("AGE", _ADDRESSES.sub("ADDRESS", text))
    text = text.replace("AGE AGE", "AGE")  # how often the same event came is a matter of retries
    lines = [_SPACES.sub("  ", line).rstrip() for line in text.splitlines()]
    return "\n".join(lines)


def replay(
    folder: Path,
    name: str,
    *,
    refusals_only: bool = False,
    settled: bool = False,
    nodes: tuple[str, ...] = (),
    namespaces: tuple[str, ...] = (),
    between: Callable[[Machine, Object], None] | None = None,
    epoch_s: int | None = None,
    each_second: Callable[[Machine], None] | None = None,
) -> Iterator[Outcome]:
    """Every command of a recording, or only those that were refused. `settled`: each finds a settled
    cluster, but for those that follow a rollout. `each_second` plays what is not played here. `between` does what the recording did besides: called before each step."""
    machine = Machine(folder, nodes, namespaces, epoch_s=epoch_s or EPOCH_S)
    try:
        before_s = 0.0
        for step in load(name)["steps"]:
            if between is not None:
                between(machine, step)
            if step.get("given"):  # created when its watch began
                _be_there(machine, f" -n {step['given']['metadata']['namespace']}")
                machine.cluster.create(as_here(step["given"]))
                machine.pass_time(0)
            passed = step["t"] - before_s
            if passed >= 1:
                _pass(machine, int(passed), each_second)
                before_s += int(passed)
            if refusals_only and not step.get("rc"):
                continue
            if "cmd" in step:
                _be_there(machine, step["cmd"])
                if settled and "rollout status" not in step["cmd"]:
                    machine.cluster.reconcile()
                yield run(machine, step)
                machine.pass_time(0)
            elif "api" in step:
                yield _request(machine, step)
                machine.pass_time(0)
    finally:
        machine.close()


def run(machine: Machine, step: Object) -> Outcome:
    """One recorded command line."""
    answer = machine.kpy(_named_here(machine, step["cmd"]), step.get("stdin") or "")
    expected = _text(step["cmd"], step["rc"], step["stdout"], step["stderr"])
    return Outcome(step, expected, _text(step["cmd"], *answer))


def _pass(machine: Machine, seconds: int, each_second: Callable[[Machine], None] | None) -> None:
    if each_second is None:
        machine.pass_time(seconds)
        return
    for _ in range(seconds):
        machine.pass_time(1)
        each_second(machine)
    machine.pass_time(0)


def _be_there(machine: Machine, command: str) -> None:
    """The recordings made their namespaces, and pods that use claims, by raw requests that they do not show."""
    found = re.search(r" -n (\S+)", command)
    if found and not any(one["metadata"]["name"] == found[1] for one in machine.cluster.list("namespaces")):
        machine.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": found[1]}})
        machine.pass_time(0)


def _named_here(machine: Machine, command: str) -> str:
    """A command about a pod whose name was given by chance is about the first such pod, by its node."""
    found = re.search(r" -n (\S+) delete pod (\S+)-([bcdfghjklmnpqrstvwxz2456789]{5})$", command)
    if not found:
        return command
    pods = [
        one for one in machine.cluster.list("pods", found[1]) if one["metadata"].get("generateName") == f"{found[2]}-"
    ]
    pods.sort(key=lambda pod: pod["spec"].get("nodeName") or "")
    return command.replace(f"{found[2]}-{found[3]}", pods[0]["metadata"]["name"]) if pods else command


def as_here(given: Object) -> Object:
    """A recorded workload for the kubelet here: the stand-in took the delay of readiness from an annotation."""
    spec = given["spec"]
    template = spec["template"]
    delay = (template["metadata"].get("annotations") or {}).get("oracle/ready-after")
    if delay:
        probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": int(delay[:-1]), "periodSeconds": 1}
        containers = [{**one, "readinessProbe": probe} for one in template["spec"]["containers"]]
        template = {**template, "spec": {**template["spec"], "containers": containers}}
    return {"apiVersion": "apps/v1", **given, "spec": {**spec, "template": template}}


def user_of(claim: str, name: str, namespace: str) -> Object:
    """A pod that uses a claim and that nobody schedules."""
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": claim}}
    container = {"name": "c", "image": "busybox"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"schedulerName": "none", "containers": [container], "volumes": [volume]},
    }


def _text(command: str, code: int, out: str, err: str) -> str:
    out = shown(out)
    out = "\n".join(line for line in out.splitlines() if "x-sts" not in line)  # left over from another recording
    out = _PROBES.sub("", out)
    if " rollout status" in command:  # what lies between the first line and the last is a matter of milliseconds
        out = "\n".join(out.splitlines()[-1:])
    if _BY_NAME.search(command):  # ordered by names, which are chance
        out = "\n".join(sorted({_COUNTS.sub("", line) for line in out.splitlines()}))
    return f"{code}\n{out}\n{shown(err)}"


def _request(machine: Machine, step: Object) -> Outcome:
    """A raw request: the ones that recordings hold are evictions and subresources."""
    method, _, path = step["api"].partition(" ")
    expected = f"{step['code']} {shown(_message(step['response']))}"
    try:
        code = _carry_out(machine, method, path, step.get("body"))
        return Outcome(step, expected, f"{code} ")
    except KpyError as error:
        return Outcome(step, expected, f"{getattr(error, 'code', 0)} {shown(str(error))}")


def _message(response: object) -> str:
    if isinstance(response, str):
        try:
            response = json.loads(response)
        except ValueError:
            return response
    return str(response.get("message", "")) if isinstance(response, dict) and response.get("kind") == "Status" else ""


def _carry_out(machine: Machine, method: str, path: str, body: object) -> int:
    parts = path.strip("/").split("/")
    if parts[-1] == "eviction":
        from minikube_py.api.types import Key
        from minikube_py.apiserver import eviction
        from minikube_py.apiserver.origin import ADMIN

        body = json.loads(body) if isinstance(body, str) else body
        options = (body or {}).get("deleteOptions") or {}  # type: ignore[attr-defined]
        key = Key("pods", parts[3], parts[5])
        with machine.cluster.transaction():
            eviction.evict(machine.cluster.server, key, grace_s=options.get("gracePeriodSeconds"), origin=ADMIN)
        return 201
    raise AssertionError(f"no recording asks for {method} {path}")
