"""Watches: every write of the log, told to those who asked for it, in its order.

The hub reads the log once for all watchers, from the revision it has read to: it does not matter who wrote. An event is
encoded once for each form in which somebody wants it. A watcher keeps a queue of its own: one that reads slowly delays
nobody, and one that does not read at all is closed when QUEUE_MAX events wait for it; its client comes back with the last
resourceVersion it saw.

Source: k8s.io/apiserver/pkg/storage/cacher, pkg/endpoints/handlers/watch.go.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import orjson

from minikube_py.api import convert
from minikube_py.base import errors
from minikube_py.http import tables
from minikube_py.http.answers import status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.store.store import Change

QUEUE_MAX = 50_000  # events
MANY, PAUSE_S = 20, 0.0005  # from so many watchers on, each makes the others wait so long (real seconds)
BOOKMARK_S = 60.0  # real seconds between two bookmarks
END_OF_INITIAL = {"k8s.io/initial-events-end": "true"}


class Form(NamedTuple):
    """How a watcher wants its objects. `as_kind`: '' (whole), 'Table' or 'PartialObjectMetadata'; `include`: of a Table."""

    kind: Kind
    version: str
    as_kind: str
    include: str

    def shaped(self, obj: Object, now_s: int, *, headers: bool) -> Object:
        """An object as the watcher reads it."""
        served = convert.to_version(self.kind, self.version, obj)
        if self.as_kind == "Table":
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return tables.table(self.kind, [served], metadata, now_s=now_s, include=self.include, headers=headers)
        return tables.partial(served) if self.as_kind else served


class Watcher:
    """One watch. `wanted`: whether an object is one of those that were asked for."""

    def __init__(self, form: Form, wanted: Callable[[Object], bool], *, bookmarks: bool) -> None:
        self.form, self.wanted, self.bookmarks = form, wanted, bookmarks
        self.revision = 0  # of the last event that was queued
        self.closed = False
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._headed = form.as_kind != "Table"

    def push(self, event: bytes) -> None:
        if len(self._queue) >= QUEUE_MAX:
            self.close()
            return
        self._queue.append(event)
        self._wake()

    def close(self) -> None:
        """What is queued is still told."""
        self.closed = True
        self._wake()

    def encoded(self, type: str, obj: Object, now_s: int) -> bytes:
        headers, self._headed = not self._headed, True
        return event(type, self.form.shaped(obj, now_s, headers=headers))

    @property
    def is_headed(self) -> bool:
        """Whether the columns of its Table were told already: from then on its events are like those of others."""
        return self._headed

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> None:
        meta: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        obj: Object = {"kind": self.form.kind.name, "apiVersion": self.form.version, "metadata": meta}
        if self.form.as_kind == "PartialObjectMetadata":
            obj = {"kind": self.form.as_kind, "apiVersion": tables.META, "metadata": meta}
        elif self.form.as_kind == "Table":
            rows = (
                [{"cells": [], "object": obj}]
                if self.form.include == "Object"
                else [{"cells": [], "object": tables.partial(obj)}]
            )
            obj = {
                "kind": "Table",
                "apiVersion": tables.META,
                "metadata": {"resourceVersion": str(revision)},
                "columnDefinitions": [],
                "rows": rows,
            }
        self.push(event("BOOKMARK", obj))

    async def batches(self, timeout_s: float, hub: Hub) -> AsyncIterator[bytes]:
        """What is queued, as it comes, until `timeout_s` real seconds have passed or the watch is closed."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while True:
            if self._queue:
                if not self.closed and hub.pause_s:
                    await asyncio.sleep(hub.pause_s)
                batch, self._queue = b"".join(self._queue), deque()
                yield batch
            left = end - loop.time()
            if (self.closed and not self._queue) or left <= 0:
                return
            if self._queue or await self._some_come(min(left, BOOKMARK_S)):
                continue
            if self.bookmarks and loop.time() < end:
                self.bookmark(hub.revision)

    async def _some_come(self, timeout_s: float) -> bool:
        """Whether events come, or the end, within so many real seconds."""
        loop = asyncio.get_running_loop()
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(timeout_s, self._wake)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None
        return bool(self._queue) or self.closed

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def event(type: str, obj: Object) -> bytes:
    return orjson.dumps({"type": type, "object": obj}) + b"\n"


class Hub:
    """All watchers of a cluster, and how far the log has been told."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.revision, self._now_s = cluster.store.revision, cluster.clock.now_s
        self.watchers: dict[Watcher, None] = {}
        self._by_resource: dict[str, dict[Watcher, None]] = {}
        self._moved = asyncio.Event()

    @property
    def pause_s(self) -> float:
        """Real seconds that a watcher lets events gather: with many watchers, sending each by itself would take the time
        that writers need. 100 watchers: 50 ms."""
        count = len(self.watchers)
        return count * PAUSE_S if count >= MANY else 0

    def add(self, watcher: Watcher) -> None:
        """From now on it is told what is written. The caller has told it all up to `self.revision`."""
        self.watchers[watcher] = None
        self._by_resource.setdefault(watcher.form.kind.storage, {})[watcher] = None

    def remove(self, watcher: Watcher) -> None:
        self.watchers.pop(watcher, None)
        self._by_resource.get(watcher.form.kind.storage, {}).pop(watcher, None)

    def close(self) -> None:
        for watcher in self.watchers:
            watcher.close()
        self.stir()

    def stir(self) -> None:
        """Wake those who wait for any change (followers of logs)."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def moved(self) -> None:
        """Until something is written or time passes."""
        await self._moved.wait()

    def pump(self) -> int:
        """Tell what was written since; returns how many events were queued."""
        newest, now_s, told = self._cluster.store.revision, self._cluster.clock.now_s, 0
        if newest == self.revision:
            if now_s != self._now_s:
                self._now_s = now_s
                self.stir()
            return 0
        if newest < self.revision:
            self._forget(newest)
        elif any(self._by_resource.values()):
            encoded: dict[tuple[Form, str, int], bytes] = {}
            for change in self._cluster.changes(self.revision):
                for watcher in list(self._by_resource.get(change.key.resource, ())):
                    told += tell(watcher, change, now_s, encoded)
        self.revision, self._now_s = newest, now_s
        self.stir()
        return told

    def _forget(self, newest: int) -> None:
        """A snapshot was restored: what watchers were told is not so any more. They are sent to list anew."""
        expired = errors.Expired(f"too old resource version: {self.revision} ({newest})")
        for watcher in list(self.watchers):
            watcher.push(event("ERROR", status_of(expired)))
            watcher.close()


def tell(watcher: Watcher, change: Change, now_s: int, encoded: dict[tuple[Form, str, int], bytes]) -> int:
    """Queue a change for a watcher, if it is about what was asked for: an object may come into view, and leave it.

    `encoded`: the events of this round by form, type and revision.
    """
    was = change.old is not None and watcher.wanted(change.old)
    is_ = change.new is not None and watcher.wanted(change.new)
    if not (was or is_):
        return 0
    type = "DELETED" if not is_ else "MODIFIED" if was else "ADDED"
    obj = change.new if is_ else change.old
    assert obj is not None, change.key
    if not is_:  # an object that goes, or leaves the selection, is told as it was, with the revision of its going
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(change.revision)}}
    watcher.revision = change.revision
    if not watcher.is_headed:
        watcher.push(watcher.encoded(type, obj, now_s))
        return 1
    key = (watcher.form, type, change.revision)
    found = encoded.get(key)
    if found is None:
        found = encoded[key] = watcher.encoded(type, obj, now_s)
    watcher.push(found)
    return 1
