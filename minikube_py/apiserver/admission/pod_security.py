"""PodSecurity: the Pod Security Standards that a namespace's labels ask for.

Labels `pod-security.kubernetes.io/{enforce,warn}` name a level: privileged (no checks), baseline or restricted. Pods that
break the enforced level are refused; for `warn`, and for workloads whose template breaks either, a warning is given.
The checks are those of the newest version, whatever version a label names.
Source: k8s.io/pod-security-admission (admission/admission.go, policy/check_*.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.base.errors import Cause, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
MODES = ("enforce", "audit", "warn")
_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
    "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
})  # fmt: skip
_SE_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_VOLUMES = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip
_TEMPLATES = {"podtemplates": ("template",), "cronjobs.batch": ("spec", "jobTemplate", "spec", "template")}


class Finding(NamedTuple):
    """'host namespaces' and what in the pod breaks it: 'hostNetwork=true'."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


def check(request: Request) -> list[str]:
    """Warnings; raises Forbidden for a pod that breaks the enforced level."""
    if request.key.resource == "namespaces":
        return _check_namespace(request)
    namespace = request.view.get(Key("namespaces", "", request.key.namespace))
    labels = (namespace or {}).get("metadata", {}).get("labels") or {}
    enforced, warned = _level(labels, "enforce"), _level(labels, "warn")
    if enforced == warned == "privileged":
        return []
    obj = request.object
    assert obj is not None
    if request.key.resource == "pods":
        return _check_pod(request, obj, labels, enforced, warned)
    template: Any = obj
    for field in _TEMPLATES.get(request.key.resource, ("spec", "template")):
        template = (template or {}).get(field) or {}
    return _warnings(template.get("spec") or {}, labels, warned)


def _check_pod(request: Request, pod: Object, labels: Object, enforced: str, warned: str) -> list[str]:
    spec = pod["spec"]
    if request.old is not None and not _matters(spec, request.old["spec"]):
        return []
    found = findings(spec, enforced)
    if found:
        listed = ", ".join(map(str, found))
        version = labels.get(f"{PREFIX}enforce-version", "latest")
        raise request.forbidden(f'violates PodSecurity "{enforced}:{version}": {listed}')
    return _warnings(spec, labels, warned)


def _matters(spec: Object, old: Object) -> bool:
    """An update of a pod is looked at only if it changes an image or adds containers."""
    for field in ("containers", "initContainers", "ephemeralContainers"):
        images = [one.get("image") for one in spec.get(field) or ()]
        if images != [one.get("image") for one in old.get(field) or ()]:
            return True
    return False


def _warnings(spec: Object, labels: Object, level: str) -> list[str]:
    found = findings(spec, level)
    if not found:
        return []
    version = labels.get(f"{PREFIX}warn-version", "latest")
    return [f'would violate PodSecurity "{level}:{version}": {", ".join(map(str, found))}']


def _level(labels: Object, mode: str) -> str:
    level = labels.get(PREFIX + mode, "privileged")
    return level if level in LEVELS else "restricted"


def _check_namespace(request: Request) -> list[str]:
    obj = request.object
    assert obj is not None
    labels = obj["metadata"].get("labels") or {}
    before = ((request.old or {}).get("metadata") or {}).get("labels") or {}
    causes = []
    for mode in MODES:
        level, version = labels.get(PREFIX + mode), labels.get(f"{PREFIX}{mode}-version")
        if level is not None and level not in LEVELS and level != before.get(PREFIX + mode):
            text = f'Invalid value: "{level}": must be one of privileged, baseline, restricted'
            causes.append(Cause(f"metadata.labels[{PREFIX}{mode}]", "FieldValueInvalid", text))
        if version is not None and not _is_version(version) and version != before.get(f"{PREFIX}{mode}-version"):
            text = f'Invalid value: "{version}": must be "latest" or "v1.x"'
            causes.append(Cause(f"metadata.labels[{PREFIX}{mode}-version]", "FieldValueInvalid", text))
    if causes:
        raise Invalid("Namespace", "", request.name, causes)
    level = _level(labels, "enforce")
    if request.old is None or LEVELS.index(level) <= LEVELS.index(_level(before, "enforce")):
        return []
    return _existing(request, level, labels.get(f"{PREFIX}enforce-version", "latest"))


