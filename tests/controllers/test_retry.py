from __future__ import annotations

import pytest

from minikube_py.api.types import Key, Remember, Wake
from minikube_py.base.errors import Forbidden
from minikube_py.controllers import retry
from tests.controllers.objects import replicaset
from tests.support import T0, FrozenView

KEY = Key("replicasets.apps", "default", "web-1")


@pytest.mark.parametrize(("failures", "delay_s"), [(1, 1), (2, 3), (3, 5), (4, 10), (5, 20), (30, 1000)])
def test_waits_double_up_to_a_limit(failures: int, delay_s: int) -> None:
    assert retry.delay_s(failures) == delay_s


def test_only_the_first_retry_keeps_a_cluster_from_being_settled() -> None:
    rs = replicaset()
    first = list(retry.again("replicaset", KEY, rs, FrozenView({}), T0))
    assert first == [Remember({"failures": 1, "due": T0.now_s + 1, "generation": 1}), Wake(T0.now_s + 1)]
    known = FrozenView({}, {("replicaset", KEY): {"failures": 1}})
    assert list(retry.again("replicaset", KEY, rs, known, T0))[1] == Wake(T0.now_s + 3, background=True)
    assert list(retry.forget("replicaset", KEY, known)) == [Remember({})]
    assert list(retry.forget("replicaset", KEY, FrozenView({}))) == []


def test_nothing_is_tried_again_before_its_time_unless_the_object_changes() -> None:
    rs = replicaset()
    known = FrozenView({}, {("replicaset", KEY): {"failures": 2, "due": T0.now_s + 3, "generation": 1}})
    assert retry.held("replicaset", KEY, rs, known, T0) == Wake(T0.now_s + 3, background=True)
    assert retry.held("replicaset", KEY, rs, known, T0.at(T0.now_s + 3)) is None
    changed = {**rs, "metadata": {**rs["metadata"], "generation": 2}}
    assert retry.held("replicaset", KEY, changed, known, T0) is None


def test_a_namespace_that_goes_is_told_from_other_refusals() -> None:
    gone = Forbidden(
        'pods "x" is forbidden: unable to create new content in namespace a because it is being terminated'
    )
    assert retry.namespace_goes(gone)
    assert not retry.namespace_goes(Forbidden('pods "x" is forbidden: exceeded quota: q'))
