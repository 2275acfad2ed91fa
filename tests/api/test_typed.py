"""What server-side apply says of documents that do not fit their schema; the first two are recorded."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import typed
from minikube_py.api.kinds import Registry

DEPLOYMENT = Registry().resource("deployments.apps")
CONTAINERS = ".spec.template.spec.containers"


def containers(*given: dict[str, Any]) -> dict[str, Any]:
    return {"template": {"spec": {"containers": list(given)}}}


PROBLEMS = [
    ({"replcas": 3}, ".spec.replcas: field not declared in schema"),
    ({"replicas": "x"}, ".spec.replicas: expected numeric (int or float), got string"),
    ({"b": 1, "a": 1}, "errors:\n  .spec.a: field not declared in schema\n  .spec.b: field not declared in schema"),
    (containers({"name": "web", "image": 1}), f'{CONTAINERS}[name="web"].image: expected string, got &value.valueUnstructured{{Value:1}}'),
    (containers({"image": "i"}), f'{CONTAINERS}: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)'),
    (containers({"name": "a"}, {"name": "a"}), f'{CONTAINERS}: duplicate entries for key [name="a"]'),
    (containers({"name": "a", "ports": [{"containerPort": 80}, {"containerPort": 80}]}), f'{CONTAINERS}[name="a"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]'),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "problem"), PROBLEMS, ids=[problem for _, problem in PROBLEMS])
def test_tells_what_does_not_fit(spec: dict[str, Any], problem: str) -> None:
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    assert typed.problem(DEPLOYMENT, obj, "t-p") == (
        f"failed to create typed patch object (t-p/web; apps/v1, Kind=Deployment): {problem}"
    )


def test_a_good_document_has_no_problem() -> None:
    ports = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]
    limits = {"limits": {"cpu": 1, "memory": "1Gi"}}
    spec = {"replicas": 1, "paused": False, **containers({"name": "a", "ports": ports, "resources": limits})}
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"a": "b"}},
        "spec": spec,
    }
    assert typed.problem(DEPLOYMENT, obj) == ""
