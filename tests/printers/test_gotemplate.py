"""Go templates, replayed against what `kubectl -o go-template=...` (1.37) printed for the same object."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minikube_py.base.errors import UsageError
from minikube_py.printers import gotemplate, output

DATA = Path(__file__).parents[1] / "data"
RECORDED = json.loads((DATA / "kubectl_gotemplate.json").read_text())
OBJECT = json.loads((DATA / "kubectl_jsonpath.json").read_text())["object"]


def outcome(template: str) -> tuple[str, str]:
    """(standard output, standard error), without the debugging information that follows an error."""
    try:
        return output.render(f"go-template={template}", [OBJECT]), ""
    except UsageError as error:
        written = getattr(error, "written", "")
        return written.split(". Printing more information")[0], f"error: {error}\n"


@pytest.mark.parametrize(("template", "printed", "error"), RECORDED)
def test_a_template_prints_what_kubectl_printed(template: str, printed: str, error: str) -> None:
    assert outcome(template) == (printed, error)


def test_a_missing_key_is_an_error_where_none_is_allowed() -> None:
    with pytest.raises(gotemplate.TemplateError, match=r'at <\.nope>: map has no entry for key "nope"$'):
        gotemplate.render("{{.nope}}", {}, missing_ok=False)


def test_endless_recursion_is_stopped() -> None:
    with pytest.raises(gotemplate.TemplateError, match="exceeded maximum template depth"):
        gotemplate.render('{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}', {})
