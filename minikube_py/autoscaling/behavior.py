"""From what the metrics ask for to what the autoscaler does: stabilization windows, scaling policies, limits.

Without spec.behavior: the highest recommendation of the last five minutes counts, and one sync goes at most to
max(2 * current, 4).
With it: going up, the lowest recommendation of the up window counts, going down the highest of the down window; then the
policies say how far the count may be from where the period began:
    policy {type: Percent, value: 10, periodSeconds: 60}, 20 replicas, none taken away in the last 60 s: down to 18
    15 s later 2 of 20 are gone in the period: the limit is still int(20 * 0.9) = 18, so it stays at 18
`Past` is the controller's memory. Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from minikube_py.api.types import Object

Said: TypeAlias = "tuple[str, str]"  # reason, message of a condition
Entry: TypeAlias = "list[float]"  # [replicas or change, second]

READY: Said = ("ReadyForNewScale", "recommended size matches current size")
DOWN_STABILIZED: Said = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
UP_STABILIZED: Said = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
IN_RANGE: Said = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FEW: Said = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
TOO_MANY: Said = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FAST_UP: Said = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_FAST_DOWN: Said = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")


class Past(NamedTuple):
    """Recommendations as [replicas, second], and changes done, up and down, as [change, second]; oldest samples are
    overwritten in place, as the controller does."""

    recommendations: list[Entry]
    ups: list[Entry]
    downs: list[Entry]


class Bounds(NamedTuple):
    current: int
    minimum: int
    maximum: int


class Decision(NamedTuple):
    replicas: int
    stabilized: int  # what the window made of the recommendation, before limits
    able: Said
    limited: Said
    is_limited: bool
    recommendations: list[Entry]


def decide(
    asked: int, bounds: Bounds, behavior: Object | None, past: Past, now_s: float, default_window_s: int
) -> Decision:
    """What becomes of a recommendation of `asked` replicas at `now_s`."""
    if behavior is None:
        stabilized, kept = _highest_of_window(asked, past.recommendations, now_s, default_window_s)
        able = READY if stabilized == asked else DOWN_STABILIZED
        replicas, limited = _within_defaults(stabilized, bounds)
    else:
        up, down = behavior.get("scaleUp") or {}, behavior.get("scaleDown") or {}
        windows = (up.get("stabilizationWindowSeconds", 0), down.get("stabilizationWindowSeconds", default_window_s))
        stabilized, moved, kept = _best_of_windows(asked, bounds.current, windows, past.recommendations, now_s)
        able = READY if stabilized == asked else moved
        replicas, limited = _within_policies(stabilized, bounds, up, down, past, now_s)
    return Decision(replicas, stabilized, able, limited, replicas != stabilized, kept)


def _highest_of_window(asked: int, entries: list[Entry], now_s: float, window_s: int) -> tuple[int, list[Entry]]:
    """A sample that is exactly as old as the window is out of it: two real syncs are always a moment more apart."""
    inside = [int(count) for count, at_s in entries if at_s > now_s - window_s]
    return max([asked, *inside]), _stored(entries, [asked, now_s], now_s - window_s)


def _best_of_windows(
    asked: int, current: int, windows: tuple[int, int], entries: list[Entry], now_s: float
) -> tuple[int, Said, list[Entry]]:
    """The current count, brought between the lowest recommendation of the up window and the highest of the down window.

    4 now, 2 asked, 40 asked 15 s ago, windows (0, 30): between 2 and 40 it stays at 4.
    """
    lowest = min([asked, *(int(count) for count, at_s in entries if at_s > now_s - windows[0])])
    highest = max([asked, *(int(count) for count, at_s in entries if at_s > now_s - windows[1])])
    said = UP_STABILIZED if asked >= current else DOWN_STABILIZED
    return min(max(current, lowest), highest), said, _stored(entries, [asked, now_s], now_s - max(windows))


def _stored(entries: list[Entry], new: Entry, cutoff_s: float) -> list[Entry]:
    """The entries with a new one, in place of the last of those that are out of every window."""
    old = [index for index, entry in enumerate(entries) if entry[1] <= cutoff_s]
    if not old:
        return [*entries, new]
    return [*entries[: old[-1]], new, *entries[old[-1] + 1 :]]


def _within_defaults(wanted: int, bounds: Bounds) -> tuple[int, Said]:
    fastest = max(2 * bounds.current, 4)
    highest, said = (fastest, TOO_FAST_UP) if bounds.maximum > fastest else (bounds.maximum, TOO_MANY)
    if wanted < bounds.minimum:
        return bounds.minimum, TOO_FEW
    return (highest, said) if wanted > highest else (wanted, IN_RANGE)


def _within_policies(
    wanted: int, bounds: Bounds, up: Object, down: Object, past: Past, now_s: float
) -> tuple[int, Said]:
    if wanted > bounds.current:
        fastest = max(bounds.current, highest_allowed(bounds.current, up, past, now_s))
        highest, said = (fastest, TOO_FAST_UP) if bounds.maximum > fastest else (bounds.maximum, TOO_MANY)
        return (highest, said) if wanted > highest else (wanted, IN_RANGE)
    if wanted < bounds.current:
        fastest = min(bounds.current, lowest_allowed(bounds.current, down, past, now_s))
        lowest, said = (fastest, TOO_FAST_DOWN) if bounds.minimum < fastest else (bounds.minimum, TOO_FEW)
        return (lowest, said) if wanted < lowest else (wanted, IN_RANGE)
    return wanted, IN_RANGE


def highest_allowed(current: int, rules: Object, past: Past, now_s: float) -> int:
    """How far up the policies let it go now; `current` where selectPolicy is Disabled."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    proposals = []
    for policy in rules.get("policies") or ():
        began, value = _began(current, policy, past, now_s), policy["value"]
        proposals.append(began + value if policy["type"] == "Pods" else ceil(began * (1 + value / 100)))
    choose = min if rules.get("selectPolicy") == "Min" else max
    return choose(proposals, default=current)


def lowest_allowed(current: int, rules: Object, past: Past, now_s: float) -> int:
    """How far down the policies let it go now; `current` where selectPolicy is Disabled."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    proposals = []
    for policy in rules.get("policies") or ():
        began, value = _began(current, policy, past, now_s), policy["value"]
        proposals.append(began - value if policy["type"] == "Pods" else int(began * (1 - value / 100)))
    choose = max if rules.get("selectPolicy") == "Min" else min  # Min is the smallest change
    return choose(proposals, default=current)


def _began(current: int, policy: Object, past: Past, now_s: float) -> int:
    """The replicas at the beginning of the period of a policy."""
    period_s = policy["periodSeconds"]
    return current - _change_in(period_s, past.ups, now_s) + _change_in(period_s, past.downs, now_s)


def _change_in(period_s: int, entries: list[Entry], now_s: float) -> int:
    return int(sum(change for change, at_s in entries if at_s > now_s - period_s))


def with_change(past: Past, behavior: Object | None, before: int, after: int, now_s: float) -> Past:
    """The past with a change that was carried out; it is only kept where policies will ask for it."""
    if behavior is None:
        return past
    name = "scaleUp" if after > before else "scaleDown"
    policies = (behavior.get(name) or {}).get("policies") or ()
    cutoff_s = now_s - max([policy["periodSeconds"] for policy in policies], default=0)
    if after > before:
        return past._replace(ups=_stored(past.ups, [after - before, now_s], cutoff_s))
    return past._replace(downs=_stored(past.downs, [before - after, now_s], cutoff_s))
