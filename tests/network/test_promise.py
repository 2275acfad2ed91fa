"""manifests/traffic/: what each way of rolling out, and of losing a node, costs the visitors. Four pods get 25/s each."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from tests.house.source import ROOT
from tests.network import scenarios

if TYPE_CHECKING:
    from minikube_py.cluster import Cluster

NAMES = {scenario.name: scenario for scenario in scenarios.SCENARIOS}


@cache
def played(name: str) -> Cluster:
    return scenarios.play(NAMES[name])


def of(name: str) -> dict[str, Any]:
    return scenarios.counts(played(name))


def test_a_careful_rollout_loses_nothing() -> None:
    found = of("careful")
    assert (found["requests"], found["errors"], found["causes"]) == (18000, 0, {})
    assert list(found["versions"]) == ["1.0", "1.1"]


def test_without_the_sleep_each_old_pod_loses_its_share_of_one_second() -> None:
    cluster = scenarios.Cluster.memory(nodes=4)
    scenarios.apply(cluster, "zero-downtime.yaml")
    path = "/spec/template/spec/containers/0/lifecycle"
    cluster.patch("deployments.apps", "shop", "default", [{"op": "remove", "path": path}], type="json")
    scenarios.apply(cluster, "shop.yaml")
    cluster.reconcile(for_s=30)
    scenarios.apply(cluster, "visitors.yaml")
    cluster.reconcile(for_s=60)
    scenarios.release("1.1")(cluster)
    cluster.reconcile(for_s=120)
    found = scenarios.counts(cluster)
    assert found["causes"] == {"refused": 4 * 25}  # four pods, 25 requests each in the second before kube-proxy knows
    assert {one[1] for one in found["pods"].values()} == {0, 25}


def test_a_careless_rollout_loses_requests_on_both_sides() -> None:
    found = of("careless")
    # Pods count as ready at their start and listen 8 s later; old ones refuse as soon as they are told to stop.
    assert found["causes"] == {"refused": 892}
    assert found["versions"]["1.0"][1] == 125 and found["versions"]["1.1"][1] == 767


def test_a_bad_release_is_caught_by_its_readiness_probe() -> None:
    found = of("bad-caught")
    assert found["errors"] == 0 and list(found["versions"]) == ["1.0"]
    pods = played("bad-caught").list("pods", "default", labels="app=shop")
    assert len(pods) == 5, "one new pod waits, and none of the old ones has gone"


def test_without_one_it_is_served_to_everybody() -> None:
    found = of("bad-served")
    assert found["causes"]["http-500"] > 10_000
    assert found["versions"]["bad"][0] == found["versions"]["bad"][1], "no answer of the bad release is a good one"


def test_a_lost_node_costs_its_share_until_its_pods_are_taken_out() -> None:
    found = of("node-spare")
    # Two of four pods, 50 requests a second: 50 s until the node counts as lost, 1 s until kube-proxy knows.
    assert found["causes"] == {"timeout": 51 * 50}


def test_a_single_replica_is_missed_until_another_one_is_ready() -> None:
    found = of("node-alone")
    assert found["causes"]["timeout"] == 51 * 100, "everything, until the endpoint is gone"
    assert found["causes"]["refused"] > 300 * 100, "then nobody is there until the pod is evicted and started elsewhere"
    last = found["timeline"][-1]
    assert last[3] == 0 and last[4] == 1, "in the end the new pod answers everything"


@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_of_the_docs_are_those_of_the_runs(name: str) -> None:
    path = ROOT / "docs" / f"traffic-{name}.svg"
    drawn = scenarios.picture(NAMES[name], played(name))
    if os.environ.get("KPY_GOLDEN"):
        path.write_text(drawn, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == drawn
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("name", NAMES)
def test_every_count_adds_up(name: str) -> None:
    found = of(name)
    assert found["errors"] == sum(found["causes"].values())
    assert found["requests"] == sum(point[2] for point in found["timeline"]) == (60 + NAMES[name].for_s) * 100
    assert sum(found["histogram"].values()) == found["requests"] - found["errors"]
    assert sum(one[0] for one in found["pods"].values()) == sum(one[0] for one in found["versions"].values())
