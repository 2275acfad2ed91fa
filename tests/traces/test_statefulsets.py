"""A recorded StatefulSet: created, updated, undone, scaled up and down, updated above a partition, and one in parallel.

Every status that it goes through here the real one went through, in that order. The real one shows some in between besides:
its kubelet tells first that a pod has ended and then removes it, and pods of one second become ready one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.traces.machine import Machine, Object, distinct, load

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COUNTERS = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
SHOWN_BETWEEN = 0.3  # at most so large a part of the recorded statuses


def _set(name: str, replicas: int, image: str, **spec: Any) -> Object:
    container = {"name": "redis", "image": image}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]},
    }
    whole = {
        "serviceName": name,
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": template,
        **spec,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "t-h"},
        "spec": whole,
    }


def _partition(number: int) -> Object:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}}


DEEDS: tuple[Any, ...] = (
    _set("db", 3, "redis:7"),
    "kubectl -n t-h set image sts/db redis=redis:8",
    "kubectl -n t-h rollout undo sts/db",
    "kubectl -n t-h scale sts/db --replicas=5",
    "kubectl -n t-h scale sts/db --replicas=1",
    _set("db", 4, "redis:7", **_partition(2)),
    _set("db", 4, "redis:9", **_partition(2)),
    _set("par", 3, "redis:7", podManagementPolicy="Parallel"),
    _set("par", 3, "redis:8", podManagementPolicy="Parallel"),
)


def _rows(found: Iterable[tuple[str, int, Object]]) -> dict[str, list[Any]]:
    """name -> its distinct statuses: the wanted size, the counters, and its two revisions by the order of their coming."""
    rows: dict[str, list[Any]] = {}
    numbers: dict[str, int] = {}
    for name, size, status in found:
        revisions = [status.get("currentRevision"), status.get("updateRevision")]
        told = [numbers.setdefault(one, len(numbers)) if one else None for one in revisions]
        counters = [status.get(counter) or 0 for counter in COUNTERS]
        rows.setdefault(name, []).append([size, status.get("observedGeneration"), *counters, *told])
    return {name: distinct(one) for name, one in rows.items()}


def replay(folder: Path) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """(recorded, found)."""
    recorded = [
        (row["name"], row["fields"]["specReplicas"], row["fields"]["status"])
        for row in load("h_statefulset")["rows"]
        if row["kind"] == "statefulsets" and row["type"] != "DELETED"
    ]
    machine = Machine(folder, ("fake-000", "fake-001", "fake-002"), ["t-h"])
    try:
        for deed in DEEDS:
            if isinstance(deed, str):
                assert machine.kpy(deed).code == 0
            else:
                machine.cluster.apply(deed)
            machine.cluster.reconcile()
        found = [
            (change.key.name, change.new["spec"]["replicas"], change.new.get("status") or {})
            for change in machine.changes("t-h")
            if change.key.resource == "statefulsets.apps" and change.new is not None
        ]
    finally:
        machine.close()
    return _rows(recorded), _rows(found)


def missing(recorded: list[Any], found: list[Any]) -> tuple[list[Any], list[Any]]:
    """(found rows that are not in the recorded ones in that order, recorded rows that were passed over)."""
    strange, passed, place = [], [], 0
    for row in found:
        try:
            at = recorded.index(row, place)
        except ValueError:
            strange.append(row)
            continue
        passed += recorded[place:at]
        place = at + 1
    return strange, passed + recorded[place:]


def test_a_stateful_set_goes_through_what_a_real_one_went_through(tmp_path: Path) -> None:
    recorded, found = replay(tmp_path)
    for name, rows in recorded.items():
        strange, passed = missing(rows, found[name])
        assert strange == [], name
        assert found[name][-1] == rows[-1]
        assert len(passed) <= SHOWN_BETWEEN * len(rows), passed
