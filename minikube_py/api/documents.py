"""Reading manifests as kubectl does: files, folders, stdin and URLs; YAML or JSON; several documents; Lists.

A stream is split into documents at lines that begin with `---` before any YAML is parsed, and each is read on its own:
line numbers in errors count from there, as in kubectl. libyaml makes the events; what a scalar means follows go-yaml v2
(YAML 1.1: `yes` and `off` are booleans, `017` is 15, dates stay strings). Sources: k8s.io/cli-runtime/pkg/resource
(builder.go, visitor.go), k8s.io/apimachinery/pkg/util/yaml/decoder.go, sigs.k8s.io/yaml (goyaml.v2: decode.go,
resolve.go, yaml.go).
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import precheck
from minikube_py.base import gotext
from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object

EXTENSIONS = (".json", ".yaml", ".yml")
URL_BYTES_MAX = 16 << 20
URL_TIMEOUT_S = 30
URL_ATTEMPTS = 3
NESTING_MAX = 200  # levels that everything behind this module can carry; orjson writes 254
TOO_DEEP = f"nested deeper than {NESTING_MAX} levels"
DIGITS_MAX = 309  # a float has no more
DEPTH_MAX = 10_000  # go-yaml and encoding/json refuse deeper nesting
STDIN = "STDIN"


class Document(NamedTuple):
    """`object`: the JSON value as it was read (a mapping, in anything but a patch); `source`: the path as given, STDIN
    or the URL; `index`: which document of it, from 0; `line`: where it starts, from 1 (0 in JSON)."""

    object: Object
    source: str
    index: int  # type: ignore[assignment]
    line: int


# ------------------------------------------------------------------------------------------------------- sources


def read(name: str, recursive: bool = False, errors: list[UsageError] | None = None) -> Iterator[Document]:
    """What one `-f` names: '-', a URL, a file, a folder or a pattern.

    A path that does not exist raises UsageError at once. What cannot be read or parsed raises when its turn comes; with
    `errors` it is put there, and reading goes on with the next file (kubectl's ContinueOnError).
    """
    if name == "-":
        return _collecting(read_stdin(), errors)
    if name.startswith(("http://", "https://")):
        return _collecting(read_url(name), errors)
    return read_path(name, recursive, errors)


def read_path(path: str, recursive: bool = False, errors: list[UsageError] | None = None) -> Iterator[Document]:
    """A file, or the .json, .yaml and .yml files of a folder in the order of their names; as for `read`."""
    files = [file for name in _expand(path) for file in _files(name, recursive)]
    if not files:
        raise UsageError(f"error reading [{path}]: recognized file extensions are [{' '.join(EXTENSIONS)}]")
    return (document for file in files for document in _collecting(read_file(file), errors))


def read_file(path: str) -> Iterator[Document]:
    """The documents of one file, whatever its extension. Raises UsageError."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise UsageError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    yield from read_text(content, path)


def _collecting(found: Iterator[Document], errors: list[UsageError] | None) -> Iterator[Document]:
    try:
        yield from found
    except UsageError as error:
        if errors is None:
            raise
        errors.append(error)


def _expand(path: str) -> list[str]:
    if os.path.exists(path):
        return [path]
    from glob import glob

    found = sorted(glob(path))
    if not found:
        raise UsageError(f"the path {gotext.quoted(path)} does not exist")
    return found


def _files(path: str, recursive: bool) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"error reading {gotext.quoted(path)}: open {path}: {why}") from None
    for name in names:
        inner = os.path.join(path, name)
        if os.path.isdir(inner) and not os.path.islink(inner):
            yield from _files(inner, recursive) if recursive else ()
        elif os.path.splitext(name)[1] in EXTENSIONS:
            yield inner


def read_stdin() -> Iterator[Document]:
    """Documents on standard input; errors name them STDIN."""
    return read_text(sys.stdin.buffer.read(), STDIN)


