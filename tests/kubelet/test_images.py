"""Pulls that fail, images that may not be pulled, names that cannot be parsed."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.kubelet import images
from tests.kubelet.simulator import Simulation, container, make_node, make_pod

MISSING = (
    'failed to pull and unpack image "docker.io/library/does-not-exist:1": failed to resolve reference '
    '"docker.io/library/does-not-exist:1": docker.io/library/does-not-exist:1: not found'
)


def test_a_missing_image_is_pulled_again_after_10_20_40_seconds() -> None:
    run = Simulation(make_pod(containers=[container(image="does-not-exist:1")])).until(100)
    assert run.told[:5] == [
        (0, 'Pulling Pulling image "does-not-exist:1"'),
        (1, f'Failed Failed to pull image "does-not-exist:1": {MISSING}'),
        (1, "Failed Error: ErrImagePull"),
        (2, 'BackOff Back-off pulling image "does-not-exist:1"'),
        (2, "Failed Error: ImagePullBackOff"),
    ]
    assert [second for second, text in run.told if text.startswith("Pulling")] == [0, 11, 32, 73]
    assert run.state()["state"]["waiting"] == {
        "message": f'Back-off pulling image "does-not-exist:1": ErrImagePull: {MISSING}',
        "reason": "ImagePullBackOff",
    }
    assert run.status["phase"] == "Pending"


def test_a_failing_pull_first_says_errimagepull_and_settles_in_back_off() -> None:
    run = Simulation(make_pod(containers=[container(image="does-not-exist:1")])).until(1)
    assert run.state()["state"]["waiting"] == {"message": MISSING, "reason": "ErrImagePull"}
    run.until(1000, background=False)
    assert run.state()["state"]["waiting"]["reason"] == "ImagePullBackOff"


def test_a_corrected_image_is_pulled_at_once() -> None:
    run = Simulation(make_pod(containers=[container(image="nginx:1.161")])).until(5)
    assert run.state()["state"]["waiting"]["reason"] == "ImagePullBackOff"
    run.edit(spec={**run.pod["spec"], "containers": [container(image="nginx:1.16.1")]})
    run.until(9)
    assert run.status["phase"] == "Running"


def test_an_absent_image_may_not_be_pulled_with_policy_never() -> None:
    web = {**container(), "imagePullPolicy": "Never"}
    run = Simulation(make_pod(containers=[web])).until(100)
    message = 'Container image "nginx:1.27" is not present with pull policy of Never'
    assert run.told == [(0, f"ErrImageNeverPull {message}"), (0, "Failed Error: ErrImageNeverPull")]
    assert run.state()["state"]["waiting"] == {"message": message, "reason": "ErrImageNeverPull"}


def test_a_name_in_capitals_is_invalid() -> None:
    run = Simulation(make_pod(containers=[container(image="Nginx")])).until(100)
    assert run.state()["state"]["waiting"] == {
        "message": 'Failed to apply default image tag "Nginx": couldn\'t parse image name "Nginx": invalid reference '
        "format: repository name (library/Nginx) must be lowercase",
        "reason": "InvalidImageName",
    }


def test_policy_always_asks_the_registry_even_for_a_present_image() -> None:
    web = {**container(), "imagePullPolicy": "Always"}
    run = Simulation(make_pod(containers=[web])).until(100)
    other = Simulation(make_pod("other", containers=[web]), node=run.objects[next(iter(run.objects))]).until(100)
    assert other.told[1][1].startswith('Pulled Successfully pulled image "nginx:1.27" in 1s (1s including waiting)')


def test_a_new_image_restarts_a_running_container() -> None:
    run = Simulation(make_pod()).until(60)
    run.edit(spec={**run.pod["spec"], "containers": [container(image="nginx:1.28")]})
    run.until(100)
    assert (60, "Killing Container web definition changed, will be restarted") in run.told
    assert run.state()["image"] == "docker.io/library/nginx:1.28"
    assert run.state()["restartCount"] == 1


def limited(limit: str) -> dict[str, Any]:
    node = make_node()
    annotations = {**node["metadata"]["annotations"], images.LIMIT: limit}
    return {**node, "metadata": {**node["metadata"], "annotations": annotations}}


@pytest.mark.parametrize(
    ("limit", "pulled"),
    [
        ("1", [(4, "mysql", "4s", "4s"), (7, "postgres", "3s", "7s"), (11, "mongo", "4s", "11s")]),
        ("2", [(3, "postgres", "3s", "3s"), (4, "mysql", "4s", "4s"), (7, "mongo", "4s", "7s")]),
        ("0", [(3, "postgres", "3s", "3s"), (4, "mysql", "4s", "4s"), (4, "mongo", "4s", "4s")]),
        ("many", [(3, "postgres", "3s", "3s"), (4, "mysql", "4s", "4s"), (4, "mongo", "4s", "4s")]),
    ],
)
def test_a_node_pulls_so_many_images_at_a_time(limit: str, pulled: list[tuple[int, str, str, str]]) -> None:
    names = ("mysql", "postgres", "mongo")
    run = Simulation(make_pod(containers=[container(name, f"{name}:8") for name in names]), node=limited(limit)).until(
        20
    )
    found = [(second, text) for second, text in run.told if "Successfully" in text]
    told = [
        (second, f'Pulled Successfully pulled image "{name}:8" in {took} ({waited} including waiting).')
        for second, name, took, waited in pulled
    ]
    assert sorted((second, text.partition(" Image size")[0]) for second, text in found) == sorted(told)
    assert [second for second, text in run.told if text.startswith("Pulling")] == [0, 0, 0]


def test_pods_of_a_node_wait_for_each_other() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.patch("nodes", "worker-1", "", {"metadata": {"annotations": {images.LIMIT: "1"}}})
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "mysql:8"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec})
    cluster.reconcile(for_s=30)
    told = sorted(
        one["message"].partition(" Image size")[0] for one in cluster.list("events") if one["reason"] == "Pulled"
    )
    head = 'Successfully pulled image "mysql:8" in'
    assert [one for one in told if one.startswith(head)] == [
        f"{head} 4s ({waited}s including waiting)." for waited in (12, 4, 8)
    ]
