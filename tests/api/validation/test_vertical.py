"""VerticalPodAutoscalers: what their webhook and their schema refuse, in their words."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.warnings import vertical as warnings
from minikube_py.base.errors import BadRequest, Invalid
from tests.apiserver.small import SmallServer

Object = dict[str, Any]
TARGET = {"kind": "Deployment", "name": "web"}
PER_VPA = "not supported when feature flag PerVPAConfig is disabled"


def made(**spec: Any) -> Object:
    meta = {"name": "x", "namespace": "default"}
    return {"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": meta, "spec": spec}


def policy(**fields: Any) -> Object:
    return {"targetRef": TARGET, "resourcePolicy": {"containerPolicies": [{"containerName": "c", **fields}]}}


AT = "spec.resourcePolicy.containerPolicies[0]"


@pytest.mark.parametrize(
    "spec",
    [
        {"targetRef": TARGET},
        {"targetRef": TARGET, "updatePolicy": {"updateMode": "InPlaceOrRecreate", "minReplicas": 1}},
        policy(minAllowed={"cpu": 1}, maxAllowed={"cpu": "2", "memory": "1Gi"}, controlledValues="RequestsOnly"),
        policy(mode="Off"),
    ],
)
def test_what_is_right_is_stored(spec: Object) -> None:
    stored = SmallServer().create(made(**spec))
    assert stored["spec"]["updatePolicy"]["updateMode"] in ("Recreate", "InPlaceOrRecreate")


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        ({}, ["spec.targetRef: Required value"]),
        ({"targetRef": {"kind": "Deployment"}}, ["spec.targetRef.name: Required value"]),
        (
            {"targetRef": TARGET, "updatePolicy": {}},
            ["spec.updatePolicy.updateMode: Required value: updateMode is required if UpdatePolicy is used"],
        ),
        (
            {"targetRef": TARGET, "updatePolicy": {"updateMode": "Never", "minReplicas": 0}},
            [
                'spec.updatePolicy.updateMode: Unsupported value: "Never": supported values: '
                '"InPlace", "InPlaceOrRecreate", "Initial", "Off", "Recreate"',
                "spec.updatePolicy.minReplicas: Invalid value: 0: minReplicas has to be positive",
            ],
        ),
        (
            {"targetRef": TARGET, "updatePolicy": {"updateMode": "InPlace"}},
            [
                "spec.updatePolicy.updateMode: Forbidden: in order to use UpdateMode InPlace, you must enable feature gate "
                "InPlace in the admission-controller args"
            ],
        ),
        (
            policy(minAllowed={"cpu": "2"}, maxAllowed={"cpu": "1"}),
            [f'{AT}.maxAllowed[cpu]: Invalid value: "1": max resource for cpu is lower than min of "2"'],
        ),
        (
            policy(minAllowed={"cpu": "100u", "memory": "100m"}),
            [
                f'{AT}.minAllowed[cpu]: Invalid value: "100u": must be a whole number of milli CPUs',
                f'{AT}.minAllowed[memory]: Invalid value: "100m": must be a whole number of bytes',
            ],
        ),
        (
            policy(controlledResources=["cpu", "disk"]),
            [f'{AT}.controlledResources[1]: Unsupported value: "disk": supported values: "cpu", "memory"'],
        ),
        (
            policy(mode="Off", controlledValues="RequestsAndLimits"),
            [
                f"{AT}.controlledValues: Forbidden: controlledValues shouldn't be specified if container scaling mode is off"
            ],
        ),
        (policy(oomBumpUpRatio="1.5"), [f"{AT}.oomBumpUpRatio: Forbidden: {PER_VPA}"]),
        (
            {"targetRef": TARGET, "recommenders": [{"name": "a"}, {"name": "b"}]},
            ["spec.recommenders: Too many: 2: must have at most 1 item"],
        ),
        (policy(minAllowed={"cpu": "much"}), [f"{AT}.minAllowed.cpu: Invalid value: "]),
    ],
)
def test_what_is_wrong_is_refused(spec: Object, problems: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        SmallServer().create(made(**spec))
    for problem in problems:
        assert problem in str(caught.value)


def test_fields_that_there_are_not_are_refused() -> None:
    with pytest.raises(BadRequest, match=r'unknown field "spec\.mode"'):
        SmallServer().create(made(targetRef=TARGET, mode="Off"))


def test_auto_is_deprecated() -> None:
    (told,) = warnings.autoscaler(made(targetRef=TARGET, updatePolicy={"updateMode": "Auto"}), None)
    assert told.startswith('spec.updatePolicy: "Auto" mode is deprecated and will be removed in a future API version.')
    assert warnings.autoscaler(made(targetRef=TARGET), None) == []
