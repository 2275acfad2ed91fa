"""The API server without HTTP: the one set of verbs through which everybody writes.

create, update, patch and delete take the same road: decode, default, mutate, prepare, validate, check, put. Components of
the cluster (`origin.trusted`) skip decoding and validation of what they build from objects that were validated before;
tests run with `strict_engine` on, which validates those too.

Source: k8s.io/apiserver/pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import custom, decode, defaults, facets, pods, strategy, validation
from minikube_py.api.kinds import CREATE_ONLY
from minikube_py.api.types import Key
from minikube_py.apiserver import admission, allocate, conversion
from minikube_py.apiserver.origin import ADMIN, Origin
from minikube_py.base import errors, gotext, patch
from minikube_py.base.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind, Registry
    from minikube_py.api.types import Known, Object
    from minikube_py.apiserver.authorizer import Subject
    from minikube_py.store.store import Store
    from minikube_py.store.view import StoreView

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
GENERATE_ATTEMPTS_MAX = 8
# What the binding of a pod that nobody has looked at yet changes, and the way back: as the store would find out.
FIRST_BOUND = (
    '{"spec":{"nodeName":null},"status":{"conditions":null}}', facets.NODE | facets.SCHEDULED | facets.OTHER
)  # fmt: skip
TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
GENERATED_PREFIX_MAX = 58  # 63 less the five random characters


class Mould(NamedTuple):
    """A pod just `made` from `source`, an object that controllers hand over again and again for pods that are all alike;
    `structure`: what the cluster held besides pods (`Store.structure`)."""

    source: Object | None
    structure: int
    made: Object


class ApiServer:
    """Verbs over a store. `registry` changes when CustomResourceDefinitions do."""

    def __init__(self, store: Store, view: StoreView, registry: Registry) -> None:
        self.store = store
        self.view = view
        self.registry = registry
        self.warnings: list[str] = []
        self.strict_engine = False
        self.authenticator: Callable[[str, tuple[str, ...]], Subject | None] | None = None  # knows more tokens
        self.trace: list[admission.Note] | None = None  # collects what the rules decide; None: nobody asks
        self._clock = Clock(0)
        self._clock_text = ""
        self._settings: tuple[str, dict[str, Object]] = "", {}
        self._mould = Mould(None, -1, {})

    @property
    def clock(self) -> Clock:
        """The cluster's time, as the file has it: another process may have moved it."""
        text = self.store.now_text or self.store.meta("now_s", "0")
        if text is not self._clock_text:
            self._clock_text, self._clock = text, Clock(int(text), int(self.store.meta("seed", "0")))
        return self._clock

    def settings(self, plugin: str) -> Object:
        """What the AdmissionConfiguration with which the cluster was made says for a plugin; {} if nothing."""
        text = self.store.meta("admission")
        if text is not self._settings[0]:
            import json

            self._settings = text, json.loads(text) if text else {}
        return self._settings[1].get(plugin) or {}

    # -- create --------------------------------------------------------------------------------------------------

    def create(
        self,
        kind: Kind,
        obj: Object,
        *,
        namespace: str = "",
        origin: Origin = ADMIN,
        check: str = "Strict",
        dry_run: bool = False,
    ) -> Object:
        """Store a new object and return it. `check`: Strict, Warn or Ignore unknown fields.

        Raises BadRequest, Invalid, Forbidden, NotFound (its namespace), AlreadyExists.
        """
        if obj is self._mould.source and origin.trusted and self._mould.structure == self.store.structure:
            return self._cast(kind, origin)
        require_verb(kind, "create")
        source = obj
        obj = self._decoded(kind, obj, check, origin)
        if kind.verbs is CREATE_ONLY:
            from minikube_py.apiserver import reviews

            return reviews.answer(self, kind, obj, namespace, origin, dry_run=dry_run)
        obj = self._with_identity(kind, obj, namespace)
        obj = defaults.apply(kind, obj)
        request = self._request("CREATE", kind, key_of(kind, obj), obj, None, "", origin, dry_run)
        obj = self._mutated(request)
        meta = obj["metadata"]
        if not meta.get("name") and meta.get("generateName"):
            obj = {**obj, "metadata": {**meta, "name": self._generated_name(kind, meta)}}
        obj = strategy.prepare_create(kind, obj, user=origin.user, groups=origin.groups)
        if kind.resource == "services":
            obj = allocate.allocate(obj, None, self.view, self.clock)
        if not origin.trusted or self.strict_engine:
            self._validate(kind, obj, None, "")
        key = key_of(kind, obj)
        request = request._replace(object=obj, key=key)
        self.warnings += admission.check(request)
        there = self.store.get(key)
        if there is not None:
            raise taken(kind, key, there)
        if dry_run:
            return obj
        self._charge_quotas(request, origin)
        if origin.trusted and kind.resource == "pods" and self._is_repeatable(source):
            self._mould = Mould(source, self.store.structure, obj)
        return self._put(key, obj, origin)

    def _is_repeatable(self, source: Object) -> bool:
        """Whether another pod from the same object goes through all the same steps: nobody looks at its name, and nothing is
        counted. (Pods without an owner differ in the names of their token volumes. Tests that validate what the engine builds
        validate each.)"""
        meta = source["metadata"]
        if meta.get("name") or not meta.get("ownerReferences") or self.strict_engine:
            return False
        if not self.store.is_empty("resourcequotas", meta["namespace"]):
            return False
        return not any(self.store.loaded_keys(resource) for resource in admission.CONFIGURED_BY)

    def _cast(self, kind: Kind, origin: Origin) -> Object:
        """One more pod like the last one: only its name, uid and time of creation differ."""
        made = self._mould.made
        meta = made["metadata"]
        namespace, prefix = meta["namespace"], meta["generateName"]
        clock = self.clock
        uid = clock.uid(kind.storage, namespace, prefix, self.store.revision + 1)
        name = self._generated_name(kind, meta)
        meta = {**meta, "name": name, "uid": uid, "creationTimestamp": clock.timestamp}
        key, made = Key(kind.storage, namespace, name), {**made, "metadata": meta}
        return self.store.put(key, made, time_s=clock.now_s, actor=origin.actor, cause=origin.cause, fresh=True)

    def _with_identity(self, kind: Kind, obj: Object, namespace: str) -> Object:
        """Name, namespace, uid, creation time: what the server gives, whatever the client sent."""
        meta = dict(obj.get("metadata") or {})
        if meta.get("resourceVersion"):
            raise errors.BadRequest("resourceVersion should not be set on objects to be created")
        for name in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"):
            meta.pop(name, None)
        if kind.namespaced:
            meta["namespace"] = self._namespace(meta, namespace)
        else:
            meta.pop("namespace", None)
        meta["creationTimestamp"] = self.clock.timestamp
        name = meta.get("name") or meta.get("generateName") or ""
        meta["uid"] = self.clock.uid(kind.storage, meta.get("namespace", ""), name, self.store.revision + 1)
        return {**obj, "apiVersion": kind.version, "kind": kind.name, "metadata": meta}

    @staticmethod
    def _namespace(meta: Object, namespace: str) -> str:
        own = meta.get("namespace")
        if own and namespace and own != namespace:
            raise errors.BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        return str(own or namespace or "default")

    def _generated_name(self, kind: Kind, meta: Object) -> str:
        prefix = str(meta["generateName"])[:GENERATED_PREFIX_MAX]
        revision, clock = self.store.revision + 1, self.clock
        for attempt in range(GENERATE_ATTEMPTS_MAX):
            name = prefix + clock.suffix(kind.storage, meta.get("namespace", ""), prefix, revision, attempt)
            if self.store.is_free(Key(kind.storage, meta.get("namespace", ""), name), prefix):
                return name
        raise errors.already_exists(kind.resource, name)

    # -- update and patch ----------------------------------------------------------------------------------------

    def update(
        self,
        kind: Kind,
        obj: Object,
        *,
        namespace: str = "",
        subresource: str = "",
        origin: Origin = ADMIN,
        check: str = "Strict",
        dry_run: bool = False,
    ) -> Object:
        """Replace an object (or only its status). A resourceVersion in it must be the stored one, else Conflict."""
        require_verb(kind, "update")
        obj = self._decoded(kind, obj, check, origin)
        meta = obj.get("metadata") or {}
        if kind.namespaced:
            meta = {**meta, "namespace": self._namespace(meta, namespace)}
        obj = {**obj, "apiVersion": kind.version, "kind": kind.name, "metadata": meta}
        key = key_of(kind, obj)
        old = self._existing(kind, key)
        if meta.get("resourceVersion") and meta["resourceVersion"] != old["metadata"]["resourceVersion"]:
            raise errors.conflict(kind.resource, key.name)
        if meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
            raise errors.Conflict(
                f'Operation cannot be fulfilled on {kind.resource} "{key.name}": StorageError: invalid object, Code: 4, '
                f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {old['metadata']['uid']}"
            )
        return self._replace(kind, key, old, obj, subresource, origin, dry_run)

    def patch(
        self,
        kind: Kind,
        key: Key,
        fields: Any,
        *,
        form: str = "merge",
        subresource: str = "",
        origin: Origin = ADMIN,
        check: str = "Strict",
        dry_run: bool = False,
    ) -> Object:
        """Change an object by a merge, json or strategic patch."""
        require_verb(kind, "patch")
        old = self._existing(kind, key)
        if subresource == "scale":
            return self.scale(kind, key, _patched_scale(kind, old, fields, form), origin=origin, dry_run=dry_run)
        new = patched(kind, old, fields, form)
        if new == old:
            return old
        if not origin.trusted:
            new, warnings = decode.patched(kind, new, fields, form, check)
            self.warnings += warnings
        wanted = (new.get("metadata") or {}).get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise errors.conflict(kind.resource, key.name)
        return self._replace(kind, key, old, new, subresource, origin, dry_run)

    def _replace(
        self, kind: Kind, key: Key, old: Object, new: Object, subresource: str, origin: Origin, dry_run: bool
    ) -> Object:
        meta = without(new["metadata"], "managedFields", "selfLink")
        new = {**new, "metadata": {**meta, "resourceVersion": old["metadata"]["resourceVersion"]}}
        if subresource in ("", "ephemeralcontainers", "resize"):
            new = defaults.apply(kind, new)
        new = strategy.prepare_update(kind, new, old, subresource, now=self.clock.timestamp)
        request = self._request("UPDATE", kind, key, new, old, subresource, origin, dry_run)
        new = self._mutated(request)
        if kind.resource == "services" and not subresource:
            new = allocate.allocate(new, old, self.view, self.clock)
        if not origin.trusted or self.strict_engine:
            self._validate(kind, new, old, subresource)
        request = request._replace(object=new)
        self.warnings += admission.check(request)
        if new == old:
            return old
        if dry_run:
            return new
        if is_gone(key, new):
            self._remove(key, origin)
            return {**new, "metadata": {**new["metadata"], "resourceVersion": str(self.store.revision)}}
        if subresource != "status":
            self._charge_quotas(request, origin)
        return self._put(key, new, origin)

    def touch(self, key: Key, origin: Origin) -> Object:
        """Give an object a new resourceVersion, where only who manages its fields has changed."""
        return self._put(key, self._existing(self.registry.resource(key.resource), key), origin)

    def change(self, key: Key, fields: Object, subresource: str, origin: Origin, known: Known | None = None) -> Object:
        """A step's Patch: a merge patch by a trusted component, on the short road. Returns the stored object.

        Subresource 'status' changes the status, and the metadata that a step names along with it.
        """
        kind = self.registry.resource(key.resource)
        old = self._existing(kind, key)
        if known is not None and known.old is old and not self.strict_engine:
            return self._put(key, {**old, "status": known.status}, origin, (known.before, known.facets))
        if subresource == "binding":
            return self.bind(key, fields["spec"]["nodeName"], origin=origin)
        if subresource == "status":
            before, meta = old.get("status") or {}, old["metadata"]
            status = patch.merge(before, fields.get("status") or {})
            if "metadata" in fields:  # a Deployment's revision: an annotation that must not count as a new generation
                meta = patch.merge(meta, fields["metadata"])
            if status is before and meta is old["metadata"]:
                return old
            new = {**old, "metadata": meta, "status": status}
            if self.strict_engine:
                self._validate(kind, new, old, subresource)
            return self._put(key, new, origin)
        new = patch.merge(old, fields)
        return old if new is old else self._replace(kind, key, old, new, subresource, origin, dry_run=False)

    # -- subresources --------------------------------------------------------------------------------------------

    def bind(self, key: Key, node: str, *, origin: Origin) -> Object:
        """Give a pod its node (the scheduler's Bind): also marks it PodScheduled. Conflict if it has one."""
        pod = self._existing(self.registry.resource("pods"), key)
        if pods.node_of(pod):
            raise errors.Conflict(
                f'Operation cannot be fulfilled on pods/binding "{key.name}": '
                f'pod {key.name} is already assigned to node "{pods.node_of(pod)}"'
            )
        if pod["spec"].get("schedulingGates"):
            raise errors.Conflict(
                f'Operation cannot be fulfilled on pods/binding "{key.name}": '
                f"pod {key.name} has non-empty .spec.schedulingGates"
            )
        scheduled = {
            "lastProbeTime": None,
            "lastTransitionTime": self.clock.timestamp,
            "observedGeneration": pod["metadata"].get("generation", 1),
            "status": "True",
            "type": "PodScheduled",
        }
        status = without(pod.get("status") or {}, "nominatedNodeName")
        others = [found for found in status.get("conditions") or () if found["type"] != "PodScheduled"]
        new = {
            **pod,
            "spec": {**pod["spec"], "nodeName": node},
            "status": {**status, "conditions": [*others, scheduled]},
        }
        machine = self.store.get(Key("nodes", "", node))
        if machine is not None and TOPOLOGY[1] in (machine["metadata"].get("labels") or ()):
            meta = _with_topology(pod["metadata"], machine["metadata"]["labels"])
            new["metadata"] = {**meta, "labels": self.store.shared("labels", meta["labels"])}
        elif not others and pod.get("status") and status.keys() == pod["status"].keys() and "conditions" not in status:
            return self._put(key, new, origin, FIRST_BOUND)
        return self._put(key, new, origin)

    def scale(self, kind: Kind, key: Key, scale: Object, *, origin: Origin = ADMIN, dry_run: bool = False) -> Object:
        """Set spec.replicas through the scale subresource. Returns the scaled object."""
        if "scale" not in kind.subresources:
            raise errors.NotFound("the server could not find the requested resource")
        old = self._existing(kind, key)
        wanted = (scale.get("metadata") or {}).get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise errors.conflict(kind.resource, key.name)
        replicas = scale["spec"].get("replicas", 0)
        if replicas < 0:
            cause = errors.Cause(
                "spec.replicas", "FieldValueInvalid", f"Invalid value: {replicas}: must be greater than or equal to 0"
            )
            raise errors.Invalid("Scale", "autoscaling", key.name, [cause])
        return self._replace(kind, key, old, with_replicas(kind, old, replicas), "scale", origin, dry_run)

    def admit(
        self, verb: str, key: Key, subresource: str, obj: Object, *, origin: Origin = ADMIN, dry_run: bool = False
    ) -> None:
        """Ask admission about what is done with a pod: CONNECT with its PodExecOptions, CREATE of an Eviction."""
        kind = self.registry.resource(key.resource)
        request = self._request(verb, kind, key, obj, None, subresource, origin, dry_run)
        request = request._replace(object=admission.mutate(request))
        self.warnings += admission.check(request)

    def token(self, key: Key, wanted: Object, *, origin: Origin = ADMIN) -> Object:
        """Answer a TokenRequest for a ServiceAccount (its subresource 'token'); nothing is stored."""
        from minikube_py.apiserver import tokens
        from minikube_py.apiserver.admission import node_restriction

        node_restriction.token(self.view, origin.user, key, wanted)

        account = self._existing(self.registry.resource("serviceaccounts"), key)
        return tokens.request(self.view, self.clock, account, wanted)

    # -- delete --------------------------------------------------------------------------------------------------

    def delete(
        self,
        kind: Kind,
        key: Key,
        *,
        grace_s: int | None = None,
        propagation: str = "",
        uid: str = "",
        revision: str = "",
        origin: Origin = ADMIN,
        dry_run: bool = False,
    ) -> Object:
        """Delete an object, or mark it for deletion where finalizers or a grace period hold it.

        Returns the object as it was last; it is still there iff `store.get(key)` says so.
        """
        require_verb(kind, "delete")
        old = self._existing(kind, key)
        if uid and uid != old["metadata"]["uid"]:
            raise errors.Conflict(
                f'Operation cannot be fulfilled on {kind.resource} "{key.name}": Precondition failed: '
                f"UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
            )
        if revision and revision != old["metadata"]["resourceVersion"]:
            raise errors.Conflict(
                f'Operation cannot be fulfilled on {kind.resource} "{key.name}": Precondition failed: ResourceVersion in '
                f"precondition: {revision}, ResourceVersion in object meta: {old['metadata']['resourceVersion']}"
            )
        request = self._request("DELETE", kind, key, None, old, "", origin, dry_run)
        admission.mutate(request)  # nothing to change, but NamespaceLifecycle refuses here
        self.warnings += admission.check(request)
        if dry_run:
            return old
        meta = old["metadata"]
        finalizers = finalizers_for(meta.get("finalizers") or [], propagation)
        if key.resource == CRDS and custom.CLEANUP not in finalizers:
            finalizers = [*finalizers, custom.CLEANUP]
        grace_s = grace_of(key, old, grace_s)
        if not grace_s and not is_held(key, {**old, "metadata": {**meta, "finalizers": finalizers}}):
            if key.resource == "pods" and "deletionTimestamp" not in meta:  # watchers see the mark before the deletion
                self._mark_deleted(key, old, finalizers, 0, origin)
            return self._remove(key, origin)
        return self._mark_deleted(key, old, finalizers, grace_s, origin)

    def _mark_deleted(self, key: Key, old: Object, finalizers: list[str], grace_s: int, origin: Origin) -> Object:
        meta = old["metadata"]
        new_meta = {**meta, "finalizers": finalizers} if finalizers else without(meta, "finalizers")
        due = self.clock.at(self.clock.now_s + grace_s).timestamp
        if "deletionTimestamp" not in meta:
            new_meta["deletionTimestamp"], new_meta["deletionGracePeriodSeconds"] = due, grace_s
            if meta.get("generation"):
                new_meta["generation"] = meta["generation"] + 1
        elif grace_s < meta["deletionGracePeriodSeconds"]:  # a second delete may only shorten the wait
            new_meta["deletionTimestamp"], new_meta["deletionGracePeriodSeconds"] = due, grace_s
        new = {**old, "metadata": new_meta}
        if key.resource == "namespaces":
            new["status"] = {**(old.get("status") or {}), "phase": "Terminating"}
        elif key.resource == CRDS and "deletionTimestamp" not in meta:
            new["status"] = custom.terminating(old, self.clock.timestamp, "InstanceDeletionPending")
        return old if new == old else self._put(key, new, origin)

    # -- shared --------------------------------------------------------------------------------------------------

    def _existing(self, kind: Kind, key: Key) -> Object:
        found = self.store.get(key)
        if found is None:
            raise errors.not_found(kind.resource, key.name)
        return found

    def _decoded(self, kind: Kind, obj: Object, check: str, origin: Origin) -> Object:
        if origin.trusted:
            return obj
        decoded, warnings = decode.decode(kind, obj, check)
        self.warnings += warnings
        return conversion.to_stored(self.view, self.clock, kind, decoded)

    @staticmethod
    def _mutated(request: admission.Request) -> Object:
        changed = admission.mutate(request)
        assert changed is not None, request.verb  # only a DELETE has no object
        return changed

    def _request(
        self,
        verb: str,
        kind: Kind,
        key: Key,
        obj: Object | None,
        old: Object | None,
        subresource: str,
        origin: Origin,
        dry_run: bool,
    ) -> admission.Request:
        return admission.Request(
            verb, kind, key, obj, old, subresource, origin.user, origin.groups, dry_run, self.clock, self.view,
            self.settings, self.trace, origin.uid, origin.extra, self.warnings,
        )  # fmt: skip

    def _charge_quotas(self, request: admission.Request, origin: Origin) -> None:
        """What a write adds to the quotas of its namespace stands in their status at once."""
        if not request.key.namespace or self.store.is_empty("resourcequotas", request.key.namespace):
            return
        from minikube_py.apiserver.admission import quota

        for key, status in quota.charge(request):
            stored = self.store.get(key)
            if stored is not None and stored.get("status") != status:
                self._put(key, {**stored, "status": status}, origin)

    def _validate(self, kind: Kind, obj: Object, old: Object | None, subresource: str) -> None:
        causes = validation.validate(kind, obj, old, subresource)
        if causes:
            raise errors.Invalid(kind.name, kind.group, obj["metadata"].get("name", ""), causes)

    def _put(self, key: Key, obj: Object, origin: Origin, known: tuple[str, int] | None = None) -> Object:
        return self.store.put(key, obj, time_s=self.clock.now_s, actor=origin.actor, cause=origin.cause, known=known)

    def _remove(self, key: Key, origin: Origin) -> Object:
        return self.store.remove(key, time_s=self.clock.now_s, actor=origin.actor, cause=origin.cause)


