"""`kpy policy test` and `kpy webhook`."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

SETUP = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
- {apiGroups: [""], resources: [configmaps], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: Group, name: viewers, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/warn: restricted}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: few, namespace: shop}
spec: {hard: {pods: "1"}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: labeller}
webhooks:
- name: label.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {name: labeller, namespace: shop}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
---
apiVersion: sim.kpy.dev/v1alpha1
kind: WebhookStub
metadata: {name: label.example.com}
spec: {patch: {metadata: {labels: {team: blue}}}}
"""
HEAD = "apiVersion: sim.kpy.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: shop}\ncases:\n"
POD = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx}]}}"
BAD_POD = POD.replace("spec: {", "spec: {hostNetwork: true, ")
READS = "- {name: reads, user: jane, groups: [viewers], verb: list, resource: pods, namespace: shop, expect: allow}\n"
DELETES = """- name: deletes
  user: jane
  groups: [viewers]
  verb: delete
  resource: pods/web
  namespace: shop
  expect: deny
  message: cannot delete resource "pods"
"""
PRIVILEGED = f'- {{name: host, namespace: shop, object: {BAD_POD}, expect: deny, message: "host namespaces"}}\n'
LABELLED = f"- {{name: label, namespace: shop, object: {POD}, expect: warn, message: restricted, becomes: {{metadata: {{labels: {{team: blue}}}}}}}}\n"
QUOTA = f"- {{name: quota, namespace: shop, given: [{POD.replace('name: p', 'name: q, namespace: shop')}], object: {POD}, expect: deny, message: 'exceeded quota: few'}}\n"
WRONG = "- {name: wrong, user: jane, verb: get, resource: secrets/s, namespace: shop, expect: allow}\n"


@pytest.fixture
def run(kpy: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """`run(cases, "-o", "json")` in a folder with SETUP."""
    (tmp_path / "policies").mkdir()

    def test(cases: str, *words: str, setup: str = SETUP) -> Result:
        (tmp_path / "policies" / "setup.yaml").write_text(setup)
        (tmp_path / "policies" / "test.yaml").write_text(cases if cases.startswith("apiVersion") else HEAD + cases)
        return kpy("policy", "test", str(tmp_path / "policies"), *words)

    return test


def test_all_as_expected(run: Callable[..., Result], kpy: Callable[..., Result]) -> None:
    done = run(READS + DELETES + PRIVILEGED + LABELLED + QUOTA)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("shop (")
    assert lines[1:] == [
        "  ok    reads",
        "  ok    deletes",
        "  ok    host",
        "  ok    label",
        "  ok    quota",
        "5 passed, 0 failed",
        "what each rule decided:",
        "  MutatingAdmissionWebhook labeller/label.example.com: patches 3",
        "  PodSecurity namespace/shop enforce=baseline:latest: allows 2, denies 1",
        "  PodSecurity namespace/shop warn=restricted:latest: warns 2",
        "  RBAC Role/shop/reader rule 1: allows 1",
        "  ResourceQuota shop/few: allows 1, denies 1",
        "rules that no case used:",
        "  RBAC Role/shop/reader rule 2",
    ]
    assert "shop" not in kpy("get", "namespaces").out


def test_a_failure_tells_what_each_rule_decided(run: Callable[..., Result]) -> None:
    done = run(READS + WRONG)
    assert done.code == 1
    assert done.out.splitlines()[1:6] == [
        "  ok    reads",
        "  FAIL  wrong",
        '        expected to be allowed, was denied: secrets "s" is forbidden: User "jane" cannot get resource "secrets" in API '
        'group "" in the namespace "shop"',
        "        RBAC denies: get secrets s for jane",
        "1 passed, 1 failed",
    ]


def test_verbose_tells_the_binding(run: Callable[..., Result]) -> None:
    assert (
        '        RBAC Role/shop/reader rule 1 allows: list pods, by RoleBinding "readers/shop" of Role "reader" to Group '
        '"viewers"\n'
    ) in run(READS, "-v").out


def test_json_and_junit(run: Callable[..., Result]) -> None:
    done = run(READS + PRIVILEGED + WRONG, "-o", "json")
    assert done.code == 1
    report = json.loads(done.out)
    assert [case["passed"] for case in report["cases"]] == [True, True, False]
    decided = {(one["plugin"], one["rule"], one["verdict"]) for one in report["cases"][1]["decisions"]}
    assert ("PodSecurity", "namespace/shop enforce=baseline:latest", "denies") in decided
    used = {(one["plugin"], one["rule"]): one["used"] for one in report["rules"]}
    assert used["RBAC", "Role/shop/reader rule 1"] == 1
    assert used["RBAC", "Role/shop/reader rule 2"] == used["ResourceQuota", "shop/few"] == 0
    root = ET.fromstring(run(READS + PRIVILEGED + WRONG, "-o", "junit").out.encode())
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
    }
    failure = root.find("testsuite/testcase[@name='wrong']/failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("expected to be allowed, was denied")


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        (f"- {{object: {POD}, namespace: shop, expect: deny}}", "expected to be denied, was allowed"),
        (f"- {{object: {BAD_POD}, namespace: shop, expect: deny, message: nonsense}}", "denied with another text: "),
        (f"- {{object: {POD}, expect: warn}}", "expected a warning, there was none"),
        (f"- {{object: {POD}, namespace: shop, expect: warn, message: nonsense}}", "warned with another text: "),
        (f"- {{object: {POD}, expect: allow, becomes: {{metadata: {{labels: {{team: red}}}}}}}}", "metadata.labels.team: expected 'red', became 'blue'"),
        ("- {verb: delete, resource: pods/none, expect: deny}", 'pods "none" not found'),
        ("- {resource: nodes/none, patch: {a: b}, expect: deny}", 'nodes "none" not found'),
        ("- {verb: delete, resource: pods/web, expect: deny, given: [{apiVersion: v1, kind: Pod, metadata: {name: x}}]}", "given[0]: "),
    ],
)  # fmt: skip
def test_problems(run: Callable[..., Result], case: str, problem: str) -> None:
    done = run(case + "\n")
    assert done.code == 1
    assert f"        {problem}" in done.out


