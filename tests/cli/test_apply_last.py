"""apply --server-side on the command line, set-last-applied, edit-last-applied, config's verbs, dumps, --realtime."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from minikube_py.cli import call as calls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: "1", b: "2"}\n'
LESS = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: "1"}\n'
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: "nginx:1.27"}]}
"""


def test_server_side_takes_over_what_apply_managed(kpy: Callable[..., Result]) -> None:
    """Fields that the file no longer has go at once; the annotation stays, with a manager of its own."""
    kpy("apply", "-f", "-", stdin=CONFIG_MAP)
    assert kpy("apply", "--server-side", "-f", "-", stdin=LESS).out == "configmap/c serverside-applied\n"
    shown = json.loads(kpy("get", "cm", "c", "-o", "json", "--show-managed-fields").out)
    assert shown["data"] == {"a": "1"}
    assert "kubectl.kubernetes.io/last-applied-configuration" in shown["metadata"]["annotations"]
    managers = [(one["manager"], one["operation"]) for one in shown["metadata"]["managedFields"]]
    assert managers == [("kubectl", "Apply"), ("kubectl-last-applied", "Apply")]


def test_a_conflict_names_the_manager_and_its_version(kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    words = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    done = kpy(*words, stdin=DEPLOYMENT.replace("replicas: 1", "replicas: 3"))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        'error: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas\n'
        "Please review the fields above--they currently have other managers. Here\n"
    )
    forced = kpy(*words, "--force-conflicts", stdin=DEPLOYMENT.replace("replicas: 1", "replicas: 3"))
    assert forced.code == 0


def test_kubectl_takes_over_what_it_has_applied(kpy: Callable[..., Result]) -> None:
    """As the annotation shows (managedfields/internal/lastappliedmanager.go): no conflict with kubectl's own past."""
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    done = kpy("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 1", "replicas: 3"))
    assert (done.code, done.out) == (0, "deployment.apps/web serverside-applied\n")


def test_commands_are_managers_by_their_names(kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    kpy("label", "deploy", "web", "a=b")
    kpy("annotate", "deploy", "web", "c=d", "--field-manager=me")
    kpy("scale", "deploy", "web", "--replicas=2")
    kpy("set", "image", "deploy/web", "nginx=nginx:2")
    names = kpy("get", "deploy", "web", "-o", "jsonpath={.metadata.managedFields[*].manager}").out
    assert sorted(names.split()) == ["kubectl", "kubectl-client-side-apply", "kubectl-label", "kubectl-set", "me"]
    assert "managedFields" not in kpy("get", "deploy", "web", "-o", "yaml").out


def test_set_last_applied_writes_nothing_but_the_annotation(kpy: Callable[..., Result]) -> None:
    kpy("create", "-f", "-", stdin=CONFIG_MAP)
    refused = kpy("apply", "set-last-applied", "-f", "-", stdin=LESS)
    assert refused.err == (
        "error: no last-applied-configuration annotation found on resource: c, to create the annotation, run the command "
        "with --create-annotation\n"
    )
    assert (
        kpy("apply", "set-last-applied", "--create-annotation", "-f", "-", stdin=LESS).out == "configmap/c configured\n"
    )
    again = kpy("apply", "set-last-applied", "-f", "-", stdin=LESS)
    assert again.out == "set-last-applied c: no changes required.\n"
    assert kpy("get", "cm", "c", "-o", "jsonpath={.data}").out == '{"a":"1","b":"2"}'
    assert json.loads(kpy("apply", "view-last-applied", "cm", "c", "-o", "json").out)["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("editor", "out", "err"),
    [
        ("sed -i s/2/3/", "configmap/c edited\n", ""),
        ("true", "", "Edit cancelled, no changes made.\n"),
        ("sed -i '/^#/d;s/^data:/data: /'", "configmap/c skipped\n", ""),
    ],
)
def test_edit_last_applied(
    kpy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, editor: str, out: str, err: str
) -> None:
    monkeypatch.setenv("KUBE_EDITOR", editor)
    kpy("apply", "-f", "-", stdin=CONFIG_MAP)
    done = kpy("apply", "edit-last-applied", "cm/c")
    assert (done.out, done.err) == (out, err)
    assert kpy("get", "cm", "c", "-o", "jsonpath={.data}").out == '{"a":"1","b":"2"}'


def test_edit_last_applied_needs_the_annotation(kpy: Callable[..., Result]) -> None:
    kpy("create", "-f", "-", stdin=CONFIG_MAP)
    assert (
        "no last-applied-configuration annotation found on resources" in kpy("apply", "edit-last-applied", "cm/c").err
    )


def test_a_context_is_renamed_with_its_cluster(kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=CONFIG_MAP)
    kpy("config", "set", "contexts.kpy.namespace", "kube-system")
    assert kpy("config", "rename-context", "kpy", "big").out == 'Context "kpy" renamed to "big".\n'
    assert kpy("config", "current-context").out == "big\n"
    assert kpy("get", "cm", "c", "-n", "default", "-o", "name").out == "configmap/c\n"
    assert kpy("config", "view", "-o", "jsonpath={.contexts[0].context.namespace}").out == "kube-system"
    kpy("config", "unset", "contexts.big.namespace")
    assert kpy("get", "cm", "c", "-o", "name").out == "configmap/c\n"


def test_the_choice_of_a_context_can_be_set_and_forgotten(kpy: Callable[..., Result]) -> None:
    kpy("cluster", "start", "other", "--nodes=1")
    assert kpy("config", "set", "current-context", "other").out == 'Property "current-context" set.\n'
    assert kpy("config", "current-context").out == "other\n"
    assert kpy("config", "unset", "current-context").out == 'Property "current-context" unset.\n'
    assert kpy("config", "current-context").out == "kpy\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("rename-context nope x", "cannot rename the context \"nope\", it's not in HOME"),
        ("delete-context nope", "cannot delete context nope, not in HOME"),
        ("delete-context kpy", "context kpy is the cluster's file itself: 'kpy cluster delete kpy' deletes the cluster"),
        ("delete-user x", "cannot delete user x, not in HOME"),
        ("set-credentials x", "there is no other user than admin, who needs no credentials: --as NAME plays another"),
        ("set current-context nope", 'no context exists with the name: "nope"'),
        ("unset users", "users cannot be changed: only current-context and contexts.NAME.namespace can, all else is the cluster's file"),
    ],
)  # fmt: skip
def test_what_config_cannot_change_is_said(kpy: Callable[..., Result], words: str, error: str) -> None:
    done = kpy("config", *words.split())
    assert done.code == 1
    assert re.sub(r"/\S+/clusters", "HOME", done.err) == f"error: {error}\n"


