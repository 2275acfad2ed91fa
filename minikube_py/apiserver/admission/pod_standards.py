"""The checks of the Pod Security Standards, each with the versions of the standards in which it changed.

    findings(spec, annotations, "restricted", 34)    what in a pod breaks the standard as it was in v1.34

Source: k8s.io/pod-security-admission (policy/check_*.go, policy/registry.go), and the check table of the documentation
(concepts/security/pod-security-standards).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base import gotext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Look = Callable[[dict[str, Any], dict[str, str]], Iterator["str | Finding"]]

Object = dict[str, Any]
Notes = dict[str, str]  # a pod's annotations

NEWEST = 35  # the minor version in which a check changed last
_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
    "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
})  # fmt: skip
_SYSCTLS_27 = _SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
_SYSCTLS_29 = _SYSCTLS_27 | {
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
_SYSCTLS_32 = _SYSCTLS_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
_SE_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SE_TYPES_31 = _SE_TYPES | {"container_engine_t"}
_VOLUMES = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"


class Finding(NamedTuple):
    """'host namespaces' and what in the pod breaks it: 'hostNetwork=true'."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class Check(NamedTuple):
    """One check: since which minor version which function looks; and the baseline checks whose place it takes."""

    id: str
    level: str
    reason: str
    versions: tuple[tuple[int, Look], ...]
    instead_of: str = ""


def findings(spec: Object, notes: Notes, level: str, version: int = NEWEST) -> list[Finding]:
    """What in a pod's spec a level forbids, in the order in which the API server lists it."""
    if level == "privileged":
        return []
    return [
        text if isinstance(text, Finding) else Finding(reason, text)
        for reason, look in _looks(level, version)
        for text in look(spec, notes)
    ]


@lru_cache(maxsize=128)
def _looks(level: str, version: int) -> tuple[tuple[str, Look], ...]:
    """The functions of a level in a version: baseline checks by id, then those of restricted by id."""
    chosen = [check for check in CHECKS if level == "restricted" or check.level == "baseline"]
    chosen = [check for check in chosen if check.versions[0][0] <= version]
    replaced = {check.instead_of for check in chosen}
    return tuple(
        (check.reason, [look for since, look in check.versions if since <= version][-1])
        for check in sorted(chosen, key=lambda check: (check.level, check.id))
        if check.id not in replaced
    )


def _containers(spec: Object) -> list[Object]:
    return [one for field in ("initContainers", "containers", "ephemeralContainers") for one in spec.get(field) or ()]


def _context(holder: Object) -> Object:
    return holder.get("securityContext") or {}


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _plural(word: str, things: list[str]) -> str:
    return word if len(things) == 1 else f"{word}s"


def _who(names: list[str]) -> str:
    """'container "a"', 'containers "a", "b"'."""
    return f"container{'s' if len(names) > 1 else ''} {_quoted(names)}"


