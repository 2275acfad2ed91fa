"""A tiny engine for the tests of the kubelet: carries out the actions of one step and jumps from wake to wake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import machines
from minikube_py.api.types import Delete, Key, Patch, Record, Remember, Wake
from minikube_py.kubelet import pod as pod_step
from tests.support import T0, FrozenView, freeze

if TYPE_CHECKING:
    from minikube_py.base.clock import Clock

Object = dict[str, Any]


def make_pod(name: str = "web", **spec: Any) -> Object:
    """A bound, defaulted pod with one nginx container; `spec` replaces fields of its spec."""
    container = {"name": "web", "image": "nginx:1.27", "imagePullPolicy": "IfNotPresent"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1},
        "spec": {"nodeName": "worker-1", "restartPolicy": "Always", "terminationGracePeriodSeconds": 30}
        | {"containers": [container]}
        | spec,
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }


def container(name: str = "web", image: str = "nginx:1.27", **fields: Any) -> Object:
    return {"name": name, "image": image, "imagePullPolicy": "IfNotPresent", **fields}


def make_node() -> Object:
    return machines.template("worker-1", cpu="4", memory="8Gi", pods=110, index=1)


class Simulation:
    """One pod on one node. `told` lists (seconds since T0, 'Reason message') of events; `writes` the status patches."""

    def __init__(self, pod: Object, *others: tuple[str, Object], node: Object | None = None) -> None:
        self.clock: Clock = T0
        self.objects: dict[Key, Object] = {}
        self.memory: dict[tuple[str, Key], Object] = {}
        self.told: list[tuple[int, str]] = []
        self.writes: list[tuple[int, Object]] = []
        self.deleted_at: int | None = None
        self.version = 0
        self.wake: Wake | None = None
        self.put("nodes", node or make_node())
        for resource, obj in others:
            self.put(resource, obj)
        self.put("pods", pod)
        self.key = Key("pods", "default", pod["metadata"]["name"])

    def put(self, resource: str, obj: Object) -> None:
        meta = obj["metadata"]
        self.objects[Key(resource, meta.get("namespace", ""), meta["name"])] = obj

    @property
    def pod(self) -> Object:
        return self.objects[self.key]

    @property
    def status(self) -> Object:
        found: Object = self.pod["status"]
        return found

    def view(self) -> FrozenView:
        listed: dict[str, list[Object]] = {}
        for key, obj in self.objects.items():
            listed.setdefault(key.resource, []).append(obj)
        return FrozenView(listed, self.memory)

    def run(self) -> list[Any]:
        """One run of the step at the current second."""
        self.wake = None
        taken: list[Any] = []
        step = pod_step.step(freeze(self.pod), self.view(), self.clock)
        outcome: Object | None = None
        while True:
            try:
                action = step.send(outcome)
            except StopIteration:
                return taken
            taken.append(action)
            outcome = self._carry_out(action)

    def _carry_out(self, action: Any) -> Object | None:
        second = self.clock.now_s - T0.now_s
        if isinstance(action, Patch):
            old = self.objects[action.key]
            stored = {**old, "status": {**old.get("status", {}), **action.fields["status"]}}
            self.version += 1
            stored["metadata"] = {**old["metadata"], "resourceVersion": str(self.version)}
            self.objects[action.key] = stored
            if action.key == self.key:
                self.writes.append((second, action.fields["status"]))
            return stored
        if isinstance(action, Remember):
            self.memory[("kubelet", self.key)] = action.data
        elif isinstance(action, Record):
            self.told.append((second, f"{action.reason} {action.message}"))
        elif isinstance(action, Wake):
            self.wake = action
        elif isinstance(action, Delete):
            self.deleted_at = second
        return None

    def until(self, second: int, background: bool = True) -> Simulation:
        """Run from wake to wake up to `second` after T0 (without background wakes if told so)."""
        for _ in range(5000):
            self.run()
            if self.deleted_at is None:  # level-based: a second look changes nothing
                wake = self.wake
                assert [action for action in self.run() if action != wake] == []
            if self.wake is None or self.wake.at_s > T0.now_s + second or self.deleted_at is not None:
                break
            if self.wake.background and not background:
                return self
            self.clock = self.clock.at(max(self.wake.at_s, self.clock.now_s))
        else:
            raise AssertionError(f"still busy at {self.clock.now_s - T0.now_s}: {self.wake}")
        if self.deleted_at is None:
            self.clock = self.clock.at(T0.now_s + second)
        return self

    def edit(self, **fields: Any) -> None:
        """Replace top-level fields of the pod, as another client would."""
        self.version += 1
        meta = {**fields.pop("metadata", self.pod["metadata"]), "resourceVersion": str(self.version)}
        self.objects[self.key] = {**self.pod, **fields, "metadata": meta}

    def delete(self, grace_s: int = 30) -> None:
        meta = {
            **self.pod["metadata"],
            "deletionTimestamp": self.clock.at(self.clock.now_s + grace_s).timestamp,
            "deletionGracePeriodSeconds": grace_s,
        }
        self.edit(metadata=meta)

    def state(self, name: str = "web") -> Object:
        """The status of one container."""
        listed = [*self.status.get("initContainerStatuses", ()), *self.status["containerStatuses"]]
        return next(entry for entry in listed if entry["name"] == name)

    def condition(self, name: str) -> Object:
        return next(entry for entry in self.status["conditions"] if entry["type"] == name)
