"""The recorded cases of a real kube-scheduler 1.36.2, and a replay of each.

The replay plays the parts of the cluster that the scheduler does not: defaults of pods, priorities, RuntimeClasses, the
binding of claims, disruption budgets. Where the real one had a choice among equals, it goes on with the real choice.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.base import patch, quantity, selector
from minikube_py.scheduler.cache import Cache
from minikube_py.scheduler.explain import scores_of
from minikube_py.scheduler.plugins import default_preemption as preemption
from tests.scheduler.fakes import RESOURCES, Cluster

Object = dict[str, Any]

DATA = Path(__file__).parent.parent / "data" / "scheduler" / "cases.json.gz"
NAMESPACE = "x-s"
TOLERATIONS = [
    {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for name in ("not-ready", "unreachable")
]


def cases() -> list[Object]:
    return json.loads(gzip.decompress(DATA.read_bytes()))  # type: ignore[no-any-return]


class Replay:
    """One case, set up and then run; `differences` names what was not as recorded."""

    def __init__(self, case: Object) -> None:
        self.case = case
        self.given: Object = case["given"]
        self.cluster = Cluster()
        self.differences: list[str] = []
        self.compared = 0
        self._set_up()

    def expect(self, what: str, found: Any, recorded: Any) -> None:
        self.compared += 1
        if found != recorded:
            self.differences.append(f"{what}: {found!r} instead of {recorded!r}")

    # Setting up

    def _set_up(self) -> None:
        for name, labels in ((NAMESPACE, {}), ("x-a", {}), ("x-b", {"team": "blue"})):
            labels = {"kubernetes.io/metadata.name": name, **labels}
            self.cluster.create({"kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        for obj in self.given.get("objects") or ():
            self.cluster.create(obj, NAMESPACE)
        for node in self.given["nodes"]:
            self.cluster.create(node)
        for pod in self.given.get("existing") or ():
            status = {"phase": "Running", "startTime": self.cluster.clock.timestamp, **pod.get("status", {})}
            self._create_pod({**pod, "status": status})
        for found in self.given.get("before") or ():
            self._do(found)
        self._play_controllers()

    def _create_pod(self, pod: Object) -> Key:
        namespace = pod["metadata"].get("namespace") or NAMESPACE
        pod = {**pod, "metadata": {**pod["metadata"], "namespace": namespace}, "spec": self._spec(pod["spec"])}
        pod.setdefault("status", {"phase": "Pending"})
        if pod["spec"].get("schedulingGates"):
            gated = "Scheduling is blocked due to non-empty scheduling gates"
            condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": gated}
            pod["status"] = {**pod["status"], "conditions": [condition]}
        return self.cluster.create(pod)

    def _spec(self, spec: Object) -> Object:
        spec = {**spec, "tolerations": [*(spec.get("tolerations") or ()), *TOLERATIONS]}
        for part in ("containers", "initContainers"):
            if part in spec:
                spec[part] = [_with_requests(container) for container in spec[part]]
        priority = self._get("PriorityClass", spec.get("priorityClassName"))
        system = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
        spec.setdefault("priority", priority.get("value", system.get(spec.get("priorityClassName", ""), 0)))
        spec.setdefault("preemptionPolicy", priority.get("preemptionPolicy", "PreemptLowerPriority"))
        runtime = self._get("RuntimeClass", spec.get("runtimeClassName"))
        if runtime:
            spec["overhead"] = (runtime.get("overhead") or {}).get("podFixed") or {}
            scheduling = runtime.get("scheduling") or {}
            spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **(scheduling.get("nodeSelector") or {})}
            spec["tolerations"] += scheduling.get("tolerations") or []
        return spec

    def _get(self, kind: str, name: str | None) -> Object:
        return (self.cluster.view.get(Key(RESOURCES[kind], "", name)) or {}) if name else {}

    # The other controllers

    def _play_controllers(self) -> None:
        for pod in self.cluster.view.list("pods"):
            for volume in pod["spec"].get("volumes") or ():
                if "ephemeral" in volume and pods.condition(pod, "PodScheduled"):
                    meta = {"name": f"{pod['metadata']['name']}-{volume['name']}"}
                    key = Key(RESOURCES["PersistentVolumeClaim"], NAMESPACE, meta["name"])
                    if self.cluster.view.get(key) is None:
                        template = volume["ephemeral"]["volumeClaimTemplate"]
                        self.cluster.create({**template, "kind": "PersistentVolumeClaim", "metadata": meta}, NAMESPACE)
        for claim in self.cluster.view.list("persistentvolumeclaims"):
            if not claim.get("status"):
                self._bind(claim)
        for budget in self.cluster.view.list("poddisruptionbudgets.policy"):
            chosen = selector.from_label_selector(budget["spec"]["selector"])
            healthy = sum(
                chosen.matches(pod["metadata"].get("labels")) and not pods.is_terminating(pod)
                for pod in self.cluster.view.list("pods", NAMESPACE)
            )
            meta = budget["metadata"]
            allowed = max(healthy - budget["spec"]["minAvailable"], 0)
            key = Key("poddisruptionbudgets.policy", meta["namespace"], meta["name"])
            self.cluster.update(key, {"status": {"disruptionsAllowed": allowed}})

    def _bind(self, claim: Object) -> None:
        """Bind a claim as the volume controller would: to the volume it names, that is kept for it, or that fits."""
        meta, spec = claim["metadata"], claim["spec"]
        waits = (
            self._get("StorageClass", spec.get("storageClassName")).get("volumeBindingMode") == "WaitForFirstConsumer"
        )
        for volume in self.cluster.view.list("persistentvolumes"):
            kept = volume["spec"].get("claimRef") or {}
            named = spec.get("volumeName") == volume["metadata"]["name"]
            if not (kept.get("name") == meta["name"] or named or (not waits and not kept and _fits(volume, claim))):
                continue
            name = volume["metadata"]["name"]
            self.cluster.update(
                Key("persistentvolumes", "", name),
                {
                    "spec": {"claimRef": {"namespace": meta["namespace"], "name": meta["name"]}},
                    "status": {"phase": "Bound"},
                },
            )
            self.cluster.update(
                Key("persistentvolumeclaims", meta["namespace"], meta["name"]),
                {
                    "metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
                    "spec": {"volumeName": name},
                    "status": {"phase": "Bound"},
                },
            )
            return

    # Running

    def run(self) -> Replay:
        first = self.case["first"]
        wanted = [(pod, first["pods"].get(pod["metadata"]["name"])) for pod in self.given.get("pods") or ()]
        for pod, recorded in wanted:
            if recorded is None or recorded.get("createError"):
                continue
            key = self._create_pod(pod)
            self._schedule(key, recorded)
        self._compare_victims(first)
        for found, recorded in zip(self.given.get("steps") or (), first.get("steps") or (), strict=False):
            self._do(found)
            self._play_controllers()
            self.cluster.settle()
            for name, state in (recorded.get("observe") or {}).items():
                self._compare(Key("pods", NAMESPACE, name), state, events=False)
            if found["do"] == "pvc":
                self._compare_claim(found["name"], recorded["result"])
            if found["do"] == "distribution":
                nodes = [
                    pods.node_of(pod) for pod in self.cluster.view.list("pods", NAMESPACE) if "web" in _labels(pod)
                ]
                self.expect("podsPerNode", dict(sorted(Counter(nodes).items())), recorded["result"]["podsPerNode"])
        return self

    def _schedule(self, key: Key, recorded: Object) -> None:
        cluster = self.cluster
        pod = cluster.view.get(key)
        assert pod is not None
        best: set[str] = set()
        if recorded.get("scores"):
            table = scores_of(pod, cluster.view.derived("scheduler", Cache))
            scores = {
                node: {plugin: score for plugin, score in plugins.items() if plugin != "DynamicResources"}
                for node, plugins in recorded["scores"]["nodes"].items()
            }
            self.expect(f"{key.name} scores", table, scores)
            totals = recorded["scores"]["total"]
            best = {node for node, total in totals.items() if total == max(totals.values())}
        for _ in range(3):
            cluster.run(key)
            self._play_controllers()
        pod = cluster.view.get(key)
        assert pod is not None
        node = pods.node_of(pod)
        if node and recorded["node"] and node != recorded["node"] and node in best:
            # Another of the best nodes: go on with the real choice.
            cluster.events[key][-1]["note"] = cluster.events[key][-1]["note"].replace(node, recorded["node"])
            cluster.update(key, {"spec": {"nodeName": recorded["node"]}})
        self._compare(key, recorded)

    def _compare(self, key: Key, recorded: Object, events: bool = True) -> None:
        pod = self.cluster.view.get(key)
        if pod is None:
            self.expect(f"{key.name}", None, recorded)
            return
        self.expect(f"{key.name} node", pods.node_of(pod), recorded.get("node") or "")
        condition = pods.condition(pod, "PodScheduled") or {}
        for field, text in (recorded.get("podScheduled") or {}).items():
            self.expect(f"{key.name} {field}", condition.get(field), text)
        nominated = pod["status"].get("nominatedNodeName")
        if not recorded.get("node"):
            allowed = {run.get(key.name) for run in self.case.get("nominatedByRun") or ()}
            allowed.add(recorded.get("nominatedNodeName"))
            self.expect(f"{key.name} nominatedNodeName", nominated if nominated not in allowed else "", "")
        if events:
            # The real one may look again before the victims are gone; it then says so, here it waits.
            wanted = [event for event in recorded["events"] if not event["note"].endswith(preemption.TERMINATING)]
            self.expect(f"{key.name} events", self.cluster.events.get(key, []), wanted)

    def _compare_victims(self, first: Object) -> None:
        if "victims" not in first:
            return
        found = sorted(pod["metadata"]["name"] for pod in self.cluster.view.list("pods") if pods.is_terminating(pod))
        gone = [victim for victim in first["victims"] if self.cluster.view.get(_pod_key(victim["pod"])) is None]
        runs = [sorted(run) for run in self.case["victimsByRun"]]
        found = sorted([*found, *(victim["pod"] for victim in gone)])
        self.expect("victims", found if found not in runs else "", "")
        for victim in first["victims"]:
            key = _pod_key(victim["pod"])
            pod = self.cluster.view.get(key)
            condition = pods.condition(pod, "DisruptionTarget") if pod else None
            for recorded in victim.get("conditions", ()) if pod else ():
                self.expect(victim["pod"], {name: (condition or {}).get(name) for name in recorded}, recorded)
            events = [{**event, "note": self._with_names(event["note"])} for event in self.cluster.events.get(key, ())]
            self.expect(f"{victim['pod']} events", events, victim.get("events", events))

    def _with_names(self, text: str) -> str:
        for pod in self.cluster.view.list("pods"):
            text = text.replace(f"pod {pod['metadata']['uid']} ", f"pod <uid of {pod['metadata']['name']}> ")
        return text

    def _compare_claim(self, name: str, recorded: Object) -> None:
        claim = self.cluster.view.get(Key("persistentvolumeclaims", NAMESPACE, name)) or {"metadata": {}}
        chosen = "volume.kubernetes.io/selected-node"
        found = (claim["metadata"].get("annotations") or {}).get(chosen)
        self.expect(f"{name} selected node", found, (recorded.get("annotations") or {}).get(chosen))

    # Steps

    def _do(self, what: Object) -> None:
        cluster, name = self.cluster, what.get("name", "")
        match what["do"]:
            case "wait" | "observe" | "pvc" | "distribution":
                pass
            case "patchPod":
                self._patch(_pod_key(name), what)
            case "patchNode" | "patchNodeStatus":
                self._patch(Key("nodes", "", name), what)
            case "deletePod":
                cluster.remove(_pod_key(name))
            case "deletePodGraceful":
                cluster.delete(_pod_key(name))
            case "killVictims":
                for pod in cluster.view.list("pods"):
                    if pods.is_terminating(pod):
                        cluster.remove(_pod_key(pod["metadata"]["name"]))
            case "create":
                self._create(what["object"])
            case "addNode":
                cluster.create(what["node"])
            case "delete":
                self._delete(what)
            case other:
                raise AssertionError(other)

    def _patch(self, key: Key, what: Object) -> None:
        if what.get("type") == "json":
            obj = self.cluster.view.get(key)
            assert obj is not None
            self.cluster.view.put(key, patch.json_patch(obj, what["patch"]))
        else:
            self.cluster.update(key, what["patch"])
            if "unschedulable" in what["patch"].get("spec", {}):  # the node controller takes its taint away
                self.cluster.update(key, {"spec": {"taints": None}})

    def _create(self, obj: Object) -> None:
        if obj["kind"] == "Pod":
            self._create_pod(obj)
            return
        key = self.cluster.create(obj, NAMESPACE)
        if obj["kind"] != "ReplicaSet":
            return
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": key.name, "uid": "u", "controller": True}
        template = obj["spec"]["template"]
        for number in range(obj["spec"]["replicas"]):
            meta = {**template["metadata"], "name": f"{key.name}-{number}", "ownerReferences": [owner]}
            self._create_pod({"kind": "Pod", "metadata": meta, "spec": template["spec"]})

    def _delete(self, what: Object) -> None:
        key = Key(RESOURCES[what["kind"]], NAMESPACE, what["name"])
        if what["kind"] == "PersistentVolumeClaim":
            self.cluster.update(key, {"metadata": {"deletionTimestamp": self.cluster.clock.timestamp}})
        else:
            self.cluster.remove(key)


def _labels(pod: Object) -> list[str]:
    return list((pod["metadata"].get("labels") or {}).values())


def _pod_key(name: str) -> Key:
    return Key("pods", NAMESPACE, name)


def _with_requests(container: Object) -> Object:
    """The API server's default: a limit without a request is a request, too."""
    resources = container.get("resources") or {}
    if not resources.get("limits"):
        return container
    wanted = {**resources["limits"], **(resources.get("requests") or {})}
    return {**container, "resources": {**resources, "requests": wanted}}


def _fits(volume: Object, claim: Object) -> bool:
    wanted, spec = claim["spec"], volume["spec"]
    return (
        (spec.get("storageClassName") or "") == (wanted.get("storageClassName") or "")
        and set(wanted["accessModes"]) <= set(spec["accessModes"])
        and quantity.value(spec["capacity"]["storage"]) >= quantity.value(wanted["resources"]["requests"]["storage"])
    )
