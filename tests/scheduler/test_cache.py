"""The cache makes decisions cheaper, never different: after any history it decides as a new process would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.scheduler.cache import Cache
from minikube_py.scheduler.cycle import NO_NODES, decide
from minikube_py.scheduler.explain import scores_of
from minikube_py.scheduler.nodes import NodeInfo
from minikube_py.scheduler.plugins.node_resources_fit import NodeResourcesFit
from minikube_py.scheduler.templates import Template
from tests.scheduler.fakes import Cluster

Object = dict[str, Any]

ZONES = ("east", "west", "")
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
APP = {"matchLabels": {"app": "web"}}
IMAGE = {"names": ["web:1"], "sizeBytes": 400 * 1024 * 1024}


def _required(kind: str, key: str, selector: Object = APP) -> Object:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector, "topologyKey": key}]}}


def _preferred(kind: str, key: str, weight: int) -> Object:
    term = {"weight": weight, "podAffinityTerm": {"labelSelector": APP, "topologyKey": key}}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}


def _spread(key: str, action: str, **more: Any) -> Object:
    one = {"topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": action, "labelSelector": APP, **more}
    return {"topologySpreadConstraints": [one]}


SPECS: tuple[Object, ...] = (
    {},
    {"priority": 10},
    {"tolerations": [{"key": "k", "operator": "Exists"}]},
    {"nodeSelector": {ZONE: "east"}},
    {"affinity": _required("podAffinity", ZONE)},
    {"affinity": _required("podAntiAffinity", HOST)},
    {"affinity": _required("podAntiAffinity", ZONE), "priority": 5},
    {"affinity": _preferred("podAffinity", ZONE, 7)},
    {"affinity": _preferred("podAntiAffinity", HOST, 30)},
    _spread(ZONE, "DoNotSchedule"),
    _spread(HOST, "DoNotSchedule", nodeTaintsPolicy="Honor"),
    _spread(ZONE, "ScheduleAnyway"),
    _spread(HOST, "ScheduleAnyway"),
)

pod_specs = st.builds(
    lambda spec, cpu, port: {
        **spec,
        "containers": [
            {
                "name": "c",
                "image": "web:1",
                "resources": {"requests": {"cpu": cpu}} if cpu else {},
                "ports": [{"containerPort": 80, "hostPort": 80}] if port else [],
            }
        ],
    },
    st.sampled_from(SPECS),
    st.sampled_from(("", "100m", "700m")),
    st.integers(0, 9).map(lambda chance: chance == 0),
)
number = st.integers(0, 30)
operations = st.one_of(
    st.tuples(st.just("pod"), pod_specs, st.sampled_from(("web", "db"))),
    st.tuples(st.just("pod"), pod_specs, st.sampled_from(("web", "db"))),
    st.tuples(st.just("delete"), number),
    st.tuples(st.just("terminate"), number),
    st.tuples(st.just("finish"), number),
    st.tuples(st.just("relabel"), number),
    st.tuples(st.just("node"), st.sampled_from(ZONES), st.booleans()),
    st.tuples(st.just("node"), st.sampled_from(ZONES), st.just(True), st.booleans()),
    st.tuples(st.just("drop"), number),
    st.tuples(st.just("taint"), number, st.sampled_from(("NoSchedule", "PreferNoSchedule", ""))),
    st.tuples(st.just("cordon"), number, st.booleans()),
    st.tuples(st.just("image"), number),
    st.tuples(st.just("grow"), number),
    st.tuples(st.just("nominate"), number, number),
    st.tuples(st.just("move"), number, st.sampled_from(ZONES)),
    st.tuples(st.just("service"), st.booleans(), st.sampled_from(("web", "db"))),
)


class World:
    """A cluster that operations change, and the pods that are decided on after each of them."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.cluster.create({"kind": "Namespace", "metadata": {"name": "default"}})
        self.made = 0

    def names(self, resource: str) -> list[str]:
        return [obj["metadata"]["name"] for obj in self.cluster.view.list(resource)]

    def pick(self, resource: str, chance: int) -> Key | None:
        names = self.names(resource)
        return Key(resource, "default" if resource == "pods" else "", names[chance % len(names)]) if names else None

    def node(self, zone: str, roomy: bool, odd: bool = False) -> None:
        self.made += 1
        name = f"n{self.made}"
        labels = {HOST: "shared" if odd else name, **({ZONE: zone} if zone else {})}
        room = {"cpu": "4" if roomy else "1", "memory": "4Gi", "pods": "5"}
        node = {
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {},
            "status": {"allocatable": room},
        }
        self.cluster.create(node)

    def pod(self, spec: Object, app: str) -> Key:
        self.made += 1
        meta = {"name": f"p{self.made}", "namespace": "default", "labels": {"app": app}}
        return self.cluster.create({"kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}})

    def do(self, operation: tuple[Any, ...]) -> None:
        name, *values = operation
        if name == "pod":
            self.cluster.run(self.pod(*values))
        elif name == "node":
            self.node(*values)
        elif name == "service":
            self._service(*values)
        else:
            resource = "pods" if name in ("delete", "terminate", "finish", "relabel", "nominate") else "nodes"
            key = self.pick(resource, values[0])
            if key is not None:
                self._change(name, key, values[1:])

    def _service(self, there: bool, app: str) -> None:
        key = Key("services", "default", "web")
        if there:
            spec = {"selector": {"app": app}}
            self.cluster.view.put(key, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
        elif self.cluster.view.get(key):
            self.cluster.remove(key)

    def _change(self, name: str, key: Key, values: list[Any]) -> None:
        cluster = self.cluster
        if name in ("delete", "drop"):
            cluster.remove(key)
        elif name == "terminate":
            cluster.delete(key)
        elif name == "nominate":
            pod, node = cluster.view.get(key), self.pick("nodes", values[0])
            if pod and node and not pods.node_of(pod):
                cluster.update(key, {"status": {"nominatedNodeName": node.name}})
        else:
            fields: dict[str, Object] = {
                "finish": {"status": {"phase": "Succeeded"}},
                "relabel": {"metadata": {"labels": {"app": "web"}}},
                "image": {"status": {"images": [IMAGE]}},
                "grow": {"status": {"allocatable": {"cpu": "8"}}},
            }
            if name == "taint":
                fields[name] = {"spec": {"taints": [{"key": "k", "effect": values[0]}] if values[0] else None}}
            if name == "move":
                fields[name] = {"metadata": {"labels": {ZONE: values[0] or None}}}
            if name == "cordon":
                fields[name] = {"spec": {"unschedulable": values[0] or None}}
            cluster.update(key, fields[name])

    def probe(self, spec: Object) -> Object:
        """A pod that is not there: what would be decided on it?"""
        containers = [{"name": "c", "image": "web:1", "resources": {"requests": {"cpu": "100m"}}}]
        meta = {"name": "probe", "namespace": "default", "uid": "probe", "labels": {"app": "web"}}
        return {"metadata": meta, "spec": {"containers": containers, **spec}, "status": {}}

    def check(self, pod: Object) -> None:
        """A cache with a history and a new one say the same, and what is said of classes holds node by node."""
        view, clock = self.cluster.view, self.cluster.clock
        known: Cache = view.derived("scheduler", Cache)
        fresh = Cache(view)
        assert known.order() == fresh.order()
        assert known.lowest_priority() == fresh.lowest_priority()
        assert known.affine.pods.keys() == fresh.affine.pods.keys()
        assert {name: set(found) for name, found in known.nominated.items()} == {
            name: set(found) for name, found in fresh.nominated.items()
        }
        assert scores_of(pod, known) == scores_of(pod, fresh)
        decision, again = decide(pod, known, clock), decide(pod, fresh, clock)
        assert decision[1:] == again[1:]
        if not known.nominated and decision.rejected != NO_NODES:
            template = Template(pod, fresh)
            verdicts = {node.name: template.verdict_with(node, node.pods) for node in fresh.nodes()}
            assert set(scores_of(pod, known)) == {name for name, refusal in verdicts.items() if refusal is None}
            if not decision.node:
                assert decision.why() == verdicts


few_specs = st.lists(st.sampled_from(SPECS), min_size=1, max_size=3, unique_by=repr)


@settings(max_examples=60, deadline=None)
@given(
    few_specs,
    st.lists(st.tuples(st.just("node"), st.sampled_from(ZONES), st.booleans()), min_size=1, max_size=4),
    st.lists(operations, max_size=20),
)
def test_a_cache_with_a_history_decides_as_a_new_one(specs: list[Object], nodes: list[Any], history: list[Any]) -> None:
    world = World()
    for operation in (*nodes, *history):
        world.do(operation)
        for spec in specs:
            world.check(world.probe(spec))


def test_the_choice_is_the_same_in_every_process() -> None:
    worlds = []
    for forgetful in (False, True):
        world = World()
        for number_ in range(130):
            world.node(ZONES[number_ % 3], number_ % 2 == 0)
        for number_ in range(40):
            if forgetful:
                world.cluster.view.forget()
            key = world.pod({"containers": [{"name": "c", "image": "web:1"}]}, "web" if number_ % 2 else "db")
            world.cluster.run(key)
        worlds.append([pods.node_of(pod) for pod in world.cluster.view.list("pods")])
    assert worlds[0] == worlds[1]
    assert all(worlds[0])


@settings(max_examples=40, deadline=None)
@given(few_specs, st.lists(operations, max_size=20))
def test_a_cache_that_forgets_all_the_time_decides_as_a_new_one(specs: list[Object], history: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as small:
        small.setattr("minikube_py.scheduler.template_cache.TEMPLATES_MAX", 2)
        small.setattr("minikube_py.scheduler.templates.CLASSES_MAX", 3)
        small.setattr("minikube_py.scheduler.cache.DIRTY_MAX", 4)
        small.setattr("minikube_py.scheduler.templates.FEW", 0)
        small.setattr("minikube_py.scheduler.columns.COLUMNS_MAX", 3)
        world = World()
        for operation in (("node", "east", True), ("node", "west", False), ("node", "", True), *history):
            world.do(operation)
            for spec in specs:
                world.check(world.probe(spec))


@settings(max_examples=40, deadline=None)
@given(few_specs, st.lists(operations, max_size=20))
def test_a_cache_that_looks_plugin_by_plugin_decides_as_one_that_looks_node_by_node(
    specs: list[Object], history: list[Any]
) -> None:
    chosen = []
    for few in (0, 1000):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("minikube_py.scheduler.templates.FEW", few)
            world = World()
            found: list[Any] = []
            chosen.append(found)
            for operation in (("node", "east", True), ("node", "west", False), ("node", "", True), *history):
                world.do(operation)
                for spec in specs:
                    pod, cache = world.probe(spec), world.cluster.view.derived("scheduler", Cache)
                    found.append((decide(pod, cache, world.cluster.clock)[1:], scores_of(pod, cache)))
    assert chosen[0] == chosen[1]


def test_pods_that_differ_by_their_labels_share_what_the_plugins_saw_of_the_nodes() -> None:
    world = World()
    asked: list[str] = []
    for number_ in range(50):
        world.node(ZONES[number_ % 3], True)
    with pytest.MonkeyPatch.context() as patched:
        see = NodeResourcesFit.measure

        def measure(plugin: NodeResourcesFit, state: Any, node: NodeInfo) -> int:
            asked.append(node.name)
            return see(plugin, state, node)

        patched.setattr(NodeResourcesFit, "measure", measure)
        for number_ in range(20):
            world.cluster.run(world.pod({"containers": [{"name": "c", "image": "web:1"}]}, f"app-{number_}"))
    assert len(set(asked)) == 50
    assert len(asked) == 50 + 19  # every node once, and again the one that each of the others but the last took


def test_a_pod_that_nobody_speaks_of_looks_at_no_pod_with_affinity() -> None:
    world = World()
    world.node("east", True)
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": HOST}
    loner = {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term, term]}}}
    key = world.pod({**loner, "containers": [{"name": "c", "image": "web:1"}], "nodeName": "n1"}, "web")
    affine = world.cluster.view.derived("scheduler", Cache).affine
    assert list(affine.that_may_speak_of(world.probe({}))) == [key]
    assert affine.that_may_speak_of({"metadata": {"labels": {"app": "db"}}}) == {}
    world.cluster.remove(key)
    assert affine.that_may_speak_of(world.probe({})) == {}


def test_a_node_that_gets_a_zone_brings_the_rules_of_its_pods_into_it() -> None:
    world = World()
    for zone in ("", "east"):
        world.node(zone, True)
    loner = {**SPECS[6], "containers": [{"name": "c", "image": "web:1"}], "nodeName": "n1"}
    world.pod(loner, "db")
    world.check(world.probe({}))
    world.do(("move", 0, "east"))
    world.check(world.probe({}))
    cache: Cache = world.cluster.view.derived("scheduler", Cache)
    assert decide(world.probe({}), cache, world.cluster.clock).node == ""
