"""`make bench-large`: clusters up to Kubernetes' own limits, and what small changes cost in them.

    python -m tests.bench.large --pods 1000,10000,50000,150000

For each size a cluster of pods / 30 nodes in five zones is built from Deployments of 100 replicas, apply to Ready. Then each
deed is done by a kpy process of its own, on that cluster and on an almost empty one (three nodes, one Deployment of 100).
Figures are seconds of CPU (user and system) of whole processes, which a busy machine distorts less than the clock; the
building also in seconds by the clock. Every deed's cost is fitted as size^k over the sizes: k near 0 is what is wanted
where the change stays the same.

Prints tables, writes build/large.json, build/large.svg and build/large.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import chart
from tests.bench.growth import deployment

ROOT = Path(__file__).parents[2]
PODS_PER_NODE, PODS_PER_DEPLOYMENT, ZONES = 30, 100, 5
PROBE = "probe"  # the namespace of the one Deployment that is there in every cluster


class Deed(NamedTuple):
    """`words`: a command of kpy, or a function of this module; `goal`: the largest ratio to the almost empty cluster."""

    name: str
    words: tuple[str, ...]
    runs: int
    goal: float | None = None
    grows: bool = False  # whether the change itself grows with the cluster


DEEDS = (
    Deed("idle reconcile", ("reconcile",), 5, 1.5),
    Deed("get pods -n NS (100)", ("get", "pods", "-n", PROBE), 5, 1.5),
    Deed("get pods -A", ("get", "pods", "-A"), 3, grows=True),
    Deed("get node worker-1", ("get", "node", "worker-1"), 5, 1.5),
    Deed("describe node worker-1", ("describe", "node", "worker-1"), 5),
    Deed("apply of one unchanged file", ("apply", "-f", "FILE"), 5, 1.5),
    Deed("one pod deleted and replaced", ("@replace",), 3, 2),
    Deed("a Deployment of 100 updated", ("@update",), 1, 2),
    Deed("reconcile --for 720h", ("reconcile", "--for", "720h"), 1),
    Deed("a zone lost, its pods elsewhere", ("@lose_zone",), 1, grows=True),
)


# ---------------------------------------------------------------------------------------- in a process of its own


def build(path: str, pods: int, nodes: int) -> dict[str, Any]:
    """A cluster, from apply to Ready; what it took."""
    from minikube_py.cluster import MEMORY_EPOCH_S, Cluster

    cluster = Cluster.make(path, name="bench", epoch_s=MEMORY_EPOCH_S, nodes=nodes)
    with cluster.transaction():
        for number, key in enumerate(cluster.store.keys("nodes")):
            labels = {"topology.kubernetes.io/zone": f"zone-{number % ZONES}"}
            cluster.patch("nodes", key.name, "", {"metadata": {"labels": labels}})
    cluster.reconcile()
    before, start, cpu = _size(path), time.perf_counter(), time.process_time()
    count = max(pods // PODS_PER_DEPLOYMENT, 1)
    with cluster.transaction():
        for number in range(count):
            namespace = PROBE if number == 0 else f"team-{number // 100}"
            if number == 0 or number % 100 == 0 or number == 1:
                cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            cluster.apply(deployment(f"web-{number}", PODS_PER_DEPLOYMENT), namespace=namespace)
    report = cluster.reconcile()
    found = {"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}
    assert report.settled and not report.unhealthy, report.unhealthy[:3]
    made = len(cluster.store.keys("pods"))
    assert made == count * PODS_PER_DEPLOYMENT, made
    cluster.close()
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**found, "pods": made, "nodes": nodes, "bytes": _size(path) - before, "tables": bytes_by_table(path)}


def bytes_by_table(path: str) -> dict[str, int]:
    """How many bytes of text and numbers each part of the file holds (pages also hold room to spare)."""
    queries = {
        "object: pods": "SELECT sum(length(body)) FROM object WHERE resource = 'pods'",
        "object: events": "SELECT sum(length(body)) FROM object WHERE resource = 'events'",
        "object: others": "SELECT sum(length(body)) FROM object WHERE resource NOT IN ('pods', 'events')",
        "log: what was before": "SELECT sum(length(before)) FROM log",
        "log: the rest": "SELECT sum(length(verb || resource || namespace || name || actor) + 16) FROM log",
        "index": "SELECT sum(length(bucket) + 4) FROM bucket",
        "keys of objects": "SELECT sum(length(resource || namespace || name) + 4) FROM object",
        "memory": "SELECT sum(length(step || resource || namespace || name || body)) FROM memory",
    }
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(query).fetchone()[0] or 0 for name, query in queries.items()}


def replace(path: str) -> None:
    from minikube_py.cluster import Cluster

    with Cluster.open(path) as cluster:
        name = cluster.store.connection.execute(
            "SELECT name FROM object WHERE resource = 'pods' AND namespace = ? ORDER BY name LIMIT 1", (PROBE,)
        ).fetchone()[0]
        cluster.delete("pods", name, PROBE)
        assert cluster.reconcile().settled


def update(path: str) -> None:
    from minikube_py.cluster import Cluster

    with Cluster.open(path) as cluster:
        containers = [{"name": "app", "image": "gcr.io/shop/web-app:2.0"}]
        fields = {"spec": {"template": {"spec": {"containers": containers}}}}
        cluster.patch("deployments", "web-0", PROBE, fields, type="strategic")
        assert cluster.reconcile(timeout_s=3600).settled


def lose_zone(path: str) -> None:
    """Every node of a zone fails; ten minutes later its pods run elsewhere."""
    from minikube_py.cluster import Cluster

    with Cluster.open(path) as cluster:
        lost = [node["metadata"]["name"] for node in cluster.list("nodes", labels="topology.kubernetes.io/zone=zone-1")]
        with cluster.transaction():
            for name in lost:
                cluster.create(
                    {
                        "apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault",
                        "metadata": {"name": f"node-down-{name}"}, "spec": {"type": "NodeDown", "node": name},
                    }
                )  # fmt: skip
        cluster.reconcile(for_s=900)
        running = sum(
            (pod.get("status") or {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
            for pod in cluster.list("pods")
        )
        assert running == len(cluster.store.keys("deployments.apps")) * PODS_PER_DEPLOYMENT, running


def _size(path: str) -> int:
    return sum(os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end))


# ------------------------------------------------------------------------------------------------------- measuring


def child(*words: str, home: str) -> tuple[float, float, str]:
    """Run a Python module; (CPU seconds, seconds by the clock, what it printed)."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "KPY_HOME": home}
    )
    took = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, took, done.stdout


