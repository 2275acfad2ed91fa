"""The documentation's own examples, run: what the page says of each, and what kpy did.

`rows()` runs them all on fresh clusters; `make docs` writes them into docs/simulation.md, and a test holds the page to it.
The manifests are those of the corpus (kubernetes/website, content/en/examples/{pods,controllers}).
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from minikube_py.cluster import Cluster
from minikube_py.programs import commands, logs
from tests.api.corpus import cases

Object = dict[str, Any]


class Example(NamedTuple):
    """One manifest. `says`: the page in few words; `seconds`: how long it runs; `asks`: what else to look at, a log
    ('log CONTAINER'), a command ('exec CONTAINER WORDS'), the reasons of events ('event REASON'), or a condition of a Job."""

    path: str
    says: str
    seconds: int = 60
    asks: tuple[str, ...] = ()
    before: tuple[Object, ...] = ()


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


SPECIAL = config_map("special-config", **{"SPECIAL_LEVEL": "very", "SPECIAL_TYPE": "charm", "special.how": "very"})
OLD, NEW = "k8s-docs-2021/", "k8s-docs-recent/"

EXAMPLES = (
    Example(OLD + "controllers/daemonset.yaml", "a pod on each node whose taints it tolerates (the file still names the control plane's old taint)"),
    Example(OLD + "controllers/fluentd-daemonset-update.yaml", "a pod on each node whose taints it tolerates (the file still names the control plane's old taint)"),
    Example(OLD + "controllers/frontend.yaml", "three replicas run"),
    Example(OLD + "controllers/replicaset.yaml", "three replicas run"),
    Example(OLD + "controllers/replication.yaml", "three replicas run"),
    Example(
        NEW + "controllers/job-backoff-limit-per-index-example.yaml",
        "even indexes fail, each once more; the Job fails when all have ended", 600, ("job",),
    ),
    Example(
        NEW + "controllers/job-pod-failure-policy-example.yaml", "exit code 42 fails the whole Job, without retries", 120, ("job",),
    ),
    Example(
        NEW + "controllers/job-pod-failure-policy-failjob.yaml", "exit code 42 fails the whole Job, without retries", 120, ("job",),
    ),
    Example(
        NEW + "controllers/job-success-policy.yaml", "complete when index 2 has succeeded, unless more than six others have failed before", 300, ("job",),
    ),
    Example(
        OLD + "pods/commands.yaml", "completes; the log shows HOSTNAME and KUBERNETES_PORT", 30, ("log command-demo-container",),
    ),
    Example(OLD + "pods/init-containers.yaml", "the init container completes, then nginx runs"),
    Example(
        OLD + "pods/inject/dapi-envars-container.yaml", "the log shows 1, 1, 33554432 and 67108864", 10, ("log test-container",),
    ),
    Example(
        OLD + "pods/inject/dapi-volume.yaml", "the log shows the labels and annotations", 8, ("log client-container",),
    ),
    Example(
        OLD + "pods/inject/dependent-envars.yaml",
        "SERVICE_ADDRESS is expanded, UNCHANGED_REFERENCE and ESCAPED_REFERENCE are not", 8, ("log dependent-envars-demo",),
    ),
    Example(
        OLD + "pods/inject/pod-multiple-secret-env-variable.yaml", "the variables hold the values of two Secrets", 30,
        ("exec envars-test-container printenv BACKEND_USERNAME DB_USERNAME",),
        (secret("backend-user", **{"backend-username": "backend-admin"}), secret("db-user", **{"db-username": "db-admin"})),
    ),
    Example(
        OLD + "pods/inject/secret-envars-pod.yaml", "the variables hold the Secret's values", 30,
        ("exec envars-test-container printenv SECRET_USERNAME SECRET_PASSWORD",),
        (secret("test-secret", username="my-app", password="39528$vdg7Jb"),),
    ),
    Example(
        OLD + "pods/inject/secret-envars-pod.yaml", "without the Secret: CreateContainerConfigError", 30, ("event Failed",),
    ),
    Example(
        NEW + "pods/inject/envFrom.yaml", "all keys of the ConfigMap are variables", 30,
        ("exec envar-demo-container printenv DATABASE_URL",), (config_map("envfrom-configmap", DATABASE_URL="db:5432"),),
    ),
    Example(
        NEW + "pods/inject/envars-file-container.yaml", "DB_ADDRESS comes from a file that an init container wrote", 30,
        ("log use-envfile DB_ADDRESS",),
    ),
    Example(
        OLD + "pods/lifecycle-events.yaml", "the postStart handler has written /usr/share/message", 30,
        ("exec lifecycle-demo-container cat /usr/share/message",),
    ),
    Example(
        OLD + "pods/pod-configmap-envFrom.yaml", "completes; the log shows SPECIAL_LEVEL=very", 30,
        ("log test-container SPECIAL_LEVEL",), (SPECIAL,),
    ),
    Example(
        OLD + "pods/pod-multiple-configmap-env-variable.yaml", "completes; the log shows both values", 30,
        ("log test-container LEVEL",), (SPECIAL, config_map("env-config", log_level="INFO")),
    ),
    Example(
        OLD + "pods/pod-configmap-volume-specific-key.yaml", "completes; the log shows very", 30, ("log test-container",), (SPECIAL,),
    ),
    Example(OLD + "pods/pod-nginx-preferred-affinity.yaml", "runs, on a node with an SSD if there is one"),
    Example(OLD + "pods/pod-nginx-required-affinity.yaml", "pending without a node that has an SSD", 60, ("event FailedScheduling",)),
    Example(OLD + "pods/pod-nginx.yaml", "pending without a node that has an SSD", 60, ("event FailedScheduling",)),
    Example(OLD + "pods/pod-rs.yaml", "two bare pods run"),
    Example(OLD + "pods/pod-with-node-affinity.yaml", "pending without a node in the zone", 60, ("event FailedScheduling",)),
    Example(OLD + "pods/pod-with-toleration.yaml", "runs"),
    Example(NEW + "pods/pod-with-scheduling-gates.yaml", "SchedulingGated for good"),
    Example(
        OLD + "pods/probe/exec-liveness.yaml", "the probe fails from 30 s on; after three failures the container is restarted", 90,
        ("event Unhealthy", "event Killing"),
    ),
    Example(
        OLD + "pods/probe/http-liveness.yaml", "the probe fails from 10 s on and the container is restarted", 30,
        ("event Unhealthy", "event Killing"),
    ),
    Example(OLD + "pods/probe/pod-with-tcp-socket-healthcheck.yaml", "runs, and the probe succeeds", 120, ("event Unhealthy",)),
    Example(OLD + "pods/probe/tcp-liveness-readiness.yaml", "ready after the first readiness probe", 60, ("event Unhealthy",)),
    Example(NEW + "pods/probe/grpc-liveness.yaml", "runs, and the probe succeeds", 60, ("event Unhealthy",)),
    Example(
        OLD + "pods/qos/qos-pod.yaml", "QoS class Guaranteed", 30, ("field status.qosClass",), (namespace("qos-example"),),
    ),
    Example(OLD + "pods/qos/qos-pod-2.yaml", "QoS class Burstable", 30, ("field status.qosClass",), (namespace("qos-example"),)),
    Example(OLD + "pods/qos/qos-pod-4.yaml", "QoS class Burstable", 30, ("field status.qosClass",), (namespace("qos-example"),)),
    Example(
        OLD + "pods/resource/memory-request-limit-3.yaml", "pending: no node has 1000Gi", 60, ("event FailedScheduling",),
        (namespace("mem-example"),),
    ),
    Example(OLD + "pods/resource/extended-resource-pod.yaml", "pending: no node has dongles", 60, ("event FailedScheduling",)),
    Example(
        NEW + "pods/restart-policy/restart-all-containers.yaml",
        "after 60 s the watcher exits with 88, and all containers are started again, the init container too", 80,
    ),
    Example(
        OLD + "pods/security/security-context.yaml", "uid=1000, gid=3000, groups 2000 and 3000", 30, ("exec sec-ctx-demo id",),
    ),
    Example(OLD + "pods/share-process-namespace.yaml", "two containers run"),
    Example(
        OLD + "pods/storage/projected.yaml", "both Secrets' files are in one folder", 30,
        ("exec test-projected-volume cat /projected-volume/username.txt /projected-volume/password.txt",),
        (secret("user", **{"username.txt": "admin"}), secret("pass", **{"password.txt": "1f2d1e2e67df"})),
    ),
    Example(
        NEW + "pods/storage/projected-secret-downwardapi-configmap.yaml",
        "Secret, downward API and ConfigMap are in one folder", 30,
        ("exec container-test cat /projected-volume/my-group/my-username /projected-volume/my-group/my-config",),
        (secret("mysecret", username="jane"), config_map("myconfigmap", config="colour=blue")),
    ),
    Example(
        NEW + "pods/storage/projected-service-account-token.yaml", "the token is in the file", 30,
        ("exec container-test cat /service-account/token",),
    ),
    Example(
        OLD + "pods/two-container-pod.yaml",
        "the debian container ends; nginx serves the file that it wrote into the shared volume", 30,
        ("exec nginx-container cat /usr/share/nginx/html/index.html",),
    ),
    Example(OLD + "pods/simple-pod.yaml", "runs"),
)  # fmt: skip


@cache
def _manifests() -> dict[str, str]:
    return {case.path: case.text for case in cases()}


def run(example: Example) -> str:
    """What kpy did with an example: its pods' states over time, then the answers to what it asks."""
    from minikube_py.api import documents

    cluster = Cluster.memory(nodes=3)
    for obj in example.before:
        cluster.apply(obj)
    start_s = cluster.clock.now_s
    story, revision = _Story(start_s), cluster.store.revision
    for document in documents.read_text(_manifests()[example.path], example.path):
        for single in documents.flatten(document):
            cluster.apply(single.object)
    for change in cluster.changes(revision):
        story.note(cluster, change)
    cluster.reconcile(for_s=example.seconds, on_change=lambda change: story.note(cluster, change))
    told = [story.text()]
    told += [answer for answer in (_answer(cluster, asked) for asked in example.asks) if answer]
    return "; ".join(told)


