"""Admission: what the API server adds to an object, or refuses, after decoding and defaults.

`mutate(request)` runs the plugins that change the object, `check(request)` those that may only refuse. Around them the
verbs do: decode, defaults, mutate, storage strategy, allocation, validation, check, put. The order of the plugins is
kube-apiserver's (pkg/kubeapiserver/options/plugins.go). A name that is generated is not yet there in `mutate` (refusals
say 'pods "web-7f9c-" is forbidden'), but is in `check`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Key, Object, View
    from minikube_py.base.clock import Clock


class Request(NamedTuple):
    """One write on its way into the store. `verb`: CREATE, UPDATE or DELETE; `object` is None for DELETE, `old` for CREATE."""

    verb: str
    kind: Kind
    key: Key
    object: Object | None
    old: Object | None
    subresource: str
    user: str
    groups: tuple[str, ...]
    dry_run: bool
    clock: Clock
    view: View

    @property
    def name(self) -> str:
        """What refusals call the object: its name, or the prefix of the name to be generated."""
        if self.object is not None:
            meta = self.object["metadata"]
            return str(meta.get("name") or meta.get("generateName") or "")
        return self.key.name

    def forbidden(self, why: str) -> errors.Forbidden:
        return errors.forbidden(self.key.resource, self.name, why)


class Plugin(NamedTuple):
    """One plugin: `mutate` and `check` are 'module:function' of this package, '' where it has none.

    `resources` that it looks at (none: all) and `verbs`; only those requests pay for it.
    """

    name: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    mutate: str = ""
    check: str = ""


_CREATE, _WRITE = ("CREATE",), ("CREATE", "UPDATE")
_WORKLOADS = (
    "pods", "podtemplates", "replicationcontrollers", "replicasets.apps", "deployments.apps", "daemonsets.apps",
    "statefulsets.apps", "jobs.batch", "cronjobs.batch",
)  # fmt: skip

ADMISSION: tuple[Plugin, ...] = (
    Plugin("NamespaceLifecycle", (), _WRITE, mutate="lifecycle:admit"),
    Plugin("NamespaceLifecycle", ("namespaces",), ("DELETE",), check="lifecycle:check_delete"),
    Plugin("LimitRanger", ("pods", "persistentvolumeclaims"), _WRITE, "limits:mutate", "limits:check"),
    Plugin("ServiceAccount", ("pods",), _CREATE, "service_account:mutate", "service_account:check"),
    Plugin("TaintNodesByCondition", ("nodes",), _CREATE, "nodes:mutate"),
    Plugin("PodSecurity", (*_WORKLOADS, "namespaces"), _WRITE, check="pod_security:check"),
    Plugin("Priority", ("pods",), _WRITE, "pods:priority"),
    Plugin("Priority", ("priorityclasses.scheduling.k8s.io",), _WRITE, check="pods:only_default"),
    Plugin("DefaultTolerationSeconds", ("pods",), _WRITE, "pods:tolerations"),
    Plugin("DefaultStorageClass", ("persistentvolumeclaims",), _CREATE, "storage:default_class"),
    Plugin("StorageObjectInUseProtection", ("persistentvolumeclaims", "persistentvolumes"), _CREATE, "storage:protect"),
    Plugin("PersistentVolumeClaimResize", ("persistentvolumeclaims",), ("UPDATE",), check="storage:resize"),
    Plugin("RuntimeClass", ("pods",), _CREATE, "pods:runtime_class"),
    Plugin("DefaultIngressClass", ("ingresses.networking.k8s.io",), _CREATE, "ingresses:mutate"),
    Plugin("MutatingAdmissionWebhook", ("pods",), _CREATE, "vertical:mutate"),
    Plugin(
        "MutatingAdmissionWebhook",
        ("verticalpodautoscalers.autoscaling.k8s.io",),
        _WRITE,
        "vertical:default_policy",
    ),
    Plugin(
        "Escalation",
        tuple(
            f"{plural}.rbac.authorization.k8s.io"
            for plural in ("clusterrolebindings", "clusterroles", "rolebindings", "roles")
        ),
        _WRITE,
        check="escalation:check",
    ),
    Plugin("ResourceQuota", (), _WRITE, check="quota:check"),
)

# Where one of these exists, what it says of an object may depend on the object's name, or differ from call to call.
CONFIGURED_BY = tuple(
    f"{plural}.admissionregistration.k8s.io"
    for plural in (
        "mutatingadmissionpolicies",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingwebhookconfigurations",
    )
)

_CHOSEN: dict[tuple[str, str, str], tuple[Callable[[Request], Any], ...]] = {}


def mutate(request: Request) -> Object | None:
    """The object with what admission adds; refusals are raised. Nothing to do for DELETE, whose object is None."""
    for function in _functions("mutate", request):
        changed = function(request)
        if changed is not request.object:
            request = request._replace(object=changed)
    return request.object


def check(request: Request) -> list[str]:
    """Raises the first refusal; otherwise the warnings for the user (without 'Warning: ' in front)."""
    warnings = _strategy_warnings(request)
    for function in _functions("check", request):
        warnings += function(request) or ()
    return warnings


def _strategy_warnings(request: Request) -> list[str]:
    """What the kind's strategy warns of. Components do not read warnings, so their requests do not pay for them."""
    if request.object is None or request.subresource or request.user.startswith("system:"):
        return []
    from minikube_py.api.warnings import warnings

    return warnings(request.kind, request.object, request.old)


def _functions(phase: str, request: Request) -> tuple[Callable[[Request], Any], ...]:
    if request.subresource not in ("", "ephemeralcontainers", "resize"):
        return ()
    key = (phase, request.key.resource, request.verb)
    found = _CHOSEN.get(key)
    if found is None:
        found = _CHOSEN[key] = tuple(_load(where) for where in _wanted(*key))
    return found


def _wanted(phase: str, resource: str, verb: str) -> list[str]:
    return [
        getattr(plugin, phase)
        for plugin in ADMISSION
        if verb in plugin.verbs and getattr(plugin, phase) and (not plugin.resources or resource in plugin.resources)
    ]


def _load(where: str) -> Callable[[Request], Any]:
    from importlib import import_module

    module, _, name = where.partition(":")
    function: Callable[[Request], Any] = getattr(import_module(f"{__name__}.{module}"), name)
    return function
