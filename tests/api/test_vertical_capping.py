"""What a pod's containers get of a recommendation: limits in proportion, policies, LimitRanges."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.vertical import capping
from tests.support import FrozenView

Object = dict[str, Any]


@pytest.mark.parametrize(
    ("limits", "requests", "recommended", "expected"),
    [
        ({"cpu": "500m"}, {"cpu": "200m"}, {"cpu": "100m"}, {"cpu": "250m"}),
        ({"cpu": "200m"}, {"cpu": "200m"}, {"cpu": "300m"}, {"cpu": "300m"}),
        ({"cpu": "200m"}, {}, {"cpu": "300m"}, {"cpu": "300m"}),  # no request: it equals the limit
        ({"memory": "2Gi"}, {"memory": "1Gi"}, {"memory": "1536Mi"}, {"memory": "3Gi"}),
        ({}, {"cpu": "200m"}, {"cpu": "300m"}, {}),
        ({"cpu": "1"}, {"cpu": "300m"}, {"cpu": "100m"}, {"cpu": "333m"}),  # cut off
    ],
)
def test_a_limit_keeps_its_proportion(limits: Object, requests: Object, recommended: Object, expected: Object) -> None:
    assert capping.proportional(limits, requests, recommended, {})[0] == expected


def test_a_ratio_that_does_not_fit_is_cut_off_and_told() -> None:
    found, notes = capping.proportional({"memory": "1Ei"}, {"memory": "1"}, {"memory": "1Ti"}, {})
    assert found == {"memory": str(capping.MAX_INT64)}
    assert "memory: failed to keep limit to request ratio; capping limit to int64" in notes


def pod(*containers: Object) -> Object:
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": list(containers)}}


def container(name: str = "a", cpu: str = "100m", limit: str = "") -> Object:
    limits = {"limits": {"cpu": limit}} if limit else {}
    return {"name": name, "resources": {"requests": {"cpu": cpu}, **limits}}


def vpa(*policies: Object, **targets: str) -> Object:
    told = [
        {"containerName": name, **{field: {"cpu": cpu} for field in capping.FIELDS}} for name, cpu in targets.items()
    ]
    spec: Object = {"targetRef": {"kind": "Deployment", "name": "web"}}
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {**spec, "resourcePolicy": {"containerPolicies": list(policies)}},
        "status": {"recommendation": {"containerRecommendations": told}},
    }


def limit_range(sort: str, **bounds: Object) -> FrozenView:
    one = {"metadata": {"name": "l", "namespace": "default"}, "spec": {"limits": [{"type": sort, **bounds}]}}
    return FrozenView({"limitranges": [one]})


def given(autoscaler: Object, one: Object, view: FrozenView | None = None) -> list[tuple[Object, Object, list[str]]]:
    return [tuple(found) for found in capping.for_pod(autoscaler, one, view or FrozenView({}))]  # type: ignore[misc]


def test_a_container_without_a_recommendation_gets_nothing() -> None:
    assert given(vpa(a="200m"), pod(container(), container("b"))) == [({"cpu": "200m"}, {}, []), ({}, {}, [])]


@pytest.mark.parametrize(
    ("policy", "amount", "note"),
    [
        ({"minAllowed": {"cpu": "300m"}}, "300m", "cpu capped to minAllowed"),
        ({"maxAllowed": {"cpu": "150m"}}, "150m", "cpu capped to maxAllowed"),
    ],
)
def test_policies_bound(policy: Object, amount: str, note: str) -> None:
    assert given(vpa({"containerName": "*", **policy}, a="200m"), pod(container())) == [({"cpu": amount}, {}, [note])]


def test_where_limits_stay_the_request_goes_no_higher_than_they_are() -> None:
    policy = {"containerName": "a", "controlledValues": "RequestsOnly"}
    ((requests, limits, notes),) = given(vpa(policy, a="900m"), pod(container(limit="500m")))
    assert (requests, limits, notes) == ({"cpu": "500m"}, {}, ["cpu capped to container limit"])


def test_a_limit_range_for_containers_bounds_request_and_limit() -> None:
    view = limit_range("Container", max={"cpu": "600m"}, min={"cpu": "50m"})
    ((requests, limits, notes),) = given(vpa(a="900m"), pod(container(limit="200m")), view)
    assert (requests, limits["cpu"]) == ({"cpu": "300m"}, "600m")
    assert "cpu capped to fit Max in container LimitRange" in notes
    ((requests, _, notes),) = given(vpa(a="10m"), pod(container()), view)
    assert (requests, notes) == ({"cpu": "50m"}, ["cpu capped to fit Min in container LimitRange"])


def test_a_default_limit_counts_as_the_containers_own() -> None:
    view = limit_range("Container", default={"cpu": "200m"})
    ((_, limits, _),) = given(vpa(a="300m"), pod(container()), view)
    assert limits == {"cpu": "600m"}


def test_a_limit_range_for_pods_brings_the_sum_within_its_bounds() -> None:
    view = limit_range("Pod", max={"cpu": "1"})
    found = given(vpa(a="1", b="1"), pod(container(limit="100m"), container("b", limit="100m")), view)
    assert [requests for requests, _, _ in found] == [{"cpu": "500m"}] * 2
    low = limit_range("Pod", min={"cpu": "1"})
    found = given(vpa(a="100m", b="300m"), pod(container(limit="100m"), container("b", limit="100m")), low)
    assert [requests["cpu"] for requests, _, _ in found] == ["250m", "750m"]
