"""The table of kinds: names that people type, and the listings of a real API server."""

from __future__ import annotations

from pathlib import Path

import pytest

from minikube_py.api import resources
from minikube_py.api.kinds import KINDS, Kind, Registry
from minikube_py.printers import tables

DATA = Path(__file__).parent.parent / "data" / "kinds"
REGISTRY = Registry()

NAMED = [
    ("po", "pods"),
    ("pod", "pods"),
    ("Pods", "pods"),
    ("pods.v1.", "pods"),
    ("pods.v1", None),
    ("deploy", "deployments.apps"),
    ("deployments.apps", "deployments.apps"),
    ("deployment.apps", "deployments.apps"),
    ("deployments.v1.apps", "deployments.apps"),
    ("deploy.ap", "deployments.apps"),
    ("deployments.v2.apps", None),
    ("ev", "events"),
    ("events", "events"),
    ("events.events.k8s.io", "events.events.k8s.io"),
    ("events.v1.events.k8s.io", "events.events.k8s.io"),
    ("hpa.v1.autoscaling", "horizontalpodautoscalers.autoscaling"),
    ("crds", "customresourcedefinitions.apiextensions.k8s.io"),
    ("ingress", "ingresses.networking.k8s.io"),
    ("endpoints", "endpoints"),
    ("faults.sim.kpy.dev", "faults.sim.kpy.dev"),
    ("traffic", "traffics.sim.kpy.dev"),
    ("nothing", None),
    ("", None),
]


@pytest.mark.parametrize(("word", "resource"), NAMED)
def test_finds_what_a_person_types(word: str, resource: str | None) -> None:
    found = REGISTRY.named(word)
    assert (found.resource if found else None) == resource


def test_finds_a_document_by_any_of_its_versions() -> None:
    v1, v2 = (REGISTRY.find(f"autoscaling/{version}", "HorizontalPodAutoscaler") for version in ("v1", "v2"))
    assert v1 is v2 is REGISTRY.resource("horizontalpodautoscalers.autoscaling")
    assert REGISTRY.find("apps/v2", "Deployment") is None


def test_the_category_all_is_what_kubectl_get_all_shows() -> None:
    assert [kind.plural for kind in REGISTRY.category("all")] == [
        "pods", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "statefulsets",
        "horizontalpodautoscalers", "cronjobs", "jobs",
    ]  # fmt: skip


def test_a_custom_kind_makes_a_new_registry() -> None:
    more = REGISTRY.with_kinds([Kind("Widget", "example.com/v1", "widgets", short=("wg",))])
    assert more.named("wg") is not None
    assert REGISTRY.named("wg") is None


def test_resources_and_kinds_are_named_once() -> None:
    assert len({kind.resource for kind in KINDS}) == len(KINDS)
    assert len({(kind.version, kind.name) for kind in KINDS}) == len(KINDS)


def recorded(name: str) -> str:
    return (DATA / f"{name}.txt").read_text().partition("--- stdout\n")[2].partition("--- stderr")[0]


def listing(wide: bool) -> str:
    rows = resources.rows(REGISTRY, simulated=False)
    return tables.layout([resources.header(wide), *(resources.cells(row, wide) for row in rows)])


def test_api_resources_are_those_of_a_real_server() -> None:
    assert listing(wide=False) == recorded("api_resources")
    assert listing(wide=True) == recorded("api_resources_wide")


def test_api_resources_by_name_and_scope() -> None:
    names = [row.full_name for row in resources.rows(REGISTRY, simulated=False)]
    assert names == recorded("api_resources_name").split()
    rows = [resources.cells(row) for row in resources.rows(REGISTRY, simulated=False, namespaced=False)]
    assert tables.layout(rows) == recorded("api_resources_ns")


def test_api_versions_are_those_of_a_real_server() -> None:
    assert resources.versions(REGISTRY, simulated=False) == recorded("api_versions").split()
    assert "sim.kpy.dev/v1alpha1" in resources.versions(REGISTRY)


def test_api_resources_are_filtered_and_sorted() -> None:
    assert [row.kind for row in resources.rows(REGISTRY, group="batch", sort_by="kind")] == ["CronJob", "Job"]
    assert [row.name for row in resources.rows(REGISTRY, group="", categories=("all",))] == [
        "pods", "replicationcontrollers", "services",
    ]  # fmt: skip
    assert {row.name for row in resources.rows(REGISTRY, group="authentication.k8s.io", verbs=("create",))} == {
        "selfsubjectreviews",
        "tokenreviews",
    }
