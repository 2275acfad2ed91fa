"""A recorded quota and LimitRange: refusals, defaults, what is used, and a Deployment that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.traces import commands
from tests.traces.machine import Machine, Object, load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.traces.commands import Outcome

# Where pods went, and what their kubelets told, was up to chance and to an imitation.
OF_SETS = "events_over"


def _too_large() -> Object:
    requests = {"cpu": "200m", "memory": "100Mi"}
    container = {"name": "nginx", "image": "nginx:1.27", "resources": {"requests": requests}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 4, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "t-n"},
        "spec": spec,
    }


def _conditions(obj: Object) -> list[list[str]]:
    found = obj["status"].get("conditions") or ()
    return sorted([one["type"], one["status"], one["reason"]] for one in found)


def _defaulted(pod: Object) -> list[object]:
    note = pod["metadata"]["annotations"].get("kubernetes.io/limit-ranger")
    return [pod["spec"]["containers"][0]["resources"], note]


def replay(folder: Path) -> tuple[list[Outcome], Object, Object]:
    """(the commands, the recorded objects, those here)."""
    data = load("n_quota_limitrange")
    machine = Machine(folder, ("fake-000", "fake-001", "fake-002"), ["t-n", "t-n2"])
    outcomes, found = [], {}
    try:
        for name, step in data.items():
            if name == "deploy_over":
                machine.cluster.create(_too_large())
                machine.pass_time(3)
                found["deploy_over_obj"] = _conditions(machine.cluster.get("deployments", "web", "t-n"))
                found["rs_over_obj"] = [_conditions(one) for one in machine.cluster.list("replicasets", "t-n")]
            if isinstance(step, dict) and "cmd" in step:
                outcomes.append(commands.run(machine, {**step, "t": name}))
                machine.pass_time(1)
        for name in ("lr_pod_obj", "req_only_obj"):
            pod = machine.cluster.get("pods", data[name]["metadata"]["name"], "t-n2")
            found[name] = _defaulted(pod)
    finally:
        machine.close()
    recorded = {"deploy_over_obj": _conditions(data["deploy_over_obj"])}
    recorded["rs_over_obj"] = [_conditions(one) for one in data["rs_over_obj"]]
    for name in ("lr_pod_obj", "req_only_obj"):
        recorded[name] = _defaulted(data[name])
    return outcomes, recorded, found


def _equal(one: Outcome) -> bool:
    if one.step["t"] != OF_SETS:
        return one.equal
    kept = [[line for line in text.splitlines() if "  pod/" not in line] for text in (one.expected, one.found)]
    return kept[0] == kept[1]


def test_a_quota_and_a_limit_range_do_what_real_ones_did(tmp_path: Path) -> None:
    outcomes, recorded, found = replay(tmp_path)
    assert found == recorded
    print(f"n_quota_limitrange: {sum(map(_equal, outcomes))} of {len(outcomes)} equal")
    different = [one for one in outcomes if not _equal(one)]
    assert not different, "\n".join(
        f"{one.title}\n--- recorded\n{one.expected}\n--- found\n{one.found}" for one in different
    )
