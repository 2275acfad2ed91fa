"""Who writes: carried by every verb into admission and the log."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """`actor`: component ('deployment-controller') or client ('kubectl-client-side-apply'), for the log.

    `cause`: the revision that led to this write, 0 if a person did. `trusted`: a component of the cluster, whose objects
    need no decoding. `user`, `groups`, `uid`, `extra`: for authorization and admission.
    """

    actor: str
    cause: int = 0
    trusted: bool = False
    user: str = "kubernetes-admin"
    groups: tuple[str, ...] = ("system:masters", "system:authenticated")
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


ADMIN = Origin("kubectl")
