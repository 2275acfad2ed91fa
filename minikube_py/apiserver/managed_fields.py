"""Who manages which fields: metadata.managedFields, and server-side apply.

Nothing is written for it beside what the log has anyway. An object's managers are computed when somebody asks, by following
the object's versions through the log: each write gives the fields that it added or changed to its actor and takes them
from the others. Only a server-side apply leaves a note (in the store's memory, with the object): what the managers were
then, since what a configuration named cannot be seen in the object; later writes are followed from there.

Sources: apimachinery pkg/util/managedfields/internal (fieldmanager.go, structuredmerge.go, conflict.go, buildmanagerinfo.go),
sigs.k8s.io/structured-merge-diff merge/update.go.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from minikube_py.api import fieldsets, typed
from minikube_py.apiserver.apply import LAST_APPLIED
from minikube_py.apiserver.verbs import key_of
from minikube_py.base import clock, errors

if TYPE_CHECKING:
    from minikube_py.api.fieldsets import Fields
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Key, Object
    from minikube_py.apiserver.origin import Origin
    from minikube_py.apiserver.verbs import ApiServer
    from minikube_py.store.store import Change, Store

NOTE = "managed-fields"  # under this name the store's memory has the note of the last server-side apply
APPLY, UPDATE = "Apply", "Update"
KUBECTL = "kubectl"  # the manager of `kubectl apply --server-side`, unless it is told another name

# Actors of the log that are not called so in managedFields; other components are all kube-controller-manager.
NAMES = {
    "default-scheduler": "kube-scheduler", "kubelet": "kubelet", "kube-apiserver": "kube-apiserver",
    "controllermanager": "kube-controller-manager", "horizontal-pod-autoscaler": "kube-controller-manager",
    "kubectl-scale": "kubectl", "external-provisioner": "external-provisioner", "external-resizer": "external-resizer",
    "volume_expand": "kube-controller-manager",
}  # fmt: skip
# What admission and storage add when an object is created: nobody manages that, unless a user says it.
ADDED: dict[str, Fields] = {
    "pods": {"f:spec": {"f:priority": {}, "f:preemptionPolicy": {}, "f:serviceAccount": {}}},
    "services": {"f:spec": {"f:clusterIPs": {}, "f:ipFamilies": {}, "f:ipFamilyPolicy": {}}},
    "namespaces": {"f:spec": {}},
    "persistentvolumeclaims": {"f:metadata": {"f:finalizers": {}}},
    "persistentvolumes": {"f:metadata": {"f:finalizers": {}}},
    "jobs.batch": {"f:spec": {"f:selector": {}, "f:template": {"f:metadata": {}}}, "f:metadata": {"f:labels": {}}},
}
# The same, where it depends on the value.
ADDED_VALUES: dict[str, tuple[tuple[str, Any], ...]] = {
    "pods": (
        ("serviceAccountName", "default"),
        (
            "tolerations",
            [
                {
                    "effect": "NoExecute",
                    "key": f"node.kubernetes.io/{key}",
                    "operator": "Exists",
                    "tolerationSeconds": 300,
                }
                for key in ("not-ready", "unreachable")
            ],
        ),
    ),
}
SCHEDULER = "default-scheduler"
# What storage writes into a pod when the scheduler binds it: the scheduler does not come to manage it.
BOUND: Fields = {"f:spec": {"f:nodeName": {}}, "f:status": {"f:conditions": {}}}
TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Manager(NamedTuple):
    """Whose a set of fields is."""

    name: str
    operation: str
    version: str  # the apiVersion in which an Update was made; '' for Apply
    subresource: str


class Owned(NamedTuple):
    """What a manager owns, and when (RFC 3339) that last changed."""

    fields: Fields
    time: str


Managers: TypeAlias = dict[Manager, Owned]


def entries(store: Store, kind: Kind, obj: Object) -> list[Object]:
    """metadata.managedFields of a stored object."""
    found = sorted(managers(store, kind, obj).items(), key=lambda item: _order(*item))
    return [_entry(kind, manager, owned) for manager, owned in found]


def shown(store: Store, kind: Kind, obj: Object) -> Object:
    """The object with its managedFields, as the API server sends it."""
    return {**obj, "metadata": {**obj["metadata"], "managedFields": entries(store, kind, obj)}}


def _order(manager: Manager, owned: Owned) -> tuple[str, ...]:
    return manager.operation, owned.time, manager.name, manager.version, manager.subresource


def _entry(kind: Kind, manager: Manager, owned: Owned) -> Object:
    entry = {
        "apiVersion": manager.version or kind.version,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned.fields,
        "manager": manager.name,
        "operation": manager.operation,
        "subresource": manager.subresource,
        "time": owned.time,
    }
    return {name: value for name, value in entry.items() if value != ""}


# -- following the log -------------------------------------------------------------------------------------------


def managers(store: Store, kind: Kind, obj: Object) -> Managers:
    """The managers of a stored object."""
    key = key_of(kind, obj)
    note = store.memory(NOTE, key)
    found: Managers = {
        Manager(*one["manager"]): Owned(one["fields"], one["time"]) for one in note.get("managers") or ()
    }
    for change in store.versions(key, note.get("revision", 0)):
        found = _followed(kind, found, change)
    return found


def _followed(kind: Kind, before: Managers, change: Change) -> Managers:
    """The managers after a write that was no server-side apply."""
    assert change.new is not None, change.key
    if change.old is not None and "deletionTimestamp" in change.new["metadata"].keys() - change.old["metadata"].keys():
        return before  # a deletion makes nobody a manager
    changed, removed = fieldsets.compare(kind, change.old or {}, change.new)
    if change.old is None:
        changed = _wished(kind, change.new, changed)
    elif change.actor == SCHEDULER and kind.name == "Pod":
        changed = fieldsets.without(changed, BOUND)
    manager = _manager(kind, change, changed, removed)
    return _taken(before, manager, changed, removed, clock.Clock(change.time_s, 0).timestamp)


def _taken(before: Managers, manager: Manager, changed: Fields, removed: Fields, time: str) -> Managers:
    """An Update: its manager owns what it changed, the others no longer do; what was removed nobody owns."""
    found: Managers = {}
    gone = fieldsets.union(changed, removed)
    for other, owned in before.items():
        if other != manager:
            left = fieldsets.difference(owned.fields, gone)
            if left:
                found[other] = owned if left == owned.fields else Owned(left, owned.time)
    mine = before[manager].fields if manager in before else {}
    fields = fieldsets.union(fieldsets.difference(mine, removed), changed)
    if fields:
        found[manager] = Owned(fields, time if fields != mine else before[manager].time)
    return found


def _wished(kind: Kind, obj: Object, changed: Fields) -> Fields:
    """What whoever created an object said (or had set by the defaults of its type), without what the server added."""
    added = ADDED.get(kind.resource, {})
    if "status" in kind.subresources or kind.resource in ("namespaces", "pods"):
        added = {**added, "f:status": {}}
    spec = obj.get("spec") or {}
    values = ADDED_VALUES.get(kind.resource, ())
    more: Fields = {f"f:{name}": {} for name, value in values if spec.get(name) == value}
    if kind.resource == "pods":
        more.update(_token_volumes(spec))
    elif kind.resource == "services" and spec.get("clusterIP") != "None":
        more["f:clusterIP"] = {}
    if more:
        added = {**added, "f:spec": {**added.get("f:spec", {}), **more}}
    return fieldsets.without(changed, added)


def _token_volumes(spec: Object) -> Fields:
    """The volume of a pod's API token and its mounts, which admission adds."""
    volumes = spec.get("volumes") or ()
    tokens = [volume["name"] for volume in volumes if volume["name"].startswith("kube-api-access-")]
    more: Fields = {}
    if tokens:
        only = len(tokens) == len(volumes)
        more["f:volumes"] = {} if only else {f'k:{{"name":"{name}"}}': {} for name in tokens}
    for field in ("containers", "initContainers"):
        mounts: Fields = {}
        for container in spec.get(field) or ():
            mounted = container.get("volumeMounts") or ()
            if any(mount["mountPath"] == TOKEN_MOUNT for mount in mounted):
                token: Fields = {f'k:{{"mountPath":"{TOKEN_MOUNT}"}}': {}}
                mounts[f'k:{{"name":"{container["name"]}"}}'] = {"f:volumeMounts": {} if len(mounted) == 1 else token}
        if mounts:
            more[f"f:{field}"] = mounts
    return more


