"""What the network answers to the scripts of running containers: asked at their start and at each change that may matter,
and kept in the pod's memory under `asks` (`programs.tape`).

Wakes (through the bucket of pods that ask): EndpointSlices and Services that a script names, NetworkPolicies, Faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.kubelet.worker import ALIVE
from minikube_py.programs import behaviour as programs
from minikube_py.programs import tape as tapes

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker
    from minikube_py.programs.tape import Said, Tape

FOREGROUND_S = 60


def informed(worker: Worker, container: Object, found: programs.Behaviour, pod: Object) -> programs.Behaviour:
    """The behaviour of a container whose script asks the network, by what it was and is answered."""
    record, name = worker.records.get(container["name"]), container["name"]
    if found.shell is None or record is None or record["state"] not in ALIVE:
        return found
    second = worker.now - record["started"]
    kept = (worker.memory.get("asks") or {}).get(name)
    is_new = not kept or kept["started"] != record["started"]
    before: Tape = () if is_new else tapes.of(worker.memory, name, record["started"])
    tape = tapes.brought_up_to(found.shell._replace(tape=before), second, _asker(worker, pod), is_new)
    if is_new or tape != before:
        noted = [
            [command, [[since, [list(one) for one in said]] for since, said in entries]] for command, entries in tape
        ]
        mine: Object = {"started": record["started"], "tape": noted}
        former = kept if is_new else (kept or {}).get("former")
        if former:
            mine["former"] = {"started": former["started"], "tape": former["tape"]}
        worker.memory = {**worker.memory, "asks": {**(worker.memory.get("asks") or {}), name: mine}}
    return programs.behaviour(container, pod, worker.view, worker.clock, tape)


def _asker(worker: Worker, pod: Object) -> tapes.Asker:
    from minikube_py.network import clients

    def ask(command: str, words: list[str]) -> tuple[Said, ...] | None:
        said, until = clients.every(pod, worker.view, worker.clock, command, words)
        if until > worker.now:
            worker.wake(until, background=until - worker.now > FOREGROUND_S)
        return said

    return ask
