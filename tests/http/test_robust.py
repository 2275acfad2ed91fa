"""Many watchers, slow ones, and writers at the same time: nothing is lost, nothing comes twice or out of order."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.http.asgi import config_map, pod, scope_of

if TYPE_CHECKING:
    from typing import Any

    from tests.http.asgi import Api

MAPS = "/api/v1/namespaces/default/configmaps"
WATCHERS, WRITES = 100, 200


def test_a_hundred_watchers_see_every_write_in_its_order(api: Api) -> None:
    since = api.get(MAPS).json["metadata"]["resourceVersion"]
    watches = [api.watch(f"{MAPS}?watch=true&resourceVersion={since}") for _ in range(WATCHERS)]
    for number in range(WRITES // 2):
        api.post(MAPS, config_map(f"m{number}"))
        api.patch(f"{MAPS}/m{number // 2}", {"data": {"n": str(number)}})
    written = [(one.verb, one.key.name, one.revision) for one in api.cluster.changes(int(since))]
    words = {"create": "ADDED", "update": "MODIFIED"}
    expected = [(words[verb], name, str(revision)) for verb, name, revision in written]
    assert len(expected) == WRITES
    for watch in watches:
        watch.wait(WRITES)
        told = [
            (one["type"], one["object"]["metadata"]["name"], one["object"]["metadata"]["resourceVersion"])
            for one in watch.events
        ]
        assert told == expected
    for watch in watches:
        watch.close()


def test_a_watcher_that_does_not_read_holds_up_nobody(api: Api) -> None:
    stuck = asyncio.Event()
    scope, messages = scope_of("GET", f"{MAPS}?watch=true", b"", {})

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            stuck.set()
            await asyncio.sleep(60)  # the client's window is full

    slow = api.loop.create_task(api.app(scope, receive, send))
    api.until(stuck.is_set)
    with api.watch(f"{MAPS}?watch=true") as watch:
        for number in range(50):
            assert api.post(MAPS, config_map(f"m{number}")).code == 201
        watch.wait(51)
    slow.cancel()
    api.until(slow.done)
    assert not api.world.hub.watchers


def test_writers_side_by_side_get_versions_of_their_own(api: Api) -> None:
    async def one(number: int) -> str:
        body = json.dumps(pod(f"p{number}")).encode()
        scope, messages = scope_of(
            "POST", "/api/v1/namespaces/default/pods", body, {"content-type": "application/json"}
        )
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await api.app(scope, receive, send)
        return str(json.loads(sent[1]["body"])["metadata"]["resourceVersion"])

    async def all_() -> list[str]:
        return await asyncio.gather(*map(one, range(30)))

    assert len(set(api.run(all_()))) == 30
    phases = [one["status"]["phase"] for one in api.get("/api/v1/pods").json["items"]]
    assert phases == ["Running"] * 30
