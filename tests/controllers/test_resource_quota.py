"""The quota controller: used amounts follow the objects."""

from __future__ import annotations

from typing import Any

from minikube_py.api.types import Key, Patch
from minikube_py.controllers.resource_quota import step
from tests.support import FrozenView, actions

Object = dict[str, Any]
KEY = Key("resourcequotas", "default", "q")


def quota(status: Object | None = None, **spec: Any) -> Object:
    obj = {
        "metadata": {"name": "q", "namespace": "default"},
        "spec": {"hard": {"pods": "3", "requests.cpu": "1"}, **spec},
    }
    return obj if status is None else {**obj, "status": status}


def pod(name: str, phase: str = "Running", **spec: Any) -> Object:
    containers = [{"name": "c", "resources": {"requests": {"cpu": "200m"}}}]
    meta = {"name": name, "namespace": "default"}
    return {"metadata": meta, "spec": {"containers": containers, **spec}, "status": {"phase": phase}}


def view(*pods: Object) -> FrozenView:
    return FrozenView({"pods": list(pods)})


def test_a_new_quota_is_filled_in() -> None:
    used = {"pods": "2", "requests.cpu": "400m"}
    expected = Patch(KEY, {"status": {"hard": {"pods": "3", "requests.cpu": "1"}, "used": used}}, "status")
    assert actions(step, quota({}), view(pod("a"), pod("b"), pod("done", "Succeeded"))) == [expected]


def test_what_a_deletion_set_free_is_taken_off() -> None:
    status = {"hard": {"pods": "3", "requests.cpu": "1"}, "used": {"pods": "2", "requests.cpu": "400m"}}
    expected = Patch(KEY, {"status": {"used": {"pods": "1", "requests.cpu": "200m"}}}, "status")
    assert actions(step, quota(status), view(pod("a"))) == [expected]


def test_scopes_choose_the_pods_that_count() -> None:
    status = {"hard": {"pods": "3", "requests.cpu": "1"}, "used": {"pods": "1", "requests.cpu": "200m"}}
    pods = view(pod("a"), pod("b", activeDeadlineSeconds=10))
    assert actions(step, quota(status, scopes=["Terminating"]), pods) == []
    assert actions(step, quota(status, scopes=["NotTerminating"]), pods) == []


def test_nothing_is_written_when_nothing_changed() -> None:
    status = {"hard": {"pods": "3", "requests.cpu": "1"}, "used": {"pods": "0", "requests.cpu": "0"}}
    assert actions(step, quota(status), view()) == []