def _is_version(text: str) -> bool:
    return text == "latest" or (text.startswith("v1.") and text[3:].isdigit())


def _existing(request: Request, level: str, version: str) -> list[str]:
    """Pods that a stricter level would refuse now: the first of each sort of violation and how many are like it."""
    groups: dict[str, list[str]] = {}
    for pod in request.view.list("pods", request.key.name):
        text = ", ".join(finding.reason for finding in findings(pod["spec"], level))
        if text:
            groups.setdefault(text, []).append(pod["metadata"]["name"])
    if not groups:
        return []
    name = request.key.name
    start = f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{level}:{version}"'
    lines = []
    for text, pods in groups.items():
        more = len(pods) - 1
        others = f" (and {more} other {'pod' if more == 1 else 'pods'})" if more else ""
        lines.append(f"{pods[0]}{others}: {text}")
    return [start, *sorted(lines)]


def findings(spec: Object, level: str) -> list[Finding]:
    """What in a pod's spec a level forbids, in the order in which the standards are listed."""
    if level == "privileged":
        return []
    checks = BASELINE if level == "baseline" else RESTRICTED
    return [Finding(reason, detail) for reason, one in checks for detail in one(spec)]


def _containers(spec: Object) -> list[Object]:
    return [one for field in ("initContainers", "containers", "ephemeralContainers") for one in spec.get(field) or ()]


def _context(holder: Object) -> Object:
    return holder.get("securityContext") or {}


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _who(names: list[str]) -> str:
    """'container "a"', 'containers "a", "b"'."""
    return f"container{'s' if len(names) > 1 else ''} {_quoted(names)}"


def _app_armor(spec: Object) -> Iterator[str]:
    def bad(holder: Object) -> str:
        kind = (_context(holder).get("appArmorProfile") or {}).get("type")
        return kind if kind not in (None, "RuntimeDefault", "Localhost") else ""

    values = [kind for kind in [bad(spec)] if kind]
    owners = ["pod"] if values else []
    named = [one["name"] for one in _containers(spec) if bad(one)]
    values += [bad(one) for one in _containers(spec) if bad(one)]
    if named:
        owners.append(_who(named))
    if owners:
        kinds = _quoted(sorted(set(values)))
        yield f"{' and '.join(owners)} must not set AppArmor profile type to {kinds}"


def _baseline_capabilities(spec: Object) -> Iterator[str]:
    named, added = [], set[str]()
    for one in _containers(spec):
        extra = set((_context(one).get("capabilities") or {}).get("add") or ()) - _CAPABILITIES
        if extra:
            named.append(one["name"])
            added |= extra
    if named:
        yield f"{_who(named)} must not include {_quoted(sorted(added))} in securityContext.capabilities.add"


def _host_namespaces(spec: Object) -> Iterator[str]:
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    if found:
        yield ", ".join(found)


def _host_paths(spec: Object) -> Iterator[str]:
    named = [volume["name"] for volume in spec.get("volumes") or () if "hostPath" in volume]
    if named:
        yield f"volume{'s' if len(named) > 1 else ''} {_quoted(named)}"


def _host_ports(spec: Object) -> Iterator[str]:
    named, ports = [], set[int]()
    for one in _containers(spec):
        own = {port["hostPort"] for port in one.get("ports") or () if port.get("hostPort")}
        if own:
            named.append(one["name"])
            ports |= own
    if named:
        verb = "use hostPort" if len(named) > 1 else "uses hostPort"
        plural = "s" if len(ports) > 1 else ""
        yield f"{_who(named)} {verb}{plural} {', '.join(sorted(map(str, ports)))}"


