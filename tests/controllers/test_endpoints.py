"""Endpoints and EndpointSlices, against those that a real cluster made for the same Services and pods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api.types import Key, Patch
from minikube_py.controllers import endpoints, endpointslice
from tests.controllers.objects import at, pod
from tests.support import Create, Delete, FrozenView, actions

RECORDED = json.loads((Path(__file__).parents[1] / "data/traces/services.json").read_text())
SERVICES = {one["metadata"]["name"]: one for one in RECORDED["services"]}
SLICES = "endpointslices.discovery.k8s.io"


def _by_number(ports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ports in one order: the real ones are in the order of a hash."""
    return sorted(ports, key=lambda port: int(port["port"]))


def _service(**spec: Any) -> dict[str, Any]:
    meta = {"name": "web", "namespace": "default", "uid": "uid-web", "creationTimestamp": at(50)}
    return {"metadata": meta, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}}


def _pod(name: str, ip: str, **more: Any) -> dict[str, Any]:
    made = pod(name, **more)
    return {**made, "status": {**made["status"], "podIP": ip}}


@pytest.mark.parametrize("recorded", RECORDED["endpointslices"], ids=lambda one: one["metadata"]["generateName"])
def test_slices_are_the_recorded_ones(recorded: dict[str, Any]) -> None:
    service = SERVICES[recorded["metadata"]["labels"]["kubernetes.io/service-name"]]
    (created,) = actions(endpointslice.step, service, FrozenView({"pods": RECORDED["pods"]}))
    assert isinstance(created, Create)
    made = created.object
    assert sorted(map(str, made["endpoints"])) == sorted(map(str, recorded["endpoints"])) or _same(made, recorded)
    assert _by_number(made["ports"]) == _by_number(recorded["ports"])
    assert made["metadata"]["labels"] == recorded["metadata"]["labels"]
    assert made["metadata"]["ownerReferences"] == recorded["metadata"]["ownerReferences"]
    assert made["addressType"] == recorded["addressType"]


def _same(made: dict[str, Any], recorded: dict[str, Any]) -> bool:
    def by_address(one: dict[str, Any]) -> list[str]:
        return one["addresses"]  # type: ignore[no-any-return]

    return sorted(made["endpoints"], key=by_address) == sorted(recorded["endpoints"], key=by_address)


@pytest.mark.parametrize("recorded", RECORDED["endpoints"], ids=lambda one: one["metadata"]["name"])
def test_endpoints_are_the_recorded_ones(recorded: dict[str, Any]) -> None:
    service = SERVICES[recorded["metadata"]["name"]]
    (created,) = actions(endpoints.step, service, FrozenView({"pods": RECORDED["pods"]}))
    assert isinstance(created, Create)
    assert created.object["subsets"] == recorded["subsets"]
    assert created.object["metadata"]["labels"] == recorded["metadata"]["labels"]


@pytest.mark.parametrize("name", ["ext", "nosel"])
def test_services_without_selector_get_neither(name: str) -> None:
    view = FrozenView({"pods": RECORDED["pods"]})
    assert actions(endpointslice.step, SERVICES[name], view) == []
    assert actions(endpoints.step, SERVICES[name], view) == []


@pytest.mark.parametrize(
    ("ready_ago", "meta", "conditions"),
    [
        (5, {}, (True, True, False)),
        (None, {}, (False, False, False)),
        (5, {"deletionTimestamp": at(1)}, (False, True, True)),
    ],
)
def test_conditions_of_an_endpoint(ready_ago: int | None, meta: dict[str, Any], conditions: tuple[bool, ...]) -> None:
    view = FrozenView({"pods": [_pod("a", "10.0.0.1", ready_ago=ready_ago, **meta)]})
    (created,) = actions(endpointslice.step, _service(), view)
    (endpoint,) = created.object["endpoints"]
    assert tuple(endpoint["conditions"][name] for name in ("ready", "serving", "terminating")) == conditions


