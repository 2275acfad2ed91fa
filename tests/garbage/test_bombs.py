"""Manifests that are meant to burst something: depth, numbers, anchors, sizes, cycles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py import home
from tests.garbage import ground

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}


def config(**data: Any) -> str:
    return json.dumps({**CONFIG, "data": data})


def laughs(levels: int) -> str:
    """Ten aliases of ten aliases of ten ...: 10^levels strings."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    return "\n".join(["apiVersion: v1", "kind: ConfigMap", "metadata: {name: c}", *lines])


BOMBS = {
    "lists in lists": "[" * 100_000 + "]" * 100_000,
    "maps in maps": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "maps in maps as YAML": "".join(" " * depth + "a:\n" for depth in range(3_000)),
    "flow lists as YAML": "a: " + "[" * 50_000,
    "a deep field": config() [:-1] + ', "x": ' + '{"a":' * 5_000 + "1" + "}" * 5_001,
    "a billion laughs": laughs(9),
    "merge keys": "\n".join(["a: &a {x: 1}", *(f"b{n}: &b{n} {{<<: [{', '.join(['*a'] * 200)}]}}" for n in range(200))]),
    "an anchor in itself": "a: &a [*a]\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}",
    "a number of a million digits": config()[:-1] + ', "x": ' + "9" * 1_000_000 + "}",
    "a float beyond all": config()[:-1] + ', "x": 1e999999}',
    "an octal beyond all": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nx: 0" + "7" * 100_000,
    "a sexagesimal": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: 1:59:59:59}",
    "replicas beyond all": json.dumps({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
            "replicas": 2**31, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}}}),
    "a quantity of many digits": json.dumps({**POD, "spec": {"containers": [
        {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1" * 100_000 + "e99999"}}}]}}),
    "an exponent beyond all": json.dumps({**POD, "spec": {"containers": [
        {"name": "c", "image": "i", "resources": {"limits": {"memory": "1e999999999"}}}]}}),
    "a line of five megabytes": config(x="y" * 5_000_000),
    "a key of a megabyte": config(**{"k" * 1_000_000: "v"}),
    "a value for each of many keys": config(**{f"k{number}": "v" for number in range(50_000)}),
    "many labels": json.dumps({**CONFIG, "metadata": {"name": "c", "labels": {f"l{n}": "v" for n in range(20_000)}}}),
    "a selector of many terms": json.dumps({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
            "selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"] * 1000}] * 100},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}}}),
    "many containers": json.dumps({**POD, "spec": {"containers": [{"name": f"c{n}", "image": "i"} for n in range(3_000)]}}),
    "a name of 253 letters": json.dumps({**POD, "metadata": {"name": "x" * 253}}),
    "a name of 254 letters": json.dumps({**POD, "metadata": {"name": "x" * 254}}),
    "a generated name": json.dumps({**POD, "metadata": {"generateName": "x" * 253}}),
    "a namespace that leaves": json.dumps({**POD, "metadata": {"name": "../../../x", "namespace": "../../../y"}}),
    "only dashes": "---\n" * 20_000,
    "only comments": "# x\n" * 200_000,
    "tags": "!!python/object/apply:os.system ['touch /tmp/kpy-was-here']",
    "a custom tag": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: !secret y}",
    "a set": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: ? a\n? b",
    "keys that are lists": "? [a, b]\n: c",
    "keys that are numbers": "1: 2\ntrue: false\nnull: null",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ground.Ground]:
    found = ground.Ground(tmp_path_factory.mktemp("bombs"))
    yield found
    found.restore()


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_answered_in_words(bomb: str, place: ground.Ground) -> None:
    for verb in ("apply", "create", "delete"):
        place.fresh()
        result = place.run(verb, "-f", "-", stdin=BOMBS[bomb].encode())
        assert len(result.err) < 20_000_000
        if result.code:
            assert result.err.startswith(("error: ", "Error from server", "The ", "Warning: ")), result.err[:200]
            assert result.revision == place.revision
        elif verb == "apply" and bomb != "replicas beyond all":
            assert place.run("reconcile", "--for", "30s").code == 0
            place.check()
    assert not Path("/tmp/kpy-was-here").exists()
    assert not list(place.folder.parent.glob("x*"))


def test_owners_in_a_circle_do_not_turn_for_ever(place: ground.Ground) -> None:
    place.fresh()
    names = ("a", "b", "c")
    objects = [{**CONFIG, "metadata": {"name": name}} for name in names]
    assert (
        place.run(
            "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode()
        ).code
        == 0
    )
    uids = {name: place.run("get", "cm", name, "-o", "jsonpath={.metadata.uid}").out for name in names}
    for name, owner in zip(names, (*names[1:], names[0]), strict=True):
        refs = [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uids[owner], "blockOwnerDeletion": True}
        ]
        patched = place.run(
            "patch", "cm", name, "--type=merge", "-p", json.dumps({"metadata": {"ownerReferences": refs}})
        )
        assert patched.code == 0, patched.err
    for words in (
        ("reconcile",),
        ("delete", "cm", "a", "--cascade=foreground", "--wait=false"),
        ("reconcile", "--for", "5m"),
    ):
        assert place.run(*words).code == 0, words
    place.check()


def child(home_folder: Path, *words: str, stdin: bytes, mebibytes: int = 500) -> subprocess.CompletedProcess[bytes]:
    """kpy in a process of its own that gets no more memory than so much."""
    program = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({mebibytes} << 20,) * 2)\n"
        "from minikube_py.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *words], input=stdin, capture_output=True, timeout=120,
        env={**os.environ, "KPY_HOME": str(home_folder), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def big_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("big")
    os.environ["KPY_HOME"] = str(folder)
    home.start("kpy", epoch_s=1_790_000_000, nodes=1).close()
    return folder


def test_ten_thousand_documents_are_applied_within_memory(big_home: Path) -> None:
    documents = "\n---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{n}}}" for n in range(10_000))
    done = child(big_home, "apply", "-f", "-", stdin=documents.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"created") == 10_000


def test_a_document_of_many_megabytes_is_refused_within_memory(big_home: Path) -> None:
    done = child(big_home, "apply", "-f", "-", stdin=config(x="y" * 30_000_000).encode())
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"may not be more than 3" in done.stderr or b"Too long" in done.stderr or b"too large" in done.stderr, (
        done.stderr[-300:]
    )
