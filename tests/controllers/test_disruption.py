from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Wake
from minikube_py.controllers import disruption
from tests.controllers.objects import at, owned_by, pod, replicaset
from tests.support import T0, FrozenView, actions


def _budget(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    meta = {"name": "web", "namespace": "default", "generation": 1}
    return {"metadata": meta, "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}, "status": status or {}}


def _view(wanted: int, ready: int, waiting: int = 0) -> FrozenView:
    rs = replicaset(replicas=wanted)
    owner = owned_by(rs, "ReplicaSet")
    pods = [pod(f"a{index}", ownerReferences=owner) for index in range(ready)]
    pods += [pod(f"b{index}", ownerReferences=owner, ready_ago=None) for index in range(waiting)]
    return FrozenView({"replicasets.apps": [rs], "pods": pods})


def _status(spec: dict[str, Any], view: FrozenView) -> tuple[int, ...]:
    (written,) = actions(disruption.step, _budget(**spec), view)
    status = written.fields["status"]
    return tuple(status[name] for name in ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"))


@pytest.mark.parametrize(
    ("spec", "wanted", "ready", "waiting", "status"),
    [
        ({"minAvailable": 3}, 3, 3, 0, (3, 3, 3, 0)),
        ({"minAvailable": 2}, 3, 3, 0, (3, 2, 3, 1)),
        ({"minAvailable": "80%"}, 10, 9, 1, (10, 8, 9, 1)),
        ({"maxUnavailable": 3}, 10, 9, 1, (10, 7, 9, 2)),
        ({"maxUnavailable": "50%"}, 3, 3, 0, (3, 1, 3, 2)),
        ({"minAvailable": 5}, 3, 3, 0, (3, 5, 3, 0)),
    ],
)
def test_how_many_may_go(spec: dict[str, Any], wanted: int, ready: int, waiting: int, status: tuple[int, ...]) -> None:
    assert _status(spec, _view(wanted, ready, waiting)) == status


def test_a_granted_eviction_counts_until_it_is_too_old() -> None:
    view = _view(3, 3)
    (written, wake) = actions(disruption.step, _budget({"disruptedPods": {"a0": at(20)}}, minAvailable=2), view)
    assert (written.fields["status"]["currentHealthy"], written.fields["status"]["disruptionsAllowed"]) == (2, 0)
    assert wake == Wake(T0.now_s + 100)
    (written,) = actions(disruption.step, _budget({"disruptedPods": {"a0": at(120)}}, minAvailable=2), view)
    assert written.fields["status"]["currentHealthy"] == 3


def test_the_condition_follows_the_number() -> None:
    (written,) = actions(disruption.step, _budget(minAvailable=3), _view(3, 3))
    (condition,) = written.fields["status"]["conditions"]
    assert (condition["status"], condition["reason"], condition["message"]) == ("False", "InsufficientPods", "")
