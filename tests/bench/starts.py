"""Whole processes: what a person waits for after typing a command."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 8
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "gcr.io/shop/web-app:VERSION", ports: [{containerPort: 8080}]}
"""


def measure(folder: str, *, runs: int) -> list[tuple[str, float, float, str, float | None, str]]:
    """Medians of interleaved runs, in milliseconds."""
    kpy = str(BIN / "kpy")
    manifest = Path(folder) / "web.yaml"
    manifest.write_text(WEB.replace("VERSION", "0"))
    for command in (["cluster", "start", "bench"], ["apply", "-f", str(manifest)], ["reconcile"]):
        subprocess.run([kpy, *command], check=True, capture_output=True)
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "kubectl": [str(BIN / "kubectl"), "version", "--client"],
        "get": [kpy, "get", "pods"],
        "name": [kpy, "get", "pods", "-o", "name"],
        "unchanged": [kpy, "apply", "-f", str(manifest)],
        "idle": [kpy, "reconcile"],
    }
    took: dict[str, list[float]] = {name: [] for name in (*commands, "apply")}
    for number in range(runs):
        for name, command in commands.items():
            took[name].append(_once(command))
        changed = Path(folder) / "changed.yaml"
        changed.write_text(WEB.replace("VERSION", str(number)).replace("name: web", f"name: web-{number}", 1))
        took["apply"].append(_once([kpy, "apply", "-f", str(changed)]))
    median = {name: statistics.median(values) * 1000 for name, values in took.items()}
    base = median["kubectl"]
    return [
        ("bare Python", median["python"], base, "ms", None, "kubectl version --client"),
        ("kpy get pods", median["get"], base, "ms", 1.5, "kubectl version --client"),
        ("kpy get pods -o name", median["name"], base, "ms", 1.5, "kubectl version --client"),
        ("kpy apply, one Deployment created", median["apply"], base, "ms", 3, "kubectl version --client"),
        ("kpy apply, unchanged", median["unchanged"], base, "ms", 3, "kubectl version --client"),
        ("kpy reconcile, idle", median["idle"], base, "ms", None, "kubectl version --client"),
    ]


def _once(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start
