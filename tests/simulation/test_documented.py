"""The documentation's examples do what their pages say: the facts that matter, in the order of the table."""

from __future__ import annotations

import pytest

from tests.simulation import documented

FACTS = {
    "controllers/replicaset.yaml": "3 pods: ready",
    "controllers/job-backoff-limit-per-index-example.yaml": "Job Failed: FailedIndexes",
    "controllers/job-pod-failure-policy-example.yaml": "Job Failed: PodFailurePolicy",
    "pods/commands.yaml": "log: command-demo / tcp://10.96.0.1:443",
    "pods/init-containers.yaml": "Init:0/1 at 0 s, PodInitializing",
    "pods/inject/dapi-envars-container.yaml": "log: 1 / 1 / 33554432 / 67108864",
    "pods/inject/dependent-envars.yaml": "SERVICE_ADDRESS=https://172.17.0.1:80",
    "pods/inject/envars-file-container.yaml": "log: DB_ADDRESS=address",
    "pods/lifecycle-events.yaml": "Hello from the postStart handler",
    "pods/pod-with-scheduling-gates.yaml": "SchedulingGated",
    "pods/probe/exec-liveness.yaml": "ready (restarts: 1) at 74 s; Unhealthy: Liveness probe failed: cat: can't open '/tmp/healthy'",
    "pods/probe/http-liveness.yaml": "Liveness probe failed: HTTP probe failed with statuscode: 500",
    "pods/probe/tcp-liveness-readiness.yaml": "Running at 3 s, ready at 8 s; no event Unhealthy",
    "pods/qos/qos-pod.yaml": "status.qosClass is Guaranteed",
    "pods/restart-policy/restart-all-containers.yaml": "ready (restarts: 1) at 65 s",
    "pods/security/security-context.yaml": "uid=1000 gid=3000 groups=2000,3000",
    "pods/storage/projected.yaml": "admin1f2d1e2e67df",
    "pods/two-container-pod.yaml": "Hello from the debian container",
}


@pytest.mark.parametrize("file", FACTS)
def test_an_example_does_what_its_page_says(file: str) -> None:
    told = [did for name, _, did in documented.rows() if name == file]
    assert any(FACTS[file] in did for did in told), told


def test_a_missing_secret_is_told_and_waited_for() -> None:
    told = [did for name, _, did in documented.rows() if name == "pods/inject/secret-envars-pod.yaml"]
    assert told[1].startswith("CreateContainerConfigError at 2 s; Failed: Error: secret")