class _Story:
    """Collects the states of pods, each with the second at which it began."""

    def __init__(self, start_s: int) -> None:
        self.start_s = start_s
        self.states: dict[str, list[str]] = {}

    def note(self, cluster: Cluster, change: Any) -> None:
        if change.key.resource != "pods" or change.new is None:
            return
        state, second = _state(change.new), cluster.clock.now_s - self.start_s
        told = self.states.setdefault(change.key.name, [])
        if not told or told[-1].partition(" at ")[0] != state:
            told.append(f"{state} at {second} s")

    def text(self) -> str:
        """Equal stories are told once: '3 pods: Pending at 0 s, Running at 3 s, ready at 3 s'."""
        counted: dict[str, int] = {}
        for states in self.states.values():
            shown = [state for state in states if not state.startswith(("Pending", "ContainerCreating"))] or states[-1:]
            text = ", ".join(shown[:MOST] + (["..."] if len(shown) > MOST else []))
            counted[text] = counted.get(text, 0) + 1
        return "; ".join(f"{count} pods: {text}" if count > 1 else text for text, count in counted.items())


MOST = 8


def _state(pod: Object) -> str:
    """STATUS as `get pods` shows it; 'ready' and the number of restarts with it."""
    from minikube_py.printers.cells import pods as cells

    status = str(cells.status(pod, 0))
    entries = (pod.get("status") or {}).get("containerStatuses") or ()
    restarts = sum(entry["restartCount"] for entry in entries)
    ready = next((one["status"] for one in pod["status"].get("conditions") or () if one["type"] == "Ready"), "False")
    words = ["ready" if status == "Running" and ready == "True" else status]
    if restarts:
        words.append(f"(restarts: {restarts})")
    return " ".join(words)


