"""The spec of pods and pod templates.

Source: pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodTemplateSpec).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.validation import containers, metadata, names, placement, resources, security, volumes

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
MIRROR = "kubernetes.io/config.mirror"
_WINDOWS_FORBIDDEN = ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace")
_WINDOWS_CONTEXT = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser",
    "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
)  # fmt: skip


def template(causes: Causes, found: Object, path: str) -> None:
    """A PodTemplateSpec. Its labels are found under 'template.labels', without 'metadata': so it is in the source."""
    meta = found.get("metadata") or {}
    metadata.labels(causes, meta.get("labels"), f"{path}.labels")
    metadata.annotation_map(causes, meta.get("annotations"), f"{path}.annotations")
    spec = found.get("spec") or {}
    pod_annotations(causes, meta.get("annotations"), spec, f"{path}.annotations")
    pod_spec(causes, spec, f"{path}.spec", pod_name="", is_pod=False)
    if spec.get("ephemeralContainers"):
        causes.forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def pod_annotations(causes: Causes, found: Object | None, spec: Object, path: str) -> None:
    """The few annotations that mean something for pods."""
    if not found:
        return
    if MIRROR in found and not spec.get("nodeName"):
        detail = "must set spec.nodeName if mirror pod annotation is set"
        causes.invalid(f"{path}[{MIRROR}]", found[MIRROR], detail)
    cost = found.get(DELETION_COST)
    if cost is not None and not _is_int32(cost):
        causes.invalid(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer")


def _is_int32(text: str) -> bool:
    digits = text.removeprefix("-")
    plain = digits.isdigit() and digits.isascii() and (digits == "0" or digits[0] != "0") and text != "-0"
    return plain and -(2**31) <= int(text) < 2**31


def pod_spec(causes: Causes, spec: Object, path: str, pod_name: str, is_pod: bool) -> None:
    """The checks in the order of the source. `pod_name`: for the claims of ephemeral volumes; '' in templates."""
    grace_s = spec.get("terminationGracePeriodSeconds")
    if grace_s is None:
        causes.required(f"{path}.terminationGracePeriodSeconds")
    good = volumes.volumes(causes, spec["volumes"], pod_name, f"{path}.volumes") if "volumes" in spec else {}
    claims: tuple[str, ...] = ()
    if "resourceClaims" in spec:
        claims = _resource_claims(causes, spec["resourceClaims"], f"{path}.resourceClaims")
    policy = spec.get("restartPolicy", "")
    pod = containers.Pod(good, claims, grace_s, policy, spec.get("hostUsers") is not False)
    regular = spec.get("containers") or []
    containers.containers(causes, regular, pod, f"{path}.containers")
    if spec.get("initContainers"):
        containers.init_containers(causes, spec["initContainers"], regular, pod, f"{path}.initContainers")
    if spec.get("ephemeralContainers"):
        containers.ephemeral_containers(causes, spec["ephemeralContainers"], spec, pod, f"{path}.ephemeralContainers")
    if spec.get("resources"):
        _pod_resources(causes, spec, f"{path}.resources")
    if spec.get("hostNetwork"):
        _host_network(causes, regular, f"{path}.containers", is_pod)
    if policy not in RESTART_POLICIES:
        causes.one_of(f"{path}.restartPolicy", policy, RESTART_POLICIES)
    dns_policy = spec.get("dnsPolicy", "")
    if dns_policy not in DNS_POLICIES:
        causes.one_of(f"{path}.dnsPolicy", dns_policy, DNS_POLICIES)
    if "nodeSelector" in spec:
        metadata.labels(causes, spec["nodeSelector"], f"{path}.nodeSelector")
    security.pod(causes, spec, path)
    if spec.get("affinity"):
        placement.affinity(causes, spec["affinity"], f"{path}.affinity")
    if dns_policy == "None" or "dnsConfig" in spec:
        placement.dns(causes, spec.get("dnsConfig"), dns_policy, f"{path}.dnsConfig")
    _gates(causes, spec, path)
    if spec.get("topologySpreadConstraints"):
        placement.topology_spread(causes, spec["topologySpreadConstraints"], f"{path}.topologySpreadConstraints")
    _rest(causes, spec, path)


def _resource_claims(causes: Causes, found: list[Object], path: str) -> tuple[str, ...]:
    seen: list[str] = []
    for index, claim in enumerate(found):
        here, name = f"{path}[{index}]", claim.get("name", "")
        if not name:
            causes.required(f"{here}.name")
        elif name in seen:
            causes.duplicate(f"{here}.name", name)
        else:
            causes.each_invalid(f"{here}.name", name, names.dns_label(name))
            seen.append(name)
        sources = [
            field for field in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(field) is not None
        ]
        shown = {
            "Name": name,
            "ResourceClaimName": claim.get("resourceClaimName"),
            "ResourceClaimTemplateName": claim.get("resourceClaimTemplateName"),
        }
        if len(sources) == 2:
            detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            causes.invalid(here, shown, detail)
        if not sources:
            causes.invalid(here, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
        for field in sources:
            causes.each_invalid(f"{here}.{field}", claim[field], names.dns_subdomain(claim[field]))
    return tuple(seen)


def _pod_resources(causes: Causes, spec: Object, path: str) -> None:
    """Requests and limits of the whole pod, which those of its containers have to fit in."""
    from minikube_py.base import quantity

    found = spec["resources"]
    if "claims" in found:
        causes.forbidden(f"{path}.claims", "claims cannot be set for Resources at pod-level")
    resources.requirements(causes, found, path, (), resources.pod_resource_name)
    total: dict[str, str] = {}
    for container in spec.get("containers") or ():
        for name, value in ((container.get("resources") or {}).get("requests") or {}).items():
            total[name] = quantity.add(total[name], value) if name in total else value
    requests, limits = found.get("requests") or {}, found.get("limits") or {}
    for name, value in total.items():
        own = requests.get(name, "0")
        if (name in ("cpu", "memory") or resources.is_hugepages(name)) and quantity.compare(value, own) > 0:
            detail = f"must be greater than or equal to aggregate container requests of {quantity.canonical(value)}"
            causes.invalid(f"{path}.requests[{name}]", quantity.canonical(own), detail)
    for index, container in enumerate(spec.get("containers") or ()):
        for name, value in ((container.get("resources") or {}).get("limits") or {}).items():
            if name in limits and quantity.compare(value, limits[name]) > 0:
                detail = f"must be less than or equal to pod limits of {quantity.canonical(limits[name])}"
                causes.invalid(f"{path}.containers[{index}][{name}].limits", quantity.canonical(value), detail)


def _host_network(causes: Causes, found: list[Object], path: str, is_pod: bool) -> None:
    for index, container in enumerate(found):
        for at, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort", 0)
            if (is_pod or host) and host != port.get("containerPort", 0):
                detail = "must match `containerPort` when `hostNetwork` is true"
                causes.invalid(f"{path}[{index}].ports[{at}].hostPort", host, detail)


def _gates(causes: Causes, spec: Object, path: str) -> None:
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        causes.each_invalid(f"{path}.readinessGates[{index}].conditionType", kind, names.qualified_name(kind))
    seen: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        here, name = f"{path}.schedulingGates[{index}]", gate.get("name", "")
        causes.each_invalid(here, name, names.qualified_name(name))
        if name in seen:
            causes.duplicate(here, name)
        seen.add(name)


def _rest(causes: Causes, spec: Object, path: str) -> None:
    if spec.get("hostUsers") is False:
        for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
            if spec.get(field):
                causes.forbidden(f"{path}.{shown}", "when `pod.Spec.HostUsers` is false")
    for field in ("serviceAccountName", "nodeName"):
        if spec.get(field):
            causes.each_invalid(f"{path}.{field}", spec[field], names.dns_subdomain(spec[field]))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        causes.invalid(f"{path}.activeDeadlineSeconds", deadline, names.between(1, 2**31 - 1))
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            causes.each_invalid(f"{path}.{field}", spec[field], names.dns_label(spec[field]))
    if spec.get("tolerations"):
        placement.tolerations(causes, spec["tolerations"], f"{path}.tolerations")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        here = f"{path}.hostAliases[{index}]"
        causes.each_invalid(f"{here}.ip", alias.get("ip", ""), names.ip(alias.get("ip", "")))
        for at, hostname in enumerate(alias.get("hostnames") or ()):
            causes.each_invalid(f"{here}.hostnames[{at}]", hostname, names.dns_subdomain(hostname))
    for field in ("priorityClassName", "runtimeClassName"):
        if spec.get(field):
            causes.each_invalid(f"{path}.{field}", spec[field], names.dns_subdomain(spec[field]))
    preemption = spec.get("preemptionPolicy")
    if preemption is not None:
        causes.one_of(f"{path}.preemptionPolicy", preemption, ("PreemptLowerPriority", "Never"))
    if spec.get("overhead"):
        resources.requirements(causes, {"limits": spec["overhead"]}, f"{path}.overhead")
    if spec.get("os") is not None:
        _operating_system(causes, spec, path)


def _operating_system(causes: Causes, spec: Object, path: str) -> None:
    name = spec["os"].get("name", "")
    if name not in ("linux", "windows"):
        if not name:
            causes.required(f"{path}.os.name", "cannot be empty")
        else:
            causes.not_supported(f"{path}.os", name, ("linux", "windows"))
        return
    context = spec.get("securityContext") or {}
    if name == "linux":
        if context.get("windowsOptions") is not None:
            detail = "windows options cannot be set for a linux pod"
            causes.forbidden(f"{path}.securityContext.windowsOptions", detail)
        return
    for field in _WINDOWS_CONTEXT:
        if context.get(field) is not None:
            causes.forbidden(f"{path}.securityContext.{field}", "cannot be set for a windows pod")
    for field in _WINDOWS_FORBIDDEN:
        if spec.get(field):
            causes.forbidden(f"{path}.{field}", "cannot be set for a windows pod")
