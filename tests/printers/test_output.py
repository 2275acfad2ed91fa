"""Output formats: names, lists, errors of formats, custom columns. What is expected was printed by kubectl 1.37."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.base.errors import UsageError
from minikube_py.printers import kyaml_text, output, tabwriter

DATA = Path(__file__).parents[1] / "data"
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "managedFields": [{"manager": "m"}]}}
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "b", "labels": {"x": "<&>"}}}
BOTH = [POD, DEPLOYMENT]


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("name", "pod/a\ndeployment.apps/b\n"),
        (
            "yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n---\n"
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    x: <&>\n  name: b\n",
        ),
        ("jsonpath={.metadata.name}", "ab"),
        ("go-template={{.metadata.name}}", "ab"),
        ("template={{.kind}} ", "Pod Deployment "),
        ("jsonpath-as-json={.metadata.name}", '[\n    "a"\n]\n[\n    "b"\n]\n'),
        ("custom-columns=NAME:.metadata.name,X:.metadata.labels.x", "NAME   X\na      <none>\nb      <&>\n"),
    ],
)
def test_objects_are_printed_one_after_the_other(format: str, text: str) -> None:
    assert output.render(format, BOTH) == text


def test_json_has_four_spaces_sorted_keys_and_escaped_html() -> None:
    assert output.render("json", [DEPLOYMENT]) == (
        '{\n    "apiVersion": "apps/v1",\n    "kind": "Deployment",\n    "metadata": {\n        "labels": {\n'
        '            "x": "\\u003c\\u0026\\u003e"\n        },\n        "name": "b"\n    }\n}\n'
    )
    assert output.render("JSON", [DEPLOYMENT]) == output.render("json", [DEPLOYMENT])


def test_a_list_is_a_v1_list() -> None:
    assert output.render("yaml", [], as_list=True) == (
        'apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: ""\n'
    )
    assert output.render("jsonpath={.items[*].metadata.name}", BOTH, as_list=True) == "a b"
    assert output.render("go-template={{len .items}}", BOTH, as_list=True) == "2"
    assert output.render("name", BOTH, as_list=True) == "pod/a\ndeployment.apps/b\n"


def test_managed_fields_are_shown_only_on_request() -> None:
    assert "managedFields" not in output.render("json", [POD])
    assert "managedFields" in output.render("json", [POD], managed_fields=True)
    assert "managedFields" in POD["metadata"]  # type: ignore[operator]


def test_custom_columns_can_go_without_headers() -> None:
    assert output.render("custom-columns=NAME:metadata.name", BOTH, headers=False) == "a\nb\n"


def test_values_of_a_column_are_joined_by_commas() -> None:
    obj = {"kind": "X", "l": [{"n": 1}, {"n": 2.5}], "m": {"a": True}, "e": []}
    columns = "A:.l[*].n,B:{.m},C:.e,D:.l[*].nope,E:.m.a"
    assert (
        output.render(f"custom-columns={columns}", [obj], headers=False)
        == "1,2.5   map[a:true]   []    <none>   true\n"
    )


def test_columns_and_templates_can_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "columns").write_text("NAME   KIND\nmetadata.name .kind\n")
    (tmp_path / "template").write_text("{{.kind}};")
    (tmp_path / "path").write_text("{.kind}")
    assert output.render(f"custom-columns-file={tmp_path}/columns", [POD]) == "NAME   KIND\na      Pod\n"
    assert output.render(f"go-template-file={tmp_path}/template", [POD]) == "Pod;"
    assert output.render("jsonpath-file", [POD], template=f"{tmp_path}/path") == "Pod"
    assert output.render("", [POD], template="{{.kind}}") == "Pod"


MOST = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml"


@pytest.mark.parametrize(
    ("format", "message"),
    [
        ("nope", f'unable to match a printer suitable for the output format "nope", allowed formats are: {MOST}'),
        ("wide", f'unable to match a printer suitable for the output format "wide", allowed formats are: {MOST}'),
        ("json=x", f'unable to match a printer suitable for the output format "json=x", allowed formats are: {MOST}'),
        ("jsonpath", "template format specified but no template given"),
        ("jsonpath=", "template format specified but no template given"),
        ("go-template=", "template format specified but no template given"),
        ("jsonpath-file=/nope", "error reading --template /nope, open /nope: no such file or directory"),
        ("go-template-file=/nope", "error reading --template /nope, open /nope: no such file or directory"),
        ("jsonpath={.x", "error parsing jsonpath {.x, unclosed action"),
        ("go-template={{.x", "error parsing template {{.x, template: output:1: unclosed action"),
    ],
)
def test_a_format_that_does_not_fit_is_refused(format: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        output.plan(format)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("format", "message"),
    [
        (
            "nope",
            'unable to match a printer suitable for the output format "nope", allowed formats are: custom-columns,'
            "custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,"
            "template,templatefile,wide,yaml",
        ),
        ("custom-columns", "custom-columns format specified but no custom columns given"),
        ("custom-columns=x", "unexpected custom-columns spec: x, expected <header>:<json-path-expr>"),
        ("custom-columns-file=/nope", "error reading template /nope, open /nope: no such file or directory"),
        (
            "custom-columns=A:{.x",
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
        ),
    ],
)
def test_get_offers_columns_and_refuses_others(format: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        output.plan(format, allowed=output.GET_FORMATS)
    assert str(caught.value) == message


def test_a_jsonpath_that_fails_on_the_data_shows_the_data() -> None:
    with pytest.raises(output.TemplateFailure) as caught:
        output.render("jsonpath={.a[3]}", [{"a": [1]}])
    assert str(caught.value) == (
        'error executing jsonpath "{.a[3]}": Error executing template: array index out of bounds: index 3, length 1. '
        "Printing more information for debugging the template:\n\ttemplate was:\n\t\t{.a[3]}\n"
        '\tobject given to jsonpath engine was:\n\t\tmap[string]interface {}{"a":[]interface {}{1}}\n\n\n'
    )


def test_a_template_that_fails_on_the_data_tells_so_on_both_streams() -> None:
    with pytest.raises(output.TemplateFailure) as caught:
        output.render("go-template=x{{.a.b}}", [{"a": 1}])
    problem = 'template: output:1:5: executing "output" at <.a.b>: can\'t evaluate field b in type interface {}'
    assert str(caught.value) == f'error executing template "x{{{{.a.b}}}}": {problem}'
    assert caught.value.written == (
        f"xError executing template: {problem}. Printing more information for debugging the template:\n"
        '\ttemplate was:\n\t\tx{{.a.b}}\n\traw data was:\n\t\t{"a":1}\n'
        "\tobject given to template engine was:\n\t\tmap[a:1]\n\n"
    )


@pytest.mark.parametrize("case", json.loads((DATA / "kubectl_kyaml.json").read_text()), ids=lambda case: case["name"])
def test_kyaml_is_printed_as_kubectl_prints_it(case: dict[str, Any]) -> None:
    assert kyaml_text.dump(case["object"]) == case["kyaml"]


def test_a_column_is_as_wide_as_its_widest_cell_plus_three() -> None:
    assert tabwriter.align("A\tB\tC\nlonger\tb\tc\n") == "A        B     C\nlonger   b     c\n"
    assert tabwriter.align("a\tb\n\nlonger text\tc\n") == "a     b\n\nlonger text   c\n"
