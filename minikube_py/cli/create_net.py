"""`kubectl create service clusterip|nodeport|loadbalancer|externalname` and `create ingress`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import create

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

# kubectl create ingress: host/path=svcname:svcport[,tls[=secret]]
RULE = re.compile(
    r"^(?P<host>[\w*\-.]*)(?P<path>/[\w\-/.~!$&'()+,;:@%*]*)=(?P<svc>[\w\-.]+:[\w\-]+)(?:,(?P<tls>tls(?:=[\w\-]*)?))?$"
)


def cluster_ip(call: Call) -> None:
    _service(call, "ClusterIP")


def node_port(call: Call) -> None:
    _service(call, "NodePort")


def load_balancer(call: Call) -> None:
    _service(call, "LoadBalancer")


def external_name(call: Call) -> None:
    _service(call, "ExternalName")


def _service(call: Call, kind: str) -> None:
    name = create.one_name(call)
    headless = call.text("clusterip") == "None"
    pairs = call.list("tcp")
    if headless and kind != "ClusterIP":
        raise UsageError("ClusterIP=None can only be used with ClusterIP service type")
    if not pairs and not headless and kind != "ExternalName":
        raise UsageError("at least one tcp port specifier must be provided")
    spec: Object = {}
    ports = [_port(text) for text in pairs]
    if kind == "NodePort" and call.number("node-port"):
        ports = [{**port, "nodePort": call.number("node-port")} for port in ports]
    if ports:
        spec["ports"] = ports
    spec["selector"] = {"app": name}
    if call.text("clusterip"):
        spec["clusterIP"] = call.text("clusterip")
    spec["type"] = kind
    if call.text("external-name"):
        _check_external_name(call.text("external-name"))
        spec["externalName"] = call.text("external-name")
    create.generated(
        call,
        {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": spec,
            "status": {"loadBalancer": {}},
        },
        f"failed to create {kind} service: ",
    )


def _check_external_name(text: str) -> None:
    from minikube_py.base import selector

    if len(text) > 253 or not selector.is_subdomain(text):
        raise UsageError(f"invalid service external name {text}")


def _port(text: str) -> Object:
    """'80:8080' is port 80 to target 8080, named '80-8080'; '80' is named '80' (create_service.go: parsePorts)."""
    words = text.split(":")
    port = words[0]
    if not re.fullmatch(r"[0-9]+", port):
        raise UsageError(f'strconv.ParseUint: parsing "{port}": invalid syntax')
    if int(port) > 65535:
        raise UsageError(f'strconv.ParseUint: parsing "{port}": value out of range')
    goal: int | str = int(port)
    if len(words) > 1:
        goal = _target(words[1])
    return {"name": "-".join(words), "protocol": "TCP", "port": int(port), "targetPort": goal}


def _target(text: str) -> int | str:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        problems = _port_name_problems(text)
        if problems:
            raise UsageError(",".join(problems))
        return text
    if not 0 < int(text) < 65536:
        raise UsageError("must be between 1 and 65535, inclusive")
    return int(text)


def _port_name_problems(text: str) -> list[str]:
    """validation.IsValidPortName."""
    problems = []
    if len(text) > 15:
        problems.append("must be no more than 15 characters")
    if not re.fullmatch(r"[-a-z0-9]+", text):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", text):
        problems.append("must contain at least one letter (a-z)")
    if "--" in text:
        problems.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def ingress(call: Call) -> None:
    name = create.one_name(call)
    rules, default = call.list("rule"), call.text("default-backend")
    if not rules and not default:
        raise UsageError(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all "
            "traffic) or a list of rules (which catch specific paths)"
        )
    for rule in rules:
        if not RULE.match(rule):
            raise UsageError(f"rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]")
    metadata: Object = {"name": name}
    for annotation in call.list("annotation"):
        key, equals, value = annotation.partition("=")
        if not equals:
            raise UsageError(f"annotation {annotation} is invalid and should be in format key=[value]")
        metadata.setdefault("annotations", {})[key] = value
    spec: Object = {}
    if call.text("class"):
        spec["ingressClassName"] = call.text("class")
    if default:
        if not re.fullmatch(r"[^:]+:[^:]+", default):
            raise UsageError("default-backend should be in format servicename:serviceport")
        spec["defaultBackend"] = _backend(default)
    tls = _tls(rules)
    if tls:
        spec["tls"] = tls
    if rules:
        spec["rules"] = _rules(rules)
    create.generated(
        call,
        {
            "kind": "Ingress",
            "apiVersion": "networking.k8s.io/v1",
            "metadata": metadata,
            "spec": spec,
            "status": {"loadBalancer": {}},
        },
        "failed to create ingress: ",
    )


def _backend(text: str) -> Object:
    name, _, port = text.partition(":")
    return {"service": {"name": name, "port": {"number": int(port)} if port.isdigit() else {"name": port}}}


def _rules(rules: list[str]) -> list[Object]:
    """One rule for each host, in order, with its paths; a `*` at the end of a path means Prefix."""
    hosts: dict[str, list[Object]] = {}
    for rule in rules:
        found = RULE.match(rule)
        assert found is not None, rule
        path = found["path"]
        kind = "Prefix" if path.endswith("*") else "Exact"
        hosts.setdefault(found["host"], []).append(
            {"path": path.removesuffix("*"), "pathType": kind, "backend": _backend(found["svc"])}
        )
    return [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in hosts.items()]


def _tls(rules: list[str]) -> list[Object]:
    """The TLS entries: hosts that share a secret share an entry; a host counts once."""
    entries: list[Object] = []
    seen: set[str] = set()
    for rule in rules:
        found = RULE.match(rule)
        if found is None or not found["tls"] or found["host"] in seen:
            continue
        host, secret = found["host"], found["tls"].partition("=")[2]
        seen.add(host)
        same = next((entry for entry in entries if entry.get("secretName", "") == secret), None)
        if same is not None:
            same.setdefault("hosts", []).append(host)
        elif host or secret:
            entries.append({**({"hosts": [host]} if host else {}), **({"secretName": secret} if secret else {})})
    return entries
