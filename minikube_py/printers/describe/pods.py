"""Pods (describePod)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import containers, parts, volumes
from minikube_py.printers.describe.resources import quality_of_service
from minikube_py.printers.describe.writer import rfc1123

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]


def pod(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    _placement(spec, status, w)
    parts.labels_and_annotations(obj, w)
    _state(obj, w)
    w.line(0, "IP", status.get("podIP", ""))
    if status.get("podIPs"):
        w.put(0, "IPs:\n")
        for address in status["podIPs"]:
            w.line(1, "IP", address["ip"])
    else:
        w.line(0, "IPs", "<none>")
    parts.controlled_by(obj, w)
    if status.get("nominatedNodeName"):
        w.line(0, "NominatedNodeName", status["nominatedNodeName"])
    if spec.get("resources"):
        w.put(0, "Resources:\n")
        containers.resources(w, spec["resources"], 1)
    _containers(obj, w)
    _conditions(obj, w)
    volumes.section(w, spec.get("volumes") or [], "")
    w.line(0, "QoS Class", quality_of_service(obj))
    parts.labels(w, "Node-Selectors", spec.get("nodeSelector"))
    parts.tolerations(w, "Tolerations", spec.get("tolerations"))
    containers.topology_spread(w, spec.get("topologySpreadConstraints") or [], "")
    parts.events(obj, w)


def _placement(spec: Object, status: Object, w: Writer) -> None:
    for title, field in (
        ("Priority", "priority"),
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(field) not in (None, ""):
            w.line(0, title, spec[field])
    node = spec.get("nodeName")
    w.line(0, "Node", f"{node}/{status.get('hostIP', '')}" if node else "<none>")
    if status.get("startTime"):
        w.line(0, "Start Time", rfc1123(status["startTime"]))


def _state(obj: Object, w: Writer) -> None:
    metadata, status = obj["metadata"], obj.get("status") or {}
    if metadata.get("deletionTimestamp") and status.get("phase") not in ("Failed", "Succeeded"):
        w.line(0, "Status", f"Terminating (lasts {w.age(metadata['deletionTimestamp'])})")
        w.line(0, "Termination Grace Period", f"{metadata.get('deletionGracePeriodSeconds', 0)}s")
    else:
        w.line(0, "Status", status.get("phase", ""))
    for field in ("reason", "message"):
        if status.get(field):
            w.line(0, field.title(), status[field])
    profile = (obj["spec"].get("securityContext") or {}).get("seccompProfile")
    if profile:
        w.line(0, "SeccompProfile", profile["type"])
        if profile["type"] == "Localhost":
            w.line(0, "LocalhostProfile", profile.get("localhostProfile", ""))


def _containers(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    for title, field, statuses in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        if field == "containers" or spec.get(field):
            containers.containers(w, title, spec.get(field) or [], status.get(statuses), obj, "")


def _conditions(obj: Object, w: Writer) -> None:
    found = (obj.get("status") or {}).get("conditions") or ()
    gates = obj["spec"].get("readinessGates") or ()
    if gates:
        w.put(0, "Readiness Gates:\n  Type\tStatus\n")
    for gate in gates:
        status = next((one["status"] for one in found if one["type"] == gate["conditionType"]), "<none>")
        w.put(1, f"{gate['conditionType']} \t{status} \n")
    if found:
        w.put(0, "Conditions:\n  Type\tStatus\n")
    for condition in found:
        w.put(1, f"{condition['type']} \t{condition['status']} \n")
