"""Reading manifests: what kubectl 1.37 made of the same text (`kubectl annotate --local -f - -o json kpy=1`)."""

from __future__ import annotations

import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.api import documents
from minikube_py.base import gotext
from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def test_reading_can_go_on_behind_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD.format("a") + "---\n[")
    (tmp_path / "b.yaml").write_text(POD.format("b"))
    errors: list[UsageError] = []
    found = list(documents.read(str(tmp_path), errors=errors))
    assert [item.object["metadata"]["name"] for item in found] == ["a", "b"]
    problem = "error converting YAML to JSON: yaml: line 1: did not find expected node content"
    assert [str(error) for error in errors] == [f"error parsing {tmp_path}/a.yaml: {problem}"]


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = {"/pod.yaml": POD.format("a").encode(), "/big": b"#" * (documents.URL_BYTES_MAX + 1)}.get(self.path)
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_manifest_can_be_read_from_a_url(site: str) -> None:
    (document,) = documents.read(f"{site}/pod.yaml")
    assert (document.source, document.object["metadata"]["name"]) == (f"{site}/pod.yaml", "a")
    with pytest.raises(UsageError) as caught:
        list(documents.read(f"{site}/none"))
    assert str(caught.value) == f'unable to read URL "{site}/none", server reported 404 Not Found, status code=404'
    with pytest.raises(UsageError, match="more than 16 MiB"):
        list(documents.read(f"{site}/big"))
    with pytest.raises(UsageError, match=r"dial tcp 127\.0\.0\.1:1: connect: connection refused"):
        list(documents.read("http://127.0.0.1:1/x"))


def test_a_document_that_explodes_through_aliases_is_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, before in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    with pytest.raises(UsageError, match="document contains excessive aliasing"):
        list(documents.read_text("\n".join(lines), "bomb.yaml"))


def test_aliases_share_their_value() -> None:
    (document,) = documents.read_text(POD.format("a") + "x: &x {k: [1]}\nz: *x\n", "s")
    assert document.object["x"] is document.object["z"]