def read_url(url: str) -> Iterator[Document]:
    """Documents behind a URL: at most 16 MiB; up to three attempts of 30 s each. Raises UsageError when iterated."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    problem = ""
    for _ in range(URL_ATTEMPTS):
        try:
            with urlopen(url, timeout=URL_TIMEOUT_S) as answer:
                content: bytes = answer.read(URL_BYTES_MAX + 1)
        except HTTPError as error:
            status = f"{error.code} {error.reason}"
            problem = f"unable to read URL {gotext.quoted(url)}, server reported {status}, status code={error.code}"
            if error.code < 500:
                break
        except (URLError, HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            refused = isinstance(reason, ConnectionRefusedError)
            shown = f"dial tcp {_host(url)}: connect: connection refused" if refused else reason
            problem = f"Get {gotext.quoted(url)}: {shown}"
        else:
            if len(content) > URL_BYTES_MAX:
                raise UsageError(f"unable to read URL {gotext.quoted(url)}: more than {URL_BYTES_MAX >> 20} MiB")
            yield from read_text(content, url)
            return
    raise UsageError(problem)


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


# ------------------------------------------------------------------------------------------------------ documents


def read_text(text: str | bytes, source: str) -> Iterator[Document]:
    """The documents of a stream, without the empty ones, unchecked. Raises UsageError in kubectl's words."""
    if isinstance(text, bytes):
        text = _decoded(text, source)
    start, first_error, index = 0, "", 0
    if text.lstrip().startswith("{"):
        decoder = json.JSONDecoder(parse_constant=_no_constant)
        while True:
            start = _skip_space(text, start)
            if start == len(text):
                return
            try:
                value, start = decoder.raw_decode(text, start)
            except (ValueError, RecursionError):
                if index > 1:
                    raise UsageError(f"error parsing {source}: {_json_problem(text, start)}") from None
                first_error = _json_problem(text, start)
                break
            try:
                value = as_go_reads(value)
            except UsageError as error:
                raise UsageError(f"error parsing {source}: {error}") from None
            yield Document(value, source, index, 0)
            index += 1
    for chunk, first_line in _chunks(text, start, source):
        try:
            value, line = _yaml_value(chunk)
        except UsageError as error:
            raise UsageError(f"error parsing {source}: {first_error or error}") from None
        if value is not None:
            yield Document(value, source, index, first_line + line)
            index += 1


def flatten(document: Document) -> Iterator[Document]:
    """The items of a List as documents of their own, in order; another document as it is.

    An item without kind and apiVersion gets those of the list, 'PodList' making 'Pod'. Raises UsageError for what
    kubectl's decoder cannot read (no object, no kind, metadata of the wrong types) and for a list within a list.
    """
    obj = precheck.decode(document.object, document.source)
    items = obj.get("items")
    if not isinstance(items, list):
        yield document
        return
    kind = str(obj.get("kind", ""))
    for item in items:
        if not item.get("kind") and not item.get("apiVersion"):
            item = {**item, "apiVersion": obj.get("apiVersion", ""), "kind": kind.removesuffix("List")}
        if isinstance(item.get("items"), list):
            raise UsageError("*unstructured.Unstructured is not a list: no Items field in this object")
        yield document._replace(object=item)


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = "invalid leading UTF-8 octet" if error.start == error.end - 1 else "incomplete UTF-8 octet sequence"
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            try:
                return content.decode("utf-16")
            except UnicodeDecodeError as wide:
                problem = _UTF_16[wide.reason]
        raise UsageError(f"error parsing {source}: error converting YAML to JSON: yaml: {problem}") from None


# What Python calls wrong UTF-16, and what libyaml does.
_UTF_16 = {
    "truncated data": "incomplete UTF-16 character",
    "unexpected end of data": "incomplete UTF-16 surrogate pair",
    "illegal UTF-16 surrogate": "expected low surrogate area",
    "illegal encoding": "unexpected low surrogate area",
}


def _chunks(text: str, start: int, source: str) -> Iterator[tuple[str, int]]:
    """(text of a document, its first line) for each one; split at the lines that begin with ---.

    Such a line belongs to no document, except where there is nothing before it: then it begins the next one, and counts
    in the line numbers of errors.
    """
    lines: list[str] = []
    number = first = text.count("\n", 0, start) + 1
    for line in text[start:].removesuffix("\n").split("\n"):
        line = line.removesuffix("\r")
        if line.startswith("---"):
            behind = line[3:].strip()
            if behind and behind[0] != "#":
                raise UsageError(f"error parsing {source}: invalid Yaml document separator: {behind}")
            if lines:
                yield "\n".join(lines) + "\n", first
                lines, first, number = [], number + 1, number + 1
                continue
        lines.append(line)
        number += 1
    if any(lines):
        yield "\n".join(lines) + "\n", first