def test_a_dump_holds_nodes_objects_and_logs(kpy: Callable[..., Result], tmp_path: Path) -> None:
    kpy("run", "echo", "--image=busybox", "--restart=Never", "--", "echo", "hello")
    kpy("reconcile")
    text = kpy("cluster-info", "dump").out
    assert text.startswith('{\n    "kind": "NodeList",\n    "apiVersion": "v1",\n    "metadata": {\n')
    assert "==== START logs for container echo of pod default/echo ====\nhello\n==== END logs" in text
    target = tmp_path / "dump"
    done = kpy("cluster-info", "dump", f"--output-directory={target}", "--namespaces=default", "-o", "yaml")
    assert done.out == f"Cluster info dumped to {target}\n"
    assert sorted(path.name for path in target.iterdir()) == ["default", "nodes.yaml"]
    assert (target / "default" / "echo" / "logs.txt").read_text().startswith("==== START logs for container echo")


def test_realtime_lets_one_real_second_pass_for_each_virtual_one(
    kpy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[int] = []
    monkeypatch.setattr(calls, "_sleep", slept.append)
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    done = kpy("get", "pods", "-w", "--realtime", "--request-timeout=5s")
    assert slept == [1, 1, 1, 1, 1]
    assert [line.split()[2] for line in done.out.splitlines()] == [
        "STATUS",
        "Pending",
        "Pending",
        "ContainerCreating",
        "Running",
    ]


def test_auto_reconcile_leaves_a_settled_cluster(kpy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPY_AUTO_RECONCILE", "1")
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    assert kpy("get", "deploy", "web", "-o", "jsonpath={.status.readyReplicas}").out == "1"
    kpy("scale", "deploy", "web", "--replicas=3")
    assert kpy("get", "deploy", "web", "-o", "jsonpath={.status.readyReplicas}").out == "3"
    kpy("apply", "-f", "-", "--dry-run=server", stdin=DEPLOYMENT)
    assert kpy("get", "deploy", "web", "-o", "jsonpath={.status.readyReplicas}").out == "3"
