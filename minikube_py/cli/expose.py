"""`kubectl expose` (pkg/cmd/expose/expose.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import create, failures, podspecs, select
from minikube_py.cli.run import _label, _overridden

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

EXPOSABLE = ("ReplicationController", "Service", "Pod", "Deployment", "ReplicaSet")


def run(call: Call) -> None:
    found = select.find(call)
    failures.raise_all(found.errors)
    for item in found.items:
        create.generated(call, _overridden(call, service_for(call, item)), verb="exposed")


def service_for(call: Call, item: Item) -> Object:
    """The Service that exposes an object."""
    if item.kind.name not in EXPOSABLE:
        group = f".{item.kind.group}" if item.kind.group else ""
        raise UsageError(f"cannot expose a {item.kind.name}{group}")
    selector = _selector(call, item)
    ports = _ports(call, item)
    labels = (
        dict(_label(text) for text in call.text("labels").split(","))
        if call.text("labels")
        else (item.object["metadata"].get("labels") or {})
    )
    metadata: Object = {"name": call.text("name") or item.name[:63]}
    if labels:
        metadata["labels"] = labels
    spec: Object = {}
    if ports:
        spec["ports"] = ports
    spec["selector"] = selector
    for flag, field in (("cluster-ip", "clusterIP"), ("type", "type"), ("load-balancer-ip", "loadBalancerIP")):
        if call.text(flag):
            spec[field] = call.text(flag)
    if call.text("external-ip"):
        spec["externalIPs"] = [call.text("external-ip")]
    if call.text("session-affinity"):
        if call.text("session-affinity") not in ("None", "ClientIP"):
            raise UsageError(f"unknown session affinity: {call.text('session-affinity')}")
        spec["sessionAffinity"] = call.text("session-affinity")
    return {"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def _selector(call: Call, item: Item) -> dict[str, str]:
    if call.text("selector"):
        return dict(_label(text) for text in call.text("selector").split(","))
    obj, complaint = item.object, "couldn't retrieve selectors via --selector flag or introspection: "
    if item.kind.name == "Pod":
        labels = obj["metadata"].get("labels") or {}
        if not labels:
            raise UsageError(f"{complaint}the pod has no labels and cannot be exposed")
        return labels
    if item.kind.name in ("Service", "ReplicationController"):
        selector = obj["spec"].get("selector") or {}
        if not selector:
            raise UsageError(f"{complaint}the {item.kind.singular} has no pod selector set")
        return selector
    wanted = obj["spec"].get("selector") or {}
    if wanted.get("matchExpressions"):
        raise UsageError(
            f'{complaint}couldn\'t convert expressions - "{wanted["matchExpressions"]}" to map-based selector format'
        )
    labels = wanted.get("matchLabels") or {}
    if not labels:
        raise UsageError(f"{complaint}the {item.kind.singular} has no matchLabels or matchExpressions set")
    return labels


def _known_ports(item: Item) -> list[tuple[int, str]]:
    """(port, protocol) of a Service's ports or of the containers' ports."""
    if item.kind.name == "Service":
        return [(port["port"], port.get("protocol", "TCP")) for port in item.object["spec"].get("ports") or ()]
    spec = podspecs.spec_of(item.object) or {}
    return [
        (port["containerPort"], port.get("protocol", "TCP"))
        for container in spec.get("containers") or ()
        for port in container.get("ports") or ()
    ]


def _ports(call: Call, item: Item) -> list[Object]:
    known = _known_ports(item)
    if call.text("port"):
        wanted = [_number(text) for text in call.text("port").split(",")]
    else:
        wanted = list(dict.fromkeys(port for port, _ in known))
        if not wanted and call.text("cluster-ip") != "None":
            raise UsageError("couldn't find port via --port flag or introspection")
    ports = []
    for port in wanted:
        protocols = (
            [call.text("protocol")]
            if call.text("protocol")
            else list(dict.fromkeys(protocol for known_port, protocol in known if known_port == port)) or ["TCP"]
        )
        for protocol in protocols:
            entry: Object = {"protocol": protocol, "port": port, "targetPort": _target(call, port)}
            ports.append(entry)
    if len(ports) > 1:
        ports = [{"name": f"port-{index}", **port} for index, port in enumerate(ports, 1)]
    return ports


def _number(text: str) -> int:
    if not text.isdigit():
        raise UsageError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _target(call: Call, port: int) -> int | str:
    text = call.text("target-port")
    if not text:
        return port
    return int(text) if text.isdigit() else text
