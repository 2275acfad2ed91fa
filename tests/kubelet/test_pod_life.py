"""From bound to ready, to the end: statuses, events and the number of writes."""

from __future__ import annotations

from minikube_py.api.types import Delete, Patch, Record, Remember, Wake
from tests.kubelet.simulator import Simulation, container, make_node, make_pod
from tests.support import T0

PULLED = 'Pulled Successfully pulled image "nginx:1.27" in 2s (2s including waiting). Image size: 72195292 bytes.'


def with_image(node: dict, image: str) -> dict:  # type: ignore[type-arg]
    listed = [{"names": [image], "sizeBytes": 1}]
    return {**node, "status": {**node["status"], "images": listed}}


def test_a_plain_pod_becomes_ready_with_two_writes_and_four_events() -> None:
    run = Simulation(make_pod()).until(3600)
    assert run.told == [
        (0, 'Pulling Pulling image "nginx:1.27"'),
        (2, PULLED),
        (2, "Created Container created"),
        (3, "Started Container started"),
    ]
    assert [second for second, _ in run.writes] == [0, 3]
    assert run.wake is None


def test_the_first_status_says_what_a_kubelet_says() -> None:
    run = Simulation(make_pod()).until(1)
    assert run.status["phase"] == "Pending"
    assert run.status["podIP"] == "10.244.1.2"
    assert run.status["podIPs"] == [{"ip": "10.244.1.2"}]
    assert run.status["hostIP"] == "192.168.10.2"
    assert run.status["startTime"] == T0.timestamp
    assert run.status["qosClass"] == "BestEffort"
    assert [(c["type"], c["status"], c.get("reason"), c.get("message")) for c in run.status["conditions"]] == [
        ("PodReadyToStartContainers", "True", None, None),
        ("Initialized", "True", None, None),
        ("Ready", "False", "ContainersNotReady", "containers with unready status: [web]"),
        ("ContainersReady", "False", "ContainersNotReady", "containers with unready status: [web]"),
        ("PodScheduled", "True", None, None),
    ]
    assert run.state() == {
        "image": "nginx:1.27",
        "imageID": "",
        "lastState": {},
        "name": "web",
        "ready": False,
        "restartCount": 0,
        "started": False,
        "state": {"waiting": {"reason": "ContainerCreating"}},
    }


def test_a_running_container_shows_its_identity_and_its_resources() -> None:
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "ro", "mountPath": "/ro", "readOnly": True}]
    resources = {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}}
    spec = {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "ro", "emptyDir": {}}]}
    pod = make_pod(containers=[container(volumeMounts=mounts, resources=resources)], **spec)
    pod["spec"]["securityContext"] = {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000}
    found = Simulation(pod).until(10).state()
    assert found["containerID"].startswith("containerd://")
    assert len(found["containerID"]) == len("containerd://") + 64
    assert found["image"] == "docker.io/library/nginx:1.27"
    assert found["imageID"].startswith("docker.io/library/nginx@sha256:")
    assert (found["ready"], found["started"]) == (True, True)
    assert found["resources"] == resources
    assert found["allocatedResources"] == {"cpu": "100m"}
    assert found["user"] == {"linux": {"gid": 3000, "supplementalGroups": [3000, 2000], "uid": 1000}}
    assert found["volumeMounts"] == [
        {"mountPath": "/tmp", "name": "tmp"},
        {"mountPath": "/ro", "name": "ro", "readOnly": True, "recursiveReadOnly": "Disabled"},
    ]


def test_a_present_image_is_not_pulled() -> None:
    node = with_image(make_node(), "docker.io/library/nginx:1.27")
    run = Simulation(make_pod(), node=node).until(60)
    assert run.told[0] == (
        0,
        'Pulled Container image "nginx:1.27" already present on machine and can be accessed by the pod',
    )
    assert [second for second, _ in run.writes] == [0, 1]


def test_a_pull_is_remembered_by_the_node() -> None:
    run = Simulation(make_pod()).until(60)
    images = run.objects[next(key for key in run.objects if key.resource == "nodes")]["status"]["images"]
    assert images[0]["names"][1] == "docker.io/library/nginx:1.27"


def test_running_it_again_without_a_change_yields_only_its_wake() -> None:
    probed = container(livenessProbe={"exec": {"command": ["x"]}, "periodSeconds": 10})
    for pod in (make_pod(), make_pod(containers=[probed])):
        for second in (0, 1, 2, 3, 50):
            run = Simulation(pod).until(second)
            assert not [action for action in run.run() if not isinstance(action, Wake)]


