"""Garbage on every command: an error in words and exit code 1, or a harmless success, but never a traceback.

`main` lets through what it does not expect; so a traceback is an exception in these tests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from minikube_py.cli import cobra, commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Result

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}], resources: {requests: {cpu: 1}}}]}
"""
WORDS = (
    "", " ", "\udcff", "-", "--", "---", "-=", "=", "/", "a/b/c", ",", "*", "%s", "'", "\\", "\n", "{{", "[", "9" * 400, "-1",
    "1e999", "x" * 5000, "ö" * 300, "\u202e", "po,svc", "deploy/web", "all", "a=b", "a-", "-o", "-l", "-f", "--help=", "/dev/null",
    "https://[::1", "nodes/worker-1", "null", "-n=../..", "-A", "-ojson", "-ojsonpath={", "-l=a in (", "--context=Up",
)  # fmt: skip
VALUES = (
    "", "9" * 400, "-1", "1e999", "x", "{{", "[", ",", "=", "a=b", "{.items[0", "1h", "/etc/passwd", "jsonpath={", "go-template={{",
    "custom-columns=A", "custom-columns=A:.b[", "yaml", "client",
)  # fmt: skip
# They open an editor, wait for a person, or start another program.
UNTRIED_COMMANDS = ("edit", "serve")
UNTRIED_FLAGS = ("watch", "watch-only", "edit", "interactive", "kustomize")
NAMES = [row.name for row in commands.COMMANDS if row.name not in UNTRIED_COMMANDS]
CONFIG = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":%s}'


def check(result: Result, what: Any) -> None:
    assert result.code in (0, 1, 2, 6, 7, 28), what  # 2: diff; 6, 7, 28: curl
    assert result.code == 0 or result.err or result.out, what


