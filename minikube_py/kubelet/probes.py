"""Startup, liveness and readiness probes, computed instead of performed.

A probe is asked at its anchor and then every `periodSeconds`. As long as its answer equals the result that already
counts, nothing can change until the program's answer does: the next instant worth looking at (`due`) is computed and
one wake is left for it. A probe that is healthy for ever has none. While an answer differs from the result, each
instant is looked at until the threshold is reached.

State of one probe: [anchor, run, answer, result, due]: instants are anchor + k * period; `run` equal answers in a row;
`due` 0 when nothing will change by itself. Source: pkg/kubelet/prober/worker.go, prober.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from minikube_py.kubelet import remote_probe
from minikube_py.programs import answers

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker

KINDS = ("startupProbe", "livenessProbe", "readinessProbe")
WORD = {"startupProbe": "startup", "livenessProbe": "liveness", "readinessProbe": "readiness"}
ASKED_MAX = 10_000  # instants of one probe within one run
FOREGROUND_S = 60

State: TypeAlias = "list[int]"
Asked: TypeAlias = "answers.Question | remote_probe.RemoteQuestion"


class Probe(NamedTuple):
    """The numbers of a probe, defaulted, in seconds."""

    delay_s: int
    period_s: int
    success: int
    failure: int


def begin(container: Object, started: int) -> Object:
    """The states of a container's probes at its start; {} if it has none. Only liveness starts out as a success."""
    found: Object = {}
    for kind in KINDS:
        probe = container.get(kind)
        if probe:
            gated = kind != "startupProbe" and bool(container.get("startupProbe"))
            anchor = 0 if gated else started + _numbers(probe).delay_s
            is_liveness = kind == "livenessProbe"
            found[kind] = [anchor, 0, 1 if is_liveness else -1, int(is_liveness), anchor]
    return found


def passed(record: Object, kind: str) -> bool:
    """Whether the probe of that kind has succeeded, or there is none."""
    state = record.get("probes", {}).get(kind)
    return state is None or bool(state[3])


def run(worker: Worker, container: Object, record: Object) -> tuple[Object, str]:
    """Bring the probes of a running container up to now: (their states, the word of the one that kills it or '')."""
    states: Object = dict(record["probes"])
    for kind in KINDS:
        state = states.get(kind)
        if state is None or (kind == "startupProbe" and state[3]):
            continue
        if state[0] == 0:  # waits for the startup probe
            startup = states["startupProbe"]
            if not startup[3]:
                continue
            anchor = max(record["started"] + _numbers(container[kind]).delay_s, worker.now)
            state = [anchor, *state[1:4], anchor]
        states[kind], is_fatal = _advance(worker, container, record, kind, list(state))
        if is_fatal:
            return states, WORD[kind]
    return states, ""


def _advance(worker: Worker, container: Object, record: Object, kind: str, state: State) -> tuple[State, bool]:
    """One probe up to now; True if its failure kills the container."""
    probe, numbers = container[kind], _numbers(container[kind])
    started, now = record["started"], worker.now
    own = answers.Question(probe, container, worker.behaviour(container), worker.memory.get("ip", ""), worker.pod)
    host = remote_probe.host_of(probe, worker)
    asked = remote_probe.RemoteQuestion(probe, host, own.port(), worker) if host else own
    for _ in range(ASKED_MAX):
        due = state[4]
        if not due or due > now:
            break
        is_good, text = asked.at(due - started)
        is_news = is_good != bool(state[3]) or not _is_settled(kind, state)
        state = [state[0], state[1] + 1 if state[2] == is_good else 1, int(is_good), state[3], due + numbers.period_s]
        if not is_good and is_news:
            message = f"{WORD[kind].capitalize()} probe {text}"
            worker.event("Warning", "Unhealthy", message, container)
        if state[1] >= (numbers.success if is_good else numbers.failure):
            if not is_good and kind != "readinessProbe":
                return [*state[:3], 0, 0], True
            state[3] = int(is_good)
        if kind == "startupProbe" and state[3]:
            return [*state[:4], 0], False
        if _is_settled(kind, state):
            state[4] = _next_due(asked, numbers, state, started, due)
    if _is_settled(kind, state):
        # Its program may have been changed since: what was due is computed again from now on.
        state[4] = _next_due(asked, numbers, state, started, now)
    if state[4]:
        again = record["restarts"] > 0 and kind != "readinessProbe"
        if host and _is_settled(kind, state):  # who waits for another host to come is waited for, up to the threshold
            again = again or bool(state[3]) or state[1] >= numbers.failure
        worker.wake(state[4], background=again or (_is_settled(kind, state) and state[4] - now > FOREGROUND_S))
    return state, False


def _is_settled(kind: str, state: State) -> bool:
    """Whether further equal answers change nothing; each failure of a startup probe counts towards its threshold."""
    return state[2] == state[3] and kind != "startupProbe"


def _next_due(asked: Asked, numbers: Probe, state: State, started: int, after: int) -> int:
    """The first instant behind `after` at which the answer differs from the result; 0 if there is none. The answer of another
    host is not known beforehand: the next instant.

    Anchor 100, period 10, healthy until 30 s after the start at 100: instants 110, 120 are passed over, 130 is due.
    """
    instant = _instant(state[0], numbers.period_s, after + 1)
    if isinstance(asked, remote_probe.RemoteQuestion):
        return instant
    for _ in range(ASKED_MAX):
        if asked.at(instant - started)[0] != bool(state[3]):
            return instant
        change = asked.change_after(instant - started)
        if change is None:
            return 0
        instant = _instant(state[0], numbers.period_s, max(started + change, instant + 1))
    return instant


def _instant(anchor: int, period_s: int, at_least: int) -> int:
    if at_least <= anchor:
        return anchor
    return anchor + -(-(at_least - anchor) // period_s) * period_s


def _numbers(probe: Object) -> Probe:
    return Probe(
        probe.get("initialDelaySeconds", 0),
        max(probe.get("periodSeconds", 10), 1),
        max(probe.get("successThreshold", 1), 1),
        max(probe.get("failureThreshold", 3), 1),
    )


def grace_s(worker: Worker, container: Object, word: str) -> int | None:
    """The probe's own grace period for the kill it causes, else None: the pod's."""
    found = container[word + "Probe"].get("terminationGracePeriodSeconds")
    return None if found is None else int(found)