def cost(deed: Deed, home: str) -> float:
    """The median CPU seconds of a deed on the cluster of a home."""
    path = f"{home}/clusters/kpy.db"
    words = [f"{home}/web-0.json" if word == "FILE" else word for word in deed.words]
    if deed.words[0].startswith("@"):
        run = ("tests.bench.large", "--do", deed.words[0][1:], path)
    else:
        run = ("minikube_py", *words)
    return statistics.median(child(*run, home=home)[0] for _ in range(deed.runs))


def measure(pods: int, nodes: int, folder: str, deeds: tuple[Deed, ...]) -> dict[str, Any]:
    """Build a cluster of a size and do every deed on it."""
    home = f"{folder}/{pods}"
    os.makedirs(f"{home}/clusters", mode=0o700)
    path = f"{home}/clusters/kpy.db"
    built = json.loads(child("tests.bench.large", "--do", "build", path, str(pods), str(nodes), home=home)[2])
    manifest = deployment("web-0", PODS_PER_DEPLOYMENT)
    manifest["metadata"]["namespace"] = PROBE
    Path(home, "web-0.json").write_text(json.dumps(manifest))
    print(f"{pods:,} pods on {nodes:,} nodes: {built['wall_s']:.1f} s ({built['cpu_s']:.1f} s of CPU)", flush=True)
    for deed in deeds:
        built[deed.name] = cost(deed, home)
        print(f"  {deed.name}: {built[deed.name]:.3f} s", flush=True)
    shutil.rmtree(home)
    return dict(built)