EXISTING = (
    "given: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {replicas: 1, selector: "
    "{matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}}]"
)
ROBOTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: robots, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: robot, namespace: shop}]
"""


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("serviceAccount: shop/robot, verb: delete, resource: pods/x, expect: deny", 1),  # there is no such pod
        ("serviceAccount: shop/robot, verb: get, resource: pods/x, expect: allow", 0),
        ("serviceAccount: shop/robot, verb: get, resource: nodes/x, expect: deny", 0),
        ("serviceAccount: other/robot, verb: get, resource: pods/x, expect: deny", 0),
        ("serviceAccount: shop/robot, verb: create, resource: pods/x, subresource: exec, expect: allow", 0),
        (f"serviceAccount: shop/robot, resource: deploy/web, patch: {{spec: {{replicas: 3}}}}, expect: allow, becomes: {{spec: {{replicas: 3}}}}, {EXISTING}", 0),
        (f"resource: deploy/web, patch: [{{op: replace, path: /spec/replicas, value: 2}}], expect: allow, becomes: {{spec: {{replicas: 2}}}}, {EXISTING}", 0),
        (f"resource: deploy/web, patch: {{spec: {{replicas: 2}}}}, subresource: scale, dryRun: true, expect: allow, becomes: {{spec: {{replicas: 2}}}}, {EXISTING}", 0),
        (f"verb: delete, resource: deploy/web, expect: allow, {EXISTING}", 0),
        ("verb: fly, resource: pods/x, expect: allow", 1),
        (f"verb: create, resource: pods/q, subresource: eviction, expect: allow, given: [{POD.replace('name: p', 'name: q, namespace: shop')}]", 0),
        (f"verb: apply, object: {POD}, expect: warn", 0),
        ("file: pod.json, expect: warn", 0),
        ("file: none.json, expect: warn", 1),
    ],
)  # fmt: skip
def test_what_a_case_may_do(run: Callable[..., Result], tmp_path: Path, case: str, code: int) -> None:
    (tmp_path / "policies").mkdir(exist_ok=True)
    (tmp_path / "policies" / "more").mkdir()
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    }
    (tmp_path / "pod.json").write_text(json.dumps(pod))
    case = case.replace("file: ", "file: ../")
    done = run(f"- {{namespace: shop, {case}}}\n", setup=f"{SETUP}---{ROBOTS}")
    assert done.code == code, done.out + done.err


@pytest.mark.parametrize(
    ("cases", "error"),
    [
        ("- {object: {}, expect: perhaps}", "cases[0].expect: one of allow, deny, warn is wanted"),
        ("- {expect: allow}", "cases[0]: one of object, file and resource is wanted"),
        ("- {resource: pods, expect: allow}", "cases[0]: verb is wanted with resource"),
        ("- {resource: pods, verb: get, expect: allow, extra: 1}", 'cases[0]: unknown field "extra"'),
        ("- {resource: pods, verb: get, expect: allow, groups: x}", "cases[0].groups: 'x' is of the wrong type"),
        (
            "- {resource: pods, verb: get, expect: allow, user: a, serviceAccount: b}",
            "user and serviceAccount exclude each other",
        ),
        ("- {resource: pods, verb: get, expect: allow, given: [1]}", "cases[0].given: a list of objects is wanted"),
        (
            "- {resource: pods, verb: get, expect: allow, user: a, groups: [{}]}",
            "cases[0].groups: a list of names is wanted",
        ),
        ("- 1", "cases[0]: a mapping is wanted"),
        ("  []", "cases: a list with at least one case is wanted"),
        ("apiVersion: v1\nkind: PolicyTest\ncases: []", 'a PolicyTest has apiVersion sim.kpy.dev/v1alpha1, not "v1"'),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}", "holds no document of kind PolicyTest"),
    ],
)
def test_files_that_make_no_sense(run: Callable[..., Result], cases: str, error: str) -> None:
    done = run(cases + "\n")
    assert (done.code, done.out) == (1, "")
    assert error in done.err


def test_what_stands_beside_the_tests_must_be_good(run: Callable[..., Result]) -> None:
    done = run(READS, setup="apiVersion: v1\nkind: Namespace\nmetadata: {name: BAD}\n")
    assert done.code == 1
    assert 'setup.yaml:1: Namespace "BAD" is invalid' in done.err


def test_the_cluster_of_the_user_is_the_ground(run: Callable[..., Result], kpy: Callable[..., Result]) -> None:
    kpy("create", "clusterrole", "secrets", "--verb=get", "--resource=secrets")
    kpy("create", "clusterrolebinding", "secrets", "--clusterrole=secrets", "--user=jane")
    assert run(WRONG).code == 0


# -- webhooks -----------------------------------------------------------------------------------------------------
CONFIGURATION = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: checks}
webhooks:
- name: names.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {name: checks, namespace: default, path: /names}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
- name: local.example.com
  failurePolicy: Ignore
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {url: "https://127.0.0.1:9/x"}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
"""


