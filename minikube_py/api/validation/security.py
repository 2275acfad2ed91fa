"""Security contexts of pods and containers.

Source: pkg/apis/core/validation/validation.go (validatePodSpecSecurityContext, ValidateSecurityContext).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from minikube_py.api.validation import internal, names

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

_PROFILE_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_NET_SYSCTLS = ("net.", "net/")
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.", "kernel/shm", "kernel/msg", "kernel/sem", "fs/mqueue/")  # fmt: skip


def pod(causes: Causes, spec: Object, path: str) -> None:
    """spec.securityContext, with the host fields of the spec."""
    context = spec.get("securityContext") or {}
    here = f"{path}.securityContext"
    if context:
        for field in ("fsGroup", "runAsUser", "runAsGroup"):
            if context.get(field) is not None:
                causes.each_invalid(f"{here}.{field}", context[field], names.user_id(context[field]))
        for index, group in enumerate(context.get("supplementalGroups") or ()):
            causes.each_invalid(f"{here}.supplementalGroups[{index}]", group, names.user_id(group))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        causes.invalid(f"{here}.shareProcessNamespace", True, detail)
    if not context:
        return
    _sysctls(causes, context.get("sysctls") or (), spec, f"{here}.sysctls")
    if context.get("fsGroupChangePolicy") not in (None, "Always", "OnRootMismatch"):
        allowed = ("Always", "OnRootMismatch")
        causes.not_supported(f"{here}.fsGroupChangePolicy", context["fsGroupChangePolicy"], allowed)
    _seccomp(causes, context.get("seccompProfile"), f"{here}.seccompProfile")
    _app_armor(causes, context.get("appArmorProfile"), f"{here}.appArmorProfile")
    for field, allowed in (
        ("supplementalGroupsPolicy", ("Merge", "Strict")),
        ("seLinuxChangePolicy", ("MountOption", "Recursive")),
    ):
        if context.get(field) is not None and context[field] not in allowed:
            causes.not_supported(f"{here}.{field}", context[field], allowed)


def _sysctls(causes: Causes, sysctls: list[Object] | tuple[()], spec: Object, path: str) -> None:
    seen: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        here, name = f"{path}[{index}].name", sysctl.get("name", "")
        if not name:
            causes.required(here)
        elif len(name) > 253 or not re.fullmatch(_SYSCTL, name):
            causes.invalid(here, name, f"must have at most 253 characters and match regex ^{_SYSCTL}$")
        elif name in seen:
            causes.duplicate(here, name)
        if spec.get("hostNetwork") and name.startswith(_NET_SYSCTLS):
            causes.invalid(here, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and name.startswith(_IPC_SYSCTLS):
            causes.invalid(here, name, "may not be specified when 'hostIPC' is true")
        seen.add(name)


def container(causes: Causes, context: Object, path: str, host_users: bool) -> None:
    """securityContext of a container; `host_users`: whether it shares the node's user namespace."""
    for field in ("runAsUser", "runAsGroup"):
        if context.get(field) is not None:
            causes.each_invalid(f"{path}.{field}", context[field], names.user_id(context[field]))
    mount = context.get("procMount")
    if mount is not None:
        if mount not in ("Default", "Unmasked"):
            causes.not_supported(f"{path}.procMount", mount, ("Default", "Unmasked"))
        if host_users and mount == "Unmasked":
            detail = "`hostUsers` must be false to use `Unmasked`"
            causes.invalid(f"{path}.procMount", mount, detail)
    _seccomp(causes, context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            causes.invalid(path, internal.struct("SecurityContext", context), detail)
        added = (context.get("capabilities") or {}).get("add") or ()
        if "CAP_SYS_ADMIN" in added:
            detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            causes.invalid(path, internal.struct("SecurityContext", context), detail)
    _app_armor(causes, context.get("appArmorProfile"), f"{path}.appArmorProfile")


def _seccomp(causes: Causes, profile: Object | None, path: str) -> None:
    if profile is None:
        return
    kind, local = profile.get("type"), profile.get("localhostProfile")
    if not kind:
        causes.required(f"{path}.type", "type is required when seccompProfile is set")
    elif kind not in _PROFILE_TYPES:
        causes.not_supported(f"{path}.type", kind, _PROFILE_TYPES)
    if kind == "Localhost":
        if local is None:
            causes.required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
        else:
            _descending(causes, local, f"{path}.localhostProfile")
    elif local is not None:
        shown = internal.struct("SeccompProfile", profile)
        causes.invalid(f"{path}.localhostProfile", shown, "can only be set when seccomp type is Localhost")


def _descending(causes: Causes, where: str, path: str) -> None:
    if where.startswith("/"):
        causes.invalid(path, where, "must be a relative path")
    if ".." in where.split("/"):
        causes.invalid(path, where, "must not contain '..'")


def _app_armor(causes: Causes, profile: Object | None, path: str) -> None:
    if profile is None:
        return
    kind, local = profile.get("type"), profile.get("localhostProfile")
    if not kind:
        causes.required(f"{path}.type", "type is required when appArmorProfile is set")
    elif kind not in _PROFILE_TYPES:
        causes.not_supported(f"{path}.type", kind, _PROFILE_TYPES)
    elif kind == "Localhost":
        if not local or not local.strip():
            causes.required(f"{path}.localhostProfile", "must be set when AppArmor type is Localhost")
        elif local.strip() != local:
            causes.invalid(f"{path}.localhostProfile", local, "must not be padded with whitespace")
    elif local is not None:
        causes.invalid(f"{path}.localhostProfile", local, "can only be set when AppArmor type is Localhost")