# ----------------------------------------------------------------------------------------------------------- JSON

_SPACE = re.compile(r"[ \t\r\n]*")


def _skip_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def as_go_reads(value: Any, room: int = NESTING_MAX) -> Any:
    """A value of Python's JSON as encoding/json has it: integers beyond 64 bits are floats, halves of surrogate pairs
    become U+FFFD. Raises UsageError for numbers that are too large, and beyond `room` levels of nesting."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if kind is int:
        return _number(value)
    if kind is float and value in (float("inf"), float("-inf")):
        raise UsageError("json: cannot unmarshal number into Go value of type float64")
    if kind is not dict and kind is not list:
        return value
    if not room:
        raise UsageError(TOO_DEEP)
    if kind is dict:
        return {as_go_reads(key): as_go_reads(item, room - 1) for key, item in value.items()}
    return [as_go_reads(item, room - 1) for item in value]


def _number(value: int) -> int | float:
    return value if -(1 << 63) <= value < 1 << 63 else float(value)


def _json_problem(text: str, start: int) -> str:
    """The words of encoding/json for what is wrong from `start` on."""
    from minikube_py.api import json_problem

    offset, problem = json_problem.find(text[start:])
    if problem == json_problem.CUT:
        return problem
    return f"json: offset {len(text[:start].encode()) + offset}: {problem}"


# ----------------------------------------------------------------------------------------------------------- YAML

_TABLE: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INT = re.compile(r"[-+]?(?:0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_POINT_FLOAT = re.compile(r"\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?", re.ASCII)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:[Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})| [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]+)?)?",
    re.ASCII,
)
_TAG = "tag:yaml.org,2002:"
_STR, _NULL, _BOOL, _INT_TAG, _FLOAT_TAG, _TIME, _BINARY, _MERGE = (
    f"{_TAG}{name}" for name in ("str", "null", "bool", "int", "float", "timestamp", "binary", "merge")
)
_RESOLVABLE = {_STR, _BOOL, _INT_TAG, _FLOAT_TAG, _NULL, _TIME}


def resolve(text: str) -> Any:
    """What a plain scalar means: None, a boolean, a number or the text itself."""
    if text in _TABLE:
        return _TABLE[text]
    first = text[0]
    if first not in "+-.0123456789" or _DATE.fullmatch(text):
        return text
    if first == ".":
        return _float(text.replace("_", ""), text) if _POINT_FLOAT.fullmatch(text) else text
    digits = text.replace("_", "")
    if len(digits) > DIGITS_MAX:
        return text
    if _INT.fullmatch(digits):
        return _number(_int(digits)) if len(digits) < 20 else _long_int(digits)
    if _FLOAT.fullmatch(digits):
        return _float(digits, text)
    return text


def is_date(text: str) -> bool:
    """Whether go-yaml takes a plain scalar for a timestamp (which stays a string all the same)."""
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    year, month, day, *clock = (int(number) for number in re.findall(r"[0-9]+", text)[:6])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = {4: 30, 6: 30, 9: 30, 11: 30, 2: 29 if leap else 28}.get(month, 31)
    in_range = all(number < limit for number, limit in zip(clock, (24, 60, 60), strict=False))
    return 1 <= month <= 12 and 1 <= day <= days and in_range


DIGITS_MAX = 1_100  # binary digits of the largest float: 1,024


def _int(digits: str) -> int:
    sign = -1 if digits[0] == "-" else 1
    body = digits.lstrip("+-")
    base = {"b": 2, "o": 8, "x": 16}.get(body[1:2].lower(), 8 if len(body) > 1 and body[0] == "0" else 10)
    return sign * int(body[2:] if body[1:2].isalpha() else body, base)


def _long_int(digits: str) -> int | float | str:
    """Beyond 64 bits decimal digits make a float; a leading 0 is then no sign of octal any more."""
    if len(digits) > DIGITS_MAX:
        return digits  # beyond what a float holds, in any base: stays a string, as in `_float`
    number = _int(digits)
    if -(1 << 63) <= number < 1 << 64:
        return _number(number)
    try:
        found = float(digits) if digits.lstrip("+-").isdigit() else float(number)
    except OverflowError:
        return digits
    return digits if found in (float("inf"), float("-inf")) else found


def _float(digits: str, text: str) -> int | float | str:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        return text  # out of range for Go: stays a string
    return int(number) if number == int(number) and abs(number) < 1e18 else number


def _yaml_value(chunk: str) -> tuple[Any, int]:
    """(the JSON value of a YAML document, its first line from 0). Raises UsageError in go-yaml's words."""
    import yaml

    while True:
        try:
            return _built(chunk, yaml)
        except yaml.reader.ReaderError as error:
            raise _converting(f"yaml: {error.reason}") from None
        except yaml.MarkedYAMLError as error:
            patched = _without_quote_escape(chunk, error)
            if patched is None:
                raise _converting(f"yaml: {_marked(error, isinstance(error, yaml.scanner.ScannerError))}") from None
            chunk = patched
        except RecursionError:
            raise _converting(f"yaml: exceeded max depth of {DEPTH_MAX}") from None