def test_stubs_answer_for_webhooks(kpy: Callable[..., Result], tmp_path: Path) -> None:
    assert kpy("webhook", "list").out == "No webhooks found\n"
    kpy("apply", "-f", "-", stdin=CONFIGURATION)
    refused = kpy("create", "configmap", "one")
    assert refused.err == (
        'Warning: nobody answers for webhook "names.example.com" here; `kpy webhook stub names.example.com --allow` does\n'
        'error: failed to create configmap: Internal error occurred: failed calling webhook "names.example.com": failed to '
        'call webhook: Post "https://checks.default.svc:443/names?timeout=10s": service "checks" not found\n'
    )
    assert kpy("webhook", "stub", "names.example.com", "--deny", "bad name").out == (
        "webhookstub.sim.kpy.dev/names.example.com denies\n"
    )
    assert kpy("create", "configmap", "one").err == (
        'error: failed to create configmap: admission webhook "names.example.com" denied the request: bad name\n'
    )
    assert kpy("webhook", "list").out == (
        "WEBHOOK             CONFIGURATION   TYPE         FAILURE-POLICY   ANSWERED-BY\n"
        "names.example.com   checks          Validating   Fail             stub names.example.com: denies\n"
        "local.example.com   checks          Validating   Ignore           https://127.0.0.1:9/x\n"
    )
    assert kpy("webhook", "stub", "names.example.com", "--allow", "--warn", "hm").code == 0
    assert kpy("create", "configmap", "one") == (0, "configmap/one created\n", "Warning: hm\n")
    assert kpy("webhook", "stub", "names.example.com", "--remove").out.endswith("removed\n")
    assert kpy("create", "configmap", "two").code == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "say one of --allow, --deny TEXT, --patch FILE and --remove"),
        (["--allow", "--deny", "x"], "say one of --allow, --deny TEXT, --patch FILE and --remove"),
        (["--allow", "--code", "403"], "--code and --reason go with --deny"),
        (["--patch", "/none"], "cannot read /none: No such file or directory"),
        (["--deny", "x", "--code", "200"], "spec.code: Invalid value: 200"),
        (["--remove"], 'webhookstubs.sim.kpy.dev "a.b.c" not found'),
    ],
)
def test_bad_stubs(kpy: Callable[..., Result], words: list[str], error: str) -> None:
    done = kpy("webhook", "stub", "a.b.c", *words)
    assert done.code == 1
    assert error in done.err


