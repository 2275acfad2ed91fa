"""Ingresses, IngressClasses, NetworkPolicies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.clock import seconds
from minikube_py.printers.describe import parts, services

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]


def ingress(obj: Object, w: Writer) -> None:
    spec, namespace = obj["spec"], obj["metadata"].get("namespace", "")
    w.line(0, "Name", parts.name(obj))
    parts.labels(w, "Labels", obj["metadata"].get("labels"))
    w.line(0, "Namespace", namespace)
    balancers = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    w.line(0, "Address", ",".join(sorted({one.get("ip") or one.get("hostname", "") for one in balancers} - {""})))
    w.line(0, "Ingress Class", spec.get("ingressClassName", "<none>"))
    default = backend(spec["defaultBackend"], namespace, w) if spec.get("defaultBackend") else "<default>"
    w.line(0, "Default backend", default)
    if spec.get("tls"):
        w.put(0, "TLS:\n")
    for tls in spec.get("tls") or ():
        hosts = ",".join(tls.get("hosts") or ())
        w.put(1, f"{tls['secretName']} terminates {hosts}\n" if tls.get("secretName") else f"SNI routes {hosts}\n")
    w.put(0, "Rules:\n  Host\tPath\tBackends\n")
    w.row(1, "----", "----", "--------")
    rules = [rule for rule in spec.get("rules") or () if rule.get("http")]
    for rule in rules:
        w.row(1, rule.get("host") or "*", "")
        for path in rule["http"].get("paths") or ():
            w.put(2, f"\t{path.get('path', '')} \t{backend(path['backend'], namespace, w)}\n")
    if not rules:
        w.row(1, "*", "*", default)
    parts.notes(w, "Annotations", obj["metadata"].get("annotations"))
    parts.events(obj, w)


def backend(target: Object, namespace: str, w: Writer) -> str:
    """'web:80 (10.0.0.1:80)'; with an error text if there is no such Service."""
    if not target.get("service"):
        resource = target.get("resource")
        if not resource:
            return ""
        return f"APIGroup: {resource.get('apiGroup', '<none>')}, Kind: {resource['kind']}, Name: {resource['name']}"
    name, port = target["service"]["name"], target["service"].get("port") or {}
    text = f"{name}:{port.get('number') or port.get('name', '')}"
    found = w.lookup.get("services", namespace, name)
    if found is None:
        return f'{text} (<error: services "{name}" not found>)'
    port_name = ""
    for one in found["spec"].get("ports") or ():
        by_number = port.get("number") and port["number"] == one["port"]
        if by_number or (port.get("name") and port["name"] == one.get("name")):
            port_name = one.get("name", "")
    return f"{text} ({services.endpoints_text(services.slices_of(namespace, name, w), port_name)})"


def ingress_class(obj: Object, w: Writer) -> None:
    parts.head(obj, w, namespaced=False)
    parts.labels_and_annotations(obj, w)
    w.line(0, "Controller", obj["spec"].get("controller", ""))
    parameters = obj["spec"].get("parameters")
    if parameters:
        w.put(0, "Parameters:\n")
        if parameters.get("apiGroup") is not None:
            w.line(1, "APIGroup", parameters["apiGroup"])
        w.line(1, "Kind", parameters["kind"])
        w.line(1, "Name", parameters["name"])
    parts.events(obj, w)


def network_policy(obj: Object, w: Writer) -> None:
    import time

    spec = obj["spec"]
    parts.head(obj, w)
    created = time.gmtime(seconds(obj["metadata"]["creationTimestamp"]))
    w.line(0, "Created on", time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", created))
    parts.labels_and_annotations(obj, w)
    w.put(0, "Spec:\n")
    selector = spec.get("podSelector") or {}
    everything = "<none> (Allowing the specific traffic to all pods in this namespace)"
    w.put(1, "PodSelector: ")
    w.put(2, (parts.label_selector(selector) if selector else everything) + "\n")
    types = spec.get("policyTypes") or ()
    for kind, rules, peers in (("Ingress", "ingress", "from"), ("Egress", "egress", "to")):
        if kind in types:
            w.put(1, f"Allowing {rules} traffic:\n")
            _rules(spec.get(rules) or [], peers, rules, w)
        else:
            w.put(1, f"Not affecting {rules} traffic\n")
    w.put(1, f"Policy Types: {', '.join(types) or '<none>'}\n")


def _rules(rules: list[Object], peers: str, direction: str, w: Writer) -> None:
    if not rules:
        w.put(2, f"<none> (Selected pods are isolated for {direction} connectivity)\n")
    for index, rule in enumerate(rules):
        for port in rule.get("ports") or ():
            protocol, number = port.get("protocol", "TCP"), port.get("port", "<nil>")
            if port.get("endPort") is None:
                w.put(2, f"To Port: {number}/{protocol}\n")
            else:
                w.put(2, f"To Port Range: {number}-{port['endPort']}/{protocol}\n")
        if not rule.get("ports"):
            w.put(2, "To Port: <any> (traffic allowed to all ports)\n")
        if not rule.get(peers):
            end = "source" if peers == "from" else "destination"
            w.put(2, f"{peers.title()}: <any> (traffic not restricted by {end})\n")
        for peer in rule.get(peers) or ():
            w.put(2, f"{peers.title()}:\n")
            _peer(peer, w)
        if index < len(rules) - 1:
            w.put(2, "----------\n")


def _peer(peer: Object, w: Writer) -> None:
    for title, field in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
        if peer.get(field) is not None:
            w.put(3, f"{title}: {parts.label_selector(peer[field])}\n")
    block = peer.get("ipBlock")
    if block:
        w.put(3, "IPBlock:\n")
        w.put(4, f"CIDR: {block['cidr']}\n")
        w.put(4, f"Except: {', '.join(block.get('except') or ())}\n")
