"""Whether and when an ended container starts again.

Sources: pkg/kubelet/container/helpers.go (ShouldContainerBeRestarted), kuberuntime_manager.go (doBackOff),
client-go/util/flowcontrol/backoff.go.
"""

from __future__ import annotations

BACKOFF_S = 10
BACKOFF_S_MAX = 300
FORGET_AFTER_S = 2 * BACKOFF_S_MAX  # ten minutes without a start: the delay begins at 10 s again


def should_restart(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def delay_s(backoff_s: int, backoff_at: int, ended_at: int) -> int:
    """Seconds to wait after an end; `backoff_s` 0: never restarted yet.

    Ends at 0, 1, 12 s of a container that runs 1 s: 0 -> at once (and 10 s are set), 1 -> 10 s, 12 -> 20 s.
    """
    return 0 if not backoff_s or ended_at - backoff_at > FORGET_AFTER_S else backoff_s


def next_backoff_s(backoff_s: int, backoff_at: int, ended_at: int) -> int:
    """The delay that the end after this start will meet: 10, 20, 40, 80, 160, 300, 300, ..."""
    if not backoff_s or ended_at - backoff_at > FORGET_AFTER_S:
        return BACKOFF_S
    return min(2 * backoff_s, BACKOFF_S_MAX)


def pull_delay_s(tries: int) -> int:
    """Seconds between the failed pull number `tries` (from 1) and the next one: 10, 20, 40, ... 300."""
    return int(min(BACKOFF_S << min(tries - 1, 10), BACKOFF_S_MAX))
