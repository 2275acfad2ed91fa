"""Containers of pods and pod templates: images, ports, environment, mounts, probes, hooks.

Source: pkg/apis/core/validation/validation.go (validateContainerCommon and what it calls).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.validation import names, resources, security
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
RESOURCE_FIELDS = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_LABEL_FIELDS = frozenset({*ENV_FIELDS, "metadata.annotations", "metadata.labels", "spec.restartPolicy", "status.phase", "spec.schedulerName"})  # fmt: skip
_DIVISORS = frozenset({"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"})
_EPHEMERAL_FORBIDDEN = (
    "ports", "resources", "resizePolicy", "restartPolicy", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",
)  # fmt: skip
_NO_INIT = "may not be set for init containers without restartPolicy=Always"


class Pod(NamedTuple):
    """What the checks of one container need to know of its pod."""

    volumes: dict[str, Object]
    claims: tuple[str, ...]
    grace_s: int | None
    restart_policy: str
    host_users: bool


def containers(causes: Causes, found: list[Object], pod: Pod, path: str) -> None:
    """spec.containers."""
    if not found:
        causes.required(path)
        return
    seen: set[str] = set()
    for index, container in enumerate(found):
        here = f"{path}[{index}]"
        _common(causes, container, pod, here)
        name = container.get("name", "")
        if name in seen:
            causes.duplicate(f"{here}.name", name)
        seen.add(name)
        _hooks_and_probes(causes, container, pod, here)
        if "restartPolicyRules" in container and "restartPolicy" not in container:
            causes.required(f"{here}.restartPolicy", "must specify restartPolicy when restart rules are used")
        elif "restartPolicy" in container:
            causes.one_of(f"{here}.restartPolicy", container["restartPolicy"], ("Always", "Never", "OnFailure"))
    _host_port_conflicts(causes, found, path)


def init_containers(causes: Causes, found: list[Object], regular: list[Object], pod: Pod, path: str) -> None:
    """spec.initContainers; with restartPolicy Always they are sidecars, which may have probes and hooks."""
    seen = {container.get("name", "") for container in regular}
    for index, container in enumerate(found):
        here = f"{path}[{index}]"
        _common(causes, container, pod, here)
        policy = container.get("restartPolicy")
        if policy is not None and policy not in ("Always", "Never", "OnFailure"):
            causes.not_supported(f"{here}.restartPolicy", policy, ("Always", "Never", "OnFailure"))
        name = container.get("name", "")
        if name in seen:
            causes.duplicate(f"{here}.name", name)
        elif name:
            seen.add(name)
        _host_port_conflicts(causes, [container], path)
        if policy == "Always":
            _hooks_and_probes(causes, container, pod, here)
        else:
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if field in container:
                    causes.forbidden(f"{here}.{field}", _NO_INIT)


def ephemeral_containers(causes: Causes, found: list[Object], spec: Object, pod: Pod, path: str) -> None:
    """spec.ephemeralContainers: names unique among all, and only what a debugging container may have."""
    others = {one.get("name", "") for field in ("containers", "initContainers") for one in spec.get(field) or ()}
    seen = set(others)
    for index, container in enumerate(found):
        here = f"{path}[{index}]"
        _common(causes, container, pod, here)
        only_for_pods(causes, container, here)
        name, target = container.get("name", ""), container.get("targetContainerName")
        if name in seen:
            causes.duplicate(f"{here}.name", name)
        seen.add(name)
        if target and target not in others:
            causes.not_found(f"{here}.targetContainerName", target)
        for field in _EPHEMERAL_FORBIDDEN:
            if container.get(field):
                causes.forbidden(f"{here}.{field}", "cannot be set for an Ephemeral Container")
        for at, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    where = f"{here}.volumeMounts[{at}].{field}"
                    causes.forbidden(where, "cannot be set for an Ephemeral Container")


def only_for_pods(causes: Causes, container: Object, path: str) -> None:
    """What holds in pods but, for compatibility, not in templates."""
    image = container.get("image", "")
    if image != image.strip():
        causes.invalid(f"{path}.image", image, "must not have leading or trailing whitespace")


def _common(causes: Causes, container: Object, pod: Pod, path: str) -> None:
    name = container.get("name", "")
    if not name:
        causes.required(f"{path}.name")
    else:
        causes.each_invalid(f"{path}.name", name, names.dns_label(name))
    if not container.get("image"):
        causes.required(f"{path}.image")
    policy = container.get("terminationMessagePolicy", "")
    if policy not in MESSAGE_POLICIES:
        causes.one_of(f"{path}.terminationMessagePolicy", policy, MESSAGE_POLICIES)
    if "ports" in container:
        _ports(causes, container["ports"], f"{path}.ports")
    if "env" in container:
        _env(causes, container["env"], f"{path}.env")
    if "envFrom" in container:
        _env_from(causes, container["envFrom"], f"{path}.envFrom")
    if "volumeMounts" in container:
        _mounts(causes, container, pod.volumes, f"{path}.volumeMounts")
    if "volumeDevices" in container:
        _devices(causes, container, pod.volumes, f"{path}.volumeDevices")
    pull = container.get("imagePullPolicy", "")
    if pull not in PULL_POLICIES:
        causes.one_of(f"{path}.imagePullPolicy", pull, PULL_POLICIES)
    if container.get("resources"):
        resources.requirements(causes, container["resources"], f"{path}.resources", pod.claims)
    if "resizePolicy" in container:
        _resize_policy(causes, container["resizePolicy"], f"{path}.resizePolicy", pod.restart_policy)
    if container.get("securityContext"):
        security.container(causes, container["securityContext"], f"{path}.securityContext", pod.host_users)


def _ports(causes: Causes, ports: list[Object], path: str) -> None:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        here = f"{path}[{index}]"
        name = port.get("name")
        if name:
            wrong = names.port_name(name)
            if wrong:
                causes.each_invalid(f"{here}.name", name, wrong)
            elif name in seen:
                causes.duplicate(f"{here}.name", name)
            else:
                seen.add(name)
        number = port.get("containerPort", 0)
        if not number:
            causes.required(f"{here}.containerPort")
        else:
            causes.each_invalid(f"{here}.containerPort", number, names.port_number(number))
        host = port.get("hostPort")
        if host:
            causes.each_invalid(f"{here}.hostPort", host, names.port_number(host))
        causes.one_of(f"{here}.protocol", port.get("protocol"), PROTOCOLS)


def _host_port_conflicts(causes: Causes, found: list[Object], path: str) -> None:
    seen: set[str] = set()
    for index, container in enumerate(found):
        for at, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                text = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if text in seen:
                    causes.duplicate(f"{path}[{index}].ports[{at}].hostPort", text)
                seen.add(text)


def _env(causes: Causes, variables: list[Object], path: str) -> None:
    for index, variable in enumerate(variables):
        name = variable.get("name", "")
        if not name:
            causes.required(f"{path}[{index}].name")
        else:
            causes.each_invalid(f"{path}[{index}].name", name, names.env_name(name))
        if variable.get("valueFrom") is not None:
            _value_from(causes, variable["valueFrom"], variable.get("value"), f"{path}[{index}].valueFrom")


def _value_from(causes: Causes, source: Object, value: str | None, path: str) -> None:
    if "fieldRef" in source:
        field_selector(causes, source["fieldRef"], ENV_FIELDS, f"{path}.fieldRef")
    if "resourceFieldRef" in source:
        resource_selector(causes, source["resourceFieldRef"], f"{path}.resourceFieldRef", volume=False)
    for field in ("configMapKeyRef", "secretKeyRef"):
        if field in source:
            _key_selector(causes, source[field], f"{path}.{field}")
    count = sum(
        field in source for field in ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
    )
    if count == 0:
        listed = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        )
        causes.invalid(path, "", listed)
    elif value:
        causes.invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        causes.invalid(path, "", "may not have more than one field specified at a time")


def _key_selector(causes: Causes, found: Object, path: str) -> None:
    name, key = found.get("name", ""), found.get("key", "")
    causes.each_invalid(f"{path}.name", name, names.dns_subdomain(name))
    if not key:
        causes.required(f"{path}.key")
    else:
        causes.each_invalid(f"{path}.key", key, names.config_key(key))


def field_selector(causes: Causes, found: Object, allowed: tuple[str, ...], path: str) -> None:
    """A downward API field: 'metadata.name', "metadata.labels['app']"."""
    field = found.get("fieldPath", "")
    if not found.get("apiVersion"):
        causes.required(f"{path}.apiVersion")
        return
    if not field:
        causes.required(f"{path}.fieldPath")
        return
    subscripted = re.fullmatch(r"([^\[]+)\['(.*)'\]", field)
    if subscripted:
        name, key = subscripted.groups()
        if name == "metadata.annotations":
            causes.each_invalid(path, key.lower(), names.qualified_name(key.lower()))
        elif name == "metadata.labels":
            causes.each_invalid(path, key, names.qualified_name(key))
        else:
            causes.invalid(
                f"{path}.fieldPath", field, f"error converting fieldPath: field label not supported: {field}"
            )
    elif field not in allowed:
        if field not in _LABEL_FIELDS:
            causes.invalid(
                f"{path}.fieldPath", field, f"error converting fieldPath: field label not supported: {field}"
            )
        else:
            causes.not_supported(f"{path}.fieldPath", field, sorted(allowed))


def resource_selector(causes: Causes, found: Object, path: str, volume: bool) -> None:
    """A container's resource as the downward API gives it: 'limits.cpu' in units of a divisor."""
    name, divisor = found.get("resource", ""), found.get("divisor", "0")
    if volume and not found.get("containerName"):
        causes.required(f"{path}.containerName")
    elif not name:
        causes.required(f"{path}.resource")
    elif name not in RESOURCE_FIELDS and not name.startswith(("requests.hugepages-", "limits.hugepages-")):
        causes.not_supported(f"{path}.resource", name, RESOURCE_FIELDS)
    if quantity.compare(divisor, "0") == 0:
        return
    shown = quantity.canonical(divisor)
    kind = name.partition(".")[2]
    if kind == "cpu":
        if shown not in ("1m", "1"):
            causes.invalid(
                f"{path}.divisor", name, "only divisor's values 1m and 1 are supported with the cpu resource"
            )
    elif (kind in ("memory", "ephemeral-storage") or kind.startswith("hugepages-")) and shown not in _DIVISORS:
        label = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(kind, "hugepages")
        listed = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"
        detail = f"only divisor's values {listed} are supported with the {label} resource"
        causes.invalid(f"{path}.divisor", name, detail)