def test_a_service_that_publishes_pods_that_are_not_ready() -> None:
    view = FrozenView({"pods": [_pod("a", "10.0.0.1", ready_ago=None)]})
    service = _service(publishNotReadyAddresses=True)
    assert actions(endpointslice.step, service, view)[0].object["endpoints"][0]["conditions"]["ready"] is True
    assert "addresses" in actions(endpoints.step, service, view)[0].object["subsets"][0]


def test_named_ports_are_looked_up_in_each_pod() -> None:
    def with_port(name: str, ip: str, number: int) -> dict[str, Any]:
        made = _pod(name, ip)
        container = {"name": "c", "ports": [{"name": "http", "containerPort": number}]}
        return {**made, "spec": {**made["spec"], "containers": [container]}}

    view = FrozenView({"pods": [with_port("a", "10.0.0.1", 8080), with_port("b", "10.0.0.2", 9090)]})
    service = _service(ports=[{"port": 80, "targetPort": "http"}])
    slices = [one.object for one in actions(endpointslice.step, service, view)]
    assert [(one["ports"][0]["port"], one["endpoints"][0]["addresses"]) for one in slices] == [
        (8080, ["10.0.0.1"]),
        (9090, ["10.0.0.2"]),
    ]


def _settled(pods: list[dict[str, Any]]) -> dict[str, Any]:
    """What the controller would make, as stored under a name."""
    (created,) = actions(endpointslice.step, _service(), FrozenView({"pods": pods}))
    made: dict[str, Any] = created.object
    return {**made, "metadata": {**made["metadata"], "name": "web-abcde"}}


def test_a_settled_service_writes_nothing() -> None:
    pods = [_pod("a", "10.0.0.1")]
    view = FrozenView({"pods": pods, SLICES: [_settled(pods)]})
    assert actions(endpointslice.step, _service(), view) == []


def test_endpoints_keep_their_place_and_new_ones_come_last() -> None:
    old = _settled([_pod("b", "10.0.0.2"), _pod("c", "10.0.0.3")])
    view = FrozenView({"pods": [_pod("a", "10.0.0.1", ready_ago=7), _pod("c", "10.0.0.3")], SLICES: [old]})
    (patched,) = actions(endpointslice.step, _service(), view)
    assert [one["addresses"][0] for one in patched.fields["endpoints"]] == ["10.0.0.3", "10.0.0.1"]
    changed = patched.fields["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"]
    assert changed == at(7)


def test_the_last_endpoint_leaves_an_empty_slice_of_the_same_name() -> None:
    old = _settled([_pod("a", "10.0.0.1")])
    (patched,) = actions(endpointslice.step, _service(), FrozenView({SLICES: [old]}))
    assert patched.key == Key(SLICES, "default", "web-abcde")
    assert (patched.fields["endpoints"], patched.fields["ports"]) == ([], [])


def test_a_slice_holds_at_most_100_endpoints() -> None:
    view = FrozenView({"pods": [_pod(f"p{index:03d}", f"10.0.{index // 250}.{index % 250}") for index in range(250)]})
    assert [len(one.object["endpoints"]) for one in actions(endpointslice.step, _service(), view)] == [100, 100, 50]


def test_endpoints_are_brought_up_to_date_and_go_with_their_service() -> None:
    (created,) = actions(endpoints.step, _service(), FrozenView({"pods": [_pod("a", "10.0.0.1")]}))
    old = created.object
    empty = FrozenView({"endpoints": [old]})
    (patched,) = actions(endpoints.step, _service(), empty)
    assert isinstance(patched, Patch)
    assert patched.fields["subsets"] is None
    assert actions(endpoints.clean_up, old, empty) == [Delete(Key("endpoints", "default", "web"))]
    assert actions(endpoints.clean_up, old, FrozenView({"services": [_service()]})) == []