def _built(chunk: str, yaml: Any) -> tuple[Any, int]:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    builder = _Builder(CParser(chunk), yaml)
    try:
        return builder.document()
    except _UnknownAnchor:
        raise
    except UsageError:
        builder.finish()  # go-yaml parses the whole document first: an error of syntax further down goes first
        raise


def _without_quote_escape(chunk: str, error: Any) -> str | None:
    """go-yaml allows \\' between double quotes, libyaml does not: the text with this one resolved, None if it is
    another problem."""
    if error.problem != "found unknown escape character":
        return None
    lines = chunk.split("\n")
    line, column = error.problem_mark.line, error.problem_mark.column
    text = lines[line]
    start = next((place for place in (column, column - 1) if place >= 0 and text[place : place + 2] == "\\'"), None)
    if start is None:
        return None
    lines[line] = text[:start] + text[start + 1 :]
    return "\n".join(lines)


def _marked(error: Any, scanner: bool) -> str:
    """'line 6: did not find expected key': go-yaml adds one to the line for errors of the scanner only."""
    for mark in (error.problem_mark, error.context_mark):
        if mark is not None and mark.line:
            return f"line {mark.line + scanner}: {error.problem}"
    return str(error.problem)


def _converting(problem: str) -> UsageError:
    return UsageError(f"error converting YAML to JSON: {problem}")


class _UnknownAnchor(UsageError):
    """Found while parsing, other than what is wrong with the values."""


class _Builder:
    """Builds JSON values straight from libyaml's events."""

    def __init__(self, parser: Any, yaml: Any) -> None:
        self.next = parser.get_event
        self.yaml = yaml
        self.anchors: dict[str, tuple[Any, int]] = {}  # name -> (value, number of nodes in it)
        self.open: set[str] = set()
        self.nodes = self.aliased = 0

    def document(self) -> tuple[Any, int]:
        events = self.yaml.events
        event = self.next()
        while not isinstance(event, events.DocumentStartEvent):
            if isinstance(event, events.StreamEndEvent):
                return None, 0
            event = self.next()
        event = self.next()
        line = event.start_mark.line
        value = _json_value(self.value(event))
        self.next()  # go-yaml looks at the end of the document, too
        return value, line

    def finish(self) -> None:
        """Read on to the end of the document, for the errors of syntax."""
        ends = (self.yaml.events.DocumentEndEvent, self.yaml.events.StreamEndEvent)
        while not isinstance(self.next(), ends):
            pass

    def value(self, event: Any) -> Any:
        events = self.yaml.events
        kind = type(event)
        if kind is events.AliasEvent:
            return self.alias(event.anchor)
        self.nodes += 1
        before, anchor = self.nodes, event.anchor
        if anchor:
            self.open.add(anchor)
        if kind is events.ScalarEvent:
            found = _scalar(event)
        elif kind is events.MappingStartEvent:
            found = self.mapping(events.MappingEndEvent)
        else:
            found = []
            while not isinstance(event := self.next(), events.SequenceEndEvent):
                found.append(self.value(event))
        if anchor:
            self.open.discard(anchor)
            self.anchors[anchor] = found, self.nodes - before + 1
        return found

    def mapping(self, end: type) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while not isinstance(event := self.next(), end):
            is_merge = getattr(event, "value", None) == "<<" and (event.implicit[0] or event.tag == _MERGE)
            key = self.value(event)
            value = self.value(self.next())
            if is_merge:
                _merge_into(found, value)
                continue
            if isinstance(key, dict | list):
                raise _converting(f"yaml: invalid map key: {_go_syntax(key)}")
            found[_key(key, value)] = value
        return found

    def alias(self, name: str) -> Any:
        """The value of an anchor, shared; with go-yaml's guard against documents that explode."""
        if name in self.open:
            raise _converting(f"yaml: anchor '{name}' value contains itself")
        if name not in self.anchors:
            raise _UnknownAnchor(f"error converting YAML to JSON: yaml: unknown anchor '{name}' referenced")
        value, size = self.anchors[name]
        self.nodes += size + 1
        self.aliased += size
        if self.aliased > 100 and self.nodes > 1000 and self.aliased / self.nodes > _aliases_allowed(self.nodes):
            raise _converting("yaml: document contains excessive aliasing")
        return value


