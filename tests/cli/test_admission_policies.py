"""ValidatingAdmissionPolicies and MutatingAdmissionPolicies at work: what the recordings don't show."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

pytest.importorskip("cel_expr_python")
VALIDATING, MUTATING = "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"


def policy(kind: str, name: str, resource: str, *, bound: dict[str, Any] | None = None, **spec: Any) -> str:
    """A policy about a resource ('apps/deployments') and its binding, as YAML."""
    group, _, plural = resource.rpartition(":")
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [plural]}
    constraints = {"resourceRules": [rule], **spec.pop("matchConstraints", {})}
    version = "admissionregistration.k8s.io/v1"
    binding = {"policyName": name, **({"validationActions": ["Deny"]} if kind == VALIDATING else {}), **(bound or {})}
    made = [
        {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"matchConstraints": constraints, **spec},
        },
        {"apiVersion": version, "kind": f"{kind}Binding", "metadata": {"name": f"{name}-b"}, "spec": binding},
    ]
    return yaml.safe_dump_all(made)


def apply_configuration(expression: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def json_patch(expression: str) -> dict[str, Any]:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


@pytest.fixture
def given(kpy: Callable[..., Result]) -> Callable[[str], None]:
    def apply(text: str) -> None:
        done = kpy("apply", "-f", "-", stdin=text)
        assert (done.code, done.err) == (0, ""), done.err

    return apply


SIDECAR = (
    'Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: "mesh", image: "mesh:1", '
    'restartPolicy: "Always"}]}}'
)
LABEL = '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("x/y"), value: "z"}]'


def test_configurations_and_patches_change_objects_in_order(
    kpy: Callable[..., Result], given: Callable[[str], None]
) -> None:
    once = "!object.spec.?initContainers.orValue([]).exists(c, c.name == 'mesh')"
    given(
        policy(
            MUTATING, "side", "pods", reinvocationPolicy="IfNeeded", matchConditions=[{"name": "once", "expression": once}],
            mutations=[apply_configuration(SIDECAR), json_patch(LABEL)],
        )
    )  # fmt: skip
    kpy("run", "web", "--image=nginx")
    found = kpy("get", "pod", "web", "-o", "jsonpath={.spec.initContainers[*].name} {.metadata.labels}").out
    assert found == 'mesh {"run":"web","x/y":"z"}'


def test_a_patch_whose_test_fails_changes_nothing(kpy: Callable[..., Result], given: Callable[[str], None]) -> None:
    expression = (
        '[JSONPatch{op: "test", path: "/data/a", value: "b"}, JSONPatch{op: "replace", path: "/data/a", value: "c"}]'
    )
    given(policy(MUTATING, "test", "configmaps", reinvocationPolicy="Never", mutations=[json_patch(expression)]))
    for value, becomes in (("b", "c"), ("q", "q")):
        kpy("create", "configmap", value, f"--from-literal=a={value}")
        assert kpy("get", "configmap", value, "-o", "jsonpath={.data.a}").out == becomes


def test_atomic_lists_cannot_be_changed_by_a_configuration(
    kpy: Callable[..., Result], given: Callable[[str], None]
) -> None:
    expression = 'Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", command: ["x"]}]}}'
    given(policy(MUTATING, "list", "pods", reinvocationPolicy="Never", mutations=[apply_configuration(expression)]))
    assert kpy("run", "c", "--image=x").err == (
        "The pods \"c\" is invalid: : policy 'list' with binding 'list-b' denied request: error applying patch: invalid "
        'ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[name="c"].command\n'
    )


PARAMETER = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}
AT_MOST = {
    "expression": "object.spec.replicas <= int(params.data.max)",
    "messageExpression": "'at most ' + params.data.max",
}
DENIED = "error: failed to create deployment: deployments.apps \"d\" is forbidden: ValidatingAdmissionPolicy 'max' with binding 'max-b' denied request: "


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (
            "Deny",
            "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction\n",
        ),
        ("Allow", ""),
    ],
)
def test_parameters_that_are_missing(
    kpy: Callable[..., Result], given: Callable[[str], None], missing: str, told: str
) -> None:
    reference = {"selector": {"matchLabels": {"limit": "yes"}}, "parameterNotFoundAction": missing}
    given(
        policy(VALIDATING, "max", "apps:deployments", bound={"paramRef": reference}, validations=[AT_MOST], **PARAMETER)
    )
    assert kpy("create", "deploy", "d", "--image=x", "--replicas=4").err == (DENIED + told if told else "")


def test_each_selected_parameter_must_be_kept(kpy: Callable[..., Result], given: Callable[[str], None]) -> None:
    reference = {"selector": {"matchLabels": {"limit": "yes"}}, "parameterNotFoundAction": "Deny"}
    given(
        policy(VALIDATING, "max", "apps:deployments", bound={"paramRef": reference}, validations=[AT_MOST], **PARAMETER)
    )
    for number in (5, 3):
        kpy("create", "configmap", f"l{number}", f"--from-literal=max={number}")
        kpy("label", "configmap", f"l{number}", "limit=yes")
    assert kpy("create", "deploy", "d", "--image=x", "--replicas=4").err == f"{DENIED}at most 3\n"
    assert kpy("create", "deploy", "d", "--image=x", "--replicas=3").code == 0


def test_failure_policy_ignore(kpy: Callable[..., Result], given: Callable[[str], None]) -> None:
    fails = [{"expression": "object.nope.x == 'y'"}]
    given(policy(VALIDATING, "ignore", "configmaps", failurePolicy="Ignore", validations=fails))
    assert kpy("create", "configmap", "c").code == 0
    given(policy(VALIDATING, "fail", "configmaps", failurePolicy="Fail", validations=fails))
    assert kpy("create", "configmap", "d").err == (
        "error: failed to create configmap: configmaps \"d\" is forbidden: ValidatingAdmissionPolicy 'fail' with binding "
        "'fail-b' denied request: expression 'object.nope.x == 'y'' resulted in error: no such key: nope\n"
    )


def test_excluded_names_and_subresources(kpy: Callable[..., Result], given: Callable[[str], None]) -> None:
    rule = {
        "apiGroups": [""],
        "apiVersions": ["*"],
        "operations": ["*"],
        "resources": ["services"],
        "resourceNames": ["ok"],
    }
    no = [{"expression": "false", "message": "no services"}]
    given(policy(VALIDATING, "none", "services", matchConstraints={"excludeResourceRules": [rule]}, validations=no))
    assert "no services" in kpy("create", "service", "clusterip", "no", "--tcp=80").err
    assert kpy("create", "service", "clusterip", "ok", "--tcp=80").code == 0
    few = [{"expression": "object.spec.replicas <= 2", "message": "too many"}]
    given(policy(VALIDATING, "scale", "apps:deployments/scale", validations=few))
    assert kpy("create", "deploy", "d", "--image=x", "--replicas=3").code == 0
    assert kpy("scale", "deploy", "d", "--replicas=4").err == (
        "The deployments \"d\" is invalid: : ValidatingAdmissionPolicy 'scale' with binding 'scale-b' denied request: too many\n"
    )


def test_another_version_of_a_resource_is_matched_too(kpy: Callable[..., Result], given: Callable[[str], None]) -> None:
    spread = [
        {"expression": "object.spec.maxReplicas < 5 && object.apiVersion == 'autoscaling/v1'", "message": "too wide"}
    ]
    given(policy(VALIDATING, "v1", "autoscaling:horizontalpodautoscalers", validations=spread))
    kpy("create", "deploy", "d", "--image=x")
    assert "too wide" in kpy("autoscale", "deploy", "d", "--max=9").err
    assert kpy("autoscale", "deploy", "d", "--max=4").code == 0


def test_the_authorizer_and_who_asks(kpy: Callable[..., Result], given: Callable[[str], None]) -> None:
    may = "authorizer.group('').resource('services').namespace(request.namespace).name('x').check('delete').allowed()"
    who = "request.userInfo.username == 'kubernetes-admin' && namespaceObject.metadata.name == 'default'"
    given(policy(VALIDATING, "may", "services", validations=[{"expression": may}, {"expression": who}]))
    assert kpy("create", "service", "clusterip", "a", "--tcp=80").code == 0
    kpy("create", "clusterrole", "maker", "--verb=create", "--resource=services")
    kpy("create", "clusterrolebinding", "makers", "--clusterrole=maker", "--user=jane")
    refused = kpy("create", "service", "clusterip", "b", "--tcp=80", "--as=jane").err
    assert refused.endswith(f"denied request: failed expression: {may}\n")


def test_what_a_controller_writes_is_looked_at(kpy: Callable[..., Result], given: Callable[[str], None]) -> None:
    good = "object.spec.containers.all(c, !c.image.startsWith('bad'))"
    given(policy(VALIDATING, "pods", "pods", validations=[{"expression": good, "message": "bad image"}]))
    kpy("create", "deploy", "bad", "--image=bad")
    assert kpy("wait", "--for=condition=ReplicaFailure", "deploy/bad", "--timeout=60s").code == 0
    condition = kpy(
        "get", "deploy", "bad", "-o", 'jsonpath={.status.conditions[?(@.type=="ReplicaFailure")].message}'
    ).out
    assert condition.endswith(
        "is forbidden: ValidatingAdmissionPolicy 'pods' with binding 'pods-b' denied request: bad image"
    )


def test_without_the_library_what_needs_it_says_so(kpy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    from minikube_py.api.cel import frontend

    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("cel_expr_python"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    frontend._library.cache_clear()
    expression = (
        "sets.contains([1], [1]) && ip('1.1.1.1').family() == 4 && [1].isSorted()"  # nothing else calls these three
    )
    try:
        done = kpy("apply", "-f", "-", stdin=policy(VALIDATING, "p", "pods", validations=[{"expression": expression}]))
        assert done.code == 1
        assert frontend.MISSING in done.err
        assert kpy("create", "secret", "generic", "s").code == 0
    finally:
        monkeypatch.undo()
        frontend._library.cache_clear()
