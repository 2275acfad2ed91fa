"""The annotations by which a Deployment remembers on its ReplicaSets: revision, history, desired and highest size.

Source: k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go (SetNewReplicaSetAnnotations and around).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.controllers.deployment import sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
HIGHEST = "deployment.kubernetes.io/max-replicas"
_HISTORY_CHARS_MAX = 2000

# Annotations that are the Deployment's own affair; all others (such as kubernetes.io/change-cause) are copied down.
_NOT_COPIED = frozenset(
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        DESIRED,
        HIGHEST,
        "deprecated.deployment.rollback.to",
    )
)


def of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def number(obj: Object, name: str) -> int | None:
    """An annotation that holds a number; None if it is missing or no number."""
    text = of(obj).get(name, "")
    return int(text) if text.isdecimal() else None


def highest(sets: Iterable[Object]) -> int:
    """The highest revision among ReplicaSets, 0 if there is none."""
    return max((number(rs, REVISION) or 0 for rs in sets), default=0)


def copied(deployment: Object) -> dict[str, str]:
    """What a new ReplicaSet inherits of the Deployment's annotations."""
    return {name: text for name, text in of(deployment).items() if name not in _NOT_COPIED}


def size_annotations(deployment: Object) -> dict[str, str]:
    wanted = sizes.replicas(deployment)
    return {DESIRED: str(wanted), HIGHEST: str(wanted + sizes.max_surge(deployment))}


def for_created(deployment: Object, revision: int) -> dict[str, str]:
    return {**copied(deployment), REVISION: str(revision), **size_annotations(deployment)}


def changes_for_existing(deployment: Object, rs: Object, revision: int) -> dict[str, str]:
    """Annotations to change on a ReplicaSet that is (again) the new one: {} if none.

    Used again, it takes the next number and puts its last one into its history:
    revision 2, history none, next 4 -> revision 4, history "2"; then next 6 -> revision 6, history "2,4".
    """
    old = of(rs)
    changes = {name: text for name, text in copied(deployment).items() if old.get(name) != text}
    before = number(rs, REVISION)
    if REVISION in old and before is None:
        return changes  # not a number: left alone
    if (before or 0) < revision:
        changes[REVISION] = str(revision)
        if before is not None:
            past = [*filter(None, old.get(HISTORY, "").split(",")), str(before)]
            while len(",".join(past)) > _HISTORY_CHARS_MAX:
                past.pop(0)
            changes[HISTORY] = ",".join(past)
    return changes