@pytest.mark.parametrize("text", ["", "just text", "[1]", "- {path: /x}", "\t"])
def test_bad_patches(kpy: Callable[..., Result], tmp_path: Path, text: str) -> None:
    (tmp_path / "patch.yaml").write_text(text)
    assert kpy("webhook", "stub", "a.b.c", "--patch", str(tmp_path / "patch.yaml")).code == 1


ADMISSION = "{apiVersion: apiserver.config.k8s.io/v1, kind: AdmissionConfiguration, plugins: [{name: PodSecurity, configuration: %s}]}"


def test_a_cluster_is_started_with_a_configuration_of_admission(kpy: Callable[..., Result], tmp_path: Path) -> None:
    settings = "{defaults: {enforce: baseline}, exemptions: {namespaces: [kube-system]}}"
    (tmp_path / "admission.yaml").write_text(ADMISSION % settings)
    assert (
        kpy("cluster", "start", "strict", "--admission-control-config-file", str(tmp_path / "admission.yaml")).code == 0
    )
    host = '{"spec": {"hostNetwork": true}}'
    refused = kpy("run", "x", "--image=nginx", f"--overrides={host}")
    assert 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)' in refused.err
    assert kpy("run", "x", "--image=nginx", f"--overrides={host}", "-n", "kube-system").code == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (ADMISSION % "{defaults: {enforce: strict}}", 'defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted'),
        (ADMISSION % "{defaults: {warn-version: x}}", 'defaults.warn-version: Invalid value: "x": must be "latest" or "v1.x"'),
        (ADMISSION % "{defaults: 1}", "defaults: a mapping is wanted"),
        (ADMISSION % "{exemptions: {usernames: x}}", "exemptions.usernames: a list of names is wanted"),
        ("{kind: AdmissionConfiguration, plugins: 1}", "plugins: a list of plugins is wanted"),
        ("{kind: AdmissionConfiguration, plugins: [{name: ImagePolicyWebhook}]}", "only PodSecurity can be configured here, not 'ImagePolicyWebhook'"),
        ("{kind: Other}", "want kind AdmissionConfiguration, not 'Other'"),
    ],
)  # fmt: skip
def test_bad_configurations_of_admission(kpy: Callable[..., Result], tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "admission.yaml").write_text(text)
    done = kpy("cluster", "start", "other", "--admission-control-config-file", str(tmp_path / "admission.yaml"))
    assert (done.code, error in done.err) == (1, True), done.err
    assert "other" not in kpy("cluster", "list").out
