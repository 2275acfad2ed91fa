"""Broken manifests: objects of the corpus, damaged here and there, and fields made up from the API's JSON schemas.

Everything is drawn from one `Random`, which hypothesis controls: it can replay and shorten what fails.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from minikube_py.api import schema
from minikube_py.api.kinds import BUILTIN
from tests.api import corpus

if TYPE_CHECKING:
    from random import Random

HUGE = (10**30, -(10**18), 2**63, 2**31, 2**64 + 1, -1, 0, 1e308, -0.0, 1.5)
WORDS = (
    "", " ", "a", "x" * 253, "x" * 254, "x" * 70_000, "A_B", "-a-", "a..b", "a/b/c", "a=b", "é", "日本", "🧨", "\u202e", "\x00",
    "\ud800", "\uffff", "a\nb", "\t", "true", "null", "0x1F", "1e3", "1_000", "1Gi", "10m", "-5", "99999999999999999999", "1.5.5",
    "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "{{.x}}", "$(FOO)", "../../etc/passwd", "%s%n", "=", "<<", "*", "&a", "!!python/object:os.system",
    "kube-system", "default", "IntOrString", "Always", "100%", "-1%", "500%", "http", "TCP", "@every 5m", "*/0 * * * *",
)  # fmt: skip
CYCLES = 3


@cache
def seeds() -> tuple[dict[str, Any], ...]:
    """The corpus' objects that a real API server takes, the small ones."""
    found = [obj for case in corpus.cases() if case.exit == 0 for obj in _documents(case.text)]
    return tuple(obj for obj in found if len(json.dumps(obj)) < 4000)


def _documents(text: str) -> list[dict[str, Any]]:
    try:
        read = list(yaml.safe_load_all(text))
        json.dumps(read)
    except (yaml.YAMLError, TypeError):
        return []
    return [obj for obj in read if isinstance(obj, dict) and "apiVersion" in obj and "kind" in obj]


def scalar(dice: Random) -> Any:
    return dice.choice((None, True, False, dice.choice(HUGE), dice.choice(WORDS), dice.choice(WORDS)))


def anything(dice: Random, depth: int = 3) -> Any:
    """A value of no type in particular."""
    turn = dice.randrange(8) if depth else 0
    if turn == 6:
        return [anything(dice, depth - 1) for _ in range(dice.randrange(3))]
    if turn == 7:
        return {_key(dice): anything(dice, depth - 1) for _ in range(dice.randrange(3))}
    return scalar(dice)


def _key(dice: Random) -> str:
    return dice.choice(("name", "spec", "metadata", "key", "labels", "type", dice.choice(WORDS)))


def of_schema(dice: Random, node: dict[str, Any], depth: int = 4) -> Any:
    """A value that the schema asks for, or now and then one that it does not."""
    node = schema.resolve(node)
    kinds = node.get("type", "object")
    kind = next((one for one in ([kinds] if isinstance(kinds, str) else kinds) if one != "null"), "string")
    if not depth or dice.randrange(6) == 0:
        return anything(dice, 1)
    if "enum" in node and dice.randrange(4):
        return dice.choice(node["enum"])
    if kind == "object":
        fields = node.get("properties")
        if not fields:
            return {_key(dice): of_schema(dice, node.get("additionalProperties") or {}, depth - 1)}
        names = dice.sample(sorted(fields), min(len(fields), dice.randrange(1, 4)))
        return {
            name: of_schema(dice, fields[name], depth - 1)
            for name in dict.fromkeys([*node.get("required", ()), *names])
        }
    if kind == "array":
        return [of_schema(dice, node.get("items", {}), depth - 1) for _ in range(dice.randrange(4))]
    if kind == "integer":
        return dice.choice((0, 1, 80, 443, dice.choice(HUGE)))
    if kind == "number":
        return dice.choice(HUGE)
    return dice.choice((True, False)) if kind == "boolean" else dice.choice(WORDS)


