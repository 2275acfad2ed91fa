"""`tar` with an archive on standard input or output, as `kubectl cp` calls it: bytes pass unchanged, unlike in a shell.

tar cf - /var/log        -> the archive on stdout
tar xmf - -C /tmp        <- the archive on stdin
"""

from __future__ import annotations

import io
import posixpath
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikube_py.programs.commands import Session

Outcome = tuple[int, bytes, bytes]


def run(session: Session, command: tuple[str, ...], given: bytes | None) -> Outcome | None:
    """(exit code, stdout, stderr) of such a call of tar; None for every other command."""
    if not command or command[0].rpartition("/")[2] != "tar" or len(command) < 3:
        return None
    flags, words = command[1].lstrip("-"), [word for word in command[2:] if not word.startswith("--")]
    if not flags.endswith("f") or words[0] != "-":
        return None
    folder, names = session.cwd, []
    rest = iter(words[1:])
    for word in rest:
        if word == "-C":
            folder = posixpath.join(folder, next(rest, "."))
        else:
            names.append(word)
    if "c" in flags and names:
        return _packed(session, folder, names)
    if "x" in flags and given is not None:
        return _unpacked(session, folder, given)
    return None


def _packed(session: Session, folder: str, names: list[str]) -> Outcome:
    fs, out, told = session.bash.fs(), io.BytesIO(), ""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            path = posixpath.normpath(posixpath.join(folder, name))
            if not fs.exists(path):
                told = f"tar: {name}: Cannot stat: No such file or directory\n"
                return 2, out.getvalue(), f"{told}tar: Exiting with failure status due to previous errors\n".encode()
            if name.startswith("/"):
                told = "tar: Removing leading `/' from member names\n"
            _add(fs, archive, path, name.lstrip("/") or ".")
    return 0, out.getvalue(), told.encode()


def _add(fs: Any, archive: tarfile.TarFile, path: str, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    if fs.stat(path)["file_type"] == "directory":
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(info)
        for entry in sorted(fs.read_dir(path), key=lambda entry: str(entry["name"])):
            _add(fs, archive, f"{path.rstrip('/')}/{entry['name']}", f"{name}/{entry['name']}")
        return
    content = bytes(fs.read_file(path))
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _unpacked(session: Session, folder: str, given: bytes) -> Outcome:
    fs = session.bash.fs()
    try:
        with tarfile.open(fileobj=io.BytesIO(given)) as archive:
            for member in archive:
                path = posixpath.normpath(posixpath.join(folder, member.name.lstrip("/")))
                parent = path if member.isdir() else posixpath.dirname(path)
                if not fs.exists(parent):
                    fs.mkdir(parent, True)
                source = archive.extractfile(member) if member.isfile() else None
                if source is not None:
                    fs.write_file(path, source.read())
    except tarfile.TarError:
        return (
            2,
            b"",
            b"tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n",
        )
    return 0, b"", b""
