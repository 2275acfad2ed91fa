"""PodSecurity: the Pod Security Standards that a namespace's labels ask for.

Labels `pod-security.kubernetes.io/{enforce,audit,warn}` name a level: privileged (no checks), baseline or restricted, and
`...-version` the version of the standards. Pods that break the enforced level are refused; for `warn`, and for workloads
whose template breaks it, a warning is given; `audit` is told to whoever traces the request. The API server's configuration
may give defaults for namespaces without labels, and exempt users, namespaces and runtime classes.
Source: k8s.io/pod-security-admission (admission/admission.go, api/helpers.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.apiserver.admission import pod_standards
from minikube_py.base.errors import Cause, Invalid

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

NAME = "PodSecurity"
PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
MODES = ("enforce", "audit", "warn")
LATEST = "latest"
CHECKED_MAX = 3000  # pods that are looked at when a namespace gets a stricter level
_TEMPLATES = {"podtemplates": ("template",), "cronjobs.batch": ("spec", "jobTemplate", "spec", "template")}


class Level(NamedTuple):
    """'restricted:v1.34'."""

    name: str = LEVELS[0]
    version: str = LATEST

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def rank(self) -> int:
        return LEVELS.index(self.name)

    def findings(self, pod: Object) -> list[pod_standards.Finding]:
        """What breaks it in a pod, or in a template of pods."""
        minor = pod_standards.NEWEST if self.version == LATEST else int(self.version[3:])
        notes = (pod.get("metadata") or {}).get("annotations") or {}
        return pod_standards.findings(pod.get("spec") or {}, notes, self.name, min(minor, pod_standards.NEWEST))


class Policy(NamedTuple):
    """What a namespace asks for, and the labels that say nothing that can be understood."""

    enforce: Level
    audit: Level
    warn: Level
    causes: tuple[Cause, ...] = ()


_PRIVILEGED = Policy(Level(), Level(), Level())


def check(request: Request) -> list[str]:
    """Warnings; raises Forbidden for a pod that breaks the enforced level."""
    if request.key.resource == "namespaces":
        return _check_namespace(request)
    namespace = request.view.get(Key("namespaces", "", request.key.namespace))
    labels = (namespace or {}).get("metadata", {}).get("labels") or {}
    settings = request.settings(NAME)
    if not settings and not any(f"{PREFIX}{mode}" in labels for mode in MODES):
        return []
    policy = policy_of(labels, settings.get("defaults") or {})
    exempt = settings.get("exemptions") or {}
    if request.key.namespace in (exempt.get("namespaces") or ()) or request.user in (exempt.get("usernames") or ()):
        return []
    obj = request.object
    assert obj is not None
    if request.key.resource != "pods":
        for field in _TEMPLATES.get(request.key.resource, ("spec", "template")):
            obj = (obj or {}).get(field)
    elif request.old is not None and not _matters(obj["spec"], request.old["spec"]):
        return []
    if not obj or (obj.get("spec") or {}).get("runtimeClassName") in (exempt.get("runtimeClasses") or ()):
        return []
    return _evaluated(request, obj, policy)


def _evaluated(request: Request, pod: Object, policy: Policy) -> list[str]:
    rule = f"namespace/{request.key.namespace}"
    if request.key.resource == "pods":
        text = _told(policy.enforce.findings(pod))
        if text:
            text = f'violates PodSecurity "{policy.enforce}": {text}'
            request.note(NAME, f"{rule} enforce={policy.enforce}", "denies", text)
            raise request.forbidden(text)
        request.note(NAME, f"{rule} enforce={policy.enforce}", "allows")
    audited = _told(policy.audit.findings(pod))
    if audited:
        request.note(
            NAME, f"{rule} audit={policy.audit}", "audits", f'would violate PodSecurity "{policy.audit}": {audited}'
        )
    warned = _told(policy.warn.findings(pod))
    if not warned:
        return []
    text = f'would violate PodSecurity "{policy.warn}": {warned}'
    request.note(NAME, f"{rule} warn={policy.warn}", "warns", text)
    return [text]


def _told(findings: list[pod_standards.Finding]) -> str:
    return ", ".join(map(str, findings))


def _matters(spec: Object, old: Object) -> bool:
    """An update of a pod is looked at only if it changes an image or adds containers."""
    for field in ("containers", "initContainers"):
        if [one.get("image") for one in spec.get(field) or ()] != [one.get("image") for one in old.get(field) or ()]:
            return True
    known = {one["name"]: one.get("image") for one in old.get("ephemeralContainers") or ()}
    return any(known.get(one["name"]) != one.get("image") for one in spec.get("ephemeralContainers") or ())


def policy_of(labels: dict[str, str], defaults: dict[str, str]) -> Policy:
    """The policy of labels over defaults ({'enforce': 'baseline', 'enforce-version': 'latest', ...}).

    A level that makes no sense counts as restricted for enforce and as privileged for the others, a version as latest.
    Whoever sets only enforce is warned by it too.
    """
    levels: dict[str, Level] = {}
    causes: list[Cause] = []
    for mode in MODES:
        name = defaults.get(mode) or LEVELS[0]
        version = defaults.get(f"{mode}-version") or LATEST
        given, given_version = labels.get(PREFIX + mode), labels.get(f"{PREFIX}{mode}-version")
        if given is not None:
            name = given if given in LEVELS else LEVELS[2] if mode == "enforce" else LEVELS[0]
            if given not in LEVELS:
                causes.append(_cause(mode, given, f"must be one of {', '.join(LEVELS)}"))
        if given_version is not None:
            version = given_version if _is_version(given_version) else LATEST
            if not _is_version(given_version):
                causes.append(_cause(f"{mode}-version", given_version, 'must be "latest" or "v1.x"'))
        levels[mode] = Level(name, version)
    enforce, warn = levels["enforce"], levels["warn"]
    if f"{PREFIX}warn" not in labels and labels.get(f"{PREFIX}enforce") in LEVELS and enforce.rank > warn.rank:
        warn = Level(enforce.name, warn.version if f"{PREFIX}warn-version" in labels else enforce.version)
    return Policy(enforce, levels["audit"], warn, tuple(causes))


def _cause(label: str, value: str, text: str) -> Cause:
    return Cause(f"metadata.labels[{PREFIX}{label}]", "FieldValueInvalid", f'Invalid value: "{value}": {text}')


def _is_version(text: str) -> bool:
    minor = text.removeprefix("v1.")
    return text == LATEST or (minor != text and minor.isdecimal() and (minor == "0" or minor[0] != "0"))


def _check_namespace(request: Request) -> list[str]:
    """Labels that make no sense are refused where they are new; a stricter level tells which pods break it."""
    obj = request.object
    assert obj is not None
    labels = obj["metadata"].get("labels") or {}
    before = ((request.old or {}).get("metadata") or {}).get("labels") or {}
    if not any(label.startswith(PREFIX) for label in (*labels, *before)):
        return []
    settings = request.settings(NAME)
    defaults, exempt = settings.get("defaults") or {}, settings.get("exemptions") or {}
    policy = policy_of(labels, defaults)
    old = policy_of(before, defaults) if request.old is not None else _PRIVILEGED
    if policy.causes and policy.causes != old.causes:
        raise Invalid("Namespace", "", request.name, list(policy.causes))
    if request.key.name in (exempt.get("namespaces") or ()):
        return _exempt_warning(request.key.name, policy, labels)
    now, was = policy.enforce, old.enforce
    if request.old is None or now == was or not now.rank or (now.version == was.version and now.rank <= was.rank):
        return []
    return _existing(request, now, exempt.get("runtimeClasses") or ())


def _exempt_warning(name: str, policy: Policy, labels: dict[str, str]) -> list[str]:
    told = [
        f"{mode}={level}"
        for mode, level in (("enforce", policy.enforce), ("audit", policy.audit), ("warn", policy.warn))
        if level.rank and (PREFIX + mode in labels or f"{PREFIX}{mode}-version" in labels)
    ]
    if not told:
        return []
    return [f'namespace "{name}" is exempt from Pod Security, and the policy ({", ".join(told)}) will be ignored']


def _existing(request: Request, level: Level, exempt: Any) -> list[str]:
    """Pods that a stricter level would refuse now: the first of each sort of violation and how many are like it."""
    groups: dict[str, list[str]] = {}
    pods = [
        pod for pod in request.view.list("pods", request.key.name) if pod["spec"].get("runtimeClassName") not in exempt
    ]
    for pod in pods[:CHECKED_MAX]:
        text = ", ".join(finding.reason for finding in level.findings(pod))
        if text:
            groups.setdefault(text, []).append(pod["metadata"]["name"])
    start = []
    if len(pods) > CHECKED_MAX:
        start.append(
            f"new PodSecurity enforce level only checked against the first {CHECKED_MAX} of {len(pods)} existing pods"
        )
    if groups:
        name = request.key.name
        start.append(f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{level}"')
    lines = []
    for text, names in groups.items():
        more = len(names) - 1
        others = f" (and {more} other {'pod' if more == 1 else 'pods'})" if more else ""
        lines.append(f"{min(names)}{others}: {text}")
    return [*start, *sorted(lines)]
