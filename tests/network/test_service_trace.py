"""What a real cluster did with Services, Endpoints and EndpointSlices (tests/data/traces/l_service.json.gz), done again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.traces import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.traces.machine import Answer, Machine

Object = dict[str, Any]
SLICES, SPACE = "endpointslices.discovery.k8s.io", "t-l"
RECORD = machine.load("l_service")
DEPLOYMENT = """
{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "t-l"}, "spec": {"replicas": 3,
 "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
 {"name": "nginx", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}]}}}}
"""
NOSEL = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nosel", "namespace": "t-l"}, "spec": {"ports": [{"port": 80}]}}'
EXT = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "ext", "namespace": "t-l"}, "spec": {"type": "ExternalName", "externalName": "example.com"}}'
REFUSED = ("np_conflict", "np_range", "clusterip_change", "clusterip_range")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = machine.Machine(tmp_path_factory.mktemp("services"), ["fake-000", "fake-001", "fake-002"], [SPACE])
    made.kpy("kubectl apply -f -", DEPLOYMENT)
    for name in ("apply", "apply_np", "apply_lb", "apply_hl"):
        again(made, name)
    made.kpy("kubectl apply -f -", NOSEL)
    made.kpy("kubectl apply -f -", EXT)
    made.pass_time(3)
    yield made
    made.close()


def again(run: Machine, name: str) -> Answer:
    record = RECORD[name]
    answer = run.kpy(record["cmd"], record["stdin"] or "")
    assert (answer.code, answer.out) == (record["rc"], record["stdout"]), name
    return answer


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_refused_is_refused_in_the_same_words(run: Machine, name: str) -> None:
    assert again(run, name).err == RECORD[name]["stderr"]


def without_chance(text: str) -> str:
    """Addresses, node ports, names and ages masked, columns put together."""
    text = re.sub(r"\b10\.\d+\.\d+\.\d+\b", "IP", machine.masked(text))
    text = re.sub(r"\b3[0-2]\d{3}\b(?!/)", "NODEPORT", text.replace("30080", "FIXED"))
    text = re.sub(r"\b\d+s\b", "AGE", text)
    text = re.sub(r"-(?:NAME|[a-z0-9]{5})(?=\s+IPv4)", "-NAME", text)
    text = re.sub(r"\b3\d{4}/", "NODEPORT/", text)
    return re.sub(r"[ \t]+", " ", text)


def test_the_same_is_listed(run: Machine) -> None:
    answer = run.kpy(RECORD["get"]["cmd"])
    printed, recorded = without_chance(answer.out).splitlines(), without_chance(RECORD["get"]["stdout"]).splitlines()
    # Which of two named ports a slice lists first, and in which order addresses stand, follows a hash in a real cluster.
    assert [ordered(line) for line in printed] == [ordered(line) for line in recorded]
    assert answer.err == RECORD["get"]["stderr"]


def ordered(line: str) -> str:
    return " ".join(",".join(sorted(word.split(","))) if ":" not in word else word for word in line.split())


def kept(service: Object) -> Object:
    """A Service without what chance gave it: addresses are told apart only from none."""
    spec = {**service["spec"]}
    if spec.get("clusterIP") not in (None, "None"):
        spec["clusterIP"], spec["clusterIPs"] = "IP", ["IP"]
    spec["ports"] = [
        {**one, **({"nodePort": "PORT"} if one.get("nodePort") not in (None, 30080) else {})}
        for one in spec.get("ports") or ()
    ]
    return {"spec": spec, "status": service["status"]}


@pytest.mark.parametrize("recorded", RECORD["services"], ids=lambda one: one["metadata"]["name"])
def test_services_look_alike(run: Machine, recorded: Object) -> None:
    assert kept(run.cluster.get("services", recorded["metadata"]["name"], SPACE)) == kept(recorded)


def conditions(found: list[Object]) -> list[list[tuple[bool, bool, bool]]]:
    """(ready, serving, terminating) of the endpoints of each slice, the slices by their Service."""
    named = sorted(found, key=lambda one: one["labels"]["kubernetes.io/service-name"])
    return [
        sorted((one["conditions"]["ready"], one["conditions"]["serving"], one["conditions"]["terminating"]) for one in slice_["endpoints"] or ())
        for slice_ in named
    ]  # fmt: skip


def slices(run: Machine) -> list[Object]:
    return [
        {"labels": one["metadata"]["labels"], "endpoints": one.get("endpoints")}
        for one in run.cluster.list(SLICES, SPACE)
    ]


def recorded_slices(until: str) -> list[Object]:
    """The last state of each slice before a mark of the recording."""
    found: dict[str, Object] = {}
    for row in RECORD["rows"]:
        if row["type"] == "MARK" and row["name"] == until:
            return list(found.values())
        if row["kind"] == "endpointslices":
            found[row["name"]] = row["fields"]
    return list(found.values())


def test_slices_go_through_the_same_states(run: Machine) -> None:
    assert conditions(slices(run)) == conditions(recorded_slices("scale to 1"))
    for size, until in (("1", "scale to 0"), ("0", "unready pods")):
        run.kpy(f"kubectl -n {SPACE} scale deployment web --replicas={size}")
        run.pass_time(3)
        assert conditions(slices(run)) == conditions(recorded_slices(until)), size
    answer = run.kpy(RECORD["get0"]["cmd"])
    assert [ordered(line) for line in without_chance(answer.out).splitlines()] == [
        ordered(line) for line in without_chance(RECORD["get0"]["stdout"]).splitlines()
    ]


def test_pods_that_terminate_serve_and_are_not_ready(run: Machine) -> None:
    """The recorded slice between deletion and removal: ready false, serving true, terminating true."""
    seen = {
        (one["conditions"]["ready"], one["conditions"]["serving"], one["conditions"]["terminating"])
        for row in RECORD["rows"]
        if row["kind"] == "endpointslices"
        for one in row["fields"].get("endpoints") or ()
    }
    run.mark()
    run.kpy(f"kubectl -n {SPACE} scale deployment web --replicas=2")
    run.pass_time(3)
    run.kpy(f"kubectl -n {SPACE} scale deployment web --replicas=0")
    run.pass_time(3)
    here = {
        (one["conditions"]["ready"], one["conditions"]["serving"], one["conditions"]["terminating"])
        for change in run.changes(SPACE)
        if change.key.resource == SLICES and change.new is not None
        for one in change.new.get("endpoints") or ()
    }
    assert (True, True, False) in here and here <= seen


def test_types_change_and_addresses_are_freed_and_kept(run: Machine) -> None:
    service = run.cluster.get("services", "np", SPACE)
    run.kpy(f"""kubectl -n {SPACE} patch svc np -p '{{"spec":{{"type":"ClusterIP"}}}}'""")
    run.pass_time(1)
    changed = run.cluster.get("services", "np", SPACE)
    assert changed["spec"]["clusterIP"] == service["spec"]["clusterIP"]
    assert not [one for one in changed["spec"]["ports"] if "nodePort" in one], "node ports are given back"
    again_ = run.kpy("kubectl apply -f -", RECORD["np_conflict"]["stdin"])
    assert again_.code == 0, "30080 is free now"
    run.kpy(
        f"""kubectl -n {SPACE} patch svc nosel -p '{{"spec":{{"type":"ExternalName","externalName":"a.example"}}}}'"""
    )
    run.pass_time(1)
    assert "clusterIP" not in run.cluster.get("services", "nosel", SPACE)["spec"]
