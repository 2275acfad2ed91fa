"""The promise that manifests/traffic/ proves, played on a cluster in memory; and the pictures of docs/traffic.md.

python -m tests.network.scenarios       # writes docs/traffic-*.svg anew
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from minikube_py.api.types import Key
from minikube_py.cli import traffic_svg
from minikube_py.cluster import Cluster
from minikube_py.network import tally, traffic
from tests.house.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]
FOLDER = ROOT / "manifests" / "traffic"
BEFORE_S = 60  # of traffic before anything happens
VISITORS = Key(traffic.RESOURCE, "default", "visitors")


class Scenario(NamedTuple):
    """`what` happens after a minute of traffic; `for_s`: how long is watched from then on."""

    name: str
    title: str
    manifest: str
    what: Callable[[Cluster], None]
    for_s: int


def release(tag: str) -> Callable[[Cluster], None]:
    def deed(cluster: Cluster) -> None:
        path = "/spec/template/spec/containers/0/image"
        change = [{"op": "replace", "path": path, "value": f"ghcr.io/example/shop:{tag}"}]
        cluster.patch("deployments.apps", "shop", "default", change, type="json")

    return deed


def lose_a_node(cluster: Cluster) -> None:
    """The node of the first pod is switched off."""
    node = cluster.list("pods", "default", labels="app=shop")[0]["spec"]["nodeName"]
    fault = {"type": "NodeDown", "node": node}
    cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": f"node-down-{node}"}, "spec": fault})  # fmt: skip


SCENARIOS = (
    Scenario("careful", "A careful rollout", "zero-downtime.yaml", release("1.1"), 120),
    Scenario("careless", "A careless rollout", "careless.yaml", release("1.1"), 120),
    Scenario("bad-caught", "A bad release, caught by its readiness probe", "zero-downtime.yaml", release("bad"), 120),
    Scenario("bad-served", "A bad release without a readiness probe", "careless.yaml", release("bad"), 120),
    Scenario("node-spare", "A node fails, with spare replicas", "spare.yaml", lose_a_node, 540),
    Scenario("node-alone", "A node fails, with a single replica", "alone.yaml", lose_a_node, 540),
)


def apply(cluster: Cluster, name: str) -> None:
    for document in yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")):
        cluster.apply(document)


def play(scenario: Scenario) -> Cluster:
    """Half a minute to come up, a minute of traffic, the deed, and what comes of it."""
    cluster = Cluster.memory(nodes=4)
    apply(cluster, scenario.manifest)
    apply(cluster, "shop.yaml")
    cluster.reconcile(for_s=30)
    apply(cluster, "visitors.yaml")
    cluster.reconcile(for_s=BEFORE_S)
    scenario.what(cluster)
    cluster.reconcile(for_s=scenario.for_s)
    return cluster


def counts(cluster: Cluster, name: str = "visitors") -> Object:
    return traffic.current(cluster.get(traffic.RESOURCE, name, "default"), cluster.view, cluster.clock)


def picture(scenario: Scenario, cluster: Cluster) -> str:
    found = counts(cluster)
    causes = ", ".join(f"{count} {cause}" for cause, count in found["causes"].items())
    subtitle = f"{found['requests']} requests, {found['errors']} errors{f' ({causes})' if causes else ''}"
    return traffic_svg.draw(scenario.title, subtitle, tally.pieces(found, cluster.view.memory(traffic.NAME, VISITORS)))


def write() -> None:
    for scenario in SCENARIOS:
        (ROOT / "docs" / f"traffic-{scenario.name}.svg").write_text(picture(scenario, play(scenario)), encoding="utf-8")


if __name__ == "__main__":
    write()