@pytest.mark.parametrize("name", NAMES)
def test_garbage_words_are_refused_in_words(name: str, kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    for number, word in enumerate(WORDS):
        words = [word] if number % 2 else ["deployment", "web", word]
        check(kpy(*name.split(), *words), words)


@pytest.mark.parametrize("name", [name for name in NAMES if cobra.flags_of(name).by_name])
def test_garbage_values_of_flags_are_refused_in_words(name: str, kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    general = {flag.name for flag in cobra.global_flags()}
    for number, flag in enumerate(cobra.flags_of(name).by_name):
        if flag not in UNTRIED_FLAGS and flag not in general:
            for value in (VALUES * 2)[number % len(VALUES) :][:3]:
                words = [*name.split(), "deployment", "web", f"--{flag}={value}"]
                check(kpy(*words), words)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def exploding() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for name, before in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


DOCUMENTS: dict[str, tuple[str | bytes, str]] = {
    "NUL": ("a: \0\n", "control characters are not allowed"),
    "no UTF-8": (b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '\xff\xfe'}\n", "UTF-8 octet"),
    "open brackets": ("[" * 100_000, "error parsing STDIN: "),
    "deep JSON": (CONFIG % nested(300), "error parsing STDIN: nested deeper than 200 levels"),
    "very deep JSON": (CONFIG % nested(5000), "error parsing STDIN: "),
    "abysmal JSON": (nested(100_000), "error parsing STDIN: "),
    "deep YAML": ("a: " + nested(300), "error parsing STDIN: error converting YAML to JSON: nested deeper than 200 levels"),
    "very deep YAML": ("".join(" " * depth + "a:\n" for depth in range(2000)), "exceeded max depth"),
    "aliases that explode": (exploding(), "excessive aliasing"),
    "an alias of itself": ("a: &a [*a]\n", "value contains itself"),
    "no such alias": ("a: *x\n", "unknown anchor 'x' referenced"),
    "a tag of Python's": ("!!python/object/apply:os.system ['id']\n", "error validating data: invalid object to validate"),
    "half a surrogate pair": (CONFIG % '{"a":"\\ud800"}', ""),
    "a number of 5000 digits": (CONFIG % f'{{"a":{"9" * 5000}}}', ""),
    "a hexadecimal number of 5000 digits": (CONFIG % f'{{"a":0x{"f" * 5000}}}', ""),
    "a number beyond a float": ('{"a":1e999}', "cannot unmarshal number into Go value of type float64"),
    "infinity": ("a: .inf\n", "json: unsupported value: +Inf"),
    "10 MB in one value": (CONFIG % f'{{"a":"{"x" * 10_000_000}"}}', "Too long: may not be more than 1048576 bytes"),
    "a list without items": ("apiVersion: v1\nkind: List\n", "invalid object to validate"),
    "a list of numbers": ("apiVersion: v1\nkind: List\nitems: [1]\n", "invalid object to validate"),
    "a list in a list": ("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}]\n", "is not a list"),
    "kind is a number": ("apiVersion: v1\nkind: 1\n", "kind isn't string type"),
    "name is a list": ("apiVersion: v1\nkind: Pod\nmetadata: {name: [a]}\n", "cannot unmarshal array into"),
    "metadata is a number": ("apiVersion: v1\nkind: Pod\nmetadata: 7\n", "cannot unmarshal number into"),
    "a name with a NUL": ('apiVersion: v1\nkind: Pod\nmetadata: {name: "a\\0b"}\n', ""),
    "only a comment": ("# nothing\n", ""),
    "only separators": ("---\n---\n", ""),
}  # fmt: skip
READERS = (
    "create -f -", "apply --server-side -f -", "apply --dry-run=client -o yaml -f -", "delete --wait=false -f -", "replace -f -",
    "get -f - -o yaml", "describe -f -", "label --local -f - a=b -o yaml", "set image --local -f - c=d", "apply --validate=false -f -",
    "patch --local -f - -p {}", "scale -f - --replicas=1", "rollout status -f - --timeout=1s", "expose -f - --port=80",
)  # fmt: skip


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_broken_document_is_refused_in_words(what: str, kpy: Callable[..., Result]) -> None:
    text, message = DOCUMENTS[what]
    applied = kpy("apply", "-f", "-", stdin=text)
    assert message in applied.err
    if message:
        assert (applied.code, applied.out) == (1, "")
    for reader in READERS if len(text) < 1_000_000 else ():
        check(kpy(*reader.split(), stdin=text), reader)


PATCHES = (
    "", "{", "[", "{}", "[]", "null", "1", '"x"', "[1]", "[{}]", '{"metadata":7}', '{"metadata":null}', '{"metadata":{"name":"x"}}',
    '{"kind":"Pod"}', '{"apiVersion":"v2"}', '{"spec":null}', '{"spec":{"template":[]}}', '{"spec":{"template":{"spec":{"containers":[1]}}}}',
    '{"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}', '{"spec":{"$patch":"what"}}', '{"spec":{"$retainKeys":1}}',
    '{"$setElementOrder/spec":7}', '[{"op":"remove","path":""}]', '[{"op":"replace","path":"","value":1}]', '[{"op":"what","path":"/a"}]',
    '[{"op":"add","path":"a","value":1}]', '[{"op":"add"}]', '[{"op":1,"path":2}]', '[{"op":"move","from":"/spec","path":"/spec/x"}]',
    '[{"op":"test","path":"/spec","value":1}]', '[{"op":"remove","path":"/metadata"}]', '[{"op":"remove","path":"/kind"}]',
    '[{"op":"add","path":"/spec/replicas/x","value":1}]', '{"spec":{"replicas":1e999}}', '{"metadata":' + nested(300) + "}",
)  # fmt: skip


@pytest.mark.parametrize("form", ["strategic", "merge", "json"])
@pytest.mark.parametrize("where", [(), ("--subresource=status",), ("--subresource=scale",), ("--dry-run=client",)])
def test_a_broken_patch_is_refused_in_words(form: str, where: tuple[str, ...], kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=DEPLOYMENT)
    for patch in PATCHES:
        check(kpy("patch", "deployment", "web", f"--type={form}", "-p", patch, *where), patch)
    shown = kpy("get", "deployment", "web", "-o", "jsonpath={.kind} {.metadata.name} {.spec.selector.matchLabels.app}")
    assert shown.out == "Deployment web web"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_value(value[path[0]], path[1:], new)
    return copy


WRONG = (
    None,
    0,
    -1,
    1.5,
    10**30,
    "",
    "ö\u2028",
    "x" * 300,
    True,
    [],
    {},
    [None],
    {"a": None},
    ["a", 1],
    "-1Gi",
    "1e400",
)


def test_any_value_at_any_place_of_a_manifest_is_taken_or_refused(kpy: Callable[..., Result]) -> None:
    whole = yaml.safe_load(DEPLOYMENT)
    for number, path in enumerate(places(whole)):
        for value in WRONG:
            words = ("apply", "-f", "-") if number % 3 == 0 else ("apply", "--dry-run=server", "-f", "-")
            check(kpy(*words, stdin=json.dumps(with_value(whole, path, value))), (path, value))
    check(kpy("reconcile"), "reconcile")
    check(kpy("describe", "deployments,pods,nodes"), "describe")
