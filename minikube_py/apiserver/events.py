"""Events: recorded once, then counted; gone an hour after they were last seen.

Sources: k8s.io/client-go/tools/record (core events), tools/events (events.k8s.io), kube-apiserver --event-ttl.
"""

from __future__ import annotations

from hashlib import blake2b
from json.encoder import encode_basestring as _json  # a string as JSON, in C
from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.base.clock import seconds, timestamp

EVENT_TTL_S = 3600  # kube-apiserver --event-ttl
COMBINED = "(combined from similar events): "
SIMILAR_MAX, SIMILAR_S = 10, 600
BURST, REFILL_S = 25, 300  # events of one component about one object: so many at once, then one every five minutes

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Record
    from minikube_py.base.clock import Clock
    from minikube_py.store.store import Store


def correlated(store: Store, clock: Clock, wanted: Record, key: Key) -> Record | None:
    """What a controller's recorder makes of an event about the object of that key: the tenth of a kind within ten minutes and
    those after it are one, '(combined from similar events): ...'; None: too many in all, it is dropped.

    Source: k8s.io/client-go/tools/record/events_cache.go (EventAggregator, EventSourceObjectSpamFilter).
    """
    name = f"events/{wanted.component}"
    known, now_s = store.memory(name, key), clock.now_s
    seen: dict[str, list[object]] = {**known.get("seen", {})}
    kind = f"{wanted.type}/{wanted.reason}"
    last_s, messages = seen.get(kind, (now_s, []))
    assert isinstance(messages, list)
    assert isinstance(last_s, int)
    if now_s - last_s > SIMILAR_S:
        messages = []
    digest = blake2b(wanted.message.encode(), digest_size=6).hexdigest()
    is_new = digest not in messages
    if is_new and len(messages) >= SIMILAR_MAX - 1:
        wanted = wanted._replace(message=COMBINED + wanted.message)
    elif is_new:
        messages = [*messages, digest]
    seen[kind] = [now_s, messages]
    earned = (now_s - known.get("at", now_s)) // REFILL_S
    spent = max(0, known.get("spent", 0) - earned)
    refilled_s = known["at"] + earned * REFILL_S if known and spent else now_s
    store.remember(name, key, {"seen": seen, "spent": min(BURST, spent + 1), "at": refilled_s})
    return wanted if spent < BURST else None


def record(store: Store, clock: Clock, wanted: Record, *, actor: str, cause: int) -> None:
    """Write or count an event. Its name tells what it says, so an equal event is found by its key."""
    regarding, type_, reason, message, component, host, field_path, action = wanted
    meta = regarding["metadata"]
    namespace, uid = meta.get("namespace") or "default", meta.get("uid", "")
    said = COMBINED if message.startswith(COMBINED) else message
    words = f"{uid}\0{type_}\0{reason}\0{said}\0{component}\0{host}\0{field_path}\0{action}"
    digest = blake2b(words.encode(), digest_size=16).hexdigest()
    key = Key("events", namespace, f"{meta['name']}.{digest[:16]}")
    old = store.event(key, uid)
    if old is None:
        store.add_event(key, _text(wanted, key, clock, digest), time_s=clock.now_s, actor=actor, cause=cause)
        return
    if action:
        series = old.get("series") or {"count": 1}
        new = {**old, "series": {"count": series["count"] + 1, "lastObservedTime": clock.micro_timestamp}}
    else:
        new = {**old, "message": message, "count": old["count"] + 1, "lastTimestamp": clock.timestamp}
    store.put(key, new, time_s=clock.now_s, actor=actor, cause=cause)


def _text(wanted: Record, key: Key, clock: Clock, digest: str) -> tuple[str, str]:
    """A new event as JSON, before and after its resourceVersion: put together by hand, since there are five for each pod."""
    obj, type_, reason, message, component, host, field_path, action = wanted
    meta, now = obj["metadata"], timestamp(clock.now_s)
    namespace, version, uid = meta.get("namespace"), meta.get("resourceVersion"), meta.get("uid")
    head = (
        f'{{"apiVersion":"v1","kind":"Event","metadata":{{"creationTimestamp":"{now}","name":{_json(key.name)},'
        f'"namespace":"{key.namespace}","uid":"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}",'
        '"resourceVersion":'
    )
    involved = (
        f'"apiVersion":"{obj["apiVersion"]}","kind":"{obj["kind"]}","name":{_json(meta["name"])}'
        + (f',"namespace":"{namespace}"' if namespace is not None else "")
        + (f',"resourceVersion":"{version}"' if version is not None else "")
        + (f',"uid":"{uid}"' if uid is not None else "")
        + (f',"fieldPath":{_json(field_path)}' if field_path else "")
    )
    if action:  # written through events.k8s.io: no count, no source
        rest = (
            f'"action":{_json(action)},"eventTime":"{clock.micro_timestamp}","firstTimestamp":null,"lastTimestamp":null,'
            f'"reportingComponent":"{component}","reportingInstance":"{component}-control-plane","source":{{}}'
        )
    else:
        where = f',"host":"{host}"' if host else ""
        rest = (
            f'"count":1,"eventTime":null,"firstTimestamp":"{now}","lastTimestamp":"{now}",'
            f'"reportingComponent":"{component}","reportingInstance":"{host}","source":{{"component":"{component}"{where}}}'
        )
    said = f'"reason":{_json(reason)},"message":{_json(message)},"type":"{type_}"'
    return head, f'}},"involvedObject":{{{involved}}},{said},{rest}}}'


def expire(store: Store, clock: Clock) -> int:
    """Delete the events whose hour is over; returns how many. Reads the log once, an hour behind the clock."""
    done = int(store.meta("expired", "0"))
    keys, reached = store.touched("events", done, clock.now_s - EVENT_TTL_S)
    gone = 0
    for key in dict.fromkeys(keys):
        event = store.get(key)
        if event is not None and last_seen_s(event) + EVENT_TTL_S <= clock.now_s:
            store.remove(key, time_s=clock.now_s, actor="kube-apiserver", cause=0)
            gone += 1
    store.set_meta("expired", str(reached))
    return gone


def last_seen_s(event: Object) -> int:
    """When an event was last seen, in seconds since 1970."""
    series = event.get("series") or {}
    told = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return seconds(next((text for text in told if text), event["metadata"]["creationTimestamp"]))
