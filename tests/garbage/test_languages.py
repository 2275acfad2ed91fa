"""The small languages of the command line: selectors, paths, templates, patches, quantities, cron lines, SQL, ..."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.garbage import ground, manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

# For each language: the bits that its texts are made of, and the command lines that read one (TEXT).
SELECTOR = (
    "a",
    "app",
    "=",
    "==",
    "!=",
    "in",
    "notin",
    "(",
    ")",
    ",",
    " ",
    "!",
    "web",
    "x/y",
    "-",
    ">",
    "<",
    "gt",
    "5",
    "\\",
    '"',
)
FIELDS = ("metadata.name", "status.phase", "spec.nodeName", "=", "!=", "==", ",", "Running", "x", "\\", "\\,", " ", ".")
PATHS = (
    "{", "}", ".", "..", "items", "[", "]", "*", "0", "-1", ":", "::2", "?(", "@", ".metadata", ".name", "==", "&&", "'a'", '"b"', ")", ",",
    "range ", "end", "{range .items[*]}", "{end}", "{\"\\n\"}", "$", "metadata['labels']", "\\.", "99999999999999999999", "<",
)  # fmt: skip
TEMPLATES = (
    "{{", "}}", ".", ".items", "range ", "end", "if ", "else", "with ", "$x", ":=", "|", "print", "printf \"%d\" ", "index ", "len ", "{{range .items}}",
    "{{end}}", "{{.metadata.name}}", "(", ")", '"a"', "`b`", "1", "-", "/*", "*/", "define \"t\"", "template \"t\" .", "block", "break", "eq ", "and ",
    "base64decode ", "exists ", "slice ", "urlquery", "call ", "html", "js", "{{- ", " -}}", "printf \"%*d\" 999999999 1",
)  # fmt: skip
COLUMNS = ("NAME", ":", ".metadata.name", ",", "X", "[", "]", "{", "}", " ", "..", "*", "\n")
AMOUNTS = (
    "1",
    "0",
    "9" * 30,
    ".",
    "-",
    "+",
    "e",
    "E",
    "99",
    "m",
    "u",
    "n",
    "Ki",
    "Gi",
    "Ei",
    "k",
    "P",
    " ",
    "x",
    "_",
    "\u0661",
    "NaN",
    "inf",
    "1e400",
)
CRON = (
    "*",
    "/",
    "0",
    "5",
    "59",
    "60",
    "-",
    ",",
    " ",
    " * * * *",
    "@hourly",
    "@every 5m",
    "MON",
    "JAN",
    "L",
    "W",
    "#",
    "?",
    "TZ=UTC ",
    "99999999999",
    "31 2 *",
)
TIMES = ("1", "9" * 25, "h", "m", "s", "ms", ".", "-", "+", " ", "d", "µs", "x", "1h30m", "0")
WORDS = (
    "a",
    "=",
    "-",
    "/",
    "+",
    ",",
    ":",
    "NoSchedule",
    "x.io/",
    "'",
    '"',
    "é",
    "{",
    "}",
    " ",
    "*",
    "$",
    "=-",
    "a=b",
    "--",
    "@",
)
SQL = (
    "select ",
    "* ",
    "from ",
    "object",
    "pragma ",
    "journal_mode=delete",
    "attach 'x.db' as y",
    ";",
    "delete ",
    "vacuum into 'x'",
    "with recursive t(x) as (select 1) ",
    "1",
    ",",
    "(",
    ")",
    "'",
    "load_extension('x')",
    "zeroblob(9999999999)",
    "randomblob(5)",
    "writable_schema=1",
)

LANGUAGES: dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]] = {
    "label selector": (SELECTOR, (("get", "pods", "-l", "TEXT"), ("delete", "pods", "-l", "TEXT", "--wait=false"))),
    "field selector": (FIELDS, (("get", "pods", "--field-selector", "TEXT"),)),
    "jsonpath": (PATHS, (("get", "pods", "-o", "jsonpath=TEXT"), ("get", "pod", "p", "--sort-by", "TEXT"))),
    "wait": (PATHS, (("wait", "pod/p", "--for", "jsonpath=TEXT", "--timeout", "1s"), ("wait", "pod/p", "--for", "TEXT", "--timeout=1s"))),
    "go-template": (TEMPLATES, (("get", "pods", "-o", "go-template=TEXT"),)),
    "columns": (COLUMNS, (("get", "pods", "-o", "custom-columns=TEXT"),)),
    "quantity": (AMOUNTS, (("set", "resources", "deploy/web", "--limits", "cpu=TEXT"), ("node", "add", "n", "--cpu", "TEXT"), ("create", "quota", "q", "--hard", "cpu=TEXT"))),
    "cron": (CRON, (("create", "cronjob", "j", "--image=i", "--schedule", "TEXT"),)),
    "time": (TIMES, (("reconcile", "--for", "TEXT", "--step"), ("delete", "pod", "p", "--timeout", "TEXT"), ("reconcile", "--timeout", "TEXT"))),
    "label": (WORDS, (("label", "pod", "p", "TEXT"), ("annotate", "pod", "p", "TEXT"), ("taint", "node", "worker-1", "TEXT"))),
    "name": (WORDS, (("get", "TEXT"), ("describe", "pod", "TEXT"), ("create", "namespace", "TEXT"), ("cluster", "start", "TEXT"), ("get", "pods", "-n", "TEXT"))),
    "image": (WORDS, (("set", "image", "deploy/web", "TEXT"), ("set", "env", "deploy/web", "TEXT"), ("run", "TEXT", "--image", "TEXT"))),
    "literal": (WORDS, (("create", "configmap", "c", "--from-literal", "TEXT"), ("create", "secret", "generic", "s", "--from-file", "TEXT"))),
    "history": (WORDS, (("history", "TEXT"), ("explain", "TEXT"), ("TEXT",), ("get", "pods", "TEXT"))),
    "until": (PATHS, (("reconcile", "--step", "--until", "TEXT"),)),
    "sql": (SQL, (("sql", "TEXT"),)),
}  # fmt: skip
# One call of the engine may take longer than a parse: a virtual century, say.
garbage = settings(
    derandomize=True, deadline=None, database=None, max_examples=max(ground.PIECES // len(LANGUAGES), 10),
    suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
)  # fmt: skip
DEPLOYMENT = ("create", "deployment", "web", "--image=nginx")
POD = ("run", "p", "--image=nginx", "--labels", "app=web")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ground.Ground]:
    found = ground.Ground(tmp_path_factory.mktemp("languages"), DEPLOYMENT, POD, ("reconcile",))
    yield found
    found.restore()


def answered(place: ground.Ground, *words: str) -> None:
    """Whatever it was: an exit code, words if it failed, and nothing written by what failed."""
    place.fresh()
    result = place.run(*words)
    if result.code:
        assert result.err.strip() or result.out.strip(), words
    engine = words[0] in ("reconcile", "wait", "delete")
    if result.code and not engine:
        assert result.revision == place.revision, (words, result)
    place.check()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_read_is_answered_in_words(language: str, place: ground.Ground) -> None:
    bits, commands = LANGUAGES[language]
    texts = st.lists(st.sampled_from(bits), min_size=1, max_size=9).map("".join)

    @garbage
    @given(texts, st.sampled_from(commands))
    def throw(text: str, command: tuple[str, ...]) -> None:
        answered(place, *(word.replace("TEXT", text) for word in command))

    throw()


@garbage
@given(st.randoms(use_true_random=False), st.sampled_from(("merge", "json", "strategic")))
def test_patches_of_any_shape_are_answered_in_words(place: ground.Ground, dice: Random, form: str) -> None:
    if form == "json" and dice.randrange(4):
        patch: object = [
            {
                "op": dice.choice(("add", "remove", "replace", "move", "copy", "test", "", 5)),
                "path": dice.choice(("/spec", "/spec/replicas", "/metadata/labels/a~1b", "", "/", "x", "/spec/template/spec/containers/0", "/spec/-", "/~2", 5, None)),
                "value": manifests.anything(dice),
                "from": dice.choice(("/spec", "", "/metadata/name", None)),
            }
            for _ in range(dice.randrange(3))
        ]  # fmt: skip
    else:
        keys = (
            "spec",
            "metadata",
            "status",
            "$patch",
            "$setElementOrder/containers",
            "$deleteFromPrimitiveList/finalizers",
            "$retainKeys",
        )
        patch = {dice.choice(keys): manifests.anything(dice, 4) for _ in range(dice.randrange(3))}
        if dice.randrange(2):
            patch = {"spec": {"template": {"spec": {"containers": manifests.anything(dice, 4), **patch}}}}
    text = json.dumps(patch)
    if dice.randrange(8) == 0:
        text = text[: dice.randrange(len(text) + 1)]
    answered(place, "patch", "deploy", "web", "--type", form, "-p", text)


def test_all_that_was_within_memory(place: ground.Ground) -> None:
    assert place.grown_mebibytes() < ground.MEBIBYTES_MAX
