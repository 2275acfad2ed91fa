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


class Note(NamedTuple):
    """What a rule decided about a request, for those who trace it: `verdict` is a verb ('denies', 'warns', 'patches')."""

    plugin: str
    rule: str
    verdict: str
    text: str = ""


def _no_settings(plugin: str) -> Object:
    return {}


class Request(NamedTuple):
    """One write on its way into the store. `verb`: CREATE, UPDATE, DELETE, or CONNECT (whose object are the options); `object` is None for DELETE, `old` for CREATE.

    `settings(plugin)`: the part of the API server's AdmissionConfiguration for a plugin, {} without one. `trace` collects
    what the rules decide, where somebody asked for it. `uid` and `extra` are the user's, as `user` and `groups`.
    """

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
    settings: Callable[[str], Object] = _no_settings
    trace: list[Note] | None = None
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    warnings: list[str] | None = None

    @property
    def of_another_kind(self) -> bool:
        """Whether the object is no object of the resource but what is asked of one: PodExecOptions, an Eviction."""
        return self.verb == "CONNECT" or self.subresource == "eviction"

    @property
    def name(self) -> str:
        """What refusals call the object: its name, or the prefix of the name to be generated."""
        if self.object is not None and "metadata" in self.object:
            meta = self.object["metadata"]
            return str(meta.get("name") or meta.get("generateName") or "")
        return self.key.name

    def note(self, plugin: str, rule: str, verdict: str, text: str = "") -> None:
        if self.trace is not None:
            self.trace.append(Note(plugin, rule, verdict, text))

    def warn(self, *texts: str) -> None:
        """Warnings for the user, of plugins that change objects; components do not read any."""
        if self.warnings is not None and self.groups:
            self.warnings.extend(text for text in texts if text not in self.warnings)

    @property
    def user_info(self) -> Object:
        """Who asks, as an authentication.k8s.io/v1 UserInfo. A component of the cluster is a service account of
        kube-system or, for scheduler and kubelets, what its certificate says."""
        if self.groups:
            found: Object = {"username": self.user, "groups": list(self.groups)}
            if self.uid:
                found["uid"] = self.uid
            if self.extra:
                found["extra"] = {name: list(values) for name, values in self.extra}
            return found
        component = self.user.removeprefix("system:")
        if component == "kubelet":
            node = (self.object or self.old or {}).get("spec", {}).get("nodeName") or self.key.name
            return {"username": f"system:node:{node}", "groups": ["system:nodes", "system:authenticated"]}
        if component in ("default-scheduler", "kube-scheduler"):
            return {"username": "system:kube-scheduler", "groups": ["system:authenticated"]}
        groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"]
        return {"username": f"system:serviceaccount:kube-system:{component}", "groups": groups}

    def forbidden(self, why: str) -> errors.Forbidden:
        return errors.forbidden(self.key.resource, self.name, why)


class Plugin(NamedTuple):
    """One plugin: `mutate` and `check` are 'module:function' of this package, '' where it has none.

    `resources` that it looks at (none: all) and `verbs`; only those requests pay for it. `subresources`: those besides the
    object itself that it looks at ('*': all); most see only those that change a pod's spec.
    """

    name: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    mutate: str = ""
    check: str = ""
    subresources: tuple[str, ...] = ("ephemeralcontainers", "resize")


_CSR = "certificatesigningrequests.certificates.k8s.io"
_CREATE, _WRITE, _ALL = ("CREATE",), ("CREATE", "UPDATE"), ("CREATE", "UPDATE", "DELETE")
_WORKLOADS = (
    "pods", "podtemplates", "replicationcontrollers", "replicasets.apps", "deployments.apps", "daemonsets.apps",
    "statefulsets.apps", "jobs.batch", "cronjobs.batch",
)  # fmt: skip

ADMISSION: tuple[Plugin, ...] = (
    Plugin("NamespaceLifecycle", (), _WRITE, mutate="lifecycle:admit"),
    Plugin("NamespaceLifecycle", ("namespaces",), ("DELETE",), check="lifecycle:check_delete"),
    Plugin("LimitRanger", ("pods", "persistentvolumeclaims"), _WRITE, "limits:mutate", "limits:check"),
    Plugin("ServiceAccount", ("pods",), _CREATE, "service_account:mutate", "service_account:check"),
    Plugin(
        "NodeRestriction",
        ("pods", "nodes", "persistentvolumeclaims", "leases.coordination.k8s.io", "csinodes.storage.k8s.io"),
        _ALL,
        mutate="node_restriction:admit",
        subresources=("*",),
    ),
    Plugin("TaintNodesByCondition", ("nodes",), _CREATE, "nodes:mutate"),
    Plugin("PodSecurity", (*_WORKLOADS, "namespaces"), _WRITE, check="pod_security:check"),
    Plugin("Priority", ("pods",), _WRITE, "pods:priority"),
    Plugin("Priority", ("priorityclasses.scheduling.k8s.io",), _WRITE, check="pods:only_default"),
    Plugin("DefaultTolerationSeconds", ("pods",), _WRITE, "pods:tolerations"),
    Plugin("DefaultStorageClass", ("persistentvolumeclaims",), _CREATE, "storage:default_class"),
    Plugin("StorageObjectInUseProtection", ("persistentvolumeclaims", "persistentvolumes"), _CREATE, "storage:protect"),
    Plugin("PersistentVolumeClaimResize", ("persistentvolumeclaims",), ("UPDATE",), check="storage:resize"),
    Plugin("RuntimeClass", ("pods",), _CREATE, "pods:runtime_class"),
    Plugin("CertificateApproval", (_CSR,), ("UPDATE",), check="certificates:approval", subresources=("approval",)),
    Plugin("CertificateSigning", (_CSR,), ("UPDATE",), check="certificates:signing", subresources=("status",)),
    Plugin("CertificateSubjectRestriction", (_CSR,), _CREATE, check="certificates:subject"),
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
    Plugin("ValidatingAdmissionPolicy", (), (*_ALL, "CONNECT"), check=":ask_policies", subresources=("*",)),
    Plugin("ValidatingAdmissionWebhook", (), (*_ALL, "CONNECT"), check=":ask_validating", subresources=("*",)),
    Plugin("ResourceQuota", (), _WRITE, check="quota:check"),
)