def exponent(sizes: list[float], costs: list[float]) -> float:
    """k of cost ~ size^k by least squares over the logarithms: sizes 1, 10, 100 at costs 2, 2, 2 -> 0; 2, 20, 200 -> 1."""
    if len(sizes) < 2:
        return math.nan
    xs, ys = [math.log(size) for size in sizes], [math.log(max(cost, 1e-9)) for cost in costs]
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def report(empty: dict[str, Any], found: list[dict[str, Any]], deeds: tuple[Deed, ...]) -> str:
    """Markdown: the building, the deeds against the almost empty cluster, and the bytes of a pod."""
    sizes = [row["pods"] for row in found]
    lines = [
        f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores, {platform.machine()}",
        "",
        "| cluster | apply to Ready | CPU | pods/s of CPU | peak memory | file a pod |",
        "|---|---|---|---|---|---|",
    ]
    for row in found:
        lines.append(
            f"| {row['pods']:,} pods, {row['nodes']:,} nodes | {row['wall_s']:.1f} s | {row['cpu_s']:.1f} s | "
            f"{row['pods'] / row['cpu_s']:.0f} | {row['peak_mib']:.0f} MiB | {row['bytes'] / row['pods'] / 1024:.1f} KiB |"
        )
    power = exponent(sizes, [row["cpu_s"] for row in found])
    lines += ["", f"The building costs size^{power:.2f}.", ""]
    lines.append(
        f"| deed (s of CPU) | almost empty | {' | '.join(f'{size:,}' for size in sizes)} | ratio | goal | size^k |"
    )
    lines.append("|---|---|" + "---|" * len(sizes) + "---|---|---|")
    for deed in deeds:
        costs = [row[deed.name] for row in found]
        ratio = costs[-1] / empty[deed.name]
        goal = "grows" if deed.grows else "" if deed.goal is None else f"≤ {deed.goal:g}"
        missed = " **missed**" if deed.goal is not None and ratio > deed.goal else ""
        figures = " | ".join(f"{figure:.3f}" for figure in costs)
        lines.append(
            f"| {deed.name} | {empty[deed.name]:.3f} | {figures} | {ratio:.2f} | {goal}{missed} | "
            f"{exponent(sizes, costs):.2f} |"
        )
    lines += ["", f"Bytes of a pod at {sizes[-1]:,} pods:", "", "| what | bytes a pod |", "|---|---|"]
    lines += [f"| {name} | {size / sizes[-1]:.0f} |" for name, size in found[-1]["tables"].items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pods", default="1000,10000,50000,150000", help="sizes, smallest first")
    parser.add_argument("--skip", default="", help="deeds to leave out, by a part of their names, with commas")
    parser.add_argument("--folder", default=None, help="where the clusters are built (a temporary folder)")
    words = parser.parse_args()
    deeds = tuple(deed for deed in DEEDS if not any(part in deed.name for part in words.skip.split(",") if part))
    sizes = [int(size) for size in words.pods.split(",")]
    with tempfile.TemporaryDirectory(prefix="kpy-large.", dir=words.folder) as folder:
        empty = measure(PODS_PER_DEPLOYMENT, 6, folder, deeds)
        found: list[dict[str, Any]] = []
        target = ROOT / "build"
        target.mkdir(exist_ok=True)
        for size in sizes:
            found.append(measure(size, max(size // PODS_PER_NODE, 6), folder, deeds))
            (target / "large.json").write_text(json.dumps({"empty": empty, "found": found}, indent=2) + "\n")
            (target / "large.md").write_text(report(empty, found, deeds))
            lines = {deed.name: [(row["pods"], row[deed.name]) for row in found] for deed in deeds}
            lines["apply to Ready"] = [(row["pods"], row["cpu_s"]) for row in found]
            (target / "large.svg").write_text(chart.log_log("Seconds of CPU by pods in the cluster", lines))
    print((target / "large.md").read_text())


def do(deed: str, words: list[str]) -> None:
    if deed == "build":
        print(json.dumps(build(words[0], int(words[1]), int(words[2]))))
    else:
        {"replace": replace, "update": update, "lose_zone": lose_zone}[deed](words[0])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--do"]:
        do(sys.argv[2], sys.argv[3:])
    else:
        main()
