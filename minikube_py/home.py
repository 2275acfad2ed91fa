"""Where the clusters of a person live: `$KPY_HOME/clusters/<name>.db`, and which one is current.

A cluster file is a context of kubectl's: `kpy config use-context NAME` and `--context NAME` choose one.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from minikube_py.base import clock
from minikube_py.base.errors import StoreError, UsageError

if TYPE_CHECKING:
    from typing import Any

    from minikube_py.cluster import Cluster

DEFAULT = "kpy"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
NO_CLUSTER = "there is no cluster yet: 'kpy cluster start' makes one, as does the first writing command"


def root() -> Path:
    """`$KPY_HOME`, or ~/.kpy. Raises StoreError if something else than a folder is there."""
    found = Path(os.environ.get("KPY_HOME") or Path.home() / ".kpy")
    if found.exists() and not found.is_dir():
        raise StoreError(f"{found} is not a folder: set KPY_HOME to one")
    return found


def path(name: str) -> Path:
    """The file of a cluster. Raises UsageError if the name could leave the folder."""
    if not NAME.fullmatch(name):
        raise UsageError(f"\"{name}\" is not a cluster name: use lower case letters, digits and '-', at most 63")
    return root() / "clusters" / f"{name}.db"


def clusters() -> list[str]:
    """The names of all clusters, sorted."""
    folder = root() / "clusters"
    return sorted(found.stem for found in folder.glob("*.db")) if folder.is_dir() else []


def current() -> str:
    """The chosen cluster, or 'kpy' where nobody chose."""
    try:
        return (root() / "current").read_text(errors="replace").strip() or DEFAULT
    except OSError:
        return DEFAULT


def use(name: str) -> None:
    """Choose a cluster. Raises UsageError if there is none of that name."""
    if not path(name).exists():
        raise UsageError(f'no context exists with the name: "{name}"')
    _write(root() / "current", name + "\n")


def _write(target: Path, text: str) -> None:
    """Replace a small private file in one step."""
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        fresh.replace(target)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}") from error


def open(name: str | None = None, *, create: bool = False) -> Cluster:
    """Open a cluster, the current one unless named. `create`: make the default cluster if there is none."""
    from minikube_py.cluster import Cluster

    chosen = name or current()
    file = path(chosen)
    if file.exists():
        return Cluster.open(str(file), name=chosen)
    if name is not None and name != DEFAULT:
        raise UsageError(f'context "{name}" does not exist')
    if not create:
        raise UsageError(NO_CLUSTER)
    return start(chosen)


def start(name: str, *, epoch_s: int | None = None, **shape: Any) -> Cluster:
    """Make a cluster and choose it if it is the first. See `Cluster.make` for the shape.

    It is built beside its place and moved there whole: a kill leaves no half cluster.
    """
    from minikube_py.cluster import Cluster

    file = path(name)
    if file.exists():
        raise UsageError(f'cluster "{name}" exists already')
    first = not clusters()
    fresh = file.with_name(f".{name}.{os.getpid()}.new")
    try:
        epoch = epoch_s if epoch_s is not None else clock.wall_now_s()
        Cluster.make(str(fresh), name=name, epoch_s=epoch, **shape).close()
        os.link(fresh, file)  # fails where another process was faster, which then made the same cluster
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"cannot create the cluster file {file}: {error.strerror}") from error
    finally:
        for leftover in (fresh, fresh.with_name(fresh.name + "-wal"), fresh.with_name(fresh.name + "-shm")):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)
    if first and name != DEFAULT:
        use(name)
    return Cluster.open(str(file), name=name)


def remove(name: str) -> None:
    """Delete a cluster's file. Raises UsageError if there is none."""
    file = path(name)
    if not file.exists():
        raise UsageError(f'cluster "{name}" does not exist')
    try:
        for found in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
            found.unlink(missing_ok=True)
        if current() == name:
            (root() / "current").unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot delete {file}: {error.strerror}") from error
