"""The end of a namespace, and what every living one has: misc/namespace_deletion."""

from __future__ import annotations

from typing import Any

from minikube_py.api.types import Key, Patch, Remember, Wake
from minikube_py.base.clock import Clock
from minikube_py.controllers import namespace, root_ca, service_account
from tests.controllers.objects import at, configmap, pod
from tests.support import T0, Create, Delete, FrozenView, actions, of_type

DEFAULT = Key("namespaces", "", "default")
ACTIVE = {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def _going(seconds_ago: int) -> dict[str, Any]:
    meta = {"name": "default", "deletionTimestamp": at(seconds_ago)}
    return {**ACTIVE, "metadata": meta, "status": {"phase": "Terminating"}}


def _reasons(taken: list[Any]) -> list[tuple[str, str, str]]:
    (patch,) = [one for one in of_type(taken, Patch) if one.subresource == "status"]
    return [(one["status"], one["reason"], one["message"]) for one in patch.fields["status"]["conditions"]]


def test_nothing_happens_to_a_living_namespace() -> None:
    assert actions(namespace.step, ACTIVE, FrozenView({"configmaps": [configmap("a")]})) == []


def test_the_first_pass_comes_5_s_after_the_deletion() -> None:
    view = FrozenView({"configmaps": [configmap("a")]})
    assert actions(namespace.step, _going(0), view) == [Wake(T0.now_s + 5)]


def test_pods_go_first_and_all_else_waits_for_them() -> None:
    view = FrozenView({"pods": [pod("a")], "configmaps": [configmap("c")]})
    taken = actions(namespace.step, _going(5), view)
    assert of_type(taken, Delete) == [Delete(Key("pods", "default", "a"), propagation="Background")]
    assert _reasons(taken) == [
        ("False", "ResourcesDiscovered", "All resources successfully discovered"),
        ("False", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ("False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ("False", "ContentRemoved", "All content successfully removed"),
        ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ]
    assert taken[-2:] == [Remember({"due": T0.now_s + 5}), Wake(T0.now_s + 5)]


def test_held_content_shows_in_the_conditions() -> None:
    held = configmap("held", finalizers=["example.com/hold"], deletionTimestamp=at(1))
    taken = actions(namespace.step, _going(5), FrozenView({"configmaps": [held]}))
    assert _reasons(taken)[3:] == [
        ("True", "SomeResourcesRemain", "Some resources are remaining: configmaps. has 1 resource instances"),
        (
            "True",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        ),
    ]


def test_events_go_last() -> None:
    event = {"metadata": {"name": "e", "namespace": "default"}}
    view = FrozenView({"configmaps": [configmap("a")], "events": [event]})
    deleted = of_type(actions(namespace.step, _going(5), view), Delete)
    assert [one.key.resource for one in deleted] == ["configmaps", "events"]


def test_an_empty_namespace_loses_its_finalizer() -> None:
    taken = actions(namespace.step, _going(6), FrozenView({}))
    assert taken[-1] == Patch(DEFAULT, {"spec": {"finalizers": None}}, "finalize")


def test_every_active_namespace_gets_its_service_account_and_root_certificate() -> None:
    (account,) = actions(service_account.step, ACTIVE, FrozenView({}))
    assert account == Create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "default"}}
    )
    (published,) = actions(root_ca.step, ACTIVE, FrozenView({}))
    assert published.object["metadata"]["name"] == "kube-root-ca.crt"
    made = {**published.object, "data": {"ca.crt": "changed"}}
    (repaired,) = actions(root_ca.step, ACTIVE, FrozenView({"configmaps": [made]}))
    assert repaired.fields == {"data": published.object["data"]}
    assert actions(root_ca.step, ACTIVE, FrozenView({"configmaps": [published.object]})) == []


def test_a_namespace_that_goes_gets_nothing_more() -> None:
    for step in (service_account.step, root_ca.step):
        assert actions(step, _going(1), FrozenView({}), Clock(T0.now_s, 1)) == []