def _with_topology(meta: Object, of_node: dict[str, str]) -> Object:
    """PodTopologyLabels: a pod that is bound gets region and zone of its node, unless it has labels of these names
    (plugin/pkg/admission/podtopologylabels/admission.go)."""
    found = {name: of_node[name] for name in TOPOLOGY if name in of_node}
    return {**meta, "labels": {**found, **(meta.get("labels") or {})}}


def taken(kind: Kind, key: Key, there: Object) -> errors.AlreadyExists:
    """The refusal of a name that an object has; one that is on its way out is told apart."""
    found = errors.already_exists(kind.resource, key.name)
    if "deletionTimestamp" not in there["metadata"]:
        return found
    return errors.AlreadyExists(f"object is being deleted: {found}", details=found.details)


def require_verb(kind: Kind, verb: str) -> None:
    if verb not in kind.verbs:
        raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")


def key_of(kind: Kind, obj: Object) -> Key:
    meta = obj.get("metadata") or {}
    return Key(kind.storage, meta.get("namespace") or "" if kind.namespaced else "", meta.get("name") or "")


def without(meta: Object, *names: str) -> Object:
    return {key: value for key, value in meta.items() if key not in names}


def patched(kind: Kind, old: Object, fields: Any, form: str) -> Object:
    """The object that a patch makes of `old`. Raises BadRequest or Invalid where the patch doesn't apply.

    Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
    """
    if form == "json":
        return _json_patched(old, fields)
    lists = None
    if form == "strategic":
        from minikube_py.api import schema

        lists = schema.merge_keys(kind.version, kind.name)
    if form == "strategic" and lists is None:
        raise errors.UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        )
    if not isinstance(fields, dict):
        raise errors.BadRequest(
            f"{'error decoding patch: ' if form == 'merge' else ''}json: cannot unmarshal {_json_type(fields)} "
            "into Go value of type map[string]interface {}"
        )
    if lists is None:
        merged: Object = patch.merge(old, fields)
        return merged
    try:
        return patch.strategic(old, fields, lists)
    except patch.PatchError as error:
        raise errors.BadRequest(str(error)) from None


