"""Containers, volumes and pod templates, in pods and in everything that makes pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import quantity
from minikube_py.printers.describe import parts, volumes
from minikube_py.printers.describe.writer import go_bool, go_list, rfc1123, titled_bool

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]


def template(w: Writer, pod: Object) -> None:
    """The Pod Template section (DescribePodTemplate)."""
    w.put(0, "Pod Template:\n")
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    parts.labels(w, "  Labels", metadata.get("labels"))
    if metadata.get("annotations"):
        parts.notes(w, "  Annotations", metadata["annotations"])
    if spec.get("serviceAccountName"):
        w.line(1, "Service Account", spec["serviceAccountName"])
    if spec.get("initContainers"):
        containers(w, "Init Containers", spec["initContainers"], (), None, "  ")
    containers(w, "Containers", spec.get("containers") or [], (), None, "  ")
    volumes.section(w, spec.get("volumes") or [], "  ")
    topology_spread(w, spec.get("topologySpreadConstraints") or [], "  ")
    if spec.get("priorityClassName"):
        w.line(1, "Priority Class Name", spec["priorityClassName"])
    parts.labels(w, "  Node-Selectors", spec.get("nodeSelector"))
    parts.tolerations(w, "  Tolerations", spec.get("tolerations"))


def topology_spread(w: Writer, constraints: list[Object], indent: str) -> None:
    if not constraints:
        return
    texts = []
    for one in sorted(constraints, key=lambda one: one.get("topologyKey", "")):
        selector = f" for selector {parts.label_selector(one['labelSelector'])}" if one.get("labelSelector") else ""
        texts.append(
            f"{one['topologyKey']}:{one['whenUnsatisfiable']} when max skew {one['maxSkew']} is exceeded{selector}"
        )
    parts.multiline(w, "Topology Spread Constraints", texts, indent)


def containers(w: Writer, title: str, specs: list[Object], statuses: object, pod: Object | None, indent: str) -> None:
    """A section of containers. `statuses`: their statuses (none in a template); `pod`: for fieldRef values."""
    by_name = {status["name"]: status for status in statuses or ()}  # type: ignore[attr-defined]
    w.put(0, f"{indent}{title}:{'' if specs else ' <none>'}\n")
    for spec in specs:
        status = by_name.get(spec["name"])
        _basics(w, spec, status, " " if indent else "")
        _words(w, "Command", spec.get("command"))
        _words(w, "Args", spec.get("args"))
        if status is not None:
            _state(w, "State", status.get("state") or {})
            if (status.get("lastState") or {}).get("terminated"):
                _state(w, "Last State", status["lastState"])
            w.line(2, "Ready", titled_bool(status.get("ready", False)))
            w.line(2, "Restart Count", status.get("restartCount", 0))
        resources(w, spec.get("resources"), 2)
        for field, label in (
            ("livenessProbe", "Liveness"),
            ("readinessProbe", "Readiness"),
            ("startupProbe", "Startup"),
        ):
            if spec.get(field):
                w.line(2, label, probe(spec[field]))
        _environment_from(w, spec.get("envFrom"))
        _environment(w, spec, pod)
        _mounts(w, spec)


def _basics(w: Writer, spec: Object, status: Object | None, indent: str) -> None:
    w.put(1, f"{indent}{spec['name']}:\n")
    if status is not None:
        w.line(2, "Container ID", status.get("containerID", ""))
    w.line(2, "Image", spec.get("image", ""))
    if status is not None:
        w.line(2, "Image ID", status.get("imageID", ""))
    for label, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        text = ", ".join(
            f"{port.get(field, 0)}/{port.get('protocol', 'TCP')}" + (f" ({port['name']})" if port.get("name") else "")
            for port in spec.get("ports") or ()
        )
        w.line(2, f"{label}s" if "," in text else label, text or "<none>")
    profile = (spec.get("securityContext") or {}).get("seccompProfile")
    if profile:
        w.line(2, "SeccompProfile", profile["type"])
        if profile["type"] == "Localhost":
            w.line(3, "LocalhostProfile", profile.get("localhostProfile", ""))


def _words(w: Writer, title: str, words: list[str] | None) -> None:
    if words:
        w.put(2, f"{title}:\n")
    for word in words or ():
        for text in word.split("\n"):
            w.put(3, f"{text}\n")


def _state(w: Writer, title: str, state: Object) -> None:
    if state.get("running") is not None:
        w.line(2, title, "Running")
        w.line(3, "Started", rfc1123(state["running"].get("startedAt")))
        return
    ended = state.get("terminated")
    if ended is None:
        w.line(2, title, "Waiting")
        if (state.get("waiting") or {}).get("reason"):
            w.line(3, "Reason", state["waiting"]["reason"])
        return
    w.line(2, title, "Terminated")
    for field in ("reason", "message"):
        if ended.get(field):
            w.line(3, field.title(), ended[field])
    w.line(3, "Exit Code", ended.get("exitCode", 0))
    if ended.get("signal", 0) > 0:
        w.line(3, "Signal", ended["signal"])
    w.line(3, "Started", rfc1123(ended.get("startedAt")))
    w.line(3, "Finished", rfc1123(ended.get("finishedAt")))


def resources(w: Writer, values: Object | None, level: int) -> None:
    for field, title in (("limits", "Limits"), ("requests", "Requests")):
        if values and values.get(field):
            w.put(level, f"{title}:\n")
            parts.resource_list(w, level + 1, values[field])


def probe(spec: Object) -> str:
    """'http-get http://:80/ delay=0s timeout=1s period=10s successThreshold=1 failureThreshold=3' (DescribeProbe)."""
    attributes = (
        f"delay={spec.get('initialDelaySeconds', 0)}s timeout={spec.get('timeoutSeconds', 0)}s "
        f"period={spec.get('periodSeconds', 0)}s successThreshold={spec.get('successThreshold', 0)} "
        f"failureThreshold={spec.get('failureThreshold', 0)}"
    )
    if spec.get("exec"):
        return f"exec {go_list(spec['exec'].get('command'))} {attributes}"
    if spec.get("httpGet"):
        get = spec["httpGet"]
        host, path = get.get("host", ""), get.get("path", "")
        host = f"[{host}]" if ":" in host else host
        slash = "" if not path or path.startswith("/") else "/"
        return f"http-get {get.get('scheme', '').lower()}://{host}:{get['port']}{slash}{path} {attributes}"
    if spec.get("tcpSocket"):
        return f"tcp-socket {spec['tcpSocket'].get('host', '')}:{spec['tcpSocket']['port']} {attributes}"
    if spec.get("grpc"):
        return f"grpc <pod>:{spec['grpc']['port']} {spec['grpc'].get('service', '')} {attributes}"
    return f"unknown {attributes}"


def _environment_from(w: Writer, sources: list[Object] | None) -> None:
    if not sources:
        return
    w.put(2, "Environment Variables from:\n")
    for source in sources:
        ref = source.get("configMapRef") or source.get("secretRef") or {}
        origin = "ConfigMap" if source.get("configMapRef") else "Secret" if source.get("secretRef") else ""
        prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
        w.row(3, ref.get("name", ""), f"{origin}{prefix}", f"Optional: {go_bool(ref.get('optional'))}")


def _environment(w: Writer, spec: Object, pod: Object | None) -> None:
    variables = spec.get("env") or ()
    w.put(2, f"Environment:{'' if variables else chr(9) + '<none>'}\n")
    for variable in variables:
        name, source = variable["name"], variable.get("valueFrom")
        if not source:
            for index, text in enumerate(variable.get("value", "").split("\n")):
                w.put(3, (f"{name}:" if index == 0 else "") + f"\t{text}\n")
        elif source.get("fieldRef"):
            ref = source["fieldRef"]
            value = field_value(pod, ref["fieldPath"]) if pod else ""
            w.line(3, name, f"{value} ({ref.get('apiVersion', '')}:{ref['fieldPath']})")
        elif source.get("resourceFieldRef"):
            w.line(3, name, _resource_value(spec, source["resourceFieldRef"]))
        elif source.get("secretKeyRef"):
            ref = source["secretKeyRef"]
            text = f"<set to the key '{ref['key']}' in secret '{ref.get('name', '')}'>"
            w.line(3, name, f"{text}\tOptional: {go_bool(ref.get('optional'))}")
        elif source.get("configMapKeyRef"):
            ref = source["configMapKeyRef"]
            text = f"<set to the key '{ref['key']}' of config map '{ref.get('name', '')}'>"
            w.line(3, name, f"{text}\tOptional: {go_bool(ref.get('optional'))}")


def field_value(pod: Object, path: str) -> str:
    """A downward API field of a pod as text: 'metadata.labels' as sorted key="value" lines, others plainly.

    Single labels and annotations (metadata.labels['app']) stay empty, as in kubectl.
    """
    if path.endswith("']"):
        return ""
    value: Any = pod
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return "\n".join(f'{key}="{one}"' for key, one in sorted(value.items()))
    return "" if value is None else str(value)


def _resource_value(spec: Object, ref: Object) -> str:
    resource = ref["resource"]
    field, _, name = resource.partition(".")
    raw = ((spec.get("resources") or {}).get(field) or {}).get(name)
    divisor = str(ref.get("divisor") or "1")
    divisor = "1" if divisor == "0" else divisor
    if raw is None:
        value = "0"
    elif name == "cpu":
        value = str(-(-quantity.milli(raw) // quantity.milli(divisor)))
    else:
        value = str(-(-quantity.value(raw) // quantity.value(divisor)))
    if value == "0" and resource in ("limits.cpu", "limits.memory"):
        value = "node allocatable"
    return f"{value} ({resource})"


def _mounts(w: Writer, spec: Object) -> None:
    mounts = sorted(spec.get("volumeMounts") or (), key=lambda mount: mount["mountPath"])
    none = "" if mounts else "\t<none>"
    w.put(2, f"Mounts:{none}\n")
    for mount in mounts:
        flags = ["ro" if mount.get("readOnly") else "rw"]
        if mount.get("subPath"):
            flags.append(f'path="{mount["subPath"]}"')
        w.put(3, f"{mount['mountPath']} from {mount['name']} ({','.join(flags)})\n")
    devices = sorted(spec.get("volumeDevices") or (), key=lambda device: device["devicePath"])
    if devices:
        w.put(2, f"Devices:{none}\n")
    for device in devices:
        w.put(3, f"{device['devicePath']} from {device['name']}\n")
