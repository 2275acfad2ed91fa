"""Recorded traces of the real HPA controller (tests/data/hpa/traces.json.gz), replayed sync by sync.

Every sync is given what the real one was given at that moment: the target, its pods, the answer of the metrics API. What it
decides, its conditions and its events are held against what was recorded. See the rows of a trace: t (seconds since the HPA
was created), what (metrics, hpa, target, pod, event, step).
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from minikube_py.api.defaults import autoscaling
from minikube_py.api.types import Key, Patch, Record
from minikube_py.autoscaling import hpa as controller
from minikube_py.autoscaling import samples
from minikube_py.autoscaling.replica_calculator import Settings
from minikube_py.autoscaling.samples import MetricError, Sample
from minikube_py.base import patch
from minikube_py.base.clock import Clock, seconds, timestamp
from tests.support import FrozenView

Object = dict[str, Any]
DATA = Path(__file__).parents[1] / "data" / "hpa" / "traces.json.gz"
FLAGS = {
    "sync-period": "sync_period_s",
    "downscale-stabilization": "downscale_stabilization_s",
    "cpu-initialization-period": "cpu_initialization_s",
    "initial-readiness-delay": "initial_readiness_delay_s",
}
SHOWN = ("currentReplicas", "desiredReplicas", "currentMetrics", "conditions", "lastScaleTime")
SPAM_BURST, SPAM_REFILL_S = 25, 300  # client-go drops further events about one object


def traces() -> dict[str, Object]:
    found: dict[str, Object] = json.loads(gzip.decompress(DATA.read_bytes()))
    return found


class Sync(NamedTuple):
    """One sync: when, of which HPA, the state before it (`upto` rows), and what it did in the recording."""

    at: float
    name: str
    upto: int
    metrics: list[Object]
    status: Object | None
    events: list[tuple[str, str]]
    heard: float = 0.0  # when the first event came


def settings_of(trace: Object) -> Settings:
    """'--horizontal-pod-autoscaler-sync-period=5s ...'"""
    found = re.findall(r"--horizontal-pod-autoscaler-([a-z-]+)=(\d+)s", trace["flags"] or "")
    return Settings(**{FLAGS[name]: int(number) for name, number in found})


def syncs_of(trace: Object, period_s: int) -> list[Sync]:
    """The syncs that left a trace, by HPA, in order of time. Rows less than half a period apart are of one sync."""
    found: dict[str, list[Sync]] = {}
    for index, row in enumerate(trace["rows"]):
        name = _whose(row)
        if not name:
            continue
        own = found.setdefault(name, [])
        if not own or row["t"] - own[-1].at > period_s * 0.6:
            own.append(Sync(row["t"], name, index, [], None, []))
        last = own[-1]
        if row["what"] == "metrics":
            last.metrics.append(row["given"])
        elif row["what"] == "event":
            last.events.append((row["reason"], neutral(row["message"])))
            own[-1] = last._replace(heard=last.heard or row["t"])
        else:
            own[-1] = last._replace(status={field: row[field] for field in SHOWN})
    return sorted((one for own in found.values() for one in own), key=lambda one: one.at)


def _whose(row: Object) -> str:
    """The HPA that a row tells of a sync of; '' if it tells of none."""
    if row["what"] == "metrics":
        return "w"
    if row["what"] == "event":
        kind, _, name = row["object"].partition("/")
        return name if kind == "HorizontalPodAutoscaler" else ""
    return row["name"] if row["what"] == "hpa" and row["event"] == "MODIFIED" and not row.get("by_hand") else ""


def neutral(text: str) -> str:
    """A text without what is random in it: the pod that is named, the order of two HPAs."""
    text = re.sub(r"of Pod [a-z0-9-]+", "of Pod POD", text)
    return re.sub(r"\[(\S+) (\S+)\]$", lambda found: "[" + " ".join(sorted(found.groups())) + "]", text)


class Answers:
    """The metrics APIs as they were in the recording."""

    def __init__(self, sync: Sync) -> None:
        self.sync, self.asked = sync, 0

    def resource(self, resource: str, namespace: str, selector: Any, container: str) -> dict[str, Sample]:
        self.asked += 1
        if self.asked > len(self.sync.metrics):
            raise MetricError(f"unable to fetch metrics from resource metrics API: {self._refusal()}")
        given = self.sync.metrics[self.asked - 1]
        answers = {
            pod: (seconds(at), {name: {"cpu": cpu, "memory": memory} for name, (cpu, memory) in containers.items()})
            for pod, (at, containers) in given.items()
        }
        return samples.of_usage(answers, resource, container)  # type: ignore[arg-type]

    def _refusal(self) -> str:
        texts = [text for _, text in self.sync.events if "resource metrics API: " in text]
        return texts[0].partition("resource metrics API: ")[2] if texts else "nothing was asked in the recording"

    def pods(self, *_: object) -> dict[str, Sample]:
        raise MetricError(
            "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
        )

    def object(self, *_: object) -> int:
        return len(self.pods())

    def external(self, metric: str, *_: object) -> list[int]:
        problem = f"the server could not find the requested resource (get {metric}.external.metrics.k8s.io)"
        raise MetricError(f"unable to fetch metrics from external metrics API: {problem}")


class Replay:
    """The state of a trace up to a sync, and the controller run on it. `wrong`: what differed, in words."""

    def __init__(self, trace: Object) -> None:
        self.trace, self.settings = trace, settings_of(trace)
        _mark_by_hand(trace)
        self.base_s = self._base_s()
        self.row, self.target, self.pods = 0, {}, {}  # type: ignore[var-annotated]
        self.hpas = {
            one["metadata"]["name"]: autoscaling.horizontal_pod_autoscaler({"apiVersion": "autoscaling/v2", **one})
            for one in trace["given"]
            if one["kind"] == "HorizontalPodAutoscaler"
        }
        self.workload = next(one for one in trace["given"] if one["kind"] != "HorizontalPodAutoscaler")
        self.memory: dict[str, Object] = {name: {} for name in self.hpas}
        self.tokens: dict[tuple[str, bool], tuple[float, float]] = {}
        self.wrong: list[str] = []
        self.checked = 0

    def _base_s(self) -> float:
        """The second since 1970 of t = 0: as late as the timestamps of the metrics allow."""
        found = [
            seconds(at) - row["t"]
            for row in self.trace["rows"]
            if row["what"] == "metrics"
            for at, _ in row["given"].values()
        ]
        return max(found, default=float(seconds(self.trace["created"])))

    def run(self) -> None:
        for sync in syncs_of(self.trace, self.settings.sync_period_s):
            self._advance(sync.upto)
            self._sync(sync)

    def _advance(self, upto: int) -> None:
        for row in self.trace["rows"][self.row : upto]:
            getattr(self, "_on_" + row["what"], lambda _: None)(row)
        self.row = max(self.row, upto)

    def _on_target(self, row: Object) -> None:
        if not self.target:
            self.target = {"replicas": row["specReplicas"]}
        self.target = {**self.target, "status": row["replicas"]}

    def _on_pod(self, row: Object) -> None:
        name, event = row["pod"], row["event"]
        if event == "deleted":
            self.pods.pop(name, None)
        elif event == "created":
            self.pods[name] = {"phase": "Pending", "conditions": []}
        else:
            self.pods[name] = _running(timestamp(int(self.base_s + row["t"])), "not" not in event)

    def _on_step(self, row: Object) -> None:
        now = timestamp(int(self.base_s + row["t"]))
        if row["do"] == "scale":
            self.target = {**self.target, "replicas": row["replicas"]}
        elif row["do"] == "patchHPA":
            self.hpas["w"] = patch.merge(self.hpas["w"], row["patch"])
        elif row["do"] == "ready":
            for name, status in self.pods.items():
                if status["phase"] == "Running":  # the driver wrote all of them, ready or not
                    self.pods[name] = {**status, "conditions": _running(now, True)["conditions"]}
        elif row["do"] == "failPod":
            first = next(iter(self.pods))
            self.pods[first] = {**self.pods[first], "phase": "Failed"}

    def view(self) -> FrozenView:
        meta, kind = self.workload["metadata"], self.workload["kind"]
        resource = {"Deployment": "deployments.apps", "StatefulSet": "statefulsets.apps"}[kind]
        template = self.workload["spec"]["template"]
        objects: dict[str, list[Object]] = {"pods": [], resource: [], controller.RESOURCE: list(self.hpas.values())}
        for name, status in self.pods.items():
            own = {"name": name, "namespace": meta["namespace"], "labels": template["metadata"]["labels"]}
            objects["pods"].append({"metadata": own, "spec": template["spec"], "status": status})
        if self.target:
            spec = {**self.workload["spec"], "replicas": self.target["replicas"]}
            objects[resource] = [{"metadata": meta, "spec": spec, "status": {"replicas": self.target.get("status", 0)}}]
        memory = {
            (controller.NAME, Key(controller.RESOURCE, meta["namespace"], name)): known
            for name, known in self.memory.items()
        }
        return FrozenView(objects, memory)

    def _sync(self, sync: Sync) -> None:
        now_s = self.base_s + sync.at
        hpa, events = self.hpas[sync.name], []
        run = controller.sync(
            hpa,
            self.view(),
            Clock(now_s),
            self.memory[sync.name],
            Answers(sync),
            self.settings,  # type: ignore[arg-type]
        )
        try:
            while True:
                action = next(run)
                if isinstance(action, Record):
                    events.append((action.reason, neutral(action.message)))
                elif isinstance(action, Patch) and action.subresource == "status":
                    self.hpas[sync.name] = patch.merge(hpa, action.fields)
                elif isinstance(action, Patch):
                    self.target = {**self.target, "replicas": action.fields["spec"]["replicas"]}
        except StopIteration as end:
            self.memory[sync.name] = end.value
        self._compare(sync, events)

    def _compare(self, sync: Sync, events: list[tuple[str, str]]) -> None:
        self.checked += 1
        events = [event for event in events if self._passes_filter(sync, event[0])]
        if events != sync.events:
            self.wrong.append(f"{sync.at}: events {events} instead of {sync.events}")
        shown = shown_status(self.hpas[sync.name])
        if sync.status is None:
            return
        for field in SHOWN:
            wanted = _comparable(sync.status[field])
            if shown[field] != wanted:
                self.wrong.append(f"{sync.at}: {field} {shown[field]} instead of {wanted}")

    def _passes_filter(self, sync: Sync, reason: str) -> bool:
        """client-go's spam filter: 25 events of one type about one object at once, then one every five minutes."""
        is_warning = reason != "SuccessfulRescale"
        began = sync.heard if sync.heard else sync.at
        tokens, since = self.tokens.get((sync.name, is_warning), (float(SPAM_BURST), began))
        tokens = min(float(SPAM_BURST), tokens + (began - since) / SPAM_REFILL_S)
        passes = tokens >= 1
        self.tokens[sync.name, is_warning] = (tokens - passes, began)
        return passes


def shown_status(hpa: Object) -> Object:
    status = hpa.get("status") or {}
    return {
        "currentReplicas": status.get("currentReplicas"),
        "desiredReplicas": status.get("desiredReplicas", 0),
        "currentMetrics": _comparable(status.get("currentMetrics")),
        "conditions": _comparable(status.get("conditions") or []),
        "lastScaleTime": "lastScaleTime" in status,
    }


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    if isinstance(value, dict):
        return {name: _comparable(one) for name, one in value.items() if name != "lastTransitionTime"}
    return neutral(value) if isinstance(value, str) else value


def _running(now: str, is_ready: bool) -> Object:
    ready = {"type": "Ready", "status": "True" if is_ready else "False", "lastTransitionTime": now}
    return {"phase": "Running", "startTime": now, "conditions": [ready]}


def _mark_by_hand(trace: Object) -> None:
    """HPA rows that a patch of the driver caused, not a sync: the row of the change of min or max."""
    bounds: dict[str, tuple[int, int]] = {}
    for row in trace["rows"]:
        if row["what"] == "hpa":
            now = (row["minReplicas"], row["maxReplicas"])
            row["by_hand"] = bounds.get(row["name"], now) != now
            bounds[row["name"]] = now
