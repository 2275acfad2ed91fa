"""A whole cluster brought to the state of a recording, driven second by second.

`Machine` runs kubectl's command lines in this process on a cluster of the recorded nodes, lets virtual time pass, and gives
what was written as rows of the same shape as the recorded watch events. The recorded kubelets were an imitation that started
and stopped containers at once; `PROGRAMS` tell the kubelet here to do the same.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shlex
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py import bootstrap, home
from minikube_py.__main__ import main
from minikube_py.cluster import Cluster
from minikube_py.engine.engine import Engine
from minikube_py.engine.pipeline import PIPELINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from minikube_py.store.store import Change

DATA = Path(__file__).parents[1] / "data" / "traces"
EPOCH_S = 1_795_559_000
IMAGES = ("nginx", "nginx:1.27", "nginx:1.28", "nginx:1.29", "busybox", "busybox:1.37", "redis:7")
PROGRAMS: dict[str, dict[str, Any]] = {
    "everything": {"pull": {"after": "0s"}, "create": {"after": "1s"}, "sigterm": {"after": "1s"}},
    "nowhere": {
        "match": {"image": "does-not-exist*"},
        "pull": {"after": "0s", "error": "not found"},
    },
}  # fmt: skip
# The recorded cluster had no provisioner, nobody who resizes volumes, and no cloud that gives addresses.
PROVISIONERS = ("volume-provisioner", "volume-deleter", "volume-resizer", "service-load-balancer")
Object = dict[str, Any]


class Answer(NamedTuple):
    """What a command printed."""

    code: int
    out: str
    err: str


def load(name: str) -> Any:
    """A recording, from tests/data/traces."""
    return json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))


class Machine:
    """One cluster in a folder of its own, which is also the home of the command line meanwhile."""

    def __init__(
        self,
        folder: Path,
        nodes: Iterable[str],
        namespaces: Iterable[str] = (),
        without: tuple[str, ...] = PROVISIONERS,
        epoch_s: int = EPOCH_S,
    ) -> None:
        self._before = dict(os.environ)
        os.environ["KPY_HOME"] = str(folder / "home")
        path = Path(home.path("oracle"))
        path.parent.mkdir(parents=True)
        self._defaults = Engine.__init__.__kwdefaults__ or {}
        self._pipeline = self._defaults["pipeline"]
        self._defaults["pipeline"] = tuple(step for step in PIPELINE if step.name not in without)
        self.cluster = Cluster.make(str(path), name="oracle", epoch_s=epoch_s, nodes=0, seed=1)
        home.use("oracle")
        with self.cluster.transaction():
            for index, name in enumerate(nodes):
                self._add_node(name, index)
            for name in ("default", *namespaces):
                if name != "default":
                    self.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
                for program, spec in PROGRAMS.items():
                    meta = {"name": program, "namespace": name}
                    self.cluster.create(
                        {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Program", "metadata": meta, "spec": spec}
                    )
        self.cluster.reconcile()
        self.mark()

    def close(self) -> None:
        self.cluster.close()
        self._defaults["pipeline"] = self._pipeline
        os.environ.clear()
        os.environ.update(self._before)

    def _add_node(self, name: str, index: int) -> None:
        bootstrap.add_node(self.cluster.server, name, index=index, cpu="32", memory="128Gi", version="v1.36.2")
        images = [
            {"names": [f"docker.io/library/{image}" + (":latest" * (":" not in image))], "sizeBytes": 1}
            for image in IMAGES
        ]
        self.cluster.patch("nodes", name, patch={"status": {"images": images}}, subresource="status")

    # -- driving -------------------------------------------------------------------------------------------------

    def kpy(self, command: str, stdin: str = "") -> Answer:
        """One command line of kubectl."""
        words = words_of(command)
        out, err = (
            io.TextIOWrapper(io.BytesIO(), write_through=True),
            io.TextIOWrapper(io.BytesIO(), write_through=True),
        )
        with _stdin(stdin), redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(words[1:] if words[0] == "kubectl" else words)
            except SystemExit as error:
                code = int(error.code or 0)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
        return Answer(code, *texts)

    def pass_time(self, seconds: int) -> None:
        """The controllers act on what was written, then so many seconds pass."""
        self.cluster.reconcile(for_s=seconds)

    # -- watching ------------------------------------------------------------------------------------------------

    def mark(self) -> None:
        """What comes from now on is what `rows` gives."""
        self._since = self.cluster.store.revision
        self._since_s = self.cluster.clock.now_s

    def changes(self, namespace: str = "") -> list[Change]:
        found = self.cluster.changes(self._since)
        return [change for change in found if not namespace or change.key.namespace in (namespace, "")]

    def second(self, change: Change) -> int:
        """Seconds since the mark."""
        return change.time_s - self._since_s


def words_of(command: str) -> list[str]:
    """The words of a recorded command line: the JSON behind -p was written down without its quotes."""
    for flag in (" -p {", " -p ["):
        if flag in command:
            start = command.index(flag)
            return [*shlex.split(command[:start]), "-p", command[start + 4 :]]
    return shlex.split(command)


@contextmanager
def _stdin(text: str) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        yield
    finally:
        sys.stdin = before


# -- masking -----------------------------------------------------------------------------------------------------------

_MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"(?<=-)[bcdf-hj-np-tv-xz2-9]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "HASH-NAME"),
    (re.compile(r"(?<=-)(?=[a-z]*\d|[bcdfghjklmnpqrstvwxz]{5})[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "NAME"),
    (re.compile(r"(?<=-)[bcdf-hj-np-tv-xz2-9]{8,10}\b"), "HASH"),
)  # fmt: skip


def masked(text: str) -> str:
    """Without uids, times, hashes and the random parts of names."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def distinct(found: Iterable[Any]) -> list[Any]:
    """Without what equals its predecessor: [1, 1, 2, 1] -> [1, 2, 1]."""
    kept: list[Any] = []
    for one in found:
        if not kept or kept[-1] != one:
            kept.append(one)
    return kept
