"""Containers that end: phases, restarts, back-off, init containers, sidecars."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.kubelet import restarts
from tests.kubelet.simulator import Simulation, container, make_pod

Object = dict[str, Any]


def script(text: str, name: str = "web", **fields: Any) -> Object:
    return container(name, "busybox:1.36", command=["sh", "-c", text], **fields)


@pytest.mark.parametrize(
    ("policy", "text", "phase", "count", "state"),
    [
        ("Never", "sleep 5", "Succeeded", 0, ("terminated", "Completed", 0)),
        ("Never", "exit 3", "Failed", 0, ("terminated", "Error", 3)),
        ("OnFailure", "exit 0", "Succeeded", 0, ("terminated", "Completed", 0)),
        ("OnFailure", "exit 1", "Running", 3, ("waiting", "CrashLoopBackOff", None)),
        ("Always", "exit 0", "Running", 3, ("waiting", "CrashLoopBackOff", None)),
    ],
)
def test_what_becomes_of_a_container_that_ends(
    policy: str, text: str, phase: str, count: int, state: tuple[str, str, int | None]
) -> None:
    run = Simulation(make_pod(restartPolicy=policy, containers=[script(text)])).until(60)
    (kind, told), *_ = run.state()["state"].items()
    assert run.status["phase"] == phase
    assert run.state()["restartCount"] == count
    assert (kind, told["reason"], told.get("exitCode")) == state


def test_the_first_restart_is_at_once_and_the_next_wait_10_20_40_seconds() -> None:
    run = Simulation(make_pod(containers=[script("exit 1")])).until(200)
    started = [second for second, text in run.told if text.startswith("Started")]
    # It ends in the second of its start; each start takes a second.
    assert started == [2, 3, 14, 35, 76, 157]
    assert [text for second, text in run.told if second == 3][-1] == (
        "BackOff Back-off restarting failed container web in pod web_default(uid-web)"
    )


def test_a_crash_loop_tells_how_long_it_waits() -> None:
    run = Simulation(make_pod(containers=[script("sleep 2; exit 1")])).until(9)
    assert run.state()["state"]["waiting"] == {
        "message": "back-off 10s restarting failed container=web pod=web_default(uid-web)",
        "reason": "CrashLoopBackOff",
    }
    assert run.state()["lastState"]["terminated"]["exitCode"] == 1
    assert run.condition("Ready")["reason"] == "ContainersNotReady"


def test_a_crash_loop_does_not_keep_the_cluster_busy() -> None:
    run = Simulation(make_pod(containers=[script("exit 1")])).until(10_000, background=False)
    assert run.wake is not None
    assert run.wake.background
    assert run.state()["restartCount"] == 1


def test_a_long_sleep_does_not_keep_the_cluster_busy_but_a_task_does() -> None:
    for policy, background in (("Always", True), ("Never", False)):
        run = Simulation(make_pod(restartPolicy=policy, containers=[script("sleep 3600")])).until(30)
        assert run.wake is not None
        assert run.wake.background is background


@pytest.mark.parametrize(
    ("backoff", "at", "ended", "delay", "following"),
    [(0, 0, 5, 0, 10), (10, 5, 6, 10, 20), (160, 0, 100, 160, 300), (300, 0, 600, 300, 300), (300, 0, 601, 0, 10)],
)
def test_back_off_doubles_up_to_five_minutes_and_is_forgotten_after_ten(
    backoff: int, at: int, ended: int, delay: int, following: int
) -> None:
    assert restarts.delay_s(backoff, at, ended) == delay
    assert restarts.next_backoff_s(backoff, at, ended) == following


def test_a_pod_of_a_job_ends_by_default() -> None:
    pod = make_pod(restartPolicy="Never", containers=[container(image="example.com/task:1")])
    pod["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "pi", "uid": "u", "controller": True}]
    run = Simulation(pod).until(60)
    assert run.status["phase"] == "Succeeded"
    assert run.condition("Initialized")["reason"] == "PodCompleted"


def test_init_containers_run_one_after_the_other() -> None:
    inits = [script("sleep 3", "one"), script("sleep 4", "two")]
    run = Simulation(make_pod(initContainers=inits)).until(3)
    assert run.status["phase"] == "Pending"
    assert run.state("two")["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert run.state("web")["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert run.condition("Initialized")["message"] == "containers with incomplete status: [one two]"
    run.until(60)
    assert run.status["phase"] == "Running"
    assert run.condition("Initialized")["status"] == "True"
    assert run.state("one")["ready"] is True
    fields = [text for text in run.told if "Started" in text[1]]
    assert [second for second, _ in fields] == [2, 6, 13]


def test_an_init_container_that_fails_is_tried_again_or_fails_the_pod() -> None:
    run = Simulation(make_pod(initContainers=[script("exit 1", "setup")])).until(60)
    assert run.status["phase"] == "Pending"
    assert run.state("setup")["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    run = Simulation(make_pod(restartPolicy="Never", initContainers=[script("exit 1", "setup")])).until(60)
    assert run.status["phase"] == "Failed"
    assert run.state("web")["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_sidecar_runs_beside_the_others_and_goes_with_the_last() -> None:
    sidecar = container("log", "fluentd:v1", restartPolicy="Always")
    run = Simulation(make_pod(restartPolicy="Never", initContainers=[sidecar], containers=[script("sleep 10")])).until(
        8
    )
    assert (run.state("log")["ready"], run.state("web")["ready"]) == (True, True)
    assert run.status["phase"] == "Running"
    run.until(100)
    assert run.status["phase"] == "Succeeded"
    assert "terminated" in run.state("log")["state"]
    assert (15, "Killing Stopping container log") in run.told


def test_two_containers_are_ready_when_both_are() -> None:
    slow = container("slow", "example.com/slow:1", readinessProbe={"tcpSocket": {"port": 1}, "initialDelaySeconds": 20})
    run = Simulation(make_pod(containers=[container(), slow])).until(10)
    assert run.condition("Ready")["message"] == "containers with unready status: [slow]"
    assert run.until(60).condition("Ready")["status"] == "True"


def test_more_memory_than_the_limit_is_killed() -> None:
    limits = {"resources": {"limits": {"memory": "100Mi"}}}
    args = ["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]
    web = container(image="polinux/stress", command=["stress"], args=args, **limits)
    run = Simulation(make_pod(containers=[web])).until(10)
    assert run.state()["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    killed = run.state()["lastState"]["terminated"]
    assert (killed["reason"], killed["exitCode"]) == ("OOMKilled", 137)
    web = {**web, "args": ["--vm", "1", "--vm-bytes", "50M"]}
    assert Simulation(make_pod(containers=[web])).until(60).state()["ready"] is True


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        ("sleep 1; echo Sleep expired > /dev/termination-log", {}, "Sleep expired\n"),
        ("echo one; echo two; exit 1", {"terminationMessagePolicy": "FallbackToLogsOnError"}, "one\ntwo\n"),
        ("echo one; exit 1", {}, None),
    ],
)
def test_a_container_may_leave_a_message(text: str, fields: Object, message: str | None) -> None:
    run = Simulation(make_pod(restartPolicy="Never", containers=[script(text, **fields)])).until(30)
    assert run.state()["state"]["terminated"].get("message") == message


def test_an_end_that_was_not_foreseen_is_now() -> None:
    run = Simulation(make_pod()).until(100)
    spec = {"exit": {"after": 30, "code": 1}}
    run.put("programs.sim.kpy.dev", {"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
    run.until(101)
    ended = next(entry for second, fields in run.writes if second == 100 for entry in fields["containerStatuses"])
    assert ended["state"]["terminated"]["finishedAt"] == run.clock.at(run.clock.now_s - 1).timestamp


def test_a_post_start_hook_holds_the_status_back() -> None:
    hook = {"lifecycle": {"postStart": {"exec": {"command": ["/bin/sh", "-c", "sleep 10"]}}}}
    run = Simulation(make_pod(containers=[container(**hook)])).until(8)
    assert run.told[-1] == (3, "Started Container started")
    assert run.state()["state"] == {"waiting": {"reason": "ContainerCreating"}}
    run.until(60)
    assert [second for second, _ in run.writes] == [0, 13]
    assert run.state()["state"]["running"]["startedAt"] == "2026-09-21T14:13:23Z"


@pytest.mark.parametrize(("code", "count"), [(42, 1), (41, 0)])
def test_a_rule_restarts_a_container_that_its_policy_would_leave(code: int, count: int) -> None:
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]
    web = script(f"sleep 20; exit {code}", restartPolicy="Never", restartPolicyRules=rules)
    run = Simulation(make_pod(restartPolicy="Never", containers=[web])).until(30)
    assert run.state()["restartCount"] == count
    assert run.status["phase"] == ("Running" if count else "Failed")


@pytest.mark.parametrize("path", ["/tmp/words", "/somewhere/else/words", "/dev/termination-log"])
@pytest.mark.parametrize("code", [0, 3])
def test_the_termination_message_is_read_from_its_path(path: str, code: int) -> None:
    script = f"echo enough > {path}; exit {code}"
    fields = {"command": ["sh", "-c", script], "terminationMessagePath": path}
    run = Simulation(make_pod(restartPolicy="Never", containers=[container(image="busybox", **fields)])).until(20)
    assert run.state()["state"]["terminated"]["message"] == "enough\n"


def test_a_termination_message_ends_after_4096_letters() -> None:
    script = "for i in $(seq 1000); do echo 123456789 >> /dev/termination-log; done"
    run = Simulation(
        make_pod(restartPolicy="Never", containers=[container(image="busybox", command=["sh", "-c", script])])
    ).until(20)
    assert len(run.state()["state"]["terminated"]["message"]) == 4096


def grows(to: str) -> tuple[str, Object]:
    course = [{"after": 0, "value": "10Mi"}, {"after": "20s", "value": to}]
    spec: Object = {"match": {}, "memory": course, "logs": [{"after": 5, "text": "so far so good"}]}
    return "programs.sim.kpy.dev", {"metadata": {"name": "p", "namespace": "default"}, "spec": spec}


@pytest.mark.parametrize(
    ("to", "of_container", "of_pod", "is_killed", "is_machines"),
    [
        ("200Mi", "100Mi", None, True, False),
        ("200Mi", None, "100Mi", True, False),
        ("200Mi", "300Mi", "100Mi", False, False),  # its own limit counts
        ("200Mi", None, None, False, False),
        ("9Gi", None, None, True, True),  # the machine has 8Gi
        ("9Gi", "10Gi", None, True, True),  # however much it may use
    ],
)
def test_memory_over_a_limit_or_over_the_machine(
    to: str, of_container: str | None, of_pod: str | None, is_killed: bool, is_machines: bool
) -> None:
    fields: Object = {"resources": {"limits": {"memory": of_container}}} if of_container else {}
    spec: Object = {"resources": {"limits": {"memory": of_pod}}} if of_pod else {}
    web = container(terminationMessagePolicy="FallbackToLogsOnError", **fields)
    run = Simulation(make_pod(restartPolicy="Never", containers=[web], **spec), grows(to)).until(60)
    assert (run.status["phase"] == "Failed") is is_killed
    if is_killed:
        ended = run.state()["state"]["terminated"]
        assert (ended["exitCode"], ended["reason"], ended["message"]) == (137, "OOMKilled", "so far so good\n")
    told = [text for _, text in run.told if text.startswith("SystemOOM")]
    assert len(told) == is_machines
    assert all("System OOM encountered, victim process: nginx, pid: " in text for text in told)


@pytest.mark.parametrize("reason", ["CreateContainerError", "RunContainerError"])
def test_a_runtime_that_refuses_and_then_does_not(reason: str) -> None:
    broken: Object = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"match": {}}}
    broken["spec"]["create"] = {"error": "no such device", "reason": reason}
    run = Simulation(make_pod(), ("programs.sim.kpy.dev", broken)).until(3)
    assert run.state()["state"]["waiting"] == {"message": "no such device", "reason": reason}
    assert "Failed Error: no such device" in [text for _, text in run.told]
    created = [text for _, text in run.told if text.startswith("Created")]
    assert bool(created) is (reason == "RunContainerError")
    run.put("programs.sim.kpy.dev", {**broken, "spec": {"match": {}}})
    run.until(60)
    assert "running" in run.state()["state"]
