"""Warnings about pods and what holds a pod template. Source: pkg/api/pod/warnings.go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.api import apparmor
from minikube_py.api.warnings import nodes, storage

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]

ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
SECCOMP_TEXT = 'non-functional in v1.27+; use the "seccompProfile" field instead'
APPARMOR_TEXT = 'deprecated since v1.30; use the "appArmorProfile" field instead'
NULL_SELECTOR = "a null labelSelector results in matching no pod"
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_MAX = 63


def pod(obj: Object, old: Object | None) -> list[str]:
    """A new pod; updates of pods are too frequent to warn about."""
    if old is not None:
        return []
    found = _apparmor_annotations(obj)
    found += _name(obj, "this is used in the Pod's hostname")
    return found + of_pod("", obj)


def pod_template(obj: Object, old: Object | None) -> list[str]:
    return _changed("template", obj.get("template"), (old or {}).get("template"), old)


def workload(obj: Object, old: Object | None) -> list[str]:
    spec, before = obj.get("spec") or {}, (old or {}).get("spec") or {}
    if old is not None and spec == before:
        return []
    return _changed("spec.template", spec.get("template"), before.get("template"), old)


def named_workload(obj: Object, old: Object | None) -> list[str]:
    """Workloads whose name may be longer than a label, although their pods' host names are made of it."""
    found = [] if old is not None else _name(obj, "this is used in Pod names and hostnames")
    return found + workload(obj, old)


def job(obj: Object, old: Object | None) -> list[str]:
    found = [] if old is not None else _name(obj, "this is used in Pod names and hostnames")
    return found + _indexed("spec", obj.get("spec") or {}) + workload(obj, old)


def cron_job(obj: Object, old: Object | None) -> list[str]:
    found = [] if old is not None else _name(obj, "this is used in Pod names and hostnames")
    spec = (obj.get("spec") or {}).get("jobTemplate", {}).get("spec") or {}
    before = ((old or {}).get("spec") or {}).get("jobTemplate", {}).get("spec") or {}
    path = "spec.jobTemplate.spec"
    return (
        found + _indexed(path, spec) + _changed(f"{path}.template", spec.get("template"), before.get("template"), old)
    )


def runtime_class(obj: Object, old: Object | None) -> list[str]:
    selector = (obj.get("scheduling") or {}).get("nodeSelector") or {}
    return [f"scheduling.nodeSelector: {nodes.LABELS[key]}" for key in sorted(selector) if key in nodes.LABELS]


def _changed(path: str, template: Object | None, before: Object | None, old: Object | None) -> list[str]:
    if not template or (old is not None and template == before):
        return []
    return of_pod(path, template)


def _name(obj: Object, use: str) -> list[str]:
    name = obj["metadata"].get("name") or ""
    wrong = []
    if len(name) > LABEL_MAX:
        wrong.append(f"must be no more than {LABEL_MAX} characters")
    if not LABEL.fullmatch(name):
        wrong.append(LABEL_TEXT)
    if not name or not wrong:
        return []
    listed = " ".join(wrong)
    return [f"metadata.name: {use}, which can result in surprising behavior; a DNS label is recommended: [{listed}]"]


def _indexed(path: str, spec: Object) -> list[str]:
    """pkg/api/job/warnings.go"""
    if spec.get("completionMode") != "Indexed":
        return []
    if spec.get("completions", 0) <= 100_000 or spec.get("parallelism", 0) <= 10_000:
        return []
    return [
        f"{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
        "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
    ]


def of_pod(path: str, obj: Object) -> list[str]:
    """A pod (`path` '') or a pod template (where it is: 'spec.template')."""
    here = f"{path}." if path else ""
    spec, annotations = obj.get("spec") or {}, (obj.get("metadata") or {}).get("annotations") or {}
    return [
        *_node_labels(f"{here}spec", spec),
        *_spread(f"{here}spec", spec),
        *(f"{here}metadata.annotations[{key}]: {text}" for key, text in ANNOTATIONS.items() if key in annotations),
        *storage.pod_volumes(f"{here}spec.volumes", spec.get("volumes") or []),
        *_duplicates(f"{here}spec", spec),
        *_fractions(f"{here}spec.overhead", spec.get("overhead")),
        *_pod_seccomp(here, spec, annotations),
        *_containers(here, spec, annotations),
        *_ports(f"{here}spec", spec),
        *_grace(f"{here}spec", spec),
        *_affinity(f"{here}spec.affinity", spec.get("affinity") or {}),
    ]


def _node_labels(path: str, spec: Object) -> list[str]:
    selector = spec.get("nodeSelector") or {}
    found = [f"{path}.nodeSelector[{key}]: {nodes.LABELS[key]}" for key in sorted(selector) if key in nodes.LABELS]
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required, preferred = (
        "requiredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
    )
    terms = (affinity.get(required) or {}).get("nodeSelectorTerms") or ()
    for index, term in enumerate(terms):
        found += nodes.in_term(f"{path}.affinity.nodeAffinity.{required}.nodeSelectorTerms[{index}]", term)
    for index, weighted in enumerate(affinity.get(preferred) or ()):
        where = f"{path}.affinity.nodeAffinity.{preferred}[{index}].preference"
        found += nodes.in_term(where, weighted.get("preference") or {})
    return found


def _spread(path: str, spec: Object) -> list[str]:
    found = []
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        where, key = f"{path}.topologySpreadConstraints[{index}]", constraint.get("topologyKey", "")
        if key in nodes.LABELS:
            found.append(f"{where}.topologyKey: {key} is {nodes.LABELS[key]}")
        if constraint.get("labelSelector") is None:
            found.append(f"{where}.labelSelector: {NULL_SELECTOR}")
    return found