def _json_patched(old: Object, operations: Any) -> Object:
    if not isinstance(operations, list):
        raise errors.BadRequest(
            f"json: cannot unmarshal {_json_type(operations)} into Go value of type jsonpatch.Patch"
        )
    for operation in operations:
        if not isinstance(operation, dict):
            raise errors.BadRequest(
                f"json: cannot unmarshal {_json_type(operation)} into Go value of type jsonpatch.Operation"
            )
    try:
        new = patch.json_patch(old, operations)
    except patch.PatchError:
        new = None
    if not isinstance(new, dict):
        told = "the server rejected our request due to an error in our request"
        raise errors.Invalid("", "", "", [], message=told)
    return new


def _patched_scale(kind: Kind, old: Object, fields: Any, form: str) -> Object:
    """The Scale that a patch wants. Raises BadRequest or Invalid where it is none any more."""
    form = "merge" if form == "strategic" else form  # a Scale has no lists to merge
    scale = patched(kind, scale_of(kind, old), fields, form)
    spec, metadata = scale.get("spec") or {}, scale.get("metadata") or {}
    if not isinstance(spec, dict) or not isinstance(metadata, dict) or type(spec.get("replicas") or 0) is not int:
        text = f"Invalid value: {gotext.quoted(gotext.json_text(scale))}: json: cannot unmarshal into Go value of type v1.Scale"
        raise errors.Invalid("", "", "", [errors.Cause("patch", "FieldValueInvalid", text)])
    return {**scale, "spec": {**spec, "replicas": spec.get("replicas") or 0}, "metadata": metadata}