def _manager(kind: Kind, change: Change, changed: Fields, removed: Fields) -> Manager:
    touched = fieldsets.union(changed, removed)
    actor = change.actor
    name = NAMES.get(actor) or ("kube-controller-manager" if actor.endswith("-controller") else actor)
    subresource = ""
    if change.old is not None and "status" in kind.subresources and "f:status" in touched:
        subresource = "status"
    elif actor == "deployment-controller" and kind.name == "Deployment":
        subresource = "status"  # the annotation of its revision is written along with the status
    elif set(touched) == {"f:spec"} and set(touched["f:spec"]) == {"f:replicas"} and actor in SCALERS:
        subresource = "scale"
    return Manager(name, UPDATE, kind.version, subresource)


SCALERS = ("kubectl-scale", "horizontal-pod-autoscaler", "deployment-controller")


# -- server-side apply -------------------------------------------------------------------------------------------


def apply(
    server: ApiServer, kind: Kind, config: Object, *, namespace: str, origin: Origin, force: bool = False,
    dry_run: bool = False,
) -> Object:  # fmt: skip
    """Create an object, or merge a configuration into it, and note which fields `origin.actor` now owns.

    Fields of its last configuration that this one leaves out go, unless another manager owns them. Raises Conflict where
    others manage a field that it would change, unless `force` takes it from them.
    """
    if (config.get("metadata") or {}).get("managedFields"):
        raise errors.BadRequest("metadata.managedFields must be nil")
    problem = typed.problem(kind, config, namespace)
    if problem:
        raise errors.StatusError(problem)
    meta = {**(config.get("metadata") or {}), **({"namespace": namespace} if kind.namespaced else {})}
    config = {**config, "metadata": meta}
    key = key_of(kind, config)
    live = server.store.get(key)
    mine = Manager(origin.actor, APPLY, "", "")
    wanted = Owned(fieldsets.of(kind, config), server.clock.timestamp)
    if live is None:
        created = server.create(kind, config, namespace=namespace, origin=origin, check="Ignore", dry_run=dry_run)
        if not dry_run:
            _remember(server.store, key, created, {mine: wanted})
        return created
    before = managers(server.store, kind, live)
    new, after = _applied(kind, live, config, before, mine, wanted, force)
    stored = server.update(kind, new, origin=origin, check="Ignore", dry_run=dry_run) if new != live else live
    if not dry_run and (stored is not live or _sets(before) != _sets(after)):
        if stored is live:
            stored = server.touch(key, origin)
        _remember(server.store, key, stored, after)
    return stored


