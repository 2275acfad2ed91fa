"""From apply to Ready, and what a small change costs in a large cluster. Each cluster is built in a process of its own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

Figures = list[tuple[str, float, float, str, "float | None", str]]


def measure(folder: str, quick: bool) -> Figures:
    sizes = [(100, 10), (1_000, 100)] if quick else [(100, 10), (1_000, 100), (10_000, 1_000)]
    built = {pods: _child("build", str(Path(folder) / f"{pods}.db"), str(pods), str(nodes)) for pods, nodes in sizes}
    rows: Figures = []
    for pods, nodes in sizes[1:]:
        found = built[pods]
        name = f"{pods:,} pods on {nodes:,} nodes"
        rows.append((f"{name}: apply to Ready", found["ready_s"], found["limit_s"], "s", 4, "same rows into SQLite"))
        rows.append((f"{name}: rate", pods / found["ready_s"], 0, "pods/s", None, ""))
        rows.append((f"{name}: file size for each pod", found["bytes"] / pods, 6144, "B", 1, "6 KB"))
        rows.append((f"{name}: peak memory", found["peak_mib"], 0, "MiB", None, ""))
    empty = Path(folder) / "empty.db"
    _child("build", str(empty), "0", "3")
    small, large = sizes[0][0], sizes[-1][0]
    paths = {
        "empty": str(empty),
        "small": str(Path(folder) / f"{small}.db"),
        "large": str(Path(folder) / f"{large}.db"),
    }
    idle = {name: _best(5, "idle", path) for name, path in paths.items()}
    rows.append((f"idle reconcile at {large:,} pods", idle["large"], idle["empty"], "s", 1.5, "an empty cluster"))
    tabled = {deed: _best(5, deed, paths["large"]) for deed in ("table", "rows")}
    rows.append((f"kpy get pods -A of {large:,}", tabled["table"], tabled["rows"], "s", 3, "a bare sqlite3 loop"))
    replace = {name: _best(5, "replace", paths[name]) for name in ("small", "large")}
    rows.append((f"one pod replaced at {large:,} pods", replace["large"], replace["small"], "s", 2, f"{small:,} pods"))
    return rows


def _best(runs: int, *words: str) -> float:
    """The median of whole processes, in seconds."""
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        _child(*words)
        took.append(time.perf_counter() - start)
    return sorted(took)[runs // 2]


def _child(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.growth", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def deployment(name: str, replicas: int) -> dict[str, Any]:
    container = {
        "name": "app", "image": "gcr.io/shop/web-app:1.0", "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
    }  # fmt: skip
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }  # fmt: skip


def build(path: str, pods: int, nodes: int) -> dict[str, float]:
    """A cluster of Deployments of 100 replicas, from apply to Ready."""
    import resource

    from minikube_py.cluster import MEMORY_EPOCH_S, Cluster

    cluster = Cluster.make(path, name="bench", epoch_s=MEMORY_EPOCH_S, nodes=nodes)
    before = _size(path)
    start = time.perf_counter()
    with cluster.transaction():
        for number in range(pods // 100):
            cluster.apply(deployment(f"web-{number}", 100))
    report = cluster.reconcile()
    ready_s = time.perf_counter() - start
    assert report.settled and not report.unhealthy, report.unhealthy[:3]
    assert len(cluster.store.keys("pods")) == pods
    cluster.close()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ready_s": ready_s, "limit_s": limit_s(path), "bytes": _size(path) - before, "peak_mib": peak_mib}


def _size(path: str) -> int:
    return sum(os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end))


def limit_s(path: str) -> float:
    """The least that SQLite and orjson need for what is in the file: encode each body, one executemany a table."""
    import orjson

    source = sqlite3.connect(path)
    tables = {}
    for name in ("object", "bucket", "log", "memory", "wake", "counter", "meta"):
        rows = source.execute(f"SELECT * FROM {name}").fetchall()
        schema = [
            found[0]
            for found in source.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL", (name,))
        ]
        tables[name] = (rows, schema)
    bodies = {"object": 5, "log": 9, "memory": 4, "counter": 1}
    parsed = {
        name: [orjson.loads(row[column]) if row[column] else None for row in tables[name][0]]
        for name, column in bodies.items()
    }
    target = Path(path + ".limit")
    target.unlink(missing_ok=True)
    fresh = sqlite3.connect(target, isolation_level=None)
    fresh.execute("PRAGMA journal_mode = WAL")
    fresh.execute("PRAGMA synchronous = NORMAL")
    for _, schema in tables.values():
        for statement in schema:
            fresh.execute(statement)
    start = time.perf_counter()
    fresh.execute("BEGIN IMMEDIATE")
    for name, (rows, _) in tables.items():
        if name in bodies:
            column = bodies[name]
            rows = [
                (*row[:column], orjson.dumps(body).decode() if body is not None else None, *row[column + 1 :])
                for row, body in zip(rows, parsed[name], strict=True)
            ]
        if rows:
            fresh.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    fresh.execute("COMMIT")
    took = time.perf_counter() - start
    fresh.close()
    target.unlink()
    return took


def idle(path: str) -> dict[str, float]:
    from minikube_py.cluster import Cluster

    with Cluster.open(path) as cluster:
        return {"writes": cluster.reconcile().writes}


def replace(path: str) -> dict[str, float]:
    """Delete one pod and let it be replaced."""
    from minikube_py.cluster import Cluster

    with Cluster.open(path) as cluster:
        key = cluster.store.keys("pods")[0]
        cluster.delete("pods", key.name, key.namespace)
        return {"writes": cluster.reconcile().writes}


def table(path: str) -> dict[str, float]:
    """What `kpy get pods -A` does: the file becomes the cluster of a home beside it."""
    import contextlib
    import io

    from minikube_py.__main__ import main

    home = Path(path + ".home")
    if not home.exists():
        home.joinpath("clusters").mkdir(parents=True)
        home.joinpath("clusters", "kpy.db").symlink_to(path)
    os.environ["KPY_HOME"] = str(home)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(["get", "pods", "-A"])
    return {"rows": out.getvalue().count("\n")}


def rows(path: str) -> dict[str, float]:
    """The same rows read and printed by a loop of a few lines."""
    count, lines = 0, []
    query = "SELECT body FROM object WHERE resource = 'pods' ORDER BY namespace, name"
    for (body,) in sqlite3.connect(path).execute(query):
        pod = json.loads(body)
        meta, statuses = pod["metadata"], pod["status"].get("containerStatuses", ())
        ready = sum(one["ready"] for one in statuses)
        restarts = sum(one["restartCount"] for one in statuses)
        lines.append(
            f"{meta['namespace']:<10} {meta['name']:<40} {ready}/{len(pod['spec']['containers'])} "
            f"{pod['status']['phase']} {restarts} {meta['creationTimestamp']}\n"
        )
        count += 1
    return {"rows": count, "bytes": len("".join(lines))}


if __name__ == "__main__":
    deed, *words = sys.argv[1:]
    if deed == "build":
        print(json.dumps(build(words[0], int(words[1]), int(words[2]))))
    else:
        print(json.dumps({"idle": idle, "replace": replace, "rows": rows, "table": table}[deed](words[0])))