def _probe_hosts(spec: Object) -> Iterator[str]:
    """Probes and hooks may not name another host than the pod itself."""
    named, hosts = [], set[str]()
    for one in _containers(spec):
        handlers = [one.get(field) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [(one.get("lifecycle") or {}).get(field) for field in ("postStart", "preStop")]
        actions = [handler.get(kind) for handler in handlers if handler for kind in ("httpGet", "tcpSocket")]
        own = {action["host"] for action in actions if action and action.get("host")} - {"", "127.0.0.1", "::1"}
        if own:
            named.append(one["name"])
            hosts |= own
    if named:
        verb = "use" if len(named) > 1 else "uses"
        yield f"{_who(named)} {verb} probe or lifecycle host{'s' if len(hosts) > 1 else ''} {_quoted(sorted(hosts))}"


def _privileged(spec: Object) -> Iterator[str]:
    named = [one["name"] for one in _containers(spec) if _context(one).get("privileged")]
    if named:
        yield f"{_who(named)} must not set securityContext.privileged=true"


def _proc_mount(spec: Object) -> Iterator[str]:
    named, kinds = [], set[str]()
    for one in _containers(spec):
        kind = _context(one).get("procMount")
        if kind not in (None, "Default"):
            named.append(one["name"])
            kinds.add(kind)
    if named:
        yield f"{_who(named)} must not set securityContext.procMount to {_quoted(sorted(kinds))}"


def _baseline_proc_mount(spec: Object) -> Iterator[str]:
    """In a user namespace of its own a pod may see all of /proc."""
    if spec.get("hostUsers") is not False:
        yield from _proc_mount(spec)


def _se_linux(spec: Object) -> Iterator[str]:
    def options(holder: Object) -> Object:
        return _context(holder).get("seLinuxOptions") or {}

    def bad(found: Object) -> bool:
        return found.get("type", "") not in _SE_TYPES or bool(found.get("user")) or bool(found.get("role"))

    named = [one["name"] for one in _containers(spec) if bad(options(one))]
    owners = (["pod"] if bad(options(spec)) else []) + ([_who(named)] if named else [])
    if not owners:
        return
    every = [options(spec), *map(options, _containers(spec))]
    kinds = sorted({found["type"] for found in every if found.get("type", "") not in _SE_TYPES})
    texts = [f"type{'s' if len(kinds) > 1 else ''} {_quoted(kinds)}"] if kinds else []
    texts += [f"{field} may not be set" for field in ("user", "role") if any(found.get(field) for found in every)]
    yield f"{' and '.join(owners)} set forbidden securityContext.seLinuxOptions: {'; '.join(texts)}"


def _seccomp_type(holder: Object) -> str | None:
    kind: str | None = (_context(holder).get("seccompProfile") or {}).get("type")
    return kind


def _bad_seccomp(spec: Object) -> str:
    good = (None, "RuntimeDefault", "Localhost")
    named = [one["name"] for one in _containers(spec) if _seccomp_type(one) not in good]
    kinds = {kind for kind in map(_seccomp_type, [spec, *_containers(spec)]) if kind is not None} - set(good)
    owners = (["pod"] if _seccomp_type(spec) not in good else []) + ([_who(named)] if named else [])
    if not owners:
        return ""
    return f"{' and '.join(owners)} must not set securityContext.seccompProfile.type to {_quoted(sorted(kinds))}"


def _baseline_seccomp(spec: Object) -> Iterator[str]:
    text = _bad_seccomp(spec)
    if text:
        yield text


def _restricted_seccomp(spec: Object) -> Iterator[str]:
    text = _bad_seccomp(spec)
    if text:
        yield text
    elif _seccomp_type(spec) is None:
        named = [one["name"] for one in _containers(spec) if _seccomp_type(one) is None]
        if named:
            kinds = '"RuntimeDefault" or "Localhost"'
            yield f"pod or {_who(named)} must set securityContext.seccompProfile.type to {kinds}"


def _sysctls(spec: Object) -> Iterator[str]:
    names = [one["name"] for one in _context(spec).get("sysctls") or () if one["name"] not in _SYSCTLS]
    if names:
        yield ", ".join(names)


def _host_process(spec: Object) -> Iterator[str]:
    def bad(holder: Object) -> bool:
        return bool((_context(holder).get("windowsOptions") or {}).get("hostProcess"))

    named = [one["name"] for one in _containers(spec) if bad(one)]
    owners = (["pod"] if bad(spec) else []) + ([_who(named)] if named else [])
    if owners:
        yield f"{' and '.join(owners)} must not set securityContext.windowsOptions.hostProcess=true"


def _escalation(spec: Object) -> Iterator[str]:
    if (spec.get("os") or {}).get("name") == "windows":
        return
    named = [one["name"] for one in _containers(spec) if _context(one).get("allowPrivilegeEscalation") is not False]
    if named:
        yield f"{_who(named)} must set securityContext.allowPrivilegeEscalation=false"


def _restricted_capabilities(spec: Object) -> Iterator[str]:
    if (spec.get("os") or {}).get("name") == "windows":
        return
    keeping, adding, added = [], [], set[str]()
    for one in _containers(spec):
        own = _context(one).get("capabilities") or {}
        if "ALL" not in (own.get("drop") or ()):
            keeping.append(one["name"])
        extra = set(own.get("add") or ()) - {"NET_BIND_SERVICE"}
        if extra:
            adding.append(one["name"])
            added |= extra
    texts = []
    if keeping:
        texts.append(f'{_who(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        texts.append(f"{_who(adding)} must not include {_quoted(sorted(added))} in securityContext.capabilities.add")
    if texts:
        yield "; ".join(texts)


def _volume_types(spec: Object) -> Iterator[str]:
    named, kinds = [], set[str]()
    for volume in spec.get("volumes") or ():
        bad = [kind for kind in volume if kind != "name" and kind not in _VOLUMES]
        if bad:
            named.append(volume["name"])
            kinds.update(bad)
    if named:
        subject = f"volumes {_quoted(named)} use" if len(named) > 1 else f"volume {_quoted(named)} uses"
        yield f"{subject} restricted volume type{'s' if len(kinds) > 1 else ''} {_quoted(sorted(kinds))}"


def _non_root(spec: Object) -> Iterator[str]:
    if spec.get("hostUsers") is False:
        return
    own = _context(spec).get("runAsNonRoot")
    wrong = [one["name"] for one in _containers(spec) if _context(one).get("runAsNonRoot") is False]
    unset = [one["name"] for one in _containers(spec) if _context(one).get("runAsNonRoot") is None]
    owners = (["pod"] if own is False else []) + ([_who(wrong)] if wrong else [])
    if owners:
        yield f"{' and '.join(owners)} must not set securityContext.runAsNonRoot=false"
    elif own is None and unset:
        yield f"pod or {_who(unset)} must set securityContext.runAsNonRoot=true"


def _run_as_user(spec: Object) -> Iterator[str]:
    if spec.get("hostUsers") is False:
        return
    named = [one["name"] for one in _containers(spec) if _context(one).get("runAsUser") == 0]
    owners = (["pod"] if _context(spec).get("runAsUser") == 0 else []) + ([_who(named)] if named else [])
    if owners:
        yield f"{' and '.join(owners)} must not set runAsUser=0"


_Checks = tuple[tuple[str, "Callable[[Object], Iterator[str]]"], ...]

_SHARED: _Checks = (
    ("host namespaces", _host_namespaces),
    ("hostPort", _host_ports),
    ("probe or lifecycle host", _probe_hosts),
    ("privileged", _privileged),
    ("seLinuxOptions", _se_linux),
    ("forbidden sysctls", _sysctls),
    ("hostProcess", _host_process),
)
BASELINE: _Checks = (
    ("forbidden AppArmor profile", _app_armor),
    ("non-default capabilities", _baseline_capabilities),
    _SHARED[0],
    ("hostPath volumes", _host_paths),
    *_SHARED[1:4],
    ("procMount", _baseline_proc_mount),
    _SHARED[4],
    ("seccompProfile", _baseline_seccomp),
    *_SHARED[5:],
)
# The stricter checks take the place of their baseline kin, and stand behind all others.
RESTRICTED: _Checks = (
    ("forbidden AppArmor profile", _app_armor),
    *_SHARED,
    ("allowPrivilegeEscalation != false", _escalation),
    ("unrestricted capabilities", _restricted_capabilities),
    ("procMount", _proc_mount),
    ("restricted volume types", _volume_types),
    ("runAsNonRoot != true", _non_root),
    ("runAsUser=0", _run_as_user),
    ("seccompProfile", _restricted_seccomp),
)
