"""Where the clusters of a person live: `$KPY_HOME/clusters/<name>.db`, and which one is current.

A cluster file is a context of kubectl's: `kpy config use-context NAME` and `--context NAME` choose one. Paths are plain
text here: importing pathlib costs every command several milliseconds.
"""

from __future__ import annotations

import builtins
import os
import re
import sys
from typing import TYPE_CHECKING

from minikube_py.base import clock
from minikube_py.base.errors import StoreError, UsageError
from minikube_py.store import files

if TYPE_CHECKING:
    from typing import Any

    from minikube_py.cluster import Cluster

DEFAULT = "kpy"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
NO_CLUSTER = "there is no cluster yet: 'kpy cluster start' makes one, as does the first writing command"

WAITING = "waiting for another kpy that is writing this cluster ...\n"


def root() -> str:
    """`$KPY_HOME`, or ~/.kpy. Raises StoreError if something else than a folder is there."""
    found = os.environ.get("KPY_HOME") or os.path.join(os.path.expanduser("~"), ".kpy")
    if os.path.isfile(found):
        raise StoreError(f"{found} is not a folder: set KPY_HOME to one")
    return found


def exists(file: str) -> bool:
    """Whether a cluster's file is there. Raises StoreError where nobody may look."""
    try:
        os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(f"cannot look at {file}: {error.strerror}") from error
    return True


def path(name: str) -> str:
    """The file of a cluster. Raises UsageError if the name could leave the folder."""
    if not NAME.fullmatch(name):
        raise UsageError(f"\"{name}\" is not a cluster name: use lower case letters, digits and '-', at most 63")
    return os.path.join(root(), "clusters", f"{name}.db")


def serve_folder(name: str) -> str:
    """Where the server of a cluster (`kpy serve`) has its files."""
    return path(name).removesuffix(".db") + ".serve"


def clusters() -> list[str]:
    """The names of all clusters, sorted."""
    try:
        found = os.listdir(os.path.join(root(), "clusters"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"cannot look into {root()}: {error.strerror}") from error
    return sorted(name.removesuffix(".db") for name in found if name.endswith(".db") and not name.startswith("."))


def current() -> str:
    """The chosen cluster, or 'kpy' where nobody chose."""
    return read(os.path.join(root(), "current")) or DEFAULT


def use(name: str) -> None:
    """Choose a cluster. Raises UsageError if there is none of that name."""
    if not exists(path(name)):
        raise UsageError(f'no context exists with the name: "{name}"')
    write(os.path.join(root(), "current"), name + "\n")


def read(source: str) -> str:
    """The text of a small file, stripped; '' if it cannot be read."""
    try:
        with builtins.open(source, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def write(target: str, text: str) -> None:
    """Replace a small private file in one step."""
    folder = os.path.dirname(target)
    try:
        files.make_private_folder(folder)
        fresh = files.temporary(target)
        descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.replace(fresh, target)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}") from error


def open(name: str | None = None, *, create: bool = False) -> Cluster:
    """Open a cluster, the current one unless named. `create`: make the default cluster if there is none."""
    chosen = name or current()
    file = path(chosen)
    if exists(file):
        return _opened(file, chosen)
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
    if exists(file):
        raise UsageError(f'cluster "{name}" exists already')
    first = not clusters()
    fresh = files.temporary(file)
    try:
        epoch = epoch_s if epoch_s is not None else clock.wall_now_s()
        Cluster.make(fresh, name=name, epoch_s=epoch, **shape).close()
        os.link(fresh, file)  # fails where another process was faster, which then made the same cluster
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"cannot create the cluster file {file}: {error.strerror}") from error
    finally:
        files.forget(fresh, *files.belonging(fresh))
    if first and name != DEFAULT:
        use(name)
    return _opened(file, name)


def _opened(file: str, name: str) -> Cluster:
    from minikube_py.cluster import Cluster

    cluster = Cluster.open(file, name=name)
    cluster.store.wait_told = tell_waiting
    return cluster


def tell_waiting() -> None:
    """What a person hears who waits for another process."""
    sys.stderr.write(WAITING)
    sys.stderr.flush()


def rename(old: str, new: str) -> None:
    """Give a cluster another name. Raises UsageError if there is none, or one of the new name."""
    if not os.path.exists(path(old)):
        raise UsageError(f'cluster "{old}" does not exist')
    if os.path.exists(path(new)):
        raise UsageError(f'cluster "{new}" exists already')
    try:
        for ending in ("-wal", "-shm", ""):
            if os.path.exists(path(old) + ending):
                os.rename(path(old) + ending, path(new) + ending)
        if os.path.isdir(serve_folder(old)):
            os.rename(serve_folder(old), serve_folder(new))
    except OSError as error:
        raise StoreError(f"cannot rename {path(old)}: {error.strerror}") from error


def forget_choice() -> None:
    """Nobody has chosen a cluster any more: the current one is the default again."""
    files.forget(os.path.join(root(), "current"))


def remove(name: str) -> None:
    """Delete a cluster's file. Raises UsageError if there is none."""
    file = path(name)
    if not exists(file):
        raise UsageError(f'cluster "{name}" does not exist')
    try:
        files.forget(file, *files.belonging(file))
        if os.path.isdir(serve_folder(name)):
            files.forget(*(os.path.join(serve_folder(name), one) for one in os.listdir(serve_folder(name))))
            os.rmdir(serve_folder(name))
        if current() == name:
            files.forget(os.path.join(root(), "current"))
    except OSError as error:
        raise StoreError(f"cannot delete {file}: {error.strerror}") from error