def _json_type(value: Any) -> str:
    """What encoding/json calls the sort of a value."""
    names = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    return names.get(type(value), "null")


def scale_of(kind: Kind, obj: Object) -> Object:
    """The Scale object of a workload (autoscaling/v1); of a custom one by the paths that its definition tells."""
    meta = obj["metadata"]
    kept = ("creationTimestamp", "name", "namespace", "resourceVersion", "uid")
    wanted, counted, chosen = _scale(kind, obj)
    status: Object = {"replicas": counted}
    if chosen or not kind.crd:
        status["selector"] = chosen
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {name: meta[name] for name in kept if name in meta},
        "spec": {"replicas": wanted},
        "status": status,
    }


def _scale(kind: Kind, obj: Object) -> tuple[int, int, str]:
    """(replicas wished for, replicas there are, label selector)"""
    paths = scale_paths(kind)
    if paths is not None:
        found = [_at(obj, path) for path in paths]
        return int(found[0] or 0), int(found[1] or 0), str(found[2] or "")
    from minikube_py.base import selector

    spec, status = obj["spec"], obj.get("status") or {}
    wanted = spec.get("selector") or {}
    is_map = bool(wanted) and not {"matchLabels", "matchExpressions"} & wanted.keys()
    chosen = selector.from_map(wanted) if is_map else selector.from_label_selector(wanted)
    return spec.get("replicas", 0), status.get("replicas", 0), chosen.text


