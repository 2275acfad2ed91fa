from __future__ import annotations

from minikube_py.api.types import Key, Patch
from minikube_py.controllers import resource_quota
from tests.controllers.objects import pod
from tests.support import FrozenView, actions

QUOTA = {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"pods": "3", "services": "1"}}}


def test_what_is_used_is_counted() -> None:
    view = FrozenView({"pods": [pod("a"), pod("b"), pod("c", phase="Succeeded")]})
    status = {"hard": {"pods": "3", "services": "1"}, "used": {"pods": "2", "services": "0"}}
    assert actions(resource_quota.step, QUOTA, view) == [
        Patch(Key("resourcequotas", "default", "q"), {"status": status}, "status")
    ]
    assert actions(resource_quota.step, {**QUOTA, "status": status}, view) == []