def test_a_second_look_finds_nothing_new() -> None:
    run = Simulation(make_pod())
    first = run.run()
    assert [type(action) for action in first] == [Record, Patch, Remember, Wake]
    assert run.run() == [first[-1]]
    run.edit()
    assert run.run() == [first[-1]]


def test_pods_of_a_node_get_different_addresses() -> None:
    other = make_pod("other")
    other["status"] = {"phase": "Running", "podIP": "10.244.1.2"}
    assert Simulation(make_pod(), ("pods", other)).until(5).status["podIP"] == "10.244.1.3"
    other["status"] = {"phase": "Running", "podIP": "10.244.1.254"}
    assert Simulation(make_pod(), ("pods", other)).until(5).status["podIP"] == "10.244.1.2"


def test_a_pod_on_the_host_network_has_the_address_of_its_node() -> None:
    assert Simulation(make_pod(hostNetwork=True)).until(5).status["podIP"] == "192.168.10.2"


def test_a_machine_that_is_off_does_nothing_and_its_containers_go_on_afterwards() -> None:
    fault = {"metadata": {"name": "node-down-worker-1"}, "spec": {"type": "NodeDown", "node": "worker-1"}}
    run = Simulation(make_pod()).until(60)
    started = run.state()["state"]
    run.put("faults.sim.kpy.dev", fault)
    run.delete(grace_s=5)
    assert run.run() == []
    assert run.wake is None
    run.clock = run.clock.at(T0.now_s + 900)
    run.objects = {key: obj for key, obj in run.objects.items() if key.resource != "faults.sim.kpy.dev"}
    run.until(1000)
    assert started == {"running": {"startedAt": T0.at(T0.now_s + 3).timestamp}}
    assert run.deleted_at == 901


def test_the_kubelet_restores_the_ready_condition_that_the_node_controller_took() -> None:
    run = Simulation(make_pod()).until(60)
    conditions = [
        {**condition, "status": "False"} if condition["type"] == "Ready" else condition
        for condition in run.status["conditions"]
    ]
    run.edit(status={**run.status, "conditions": conditions})
    run.until(61)
    assert run.condition("Ready")["status"] == "True"


def test_a_readiness_gate_holds_the_pod_back() -> None:
    run = Simulation(make_pod(readinessGates=[{"conditionType": "example.com/lb"}])).until(60)
    assert run.condition("ContainersReady")["status"] == "True"
    assert run.condition("Ready")["message"] == (
        'corresponding condition of pod readiness gate "example.com/lb" does not exist.'
    )
    gate = {"type": "example.com/lb", "status": "True"}
    run.edit(status={**run.status, "conditions": [*run.status["conditions"], gate]})
    run.until(61)
    assert run.condition("Ready")["status"] == "True"
    assert run.condition("example.com/lb") == gate


def test_a_deleted_pod_gets_sigterm_a_last_status_and_goes() -> None:
    run = Simulation(make_pod()).until(60)
    run.delete()
    taken = run.run()
    assert [action.message for action in taken if isinstance(action, Record)] == ["Stopping container web"]
    assert not [action for action in taken if isinstance(action, Patch)]
    run.until(200)
    assert run.deleted_at == 61
    assert run.status["phase"] == "Succeeded"
    assert run.state()["state"]["terminated"]["exitCode"] == 0
    assert run.condition("Ready")["reason"] == "PodCompleted"


def test_a_pod_that_was_deleted_before_it_began_just_goes() -> None:
    run = Simulation(make_pod())
    run.delete()
    assert run.run() == [Delete(run.key, 0, uid="uid-web")]


def test_the_final_delete_is_not_repeated_while_a_finalizer_holds_the_object() -> None:
    run = Simulation(make_pod()).until(60)
    run.delete(grace_s=1)
    run.until(100)
    meta = {**run.pod["metadata"], "deletionGracePeriodSeconds": 0, "finalizers": ["example.com/hold"]}
    run.objects[run.key] = {**run.pod, "metadata": meta}
    assert run.run() == []


def test_a_lost_memory_is_read_back_from_the_status() -> None:
    run = Simulation(make_pod()).until(60)
    before = run.status
    run.memory.clear()
    run.until(120)
    assert run.status == before
    assert len(run.told) == 4


def test_a_pod_past_its_active_deadline_fails() -> None:
    run = Simulation(make_pod(activeDeadlineSeconds=20)).until(100)
    assert run.status["phase"] == "Failed"
    assert run.status["reason"] == "DeadlineExceeded"
    assert run.status["message"] == "Pod was active on the node longer than the specified deadline"
