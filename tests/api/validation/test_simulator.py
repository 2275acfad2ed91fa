"""The simulator's own kinds are refused where they are wrong: nothing that cannot be read reaches the kubelet."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.base.errors import Invalid
from minikube_py.cluster import Cluster


def sim(kind: str, spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": kind, "metadata": {"name": "x"}}
    return found if spec is None else {**found, "spec": spec}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster.memory(nodes=1)


@pytest.mark.parametrize(
    ("kind", "spec", "texts"),
    [
        ("Program", None, ["spec: Required value"]),
        ("Program", {"exit": {"after": "soon"}}, ['spec.exit.after: Invalid value: "soon": time: invalid duration "soon"']),
        ("Program", {"exit": {"code": 256}}, ["spec.exit.code: Invalid value: 256: must be between 0 and 255, inclusive"]),
        ("Program", {"match": {"image": 3}}, ["spec.match.image: Invalid value: 3: must be a string"]),
        ("Fault", None, ["spec: Required value"]),
        ("Fault", {}, ["spec.type: Required value", "spec.node: Required value"]),
        ("Fault", {"type": "Quake", "node": "a"}, ['spec.type: Unsupported value: "Quake": supported values: "NodeDown"']),
        ("Fault", {"type": "NodeDown", "node": 3}, ["spec.node: Invalid value: 3: must be a string"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(cluster: Cluster, kind: str, spec: Any, texts: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        cluster.create(sim(kind, spec), dry_run=True)
    assert [str(cause) for cause in caught.value.causes] == texts


def test_what_is_right_is_stored(cluster: Cluster) -> None:
    for kind, spec in (
        ("Program", {"match": {}, "exit": {"after": "10s"}}),
        ("Fault", {"type": "NodeDown", "node": "a"}),
    ):
        assert cluster.create(sim(kind, spec), dry_run=True)["spec"] == spec