def _answer(cluster: Cluster, asked: str) -> str:
    sort, _, rest = asked.partition(" ")
    if sort == "job":
        job = cluster.list("jobs")[0]
        last = [one for one in job["status"].get("conditions") or () if one["type"] in ("Complete", "Failed")]
        return f"Job {last[0]['type']}: {last[0].get('reason', '')}" if last else "Job goes on"
    if sort == "event":
        texts = dict.fromkeys(event["message"].strip() for event in cluster.list("events") if event["reason"] == rest)
        return f"{rest}: {' / '.join(texts)}" if texts else f"no event {rest}"
    pod = cluster.list("pods")[0]
    if sort == "field":
        value: Any = pod
        for part in rest.split("."):
            value = value[part]
        return f"{rest} is {value}"
    words = rest.split()
    container = next(one for one in pod["spec"]["containers"] if one["name"] == words[0])
    if sort == "log":
        lines = [line for _, line in logs.lines(container, pod, cluster.view, cluster.clock)]
        shown = [line for line in lines if line and (len(words) == 1 or words[1] in line)]
        return f"log: {' / '.join(shown[:MOST])}"
    result = commands.Session(container, pod, cluster.view, cluster.clock).execute(tuple(words[1:]))
    return f"`{' '.join(words[1:])}`: {' / '.join(result.output.split(chr(10))).rstrip(' /')}"


@cache
def rows() -> list[tuple[str, str, str]]:
    """(file, what the page says, what kpy did)."""
    return [(example.path.partition("/")[2], example.says, run(example)) for example in EXAMPLES]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
