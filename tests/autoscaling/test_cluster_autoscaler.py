"""Node groups grow for pods that find no node, and shrink when nobody needs their nodes."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.autoscaling import ca_flags, expanders, node_groups, scale_down, scale_up
from minikube_py.autoscaling.node_groups import Group
from minikube_py.autoscaling.scale_up import Option
from minikube_py.base.clock import Clock, seconds, timestamp
from minikube_py.cluster import Cluster
from tests.support import FrozenView

Object = dict[str, Any]


def cluster_with(*groups: Object) -> Cluster:
    cluster = Cluster.memory(nodes=1, seed=1)
    for group in groups:
        cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "NodeGroup", **group})
    return cluster


def group(name: str, minimum: int = 0, maximum: int = 5, *, cpu: str = "2", memory: str = "4Gi", **spec: Any) -> Object:
    template = {"capacity": {"cpu": cpu, "memory": memory}, **spec.pop("template", {})}
    return {"metadata": {"name": name}, "spec": {"minimum": minimum, "maximum": maximum, "template": template, **spec}}


def deployment(replicas: int, cpu: str = "900m", memory: str = "100Mi", **pod: Any) -> Object:
    resources = {"requests": {"cpu": cpu, "memory": memory}}
    spec = {"containers": [{"name": "c", "image": "nginx", "resources": resources}], **pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec},
        },
    }


def scale(cluster: Cluster, replicas: int) -> None:
    cluster.patch("deployments.apps", "web", "default", {"spec": {"replicas": replicas}})


def members(cluster: Cluster, name: str) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.list("nodes", None, f"{node_groups.LABEL}={name}")]


def events(cluster: Cluster, reason: str) -> list[str]:
    return sorted({one["message"] for one in cluster.list("events") if one["reason"] == reason})


def test_a_group_begins_with_its_minimum_in_its_zones_by_turns() -> None:
    cluster = cluster_with(group("g", 3, zones=["a-1", "a-2"], template={"labels": {"disk": "ssd"}}))
    assert cluster.reconcile().settled
    nodes = cluster.list("nodes", None, "disk=ssd")
    zones = sorted(one["metadata"]["labels"]["topology.kubernetes.io/zone"] for one in nodes)
    assert zones == ["a-1", "a-1", "a-2"]


def test_pods_that_find_no_node_get_as_many_as_the_packing_says_and_no_more() -> None:
    cluster = cluster_with(group("g", 1, 10))
    cluster.create(deployment(1))
    cluster.reconcile()
    scale(cluster, 9)
    assert not cluster.reconcile().unhealthy
    assert len(members(cluster, "g")) == 5  # two pods of 900m on each node of 2
    assert events(cluster, "TriggeredScaleUp") == ["pod triggered scale-up: [{g 1->5 (max: 10)}]"]


def test_what_no_group_takes_is_told_once_with_its_reasons() -> None:
    cluster = cluster_with(group("full", 1, 1), group("small", 0, 3, cpu="500m"), group("other", 0, 3, template={
        "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}))  # fmt: skip
    cluster.create(deployment(3))
    cluster.reconcile()
    told = events(cluster, "NotTriggerScaleUp")
    text = "1 Insufficient cpu, 1 max node group size reached, 1 node(s) had untolerated taint(s)"
    assert told == [f"pod didn't trigger scale-up: {text}"]
    before = cluster.store.revision
    cluster.reconcile(for_s=60)
    again = [one for one in cluster.changes(before) if one.key.resource == "events" and "trigger" in str(one.new)]
    assert again == []


def test_idle_nodes_go_after_ten_minutes_and_half_empty_ones_are_drained_one_by_one() -> None:
    cluster = cluster_with(group("g", 1, 10))
    cluster.create(deployment(8))
    cluster.reconcile()
    assert len(members(cluster, "g")) == 4
    scale(cluster, 2)
    cluster.reconcile()
    cluster.reconcile(for_s=500)
    assert len(members(cluster, "g")) == 4
    cluster.reconcile(for_s=300)
    assert len(members(cluster, "g")) == 1
    assert not cluster.reconcile().unhealthy
    cluster.reconcile(for_s=3600)
    assert len(members(cluster, "g")) == 1  # the minimum


def node(cpu: str = "4", memory: str = "8Gi") -> Object:
    return {
        "metadata": {"name": "n"},
        "spec": {},
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": "9"}},
    }


NOW = 1_000_000


def pod(name: str = "p", *, owner: str = "ReplicaSet", namespace: str = "default", **more: Any) -> Object:
    owners = [{"kind": owner, "name": "o", "uid": "u", "controller": True}] if owner else []
    more.setdefault("creationTimestamp", timestamp(NOW - 60))
    resources = {"requests": {"cpu": "1", "memory": "5Gi"}}
    spec = {"nodeName": "n", "containers": [{"name": "c", "resources": resources}], **more.pop("spec", {})}
    meta = {"name": name, "namespace": namespace, "labels": {"app": "web"}, "ownerReferences": owners, **more}
    return {"metadata": meta, "spec": spec, "status": {"phase": "Running"}}


def test_utilization_is_the_larger_of_cpu_and_memory() -> None:
    used = scale_down.utilization(node(), FrozenView({"pods": [pod()]}))
    assert used.most == 0.625
    assert str(used) == "{0.25 0.625 0 0 memory 0.625}"


def test_what_daemons_request_can_count_as_if_the_node_were_smaller() -> None:
    view = FrozenView({"pods": [pod("a", owner="DaemonSet"), pod("b")]})
    assert scale_down.utilization(node("4", "20Gi"), view).cpu == 0.5
    assert scale_down.utilization(node("4", "20Gi"), view, ignore_daemons=True).cpu == pytest.approx(1 / 3)


BUDGET = {
    "metadata": {"name": "b", "namespace": "default"},
    "spec": {"selector": {"matchLabels": {"app": "web"}}},
    "status": {"disruptionsAllowed": 1},
}


OWNERS = [
    {"metadata": {"name": "o", "namespace": namespace}, "spec": {"replicas": 1}}
    for namespace in ("default", "kube-system")
]


@pytest.mark.parametrize(
    ("pods", "budgets", "reason"),
    [
        ([pod()], [], ""),
        ([pod(owner="")], [], "default/p: NotReplicated"),
        ([pod(owner="", annotations={scale_down.SAFE: "true"})], [], ""),
        ([pod(annotations={scale_down.SAFE: "false"})], [], "default/p: NotSafeToEvictAnnotation"),
        ([pod(namespace="kube-system")], [], "kube-system/p: UnmovableKubeSystemPod"),
        ([pod(namespace="kube-system", creationTimestamp=timestamp(NOW - 3601))], [], ""),
        ([pod(owner="Shop")], [], "default/p: NotReplicated"),
        ([pod(owner="StatefulSet")], [], "default/p: ControllerNotFound"),
        ([pod(spec={"volumes": [{"name": "v", "emptyDir": {}}]})], [], "default/p: LocalStorageRequested"),
        ([pod(spec={"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]})], [], ""),
        ([pod("a"), pod("b")], [BUDGET], "default/b: NotEnoughPdb"),
        ([pod("a")], [BUDGET], ""),
    ],
)
def test_what_may_not_be_moved_keeps_its_node(pods: list[Object], budgets: list[Object], reason: str) -> None:
    view = FrozenView({"pods": pods, "poddisruptionbudgets.policy": budgets, "replicasets.apps": OWNERS})
    assert scale_down.blocker(view.list("pods"), view, Clock(NOW), ca_flags.DEFAULTS) == reason


@pytest.mark.parametrize(
    ("flag", "value", "blocked"),
    [
        ({"local_storage": False}, pod(spec={"volumes": [{"name": "v", "emptyDir": {}}]}), ""),
        ({"system_pods": False}, pod(namespace="kube-system"), ""),
        ({"custom_controllers": False}, pod(owner="Shop"), ""),
        ({"min_replicas": 2}, pod(), "default/p: MinReplicasReached"),
    ],
)
def test_flags_change_what_may_be_moved(flag: dict[str, Any], value: Object, blocked: str) -> None:
    view = FrozenView({"pods": [value], "replicasets.apps": OWNERS})
    assert scale_down.blocker([value], view, Clock(NOW), ca_flags.DEFAULTS._replace(**flag)) == blocked


def option(name: str, nodes: int, pods: int, price: float, waste: float, *, cpu: str = "4") -> Option:
    one = pod(spec={"containers": [{"name": "c", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}]})
    shape = {"metadata": {"name": name}, "spec": {"template": {"capacity": {"cpu": cpu, "memory": "16Gi"}}}}
    return Option(Group(name, 0, 9, price, 0, [], [], shape), nodes, [one] * pods, waste)


def priorities(text: str | None) -> FrozenView:
    data = {} if text is None else {"priorities": text}
    meta = {"name": "cluster-autoscaler-priority-expander", "namespace": "kube-system"}
    return FrozenView({"configmaps": [{"metadata": meta, "data": data}]})


OPTIONS = [
    option("huge", 1, 9, 9.0, 1.2),
    option("spot-a", 2, 4, 0.1, 0.9),
    option("tight", 1, 3, 1.0, 0.1),
]


@pytest.mark.parametrize(
    ("expander", "chosen"),
    [
        ("least-waste", "tight"),
        ("most-pods", "huge"),
        ("least-nodes", "huge"),
        ("least-nodes,least-waste", "tight"),
        ("price", "spot-a"),
        ("priority", "spot-a"),
        ("priority,price", "spot-a"),
        ("most-pods,price", "huge"),
    ],
)
def test_an_expander_chooses_among_the_options(expander: str, chosen: str) -> None:
    view = priorities("10:\n  - .*\n50:\n  - ^spot-.*\n")
    best, warnings = expanders.choose(OPTIONS, tuple(expander.split(",")), view, Clock(0))
    assert (best.group.name, warnings) == (chosen, [])


def test_random_is_keyed_by_the_seed() -> None:
    options = [option(name, 1, 1, 1, 0) for name in "abcdef"]
    view = FrozenView({})
    chosen = [[expanders.choose(options, ("random",), view, Clock(10, seed))[0] for seed in range(20)] for _ in "ab"]
    assert chosen[0] == chosen[1]
    assert len({one.group.name for one in chosen[0]}) > 2


def test_the_price_of_an_option_as_the_worked_example_has_it() -> None:
    found = expanders.scored(option("g", 2, 8, 0.19, 0), 5)
    assert found[:2] == pytest.approx((0.38, 0.168264))
    assert found[2:] == pytest.approx((2.1320, 2.0, 1.93343, 4.1221), rel=1e-3)


def test_small_clusters_want_small_machines_and_large_ones_large() -> None:
    small, large = option("small", 8, 8, 0.05, 0, cpu="1"), option("large", 1, 8, 0.4, 0, cpu="8")
    assert expanders.score(small, 2) < expanders.score(large, 2)
    assert expanders.score(large, 50) < expanders.score(small, 50)
    assert [expanders.preferred_cpus(size) for size in (0, 2, 3, 6, 7, 20, 60, 61, 200, 201)] == [
        1, 1, 2, 2, 4, 4, 8, 16, 16, 32,
    ]  # fmt: skip


def test_pods_that_ask_for_nothing_have_a_price_too() -> None:
    one = option("g", 1, 1, 0.2, 0)._replace(pods=[pod(spec={"containers": [{"name": "c"}]})])
    assert expanders.score(one, 10) == pytest.approx((0.2 + expanders.STABLE_PRICE) / expanders.STABLE_PRICE)


INVALID, EMPTY = "PriorityConfigMapInvalid", "please provide valid configuration. Ignoring update."


@pytest.mark.parametrize(
    ("text", "reasons", "words"),
    [
        (None, [INVALID], "doesn't contain priorities key. Ignoring update."),
        ("", [INVALID], EMPTY),
        ("- 1", [INVALID], "Can't parse YAML with priorities in the configmap"),
        ("high: [a]", [INVALID], "Can't parse YAML with priorities in the configmap"),
        ("{", [INVALID], "Can't parse YAML with priorities in the configmap"),
        ("10: ['(']", [INVALID], "Can't compile regexp rule for priority 10 and rule ("),
        ("10: [tight]", ["PriorityConfigMapNotMatchedGroup"] * 2, "node group huge not found in priority expander"),
        (
            "10: [x]",
            ["PriorityConfigMapNotMatchedGroup"] * 3 + ["PriorityConfigMapNoGroupMatched"],
            "no priorities info found for any of the expansion options",
        ),
    ],
)
def test_what_is_wrong_with_priorities_is_told(text: str | None, reasons: list[str], words: str) -> None:
    best, warnings = expanders.choose(OPTIONS, ("priority",), priorities(text), Clock(0))
    assert [reason for reason, _ in warnings] == reasons
    assert words in " ".join(message for _, message in warnings)
    assert best.group.name == ("tight" if text == "10: [tight]" else "huge")


def test_wrong_priorities_become_events_of_the_configmap() -> None:
    cluster = cluster_with(group("g", 0, 3))
    meta = {"namespace": "kube-system", "name": "cluster-autoscaler-config"}
    table = {**meta, "name": "cluster-autoscaler-priority-expander"}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"expander": "priority"}})
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": table, "data": {"priorities": "1: [other]"}})
    cluster.create(deployment(1))
    cluster.reconcile(for_s=300)
    told = [one for one in cluster.list("events", "kube-system") if one["reason"] == "PriorityConfigMapNoGroupMatched"]
    assert [one["involvedObject"]["name"] for one in told] == ["cluster-autoscaler-priority-expander"]


def test_machines_that_do_not_boot_are_given_up_and_the_group_rests() -> None:
    cluster = cluster_with(group("g", 0, 3))
    fault = {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": "f"}}
    cluster.create({**fault, "spec": {"type": "BootFailing", "group": "g"}})
    cluster.create(deployment(1))
    cluster.reconcile(for_s=1000)
    assert events(cluster, "ScaleUpTimedOut") == ["Nodes added to group g failed to register within 15m0s"]
    assert events(cluster, "NotTriggerScaleUp") == [f"pod didn't trigger scale-up: 1 {scale_up.BACKOFF}"]
    status = cluster.get("configmaps", "cluster-autoscaler-status", "kube-system")["data"]["status"]
    assert "status: Backoff" in status
    assert "errorMessage: Scale-up timed out for node group g after 15m0s" in status
    cluster.delete("faults.sim.kpy.dev", "f")
    cluster.reconcile(for_s=600)
    assert not cluster.reconcile().unhealthy
    assert len(members(cluster, "g")) == 1


def test_only_live_nodes_cost() -> None:
    cluster = cluster_with(group("g", 2, 5, price=0.1))
    cluster.reconcile()
    booted = cluster.list("nodes", None, f"{node_groups.LABEL}=g")[0]["metadata"]["creationTimestamp"]
    cluster.reconcile(for_s=3600)
    hours, money = node_groups.cost(node_groups.groups(cluster.view)[0], cluster.clock)
    assert hours == pytest.approx(2 * (cluster.clock.now_s - seconds(booted)) / 3600)
    assert money == pytest.approx(hours * 0.1)


def configured(cluster: Cluster, **flags: str) -> None:
    data = {name.replace("_", "-"): value for name, value in flags.items()}
    meta = {"name": "cluster-autoscaler-config", "namespace": "kube-system"}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}, namespace="kube-system")


def test_similar_groups_grow_in_turn_if_that_is_wanted() -> None:
    alike = [group("a", 1, 3), group("b", 0, 9), group("other", 0, 9, cpu="16")]
    cluster = cluster_with(*alike)
    configured(cluster, balance_similar_node_groups="true")
    cluster.create(deployment(10))
    assert not cluster.reconcile().unhealthy
    assert [len(members(cluster, name)) for name in ("a", "b", "other")] == [3, 2, 0]
    assert "pod triggered scale-up: [{a 1->2 (max: 3)} {b 0->1 (max: 9)}]" in events(cluster, "TriggeredScaleUp")


def test_all_groups_together_stay_below_the_total() -> None:
    cluster = cluster_with(group("g", 0, 9))
    configured(cluster, max_nodes_total="3")  # with the control plane
    cluster.create(deployment(10))
    cluster.reconcile()
    assert len(members(cluster, "g")) == 2
    assert events(cluster, "MaxNodesTotalReached") == ["Max total nodes in cluster reached: 3"]


def test_what_nobody_needs_is_marked_softly_and_the_mark_goes_when_it_is_needed_again() -> None:
    cluster = cluster_with(group("g", 1, 3))
    cluster.create(deployment(4))
    cluster.reconcile()
    scale(cluster, 1)
    cluster.reconcile(for_s=60)
    marked = [one for one in cluster.list("nodes") if scale_down.is_marked(one, scale_down.CANDIDATE)]
    assert len(marked) == 2
    scale(cluster, 4)
    cluster.reconcile(for_s=60)
    assert not [one for one in cluster.list("nodes") if scale_down.is_marked(one, scale_down.CANDIDATE)]


def budget(name: str, minimum: int) -> Object:
    spec = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": minimum}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}


def test_no_drain_takes_more_pods_than_a_budget_allows() -> None:
    cluster = cluster_with(group("g", 1, 3))
    cluster.create(deployment(9, cpu="300m"))
    cluster.reconcile()
    scale(cluster, 4)
    cluster.create(budget("b", 3))
    before = cluster.store.revision
    cluster.reconcile(for_s=4000)
    written = [change.new for change in cluster.changes(before) if change.key.resource == "poddisruptionbudgets.policy"]
    healthy = [
        one["status"]["currentHealthy"] for one in written if one and "currentHealthy" in (one.get("status") or {})
    ]
    assert min(healthy) >= 3
    assert len(members(cluster, "g")) == 1


def test_a_drain_whose_evictions_are_refused_is_given_up() -> None:
    """Two budgets for one pod: each has room, so the drain is planned; the eviction subresource does not take two."""
    cluster = cluster_with(group("g", 1, 3))
    cluster.create(deployment(4))
    cluster.reconcile()
    scale(cluster, 2)
    for name in ("a", "b"):
        cluster.create(budget(name, 1))
    (one, other) = members(cluster, "g")[:2]
    cluster.reconcile(for_s=2000)
    told = events(cluster, "ScaleDownFailed")
    assert "failed to delete pod for ScaleDown" in told
    assert any(text.startswith(f"failed to drain and delete node: Failed to drain node /{name}") for text in told for name in (one, other))  # fmt: skip
    assert not [node for node in cluster.list("nodes") if scale_down.is_marked(node)]


def test_the_status_keeps_its_transition_times_while_a_status_stays() -> None:
    import yaml

    cluster = cluster_with(group("g", 1, 3))
    cluster.create(deployment(1))
    cluster.reconcile()
    begun = cluster.clock.timestamp
    cluster.reconcile(for_s=100)
    scale(cluster, 3)
    cluster.reconcile()
    cluster.reconcile(for_s=30)
    written = cluster.get("configmaps", "cluster-autoscaler-status", "kube-system")["data"]["status"]
    told = yaml.safe_load(written)
    assert told["autoscalerStatus"] == "Running"
    (own,) = told["nodeGroups"]
    assert own["health"]["nodeCounts"]["registered"] == {"total": 2, "ready": 2, "notStarted": 0}
    assert own["health"]["cloudProviderTarget"] == 2
    assert own["health"]["lastTransitionTime"] <= begun < own["scaleUp"]["lastTransitionTime"]
