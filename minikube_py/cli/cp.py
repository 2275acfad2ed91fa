"""`kubectl cp` (pkg/cmd/cp/cp.go): files and folders into and out of a container's simulated files."""

from __future__ import annotations

import os
import posixpath
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base.errors import UsageError
from minikube_py.cli import containers, exec

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.programs.commands import Session

Object = dict[str, Any]

FORMAT = "filespec must match the canonical format: [[namespace/]pod:]file/path"


class Place(NamedTuple):
    """'[[namespace/]pod:]path'; pod '' for a local path."""

    namespace: str
    pod: str
    path: str


def run(call: Call) -> int:
    if len(call.args) != 2:
        raise UsageError("source and destination are required")
    source, target = (_place(word) for word in call.args)
    if source.pod and target.pod:
        raise UsageError("one of src or dest must be a local file specification")
    if not source.path or not target.path:
        raise UsageError("filepath can not be empty")
    if source.pod:
        return _fetch(call, source, target.path)
    if target.pod:
        return _send(call, source.path, target)
    raise UsageError("one of src or dest must be a remote file specification")


def _place(word: str) -> Place:
    pod, colon, path = word.partition(":")
    if not colon:
        return Place("", "", word)
    parts = pod.split("/")
    if not pod or len(parts) > 2:
        raise UsageError(FORMAT)
    return Place(parts[0] if len(parts) == 2 else "", parts[-1], path)


def _visit(call: Call, place: Place) -> tuple[Object, Session]:
    pod = containers.pod_named(call, place.pod, place.namespace or call.namespace)
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise UsageError(f"cannot exec into a container in a completed pod; current phase is {phase}")
    session = exec.visit(call, pod, containers.chosen(call, pod, call.text("container")))
    problem = session.missing(("tar",))
    if problem:
        raise UsageError(f"Internal error occurred: error executing command in container: {problem}")
    return pod, session


def _send(call: Call, source: str, target: Place) -> int:
    if not os.path.exists(source):
        raise UsageError(f"{source} doesn't exist in local filesystem")
    pod, session = _visit(call, target)
    fs, path = session.bash.fs(), target.path.rstrip("/") or "/"
    if not path.startswith("/"):
        path = posixpath.join(session.cwd, path)
    if session.say(f"test -d {shlex.quote(path)}").code == 0:
        path = posixpath.join(path, os.path.basename(os.path.abspath(source)))
    folder = posixpath.dirname(path)
    if session.say(f"test -d {shlex.quote(folder)}").code:
        call.complain(f"tar: {folder}: Cannot open: No such file or directory")
        call.complain("tar: Error is not recoverable: exiting now")
        call.complain("command terminated with exit code 2")
        return 2
    for local, remote in _tree(source, path):
        if os.path.isdir(local):
            if not fs.exists(remote):
                fs.mkdir(remote, True)
        else:
            with open(local, "rb") as file:
                fs.write_file(remote, file.read())
    exec.keep(call, pod, session)
    return 0


def _tree(source: str, target: str) -> list[tuple[str, str]]:
    """(local path, path in the container) of a file, or of a folder with all that is in it, in order."""
    found = [(source, target)]
    if os.path.isdir(source):
        for name in sorted(os.listdir(source)):
            found += _tree(os.path.join(source, name), f"{target.rstrip('/')}/{name}")
    return found


def _fetch(call: Call, source: Place, target: str) -> int:
    _, session = _visit(call, source)
    fs, path = session.bash.fs(), source.path.rstrip("/") or "/"
    if not path.startswith("/"):
        path = posixpath.join(session.cwd, path)
    if not fs.exists(path):
        call.line(f"tar: {source.path}: Cannot stat: No such file or directory")
        call.line("tar: Exiting with failure status due to previous errors")
        call.complain("command terminated with exit code 2")
        return 2
    if source.path.startswith("/"):
        call.line("tar: Removing leading `/' from member names")
    if os.path.isdir(target) and fs.stat(path)["file_type"] != "directory":
        target = os.path.join(target, posixpath.basename(path))
    _copy_out(fs, path, target)
    return 0


def _copy_out(fs: Any, path: str, target: str) -> None:
    if fs.stat(path)["file_type"] == "directory":
        os.makedirs(target, exist_ok=True)
        for entry in sorted(fs.read_dir(path), key=lambda entry: str(entry["name"])):
            _copy_out(fs, f"{path.rstrip('/')}/{entry['name']}", os.path.join(target, entry["name"]))
        return
    try:
        with open(target, "wb") as file:
            file.write(bytes(fs.read_file(path)))
    except OSError as error:
        raise UsageError(f"open {target}: {(error.strerror or str(error)).lower()}") from None