def _app_armor(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    def bad(holder: Object) -> str:
        kind = (_context(holder).get("appArmorProfile") or {}).get("type")
        return kind if kind not in (None, "RuntimeDefault", "Localhost") else ""

    owners = ["pod"] if bad(spec) else []
    named = [one["name"] for one in _containers(spec) if bad(one)]
    owners += [_who(named)] if named else []
    values = sorted({kind for kind in map(bad, [spec, *_containers(spec)]) if kind})
    forbidden = [
        f"{key}={gotext.quoted(value)}"
        for key, value in sorted(notes.items())
        if key.startswith(_APP_ARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/")
    ]
    owners += [_plural("annotation", forbidden)] if forbidden else []
    if owners:
        values += forbidden
        text = f"{' and '.join(owners)} must not set AppArmor profile type to {_quoted(values)}"
        yield Finding(_plural("forbidden AppArmor profile", values), text)


def _baseline_capabilities(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    named, added = [], set[str]()
    for one in _containers(spec):
        extra = set((_context(one).get("capabilities") or {}).get("add") or ()) - _CAPABILITIES
        if extra:
            named.append(one["name"])
            added |= extra
    if named:
        yield f"{_who(named)} must not include {_quoted(sorted(added))} in securityContext.capabilities.add"


def _host_namespaces(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    if found:
        yield ", ".join(found)


def _host_paths(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    named = [volume["name"] for volume in spec.get("volumes") or () if "hostPath" in volume]
    if named:
        yield f"volume{'s' if len(named) > 1 else ''} {_quoted(named)}"


def _host_ports(spec: Object, notes: Notes) -> Iterator[str | Finding]:
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


def _probe_hosts(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    """Probes and hooks may not name another host than the pod itself."""
    named, hosts = [], set[str]()
    for one in _containers(spec):
        handlers = [one.get(field) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [(one.get("lifecycle") or {}).get(field) for field in ("postStart", "preStop")]
        actions = [handler.get(kind) for handler in handlers if handler for kind in ("httpGet", "tcpSocket")]
        own = {action["host"] for action in actions if action and action.get("host")}
        if own:
            named.append(one["name"])
            hosts |= own
    if named:
        verb = "use" if len(named) > 1 else "uses"
        owners = _who(sorted(named))
        yield f"{owners} {verb} probe or lifecycle host{'s' if len(hosts) > 1 else ''} {_quoted(sorted(hosts))}"


def _privileged(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    named = [one["name"] for one in _containers(spec) if _context(one).get("privileged")]
    if named:
        yield f"{_who(named)} must not set securityContext.privileged=true"


def _proc_mount(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    named, kinds = [], set[str]()
    for one in _containers(spec):
        kind = _context(one).get("procMount")
        if kind not in (None, "Default"):
            named.append(one["name"])
            kinds.add(kind)
    if named:
        yield f"{_who(named)} must not set securityContext.procMount to {_quoted(sorted(kinds))}"


def _unless_user_namespace(look: Look) -> Look:
    """A pod in a user namespace of its own may do this since 1.35."""
    return lambda spec, notes: iter(()) if spec.get("hostUsers") is False else look(spec, notes)


def _unless_windows(look: Look) -> Look:
    """Windows knows nothing of this, and the standards ask nothing of it since 1.25."""
    return lambda spec, notes: iter(()) if (spec.get("os") or {}).get("name") == "windows" else look(spec, notes)


def _se_linux(allowed: frozenset[str]) -> Look:
    return lambda spec, _: _se_linux_options(spec, allowed)


def _se_linux_options(spec: Object, allowed: frozenset[str]) -> Iterator[str | Finding]:
    def options(holder: Object) -> Object:
        return _context(holder).get("seLinuxOptions") or {}

    def bad(found: Object) -> bool:
        return found.get("type", "") not in allowed or bool(found.get("user")) or bool(found.get("role"))

    named = [one["name"] for one in _containers(spec) if bad(options(one))]
    owners = (["pod"] if bad(options(spec)) else []) + ([_who(named)] if named else [])
    if not owners:
        return
    every = [options(spec), *map(options, _containers(spec))]
    kinds = sorted({found["type"] for found in every if found.get("type", "") not in allowed})
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


def _seccomp_annotations(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    """Before the fields of 1.19: annotations of the pod and of its containers."""
    known = [_SECCOMP_POD, *(f"{_SECCOMP}{one['name']}" for one in _containers(spec))]
    found = sorted({f"{key}={gotext.quoted(notes[key])}" for key in known if not _good_profile(notes.get(key))})
    if found:
        yield f"forbidden {_plural('annotation', found)} {', '.join(found)}"


def _good_profile(value: str | None) -> bool:
    return value in (None, "runtime/default", "docker/default") or str(value).startswith("localhost/")


def _baseline_seccomp(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    text = _bad_seccomp(spec)
    if text:
        yield text


def _restricted_seccomp(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    text = _bad_seccomp(spec)
    if text:
        yield text
    elif _seccomp_type(spec) is None:
        named = [one["name"] for one in _containers(spec) if _seccomp_type(one) is None]
        if named:
            kinds = '"RuntimeDefault" or "Localhost"'
            yield f"pod or {_who(named)} must set securityContext.seccompProfile.type to {kinds}"


def _sysctls(allowed: frozenset[str]) -> Look:
    def look(spec: Object, _: Notes) -> Iterator[str | Finding]:
        names = [one["name"] for one in _context(spec).get("sysctls") or () if one["name"] not in allowed]
        if names:
            yield ", ".join(names)

    return look


def _host_process(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    def bad(holder: Object) -> bool:
        return bool((_context(holder).get("windowsOptions") or {}).get("hostProcess"))

    named = [one["name"] for one in _containers(spec) if bad(one)]
    owners = (["pod"] if bad(spec) else []) + ([_who(named)] if named else [])
    if owners:
        yield f"{' and '.join(owners)} must not set securityContext.windowsOptions.hostProcess=true"


def _escalation(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    named = [one["name"] for one in _containers(spec) if _context(one).get("allowPrivilegeEscalation") is not False]
    if named:
        yield f"{_who(named)} must set securityContext.allowPrivilegeEscalation=false"


def _restricted_capabilities(spec: Object, notes: Notes) -> Iterator[str | Finding]:
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


def _volume_types(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    named, kinds = [], set[str]()
    for volume in spec.get("volumes") or ():
        bad = [kind for kind in volume if kind != "name" and kind not in _VOLUMES]
        if bad:
            named.append(volume["name"])
            kinds.update("storageos" if kind == "storageOS" else kind for kind in bad)
    if named:
        subject = f"volumes {_quoted(named)} use" if len(named) > 1 else f"volume {_quoted(named)} uses"
        yield f"{subject} restricted volume type{'s' if len(kinds) > 1 else ''} {_quoted(sorted(kinds))}"


def _non_root(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    own = _context(spec).get("runAsNonRoot")
    wrong = [one["name"] for one in _containers(spec) if _context(one).get("runAsNonRoot") is False]
    unset = [one["name"] for one in _containers(spec) if _context(one).get("runAsNonRoot") is None]
    owners = (["pod"] if own is False else []) + ([_who(wrong)] if wrong else [])
    if owners:
        yield f"{' and '.join(owners)} must not set securityContext.runAsNonRoot=false"
    elif own is None and unset:
        yield f"pod or {_who(unset)} must set securityContext.runAsNonRoot=true"


def _run_as_user(spec: Object, notes: Notes) -> Iterator[str | Finding]:
    named = [one["name"] for one in _containers(spec) if _context(one).get("runAsUser") == 0]
    owners = (["pod"] if _context(spec).get("runAsUser") == 0 else []) + ([_who(named)] if named else [])
    if owners:
        yield f"{' and '.join(owners)} must not set runAsUser=0"


CHECKS: tuple[Check, ...] = (
    Check("appArmorProfile", "baseline", "", ((0, _app_armor),)),
    Check("capabilities_baseline", "baseline", "non-default capabilities", ((0, _baseline_capabilities),)),
    Check("hostNamespaces", "baseline", "host namespaces", ((0, _host_namespaces),)),
    Check("hostPathVolumes", "baseline", "hostPath volumes", ((0, _host_paths),)),
    Check("hostPorts", "baseline", "hostPort", ((0, _host_ports),)),
    Check("hostProbesAndHostLifecycle", "baseline", "probe or lifecycle host", ((34, _probe_hosts),)),
    Check("privileged", "baseline", "privileged", ((0, _privileged),)),
    Check("procMount", "baseline", "procMount", ((0, _proc_mount), (35, _unless_user_namespace(_proc_mount)))),
    Check("seLinuxOptions", "baseline", "seLinuxOptions", ((0, _se_linux(_SE_TYPES)), (31, _se_linux(_SE_TYPES_31)))),
    Check("seccompProfile_baseline", "baseline", "seccompProfile", ((0, _seccomp_annotations), (19, _baseline_seccomp))),
    Check(
        "sysctls", "baseline", "forbidden sysctls",
        ((0, _sysctls(_SYSCTLS)), (27, _sysctls(_SYSCTLS_27)), (29, _sysctls(_SYSCTLS_29)), (32, _sysctls(_SYSCTLS_32))),
    ),
    Check("windowsHostProcess", "baseline", "hostProcess", ((0, _host_process),)),
    Check(
        "allowPrivilegeEscalation", "restricted", "allowPrivilegeEscalation != false",
        ((8, _escalation), (25, _unless_windows(_escalation))),
    ),
    Check(
        "capabilities_restricted", "restricted", "unrestricted capabilities",
        ((22, _restricted_capabilities), (25, _unless_windows(_restricted_capabilities))), "capabilities_baseline",
    ),
    Check("procMount_restricted", "restricted", "procMount", ((35, _proc_mount),), "procMount"),
    Check("restrictedVolumes", "restricted", "restricted volume types", ((0, _volume_types),), "hostPathVolumes"),
    Check(
        "runAsNonRoot", "restricted", "runAsNonRoot != true", ((0, _non_root), (35, _unless_user_namespace(_non_root))),
    ),
    Check("runAsUser", "restricted", "runAsUser=0", ((23, _run_as_user), (35, _unless_user_namespace(_run_as_user)))),
    Check(
        "seccompProfile_restricted", "restricted", "seccompProfile",
        ((19, _restricted_seccomp), (25, _unless_windows(_restricted_seccomp))), "seccompProfile_baseline",
    ),
)  # fmt: skip
