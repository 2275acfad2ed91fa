"""The environment variables of a container, as the kubelet makes them.

Services first, then `envFrom` in order, then `env` in order, where a value may name earlier ones: `$(NAME)`.
Sources: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables, getServiceEnvVarMap), pkg/kubelet/envvars/envvars.go,
pkg/api/v1/resource/helpers.go, third_party/forked/golang/expansion/expand.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Key
from minikube_py.base import quantity
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

_REFERENCE = re.compile(r"\$\$|\$\(([^()$]*)\)")
_ENV_FILE = re.compile(r"(?m)^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$")


def expand(word: str, env: dict[str, str]) -> str:
    """`$(NAME)` replaced where the name is known; `$$` stands for `$`: 'a $(B) $$(B) $(NONE)' -> 'a 1 $(B) $(NONE)'."""
    if "$" not in word:
        return word
    return _REFERENCE.sub(lambda found: "$" if found[0] == "$$" else env.get(found[1], found[0]), word)


def of(container: Object, pod: Object, view: View | None) -> dict[str, str]:
    """What envFrom and env say, with the values of ConfigMaps, Secrets, files, fields and resources."""
    found: dict[str, str] = {}
    namespace = pod["metadata"].get("namespace", "")
    for source in container.get("envFrom") or ():
        for field, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if source.get(field):
                data = texts(view, resource, namespace, source[field].get("name", ""))
                found |= {source.get("prefix", "") + name: value for name, value in sorted(data.items())}
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        value = _value(source, container, pod, view) if source else expand(variable.get("value") or "", found)
        if value is not None:
            found[variable["name"]] = value
    return found


def _value(source: Object, container: Object, pod: Object, view: View | None) -> str | None:
    """The value of one valueFrom; None for an optional key that is not there."""
    for name, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if name in source:
            data = texts(view, resource, pod["metadata"].get("namespace", ""), source[name].get("name", ""))
            return data.get(source[name]["key"])
    if "fieldRef" in source:
        return field(pod, source["fieldRef"].get("fieldPath", ""))
    if "resourceFieldRef" in source:
        return resource_field(source["resourceFieldRef"], container, pod, view)
    if "fileKeyRef" in source:
        from minikube_py.programs import shell

        wanted = source["fileKeyRef"]
        text = shell.left_behind(pod, wanted["volumeName"], wanted["path"], view)
        pairs = dict(_ENV_FILE.findall(text))
        return pairs[wanted["key"]].strip().strip("'\"") if wanted["key"] in pairs else None
    return None


def texts(view: View | None, resource: str, namespace: str, name: str) -> dict[str, str]:
    """The texts of a ConfigMap or Secret; {} if it is not there."""
    obj = view.get(Key(resource, namespace, name)) if view is not None else None
    if obj is None:
        return {}
    data: dict[str, str] = dict(obj.get("data") or {})
    if resource == "configmaps":
        if not obj.get("binaryData"):
            return data
        return data | {key: _decoded(value) for key, value in obj["binaryData"].items()}
    return {key: _decoded(value) for key, value in data.items()}


def _decoded(value: str) -> str:
    from base64 import b64decode

    return b64decode(value).decode("utf-8", "replace")


def field(pod: Object, path: str) -> str:
    """A downward field: 'metadata.name', "metadata.labels['app']", 'metadata.labels', 'status.podIP', 'spec.nodeName'."""
    head, bracket, key = path.partition("['")
    if head == "status.podIPs":
        return ",".join(one["ip"] for one in (pod.get("status") or {}).get("podIPs") or ())
    if head == "status.hostIPs":
        return ",".join(one["ip"] for one in (pod.get("status") or {}).get("hostIPs") or ())
    value: Any = pod
    for part in head.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if bracket and isinstance(value, dict):
        value = value.get(key[:-2])
    if isinstance(value, dict):
        from json import dumps

        return "\n".join(f"{name}={dumps(text, ensure_ascii=False)}" for name, text in sorted(value.items()))
    return "" if value is None or isinstance(value, list) else str(value)


def resource_field(wanted: Object, container: Object, pod: Object, view: View | None) -> str:
    """'limits.cpu' of this or another container, in units of the divisor, rounded up: 250m by 1 is 1, by 1m it is 250.

    What is not limited is what the node has.
    """
    if wanted.get("containerName"):
        listed = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]
        container = next((one for one in listed if one["name"] == wanted["containerName"]), container)
    kind, _, name = wanted["resource"].partition(".")
    resources = container.get("resources") or {}
    amount = (resources.get(kind) or {}).get(name)
    if amount is None and kind == "limits" and view is not None:
        node = view.get(Key("nodes", "", pod["spec"].get("nodeName", "")))
        amount = ((node or {}).get("status") or {}).get("allocatable", {}).get(name)
    divisor = wanted.get("divisor") or "1"
    by = quantity.milli("1" if str(divisor) == "0" else divisor)
    return str(-(-quantity.milli(amount or "0") // by))


def of_services(pod: Object, view: View | None, until_s: int) -> dict[str, str]:
    """The variables that tell of the Services that were there when the container started.

    Service redis-primary at 10.0.0.11:6379: REDIS_PRIMARY_SERVICE_HOST, REDIS_PRIMARY_PORT_6379_TCP_ADDR, ...
    """
    if view is None:
        return {}
    namespace, is_linked = pod["metadata"].get("namespace", ""), pod["spec"].get("enableServiceLinks", True)
    services = (
        {service["metadata"]["name"]: service for service in view.list("services", namespace)} if is_linked else {}
    )
    master = view.get(Key("services", "default", "kubernetes"))
    if master is not None:
        services.setdefault("kubernetes", master)
    found: dict[str, str] = {}
    for _, service in sorted(services.items()):
        if not until_s or seconds(service["metadata"].get("creationTimestamp") or "1970-01-01T00:00:00Z") <= until_s:
            found |= _of_service(service)
    return found


def _of_service(service: Object) -> dict[str, str]:
    spec = service["spec"]
    address, ports = spec.get("clusterIP"), spec.get("ports") or ()
    if not address or address == "None" or not ports:
        return {}
    prefix = service["metadata"]["name"].upper().replace("-", "_")
    found = {f"{prefix}_SERVICE_HOST": address, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            found[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    for number, port in enumerate(ports):
        protocol = port.get("protocol", "TCP")
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if number == 0:
            found[f"{prefix}_PORT"] = url
        stem = f"{prefix}_PORT_{port['port']}_{protocol}"
        found |= {
            stem: url, f"{stem}_PROTO": protocol.lower(), f"{stem}_PORT": str(port["port"]), f"{stem}_ADDR": address,
        }  # fmt: skip
    return found
