"""schemathesis over the server's own OpenAPI: whatever it sends, no answer may be a fault of ours (a 500).

python -m tests.clients.fuzz [--examples N] [--seed N] [GROUP/VERSION ...]      `make fuzz`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients import serving

if TYPE_CHECKING:
    from tests.clients.serving import Served

DEFAULT = ("v1", "apps/v1", "batch/v1", "autoscaling/v2", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1")


def run(server: Served, version: str, *, examples: int, seed: int) -> subprocess.CompletedProcess[str]:
    """Fuzz one document; the exit code is not 0 where a 500 was found."""
    path = f"apis/{version}" if "/" in version else f"api/{version}"
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{server.address}/openapi/v3/{path}",
        "--url", server.address, "--header", f"Authorization: Bearer {server.token}",
        "--tls-verify", str(server.authority), "--checks", "not_a_server_error", "--phases", "fuzzing",
        "--max-examples", str(examples), "--seed", str(seed), "--workers", "1", "--no-shrink", "--warnings", "off",
        "--suppress-health-check", "all", "--generation-database", "none", "--continue-on-failure",
        "--exclude-path-regex", "/(exec|attach|portforward|proxy)$",
    ]  # fmt: skip
    return subprocess.run(
        command, capture_output=True, text=True, timeout=3600, env=server.environment, cwd=server.home
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("versions", nargs="*", default=DEFAULT)
    given = parser.parse_args()
    worst = 0
    with tempfile.TemporaryDirectory() as folder, serving.served(Path(folder), "--clock", "manual") as server:
        for version in given.versions:
            done = run(server, version, examples=given.examples, seed=given.seed)
            worst = max(worst, done.returncode)
            tail = [line for line in done.stdout.splitlines() if line.strip()][-6:]
            print(
                f"{version}: {'no 500' if not done.returncode else done.stdout + done.stderr}",
                *tail,
                sep="\n  ",
                flush=True,
            )
    return worst


if __name__ == "__main__":
    sys.exit(main())
