"""A client without a network: requests go straight into the ASGI application, on an event loop of the test's own."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.cluster import Cluster
from minikube_py.http.app import app_of
from minikube_py.http.users import Users
from minikube_py.http.world import World

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

    from minikube_py.apiserver.authorizer import Subject

Object = dict[str, Any]
JSON = "application/json"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
LIMIT_S = 20


class Answer(NamedTuple):
    code: int
    headers: dict[str, str]
    warnings: list[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Watch:
    """A watch that is open. `events`: what came so far."""

    def __init__(self, api: Api, path: str, headers: dict[str, str]) -> None:
        self._api, self._gone = api, asyncio.Event()
        self.buffer, self.code, self.ended = b"", 0, False
        scope, _ = scope_of("GET", path, b"", headers)
        self.task = api.loop.create_task(self._run(scope))

    async def _run(self, scope: Object) -> None:
        first = [{"type": "http.request", "body": b""}]

        async def receive() -> Object:
            if first:
                return first.pop()
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Object) -> None:
            self.code = message.get("status", self.code)
            self.buffer += message.get("body", b"")

        await self._api.app(scope, receive, send)  # type: ignore[arg-type]
        self.ended = True

    @property
    def events(self) -> list[Object]:
        return [json.loads(line) for line in self.buffer.split(b"\n") if line]

    @property
    def told(self) -> list[tuple[str, str]]:
        """(type, name) of each event."""
        return [(one["type"], one["object"].get("metadata", {}).get("name", "")) for one in self.events]

    def wait(self, count: int) -> list[Object]:
        """The events, as soon as there are so many."""
        self._api.until(lambda: len(self.events) >= count or self.ended)
        return self.events

    def close(self) -> None:
        self._gone.set()
        self._api.until(lambda: self.task.done())

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Api:
    """`api.get("/api/v1/nodes")`, `api.post(path, obj)`; `headers` as keywords with `_` for `-`."""

    def __init__(
        self, cluster: Cluster | None = None, *, clock: str = "virtual", tokens: dict[str, Subject] | None = None
    ) -> None:
        self.runner = asyncio.Runner()
        self.loop = self.runner.get_loop()
        self.cluster = cluster or Cluster.memory()
        self.world, self.app = self.run(self._begin(clock, tokens))

    async def _begin(self, clock: str, tokens: dict[str, Subject] | None) -> tuple[World, Any]:
        world = World(self.cluster, clock=clock)
        app = app_of(world, Users(tokens or {}, open=tokens is None))
        world.start()
        return world, app

    def __enter__(self) -> Api:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.world.stop())
        self.runner.close()
        self.cluster.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def until(self, condition: Any) -> None:
        async def wait() -> None:
            async with asyncio.timeout(LIMIT_S):
                while not condition():
                    await asyncio.sleep(0.002)

        self.run(wait())

    def call(self, method: str, path: str, body: Any = None, media: str = JSON, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        scope, messages = scope_of(method, path, data, {"content-type": media, **given} if data else given)
        sent: list[Object] = []

        async def receive() -> Object:
            if messages:
                return messages.pop(0)
            await asyncio.sleep(LIMIT_S)
            return {"type": "http.disconnect"}

        async def send(message: Object) -> None:
            sent.append(message)

        async def work() -> None:
            async with asyncio.timeout(LIMIT_S):
                await self.app(scope, receive, send)

        self.run(work())
        found = [(name.decode().lower(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        warnings = [value for name, value in found if name == "warning"]
        return Answer(sent[0]["status"], dict(found), warnings, b"".join(one.get("body", b"") for one in sent[1:]))

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("DELETE", path, body, **headers)

    def patch(self, path: str, body: Any, form: str = "merge-patch+json", **headers: str) -> Answer:
        return self.call("PATCH", path, body, f"application/{form}", **headers)

    def watch(self, path: str, **headers: str) -> Watch:
        found = Watch(self, path, {name.replace("_", "-"): value for name, value in headers.items()})
        self.until(lambda: found.code or found.task.done())
        return found


def scope_of(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[Object, list[Object]]:
    """(the ASGI scope, the messages with the body)."""
    place, _, query = path.partition("?")
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": method, "path": place, "raw_path": place.encode(), "query_string": query.encode(),
        "headers": raw, "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    return scope, [{"type": "http.request", "body": body}]


def pod(name: str, **more: Any) -> Object:
    containers = [{"name": "main", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **more}, "spec": {"containers": containers}}


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str, replicas: int = 2) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]}},
        },
    }  # fmt: skip
