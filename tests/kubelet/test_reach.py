"""Scripts that call curl, wget and nc as main processes: what the network answers them, then and now."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.programs import logs

Object = dict[str, Any]
LOOP = "while true; do wget -qO- http://web || echo failed; sleep 5; done"


def pod(script: str, name: str = "asks", init: bool = False, image: str = "busybox:1.36", **spec: Any) -> Object:
    container = {"name": "c", "image": image, "command": ["sh", "-c", script]}
    main = {"name": "main", "image": "nginx:1.27"}
    containers = {"initContainers": [container], "containers": [main]} if init else {"containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {**containers, **spec}}


def web(cluster: Cluster, replicas: int = 1, service: bool = True) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "w", "image": "nginx:1.27"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    if service:
        expose(cluster)


def expose(cluster: Cluster) -> None:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})


def log(cluster: Cluster, name: str = "asks", previous: bool = False) -> list[str]:
    found = cluster.get("pods", name)
    container = (found["spec"].get("initContainers") or found["spec"]["containers"])[0]
    return [line for _, line in logs.lines(container, found, cluster.view, cluster.clock, previous)]


def test_a_loop_sees_the_service_come_and_its_pods_go() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod(LOOP))
    cluster.reconcile(for_s=12)
    assert log(cluster) == ["wget: bad address 'web'", "failed"] * 3
    web(cluster)
    cluster.reconcile(for_s=15)
    assert log(cluster)[:6] == ["wget: bad address 'web'", "failed"] * 3
    assert log(cluster)[-1].startswith("200 OK from pod default/web-")
    cluster.patch("deployments.apps", "web", "default", {"spec": {"replicas": 0}})
    cluster.reconcile(for_s=15)
    assert log(cluster)[-2:] == ["wget: can't connect to remote host: Connection refused", "failed"]
    seen = log(cluster)
    assert any(line.startswith("200 OK") for line in seen), "what was seen is not rewritten"


def test_several_endpoints_answer_in_turn() -> None:
    cluster = Cluster.memory(nodes=3)
    web(cluster, replicas=3)
    cluster.reconcile()
    cluster.create(pod(LOOP))
    cluster.reconcile(for_s=60)
    assert len(set(log(cluster))) == 3


@pytest.mark.parametrize(
    "ask", ["wget -qO- http://web", "curl -sf web", "nc -z web 80", "nslookup web && wget -q web:80 -O /dev/null"]
)
@pytest.mark.parametrize("service_first", [True, False])
def test_an_init_container_waits_until_somebody_answers(ask: str, service_first: bool) -> None:
    cluster = Cluster.memory(nodes=2)
    if service_first:
        expose(cluster)
    cluster.create(pod(f"until {ask}; do echo waiting; sleep 2; done", init=True))
    cluster.reconcile(for_s=30)
    assert cluster.get("pods", "asks")["status"]["phase"] == "Pending"
    web(cluster, service=not service_first)
    cluster.reconcile()
    assert cluster.get("pods", "asks")["status"]["phase"] == "Running"
    assert log(cluster).count("waiting") >= 14


@pytest.mark.parametrize(
    ("image", "command", "args", "code", "said"),
    [
        ("curlimages/curl:8.8.0", ["curl", "-sS", "web"], None, 0, "200 OK from pod default/web-"),
        ("curlimages/curl:8.8.0", None, ["-sS", "http://web"], 0, "200 OK from pod default/web-"),
        ("curlimages/curl:8.8.0", None, ["-sS", "nope"], 6, "curl: (6) Could not resolve host: nope"),
        ("busybox:1.36", ["wget", "-qO-", "web:81"], None, 1, "wget: download timed out"),
    ],
)
def test_a_client_as_the_only_command_ends_with_its_code_and_the_log_stays(
    image: str, command: list[str] | None, args: list[str] | None, code: int, said: str
) -> None:
    cluster = Cluster.memory(nodes=2)
    web(cluster)
    cluster.reconcile()
    asks = pod("", image=image, restartPolicy="Never")
    container = asks["spec"]["containers"][0]
    del container["command"]
    container.update({name: value for name, value in (("command", command), ("args", args)) if value})
    cluster.create(asks)
    cluster.reconcile()
    terminated = cluster.get("pods", "asks")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert terminated["exitCode"] == code
    assert log(cluster)[0].startswith(said)
    cluster.delete("services", "web", "default")
    cluster.reconcile(for_s=60)
    assert log(cluster)[0].startswith(said), "the log of a pod that is over does not change"


def test_the_log_of_the_instance_before_is_kept() -> None:
    cluster = Cluster.memory(nodes=2)
    web(cluster)
    cluster.reconcile()
    cluster.create(pod("wget -qO- web; sleep 20; exit 1"))
    cluster.reconcile(for_s=10)
    cluster.delete("services", "web", "default")
    cluster.reconcile(for_s=14)
    status = cluster.get("pods", "asks")["status"]["containerStatuses"][0]
    assert status["restartCount"] == 1
    assert log(cluster, previous=True)[0].startswith("200 OK")
    assert log(cluster) == ["wget: bad address 'web'"]


def test_an_answer_that_changes_by_itself_is_looked_at_then() -> None:
    cluster = Cluster.memory(nodes=2)
    program = {"match": {"image": "nginx:*"}, "start": {"after": "40s"}}
    cluster.create(
        {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Program", "metadata": {"name": "slow"}, "spec": program}
    )
    web(cluster)
    cluster.create(pod("until wget -qO- http://web; do sleep 1; done", init=True))
    cluster.reconcile(for_s=35)
    assert cluster.get("pods", "asks")["status"]["phase"] == "Pending"
    cluster.reconcile(for_s=20)
    assert log(cluster)[-1].startswith("200 OK")


def test_a_policy_shuts_a_running_script_out() -> None:
    cluster = Cluster.memory(nodes=2)
    web(cluster)
    cluster.create(pod("while true; do curl -sS -m 2 web; sleep 5; done"))
    cluster.reconcile(for_s=20)
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}
    cluster.create(
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "shut"}, "spec": spec}
    )
    cluster.reconcile(for_s=20)
    assert "timed out" in log(cluster)[-1]


@pytest.mark.parametrize(
    ("fetch", "file"),
    [
        ("wget -O /site/page http://web", "/site/page"),
        ("cd /site && wget -q http://web", "/site/index.html"),
        ("cd /site && wget -q http://web/index.html", "/site/index.html"),
        ("wget -qO /site/x web", "/site/x"),
        ("curl -s -o /site/x web", "/site/x"),
        ("curl -s web > /site/x", "/site/x"),
    ],
)
def test_what_is_fetched_into_a_shared_volume_is_there_for_the_others(fetch: str, file: str) -> None:
    cluster = Cluster.memory(nodes=2)
    web(cluster)
    cluster.reconcile()
    asks = pod(fetch, init=True)
    mount = [{"name": "site", "mountPath": "/site"}]
    asks["spec"]["volumes"] = [{"name": "site", "emptyDir": {}}]
    asks["spec"]["initContainers"][0]["volumeMounts"] = mount
    reads = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", f"cat {file}; sleep 100"]}
    asks["spec"]["containers"] = [{**reads, "volumeMounts": mount}]
    cluster.create(asks)
    cluster.reconcile()
    found = cluster.get("pods", "asks")
    lines = [line for _, line in logs.lines(found["spec"]["containers"][0], found, cluster.view, cluster.clock)]
    assert lines[0].startswith("200 OK from pod default/web-")
