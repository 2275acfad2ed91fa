"""The store: one SQLite file with one log. etcd's place, and the only code that writes rows.

Within a transaction, changed objects are kept in memory and written at `flush` (before the next query that needs SQL, and
at commit), so an object that changes five times in one instant costs five log rows and one body.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from minikube_py.api import facets, pods
from minikube_py.api.types import Key, Keys, Object, Objects
from minikube_py.base import errors, jsontext, patch
from minikube_py.store import compaction, indexes, schema, turns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from typing import NamedTuple

    from minikube_py.api.types import Derived
    from minikube_py.base.errors import StoreError
else:
    import _sqlite3 as sqlite3  # all of `sqlite3` but its converters of dates, which take longer to load

    from minikube_py.base.record import NamedTuple


CACHE_MAX = 60_000  # objects kept parsed between transactions
COMMIT_WRITES, COMMIT_INSTANTS = 100_000, 200  # a transaction of the engine ends with the first of these
COUNTED = facets.CAME | facets.WENT | facets.NODE | facets.SPEC | facets.ENDED  # what a pod means to its node


class Change(NamedTuple):
    """One row of the log with both versions: `old` is None at a creation, `new` at a deletion.

    `verb`: create, update or delete. `actor`: the component or user. `cause`: the revision that led to it, 0 if none.
    `facets`: what of a pod has changed (see `api.facets`); ALL where nobody has looked.
    """

    revision: int
    time_s: int
    verb: str
    key: Key
    actor: str
    cause: int
    old: Object | None
    new: Object | None
    facets: int = facets.ALL


Changes: TypeAlias = list[Change]
Filed: TypeAlias = list[tuple[str, Key]]  # names of buckets and what lies in them
Due: TypeAlias = list[tuple[str, Key]]  # steps and keys
Followers: TypeAlias = "list[tuple[Derived, int]]"  # caches, each with the facets it wants to know of


class Bucket:
    """The keys of one loaded bucket, sorted when asked for."""

    __slots__ = ("_sorted", "keys")

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = dict.fromkeys(keys)
        self._sorted: Keys | None = None

    def add(self, key: Key) -> None:
        if key not in self.keys:
            self.keys[key] = None
            self._sorted = None

    def discard(self, key: Key) -> None:
        if key in self.keys:
            del self.keys[key]
            self._sorted = None

    def sorted(self) -> Keys:
        if self._sorted is None:
            self._sorted = sorted(self.keys)
        return self._sorted


class Rows(list[tuple[Any, ...]]):
    """The whole answer to a query: read at once, so that a damaged page is noticed where it is explained."""

    def fetchone(self) -> Any:
        return self[0] if self else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self


class Store:
    """A session over one cluster file. Not shared between threads."""

    def __init__(self, path: str, *, create: bool = False, wrap: Callable[[Object], Object] | None = None) -> None:
        """`wrap` sees every object that enters the session (tests freeze them)."""
        self.path = path
        self.connection = schema.connect(path, create=create)
        self.changes: Changes = []  # of this session, until somebody drains them
        self.wait_told: Callable[[], None] = _do_nothing  # called when another writer has long been waited for
        self.renewed: Callable[[], None] = _do_nothing  # called when another process has written
        self.written = 0  # how many rows of the log this session has made
        self._committed = 0  # how many of them are safe
        self._instants = 0  # how many have ended in this transaction
        self.tells_events = False  # whether new events are among `changes`: few want to know of each
        self.structure = 0  # moves on with every write to anything but pods and events
        self._wrap = wrap
        self._depth = 0
        self._turn = turns.lock(path, turns.TURN)
        self._door = turns.lock(path, turns.DOOR)
        self._failed: StoreError | None = None  # the file failed within this transaction: nothing of it may be kept
        self._reset()
        # before anything is read: what others write from now on makes `_refresh` forget it
        self._data_version: int = self._execute("PRAGMA data_version").fetchone()[0]

    # -- transactions --------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One all-or-nothing command or instant; nested use joins the outer one. Raises StoreError."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._begin()
        self._depth = 1
        try:
            self._refresh()
            yield
            self.flush()
            self._commit()
        except BaseException:
            self._reset()
            if self.connection.in_transaction:
                with suppress(sqlite3.Error):  # closing the connection rolls back, too
                    self.connection.execute("ROLLBACK")
            raise
        finally:
            self._depth, self._failed = 0, None
        self._trim()

    def _commit(self) -> None:
        self._execute("COMMIT")
        self._committed, self._instants = self.written, 0

    def _trim(self) -> None:
        """Forget what is safely written, where much has been read."""
        if len(self._objects) > CACHE_MAX:
            self._objects.clear()
            self._born.clear()
            self._fresh.clear()
            self._slept.clear()
            self._lies_in.clear()
            self._named.clear()
            self._shared.clear()
            self._told_events.clear()

    def checkpoint(self) -> bool:
        """An instant ends here. If much has happened since the last commit, or somebody else wants to write, this commits and
        begins anew, and is True: the work so far is safe, the session goes on. (What changes at three instants of one transaction is
        written once. A kill loses the transaction, which the next run does again.)"""
        self._instants += 1
        is_small = self._instants < COMMIT_INSTANTS and self.written - self._committed < COMMIT_WRITES
        if is_small and not self._door.is_wanted():
            return False
        self.flush()
        self._commit()
        self._begin()
        self._trim()
        self._refresh()
        return True

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While held, no other process lets time pass. Within a transaction there is nobody to wait for."""
        if self._depth:
            yield
            return
        with turns.held(self._turn, self._tell_once):
            self._refresh()
            yield

    def _begin(self) -> None:
        """BEGIN IMMEDIATE, behind those who came first, however long it takes them."""
        with turns.held(self._door, self._tell_once):
            while True:
                try:
                    self.connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.Error as error:
                    if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                        raise schema.explain(error, self.path) from error
                    self._tell_once()

    def _tell_once(self) -> None:
        tell, self.wait_told = self.wait_told, _do_nothing
        tell()

    def close(self) -> None:
        self.connection.close()

    def _execute(self, sql: str, values: tuple[Any, ...] = ()) -> Rows:
        if self._failed is not None:
            raise self._failed
        try:
            return Rows(self.connection.execute(sql, values))
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StoreError:
        """The error in a sentence; the open transaction is lost. (A full disk makes SQLite roll back by itself: whoever
        caught the error and went on would write outside of any transaction.)"""
        explained = schema.explain(error, self.path)
        if self._depth:
            self._failed = explained
        return explained

    def _parsed(self, text: str) -> Any:
        return self._reader(1)(text)

    def _reader(self, count: int) -> Callable[[str], Any]:
        """The function to read `count` texts of the file with. Raises StoreError."""
        read = jsontext.loader(count)

        def checked(text: str) -> Any:
            try:
                return read(text)
            except (ValueError, TypeError) as error:
                raise schema.damaged(self.path, str(error)) from error

        return checked

    @property
    def is_idle(self) -> bool:
        """Outside every transaction."""
        return not self._depth

    def refresh(self) -> None:
        """Outside a transaction: see what other processes have written since."""
        if not self._depth:
            self._refresh()

    def _refresh(self) -> None:
        """Forget what is cached if another process has written since."""
        version = self._execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._data_version = version
            self._reset()
            self.renewed()

    def _reset(self) -> None:
        self._objects: dict[Key, Object | None] = {}
        self._ids: dict[Key, int] = {}
        self._events: dict[Key, tuple[int, str]] = {}  # new ones that are not written yet: revision, text
        self._told_events: dict[Key, None] = {}  # the keys of those of this session
        self._dirty: dict[Key, tuple[str, ...]] = {}  # changed objects, with the buckets that SQL has for them
        self._lies_in: dict[Key, tuple[str, ...]] = {}  # the buckets that what was written in this session lies in now
        self._dirty_resources: dict[str, None] = {}
        self._come: dict[
            str, dict[Key, None]
        ] = {}  # what has come into buckets that are not loaded, and may have left again
        self._shared: dict[tuple[str, Any], Any] = {}  # labels and owners of pods
        self._named: dict[tuple[str, str, str], dict[str, None]] = {}  # the names that SQL has behind a prefix
        self._born: dict[str, None] = {}  # uids created in this session: SQL knows nothing about them
        self._fresh: dict[Key, None] = {}  # and their keys
        self._log: list[tuple[Any, ...]] = []
        self._buckets: dict[str, Bucket] = {}
        self._counts: dict[str, int] = {}  # of the resources that were asked about
        self._counters: dict[str, dict[str, int]] = {}
        self._dirty_counters: dict[str, None] = {}
        self._wakes: dict[tuple[str, Key], tuple[int, bool] | None] = {}
        self._slept: dict[tuple[str, Key], None] = {}  # who has asked for a wake in this session
        self._memory: dict[tuple[str, Key], Object] = {}
        self._dirty_memory: dict[tuple[str, Key], None] = {}
        self._remembering: dict[str, None] = {}  # the steps that wrote some
        self._derived: dict[str, Derived] = {}
        self._concerned: dict[
            str, list[tuple[Derived, int]]
        ] = {}  # resource -> the caches that look at it, at what of pods
        self.structure += 1
        self._meta: dict[str, str] | None = None
        self.now_text = ""  # meta "now_s", once it has been read: every write asks for it
        self._dirty_meta: dict[str, None] = {}
        self._revision = -1
        self._next_id = -1
        self.changes.clear()

    # -- meta ----------------------------------------------------------------------------------------------------

    def meta(self, name: str, default: str = "") -> str:
        if self._meta is None:
            self._meta = dict(self._execute("SELECT name, value FROM meta"))
            self.now_text = self._meta.get("now_s", "0")
        return self._meta.get(name, default)

    def set_meta(self, name: str, value: str) -> None:
        if self.meta(name) != value:
            assert self._meta is not None
            self._meta[name] = value
            if name == "now_s":
                self.now_text = value
            self._dirty_meta[name] = None

    @property
    def revision(self) -> int:
        """The newest revision; the resourceVersion of a list."""
        if not self._depth:
            self._refresh()
        if self._revision < 0:
            self._revision = self._execute("SELECT coalesce(max(revision), 0) FROM log").fetchone()[0]
        return self._revision

    @property
    def compacted(self) -> int:
        """The newest revision that the log has forgotten, 0 if none: what came after it can be told."""
        return int(self.meta("compacted", "0"))

    def compact(self, keep: int, *, slack: int = 0) -> int:
        """Forget all but the last `keep` revisions, if more than `slack` others are held; returns how many went.

        What the engine has not read yet is never forgotten.
        """
        floor = min(self.revision - max(keep, 1), int(self.meta("cursor", "0")))
        if floor - self.compacted <= slack:
            return 0
        self.flush()
        try:
            gone = compaction.forget(self.connection, floor, events_read=int(self.meta("expired", "0")))
        except sqlite3.Error as error:
            raise schema.explain(error, self.path) from error
        self.set_meta("compacted", str(floor))
        return gone

    def vacuum(self) -> None:
        """Give free pages back to the file system; where others are using the file, another time."""
        with suppress(sqlite3.OperationalError):
            self.connection.execute("VACUUM")

    def _check_kept(self, since: int) -> None:
        if since < self.compacted:
            raise errors.Expired(f"too old resource version: {since} ({self.compacted})")

    # -- reading -------------------------------------------------------------------------------------------------

    def get(self, key: Key) -> Object | None:
        try:
            return self._objects[key]
        except KeyError:
            pass
        if key in self._events:
            return self._read_event(key)
        row = self._execute(
            "SELECT id, body FROM object WHERE resource = ? AND namespace = ? AND name = ?", tuple(key)
        ).fetchone()
        if row is None:
            self._objects[key] = None
            return None
        return self._enter(key, row[0], self._parsed(row[1]))

    def _enter(self, key: Key, row_id: int, obj: Object) -> Object:
        if key.resource == "pods":
            meta = obj["metadata"]
            for field in ("labels", "ownerReferences"):
                if meta.get(field):
                    meta[field] = self.shared(field, meta[field])
        if self._wrap is not None:
            obj = self._wrap(obj)
        self._objects[key] = obj
        self._ids[key] = row_id
        return obj

    def shared(self, field: str, value: Any) -> Any:
        """The one object for all equal labels, or ownerReferences, of pods. Those of one controller have equal ones: who looks
        at many pods then sees at once that they are alike."""
        key: Any = tuple(value.items()) if field == "labels" else value[0].get("uid")
        known = self._shared.setdefault((field, key), value)
        return known if known is value or known == value else value

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        """All objects of a resource (of one namespace), sorted by namespace and name."""
        name = f"r:{resource}" if namespace is None else f"r:{resource}/{namespace}"
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._load_all(name, resource, namespace)
        return self._objects_of(bucket.sorted()) if bucket.keys else []

    def loaded_keys(self, resource: str) -> Keys:
        """The keys of a (small) resource, which is read once and then known: a question of every write."""
        bucket = self._buckets.get(f"r:{resource}")
        if bucket is None:
            bucket = self._load_all(f"r:{resource}", resource, None)
        return bucket.sorted()

    def is_empty(self, resource: str, namespace: str) -> bool:
        """Whether a namespace has no object of a resource."""
        bucket = self._buckets.get(f"r:{resource}/{namespace}")
        return not bucket.keys if bucket is not None else not self.list(resource, namespace)

    def has_resource(self, resource: str) -> bool:
        """Whether there is any object of a resource, without reading them."""
        bucket = self._buckets.get(f"r:{resource}")
        if bucket is not None:
            return bool(bucket.keys)
        self._flush_resource(resource)
        return bool(self._execute("SELECT 1 FROM object WHERE resource = ? LIMIT 1", (resource,)))

    def count(self, resource: str) -> int:
        """How many objects a resource has; counted once, and kept."""
        found = self._counts.get(resource)
        if found is None:
            self._flush_resource(resource)
            found = self._execute("SELECT count(*) FROM object WHERE resource = ?", (resource,)).fetchone()[0]
            self._counts[resource] = found
        return found

    def keys(self, resource: str) -> Keys:
        """The keys of a resource ('*': of all), in order, without reading bodies."""
        bucket = self._buckets.get(f"r:{resource}")
        if bucket is not None:
            return bucket.sorted()
        self.flush()
        where, values = ("", ()) if resource == "*" else ("WHERE resource = ?", (resource,))
        sql = f"SELECT resource, namespace, name FROM object {where} ORDER BY resource, namespace, name"
        return [Key(*row) for row in self._execute(sql, values)]

    def bodies(self, resource: str, namespace: str | None = None) -> Iterator[str]:
        """The JSON texts of a resource in key order, unparsed: for commands that print many objects once."""
        self.flush()
        where, values = ("", (resource,)) if namespace is None else ("AND namespace = ?", (resource, namespace))
        sql = f"SELECT body FROM object WHERE resource = ? {where} ORDER BY namespace, name"
        try:
            for row in self.connection.execute(sql, values):
                yield row[0]
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def bucket(self, name: str) -> Keys:
        """The keys of one bucket of the index (see `indexes`), sorted."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._load_bucket(name)
        return bucket.sorted()

    def has_any(self, name: str) -> bool:
        """Whether anything lies in a bucket."""
        bucket = self._buckets.get(name)
        return bool(self.bucket(name) if bucket is None else bucket.keys)

    def buckets_after(self, prefix: str, resource: str) -> Filed:
        """Of every bucket whose name begins so: the rest of its name, and the keys in it, all of one resource. Read without
        bodies."""
        self._flush_resource(resource)
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = self._execute(
            "SELECT b.bucket, o.resource, o.namespace, o.name FROM bucket b JOIN object o ON o.id = b.object "
            "WHERE b.bucket >= ? AND b.bucket < ? ORDER BY 1, 2, 3, 4",
            (prefix, end),
        )
        return [(row[0][len(prefix) :], Key(*row[1:])) for row in rows]

    def size(self, name: str, resource: str) -> int:
        """How many objects, all of one resource, lie in a bucket, without reading them."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            return len(bucket.keys)
        self._flush_resource(resource)
        return int(self._execute("SELECT count(*) FROM bucket WHERE bucket = ?", (name,)).fetchone()[0])

    def in_bucket(self, name: str) -> Objects:
        return self._objects_of(self.bucket(name))

    def event(self, key: Key, about: str) -> Object | None:
        """The event of that key about the object of uid `about`: nobody asks SQL about one that was born just now."""
        if about in self._born and key not in self._told_events and key not in self._objects:
            return None
        return self.get(key)

    def is_free(self, key: Key, prefix: str) -> bool:
        """Whether nothing has this key, whose name was generated behind `prefix`: the names there are read once."""
        if key not in self._objects:
            place = key.resource, key.namespace, prefix
            names = self._named.get(place)
            if names is None:
                rows = self._execute(  # what is not written yet is among the objects
                    "SELECT name FROM object WHERE resource = ? AND namespace = ? AND name >= ? AND name < ?",
                    (*place, prefix + "\U0010ffff"),
                )
                names = self._named[place] = {row[0]: None for row in rows}
            if key.name in names:
                return False
            self._objects[key] = None
        return self._objects[key] is None

    def events_named(self, namespace: str, name: str) -> Objects:
        """Events whose names begin with '<name>.': those about the objects of that name."""
        self._flush_resource("events")
        rows = self._execute(
            "SELECT name FROM object WHERE resource = 'events' AND namespace = ? AND name > ? AND name < ? ORDER BY 1",
            (namespace, name + ".", name + "/"),
        ).fetchall()
        return self._objects_of([Key("events", namespace, row[0]) for row in rows])

    def touched(self, resource: str, after: int, before_s: int) -> tuple[Keys, int]:
        """Keys of a resource that were written after a revision and up to a virtual second, and the revision reached."""
        first = self._execute(
            "SELECT time_s FROM log WHERE revision > ? ORDER BY revision LIMIT 1", (after,)
        ).fetchone()
        if first is None or first[0] > before_s:
            return [], after
        rows = self._execute(
            "SELECT revision, namespace, name FROM log WHERE revision > ?1 AND time_s <= ?2 AND resource = ?3 "
            "AND revision < coalesce((SELECT min(revision) FROM log WHERE revision > ?1 AND time_s > ?2), 1 << 62)",
            (after, before_s, resource),
        ).fetchall()
        reached = self._execute(
            "SELECT coalesce((SELECT min(revision) - 1 FROM log WHERE revision > ?1 AND time_s > ?2), "
            "(SELECT max(revision) FROM log))",
            (after, before_s),
        ).fetchone()[0]
        return [Key(resource, namespace, name) for _, namespace, name in rows], reached

    def _load_all(self, name: str, resource: str, namespace: str | None) -> Bucket:
        """Every object of a resource (of one namespace)."""
        if not self._depth:
            self._refresh()
        self._flush_resource(resource)
        where, values = "FROM object o WHERE resource = ?", (resource,) if namespace is None else (resource, namespace)
        keys = self._read(where if namespace is None else where + " AND namespace = ?", values)
        loaded = self._buckets[name] = Bucket(keys)
        return loaded

    def _load_bucket(self, name: str) -> Bucket:
        """One bucket: what SQL knows of it, less what has left it since, and what has come."""
        if not self._depth:
            self._refresh()
        keys = self._read("FROM bucket b JOIN object o ON o.id = b.object WHERE b.bucket = ?", (name,))
        if self._dirty:
            keys = [key for key in keys if key not in self._dirty or name in self._lies_in[key]]
            keys += [key for key in self._come.get(name, ()) if name in self._lies_in[key]]
        loaded = self._buckets[name] = Bucket(keys)
        return loaded

    def _read(self, source: str, values: tuple[str, ...]) -> Keys:
        """The keys that a query finds. Their objects are parsed if this session has not written or seen them."""
        rows = self._execute(f"SELECT o.id, o.resource, o.namespace, o.name, o.body {source}", values).fetchall()
        read, keys = self._reader(len(rows)), []
        for row_id, resource, namespace, object_name, body in rows:
            key = Key(resource, namespace, object_name)
            keys.append(key)
            if self._objects.get(key) is None and key not in self._dirty:
                self._enter(key, row_id, read(body))
        return keys

    def _objects_of(self, keys: Iterable[Key]) -> Objects:
        found, get = self._objects, self.get
        return [obj for key in keys if (obj := found.get(key) or get(key)) is not None]

    # -- writing -------------------------------------------------------------------------------------------------

    def put(
        self,
        key: Key,
        new: Object,
        *,
        time_s: int,
        actor: str,
        cause: int,
        fresh: bool = False,
        known: tuple[str, int] | None = None,
    ) -> Object:
        """Write an object and its log row; returns it with its new resourceVersion.

        `fresh`: it and its metadata were made for this put, and nobody else holds them: they are not copied.
        `known`: of an update, the merge patch that leads back (its text) and the facets, from who knows them."""
        assert self._depth, "writes need a transaction"
        old = self._objects[key] if key in self._objects else self.get(key)
        revision = self.revision + 1
        resource, changed = key.resource, facets.ALL
        if old is None:
            verb = "create"
            self._log.append((revision, time_s, verb, *key, actor, cause, 0, None))
            if resource != "events":
                self._known_empty(key, new)
                if resource == "pods":
                    changed = facets.CAME
        else:
            verb = "update"
            before, changed = known if known is not None else _way_back(resource, old, new)
            previous = int(old["metadata"]["resourceVersion"])
            self._log.append((revision, time_s, verb, *key, actor, cause, previous, before))
        if fresh:
            new["metadata"]["resourceVersion"] = str(revision)
        else:
            new = {**new, "metadata": {**new["metadata"], "resourceVersion": str(revision)}}
        if self._wrap is not None:
            new = self._wrap(new)
        self._revision = revision
        self._objects[key] = new
        self._moved(key, old, new, changed)
        self._told(Change(revision, time_s, verb, key, actor, cause, old, new, changed))
        return new

    def add_event(self, key: Key, text: tuple[str, str], *, time_s: int, actor: str, cause: int) -> None:
        """A new event, as its JSON text: before and after its resourceVersion. Most are never read in the session that writes
        them, so nothing is made of it until somebody does."""
        assert self._depth, "writes need a transaction"
        revision = self._revision = self.revision + 1
        self.written += 1
        self._log.append((revision, time_s, "create", *key, actor, cause, 0, None))
        self._events[key] = revision, f'{text[0]}"{revision}"{text[1]}'
        self._objects.pop(key, None)
        if key in self._dirty:  # one of this name is gone, which is not written yet
            self._read_event(key)
        self._told_events[key] = None
        self._dirty_resources["events"] = None
        if "events" in self._counts:
            self._counts["events"] += 1
        for name in ("r:events", "r:events/" + key.namespace):
            if name in self._buckets:
                self._buckets[name].add(key)
        followers = self._followers("events")
        if self.tells_events or followers:
            new = self.get(key)
            change = Change(revision, time_s, "create", key, actor, cause, None, new)
            if self.tells_events:
                self.changes.append(change)
            for derived, _ in followers:
                derived.changed(key, None, new)

    def _read_event(self, key: Key) -> Object:
        """An event that is not written yet; from now on it is an object like others."""
        event: Object = self._parsed(self._events.pop(key)[1])
        if self._wrap is not None:
            event = self._wrap(event)
        self._objects[key] = event
        self._dirty[key] = ()
        return event

    def remove(self, key: Key, *, time_s: int, actor: str, cause: int) -> Object:
        """Delete an object; returns what it was."""
        assert self._depth, "writes need a transaction"
        old = self.get(key)
        assert old is not None, key
        revision = self.revision + 1
        previous = int(old["metadata"]["resourceVersion"])
        self._log.append((revision, time_s, "delete", *key, actor, cause, previous, jsontext.dumps(old)))
        self._revision = revision
        self._objects[key] = None
        changed = facets.WENT if key.resource == "pods" else facets.ALL
        self._moved(key, old, None, changed)
        for (step, remembered), _ in list(self._memory_of(key)):
            self.remember(step, remembered, {})
        self._told(Change(revision, time_s, "delete", key, actor, cause, old, None, changed))
        return old

    def _known_empty(self, key: Key, obj: Object) -> None:
        """Nobody can own or be about an object that is being created: spare the look-up."""
        uid = obj["metadata"].get("uid")
        if uid:
            self._born[uid] = None
            self._fresh[key] = None
            self._buckets.setdefault("o:" + uid, Bucket(()))

    def _moved(self, key: Key, old: Object | None, new: Object | None, changed: int) -> None:
        """Keep buckets, counters and what is to be flushed up to date."""
        resource = key.resource
        if old is None or new is None:
            if resource in self._counts:
                self._counts[resource] += 1 if old is None else -1
            for name in (f"r:{resource}", f"r:{resource}/{key.namespace}"):
                bucket = self._buckets.get(name)
                if bucket is not None:
                    (bucket.discard if new is None else bucket.add)(key)
        self._dirty_resources[resource] = None
        if resource == "events":
            self._dirty[key] = ()
            return
        if resource != "pods":
            self.structure += 1
        lay = self._lies_in.get(key)
        before = after = lay if lay is not None else indexes.buckets(key, old) if old is not None else ()
        if key not in self._dirty:
            self._dirty[key] = before
        if changed & indexes.MOVING:
            after = indexes.buckets(key, new) if new is not None else ()
        self._lies_in[key] = after
        if before != after:
            loaded = self._buckets
            for name in before:
                if name not in after and name in loaded:
                    loaded[name].discard(key)
            for name in after:
                if name not in before:
                    if name in loaded:
                        loaded[name].add(key)
                    elif name in self._come:
                        self._come[name][key] = None
                    else:
                        self._come[name] = {key: None}
        if changed & COUNTED and resource == "pods":
            self._count(old, new)

    def _count(self, old: Object | None, new: Object | None) -> None:
        """Add and subtract what a pod means to its node."""
        before = pods.node_of(old) if old is not None and not pods.is_finished(old) else ""
        after = pods.node_of(new) if new is not None and not pods.is_finished(new) else ""
        if before == after and (not after or (old or {}).get("spec") is (new or {}).get("spec")):
            return
        if before and old is not None:
            self._add(before, pods.counters(old), -1)
        if after and new is not None:
            self._add(after, pods.counters(new), 1)

    def _add(self, node: str, amounts: dict[str, int], sign: int) -> None:
        total = self._counters[node] = dict(self.counters(node))
        for name, amount in amounts.items():
            value = total.get(name, 0) + sign * amount
            if value:
                total[name] = value
            else:
                total.pop(name, None)
        self._dirty_counters[node] = None

    def counters(self, node: str) -> dict[str, int]:
        found = self._counters.get(node)
        if found is None:
            row = self._execute("SELECT body FROM counter WHERE node = ?", (node,)).fetchone()
            found = self._counters[node] = self._parsed(row[0]) if row else {}
        return found

    def _told(self, change: Change) -> None:
        self.written += 1
        self.changes.append(change)
        for derived, wanted in self._followers(change.key.resource):
            if change.facets & wanted:
                derived.changed(change.key, change.old, change.new)

    def _followers(self, resource: str) -> Followers:
        """The caches that want to know of changes to a resource; of events only those that name them."""
        found = self._concerned.get(resource)
        if found is None:
            everything = () if resource == "events" else (resource,)
            found = self._concerned[resource] = [
                (cache, getattr(cache, "facets", facets.ALL))
                for cache in self._derived.values()
                if resource in getattr(cache, "resources", everything)
            ]
        return found

    # -- what steps ask for --------------------------------------------------------------------------------------

    def set_wake(self, step: str, key: Key, wake: tuple[int, bool] | None) -> None:
        """Replace the wake of a step for a key: (due second, background), or None."""
        if wake is not None:
            self._slept[step, key] = None
        elif key in self._fresh and (step, key) not in self._slept:
            return  # what was born just now has none that could be taken back
        self._wakes[step, key] = wake

    def next_wake(self) -> tuple[int | None, int | None]:
        """The due seconds of the next foreground and the next background wake."""
        self._write_wakes()
        row = self._execute(
            "SELECT (SELECT min(due_s) FROM wake WHERE background = 0), (SELECT min(due_s) FROM wake WHERE background = 1)"
        ).fetchone()
        return row[0], row[1]

    def due(self, now_s: int) -> Due:
        """Steps and keys whose wake is due, in order."""
        self._write_wakes()
        rows = self._execute(
            "SELECT step, resource, namespace, name FROM wake WHERE background = 0 AND due_s <= ?1 UNION ALL "
            "SELECT step, resource, namespace, name FROM wake WHERE background = 1 AND due_s <= ?1 ORDER BY 1, 2, 3, 4",
            (now_s,),
        )
        return [(row[0], Key(*row[1:])) for row in rows]

    def memory(self, step: str, key: Key) -> Object:
        found = self._memory.get((step, key))
        if found is None and key in self._fresh:
            return {}
        if found is None:
            row = self._execute(
                "SELECT body FROM memory WHERE step = ? AND resource = ? AND namespace = ? AND name = ?", (step, *key)
            ).fetchone()
            found = self._memory[(step, key)] = self._parsed(row[0]) if row else {}
        return found

    def remember(self, step: str, key: Key, data: Object) -> None:
        if self.memory(step, key) != data:
            self._memory[(step, key)] = data
            self._dirty_memory[(step, key)] = None
            self._remembering[step] = None

    def _memory_of(self, key: Key) -> Iterable[tuple[tuple[str, Key], Object]]:
        rows: list[tuple[str]] = []
        if key not in self._fresh:
            rows = self._execute(
                "SELECT step FROM memory WHERE resource = ? AND namespace = ? AND name = ?", tuple(key)
            ).fetchall()
        ours = [step for step in self._remembering if (step, key) in self._memory]
        steps = dict.fromkeys([*(row[0] for row in rows), *ours])
        return [((step, key), self.memory(step, key)) for step in steps]

    def derived(self, name: str, build: Callable[[], Derived]) -> Derived:
        found = self._derived.get(name)
        if found is None:
            found = self._derived[name] = build()
            self._concerned = {}
        return found

    # -- flushing ------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what has changed into the open transaction."""
        if not self._depth:
            return
        with self._writing():
            self._flush_events()
            self._flush_objects(self._dirty)
            self._dirty, self._dirty_resources, self._come = {}, {}, {}
            if self._log:
                self.connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._log)
                self._log = []
            self._flush_wakes()
            self._flush_notes()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self._failed is not None:
            raise self._failed
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _flush_resource(self, resource: str) -> None:
        """Write the objects of one resource that have changed, before a question about it that SQL answers. (Others change
        on within this transaction: what is written now would be written twice.)"""
        if not self._depth or resource not in self._dirty_resources:
            return
        with self._writing():
            if resource == "events":
                self._flush_events()
            dirty = {key: before for key, before in self._dirty.items() if key.resource == resource}
            self._flush_objects(dirty)
            for key in dirty:
                del self._dirty[key]
            del self._dirty_resources[resource]

    def _write_wakes(self) -> None:
        if self._depth and self._wakes:
            with self._writing():
                self._flush_wakes()

    def _flush_events(self) -> None:
        if self._events:
            new = self._new_id
            self.connection.executemany(
                "INSERT INTO object VALUES (?, ?, ?, ?, ?, ?)",
                [(new(), *key, revision, text) for key, (revision, text) in self._events.items()],
            )
            self._events = {}

    def _flush_objects(self, dirty: dict[Key, tuple[str, ...]]) -> None:
        """Bodies and buckets of changed objects, each given with the buckets that SQL has for it."""
        if not dirty:
            return
        rows, gone, entered, left = [], [], [], []
        for key, before in dirty.items():
            obj = self._objects[key]
            row_id = self._ids.get(key)
            if obj is None:
                if row_id is not None:
                    gone.append((row_id,))
                    left += [(name, row_id) for name in before]
                    del self._ids[key]
                continue
            if row_id is None:
                row_id = self._ids[key] = self._new_id()
            after = self._lies_in.get(key, ())
            if before != after:
                left += [(name, row_id) for name in before if name not in after]
                entered += [(name, row_id) for name in after if name not in before]
            rows.append((row_id, *key, int(obj["metadata"]["resourceVersion"]), jsontext.dumps(obj)))
        many = self.connection.executemany
        many("DELETE FROM object WHERE id = ?", gone)
        many(
            "INSERT INTO object VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, body = excluded.body",
            rows,
        )
        many("DELETE FROM bucket WHERE bucket = ? AND object = ?", left)
        many("INSERT OR IGNORE INTO bucket VALUES (?, ?)", entered)

    def _new_id(self) -> int:
        if self._next_id < 0:
            self._next_id = self._execute("SELECT coalesce(max(id), 0) + 1 FROM object").fetchone()[0]
        self._next_id += 1
        return self._next_id - 1

    def _flush_wakes(self) -> None:
        many = self.connection.executemany
        if self._wakes:
            due = [(step, *key, *wake) for (step, key), wake in self._wakes.items() if wake is not None]
            none = [(step, *key) for (step, key), wake in self._wakes.items() if wake is None]
            many("INSERT OR REPLACE INTO wake VALUES (?, ?, ?, ?, ?, ?)", due)
            many("DELETE FROM wake WHERE step = ? AND resource = ? AND namespace = ? AND name = ?", none)
            self._wakes = {}

    def _flush_notes(self) -> None:
        many = self.connection.executemany
        if self._dirty_memory:
            data = {note: self._memory[note] for note in self._dirty_memory}
            kept = [(step, *key, jsontext.dumps(found)) for (step, key), found in data.items() if found]
            gone = [(step, *key) for (step, key), found in data.items() if not found]
            many("INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?, ?)", kept)
            many("DELETE FROM memory WHERE step = ? AND resource = ? AND namespace = ? AND name = ?", gone)
            self._dirty_memory = {}
        if self._dirty_counters:
            many(
                "INSERT OR REPLACE INTO counter VALUES (?, ?)",
                [(node, jsontext.dumps_sorted(self._counters[node])) for node in self._dirty_counters],
            )
            self._dirty_counters = {}
        if self._dirty_meta and self._meta is not None:
            many("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, self._meta[name]) for name in self._dirty_meta])
            self._dirty_meta = {}

    # -- the log -------------------------------------------------------------------------------------------------

    def merged_since(self, revision: int) -> Changes:
        """What changed after a revision: from what each object was then to what it is now.

        Objects that were deleted are told one by one, also where another of their name has come since or where they came
        after that revision too: others may have got to know them meanwhile. Raises Expired as `history`.
        """
        self._check_kept(revision)
        if self.changes and self.changes[0].revision <= revision + 1:
            return _merged(change for change in self.changes if change.revision > revision)
        self.flush()
        rows = self._execute(
            "SELECT revision, time_s, verb, resource, namespace, name, actor, cause, previous, before FROM log "
            "WHERE revision > ? ORDER BY revision DESC",
            (revision,),
        ).fetchall()
        read = self._reader(len(rows))
        last: dict[Key, tuple[tuple[Any, ...], Object | None]] = {}  # of each object: its last row, and what it is then
        was: dict[Key, Object | None] = {}
        found = []
        for row in rows:
            key = Key(*row[3:6])
            if row[2] == "delete":
                if key in last:
                    found.append(_change(*last[key], None))
                last[key], was[key] = (row, None), read(row[9])
                continue
            if key not in last:
                last[key] = row, self.get(key)
                was[key] = last[key][1]
            if row[2] == "update":
                was[key] = _before(was[key], row, read)
            elif last[key][1] is not None:
                was[key] = None
        found += [_change(row, new, was[key]) for key, (row, new) in last.items()]
        return sorted(found, key=lambda change: change.revision)

    def history(self, since: int = 0, key: Key | None = None) -> Changes:
        """Every write after a revision, oldest first, with both versions; of one object if `key` is given.

        0 means all that is kept. Raises Expired for a revision that the log has forgotten.
        """
        since = since or self.compacted
        self._check_kept(since)
        self.flush()
        values: list[Any] = [since]
        where = "revision > ?"
        if key is not None:
            where, values = where + " AND resource = ? AND namespace = ? AND name = ?", [since, *key]
        rows = self._execute(
            "SELECT revision, time_s, verb, resource, namespace, name, actor, cause, previous, before FROM log "
            f"WHERE {where} ORDER BY revision DESC",
            tuple(values),
        ).fetchall()
        read = self._reader(len(rows))
        state: dict[Key, Object | None] = {}
        found = []
        for row in rows:
            at = Key(*row[3:6])
            new = state[at] if at in state else self.get(at)
            old = state[at] = _before(new, row, read)
            found.append(Change(row[0], row[1], row[2], at, row[6], row[7], old, new))
        return found[::-1]

    def versions(self, key: Key, since: int = 0) -> Changes:
        """The writes of the object that lives at a key, after a revision, oldest first; found by following its versions."""
        self.flush()
        found: Changes = []
        new = self.get(key)
        while new is not None and (revision := int(new["metadata"]["resourceVersion"])) > since:
            row = self._execute(
                "SELECT revision, time_s, verb, resource, namespace, name, actor, cause, previous, before FROM log "
                "WHERE revision = ?",
                (revision,),
            ).fetchone()
            old = _before(new, row, jsontext.loads)
            found.append(_change(row, new, old))
            new = old
        return found[::-1]


def _merged(changes: Iterable[Change]) -> Changes:
    """Changes at hand, oldest first, as `Store.merged_since` tells them from the log."""
    found: Changes = []
    alive: dict[Key, tuple[Change, Change]] = {}  # the first and the last change of each object's present life
    for change in changes:
        first, _ = alive.pop(change.key, (change, change))
        if change.new is None:
            found.append(change._replace(old=first.old if first.old is not None else first.new))
        else:
            alive[change.key] = first, change
    found += [last._replace(old=first.old) for first, last in alive.values()]
    return sorted(found, key=lambda change: change.revision)


def _way_back(resource: str, old: Object, new: Object) -> tuple[str, int]:
    """The merge patch that leads from `new` back to `old`, as JSON text, and what changed of a pod."""
    before = patch.diff(new, old)
    meta = before.get("metadata")
    if meta is not None and meta.pop("resourceVersion", None) and not meta:
        del before["metadata"]
    changed = facets.of_change(before, old, new) if resource == "pods" else facets.ALL
    return jsontext.dumps(before), changed


def _do_nothing() -> None:
    return


def _change(row: tuple[Any, ...], new: Object | None, old: Object | None) -> Change:
    return Change(row[0], row[1], row[2], Key(*row[3:6]), row[6], row[7], old, new)


def _before(new: Object | None, row: tuple[Any, ...], read: Callable[[str], Any]) -> Object | None:
    """The version before a row of the log."""
    verb, previous, before = row[2], row[8], row[9]
    if verb == "create":
        return None
    if verb == "delete":
        return read(before)  # type: ignore[no-any-return]
    assert new is not None, row[:6]
    old = patch.merge(new, read(before))
    return {**old, "metadata": {**old["metadata"], "resourceVersion": str(previous)}}
