"""KubeSchedulerConfiguration: profiles by name, plugins on and off, arguments, back-off; and what is refused of one."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.scheduler.configuration import read
from minikube_py.scheduler.cycle import nodes_to_find
from minikube_py.scheduler.settings import DEFAULT, ConfigurationError, Settings

Object = dict[str, Any]
HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
PACKING = """
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  plugins:
    multiPoint: {disabled: [{name: PodTopologySpread}]}
    score: {enabled: [{name: NodeResourcesFit, weight: 10}]}
    postFilter: {disabled: [{name: "*"}]}
  pluginConfig:
  - {name: NodeResourcesFit, args: {scoringStrategy: {type: MostAllocated}}}
"""


def configured(text: str) -> Object:
    meta = {"name": "kube-scheduler", "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"config.yaml": HEAD + text}}


def pod(name: str, scheduler: str, cpu: str = "500m", **spec: Any) -> Object:
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}
    spec = {"containers": [container], "schedulerName": scheduler, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def nodes_of(cluster: Cluster, prefix: str) -> list[str]:
    found = cluster.list("pods", "default")
    return sorted(one["spec"].get("nodeName", "") for one in found if one["metadata"]["name"].startswith(prefix))


def started(text: str, workers: int = 2) -> Cluster:
    cluster = Cluster.memory(nodes=workers + 1)
    cluster.create(configured(text))
    return cluster


def test_each_pod_is_scheduled_by_the_profile_that_it_names() -> None:
    cluster = started(PACKING)
    for number in range(4):
        cluster.create(pod(f"packed-{number}", "packing"))
        cluster.create(pod(f"spread-{number}", "default-scheduler"))
        cluster.reconcile()
    assert len(set(nodes_of(cluster, "packed-"))) == 1, "on the fullest"
    assert set(nodes_of(cluster, "spread-")) - set(nodes_of(cluster, "packed-")), "on the emptiest"
    (scheduled,) = [
        event
        for event in cluster.list("events", "default")
        if event["reason"] == "Scheduled" and event["involvedObject"]["name"] == "packed-0"
    ]
    assert scheduled["reportingComponent"] == "packing"


def test_without_preemption_nobody_makes_room_and_the_text_ends_before_it() -> None:
    cluster = started(PACKING, workers=1)
    cluster.create(
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "hi"}, "value": 9}
    )
    cluster.create(pod("low", "packing", cpu="3"))
    cluster.reconcile()
    cluster.create(pod("high", "packing", cpu="3", priorityClassName="hi"))
    cluster.reconcile()
    (condition,) = cluster.get("pods", "high", "default")["status"]["conditions"]
    assert condition["message"] == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate"
    )
    cluster.create(pod("higher", "default-scheduler", cpu="3", priorityClassName="hi"))
    cluster.reconcile()
    assert [one["metadata"]["name"] for one in cluster.list("pods", "default")] == ["high", "higher"]


def test_a_changed_configuration_counts_at_once_for_pods_that_wait() -> None:
    cluster = started("profiles:\n- schedulerName: one\n")
    cluster.create(pod("p", "default-scheduler"))
    cluster.create(pod("q", "one"))
    cluster.reconcile()
    assert (nodes_of(cluster, "p"), bool(nodes_of(cluster, "q")[0])) == ([""], True)
    cluster.update(configured("percentageOfNodesToScore: 101\n"))
    cluster.create(pod("r", "one"))
    cluster.reconcile()
    assert nodes_of(cluster, "r") == [""], "kube-scheduler does not start with a wrong configuration"
    cluster.delete("configmaps", "kube-scheduler", "kube-system")
    cluster.reconcile()
    assert nodes_of(cluster, "p") != [""]


def test_a_refused_pod_is_tried_again_with_other_plugins() -> None:
    cluster = started("profiles: [{schedulerName: default-scheduler}]\n")
    cluster.create(pod("p", "default-scheduler", nodeSelector={"disk": "ssd"}))
    cluster.reconcile()
    assert nodes_of(cluster, "p") == [""]
    off = "profiles: [{schedulerName: default-scheduler, plugins: {filter: {disabled: [{name: NodeAffinity}]}}}]\n"
    cluster.update(configured(off))
    cluster.reconcile()
    assert nodes_of(cluster, "p") != [""]


def settings(text: str) -> Settings:
    return read(HEAD + text)


def test_the_default_is_what_an_empty_configuration_means() -> None:
    made, default = settings("").profiles["default-scheduler"], DEFAULT.profiles["default-scheduler"]
    assert [plugin.name for plugin in made.filters] == [plugin.name for plugin in default.filters]
    assert [(row.plugin.name, row.weight) for row in made.scores] == [
        (row.plugin.name, row.weight) for row in default.scores
    ]
    assert ([plugin.name for plugin in made.post_filters], made.percent) == (["DefaultPreemption"], 0)
    assert settings("")[1:] == DEFAULT[1:] == (1, 10)


def test_null_is_what_is_not_there() -> None:
    text = (
        "percentageOfNodesToScore: null\nprofiles: [{plugins: null, pluginConfig: [{name: NodeAffinity, args: null}]}]"
    )
    assert settings(text).profiles["default-scheduler"].percent == 0


def test_plugins_go_on_and_off_everywhere_or_at_one_point() -> None:
    found = settings(
        """
