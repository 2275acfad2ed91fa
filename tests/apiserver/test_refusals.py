"""Refusals of a real API server 1.36, replayed: the same manifests in, the same standard error out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from minikube_py.api.types import Key
from minikube_py.base import quantity
from minikube_py.base.errors import KpyError
from minikube_py.cli import failures
from tests.api import corpus
from tests.apiserver.replay import Replay, Unknown
from tests.apiserver.small import REGISTRY, SmallServer

DATA = Path(__file__).parent.parent / "data"
ERRORS: dict[str, dict[str, Any]] = json.loads((DATA / "errors.json").read_text())
TOPICS: dict[str, list[dict[str, Any]]] = json.loads((DATA / "refusals.json").read_text())
Object = dict[str, Any]

# What kubectl decides before it asks the server: reading YAML, finding the kind, comparing with the last applied one.
CLIENT_SIDE = re.compile(
    r"resource mapping|error parsing|error validating|no objects passed|retrieving current|generate name with apply"
)
# Cases of errors.json that follow upon the case before: they share one server.
SEQUENCE = [name for name in ERRORS if name.startswith("seq_")]
SINGLE = [
    name
    for name, case in ERRORS.items()
    if case["stdin"]
    and name not in SEQUENCE
    and not CLIENT_SIDE.search(case["stderr"])
    # the case that was recorded before it had already made the object
    and "already exists" not in case["stderr"]
]


def server_side(name: str) -> bool:
    command = ERRORS[name]["cmd"]
    return "--server-side" not in command and "--dry-run=client" not in command


@pytest.mark.parametrize("name", [name for name in SINGLE if server_side(name)])
def test_a_manifest_is_refused_in_the_servers_words(name: str) -> None:
    case = ERRORS[name]
    result = Replay(SmallServer("t-p"), "t-p").run(case["cmd"], case["stdin"])
    assert (result.code, result.stderr) == (case["rc"], case["stderr"])


def test_later_applies_meet_what_earlier_ones_made() -> None:
    replay = Replay(SmallServer("t-p"), "t-p")
    for name in SEQUENCE:
        case = ERRORS[name]
        result = replay.run(case["cmd"], case["stdin"])
        assert (result.code, result.stderr) == (case["rc"], case["stderr"]), name


@pytest.mark.parametrize("case", corpus.cases(), ids=lambda case: case.path)
def test_the_corpus_is_admitted_as_recorded(case: corpus.Case) -> None:
    server = SmallServer()
    made, text = [], ""
    documents = _documents(case.text)
    if documents is None:
        pytest.skip("not YAML, or of a kind that is not served")
    for document in documents:
        try:
            made.append(server.create(document, dry_run=True))
            text += "".join(f"Warning: {warning}\n" for warning in server.warnings)
        except KpyError as error:
            text += failures.text(failures.Sourced(error, "creating", case.path))
    assert text == case.stderr
    recorded = [obj for found in case.objects for obj in (found["items"] if found["kind"] == "List" else [found])]
    for got, expected in zip(corpus.masked(made), corpus.masked(recorded), strict=True):
        assert corpus.differences(expected, got) == []


def _documents(text: str) -> list[Object] | None:
    try:
        documents = [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]
    except yaml.YAMLError:
        return None
    flat = [one for document in documents for one in (document["items"] if document["kind"] == "List" else [document])]
    if any(REGISTRY.find(one.get("apiVersion", ""), one.get("kind", "")) is None for one in flat):
        return None
    plain: list[Object] = json.loads(json.dumps(flat, default=str))
    return plain


# ---------------------------------------------------------------------------------------------------- longer stories
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
# What the recordings took from the state of the cluster, or what Go leaves to the order of a map.
ACCEPTED = {
    "quota_limitrange": {
        # the quota of the pod's priority and the one of best-effort pods both refuse it: either may be named
        'pods "cr" is forbidden: exceeded quota: prio',
    },
    # an empty list that was given is printed as [], not as null, by the server
    "pod_updates": {'"EphemeralContainers": []'},
    "pod_security": {"existing pods in namespace"},  # made before the recording began
}


def _prepare(topic: str, steps: list[dict[str, Any]]) -> SmallServer:
    namespaces = sorted(set(re.findall(r"-n (\S+)", " ".join(step["cmd"] for step in steps))) | {"x-ds", "x-psa-label"})
    server = SmallServer(*namespaces)
    kubernetes = {
        "metadata": {"name": "kubernetes", "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ports": []},
    }
    server._put(Key("services", "default", "kubernetes"), kubernetes)
    if topic == "quota_limitrange":
        for namespace in namespaces:
            meta = {"name": "kube-root-ca.crt", "namespace": namespace}
            server._put(Key("configmaps", namespace, "kube-root-ca.crt"), {"metadata": meta})
    if topic == "pod_security":
        for name, levels in (
            ("restricted", ("enforce", "warn")),
            ("baseline", ("enforce", "warn")),
            ("warn", ("warn",)),
        ):
            level = "restricted" if name == "warn" else name
            labels = {f"pod-security.kubernetes.io/{mode}": level for mode in levels}
            namespace = {"metadata": {"name": f"x-psa-{name}", "labels": labels}, "status": {"phase": "Active"}}
            server._put(Key("namespaces", "", f"x-psa-{name}"), namespace)
    if topic == "pod_updates":
        amounts = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}
        containers = [{"name": "c", "image": "nginx:1.27", "resources": amounts}, {"name": "d", "image": "nginx:1.27"}]
        spec = {"schedulerName": "none", "containers": containers}
        server.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}, "x-pu")
    return server


def _bind(server: SmallServer) -> None:
    """What the volume binder would do: give waiting claims a free volume of their class that is large enough."""
    for claim in server.view.list("persistentvolumeclaims"):
        spec, meta = claim["spec"], claim["metadata"]
        if spec.get("volumeName"):
            continue
        for volume in server.view.list("persistentvolumes"):
            offer, capacity = volume["spec"], volume["spec"]["capacity"]["storage"]
            same_class = spec.get("storageClassName") == offer.get("storageClassName", "")
            fits = quantity.compare(capacity, spec["resources"]["requests"]["storage"]) >= 0
            if same_class and fits and "claimRef" not in offer:
                name = volume["metadata"]["name"]
                status = {"phase": "Bound", "capacity": {"storage": capacity}}
                bound = {**claim, "spec": {**spec, "volumeName": name}, "status": status}
                server._put(Key("persistentvolumeclaims", meta["namespace"], meta["name"]), bound)
                reference = {"kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"]}
                server._put(Key("persistentvolumes", "", name), {**volume, "spec": {**offer, "claimRef": reference}})
                break


@pytest.mark.parametrize("topic", TOPICS)
def test_a_recorded_story_is_refused_at_the_same_places(topic: str) -> None:
    steps = TOPICS[topic]
    replay = Replay(_prepare(topic, steps))
    wrong, known = [], 0
    for step in steps:
        try:
            result = replay.run(step["cmd"], step.get("stdin", ""))
        except Unknown:
            continue
        known += 1
        _bind(replay.server)
        expected = UID.sub("UID", step["stderr"])
        accepted = any(text in expected for text in ACCEPTED.get(topic, ()))
        if UID.sub("UID", result.stderr) != expected and not accepted:
            wrong.append(f"{step['cmd']} ({step.get('note', '')})\n  got  {result.stderr}\n  want {expected}")
    assert not wrong, "\n".join(wrong)
    assert known >= len(steps) / 2
