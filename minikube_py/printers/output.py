"""The output formats of `-o`, other than tables: json, yaml, kyaml, name, templates and custom columns.

    plan = output.plan("jsonpath={.metadata.name}")     # raises UsageError for a bad format or template
    text = plan.render([pod])                           # the objects one after the other
    text = plan.render(pods, as_list=True)              # as one v1 List, as `kubectl get pods` does

Sources: k8s.io/cli-runtime/pkg/genericclioptions (json_yaml_flags.go, template_flags.go, jsonpath_flags.go,
name_flags.go), pkg/printers (json.go, yaml.go, kyaml.go, name.go, jsonpath.go, template.go),
k8s.io/kubectl/pkg/cmd/get/customcolumn.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base import gotext, jsonpath
from minikube_py.base.errors import UsageError
from minikube_py.printers import tabwriter, yaml_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from minikube_py.api.types import Object
    from minikube_py.printers.gotemplate import Template

PLAIN = ("json", "kyaml", "name", "yaml")
TEMPLATES = ("go-template", "go-template-file", "template", "templatefile")
JSONPATHS = ("jsonpath", "jsonpath-as-json", "jsonpath-file")
COLUMNS = ("custom-columns", "custom-columns-file")
# What most commands offer; `get` adds custom columns and wide.
FORMATS = tuple(sorted((*PLAIN, *TEMPLATES, *JSONPATHS)))
GET_FORMATS = tuple(sorted((*FORMATS, *COLUMNS, "wide")))


class TemplateFailure(UsageError):
    """A template that fails on the data. `written`: what kubectl has put on standard output by then."""

    def __init__(self, message: str, written: str = "") -> None:
        super().__init__(message)
        self.written = written


class Column(NamedTuple):
    header: str
    path: jsonpath.JsonPath


class Plan(NamedTuple):
    """A checked format. `name` is one of GET_FORMATS in its plain form; the rest belongs to some of them."""

    name: str
    text: str = ""
    path: jsonpath.JsonPath | None = None
    template: Template | None = None
    columns: tuple[Column, ...] = ()
    missing_ok: bool = True
    managed_fields: bool = False
    headers: bool = True

    def render(self, objects: Sequence[Object], as_list: bool = False) -> str:
        """The text, with its last newline where kubectl prints one. Raises TemplateFailure."""
        if self.name == "name":
            return "".join(f"{qualified_name(obj)}\n" for obj in objects)
        if self.columns:
            return _custom_columns(self, objects)
        if self.name in ("json", "yaml", "kyaml") and not self.managed_fields:
            objects = [without_managed_fields(obj) for obj in objects]
        whole = [list_of(objects)] if as_list else list(objects)
        if self.name == "json":
            return "".join(f"{gotext.json_indented(obj)}\n" for obj in whole)
        if self.name == "yaml":
            return "---\n".join(map(yaml_text.dump, whole))
        if self.name == "kyaml":
            from minikube_py.printers import kyaml_text

            return "".join(map(kyaml_text.dump, whole))
        print_one: Callable[[Plan, Object], str] = _jsonpath if self.path else _go_template
        return _each(self, whole, print_one)


def plan(
    format: str,
    *,
    template: str = "",
    missing_ok: bool = True,
    managed_fields: bool = False,
    headers: bool = True,
    allowed: Sequence[str] = FORMATS,
) -> Plan:
    """Read `-o FORMAT` (with `--template`). Raises UsageError in kubectl's words."""
    name, value = _split(format, template)
    base = Plan(name, missing_ok=missing_ok, managed_fields=managed_fields, headers=headers)
    if name not in allowed or name == "wide":
        raise UsageError(
            f"unable to match a printer suitable for the output format {gotext.quoted(format)}, "
            f"allowed formats are: {','.join(sorted(allowed))}"
        )
    if name in PLAIN:
        return base
    if name in COLUMNS:
        return base._replace(columns=_columns(name, value))
    if not value:
        raise UsageError("template format specified but no template given")
    if name in ("jsonpath-file", "go-template-file", "templatefile"):
        value = _file(value, f"error reading --template {value}, ")
    if name in JSONPATHS:
        try:
            return base._replace(text=value, path=jsonpath.compile(value))
        except jsonpath.JsonPathError as error:
            raise UsageError(f"error parsing jsonpath {value}, {error}") from None
    from minikube_py.printers import gotemplate

    try:
        return base._replace(text=value, template=gotemplate.compile(value))
    except gotemplate.TemplateError as error:
        raise UsageError(f"error parsing template {value}, {error}") from None


def render(
    format: str,
    objects: Sequence[Object],
    *,
    as_list: bool = False,
    template: str = "",
    missing_ok: bool = True,
    managed_fields: bool = False,
    headers: bool = True,
    allowed: Sequence[str] = GET_FORMATS,
) -> str:
    """`plan` and `Plan.render` in one."""
    planned = plan(
        format,
        template=template,
        missing_ok=missing_ok,
        managed_fields=managed_fields,
        headers=headers,
        allowed=allowed,
    )
    return planned.render(objects, as_list)