def _env_from(causes: Causes, sources: list[Object], path: str) -> None:
    for index, source in enumerate(sources):
        here = f"{path}[{index}]"
        prefix = source.get("prefix")
        if prefix:
            causes.each_invalid(f"{here}.prefix", prefix, names.env_name(prefix))
        given = [field for field in ("configMapRef", "secretRef") if field in source]
        for field in given:
            name = source[field].get("name")
            if not name:
                causes.required(f"{here}.{field}.name")
            else:
                wrong = names.dns_subdomain(names.mask_trailing_dash(name))
                causes.each_invalid(f"{here}.{field}.name", name, wrong)
        if not given:
            causes.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            causes.invalid(path, "", "may not have more than one field specified at a time")


def _mounts(causes: Causes, container: Object, volumes: dict[str, Object], path: str) -> None:
    devices = container.get("volumeDevices") or ()
    device_names = {device.get("name", "") for device in devices}
    device_paths = {device.get("devicePath", "") for device in devices}
    seen: set[str] = set()
    for index, mount in enumerate(container["volumeMounts"]):
        here = f"{path}[{index}]"
        name, where = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            causes.required(f"{here}.name")
        if name not in volumes:
            causes.not_found(f"{here}.name", name)
        if not where:
            causes.required(f"{here}.mountPath")
        if where in seen:
            causes.invalid(f"{here}.mountPath", where, "must be unique")
        seen.add(where)
        if name in device_names:
            causes.invalid(f"{here}.name", name, "must not already exist in volumeDevices")
        if where in device_paths:
            causes.invalid(f"{here}.mountPath", where, "must not already exist as a path in volumeDevices")
        if len(mount) > 3 or mount.keys() - {"name", "mountPath", "readOnly"}:
            _mount_options(causes, mount, container, path, here)