def _applied(
    kind: Kind, live: Object, config: Object, before: Managers, mine: Manager, wanted: Owned, force: bool
) -> tuple[Object, Managers]:
    """The object that a configuration makes of the live one, and its managers then."""
    others = {manager: owned for manager, owned in before.items() if manager != mine}
    owned_by_any = wanted.fields
    for owned in others.values():
        owned_by_any = fieldsets.union(owned_by_any, owned.fields)
    last = before[mine].fields if mine in before else {}
    merged = fieldsets.merge(kind, live, config)
    new = fieldsets.remove(kind, merged, fieldsets.difference(last, fieldsets.with_parents(owned_by_any)))
    changed, removed = fieldsets.compare(kind, live, new)
    if not force:
        allowed = _last_applied(kind, live) if mine.name == KUBECTL else {}
        _refuse_conflicts(kind, others, fieldsets.difference(changed, allowed))
    after = _taken(others, mine, changed, removed, wanted.time)
    unchanged = mine in before and wanted.fields == last and new == live
    after[mine] = before[mine] if unchanged else wanted
    return new, after


def _last_applied(kind: Kind, live: Object) -> Fields:
    """What `kubectl apply` said last of the live object, and still holds: `kubectl apply --server-side` may take it over.

    Source: apimachinery pkg/util/managedfields/internal/lastappliedmanager.go.
    """
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return {}
    try:
        said = json.loads(text)
        if said["apiVersion"] != kind.version:
            return {}
        changed, removed = fieldsets.compare(kind, said, live)
        return fieldsets.difference(fieldsets.of(kind, said), fieldsets.union(changed, removed))
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}  # somebody else's annotation