def list_of(objects: Sequence[Object]) -> Object:
    """The v1 List around what `kubectl get` found."""
    return {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {"resourceVersion": ""}}


def qualified_name(obj: Object) -> str:
    """`-o name`: pod/web-0, deployment.apps/web."""
    group, slash, _ = str(obj.get("apiVersion", "")).partition("/")
    kind = str(obj.get("kind", "")).lower() or "<unknown>"
    resource = f"{kind}.{group}" if slash and group else kind
    return f"{resource}/{(obj.get('metadata') or {}).get('name', '')}"


def without_managed_fields(obj: Object) -> Object:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def _split(format: str, template: str) -> tuple[str, str]:
    """(format, template) of what stands behind -o; a format that takes none is compared without regard to case."""
    if not format and template:
        return "go-template", template
    if format.lower() in ("json", "yaml", "kyaml", "name"):
        return format.lower(), ""
    name, equals, value = format.partition("=")
    if name in (*TEMPLATES, *JSONPATHS, *COLUMNS):
        return name, value if equals else template
    return format, template


def _file(path: str, introduction: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError as error:
        raise UsageError(f"{introduction}open {path}: {(error.strerror or str(error)).lower()}") from None


def _each(planned: Plan, objects: Sequence[Object], print_one: Callable[[Plan, Object], str]) -> str:
    written = ""
    for obj in objects:
        try:
            written += print_one(planned, obj)
        except TemplateFailure as failure:
            failure.written = written + failure.written
            raise
    return written


def _jsonpath(planned: Plan, obj: Object) -> str:
    assert planned.path is not None
    try:
        return planned.path.render(obj, planned.missing_ok, planned.name == "jsonpath-as-json")
    except jsonpath.JsonPathError as error:
        raise TemplateFailure(
            f"error executing jsonpath {gotext.quoted(planned.text)}: Error executing template: {error}. "
            "Printing more information for debugging the template:\n"
            f"\ttemplate was:\n\t\t{planned.text}\n"
            f"\tobject given to jsonpath engine was:\n\t\t{gotext.syntax(obj)}\n\n\n"
        ) from None


def _go_template(planned: Plan, obj: Object) -> str:
    from minikube_py.printers import gotemplate

    assert planned.template is not None
    try:
        return planned.template.render(obj, planned.missing_ok)
    except gotemplate.TemplateError as error:
        raise TemplateFailure(
            f"error executing template {gotext.quoted(planned.text)}: {error}",
            f"{error.written}Error executing template: {error}. "
            "Printing more information for debugging the template:\n"
            f"\ttemplate was:\n\t\t{planned.text}\n"
            f"\traw data was:\n\t\t{gotext.json_text(obj)}\n"
            f"\tobject given to template engine was:\n\t\t{gotext.shown(obj)}\n\n",
        ) from None


# -------------------------------------------------------------------------------------------------- custom columns

_FORMAT_HELP = "Expected format is one line of space separated headers, one line of space separated column specs."


def _columns(name: str, value: str) -> tuple[Column, ...]:
    if not value:
        raise UsageError("custom-columns format specified but no custom columns given")
    if name == "custom-columns-file":
        pairs = _columns_of_file(_file(value, f"error reading template {value}, "))
    else:
        pairs = [_column_pair(part) for part in value.split(",")]
    try:
        return tuple(Column(header, jsonpath.compile(jsonpath.relaxed(path))) for header, path in pairs)
    except jsonpath.JsonPathError as error:
        raise UsageError(str(error)) from None


def _column_pair(part: str) -> tuple[str, str]:
    header, colon, path = part.partition(":")
    if not colon:
        raise UsageError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
    return header, path


def _columns_of_file(text: str) -> list[tuple[str, str]]:
    lines = text.splitlines()
    for number, what in enumerate(("header", "spec")):
        if len(lines) <= number:
            raise UsageError(f"invalid template, missing {what} line. {_FORMAT_HELP}")
    headers, paths = lines[0].split(), lines[1].split()
    if len(headers) != len(paths):
        raise UsageError(f"number of headers ({len(headers)}) and field specifications ({len(paths)}) don't match")
    return list(zip(headers, paths, strict=True))


def _custom_columns(planned: Plan, objects: Sequence[Object]) -> str:
    rows = [[column.header for column in planned.columns]] if planned.headers else []
    try:
        rows += [[_cell(column.path, obj) for column in planned.columns] for obj in objects]
    except jsonpath.JsonPathError as error:
        raise TemplateFailure(str(error)) from None
    return tabwriter.align("".join("\t".join(row) + "\n" for row in rows))


def _cell(path: jsonpath.JsonPath, obj: Object) -> str:
    parts = path.find_parts(obj)
    values = [gotext.shown(value) for part in parts for value in part]
    if not parts or not parts[0]:
        values.insert(0, "<none>")
    return ",".join(values).replace("\x1b", "^[").replace("\r", "\\r")
