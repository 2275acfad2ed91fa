"""Which source says what a container does: Program, command, catalogue, default."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.programs import behaviour as programs
from minikube_py.programs import catalogue, logs, tools
from minikube_py.programs.behaviour import Behaviour, behaviour
from tests.support import T0, FrozenView

Object = dict[str, Any]


def does(container: Object, *found: Object, job: bool = False, init: bool = False, **meta: Any) -> Behaviour:
    container = {"name": "web", **container}
    metadata = {"name": "p", "namespace": "default", "uid": "u", **meta}
    if job:
        metadata["ownerReferences"] = [{"kind": "Job", "name": "j", "uid": "j", "controller": True}]
    spec = {"containers": [container], **({"initContainers": [container]} if init else {})}
    return behaviour(
        container, {"metadata": metadata, "spec": spec}, FrozenView({"programs.sim.kpy.dev": list(found)}), T0
    )


def test_an_unknown_image_serves_for_ever_unless_it_is_meant_to_end() -> None:
    image = {"image": "example.com/app:1"}
    assert does(image) == Behaviour()
    assert does(image, job=True).exit_after_s == 5
    assert does(image, init=True).exit_after_s == 1
    assert does({**image, "restartPolicy": "Always"}, init=True).exit_after_s is None


@pytest.mark.parametrize(
    ("container", "ends", "code"),
    [
        ({"image": "nginx"}, None, 0),
        ({"image": "busybox"}, 0, 0),  # a shell without a terminal
        ({"image": "busybox", "stdin": True}, None, 0),
        ({"image": "python:3", "command": ["python", "app.py"]}, None, 0),
        ({"image": "mysql:8"}, 0, 1),
        ({"image": "mysql:8", "env": [{"name": "MYSQL_ROOT_PASSWORD", "value": "x"}]}, None, 0),
        ({"image": "mysql:8", "envFrom": [{"secretRef": {"name": "s"}}]}, None, 0),
        ({"image": "hashicorp/http-echo", "args": ["-text=hi"]}, None, 0),
        ({"image": "busybox", "args": ["sleep", "90"]}, 90, 0),
        ({"image": "busybox", "command": ["/bin/sh", "-c", "exit 4"]}, 0, 4),
    ],
)
def test_the_command_counts_before_the_image(container: Object, ends: int | None, code: int) -> None:
    found = does(container)
    assert (found.exit_after_s, found.exit_code) == (ends, code)


def test_a_program_counts_before_everything() -> None:
    found = does({"image": "busybox", "command": ["sleep", "9"]}, program("p", exit={"after": "1m", "code": 2}))
    assert (found.exit_after_s, found.exit_code) == (60, 2)


def program(name: str, match: Object | None = None, **spec: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"match": match or {}, **spec}}


def test_the_program_that_says_more_counts_and_then_the_first_by_name() -> None:
    narrow = program("z", {"image": "nginx:*", "container": "web"}, pull={"after": 9})
    wide = program("a", {"image": "nginx:*"}, pull={"after": 5, "error": "no route"})
    found = does({"image": "nginx:1"}, narrow, wide)
    assert (found.pull_s, found.pull_error) == (9, "no route")
    assert does({"image": "nginx:1"}, program("b", pull={"after": 2}), program("a", pull={"after": 1})).pull_s == 1


@pytest.mark.parametrize(
    ("match", "is_meant"),
    [
        ({}, True),
        ({"image": "nginx:1.*"}, True),
        ({"image": "httpd*"}, False),
        ({"container": "web"}, True),
        ({"container": "db"}, False),
        ({"selector": {"matchLabels": {"app": "web"}}}, True),
        ({"selector": {"matchLabels": {"app": "db"}}}, False),
        ({"image": "nginx:*", "container": "db"}, False),
    ],
)
def test_a_program_matches_where_all_it_names_matches(match: Object, is_meant: bool) -> None:
    found = does({"image": "nginx:1.27"}, program("p", match, pull={"after": 77}), labels={"app": "web"})
    assert (found.pull_s == 77) is is_meant


@pytest.mark.parametrize(
    ("image", "is_there"),
    [
        ("nginx:1.27", True), ("nginx:1.14.2", True), ("nginx:latest", True), ("nginx:1.16.1-alpine", True), ("nginx", True),
        ("nginx:1.161", False), ("nginx:2.0", False), ("nginx:wrong", False), ("does-not-exist:1", False),
        ("example.com/nonexistent", False), ("example.com/app:9", True),
    ],
)  # fmt: skip
def test_the_registry_knows_which_tags_exist(image: str, is_there: bool) -> None:
    error = does({"image": image}).pull_error
    assert (error == "") is is_there
    assert is_there or error.endswith(": not found")


def test_every_entry_of_the_catalogue_can_be_read() -> None:
    names = catalogue._data()["images"]
    assert len(names) >= 40
    for name in names:
        image = name if "/" in name or name not in ("pause",) else f"registry.k8s.io/{name}"
        found = catalogue.of({"name": "c", "image": image})
        assert isinstance(found, Behaviour)
        assert found.image_size > 0


def test_a_course_holds_each_value_until_the_next() -> None:
    course = ((0, "a"), (10, "b"))
    assert [programs.at(course, second) for second in (0, 9, 10, 99)] == ["a", "a", "b", "b"]
    assert programs.at(((5, "a"),), 4) is None


@pytest.mark.parametrize(
    ("digits", "text"),
    [(1, "3"), (2, "3.1"), (3, "3.14"), (5, "3.1416"), (31, "3.141592653589793238462643383280")],
)
def test_pi_is_rounded_to_its_digits(digits: int, text: str) -> None:
    assert tools.pi(digits) == text


def test_the_job_of_the_documentation_prints_pi() -> None:
    cluster = Cluster.memory(nodes=2)
    container = {"name": "pi", "image": "perl:5.34.0", "command": ["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"]}
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    cluster.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi"}, "spec": spec})
    cluster.reconcile()
    pod = cluster.list("pods")[0]
    assert pod["status"]["phase"] == "Succeeded"
    (line,) = [text for _, text in logs.lines(container, pod, cluster.view, cluster.clock)]
    assert line == tools.pi(2000)
    assert (len(line), line[:12]) == (2001, "3.1415926535")


@pytest.mark.parametrize("last", ["print bpi(x)", "print 1", "print bpi(0)", "print bpi(99999999)"])
def test_other_words_of_perl_are_not_known(last: str) -> None:
    base = programs.DEFAULT
    assert tools.loaded(("perl", "-Mbignum=bpi", "-wle", last), "perl", base) is base