def damaged(dice: Random) -> Any:
    """An object with one or two things wrong in it."""
    obj = json.loads(json.dumps(dice.choice(seeds())))
    for _ in range(dice.choice((1, 1, 2))):
        _damage(dice, obj)
    return obj


def made_up(dice: Random) -> dict[str, Any]:
    """An object of any kind, all of it from its schema."""
    kind = dice.choice([kind for kind in BUILTIN.kinds if schema.schema_of(kind.version, kind.name)])
    found = of_schema(dice, schema.schema_of(kind.version, kind.name) or {}, 6)
    obj = found if isinstance(found, dict) else {}
    meta = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
    return {**obj, "apiVersion": kind.version, "kind": kind.name, "metadata": {"name": "made-up", **meta}}


def _damage(dice: Random, obj: dict[str, Any]) -> None:
    """Walk to some place and put something wrong there: another value, a field of the schema, a twin, or nothing."""
    here: Any = obj
    node = schema.schema_of(str(obj.get("apiVersion")), str(obj.get("kind"))) or {}
    for _ in range(dice.randrange(9)):
        step = _step(dice, here)
        if step is None or not isinstance(here[step], dict | list) or not here[step]:
            break
        node = _below(node, step)
        here = here[step]
    step = _step(dice, here)
    turn = dice.randrange(6)
    if turn < 2 and isinstance(here, dict):
        fields = schema.resolve(node).get("properties") or {} if node else {}
        name = dice.choice(sorted(fields)) if fields else _key(dice)
        here[name] = of_schema(dice, fields.get(name, {}))
    elif step is None:
        return
    elif turn == 2:
        del here[step]
    elif turn == 3 and isinstance(here, list):
        here += here[:2]
    elif turn == 4:
        for _ in range(dice.choice((1, 30, 300))):
            here[step] = [here[step]] if dice.randrange(2) else {"spec": here[step]}
    else:
        here[step] = anything(dice)


def _step(dice: Random, here: Any) -> Any:
    if isinstance(here, dict) and here:
        return dice.choice(sorted(here))
    return dice.randrange(len(here)) if isinstance(here, list) and here else None


def _below(node: dict[str, Any], step: Any) -> dict[str, Any]:
    if not node:
        return {}
    node = schema.resolve(node)
    if isinstance(step, int):
        return dict(node.get("items") or {})
    return dict((node.get("properties") or {}).get(step) or node.get("additionalProperties") or {})


def text(dice: Random, obj: Any) -> bytes:
    """An object as YAML or JSON; now and then the text itself is damaged."""
    if dice.randrange(2):
        written = json.dumps(obj, ensure_ascii=bool(dice.randrange(2)), indent=dice.choice((None, 1)))
    else:
        try:
            written = yaml.safe_dump(obj, allow_unicode=bool(dice.randrange(2)), sort_keys=False, width=10_000)
        except RecursionError:
            written = json.dumps(obj)
    raw = written.encode("utf-8", "surrogatepass")
    return _scratched(dice, raw) if dice.randrange(8) == 0 else raw


def _scratched(dice: Random, raw: bytes) -> bytes:
    at = dice.randrange(len(raw) + 1)
    line_end = raw.find(b"\n", at)
    wrong = dice.choice(
        (
            b"\x00",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"\t",
            b"\n",
            b"\n---\n",
            b": ",
            b"&a ",
            b"*a ",
            b"!!binary ",
            b"{",
            b"]",
            b"'",
            b'"',
            b"#",
            b"<<: ",
        )
    )
    return dice.choice(
        (
            raw[:at],
            raw[:at] + wrong + raw[at:],
            b"\xef\xbb\xbf" + raw,
            raw.decode("utf-8", "replace").encode("utf-16"),
            raw[: line_end + 1] + raw[raw.rfind(b"\n", 0, at) + 1 : line_end + 1] + raw[line_end + 1 :],  # a line twice
            raw + b"\n---\n" + raw,
        )
    )