def _aliases_allowed(nodes: int) -> float:
    """The share of a document that may come from aliases: 99 % up to 400,000 nodes, 10 % from 4,000,000 on.

    2,200,000 nodes: 0.99 - 0.89 * (1,800,000 / 3,600,000) = 0.545.
    """
    if nodes <= 400_000:
        return 0.99
    if nodes >= 4_000_000:
        return 0.10
    return 0.99 - 0.89 * (nodes - 400_000) / 3_600_000


def _scalar(event: Any) -> Any:
    text: str = event.value
    tag = event.tag
    if tag is None or tag == "!":
        return resolve(text) if event.implicit[0] and tag is None else text
    if tag == _BINARY:
        import base64

        try:
            plain = text.replace("\n", "").replace("\r", "")
            return base64.b64decode(plain, validate=True).decode("utf-8", "replace")
        except ValueError:
            raise _converting("yaml: !!binary value contains invalid base64 data") from None
    if tag not in _RESOLVABLE or tag == _STR:
        return text
    return _tagged(text, tag)


def _tagged(text: str, tag: str) -> Any:
    value = resolve(text)
    if tag == _FLOAT_TAG and isinstance(value, int) and not isinstance(value, bool):
        return value
    actual = next(
        name
        for name, kind in ((_NULL, type(None)), (_BOOL, bool), (_INT_TAG, int), (_FLOAT_TAG, float), (_STR, str))
        if isinstance(value, kind)
    )
    if actual == _STR and _DATE.fullmatch(text):
        actual = _TIME
    if actual != tag:
        shown = [name.replace(_TAG, "!!") for name in (actual, tag)]
        raise _converting(f"yaml: cannot decode {shown[0]} `{text}` as a {shown[1]}")
    return value


def _key(key: Any, value: Any) -> str:
    """A key as JSON has it: numbers and booleans become strings, null is refused."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if key is None:
        raise _converting(f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {_go_syntax(value)}")
    return {"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}.get(gotext.shown(key), gotext.shown(key))


def _merge_into(found: dict[Any, Any], value: Any) -> None:
    """The merge key <<: of several maps the first wins; a key that stands before it is overwritten, as in go-yaml v2."""
    if isinstance(value, dict):
        found.update(value)
        return
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _converting("yaml: map merge requires map or sequence of maps as the value")
    for item in reversed(value):
        found.update(item)


def _json_value(value: Any, room: int = NESTING_MAX) -> Any:
    """Refuses what JSON cannot hold, and more than `room` levels of nesting."""
    if not room and isinstance(value, dict | list):
        raise _converting(TOO_DEEP)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise _converting(f"json: unsupported value: {gotext.shown(value)}")
    if isinstance(value, dict):
        for item in value.values():
            _json_value(item, room - 1)
    elif isinstance(value, list):
        for item in value:
            _json_value(item, room - 1)
    return value


def _go_syntax(value: Any) -> str:
    """%#v of what go-yaml decodes: map[interface {}]interface {}{".Values.name":interface {}(nil)}."""
    if isinstance(value, dict):
        inside = ", ".join(f"{gotext.syntax(key)}:{_go_syntax(item)}" for key, item in value.items())
        return f"map[interface {{}}]interface {{}}{{{inside}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_go_syntax, value))}}}"
    return gotext.syntax(value)
