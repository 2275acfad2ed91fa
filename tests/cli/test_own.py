"""kpy's own commands: reconcile, cluster, node, history, sql, digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

WEB = ("create", "deployment", "web", "--image=nginx", "--replicas=2")


def test_reconcile_tells_what_the_components_did_in_causal_order(kpy: Callable[..., Any]) -> None:
    kpy(*WEB)
    result = kpy("reconcile")
    components = [line.partition("]")[0][1:] for line in result.out.splitlines() if line.startswith("[")]
    order = list(dict.fromkeys(components))
    assert order[:3] == ["api-server", "store", "deployment-controller"]
    assert order[-2:] == ["scheduler", "kubelet"]
    assert "[replicaset-controller] created 2 pods\n" in result.out
    assert "[scheduler] assigned 2 pods\n" in result.out
    assert "settled at 2026-" in result.out
    assert result.out.endswith("everything is healthy\n")
    assert result.code == 0


def test_a_step_is_one_pass_told_in_full(kpy: Callable[..., Any]) -> None:
    kpy(*WEB)
    result = kpy("reconcile", "--step")
    assert "[deployment-controller] created replicaset default/web-" in result.out
    assert "[scheduler] assigned pod default/web-" in result.out
    assert "not settled at " in result.out


def test_unhealthy_objects_are_named_with_the_reason(kpy: Callable[..., Any]) -> None:
    kpy("run", "big", "--image=nginx", "--overrides", '{"spec":{"nodeSelector":{"disk":"ssd"}}}')
    result = kpy("reconcile")
    assert "1 not healthy:\n  pod default/big: Unschedulable: 0/3 nodes are available" in result.out


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("deploy/web=available", 0),
        ("condition=Available deploy/web", 0),
        ("jsonpath={.status.readyReplicas}=2 deploy/web", 0),
        ("create deploy/web", 0),
        ("condition=Nope deploy/web", 1),
        ("delete deploy/web", 1),
    ],
)
def test_until_stops_when_the_condition_holds(condition: str, code: int, kpy: Callable[..., Any]) -> None:
    kpy(*WEB)
    result = kpy("reconcile", "--until", condition)
    assert result.code == code
    assert f"{condition}: {'met' if code == 0 else 'not met'} at " in result.out


def test_for_runs_exactly_so_long(kpy: Callable[..., Any]) -> None:
    assert "after 1h: " in kpy("reconcile", "--for", "1h").out.replace("60m", "1h")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--until", "bad"), "error: write --until as for `wait`"),
        (("--for", "x"), 'error: time: invalid duration "x"'),
        (("--step", "--for", "1m"), "error: --step, --for and --until exclude each other"),
        (("--foo",), "error: no such option: --foo"),
    ],
)
def test_wrong_words_are_refused_without_a_traceback(
    words: tuple[str, ...], message: str, kpy: Callable[..., Any]
) -> None:
    result = kpy("reconcile", *words)
    assert (result.code, result.err[: len(message)]) == (1, message)


def test_watching_prints_each_write_and_verbose_each_action(kpy: Callable[..., Any]) -> None:
    kpy(*WEB)
    assert " create pod default/web-" in kpy("reconcile", "-w", "--step").out
    assert " (because of pod default/web-" in kpy("reconcile", "-v").out


def test_clusters_are_started_listed_chosen_and_deleted(kpy: Callable[..., Any]) -> None:
    started = kpy("cluster", "start", "two", "--nodes", "1", "--epoch", "2026-01-01T00:00:00Z", "--cpu", "8")
    assert started.out == 'cluster "two" started: 1 node, Kubernetes v1.36.2\n'
    assert [line.split()[0] for line in kpy("cluster", "list").out.splitlines()[1:]] == ["kpy", "*"]
    assert kpy("get", "nodes", "-o", "jsonpath={.items[*].status.capacity.cpu}").out == "8"
    assert kpy("cluster", "use", "kpy").out == 'Switched to context "kpy".\n'
    assert len(kpy("get", "nodes", "-o", "name").out.split()) == 3
    assert len(kpy("get", "nodes", "-o", "name", "--context", "two").out.split()) == 1
    assert kpy("cluster", "delete", "two").out == 'cluster "two" deleted\n'
    assert kpy("--context=two", "get", "pods").err == 'error: context "two" does not exist\n'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("start", "kpy"), 'error: cluster "kpy" exists already\n'),
        (
            ("start", "../x"),
            "error: \"../x\" is not a cluster name: use lower case letters, digits and '-', at most 63\n",
        ),
        (("start", "x", "--cpu", "many"), 'error: invalid argument "many" for "--cpu" flag: '),
        (("start", "x", "--epoch", "now"), "error: --epoch wants a time such as 2026-01-01T00:00:00Z, not 'now'\n"),
        (("use", "nope"), 'error: no context exists with the name: "nope"\n'),
        (("delete", "nope"), 'error: cluster "nope" does not exist\n'),
        (("snapshot", "restore", "nope"), 'error: snapshot "nope" does not exist\n'),
    ],
)
def test_cluster_commands_say_what_is_wrong(words: tuple[str, ...], message: str, kpy: Callable[..., Any]) -> None:
    result = kpy("cluster", *words)
    assert (result.code, result.err[: len(message)]) == (1, message)


def test_a_snapshot_brings_back_what_was(kpy: Callable[..., Any]) -> None:
    kpy(*WEB)
    assert kpy("cluster", "snapshot", "save", "before").out == 'snapshot "before" saved\n'
    kpy("delete", "deploy", "web")
    assert kpy("get", "deploy").out == ""
    assert kpy("cluster", "snapshot", "restore", "before").out == 'snapshot "before" restored\n'
    assert kpy("get", "deploy", "-o", "name").out == "deployment.apps/web\n"


def test_a_node_is_added_with_labels_taints_and_more(kpy: Callable[..., Any]) -> None:
    words = ("--label", "disk=ssd", "--taint", "gpu=yes:NoSchedule", "--zone", "z1", "--capacity", "nvidia.com/gpu=2")
    assert kpy("node", "add", "gpu", *words, "--cpu", "16").out == "node/gpu added\n"
    kpy("reconcile")
    got = kpy(
        "get", "node", "gpu", "-o", "jsonpath={.metadata.labels.disk} {.spec.taints[0].key} {.status.capacity.cpu}"
    )
    assert got.out == "ssd gpu 16"
    assert "nvidia.com/gpu:     2\n" in kpy("describe", "node", "gpu").out
    assert kpy("node", "add", "gpu").err == 'Error from server (AlreadyExists): nodes "gpu" already exists\n'
    assert kpy("node", "remove", "gpu").out == "node/gpu removed\n"
    assert kpy("node", "remove", "gpu").err == 'Error from server (NotFound): nodes "gpu" not found\n'


def test_a_new_node_takes_the_address_that_is_free(kpy: Callable[..., Any]) -> None:
    kpy("node", "remove", "worker-1")
    kpy("node", "add", "a")
    kpy("node", "add", "b")
    addresses = kpy("get", "nodes", "-o", "jsonpath={.items[*].status.addresses[0].address}").out.split()
    assert len(set(addresses)) == 4
    assert kpy("get", "node", "a", "-o", "jsonpath={.spec.podCIDR}").out == "10.244.1.0/24"
    assert kpy("node", "add", "c", "--cpu", "many").err.startswith('error: invalid argument "many" for "--cpu" flag: ')
    assert (
        kpy("node", "add", "c", "--taint", "a=b:Nope").err
        == "error: invalid taint effect: Nope, unsupported taint effect\n"
    )


def test_a_failed_node_is_noticed_and_comes_back(kpy: Callable[..., Any]) -> None:
    assert kpy("node", "fail", "worker-1").out == "node/worker-1 failed\n"
    assert kpy("node", "fail", "worker-1").err == "error: node worker-1 is down already\n"
    kpy("reconcile", "--for", "2m")
    assert "worker-1        NotReady" in kpy("get", "nodes").out
    assert kpy("node", "recover", "worker-1").out == "node/worker-1 recovered\n"
    kpy("reconcile")
    assert "NotReady" not in kpy("get", "nodes").out
    assert kpy("node", "recover", "worker-1").err == "error: node worker-1 is not down\n"


def test_history_sql_and_digest_read_the_log(kpy: Callable[..., Any]) -> None:
    kpy(*WEB)
    first = kpy("digest").out
    history = kpy("history", "deploy/web").out.splitlines()
    assert history[0].split() == ["REVISION", "TIME", "VERB", "OBJECT", "ACTOR", "CAUSE"]
    assert " create   deployments.apps default/web   kubectl-create" in history[1]
    assert kpy("sql", "select count(*) as n from object where resource = 'deployments.apps'").out == "n\n1\n"
    assert kpy("sql", "delete from object").err == "error: attempt to write a readonly database\n"
    assert kpy("digest").out == first
    kpy("scale", "deploy/web", "--replicas=3")
    assert kpy("digest").out != first


def test_a_node_is_rebooted_and_its_containers_start_anew(kpy: Callable[..., Any]) -> None:
    kpy("cluster", "start", "--nodes", "2", "--epoch", "2026-01-01T00:00:00Z")
    kpy("run", "web", "--image=nginx:1.27")
    kpy("reconcile")
    assert kpy("node", "reboot", "worker-1", "--takes", "1m").out == "node/worker-1 rebooting\n"
    kpy("reconcile", "--for", "70s")
    assert kpy("get", "pod", "web", "-o", "jsonpath={.status.containerStatuses[0].restartCount}").out == "1"
    assert kpy("node", "reboot", "worker-1").code == 0, "a second time"
    kpy("reconcile", "--for", "40s")
    assert kpy("get", "pod", "web", "-o", "jsonpath={.status.containerStatuses[0].restartCount}").out == "2"


@pytest.mark.parametrize("takes", ["-5s", "soon", "0", ""])
def test_a_reboot_takes_a_time(kpy: Callable[..., Any], takes: str) -> None:
    kpy("cluster", "start", "--nodes", "2")
    found = kpy("node", "reboot", "worker-1", "--takes", takes)
    assert found.code == 1
    assert found.err.startswith(f'error: invalid argument "{takes}" for "--takes" flag: ')
    assert "Traceback" not in found.err
    assert kpy("node", "reboot", "nobody").err == 'Error from server (NotFound): nodes "nobody" not found\n'