def _duplicates(path: str, spec: Object) -> list[str]:
    found = []
    for key, field, word in (("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")):
        seen: set[str] = set()
        for index, item in enumerate(spec.get(key) or ()):
            value = item.get(field, "")
            if value in seen:
                found.append(f'{path}.{key}[{index}].{field}: duplicate {word} "{value}"')
            seen.add(value)
    for index, item in enumerate(spec.get("imagePullSecrets") or ()):
        if not item.get("name"):
            found.append(f'{path}.imagePullSecrets[{index}].name: invalid empty name ""')
    return found


def _fractions(path: str, quantities: Object | None) -> list[str]:
    return [
        text
        for name in ("memory", "ephemeral-storage")
        for text in storage.fraction(f"{path}[{name}]", quantities, name)
    ]


def _pod_seccomp(here: str, spec: Object, annotations: Object) -> list[str]:
    if SECCOMP_POD not in annotations or (spec.get("securityContext") or {}).get("seccompProfile"):
        return []
    return [f"{here}metadata.annotations[{SECCOMP_POD}]: {SECCOMP_TEXT}"]


def _each_container(path: str, spec: Object) -> Iterator[tuple[str, Object]]:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            yield f"{path}.{key}[{index}]", container


def _containers(here: str, spec: Object, annotations: Object) -> list[str]:
    found = []
    of_pod_profile = (spec.get("securityContext") or {}).get("appArmorProfile")
    for path, container in _each_container(f"{here}spec", spec):
        context, name = container.get("securityContext") or {}, container.get("name", "")
        if SECCOMP_CONTAINER + name in annotations and not context.get("seccompProfile"):
            found.append(f"{here}metadata.annotations[{SECCOMP_CONTAINER}{name}]: {SECCOMP_TEXT}")
        profiled = of_pod_profile or context.get("appArmorProfile")
        if (
            here and not profiled and apparmor.PREFIX + name in annotations
        ):  # a pod's own come from _apparmor_annotations
            found.append(f"{here}metadata.annotations[{apparmor.PREFIX}{name}]: {APPARMOR_TEXT}")
        resources = container.get("resources") or {}
        for resource in ("memory", "ephemeral-storage"):
            for side in ("limits", "requests"):
                found += storage.fraction(f"{path}.resources.{side}[{resource}]", resources.get(side), resource)
        found += _environment(path, container.get("env") or [])
    return found


def _environment(path: str, variables: list[Object]) -> list[str]:
    """A later variable of the same name is fine if it builds on the earlier: PATH=/a, then PATH=$(PATH):/b."""
    found, seen = [], set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name", ""), variable.get("value") or ""
        reference = f"$({name})"
        if name in seen and (variable.get("valueFrom") or value == reference or reference not in value):
            found.append(
                f'{path}.env[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
            )
        seen.add(name)
    return found


def _ports(path: str, spec: Object) -> list[str]:
    found = []
    taken: dict[tuple[int, str], list[tuple[str, str, int]]] = {}
    for where, container in _each_container(path, spec):
        for index, port in enumerate(container.get("ports") or ()):
            here, protocol = f"{where}.ports[{index}]", port.get("protocol", "TCP")
            ip, number = port.get("hostIP") or "", port.get("hostPort") or 0
            if ip and not number:
                shown = (port.get("name", ""), number, port.get("containerPort", 0), protocol, ip)
                words = zip(("Name", "HostPort", "ContainerPort", "Protocol", "HostIP"), shown, strict=True)
                found.append(f"{here}: hostIP set without hostPort: {{{' '.join(f'{k}:{v}' for k, v in words)}}}")
            others = taken.setdefault((port.get("containerPort", 0), protocol), [])
            for other, other_ip, other_number in others:
                if (ip, number) == (other_ip, other_number):
                    found.append(f"{here}: duplicate port definition with {other}")
                elif not number or not other_number:
                    found.append(f"{here}: overlapping port definition with {other}")
                elif number == other_number and bool(ip) != bool(other_ip):
                    found.append(f"{here}: dangerously ambiguous port definition with {other}")
            others.append((here, ip, number))
    return found


def _grace(path: str, spec: Object) -> list[str]:
    if (spec.get("terminationGracePeriodSeconds") or 0) >= 0:
        return []
    return [f"{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]


def _affinity(path: str, affinity: Object) -> list[str]:
    found = []
    for side in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(side) or {}
        required, preferred = (f"{sort}DuringSchedulingIgnoredDuringExecution" for sort in ("required", "preferred"))
        for index, term in enumerate(terms.get(required) or ()):
            if term.get("labelSelector") is None:
                found.append(f"{path}.{side}.{required}[{index}].labelSelector: {NULL_SELECTOR}")
        for index, weighted in enumerate(terms.get(preferred) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                found.append(f"{path}.{side}.{preferred}[{index}].podAffinityTerm.labelSelector: {NULL_SELECTOR}")
    return found


def _apparmor_annotations(obj: Object) -> list[str]:
    """Of a pod: annotations that were copied into a field, or that could not be (applyAppArmorVersionSkew).

    The stored pod does not tell whether a field that says the same was there before; then this warns without need.
    """
    annotations = obj["metadata"].get("annotations") or {}
    spec = obj.get("spec") or {}
    if (spec.get("os") or {}).get("name") == "windows":
        return []
    of_pod_profile = (spec.get("securityContext") or {}).get("appArmorProfile")
    found = []
    for _, container in _each_container("", spec):
        key = apparmor.PREFIX + container.get("name", "")
        if key not in annotations:
            continue
        profile = apparmor.profile_of(annotations[key])
        own = (container.get("securityContext") or {}).get("appArmorProfile")
        if own in (None, profile) and (profile is None or profile != of_pod_profile):
            found.append(f"metadata.annotations[{key}]: {APPARMOR_TEXT}")
    return found
