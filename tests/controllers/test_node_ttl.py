"""How long kubelets may keep Secrets, by the size of the cluster."""

from __future__ import annotations

import pytest

from minikube_py.api.types import Key, Patch
from minikube_py.controllers import node_ttl
from tests.controllers.objects import node
from tests.support import FrozenView, actions


@pytest.mark.parametrize(
    ("nodes", "noted", "seconds"),
    [
        (1, None, 0), (100, "0", 0), (101, "0", 15), (95, "15", 15), (89, "15", 0), (501, "15", 30), (449, "30", 15),
        (1001, None, 60), (2001, "60", 300), (1799, "300", 60), (3, "300", 0), (3, "nonsense", 0),
    ],
)  # fmt: skip
def test_the_note_follows_the_size_with_some_delay_on_the_way_down(nodes: int, noted: str | None, seconds: int) -> None:
    assert node_ttl.ttl_s(nodes, noted) == seconds


def test_a_node_gets_its_note_once() -> None:
    made = node()
    note = {"metadata": {"annotations": {node_ttl.NOTE: "0"}}}
    assert actions(node_ttl.step, made, FrozenView({"nodes": [made]})) == [Patch(Key("nodes", "", "n1"), note)]
    noted = {**made, "metadata": {**made["metadata"], **note["metadata"]}}
    assert actions(node_ttl.step, noted, FrozenView({"nodes": [noted]})) == []
