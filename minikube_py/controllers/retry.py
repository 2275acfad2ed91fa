"""When a controller looks again at an object whose sync failed: the work queue's rate limiter, in whole seconds.

The real queue waits 5 ms after the first failure and doubles up to 1000 s. The first eight tries fall into one second: a
controller makes them all at once (`further_tries`), so that as many refusals are told of as in a real cluster, and the
doubling starts at the retry that waits a whole second.
Source: k8s.io/client-go/util/workqueue/default_rate_limiters.go (NewTypedItemExponentialFailureRateLimiter).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Remember, Wake
from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Key, Object, Outcome, View
    from minikube_py.base.clock import Clock

DELAY_S_MAX = 1000
_FIRST_RETRY = 8  # 0.005 * 2**8 = 1.28 s


def namespace_goes(outcome: Outcome) -> bool:
    """Whether a create was refused because its namespace is being deleted: nothing is missed, and nobody need be told."""
    return isinstance(outcome, KpyError) and "because it is being terminated" in str(outcome)


def delay_s(failures: int) -> int:
    """Seconds to wait after that many failures in a row.

    0.005 * 2**(7 + failures): 1 failure 1 s, 2 failures 3 s, 3: 5 s, 4: 10 s, 5: 20 s, ..., at most 1000 s.
    """
    return min(DELAY_S_MAX, round(0.005 * float(2 ** (_FIRST_RETRY - 1 + min(failures, 12)))))


def further_tries(step: str, key: Key, view: View) -> int:
    """How often to try again at once what was refused: 7 times (after 5, 10, 20, ..., 320 ms) if it was the first refusal."""
    return 0 if view.memory(step, key).get("failures") else _FIRST_RETRY - 1


def again(step: str, key: Key, obj: Object, view: View, clock: Clock) -> Iterator[Remember | Wake]:
    """Remember one more failure and look again later; only the first retry keeps the cluster from being settled."""
    failures = int(view.memory(step, key).get("failures", 0)) + 1
    due_s = clock.now_s + delay_s(failures)
    yield Remember({"failures": failures, "due": due_s, "generation": obj["metadata"].get("generation", 0)})
    yield Wake(due_s, background=failures > 1)


def held(step: str, key: Key, obj: Object, view: View, clock: Clock) -> Wake | None:
    """The retry that is still to come: until then nothing is tried again, unless the object itself has changed.

    The real controller also tries when one of its pods changes. Here that would make the number of refusals depend on how
    often a step happens to run.
    """
    known = view.memory(step, key)
    due_s = int(known.get("due", 0))
    if clock.now_s >= due_s or known.get("generation") != obj["metadata"].get("generation", 0):
        return None
    return Wake(due_s, background=known["failures"] > 1)


def after(
    step: str, key: Key, obj: Object, view: View, clock: Clock, *, waiting: Wake | None, refused: bool
) -> Iterator[Remember | Wake]:
    """The end of a sync: wait on if it was held, note a refusal, or forget past ones."""
    if waiting is not None:
        yield waiting
    elif refused:
        yield from again(step, key, obj, view, clock)
    else:
        yield from forget(step, key, view)


def forget(step: str, key: Key, view: View) -> Iterator[Remember]:
    """A sync succeeded: the next failure starts over."""
    if view.memory(step, key):
        yield Remember({})
