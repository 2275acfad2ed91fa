"""What the server bears: figures for docs/performance.md, each with the server's own CPU time beside the wall clock's.

python -m tests.clients.load
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.clients import serving, twice
from tests.http.asgi import config_map, deployment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.serving import Served

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
WATCHERS, WRITES, WRITES_PER_S = 100, 1000, 200


class Client:
    """One connection that is kept."""

    def __init__(self, server: Served) -> None:
        url = urllib.parse.urlparse(server.address)
        context = ssl.create_default_context(cafile=str(server.authority))
        assert url.hostname is not None
        self._connection = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=120)
        self._headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
        self._pid = int((server.home / "clusters" / "kpy.serve" / "pid").read_text())

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, {**self._headers, **headers})
        answer = self._connection.getresponse()
        found = answer.read()
        assert answer.status < 300, found
        return found

    def cpu_s(self) -> float:
        """CPU seconds of the server's process so far."""
        words = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def measure(self, name: str, do: Callable[[int], object], count: int) -> None:
        """Print how long a call takes: the median, and the server's CPU time for each."""
        before, times = self.cpu_s(), []
        began = time.perf_counter()
        for number in range(count):
            start = time.perf_counter()
            do(number)
            times.append(time.perf_counter() - start)
        whole = time.perf_counter() - began
        cpu_ms = (self.cpu_s() - before) / count * 1000
        print(
            f"{name}: median {statistics.median(times) * 1000:.2f} ms, {count / whole:.0f}/s, server CPU {cpu_ms:.2f} ms",
            flush=True,
        )


def write(home: str) -> None:
    """Write at WRITES_PER_S, as a process of its own; prints when each write began."""
    from tests.clients.serving import Served

    place = Path(home) / "clusters" / "kpy.serve"
    client, began, at = Client(Served(Path(home), place / "kubeconfig")), time.perf_counter(), {}
    for number in range(WRITES):
        time.sleep(max(0, began + number / WRITES_PER_S - time.perf_counter()))
        at[f"w{number}"] = time.perf_counter()
        client.call("POST", MAPS, config_map(f"w{number}"))
    print(json.dumps({"at": at, "per_s": WRITES / (time.perf_counter() - began)}))


async def watched(server: Served, client: Client) -> None:
    """100 watchers, and writes at 200 a second: every event in its order, and how late the last watcher hears of it."""
    url = urllib.parse.urlparse(server.address)
    context = ssl.create_default_context(cafile=str(server.authority))
    since = json.loads(client.call("GET", MAPS))["metadata"]["resourceVersion"]

    async def watch() -> list[tuple[float, bytes]]:
        reader, writer = await asyncio.open_connection(url.hostname, url.port, ssl=context, limit=1 << 22)
        path = f"{MAPS}?watch=true&resourceVersion={since}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode())
        found: list[tuple[float, bytes]] = []
        while len(found) < WRITES:
            line = await reader.readline()
            if line.startswith(b"{"):
                found.append((time.perf_counter(), line))
        writer.close()
        return found

    watching = [asyncio.create_task(watch()) for _ in range(WATCHERS)]
    await asyncio.sleep(3)
    before, code = client.cpu_s(), "import sys; from tests.clients import load; load.write(sys.argv[1])"
    writing = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(server.home), stdout=subprocess.PIPE)
    told, _ = await writing.communicate()
    found = await asyncio.wait_for(asyncio.gather(*watching), 120)
    cpu_s, report = client.cpu_s() - before, json.loads(told)
    heard = [[json.loads(line)["object"]["metadata"] for _, line in one] for one in found]
    versions = [[meta["resourceVersion"] for meta in one] for one in heard]
    assert all(one == versions[0] for one in versions), "every watcher has heard the same, in the same order"
    assert versions[0] == sorted(set(versions[0]), key=int), "nothing twice, nothing out of order"
    late = sorted(
        moment - report["at"][meta["name"]] for one, metas in zip(found, heard, strict=True)
        for (moment, _), meta in zip(one, metas, strict=True)
    )  # fmt: skip
    print(
        f"{WATCHERS} watchers, {report['per_s']:.0f} writes/s: {len(late)} events, none lost; after "
        f"{late[len(late) // 2] * 1000:.0f} ms (median), {late[-1] * 1000:.0f} ms (last); server CPU {cpu_s:.1f} s"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serving.served(Path(folder), *sys.argv[1:]) as server:
        client = Client(server)
        client.measure("create a ConfigMap", lambda number: client.call("POST", MAPS, config_map(f"c{number}")), 1000)
        client.measure("get a ConfigMap", lambda number: client.call("GET", f"{MAPS}/c{number}"), 1000)
        client.call("POST", "/apis/apps/v1/namespaces/default/deployments", deployment("many", 1000))
        pods = json.loads(client.call("GET", "/api/v1/pods?limit=1000"))["items"]
        names = [one["metadata"]["name"] for one in pods if one["metadata"]["namespace"] == "default"]
        client.measure(
            "get a Pod for the first time", lambda number: client.call("GET", f"{PODS}/{names[number]}"), 100
        )
        client.measure("get a Pod again", lambda number: client.call("GET", f"{PODS}/{names[number % 100]}"), 500)
        client.measure(f"list {len(names)} Pods", lambda _: client.call("GET", PODS), 20)
        table = {"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}
        client.measure(f"list {len(names)} Pods as a Table", lambda _: client.call("GET", PODS, **table), 20)
        words = [twice.KUBECTL, "get", "pods", "-l", "none=here"]
        client.measure(
            "kubectl get pods", lambda _: subprocess.run(words, env=server.environment, capture_output=True), 10
        )
        asyncio.run(watched(server, client))


if __name__ == "__main__":
    main()
