"""The plugins' arguments, with scores worked out by hand, and the attach limits of CSI drivers."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.scheduler.cache import Cache
from minikube_py.scheduler.cycle import decide
from minikube_py.scheduler.explain import scores_of
from minikube_py.scheduler.plugins.node_resources_fit import LEAST, MOST, RATIO, Strategy, by_shape
from minikube_py.scheduler.profile import PROFILE, ProfileArguments, profile
from minikube_py.scheduler.settings import Settings
from tests.support import T0, FrozenView

Object = dict[str, Any]


def node(name: str, labels: dict[str, str] | None = None, **room: str) -> Object:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "spec": {},
        "status": {"allocatable": {"pods": "110", **room}},
    }


def pod(
    name: str, on: str = "", labels: dict[str, str] | None = None, spec: Object | None = None, **requests: str
) -> Object:
    where = {"nodeName": on} if on else {}
    container = {"name": "c", "image": "web:1", "resources": {"requests": requests}}
    return {
        "metadata": {"name": name, "namespace": "default", "uid": name, "labels": labels or {}},
        "spec": {"containers": [container], **where, **(spec or {})},
        "status": {},
    }


def only(arguments: ProfileArguments) -> Settings:
    return Settings({"default-scheduler": profile(arguments)})


def scores(strategy: Strategy, web: Object, *others: Object) -> dict[str, int]:
    objects = {"nodes": [found for found in others if "allocatable" in found["status"]]}
    objects["pods"] = [web, *(found for found in others if "containers" in found["spec"])]
    cache = Cache(FrozenView(objects), only(ProfileArguments(scoring=strategy)))
    return {name: found["NodeResourcesFit"] for name, found in scores_of(web, cache).items()}


# The example of "Resource Bin Packing" in the Kubernetes documentation: a pod that asks for 2 of intel.com/foo, 256 MB and
# 2 cpus, with the weights 5, 1 and 3. There scores go from 0 to 10 and are cut, here from 0 to 100.
FOO = "intel.com/foo"
WEIGHTS = ((FOO, 5), ("memory", 1), ("cpu", 3))
WEB = pod("web", **{FOO: "2", "memory": "256M", "cpu": "2"})
CLUSTER = (
    node("one", **{FOO: "4", "memory": "1024M", "cpu": "8"}),
    node("two", **{FOO: "8", "memory": "1024M", "cpu": "8"}),
    pod("a", "one", **{FOO: "1", "memory": "256M", "cpu": "1"}),
    pod("b", "two", **{FOO: "2", "memory": "512M", "cpu": "6"}),
)


@pytest.mark.parametrize(
    ("strategy", "one", "two"),
    [
        # foo 3/4 = 75, memory 512/1024 = 50, cpu 3/8 = 37: (75*5 + 50 + 37*3) / 9 = 59.6
        # foo 4/8 = 50, memory 768/1024 = 75, cpu 8/8 = 100: (50*5 + 75 + 100*3) / 9 = 69.4
        (Strategy(RATIO, WEIGHTS, ((0, 0), (100, 10))), 60, 69),
        (Strategy(MOST, WEIGHTS), 59, 69),
        # foo 25, memory 50, cpu 62: (125 + 50 + 186) / 9 = 40.1; foo 50, memory 25, cpu 0: (250 + 25) / 9 = 30.6
        (Strategy(LEAST, WEIGHTS), 40, 30),
        # The emptier the better, turned round: foo 25, memory 50, cpu 63 (of 37 % used): (125 + 50 + 189) / 9 = 40.4
        # cpu is used up and scores 0, which does not count: (50*5 + 25) / 6 = 45.8
        (Strategy(RATIO, WEIGHTS, ((0, 10), (100, 0))), 40, 46),
        # Only cpu counts: 5/8 and 0/8 are free.
        (Strategy(LEAST, (("cpu", 1),)), 62, 0),
    ],
)
def test_nodes_compare_as_the_strategy_says(strategy: Strategy, one: int, two: int) -> None:
    assert scores(strategy, WEB, *CLUSTER) == {"one": one, "two": two}


def test_a_resource_that_the_pod_does_not_ask_for_counts_only_if_it_is_a_common_one() -> None:
    web = pod("web", cpu="4")
    found = scores(
        Strategy(LEAST, ((FOO, 5), ("cpu", 1))), web, node("a", **{"cpu": "8", FOO: "4"}), node("b", cpu="16")
    )
    assert found == {"a": 50, "b": 75}


def test_containers_without_requests_count_with_100m_and_200_mebibytes() -> None:
    found = scores(Strategy(MOST), pod("web"), node("a", cpu="1", memory="2000Mi"), node("b", cpu="2", memory="400Mi"))
    assert found == {"a": 10, "b": (5 + 50) // 2}


@pytest.mark.parametrize(
    ("used", "score"), [(0, 0), (20, 20), (40, 40), (60, 70), (80, 100), (90, 90), (100, 80), (120, 80)]
)
def test_a_shape_is_followed_from_point_to_point(used: int, score: int) -> None:
    assert by_shape(((0, 0), (40, 4), (80, 10), (100, 8)), used, 100) == score


def test_an_added_affinity_is_enforced_and_scored() -> None:
    def term(value: str) -> Object:
        return {"matchExpressions": [{"key": "pool", "operator": "In", "values": [value]}]}

    added = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term("web"), term("batch")]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 5, "preference": term("batch")}],
    }
    web = pod("web", cpu="1")
    nodes = [node(name, {"pool": pool}, cpu="4") for name, pool in (("a", "web"), ("b", "batch"), ("c", "other"))]
    configured = only(ProfileArguments(added_affinity=added))
    cache = Cache(FrozenView({"nodes": nodes, "pods": [web]}), configured)
    assert {name: found["NodeAffinity"] for name, found in scores_of(web, cache).items()} == {"a": 0, "b": 200}
    lonely = Cache(FrozenView({"nodes": nodes[2:], "pods": [web]}), configured)
    (refusal,) = decide(web, lonely, T0).refusals
    assert refusal.reasons == ("node(s) didn't match scheduler-enforced node affinity",)


@pytest.mark.parametrize(
    ("action", "own", "chosen"),
    [
        ("DoNotSchedule", False, "c"),
        ("ScheduleAnyway", False, "c"),
        ("DoNotSchedule", True, "a"),  # a pod's own constraints take their place
    ],
)
def test_the_clusters_default_constraints_count_for_pods_without_their_own(action: str, own: bool, chosen: str) -> None:
    default = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": action}
    nodes = [
        node(name, {"zone": zone}, cpu=cpu) for name, zone, cpu in (("a", "x", "64"), ("b", "x", "4"), ("c", "y", "4"))
    ]
    service = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": {"app": "web"}}}
    other = {"maxSkew": 9, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    spec = {"topologySpreadConstraints": [other]} if own else {}
    web = pod("web", "", {"app": "web"}, spec, cpu="1")
    old = pod("old", "b", {"app": "web"}, cpu="1")
    view = FrozenView({"nodes": nodes, "pods": [web, old], "services": [service]})
    cache = Cache(view, only(ProfileArguments(default_constraints=[default])))
    assert decide(web, cache, T0).node == chosen


def test_the_default_profile_is_made_of_the_default_arguments() -> None:
    made = profile(ProfileArguments())
    assert [plugin.name for plugin in made.filters] == [plugin.name for plugin in PROFILE.filters]
    assert [(row.plugin.name, row.weight) for row in made.scores] == [
        (row.plugin.name, row.weight) for row in PROFILE.scores
    ]


def claim(name: str) -> tuple[Object, Object]:
    bound = {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
    return (
        {"metadata": {"name": name, "namespace": "default", **bound}, "spec": {"volumeName": f"pv-{name}"}},
        {"metadata": {"name": f"pv-{name}"}, "spec": {"csi": {"driver": "disk.example.com", "volumeHandle": name}}},
    )


@pytest.mark.parametrize(
    ("limit", "there", "fits"),
    [
        (None, ("one", "two"), True),
        (2, ("one",), True),
        (2, ("one", "two"), False),
        (2, ("one", "web"), True),  # the volume is on the node already
        (0, (), False),
    ],
)
def test_a_node_attaches_so_many_volumes_of_a_driver(limit: int | None, there: tuple[str, ...], fits: bool) -> None:
    def mounting(name: str, volume: str, on: str = "") -> Object:
        return pod(name, on, spec={"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": volume}}]})

    claims = [claim(name) for name in ("one", "two", "web")]
    web = mounting("new", "web")
    driver: Object = {"name": "disk.example.com", "nodeID": "a"}
    if limit is not None:
        driver["allocatable"] = {"count": limit}
    view = FrozenView(
        {
            "nodes": [node("a")],
            "pods": [web, *(mounting(f"old-{name}", name, "a") for name in there)],
            "persistentvolumeclaims": [found for found, _ in claims],
            "persistentvolumes": [found for _, found in claims],
            "csinodes.storage.k8s.io": [{"metadata": {"name": "a"}, "spec": {"drivers": [driver]}}],
        }
    )
    decision = decide(web, Cache(view), T0)
    assert decision.node == ("a" if fits else "")
    assert [refusal.reasons for refusal in decision.refusals] == (
        [] if fits else [("node(s) exceed max volume count",)]
    )
