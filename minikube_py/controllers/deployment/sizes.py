"""How large a ReplicaSet may be: pure arithmetic over a Deployment and its ReplicaSets.

Source: k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object, Objects

NO_LIMIT = 2**31 - 1


def replicas(obj: Object) -> int:
    """spec.replicas of a Deployment or a ReplicaSet."""
    wanted = obj["spec"].get("replicas", 1)
    return int(wanted)


def total(sets: Iterable[Object]) -> int:
    return sum(replicas(rs) for rs in sets)


def counted(sets: Iterable[Object], counter: str) -> int:
    """The sum of one counter of the statuses: 'replicas', 'readyReplicas', 'availableReplicas'."""
    return sum((rs.get("status") or {}).get(counter, 0) for rs in sets)


def active(sets: Iterable[Object]) -> Objects:
    return [rs for rs in sets if replicas(rs) > 0]


def is_rolling(deployment: Object) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def scaled(value: int | str, whole: int, *, up: bool) -> int:
    """An absolute number, or a percentage of `whole`: 25% of 10 is 3 rounded up and 2 rounded down."""
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%"))
    return -(-percent * whole // 100) if up else percent * whole // 100


def fenceposts(deployment: Object) -> tuple[int, int]:
    """(surge, unavailable) of a rolling update; both zero would never move, so unavailable is then 1.

    10 replicas with 25% and 25%: (3, 2).   1 replica: (1, 0).   3 replicas, surge 0, unavailable 10%: (0, 0) -> (0, 1).
    """
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    whole = replicas(deployment)
    surge = scaled(rolling.get("maxSurge", "25%"), whole, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), whole, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def max_surge(deployment: Object) -> int:
    """Pods above spec.replicas that a rolling update may have; 0 for Recreate."""
    return fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    """Pods below spec.replicas that a rolling update may have, at most all of them; 0 for Recreate."""
    if not is_rolling(deployment) or replicas(deployment) == 0:
        return 0
    return min(fenceposts(deployment)[1], replicas(deployment))


def new_set_size(deployment: Object, sets: Iterable[Object], new_size: int) -> int:
    """How large the new ReplicaSet may be now: up to the wanted size, while all ReplicaSets stay within the surge.

    may_add = replicas + surge - total(all)
    10 replicas, surge 3, old 10 and new 0: 13 - 10 = 3, so the new one gets 3. Then old 8 and new 3: 13 - 11 = 2, so 5.
    Recreate takes the whole size at once.
    """
    wanted = replicas(deployment)
    if not is_rolling(deployment):
        return wanted
    may_add = wanted + max_surge(deployment) - total(sets)
    if may_add <= 0:
        return new_size
    return new_size + min(may_add, wanted - new_size)


def may_remove(deployment: Object, sets: Objects, new: Object) -> int:
    """How many old pods may go, unhealthy ones included.

    may_remove = total(all) - (replicas - unavailable) - unavailable pods of the new ReplicaSet
    10 replicas, 2 unavailable, 3 surge:
      old 10, new 3 of which none is available: 13 - 8 - 3 = 2, so two old pods may go.
      old 8, new 5 of which none is available:  13 - 8 - 5 = 0, so the old set stays as it is.
      old 8, new 5 of which one is available:   13 - 8 - 4 = 1.
    """
    min_available = replicas(deployment) - max_unavailable(deployment)
    new_unavailable = replicas(new) - counted([new], "availableReplicas")
    return total(sets) - min_available - new_unavailable


def proportion(rs: Object, size_before_max: int, size_max: int, to_add: int, added: int) -> int:
    """This ReplicaSet's part of `to_add` pods (negative: to remove), of which `added` are given out already.

    part = round(size * size_max / size_before_max) - size, within what is left
    Scaled from 10 to 15 with surge 3 (13 -> 18 pods), old 8, new 5: 8 * 18 / 13 = 11.08 -> +3; 5 * 18 / 13 = 6.9 -> +2.
    """
    size, left = replicas(rs), to_add - added
    if size == 0 or to_add == 0 or left == 0:
        return 0
    if size_max == 0:
        part = -size
    elif size_before_max == 0:
        part = 0
    else:
        part = _rounded(size * size_max, size_before_max) - size
    return min(part, left) if to_add > 0 else max(part, left)


def _rounded(numerator: int, denominator: int) -> int:
    """Half up: 7/2 is 4."""
    return (2 * numerator + denominator) // (2 * denominator)


def oldest_first(sets: Iterable[Object]) -> Objects:
    return sorted(sets, key=lambda rs: (rs["metadata"].get("creationTimestamp", ""), rs["metadata"]["name"]))


def largest_first(sets: Iterable[Object], *, newer_first: bool) -> Objects:
    """By size, and among equals by age."""
    by_age = oldest_first(sets)
    if newer_first:
        by_age.reverse()
    return sorted(by_age, key=lambda rs: -replicas(rs))