MUTATING_POLICIES = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"  # without one, no policy counts
MUTATING_WEBHOOKS = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
VALIDATING_POLICIES = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
VALIDATING_WEBHOOKS = "validatingwebhookconfigurations.admissionregistration.k8s.io"

_CHOSEN: dict[tuple[str, str, str, str], tuple[Callable[[Request], Any], ...]] = {}
_NAMES: dict[Callable[[Request], Any], str] = {}  # of the plugins that were loaded
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


def mutate(request: Request) -> Object | None:
    """The object with what admission adds; refusals are raised. Nothing to do for DELETE, whose object is None."""
    request = _by_plugins(request)
    if not request.of_another_kind and request.view.list(MUTATING_POLICIES):
        from minikube_py.apiserver.admission import mutating_policy

        request = mutating_policy.mutate(request, _by_plugins)
    if request.view.list(MUTATING_WEBHOOKS):
        from minikube_py.apiserver.admission import webhooks

        return webhooks.mutate(request, _again)
    return request.object


def _again(request: Request) -> Request:
    """After a webhook changed the object: the plugins, and the policies that want to see it again."""
    request = _by_plugins(request)
    if not request.of_another_kind and request.view.list(MUTATING_POLICIES):
        from minikube_py.apiserver.admission import mutating_policy

        return mutating_policy.again(request)
    return request


def _by_plugins(request: Request) -> Request:
    for function in _functions("mutate", request):
        changed = function(request) if request.trace is None else _traced(function, request)
        if changed is not request.object:
            request = request._replace(object=changed)
    return request


def check(request: Request) -> list[str]:
    """Raises the first refusal; otherwise the warnings for the user (without 'Warning: ' in front)."""
    warnings = _strategy_warnings(request)
    for function in _functions("check", request):
        warnings += (function(request) if request.trace is None else _traced(function, request)) or ()
    return warnings


def _traced(function: Callable[[Request], Any], request: Request) -> Any:
    """Run a plugin; what it refuses or changes without saying by which rule is told in its name."""
    assert request.trace is not None
    before = len(request.trace)
    plugin = _NAMES[function]
    try:
        found = function(request)
    except errors.KpyError as error:
        if not any(note.verdict in ("denies", "fails") for note in request.trace[before:]):
            request.note(plugin, "", "denies", str(error))
        raise
    if isinstance(found, dict) and found is not request.object and found != request.object:
        request.note(plugin, "", "changes", _changes(request.object or {}, found))
    return found


def _changes(old: Object, new: Object) -> str:
    """'metadata.annotations, spec.containers': the fields that differ, two levels deep."""
    found = []
    for field in sorted({*old, *new}):
        before, after = old.get(field), new.get(field)
        if isinstance(before, dict) and isinstance(after, dict):
            found += [f"{field}.{name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
        elif before != after:
            found.append(field)
    return ", ".join(found)


def _strategy_warnings(request: Request) -> list[str]:
    """What the kind's strategy warns of. Components do not read warnings, so their requests do not pay for them."""
    if request.object is None or request.subresource or request.user.startswith("system:"):
        return []
    from minikube_py.api.warnings import warnings

    return warnings(request.kind, request.object, request.old)


def _functions(phase: str, request: Request) -> tuple[Callable[[Request], Any], ...]:
    key = (phase, request.key.resource, request.verb, request.subresource)
    found = _CHOSEN.get(key)
    if found is None:
        chosen = _wanted(*key)
        found = _CHOSEN[key] = tuple(_load(getattr(plugin, phase)) for plugin in chosen)
        _NAMES.update({function: plugin.name for function, plugin in zip(found, chosen, strict=True)})
    return found


def _wanted(phase: str, resource: str, verb: str, subresource: str) -> list[Plugin]:
    return [
        plugin
        for plugin in ADMISSION
        if verb in plugin.verbs
        and getattr(plugin, phase)
        and (not plugin.resources or resource in plugin.resources)
        and (not subresource or subresource in plugin.subresources or "*" in plugin.subresources)
    ]


def ask_policies(request: Request) -> list[str]:
    """ValidatingAdmissionPolicy; a policy without a binding asks nothing."""
    if request.view.list(VALIDATING_POLICIES):
        from minikube_py.apiserver.admission import validating_policy

        return validating_policy.check(request)
    return []


def ask_validating(request: Request) -> None:
    """ValidatingAdmissionWebhook; a cluster without any does not even read its code."""
    if request.view.list(VALIDATING_WEBHOOKS):
        from minikube_py.apiserver.admission import webhooks

        webhooks.validate(request)


def _load(where: str) -> Callable[[Request], Any]:
    """'lifecycle:admit': of a module of this package; ':ask_validating': of this one."""
    from importlib import import_module

    module, _, name = where.partition(":")
    function: Callable[[Request], Any] = getattr(import_module(f"{__name__}.{module}" if module else __name__), name)
    return function
