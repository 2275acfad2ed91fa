"""The Python API: a cluster that you open, write to, and reconcile. The CLI and `kpy serve` use nothing else.

    from minikube_py import Cluster

    cluster = Cluster.memory(nodes=3, seed=1)
    cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", ...})
    report = cluster.reconcile()
    cluster.list("pods", "default")

Every method raises a `KpyError` in Kubernetes' own words; nothing is half-written when it does.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minikube_py.api import kinds as kinds_table
from minikube_py.api.kinds import Kind, Registry
from minikube_py.api.types import Key, Object, Objects
from minikube_py.base import errors
from minikube_py.base.clock import Clock
from minikube_py.store.store import Change, Store
from minikube_py.store.view import StoreView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import NamedTuple

    from minikube_py.apiserver.authorizer import Subject
    from minikube_py.apiserver.verbs import ApiServer
    from minikube_py.engine.engine import Engine
    from minikube_py.engine.report import Deed, Report
    from minikube_py.programs.commands import Session
else:
    from minikube_py.base.record import NamedTuple


KUBERNETES_VERSION = "v1.36.2"
API_SERVICES = "apiservices.apiregistration.k8s.io"
TRAFFICS = "traffics.sim.kpy.dev"  # their counts are brought up to now when they are read
MANAGED_MAX = 5_000  # versions of objects whose managedFields are kept
MEMORY_EPOCH_S = 1_767_225_600  # 2026-01-01T00:00:00Z, where a cluster in memory starts unless told
CRDS = "customresourcedefinitions.apiextensions.k8s.io"


class _Undone(Exception):
    """Ends a `what_if`."""


class Info(NamedTuple):
    """What a cluster was made with."""

    name: str
    path: str
    kubernetes_version: str
    seed: int
    epoch_s: int


class Cluster:
    """One cluster. Use `open`, `make` or `memory`; close it, or use it as a context manager."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name
        self.view = StoreView(store)
        self._server: ApiServer | None = None
        self._engine: Engine | None = None
        self._registry: Registry | None = None
        self._managed: dict[tuple[str, str, str], Objects] = {}  # managedFields by resource, uid and version
        store.renewed = self._renew
        self.subject: Subject | None = None  # who asks; None: the administrator, who may do anything
        self.pace: Callable[[int], None] | None = None  # lets that many real seconds pass; None: time jumps
        self.manager = ""  # what the client calls itself in the log and in managedFields; '': as each verb is called

    # -- opening -------------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, path: str, *, name: str = "") -> Cluster:
        """Open a cluster file. Raises StoreError if it is missing, foreign, damaged or newer."""
        store = Store(str(path))
        if not store.meta("epoch_s"):
            raise errors.StoreError(f"{path} holds no cluster yet: it was left by a start that did not finish")
        return cls(store, name or str(path).rpartition("/")[2].removesuffix(".db"))

    @classmethod
    def make(cls, path: str, *, name: str, epoch_s: int, nodes: int = 3, seed: int = 0, **shape: Any) -> Cluster:
        """Make a cluster file: system namespaces and `nodes` nodes (the first one is the control plane).

        `shape`: cpu ('4'), memory ('8Gi'), kubernetes_version ('v1.36.2'), static_pods (False): whether the control
        plane's own pods are there, in kube-system; dual_stack (False): whether there is
        IPv6 beside IPv4; admission: configurations of admission plugins by name.
        """
        cluster = cls(Store(str(path), create=True), name)
        cluster._bootstrap(epoch_s=epoch_s, nodes=nodes, seed=seed, **shape)
        return cluster

    @classmethod
    def memory(
        cls,
        *,
        nodes: int = 3,
        seed: int = 1,
        epoch_s: int = MEMORY_EPOCH_S,
        wrap: Callable[[Object], Object] | None = None,
        **shape: Any,
    ) -> Cluster:
        """A cluster that lives as long as this object, for tests of manifests and operators."""
        cluster = cls(Store(":memory:", wrap=wrap), "memory")
        cluster._bootstrap(epoch_s=epoch_s, nodes=nodes, seed=seed, **shape)
        return cluster

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.store.close()

    def _bootstrap(
        self,
        *,
        epoch_s: int,
        nodes: int,
        seed: int,
        cpu: str = "4",
        memory: str = "8Gi",
        kubernetes_version: str = KUBERNETES_VERSION,
        static_pods: bool = False,
        dual_stack: bool = False,
        admission: Object | None = None,
    ) -> None:
        from minikube_py import bootstrap

        with self.store.transaction():
            if self.store.meta("epoch_s"):
                raise errors.StoreError(f"{self.store.path} holds a cluster already")
            for name, value in (
                ("epoch_s", epoch_s),
                ("now_s", epoch_s),
                ("seed", seed),
                ("kubernetes_version", kubernetes_version),
            ):
                self.store.set_meta(name, str(value))
            if admission:
                import json

                self.store.set_meta("admission", json.dumps(admission))
            bootstrap.fill(
                self.server,
                nodes=nodes,
                cpu=cpu,
                memory=memory,
                version=kubernetes_version,
                static_pods=static_pods,
                dual_stack=dual_stack,
            )
        self.reconcile()

    def _renew(self) -> None:
        """Another process, or the engine, has written: kinds may have come or gone, and a snapshot may have taken versions
        back."""
        self._managed.clear()
        self._registry = None
        if self._server is not None:
            self._server.registry = self.registry

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def info(self) -> Info:
        meta = self.store.meta
        return Info(
            self.name, self.store.path, meta("kubernetes_version"), int(meta("seed", "0")), int(meta("epoch_s", "0"))
        )

    @property
    def clock(self) -> Clock:
        """The cluster's virtual time."""
        return Clock(int(self.store.meta("now_s", "0")), int(self.store.meta("seed", "0")))

    @property
    def registry(self) -> Registry:
        """The kinds it serves: the table, and a row for each CustomResourceDefinition."""
        if self._registry is None:
            self._registry = registry_of(self.store)
        return self._registry

    @property
    def server(self) -> ApiServer:
        if self._server is None:
            from minikube_py.apiserver.verbs import ApiServer

            self._server = ApiServer(self.store, self.view, self.registry)
        return self._server

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            from minikube_py.engine.engine import Engine

            self._engine = Engine(self.server)
        return self._engine

    @property
    def warnings(self) -> list[str]:
        """What the API server warned of, until somebody clears it."""
        return self.server.warnings

    def transaction(self) -> AbstractContextManager[None]:
        """A whole command as one all-or-nothing write; nested use joins."""
        return self.store.transaction()

    # -- reading -------------------------------------------------------------------------------------------------

    @contextmanager
    def what_if(self) -> Iterator[None]:
        """Nothing that is written inside stays: for questions of what would be."""
        try:
            with self.store.transaction():
                yield
                raise _Undone
        except _Undone:
            self._registry = None

    def copy(self) -> Cluster:
        """A cluster in memory that is as this one is now, and gone with the object."""
        store = Store(":memory:")
        self.store.connection.backup(store.connection)
        return Cluster(store, self.name)

    def kind(self, word: str) -> Kind:
        """The kind that a word means ('po', 'deployments.apps'). NotFound in kubectl's words."""
        found = self.registry.named(word)
        if found is None:
            raise errors.UsageError(f'the server doesn\'t have a resource type "{word}"')
        return found

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object; `namespace` defaults to 'default' for namespaced kinds. Raises NotFound."""
        kind = self.kind(resource)
        self.authorize("get", kind, namespace, name)
        if kind.version == kinds_table.METRICS:
            return self._measured(kind, name, namespace)
        found = self._find(kind, name, namespace)
        if found is None:
            raise errors.not_found(kind.resource, name)
        return self._served(kind, found)

    def stored(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object as it is stored, for whoever may see one of its sides. Raises NotFound."""
        kind = self.kind(resource)
        if kind.version == kinds_table.METRICS:
            return self._measured(kind, name, namespace)
        found = self._find(kind, name, namespace)
        if found is None:
            raise errors.not_found(kind.resource, name)
        return found

    def _measured(self, kind: Kind, name: str, namespace: str) -> Object:
        """What the metrics server tells of one node or pod. Raises NotFound."""
        from minikube_py.autoscaling import metrics_api

        return metrics_api.one(kind.plural, self._key(kind, name, namespace).namespace, name, self.view, self.clock)

    def exists(self, resource: str, name: str, namespace: str = "") -> bool:
        """Whether there is an object of that name, whoever asks."""
        return self.store.get(self._key(self.kind(resource), name, namespace)) is not None

    def list(self, resource: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
        """Objects sorted by namespace and name; `namespace` None: of all. `labels`, `fields`: selectors as in kubectl."""
        kind = self.kind(resource)
        self.authorize("list", kind, namespace)
        if kind.version == kinds_table.METRICS:
            from minikube_py.autoscaling import metrics_api

            found = metrics_api.listed(kind.plural, namespace, self.view, self.clock)
        else:
            found = self.there(kind, namespace)
        if labels:
            from minikube_py.base import selector

            chosen = selector.parse(labels)
            found = [obj for obj in found if chosen.matches(obj["metadata"].get("labels") or {})]
        if fields:
            from minikube_py.api import fieldselectors

            matches = fieldselectors.parse(kind, fields)
            found = [obj for obj in found if matches(obj)]
        return [self._served(kind, obj) for obj in found] if kind.stored_as or kind.resource == TRAFFICS else found

    def list_at(self, resource: str, revision: int, namespace: str | None = None, *, verb: str = "list") -> Objects:
        """Objects as they were at a revision, sorted, in the version that is stored, for who may do `verb` with all of
        them. Raises Expired as `changes`."""
        kind = self.kind(resource)
        self.authorize(verb, kind, namespace)
        place = namespace if kind.namespaced else None
        found: dict[Key, Object] = {
            Key(kind.storage, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj
            for obj in self.there(kind, namespace)
        }
        for change in reversed(self.store.history(revision)) if revision < self.store.revision else ():
            if change.key.resource != kind.storage or place not in (None, change.key.namespace):
                continue
            if change.old is None:
                found.pop(change.key, None)
            else:
                found[change.key] = change.old
        objects = [found[key] for key in sorted(found)]
        return [self._served(kind, obj) for obj in objects] if kind.resource == TRAFFICS else objects

    def there(self, kind: Kind, namespace: str | None = None) -> Objects:
        """The objects of a kind, sorted, whoever asks: what is stored, and the APIServices of the server's own groups."""
        found = self.store.list(kind.storage, namespace if kind.namespaced else None)
        if kind.resource == API_SERVICES:
            names = {obj["metadata"]["name"] for obj in found}
            own = (obj for obj in self._local_services() if obj["metadata"]["name"] not in names)
            found = sorted((*found, *own), key=lambda obj: str(obj["metadata"]["name"]))
        return found

    def _find(self, kind: Kind, name: str, namespace: str) -> Object | None:
        found = self.store.get(self._key(kind, name, namespace))
        if found is None and kind.resource == API_SERVICES:
            return next((obj for obj in self._local_services() if obj["metadata"]["name"] == name), None)
        return found

    def _local_services(self) -> Iterator[Object]:
        from minikube_py.api import apiservices

        return apiservices.local(self.registry, self.clock.at(self.info.epoch_s))

    def _served(self, kind: Kind, obj: Object) -> Object:
        if kind.resource == TRAFFICS:
            from minikube_py.network import traffic

            return {**obj, "status": traffic.current(obj, self.view, self.clock)}
        if not kind.stored_as:
            return obj
        from minikube_py.api import convert

        return convert.to_version(kind, kind.version, obj)

    def _key(self, kind: Kind, name: str, namespace: str) -> Key:
        return Key(kind.storage, (namespace or "default") if kind.namespaced else "", name)

    def changes(self, since: int = 0) -> Iterator[Change]:
        """Every write after a revision, oldest first, with the object before and after; 0: all that the log has kept.

        Raises Expired for a revision that the log has forgotten.
        """
        return iter(self.store.history(since))

    def compact(self, keep: int) -> int:
        """Forget the history before the last `keep` revisions and give the space back; returns how many rows went."""
        with self.store.transaction():
            gone = self.store.compact(keep)
        if gone:
            self.store.vacuum()
        return gone

    def digest(self) -> str:
        """One hash of the whole state: equal commands on equal seeds and epochs give equal digests."""
        from minikube_py.store import digest

        return digest.digest(self.store.connection)

    # -- writing -------------------------------------------------------------------------------------------------

    def create(
        self,
        obj: Object,
        *,
        namespace: str = "default",
        dry_run: bool = False,
        validation: str = "Strict",
        manager: str = "kubectl-create",
    ) -> Object:
        """Create an object and return it as stored."""
        kind = self._kind_of(obj)
        self.authorize("create", kind, self._home(kind, obj, namespace))
        with self.store.transaction():
            created = self.server.create(
                kind, obj, namespace=self._home(kind, obj, namespace), origin=self._origin(manager), check=validation,
                dry_run=dry_run,
            )  # fmt: skip
            if not dry_run:
                self._after_write(kind)
        return created

    def bind(self, name: str, namespace: str, binding: Object, *, dry_run: bool = False) -> None:
        """Give a pod the node that a Binding names. Raises Invalid, NotFound, Conflict."""
        self.authorize("create", self.kind("pods"), namespace, name, "binding")
        target = binding.get("target") or {}
        if target.get("kind") not in (None, "", "Node") or not target.get("name"):
            told = (
                "Required value"
                if target.get("kind") in (None, "", "Node")
                else 'Unsupported value: supported values: "Node", "<empty>"'
            )
            field = "target.name" if told == "Required value" else "target.kind"
            raise errors.Invalid("Binding", "", name, [errors.Cause(field, f"FieldValue{told.split(' ')[0]}", told)])
        key = Key("pods", namespace or "default", name)
        if self.store.get(key) is None:
            raise errors.not_found("pods", name)
        if not dry_run:
            with self.store.transaction():
                self.server.bind(key, target["name"], origin=self._origin("kubectl"))

    def scale(
        self,
        resource: str,
        name: str,
        namespace: str,
        scale: Object,
        *,
        dry_run: bool = False,
        manager: str = "kubectl",
    ) -> Object:
        """Set the number of replicas through the scale subresource. Returns the scaled object."""
        kind = self.kind(resource)
        self.authorize("update", kind, namespace, name, "scale")
        with self.store.transaction():
            return self.server.scale(
                kind, self._key(kind, name, namespace), scale, origin=self._origin(manager), dry_run=dry_run
            )

    def apply(
        self,
        obj: Object,
        *,
        namespace: str = "default",
        dry_run: bool = False,
        local: bool = False,
        validation: str = "Strict",
    ) -> tuple[Object, str]:
        """Create an object or merge it into the stored one, as `kubectl apply`: three ways, with the last-applied
        annotation. Returns (the stored object, 'created' | 'configured' | 'unchanged'). `dry_run` lets the API server
        say what it would store, `local` does not even ask it (--dry-run=client)."""
        from minikube_py.apiserver import apply

        kind = self._kind_of(obj)
        home, name = self._home(kind, obj, namespace), (obj.get("metadata") or {}).get("name") or ""
        self.authorize("get", kind, home, name)
        if self.store.get(self._key(kind, name, home)) is None:
            self.authorize("create", kind, home)
        else:
            self.authorize("patch", kind, home, name)
        with self.store.transaction():
            result = apply.apply(
                self.server, kind, obj, namespace=self._home(kind, obj, namespace), check=validation, dry_run=dry_run,
                local=local, origin=self._origin(apply.MANAGER),
            )  # fmt: skip
            if not (dry_run or local or result[1] == "unchanged"):
                self._after_write(kind)
        return result

    def apply_server_side(
        self,
        obj: Object,
        *,
        namespace: str = "default",
        manager: str = "kubectl",
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """Server-side apply: `manager` owns the fields that `obj` names and no longer those that it named before.

        Raises Conflict where it would change what others manage, unless `force`.
        """
        from minikube_py.apiserver import managed_fields

        kind = self._kind_of(obj)
        home, name = self._home(kind, obj, namespace), (obj.get("metadata") or {}).get("name") or ""
        self.authorize("patch", kind, home, name)
        with self.store.transaction():
            applied = managed_fields.apply(
                self.server, kind, obj, namespace=home, force=force, dry_run=dry_run,
                origin=self._origin("")._replace(actor=manager),
            )  # fmt: skip
            if not dry_run:
                self._after_write(kind)
        return applied

    def take_over(self, resource: str, name: str, namespace: str = "", *, manager: str = "kubectl") -> bool:
        """Hand what client-side apply manages in an object to a server-side manager; whether there was anything."""
        from minikube_py.apiserver import managed_fields

        kind = self.kind(resource)
        self.authorize("patch", kind, namespace, name)
        with self.store.transaction():
            return managed_fields.migrate(self.server, kind, self._key(kind, name, namespace), manager)

    def with_managed_fields(self, resource: str, obj: Object) -> Object:
        """A stored object with its metadata.managedFields, which are computed from the log, once for each version."""
        kind, meta = self.kind(resource), obj["metadata"]
        version = (kind.storage, meta.get("uid", ""), meta.get("resourceVersion", ""))
        found = self._managed.get(version)
        if found is None:
            from minikube_py.apiserver import managed_fields

            if len(self._managed) >= MANAGED_MAX:
                self._managed.clear()
            found = self._managed[version] = managed_fields.entries(self.store, kind, obj)
        return {**obj, "metadata": {**meta, "managedFields": found}}

    def set_managed_fields(
        self, resource: str, name: str, namespace: str, entries: Objects, *, dry_run: bool = False
    ) -> Object:
        """Write metadata.managedFields as a client wants them. Raises BadRequest for what is none."""
        from minikube_py.apiserver import managed_fields

        kind = self.kind(resource)
        self.authorize("patch", kind, namespace, name)
        found = managed_fields.parsed(entries)
        stored = self.get(resource, name, namespace)
        if not dry_run:
            with self.store.transaction():
                stored = managed_fields.replace(
                    self.server, kind, self._key(kind, name, namespace), found, self._origin("")
                )
        return stored

    def update(
        self,
        obj: Object,
        *,
        subresource: str = "",
        namespace: str = "",
        dry_run: bool = False,
        validation: str = "Strict",
        manager: str = "kubectl-replace",
    ) -> Object:
        """Replace an object; a resourceVersion in it must be the stored one, else Conflict."""
        kind = self._kind_of(obj)
        self.authorize("update", kind, self._home(kind, obj, namespace), obj["metadata"]["name"], subresource)
        with self.store.transaction():
            updated = self.server.update(
                kind, obj, subresource=subresource, namespace=namespace, origin=self._origin(manager),
                check=validation, dry_run=dry_run,
            )  # fmt: skip
            if not dry_run:
                self._after_write(kind)
        return updated

    def patch(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        patch: Any = None,
        *,
        type: str = "merge",
        subresource: str = "",
        dry_run: bool = False,
        validation: str = "Strict",
        manager: str = "kubectl-patch",
    ) -> Object:
        """Change an object by a merge, json or strategic patch."""
        kind = self.kind(resource)
        self.authorize("patch", kind, namespace, name, subresource)
        with self.store.transaction():
            changed = self.server.patch(
                kind, self._key(kind, name, namespace), patch, form=type, subresource=subresource,
                origin=self._origin(manager), check=validation, dry_run=dry_run,
            )  # fmt: skip
            if not dry_run:
                self._after_write(kind)
        return changed

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        grace_s: int | None = None,
        propagation: str = "Background",
        uid: str = "",
        revision: str = "",
        verb: str = "delete",
        dry_run: bool = False,
    ) -> Object:
        """Delete an object (or mark it for deletion, where finalizers or a grace period hold it).

        `uid`, `revision`: the object must be the one of that uid and resourceVersion, else Conflict. `verb`: what the
        one who asks must be allowed to do.
        """
        kind = self.kind(resource)
        self.authorize(verb, kind, namespace, name if verb == "delete" else "")
        with self.store.transaction():
            deleted = self.server.delete(
                kind, self._key(kind, name, namespace), grace_s=grace_s, propagation=propagation, uid=uid,
                revision=revision, origin=self._origin("kubectl-delete"), dry_run=dry_run,
            )  # fmt: skip
            if not dry_run:
                self._after_write(kind)
        return deleted

    def create_token(self, name: str, namespace: str = "", spec: Object | None = None) -> Object:
        """A TokenRequest of a ServiceAccount, answered: `status.token` says who the bearer is.

        `spec`: audiences, expirationSeconds, boundObjectRef.
        """
        self.authorize("create", self.kind("serviceaccounts"), namespace, name, "token")
        key = Key("serviceaccounts", namespace or "default", name)
        return self.server.token(key, {"spec": spec or {}}, origin=self._origin(""))

    def evict(self, name: str, namespace: str = "", *, grace_s: int | None = None, dry_run: bool = False) -> None:
        """Evict a pod; TooManyRequests where a PodDisruptionBudget forbids it."""
        from minikube_py.apiserver import eviction

        self.authorize("create", self.kind("pods"), namespace, name, "eviction")
        with self.store.transaction():
            eviction.evict(
                self.server, Key("pods", namespace or "default", name), grace_s=grace_s, dry_run=dry_run,
                origin=self._origin("kubectl-drain"),
            )  # fmt: skip

    def connect(self, subresource: str, name: str, namespace: str = "", **options: Any) -> None:
        """Raises Forbidden, or what admission says, if the one who asks may not connect to a pod.

        `subresource`: exec, attach or portforward; `options`: of the PodExecOptions and the like (command, container, ...).
        """
        self.authorize("create", self.kind("pods"), namespace, name, subresource)
        kind = {"exec": "PodExecOptions", "attach": "PodAttachOptions", "portforward": "PodPortForwardOptions"}[
            subresource
        ]
        told = {"kind": kind, "apiVersion": "v1", **{name: value for name, value in options.items() if value}}
        key = Key("pods", namespace or "default", name)
        self.server.admit("CONNECT", key, subresource, told, origin=self._origin(""))

    def enter(self, pod: Object, container: Object) -> Session:
        """A session in a running container (see `leave`). Raises InternalError in the API server's words where there is
        none to enter."""
        from minikube_py.network import clients
        from minikube_py.programs import commands

        meta, name = pod["metadata"], container["name"]
        if not pod["spec"].get("nodeName"):
            raise errors.InternalError(f"Internal error occurred: pod {meta['name']} does not have a host assigned")
        self.check_node(pod, f"exec/{meta['namespace']}/{meta['name']}/{name}")
        if commands.started_s(name, pod) is None:
            told = f'unable to upgrade connection: container not found ("{name}")'
            raise errors.InternalError(f"Internal error occurred: {told}")
        session = commands.Session(container, pod, self.view, self.clock)
        session.run.clients = clients.inside(pod, self.view, self.clock)
        return session

    def cannot_start(self, pod: Object, container: Object, problem: str) -> str:
        """What containerd says of a command that runc cannot start."""
        words = (pod["metadata"]["uid"], container["name"], problem)
        number = "".join(f"{self.clock.token('exec', part, *words):016x}" for part in range(4))
        return (
            "Internal error occurred: Internal error occurred: error executing command in container: failed to exec in "
            f'container: failed to start exec "{number}": OCI runtime exec failed: exec failed: unable to start '
            f"container process: {problem}: unknown"
        )

    def leave(self, pod: Object, session: Session) -> None:
        """Store what a session has changed, and have the pod's kubelet look at it. Raises UsageError if it is too much."""
        key = Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        try:
            kept = session.kept(self.view.memory("kubelet", key))
        except ValueError as error:
            raise errors.UsageError(str(error)) from None
        if kept is None:
            return
        with self.transaction():
            self.store.remember("kubelet", key, kept)
            self.store.set_wake("kubelet", key, (self.clock.now_s, False))

    def _kind_of(self, obj: Object) -> Kind:
        version, name = obj.get("apiVersion"), obj.get("kind")
        found = self.registry.find(version, name) if isinstance(version, str) and isinstance(name, str) else None
        if found is None:
            raise errors.UsageError(
                f'no matches for kind "{obj.get("kind", "")}" in version "{obj.get("apiVersion", "")}"'
            )
        return found

    @staticmethod
    def _home(kind: Kind, obj: Object, namespace: str) -> str:
        metadata = obj.get("metadata")
        own = metadata.get("namespace") if isinstance(metadata, dict) else ""
        return (own if isinstance(own, str) and own else namespace) if kind.namespaced else ""

    @contextmanager
    def as_administrator(self) -> Iterator[None]:
        """What is asked inside, nobody is refused: whoever asks was let in by another rule."""
        before, self.subject = self.subject, None
        try:
            yield
        finally:
            self.subject = before

    def check_node(self, pod: Object, path: str) -> None:
        """Whether the pod's kubelet answers the API server. Raises InternalError where its machine is off."""
        from minikube_py.kubelet.pod import is_down

        name = pod["spec"].get("nodeName") or ""
        if not is_down(name, self.view):
            return
        addresses = self.stored("nodes", name)["status"].get("addresses") or ()
        address = next((one["address"] for one in addresses if one["type"] == "InternalIP"), name)
        raise errors.InternalError(
            f'Get "https://{address}:10250/{path}": dial tcp {address}:10250: connect: no route to host'
        )

    def authorize(self, verb: str, kind: Kind, namespace: str | None, name: str = "", subresource: str = "") -> None:
        """Forbidden if the one who asks may not. `namespace` None: in all of them."""
        if self.subject is None:
            return
        from minikube_py.apiserver import authorizer

        home = "" if namespace is None or not kind.namespaced else namespace or "default"
        resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
        target = authorizer.Target(kind.group, resource, home, name)
        if self._server is not None and self._server.trace is not None:
            self._server.trace += authorizer.notes(self.view, self.subject, verb, target)
        authorizer.require(self.view, self.subject, verb, target)

    def _origin(self, manager: str) -> Any:
        from minikube_py.apiserver.origin import Origin

        manager = self.manager or manager
        if self.subject is None:
            return Origin(manager)
        who = self.subject
        return Origin(manager, user=who.user, groups=who.groups, uid=who.uid, extra=who.extra)

    def _after_write(self, kind: Kind) -> None:
        """What a real cluster has done before a person can type the next command."""
        if kind.resource == CRDS:
            self.engine.run_only(("definition-cleanup",))
            self._establish()
        elif kind.resource == "namespaces":
            self.engine.run_only(("serviceaccount", "root-ca-cert-publisher"))

    def _establish(self) -> None:
        """CustomResourceDefinitions come into force: their names are accepted, their kinds are served."""
        from minikube_py.api import custom
        from minikube_py.apiserver.origin import Origin

        for key in self.store.keys(CRDS):
            crd = self.store.get(key)
            assert crd is not None, key
            others = [kind for kind in self.registry.kinds if kind.crd != key.name]
            status = custom.established(crd, self.clock.timestamp, others)
            if status != crd.get("status"):
                self.server.change(key, {"status": status}, "status", Origin("kube-apiserver"))
        self._registry = None
        self.server.registry = self.registry

    # -- time ----------------------------------------------------------------------------------------------------

    def reconcile(
        self,
        *,
        timeout_s: int = 600,
        for_s: int | None = None,
        until: Callable[[], bool] | None = None,
        step: bool = False,
        brief: bool = False,
        on_change: Callable[[Change], None] | None = None,
        on_deed: Callable[[Deed], None] | None = None,
    ) -> Report:
        """Run the scheduler, the controllers and the kubelets until the cluster has settled.

        `timeout_s`: at most so long (virtual); `for_s`: exactly so long; `until`: until it holds; `step`: one pass;
        `brief`: without saying who is unhealthy.
        `on_change` sees each write, `on_deed` each action of a component.
        """
        engine = self.engine
        engine.on_change, engine.on_deed = on_change, on_deed
        try:
            with self.store.turn():
                limit_s = self.clock.now_s + (for_s if for_s is not None else timeout_s)
                return engine.run(
                    limit_s=limit_s, to_the_end=for_s is not None, until=until, one_pass=step, brief=brief
                )
        finally:
            engine.on_change = engine.on_deed = None
            self._renew_kinds()

    def _renew_kinds(self) -> None:
        """A definition whose deletion the engine has finished takes its kind along."""
        known = {kind.crd for kind in self.registry.kinds if kind.crd}
        if known - {key.name for key in self.store.keys(CRDS)}:
            self._renew()

    def run_until(
        self,
        condition: Callable[[], bool],
        timeout_s: int | None = None,
        *,
        on_change: Callable[[Change], None] | None = None,
    ) -> bool:
        """Let time pass until a condition holds; returns whether it does. Without a timeout: until nothing more happens."""
        if condition():
            return True
        if self.pace is not None:
            return self._paced(condition, timeout_s, on_change, self.pace)
        engine = self.engine
        engine.on_change = on_change
        try:
            with self.store.turn():
                limit_s = self.clock.now_s + (timeout_s if timeout_s is not None else FOREVER_S)
                engine.run(limit_s=limit_s, to_the_end=timeout_s is not None, until=condition)
        finally:
            engine.on_change = None
            self._renew_kinds()
        return condition()

    def _paced(
        self,
        condition: Callable[[], bool],
        timeout_s: int | None,
        on_change: Callable[[Change], None] | None,
        pace: Callable[[int], None],
    ) -> bool:
        """`run_until` second by second at the pace of the wall clock. Other processes may write in between; their changes
        are told as well."""
        revision, limit_s = self.store.revision, self.clock.now_s + (timeout_s if timeout_s is not None else FOREVER_S)
        while self.clock.now_s < limit_s and not condition():
            pace(1)
            self.reconcile(for_s=1)
            found = self.store.history(revision)
            revision = self.store.revision
            for change in found if on_change is not None else ():
                assert on_change is not None
                on_change(change)
        return condition()


FOREVER_S = 100 * 365 * 86400


def registry_of(store: Store) -> Registry:
    """The kinds that a store serves."""
    keys = store.keys(CRDS)
    if not keys:
        return kinds_table.BUILTIN
    return kinds_table.BUILTIN.with_crds(crd for key in keys if (crd := store.get(key)) is not None)


def server_version(version: str) -> dict[str, str]:
    """What `GET /version` answers, in the order of its fields."""
    major, minor = version.removeprefix("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": version,
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": "2026-07-01T00:00:00Z",
        "goVersion": "go1.26.4",
        "compiler": "gc",
        "platform": "linux/amd64",
    }
