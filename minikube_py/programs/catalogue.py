"""The image catalogue: what well-known images do when nobody says otherwise (`catalogue.json`, package data).

An entry is named by the repository without registry and 'library/': 'nginx', 'bitnami/redis', or, for other registries,
by the last part of the path ('pause', 'agnhost'). Its fields:

    size        bytes of the compressed image
    ports       TCP ports it listens on
    http        {path glob: status code}; in order, the first that matches answers; without it every path answers 200
    exit        [after seconds, code]: the default command ends (a shell without terminal, hello-world, pi)
    stop        [after seconds, code] on SIGTERM; null: ignores SIGTERM
    start       seconds until it listens
    needs       environment variables of which one must be set, else it exits 1 at once with `complaint` in its log
    tags        a regular expression; a tag that does not match in full does not exist in the registry
    log         its first lines
    commands    globs of all commands that it has beside common tools: any other one cannot be started
    user        whom the image runs as, by number or name; root ('0') without it
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from minikube_py.programs import images
from minikube_py.programs.behaviour import IMAGE_SIZE, Answer, Behaviour

if TYPE_CHECKING:
    from minikube_py.api.types import Object


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    import json
    from importlib.resources import files

    text = files("minikube_py.programs").joinpath("catalogue.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def listed() -> list[tuple[str, int, tuple[int, ...]]]:
    """(name, bytes, ports) of all images of the catalogue, by name."""
    found = _data()["images"]
    return [
        (name, entry.get("size", IMAGE_SIZE), tuple(entry.get("ports") or ())) for name, entry in sorted(found.items())
    ]


def of(container: Object) -> Behaviour | None:
    """What the image of a container does by itself; None if the catalogue does not know it."""
    image = container.get("image") or ""
    found, strict = _entry(image)
    if found is None:
        return None
    if strict and (container.get("env") or container.get("envFrom")):
        names = {entry["name"] for entry in container.get("env") or ()}
        if container.get("envFrom") or names & set(_needs(image)):
            found = _entry_of(image, True)
    mounted = any(
        not mount["mountPath"].startswith("/var/run/secrets/") for mount in container.get("volumeMounts") or ()
    )
    if found is not None and found.ports is not None and (mounted or container.get("command") or container.get("args")):
        # Its own configuration or content: what it listens on and answers is no longer the image's affair.
        return found._replace(ports=None, http=())
    return found


@lru_cache(maxsize=1024)
def user_of(image: str) -> str:
    """Whom an image runs as: '0', '101', 'nobody'; '' for one that the catalogue does not know."""
    entry = _data()["images"].get(_short(image))
    return "" if entry is None else str(entry.get("user", "0"))


@lru_cache(maxsize=1024)
def commands_of(image: str) -> tuple[str, ...]:
    """Globs of the commands that an image has beside common tools; () if that is not known."""
    return tuple(_data()["images"].get(_short(image), {}).get("commands", ()))


def _entry(image: str) -> tuple[Behaviour | None, bool]:
    return _entry_of(image, False), bool(_needs(image))


def _short(image: str) -> str:
    """The name under which the catalogue knows an image: 'docker.io/library/nginx:1' -> 'nginx'."""
    name = images.repository(image)
    if name.startswith("docker.io/library/"):
        return name[len("docker.io/library/") :]
    return name[len("docker.io/") :] if name.startswith("docker.io/") else name.rpartition("/")[2]


@lru_cache(maxsize=1024)
def _needs(image: str) -> tuple[str, ...]:
    return tuple(_data()["images"].get(_short(image), {}).get("needs", ()))


@lru_cache(maxsize=1024)
def _entry_of(image: str, configured: bool) -> Behaviour | None:
    """`configured`: an environment variable that the image asks for is set."""
    data = _data()
    missing = _missing(image, data)
    if missing:
        return Behaviour(pull_s=1, pull_error=missing)
    entry = data["images"].get(_short(image))
    if entry is None:
        return None
    after_s, code = entry.get("exit", (None, 0))
    log = tuple((0, line) for line in entry.get("log", ()))
    message = ""
    if entry.get("needs") and not configured:
        after_s, code, log = 0, 1, tuple((0, line) for line in entry["complaint"])
    stop_s, stop_code = entry.get("stop", (1, 0)) or (None, 137)
    ports = entry.get("ports")
    return Behaviour(
        pull_s=entry.get("pull", 2),
        image_size=entry.get("size", IMAGE_SIZE),
        start_s=entry.get("start", 0),
        ports=None if ports is None else tuple(ports),
        http=tuple(Answer(path, 0, ((0, status),)) for path, status in entry.get("http", {}).items()),
        exit_after_s=after_s,
        exit_code=code,
        exit_message=message,
        stop_s=stop_s,
        stop_code=stop_code,
        log=log,
    )


def _missing(image: str, data: dict[str, Any]) -> str:
    """Why a registry does not have the image; '' if it does."""
    name, reference = images.repository(image), images.full_name(image)
    entry = data["images"].get(_short(image))
    wrong_tag = entry is not None and "tags" in entry and not re.fullmatch(entry["tags"], images.tag(image) or "latest")
    wrong_name = entry is None and any(fnmatchcase(name, glob) for glob in data["missing"])
    if not (wrong_tag or wrong_name):
        return ""
    return f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": {reference}: not found'