def _sets(found: Managers) -> dict[Manager, Fields]:
    return {manager: owned.fields for manager, owned in found.items()}


def _remember(store: Store, key: Key, obj: Object, found: Managers) -> None:
    noted = [{"manager": list(manager), "fields": owned.fields, "time": owned.time} for manager, owned in found.items()]
    store.remember(NOTE, key, {"revision": int(obj["metadata"]["resourceVersion"]), "managers": noted})


def _refuse_conflicts(kind: Kind, others: Managers, changed: Fields) -> None:
    conflicts: list[tuple[str, str]] = []
    for manager, owned in others.items():
        both = fieldsets.intersection(owned.fields, changed)
        conflicts += [(_printed(manager, owned), path) for path in fieldsets.texts(both)]
    if not conflicts:
        return
    if len(conflicts) == 1:
        told = "1 conflict: conflict with {}: {}".format(*conflicts[0])
    else:
        lines = []
        for name in sorted(dict(conflicts)):
            lines += [f"conflicts with {name}:", *(f"- {path}" for owner, path in conflicts if owner == name)]
        told = f"{len(conflicts)} conflicts: " + "\n".join(lines)
    causes = [errors.Cause(path, "FieldManagerConflict", f"conflict with {name}") for name, path in conflicts]
    raise errors.Conflict(f"Apply failed with {told}", details={"causes": causes})


def _printed(manager: Manager, owned: Owned) -> str:
    text = f'"{manager.name}"'
    if manager.subresource:
        text += f' with subresource "{manager.subresource}"'
    return f"{text} using {manager.version}" if manager.operation == UPDATE else text


def migrate(server: ApiServer, kind: Kind, key: Key, name: str) -> bool:
    """Hand what `kubectl apply` without --server-side managed to the server-side manager `name`; whether there was any.

    Source: k8s.io/client-go/util/csaupgrade/upgrade.go.
    """
    live = server.store.get(key)
    assert live is not None, key
    before = managers(server.store, kind, live)
    old = [
        manager
        for manager in before
        if manager.name in CLIENT_SIDE and manager.operation == UPDATE and not manager.subresource
    ]
    mine = Manager(name, APPLY, "", "")
    if not old:
        return False
    fields = before[mine].fields if mine in before else {}
    for manager in old:
        fields = fieldsets.union(fields, before[manager].fields)
    after = {manager: owned for manager, owned in before.items() if manager not in old}
    after[mine] = Owned(fields, server.clock.timestamp)
    _remember(server.store, key, live, after)
    return True


def parsed(entries: list[Object]) -> Managers:
    """metadata.managedFields as a client writes them. Raises BadRequest for entries that are none."""
    found: Managers = {}
    for one in entries:
        fields = one.get("fieldsV1") if isinstance(one, dict) else None
        if not isinstance(fields, dict) or one.get("operation") not in (APPLY, UPDATE):
            raise errors.BadRequest(
                "metadata.managedFields: an entry needs fieldsV1, and the operation Apply or Update"
            )
        version = "" if one["operation"] == APPLY else str(one.get("apiVersion") or "")
        manager = Manager(str(one.get("manager") or ""), one["operation"], version, str(one.get("subresource") or ""))
        found[manager] = Owned(fields, str(one.get("time") or ""))
    return found


def replace(server: ApiServer, kind: Kind, key: Key, found: Managers, origin: Origin) -> Object:
    """Have an object managed as told from now on. Returns it with its new resourceVersion."""
    if server.store.get(key) is None:
        raise errors.not_found(kind.resource, key.name)
    stored = server.touch(key, origin)
    _remember(server.store, key, stored, found)
    return stored


CLIENT_SIDE = ("kubectl-client-side-apply", "before-first-apply")
