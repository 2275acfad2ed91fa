"""Which volume a claim gets: every recorded case, volumes created first, then the claims, then what came later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.traces.machine import Machine, Object, load

if TYPE_CHECKING:
    from pathlib import Path

CASES = {f"{step['case']} {step['run']}": step for step in load("static_binding")["steps"] if "case" in step}
NAMESPACE = "x-st"
ANY = "one of several that are equal"


def _create(machine: Machine, found: list[Object]) -> None:
    for obj in found:
        namespaced = {"namespace": NAMESPACE} if obj["kind"] == "PersistentVolumeClaim" else {}
        machine.cluster.create({"apiVersion": "v1", **obj, "metadata": {**obj["metadata"], **namespaced}})
        machine.pass_time(0)


def _claim(status: Object, spec: Object, notes: Any, finalizers: Any) -> Object:
    return {
        "phase": status.get("phase"),
        "volumeName": spec.get("volumeName"),
        "annotations": notes,
        "finalizers": finalizers,
        "capacity": status.get("capacity"),
        "accessModes": status.get("accessModes"),
        "conditions": status.get("conditions"),
    }


def replay(folder: Path, name: str) -> tuple[Object, Object]:
    """(recorded, found): claims, volumes, and the distinct events of the claims."""
    case = CASES[name]
    machine = Machine(folder, (), [NAMESPACE])
    try:
        _create(machine, case["given"].get("persistentVolumes") or [])
        machine.pass_time(1)
        _create(machine, case["given"].get("claims") or [])
        machine.pass_time(1)
        _create(machine, case["given"].get("later") or [])
        machine.pass_time(1)
        claims, volumes = {}, {}
        for one in machine.cluster.list("persistentvolumeclaims", NAMESPACE):
            meta = one["metadata"]
            claims[meta["name"]] = _claim(one["status"], one["spec"], meta.get("annotations"), meta.get("finalizers"))
        for one in machine.cluster.list("persistentvolumes"):
            meta, reference = one["metadata"], one["spec"].get("claimRef") or {}
            kept = {field: value for field, value in reference.items() if field not in ("uid", "resourceVersion")}
            volumes[meta["name"]] = {
                "phase": one["status"]["phase"], "claimRef": kept,
                "annotations": meta.get("annotations"), "finalizers": meta.get("finalizers"),
            }  # fmt: skip
        events = sorted(
            {
                (one["type"], one["reason"], one["message"], one["involvedObject"]["name"])
                for one in machine.cluster.list("events", NAMESPACE)
            }
        )
    finally:
        machine.close()
    recorded = {"claims": case["claims"], "volumes": case["volumes"]}
    recorded["events"] = sorted({(one["type"], one["reason"], one["message"], one["object"]) for one in case["events"]})
    return recorded, {"claims": claims, "volumes": volumes, "events": events}


RULES = CASES


def _without_the_choice(side: Object) -> list[Any]:
    """Of equal volumes any may be chosen: how many are bound, and how the claim stands."""
    claims = [{**one, "volumeName": ANY if one["volumeName"] else None} for one in side["claims"].values()]
    return [claims, sorted(json.dumps(one, sort_keys=True) for one in side["volumes"].values()), side["events"]]


@pytest.mark.parametrize("name", CASES)
def test_a_claim_gets_the_volume_that_a_real_one_got(name: str, tmp_path: Path) -> None:
    recorded, found = replay(tmp_path, name)
    if "(tie)" in name:
        assert _without_the_choice(found) == _without_the_choice(recorded)
    else:
        assert found == recorded
