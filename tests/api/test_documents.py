"""Reading manifests: what kubectl 1.37 made of the same text (`kubectl annotate --local -f - -o json kpy=1`)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api import documents
from minikube_py.base import gotext
from minikube_py.base.errors import UsageError

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "kubectl_documents.json").read_text())
POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n"


def printed(obj: dict[str, Any]) -> str:
    metadata = obj.get("metadata") or {}
    metadata = {**metadata, "annotations": {**(metadata.get("annotations") or {}), "kpy": "1"}}
    return gotext.json_indented({**obj, "metadata": metadata}) + "\n"


def outcome(text: str) -> tuple[str, str]:
    """(what kubectl would print, its error message)."""
    output = ""
    try:
        for document in documents.read_text(text, "STDIN"):
            documents.require_kind(document)
            output += "".join(printed(item.object) for item in documents.flatten(document))
    except UsageError as error:
        return output, f"error: {error}"
    return output, ""


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_a_text_is_read_as_kubectl_reads_it(case: dict[str, Any]) -> None:
    assert outcome(case["text"]) == (case["printed"], case["error"])


def test_documents_know_where_they_come_from() -> None:
    text = f"# first\n{POD.format('a')}---\n\n# second\n{POD.format('b')}"
    found = list(documents.read_text(text, "web.yaml"))
    assert [(item.source, item.index, item.line) for item in found] == [("web.yaml", 0, 2), ("web.yaml", 1, 9)]


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(POD.format("b"))
    (tmp_path / "a.yml").write_text(POD.format("a"))
    (tmp_path / "c.json").write_text('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"}}')
    (tmp_path / "notes.txt").write_text("not read")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.yaml").write_text(POD.format("d"))

    def names(recursive: bool) -> list[str]:
        return [item.object["metadata"]["name"] for item in documents.read_path(str(tmp_path), recursive)]

    assert names(recursive=False) == ["a", "b", "c"]
    assert names(recursive=True) == ["a", "b", "c", "d"]


def test_a_file_given_by_name_may_have_any_extension_and_a_pattern_names_several(tmp_path: Path) -> None:
    for name in ("x1.txt", "x2.txt"):
        (tmp_path / name).write_text(POD.format(name))
    assert len(list(documents.read(str(tmp_path / "x1.txt")))) == 1
    assert len(list(documents.read(str(tmp_path / "x*.txt")))) == 2


def test_what_is_not_there_is_said_in_the_words_of_kubectl(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'^the path "/no/such\.yaml" does not exist$'):
        list(documents.read("/no/such.yaml"))
    with pytest.raises(UsageError) as caught:
        list(documents.read(str(tmp_path)))
    assert str(caught.value) == f"error reading [{tmp_path}]: recognized file extensions are [.json .yaml .yml]"


def test_standard_input_is_called_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(POD.format("a").encode())))
    assert [item.source for item in documents.read("-")] == ["STDIN"]


def test_a_document_that_explodes_through_aliases_is_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, before in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    with pytest.raises(UsageError, match="document contains excessive aliasing"):
        list(documents.read_text("\n".join(lines), "bomb.yaml"))


def test_aliases_share_their_value() -> None:
    (document,) = documents.read_text(POD.format("a") + "x: &x {k: [1]}\nz: *x\n", "s")
    assert document.object["x"] is document.object["z"]