def scale_paths(kind: Kind) -> tuple[str, str, str] | None:
    """Where a custom kind's scale is; None for built-in ones."""
    return kind.schemas.scales.get(kind.version) if kind.schemas is not None else None


def _at(obj: Any, path: str) -> Any:
    for name in path.strip(".").split("."):
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def with_replicas(kind: Kind, obj: Object, replicas: int) -> Object:
    """The object with so many replicas wished for."""
    paths = scale_paths(kind)
    fields: Any = replicas
    for name in reversed(paths[0].strip(".").split(".") if paths else ("spec", "replicas")):
        fields = {name: fields}
    merged: Object = patch.merge(obj, fields)
    return merged


def finalizers_for(present: list[str], propagation: str) -> list[str]:
    """The finalizers that a deletion leaves: one of the garbage collector's two, or neither."""
    others = [name for name in present if name not in ("foregroundDeletion", "orphan")]
    if propagation == "Foreground":
        return [*others, "foregroundDeletion"]
    if propagation == "Orphan":
        return [*others, "orphan"]
    return others if propagation == "Background" else present


def grace_of(key: Key, obj: Object, wanted: int | None) -> int:
    """Seconds that a deletion waits: only pods that run somewhere have a grace period."""
    if key.resource != "pods" or not pods.node_of(obj) or pods.is_finished(obj):
        return 0
    if wanted is not None:
        return wanted
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30))


def is_held(key: Key, obj: Object) -> bool:
    """Whether finalizers hold an object that is being deleted (a namespace has its own in its spec)."""
    if obj["metadata"].get("finalizers"):
        return True
    return key.resource == "namespaces" and bool((obj.get("spec") or {}).get("finalizers"))


def is_gone(key: Key, obj: Object) -> bool:
    """Whether an object that was marked for deletion has nothing left that keeps it: no finalizer, no grace period."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or is_held(key, obj):
        return False
    return key.resource != "pods" or not meta.get("deletionGracePeriodSeconds")
