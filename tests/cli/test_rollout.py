"""Rollouts, waiting, draining, watching: the commands that let virtual time pass themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.base.errors import UsageError
from minikube_py.cli import conditions
from minikube_py.cli.rollout_status import status

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET = ("create", "pdb", "web", "--selector=app=web", "--min-available=2")


@pytest.fixture
def web(kpy: Callable[..., Any]) -> Callable[..., Any]:
    """A home with a settled Deployment of two."""
    kpy("create", "deployment", "web", "--image=nginx:1.27", "--replicas=2")
    assert kpy("rollout", "status", "deploy/web").out.endswith('deployment "web" successfully rolled out\n')
    return kpy


def deployment(spec_replicas: int = 3, generation: int = 1, **counts: Any) -> dict[str, Any]:
    reason = counts.pop("reason", "ReplicaSetUpdated")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": generation},
        "spec": {"replicas": spec_replicas},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Progressing", "reason": reason}], **counts},
    }


@pytest.mark.parametrize(
    ("obj", "text", "done"),
    [
        (deployment(generation=2), "Waiting for deployment spec update to be observed...\n", False),
        (
            deployment(replicas=4, updatedReplicas=1, availableReplicas=3),
            'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...\n',
            False,
        ),
        (
            deployment(replicas=4, updatedReplicas=3, availableReplicas=3),
            'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...\n',
            False,
        ),
        (
            deployment(replicas=3, updatedReplicas=3, availableReplicas=2),
            'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...\n',
            False,
        ),
        (
            deployment(replicas=3, updatedReplicas=3, availableReplicas=3),
            'deployment "web" successfully rolled out\n',
            True,
        ),
    ],
)
def test_the_status_line_follows_the_deployments_counts(obj: dict[str, Any], text: str, done: bool) -> None:
    assert status(obj) == (text, done)


def test_a_deployment_past_its_deadline_is_an_error() -> None:
    with pytest.raises(UsageError, match='deployment "web" exceeded its progress deadline'):
        status(deployment(reason="ProgressDeadlineExceeded"))


def test_rollout_status_prints_a_line_for_each_change_until_it_is_done(web: Callable[..., Any]) -> None:
    web("set", "image", "deploy/web", "nginx=nginx:1.28")
    lines = web("rollout", "status", "deploy/web").out.splitlines()
    assert lines[-1] == 'deployment "web" successfully rolled out'
    assert 'Waiting for deployment "web" rollout to finish: 1 out of 2 new replicas have been updated...' in lines
    assert 'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...' in lines


def test_rollout_status_of_a_stuck_rollout_fails_at_its_deadline(web: Callable[..., Any]) -> None:
    web("patch", "deploy", "web", "-p", '{"spec":{"progressDeadlineSeconds":30}}')
    web("set", "image", "deploy/web", "nginx=does-not-exist:1")
    result = web("rollout", "status", "deploy/web")
    assert (result.code, result.err) == (1, 'error: deployment "web" exceeded its progress deadline\n')


def test_undo_goes_back_and_the_history_moves_on(web: Callable[..., Any]) -> None:
    assert web("rollout", "undo", "deploy/web").err == 'error: no rollout history found for deployment "web"\n'
    web("set", "image", "deploy/web", "nginx=nginx:1.28")
    web("rollout", "status", "deploy/web")
    assert web("rollout", "undo", "deploy/web").out == "deployment.apps/web rolled back\n"
    web("rollout", "status", "deploy/web")
    assert web("get", "deploy/web", "-o", "jsonpath={.spec.template.spec.containers[0].image}").out == "nginx:1.27"
    assert [line.split()[0] for line in web("rollout", "history", "deploy/web").out.splitlines()[2:-1]] == ["2", "3"]
    again = web("rollout", "undo", "deploy/web", "--to-revision=3")
    assert again.out == "deployment.apps/web skipped rollback (current template already matches revision 3)\n"
    missing = web("rollout", "undo", "deploy/web", "--to-revision=77")
    assert missing.err == "error: unable to find specified revision 77 in history\n"


def test_paused_deployments_refuse_what_kubectl_refuses(web: Callable[..., Any]) -> None:
    assert web("rollout", "pause", "deployment/web").out == "deployment.apps/web paused\n"
    assert web("rollout", "pause", "deployment/web").err == 'error: deployments.apps "web" is already paused\n'
    restart = web("rollout", "restart", "deployment/web").err
    assert restart == 'error: deployments.apps "web" can\'t restart paused deployment (run rollout resume first)\n'
    assert web("rollout", "resume", "deployment/web").out == "deployment.apps/web resumed\n"
    assert web("rollout", "resume", "deployment/web").err == 'error: deployments.apps "web" is not paused\n'


def test_restart_writes_the_virtual_time_into_the_template(web: Callable[..., Any]) -> None:
    assert web("rollout", "restart", "deploy/web").out == "deployment.apps/web restarted\n"
    again = web("rollout", "restart", "deploy/web")
    assert again.err.startswith("error: failed to create patch for web: if restart has already been triggered")


def test_deleting_waits_until_the_object_is_gone(web: Callable[..., Any]) -> None:
    pod = web("get", "pods", "-o", "name").out.split()[0].removeprefix("pod/")
    assert web("delete", "pod", pod).out == f'pod "{pod}" deleted from default namespace\n'
    assert web("get", "pod", pod).err == f'Error from server (NotFound): pods "{pod}" not found\n'


def test_wait_lets_time_pass_until_its_timeout(web: Callable[..., Any]) -> None:
    before = web("cluster", "status").out
    result = web("wait", "--for=condition=Nope", "deploy/web", "--timeout=1m")
    assert (result.code, result.err) == (1, "error: timed out waiting for the condition on deployments/web\n")
    assert web("cluster", "status").out != before
    assert web("wait", "--for=delete", "pod/nope").code == 0
    assert web("wait", "--for=create", "deploy/web").out == "deployment.apps/web condition met\n"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("condition=ready", True),
        ("condition=Ready=TRUE", True),
        ("condition=Ready=False", False),
        ("condition=Stale", False),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath=.status.phase=Running", True),
        ("jsonpath={.status.nope}", False),
        ("jsonpath={.status.phase}", True),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        ("create", True),
        ("delete", False),
    ],
)
def test_conditions_are_read_as_wait_reads_them(text: str, holds: bool) -> None:
    pod = {
        "metadata": {"name": "p", "generation": 2},
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "Stale", "status": "True", "observedGeneration": 1},
            ],
        },
    }
    assert conditions.parse(text)(pod) is holds


def test_draining_evicts_waits_and_leaves_the_node_cordoned(web: Callable[..., Any]) -> None:
    result = web("drain", "worker-1", "--ignore-daemonsets")
    lines = result.out.splitlines()
    assert lines[0] == "node/worker-1 cordoned"
    assert lines[-1] == "node/worker-1 drained"
    assert [line for line in lines if line.startswith("evicting pod default/web-")]
    assert web("get", "pods", "--field-selector", "spec.nodeName=worker-1").out == ""


def test_a_budget_holds_an_eviction_up_until_the_timeout(web: Callable[..., Any]) -> None:
    web(*BUDGET)
    web("reconcile")
    result = web("drain", "worker-1", "worker-2", "--timeout=20s")
    assert result.code == 1
    assert "(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget." in result.err
    assert "global timeout reached: 20s" in result.err


def test_bare_pods_are_not_drained_without_force(web: Callable[..., Any]) -> None:
    web("run", "bare", "--image=nginx", "--overrides", '{"spec":{"nodeName":"worker-2"}}')
    web("reconcile")
    refused = web("drain", "worker-2")
    text = "cannot delete Pods that declare no controller (use --force to override): default/bare"
    assert f'error: unable to drain node "worker-2" due to error: {text}, continuing command...' in refused.err
    assert refused.err.endswith(f"There are pending nodes to be drained:\n worker-2\n{text}\n")
    forced = web("drain", "worker-2", "--force")
    assert forced.err == "Warning: deleting Pods that declare no controller: default/bare\n"
    assert "pod/bare evicted\n" in forced.out


def test_watching_prints_the_list_and_then_each_change_in_the_same_columns(web: Callable[..., Any]) -> None:
    web("scale", "deploy/web", "--replicas=3")
    lines = web("get", "deploy", "web", "-w").out.splitlines()
    assert lines[:2] == ["NAME   READY   UP-TO-DATE   AVAILABLE   AGE", lines[1]]
    assert lines[-1].startswith("web    3/3     3            3           ")
    events = web("delete", "deploy", "web", "--wait=false") and web("get", "rs", "-w", "--output-watch-events")
    assert [line.split()[0] for line in events.out.splitlines()][-1] == "DELETED"


def test_auto_reconcile_settles_after_a_writing_command(
    kpy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPY_AUTO_RECONCILE", "1")
    kpy("create", "deployment", "web", "--image=nginx")
    assert kpy("get", "deploy", "web", "--no-headers").out.split()[1] == "1/1"