profiles:
- plugins:
    multiPoint: {disabled: [{name: "*"}], enabled: [{name: NodeResourcesFit, weight: 7}, {name: NodeAffinity}]}
    queueSort: {enabled: [{name: PrioritySort}]}
    bind: {enabled: [{name: DefaultBinder}]}
    filter: {disabled: [{name: NodeAffinity}], enabled: [{name: TaintToleration}]}
    score: {enabled: [{name: ImageLocality, weight: 4}]}
"""
    ).profiles["default-scheduler"]
    assert [plugin.name for plugin in found.filters] == ["NodeResourcesFit", "TaintToleration"]
    assert {row.plugin.name: row.weight for row in found.scores} == {
        "NodeResourcesFit": 7,
        "NodeAffinity": 2,
        "ImageLocality": 4,
    }
    assert [plugin.name for plugin in (*found.sort, *found.binds)] == ["PrioritySort", "DefaultBinder"]
    assert (*found.gates, *found.post_filters, *found.reserves, *found.pre_binds) == ()


def test_without_the_plugin_for_gates_the_server_refuses_the_binding() -> None:
    off = "profiles: [{plugins: {preEnqueue: {disabled: [{name: SchedulingGates}]}}}]\n"
    told = (
        'running Bind plugin "DefaultBinder": Operation cannot be fulfilled on pods/binding "p": '
        "pod p has non-empty .spec.schedulingGates"
    )
    blocked = "Scheduling is blocked due to non-empty scheduling gates"
    for text, reason, message in (("", "SchedulingGated", blocked), (off, "SchedulerError", told)):
        cluster = started(text)
        cluster.create(pod("p", "default-scheduler", schedulingGates=[{"name": "example.com/wait"}]))
        cluster.reconcile()
        (condition,) = cluster.get("pods", "p", "default")["status"]["conditions"]
        assert (condition["status"], condition["reason"], condition["message"]) == ("False", reason, message)
        events = [event for event in cluster.list("events", "default") if event.get("reason") == "FailedScheduling"]
        assert len(events) == (reason == "SchedulerError")
        cluster.patch("pods", "p", "default", {"spec": {"schedulingGates": None}})
        cluster.reconcile()
        assert nodes_of(cluster, "p") != [""]


@pytest.mark.parametrize(("attempts", "rest_s"), [(1, 3), (2, 6), (3, 12), (4, 20), (90, 20)])
def test_back_off_doubles_up_to_the_longest(attempts: int, rest_s: int) -> None:
    found = settings("podInitialBackoffSeconds: 3\npodMaxBackoffSeconds: 20\n")
    assert found.back_off_end_s({"at_s": 100, "attempts": attempts}) == 100 + rest_s
    assert found.back_off_end_s({}) == 0


def test_so_many_percent_of_the_nodes_are_enough_but_at_least_a_hundred() -> None:
    text = (
        "percentageOfNodesToScore: 30\nprofiles: [{schedulerName: a}, {schedulerName: b, percentageOfNodesToScore: 70}]"
    )
    assert {name: made.percent for name, made in settings(text).profiles.items()} == {"a": 30, "b": 70}
    assert [nodes_to_find(1000, percent) for percent in (0, 30, 5, 100)] == [420, 300, 100, 1000]
    assert nodes_to_find(50, 30) == 50


FIT = "profiles: [{pluginConfig: [{name: NodeResourcesFit, args: %s}]}]"
SPREAD = "profiles: [{pluginConfig: [{name: PodTopologySpread, args: %s}]}]"
AT = "profiles[0].pluginConfig[0].args"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("percentageOfNodesToScore: -1", "percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]"),
        (
            "podInitialBackoffSeconds: 20",
            "podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds",
        ),
        ("profiles: [{}, {schedulerName: a}]", "profiles[0].schedulerName: Required value"),
        (
            "profiles: [{schedulerName: a}, {schedulerName: a}]",
            'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
        ),
        ("profiles: [{plugins: {score: {enabled: [{name: Magic}]}}}]", 'plugin "Magic" does not exist'),
        (
            "profiles: [{plugins: {queueSort: {disabled: [{name: PrioritySort}]}}}]",
            'only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0',
        ),
        (
            "profiles: [{schedulerName: a, plugins: {bind: {disabled: [{name: '*'}]}}}]",
            'at least one bind plugin is needed for profile with scheduler name "a"',
        ),
        ("extenders: [{urlPrefix: http://x}]", "extenders: Forbidden: this scheduler calls no extenders"),
        (
            FIT % "{scoringStrategy: {type: Best}}",
            f'{AT}.scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", '
            '"RequestedToCapacityRatio"',
        ),
        (
            FIT % "{scoringStrategy: {resources: [{name: cpu, weight: 0}]}}",
            f"{AT}.scoringStrategy.resources[0].weight: Invalid value: 0: resource weight of cpu not in valid range (0, 100]",
        ),
        (
            FIT % "{scoringStrategy: {type: RequestedToCapacityRatio}}",
            f"{AT}.scoringStrategy.requestedToCapacityRatio: Required value: must be specified when type is "
            "RequestedToCapacityRatio",
        ),
        (
            FIT % "{scoringStrategy: {type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: "
            "[{utilization: 5, score: 1}, {utilization: 5, score: 11}]}}}",
            f"[{AT}.scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 5: values must be sorted in "
            f"increasing order, {AT}.scoringStrategy.requestedToCapacityRatio.shape[1].score: Invalid value: 11: not in valid "
            "range [0, 10]]",
        ),
        (
            FIT % "{ignoredResourceGroups: [a/b]}",
            f"{AT}.ignoredResourceGroups[0]: Invalid value: \"a/b\": resource group name can't contain '/'",
        ),
        (
            SPREAD % "{defaultConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule}]}",
            f'{AT}.defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
        ),
        (
            SPREAD
            % "{defaultingType: List, defaultConstraints: [{maxSkew: 0, topologyKey: z, whenUnsatisfiable: Never}]}",
            f"[{AT}.defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf), "
            f'{AT}.defaultConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", '
            '"ScheduleAnyway"]',
        ),
        (
            "profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]",
            f"{AT}.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]",
        ),
        ("profiles: 7", "json: cannot unmarshal number into Go struct field profiles of type slice"),
        (
            "profiles: [{plugins: {score: {enabled: [{name: ImageLocality, weight: much}]}}}]",
            "json: cannot unmarshal string into Go struct field profiles[0].plugins.score.enabled[0].weight of type int32",
        ),
        ("profile: []", 'strict decoding error: unknown field "profile"'),
        (FIT % "{scoring: {}}", f'strict decoding error: unknown field "{AT}.scoring"'),
        ("profiles: [null]", "json: cannot unmarshal null into Go struct field profiles[0]"),
        (
            "percentageOfNodesToScore: true",
            "json: cannot unmarshal bool into Go struct field percentageOfNodesToScore of type int32",
        ),
    ],
)
def test_a_wrong_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings(text)
    assert str(refused.value) == message


def test_resources_of_others_and_weights_of_neighbours_follow_the_arguments() -> None:
    ignoring = started(FIT % "{ignoredResources: [a.com/x], ignoredResourceGroups: [b.com]}")
    wanting = {"requests": {"a.com/x": "1", "b.com/y": "1"}, "limits": {"a.com/x": "1", "b.com/y": "1"}}
    container = {"name": "c", "image": "nginx", "resources": wanting}
    for cluster in (ignoring, Cluster.memory(nodes=3)):
        made = pod("p", "default-scheduler")
        cluster.create({**made, "spec": {**made["spec"], "containers": [container]}})
        cluster.reconcile()
        assert bool(nodes_of(cluster, "p")[0]) == (cluster is ignoring)