def _mount_options(causes: Causes, mount: Object, container: Object, path: str, here: str) -> None:
    """The rarer fields of a mount. Some findings carry the list's path without an index: so does the source."""
    sub, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
    if sub:
        descending_path(causes, sub, f"{path}.subPath")
    if expression:
        if sub:
            causes.invalid(f"{here}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
        descending_path(causes, expression, f"{path}.subPathExpr")
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        modes = ("Bidirectional", "HostToContainer", "None")
        if propagation not in modes:
            causes.not_supported(f"{path}.mountPropagation", propagation, modes)
        if propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
            detail = "Bidirectional mount propagation is available only to privileged containers"
            causes.forbidden(f"{path}.mountPropagation", detail)
    recursive = mount.get("recursiveReadOnly")
    if recursive in ("Enabled", "IfPossible"):
        if not mount.get("readOnly"):
            causes.forbidden(f"{path}.recursiveReadOnly", "may only be specified when readOnly is true")
        if propagation not in (None, "None"):
            detail = "may only be specified when mountPropagation is None or not specified"
            causes.forbidden(f"{path}.recursiveReadOnly", detail)
    elif recursive not in (None, "Disabled"):
        causes.not_supported(f"{path}.recursiveReadOnly", recursive, ("Disabled", "Enabled", "IfPossible"))


def _devices(causes: Causes, container: Object, volumes: dict[str, Object], path: str) -> None:
    mounts = container.get("volumeMounts") or ()
    mount_names = {mount.get("name", "") for mount in mounts}
    mount_paths = {mount.get("mountPath", "") for mount in mounts}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(container["volumeDevices"]):
        here = f"{path}[{index}]"
        name, where = device.get("name", ""), device.get("devicePath", "")
        if not name:
            causes.required(f"{here}.name")
        if name in seen_names:
            causes.invalid(f"{here}.name", name, "must be unique")
        if name not in volumes:
            causes.not_found(f"{here}.name", name)
        elif not {"persistentVolumeClaim", "ephemeral"} & volumes[name].keys():
            detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            causes.invalid(f"{here}.name", name, detail)
        if not where:
            causes.required(f"{here}.devicePath")
        if where in seen_paths:
            causes.invalid(f"{here}.devicePath", where, "must be unique")
        if ".." in where.split("/"):
            causes.invalid(f"{here}.devicePath", where, "can not contain backsteps ('..')")
        seen_paths.add(where)
        if name in mount_names:
            causes.invalid(f"{here}.name", name, "must not already exist in volumeMounts")
        if where in mount_paths:
            causes.invalid(f"{here}.devicePath", where, "must not already exist as a path in volumeMounts")
        if name:
            seen_names.add(name)


def descending_path(causes: Causes, where: str, path: str) -> None:
    """A path below some directory: not absolute, no '..'."""
    if where.startswith("/"):
        causes.invalid(path, where, "must be a relative path")
    if ".." in where.split("/"):
        causes.invalid(path, where, "must not contain '..'")


def _resize_policy(causes: Causes, policies: list[Object], path: str, restart_policy: str) -> None:
    seen: set[str] = set()
    for index, one in enumerate(policies):
        name, policy = one.get("resourceName", ""), one.get("restartPolicy", "")
        if name in seen:
            causes.duplicate(f"{path}[{index}]", name)
        seen.add(name)
        causes.one_of(path, name, ("cpu", "memory"))
        causes.one_of(path, policy, ("NotRequired", "RestartContainer"))
        if restart_policy == "Never" and policy != "NotRequired":
            causes.invalid(path, policy, "must be 'NotRequired' when `restartPolicy` is 'Never'")


def _hooks_and_probes(causes: Causes, container: Object, pod: Pod, path: str) -> None:
    lifecycle = container.get("lifecycle")
    if lifecycle:
        for field in ("postStart", "preStop"):
            if lifecycle.get(field) is not None:
                _handler(causes, lifecycle[field], pod.grace_s, f"{path}.lifecycle.{field}")
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(field) is not None:
            _probe(causes, container[field], field, pod.grace_s, f"{path}.{field}")


def _probe(causes: Causes, probe: Object, which: str, grace_s: int | None, path: str) -> None:
    _handler(causes, probe, grace_s, path)
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        causes.not_negative(f"{path}.{field}", probe.get(field))
    own_grace = probe.get("terminationGracePeriodSeconds")
    if own_grace is not None and own_grace <= 0:
        causes.invalid(f"{path}.terminationGracePeriodSeconds", own_grace, "must be greater than 0")
    if which == "readinessProbe":
        if own_grace is not None:
            detail = "must not be set for readinessProbes"
            causes.invalid(f"{path}.terminationGracePeriodSeconds", own_grace, detail)
    elif probe.get("successThreshold", 0) != 1:
        causes.invalid(f"{path}.successThreshold", probe.get("successThreshold", 0), "must be 1")


def _handler(causes: Causes, handler: Object, grace_s: int | None, path: str) -> None:
    """Exactly one of exec, httpGet, tcpSocket, grpc, sleep."""
    given = [field for field in ("exec", "httpGet", "tcpSocket", "grpc", "sleep") if handler.get(field) is not None]
    if not given:
        causes.required(path, "must specify a handler type")
        return
    for field in given[1:]:
        causes.forbidden(f"{path}.{field}", "may not specify more than 1 handler type")
    first, action = f"{path}.{given[0]}", handler[given[0]]
    if given[0] == "exec":
        if not action.get("command"):
            causes.required(f"{first}.command")
    elif given[0] == "httpGet":
        _http_get(causes, action, first)
    elif given[0] in ("tcpSocket", "grpc"):
        port_or_name(causes, action.get("port", 0), f"{first}.port")
    else:
        seconds = action.get("seconds", 0)
        if grace_s is not None and not 0 <= seconds <= grace_s:
            detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_s})"
            causes.invalid(first, seconds, detail)


def _http_get(causes: Causes, action: Object, path: str) -> None:
    if not action.get("path"):
        causes.required(f"{path}.path")
    port_or_name(causes, action.get("port", 0), f"{path}.port")
    scheme = action.get("scheme", "")
    if scheme not in ("HTTP", "HTTPS"):
        causes.not_supported(f"{path}.scheme", scheme, ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        name = header.get("name", "")
        causes.each_invalid(f"{path}.httpHeaders", name, names.header_name(name))


def port_or_name(causes: Causes, port: Any, path: str) -> None:
    """An IntOrString that is a port number or the name of a port."""
    wrong = names.port_number(port) if isinstance(port, int) else names.port_name(port)
    causes.each_invalid(path, port, wrong)
