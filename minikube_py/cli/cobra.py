"""Command lines as kubectl's own libraries read them: spf13/cobra finds the command, spf13/pflag its flags.

The help texts in `help/` are the table of flags: a line such as `    -o, --output='':` tells short name, name, default and,
by the shape of the default, the type. What a help text cannot tell (flags that may stand without a value, lists that are
not split at commas, required and hidden flags) is in the four small tables below.

Sources: spf13/pflag flag.go (parseLongArg, parseSingleShortArg, Set), spf13/cobra command.go (stripFlags, Find,
SuggestionsFor, ValidateRequiredFlags), kubectl pkg/cmd/cmd.go and pkg/cmd/util/helpers.go (the texts of errors).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple

HELP = os.path.join(os.path.dirname(__file__), "help")

# Flags with a value of their own when written without one (pflag's NoOptDefVal).
BARE = {"dry-run": "unchanged", "validate": "strict", "cascade": "background"}
# Lists that keep commas (pflag's StringArray; all other lists are StringSlice: split at commas).
ARRAYS = frozenset(
    [
        "from-literal",
        "rule",
        "env",
        "annotations",
        "annotation",
        "for",
        "as-group",
        "as-user-extra",
        "user",
        "group",
        "serviceaccount",
        "resource-name",
        "prune-allowlist",
        "audience",
        "option",
        "prependarg",
        "appendarg",
        "allowlist-entry",
        "exec-env",
    ]
)
REQUIRED = {
    "create clusterrolebinding": ("clusterrole",),
    "create cronjob": ("image", "schedule"),
    "create deployment": ("image",),
    "create service externalname": ("external-name",),
    "run": ("image",),
    "kuberc set": ("section",),
    "scale": ("replicas",),
    "autoscale": ("max",),
}
# Flags that kubectl still takes but hides from its help: name -> (default, what it says when the flag is used).
_RECORD = ("false", "--record will be removed in the future")
HIDDEN: dict[str, dict[str, tuple[str, str]]] = {
    "annotate": {"record": _RECORD},
    "apply": {"record": _RECORD},
    "autoscale": {
        "record": _RECORD,
        "cpu-percent": (
            "-1",
            "Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).",
        ),
    },
    "create": {"record": _RECORD},
    "label": {"record": _RECORD},
    "patch": {"record": _RECORD},
    "replace": {"record": _RECORD},
    "scale": {"record": _RECORD},
    "set image": {"record": _RECORD},
    "set resources": {"record": _RECORD},
    "set selector": {"record": _RECORD},
    "set serviceaccount": {"record": _RECORD},
    "expose": {"record": _RECORD},
    "run": {"record": _RECORD},
}

# What the shape of a default does not tell: flags with fewer bits, and maps.
INT32 = frozenset(["port", "replicas", "value", "min", "max", "cpu-percent"])
MAPS = {"debug": ("env", "set-image")}

# kpy's own flag of the commands that wait for the cluster: virtual time passes as fast as the wall clock.
REALTIME = ("attach", "delete", "drain", "events", "get", "logs", "rollout status", "wait")

_global_flags: list[Flag] = []  # read once

_FLAG_LINE = re.compile(r"^    (?:-(\w), )?--([\w-]+)=(.*):$", re.MULTILINE)
_GO_INTEGER = r"[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)"


class Flag(NamedTuple):
    """One flag of a command. `kind` is bool, text, int, duration, slice, array or map; `bare`: its value without a value."""

    name: str
    short: str
    default: str
    kind: str
    bare: str = ""
    deprecated: str = ""

    @property
    def title(self) -> str:
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


class Flags:
    """The flags that one command knows, by name and by short name."""

    __slots__ = ("by_name", "by_short")

    def __init__(self, flags: Iterable[Flag]) -> None:
        self.by_name: dict[str, Flag] = {}
        self.by_short: dict[str, Flag] = {}
        for flag in flags:
            if flag.name in self.by_name:
                continue
            self.by_name[flag.name] = flag
            if flag.short:
                self.by_short.setdefault(flag.short, flag)


class Parsed:
    """What a command line said: positional `args`, where `--` stood (-1: nowhere), and each flag's values."""

    __slots__ = ("args", "dash", "flags", "given")

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self.args: list[str] = []
        self.dash = -1
        self.given: dict[str, list[str]] = {}

    def changed(self, name: str) -> bool:
        """Whether the user wrote the flag."""
        return name in self.given

    def text(self, name: str) -> str:
        values = self.given.get(name)
        if values:
            return values[-1]
        flag = self.flags.by_name.get(name)
        return flag.default if flag else ""

    def on(self, name: str) -> bool:
        return self.text(name) in TRUE

    def number(self, name: str) -> int:
        return integer(self.text(name) or "0")

    def seconds(self, name: str) -> float:
        """A duration flag in seconds: '1m30s' is 90.0."""
        from minikube_py.base.duration import parse_go

        return parse_go(self.text(name) or "0s")

    def list(self, name: str) -> list[str]:
        """A list flag; a slice's values are split at commas: `-L a,b -L c` is [a, b, c]."""
        values = self.given.get(name) or []
        if name in ARRAYS:
            return list(values)
        return [part for value in values for part in _split(value)]


def _split(value: str) -> list[str]:
    """A slice's value as pflag's CSV reader sees it: nothing is no value, and quotes keep commas."""
    if '"' not in value:
        return value.split(",") if value else []
    import csv

    return next(csv.reader([value]))


TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
BOOLEANS = TRUE | FALSE
HELP_FLAG = Flag("help", "h", "false", "bool", "true")


def help_text(command: str) -> str:
    """kubectl's `--help` of a command ('rollout status'); '' if there is none in the package."""
    try:
        with open(os.path.join(HELP, command.replace(" ", "_") + ".txt"), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def flags_of(command: str) -> Flags:
    """The flags of a kubectl command with the global ones behind."""
    own = _read_flags(help_text(command))
    maps = MAPS.get(command, ())
    own = [flag._replace(kind="map") if flag.name in maps else flag for flag in own]
    hidden = [
        _flag("", name, default, deprecated)
        for name, (default, deprecated) in HIDDEN.get(command, HIDDEN.get(command.split(" ")[0], {})).items()
        if command in HIDDEN
    ]
    if command in REALTIME:
        hidden.append(Flag("realtime", "", "false", "bool", "true"))
    return Flags([*own, *hidden, HELP_FLAG, *global_flags()])


def global_flags() -> list[Flag]:
    """The flags that every command takes (`kubectl options`)."""
    if not _global_flags:
        _global_flags.extend(_read_flags(help_text("options")))
    return list(_global_flags)


def _read_flags(text: str) -> list[Flag]:
    return [_flag(short, name, default) for short, name, default in _FLAG_LINE.findall(text)]


def _flag(short: str, name: str, default: str, deprecated: str = "") -> Flag:
    if default in ("true", "false"):
        return Flag(name, short, default, "bool", "true", deprecated)
    if default == "[]":
        return Flag(name, short, "", "array" if name in ARRAYS else "slice", "", deprecated)
    if default.removeprefix("-").isdigit():
        return Flag(name, short, default, "int", "", deprecated)
    if default[:1].isdigit() and default[-1:] in "hms":
        return Flag(name, short, default, "duration", "", deprecated)
    return Flag(name, short, default.strip("'"), "text", BARE.get(name, ""), deprecated)


def parse(argv: list[str], flags: Flags, see: str) -> Parsed:
    """Read the words behind a command. `see` is its path ('kubectl get') for the second line of errors.

    Raises UsageError in pflag's words, with "See 'kubectl get --help' for usage." as the usage line.
    """
    parsed = Parsed(flags)
    try:
        _read_words(argv, parsed)
    except UsageError as error:
        raise UsageError(str(error), f"See '{see} --help' for usage.") from None
    return parsed


def _read_words(argv: list[str], parsed: Parsed) -> None:
    position = 0
    while position < len(argv):
        word = argv[position]
        position += 1
        if word == "--":
            parsed.dash = len(parsed.args)
            parsed.args.extend(argv[position:])
            return
        if word.startswith("--"):
            position += _read_long(word, argv[position : position + 1], parsed)
        elif word.startswith("-") and len(word) > 1:
            position += _read_short(word[1:], argv[position : position + 1], parsed)
        else:
            parsed.args.append(word)


def _read_long(word: str, following: list[str], parsed: Parsed) -> int:
    """One `--flag`; returns how many of the following words it used."""
    name, equals, value = word[2:].partition("=")
    if not name or name.startswith("-"):
        raise UsageError(f"bad flag syntax: {word}")
    flag = parsed.flags.by_name.get(name)
    if flag is None:
        raise UsageError(f"unknown flag: --{name}")
    if equals:
        _store(flag, value, parsed)
    elif flag.bare:
        _store(flag, flag.bare, parsed)
    elif following:
        _store(flag, following[0], parsed)
        return 1
    else:
        raise UsageError(f"flag needs an argument: --{name}")
    return 0


def _read_short(letters: str, following: list[str], parsed: Parsed) -> int:
    """A cluster of short flags (`-Rf x`, `-ojson`, `-o=json`); returns how many of the following words it used."""
    while letters:
        whole = letters  # pflag names what is left of the word
        letter, letters = letters[0], letters[1:]
        flag = parsed.flags.by_short.get(letter)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: '{letter}' in -{whole}")
        if letters.startswith("=") and len(letters) > 1:
            _store(flag, letters[1:], parsed)
            return 0
        if flag.bare:
            _store(flag, flag.bare, parsed)
        elif letters:
            _store(flag, letters, parsed)
            return 0
        elif following:
            _store(flag, following[0], parsed)
            return 1
        else:
            raise UsageError(f"flag needs an argument: '{letter}' in -{whole}")
    return 0


def _store(flag: Flag, value: str, parsed: Parsed) -> None:
    wrong = problem(flag, value)
    if wrong:
        raise UsageError(f'invalid argument "{value}" for "{flag.title}" flag: {wrong}')
    parsed.given.setdefault(flag.name, []).append(value)


def problem(flag: Flag, value: str) -> str:
    """What Go's strconv and time say about a value that does not fit, or ''."""
    if flag.kind == "bool" and value not in BOOLEANS:
        return f'strconv.ParseBool: parsing "{value}": invalid syntax'
    if flag.kind == "int":
        return _integer_problem(flag, value)
    if flag.kind == "map":
        return _pairs_problem(value)
    if flag.name in ODD:
        return ODD[flag.name](value)
    if flag.kind == "duration":
        from minikube_py.base.duration import parse_go

        try:
            parse_go(value)
        except ValueError as error:
            return str(error)
    return ""


def integer(text: str) -> int:
    """A whole number as strconv.ParseInt with base 0 reads it: '0x1f', '0b1', and '010', which is 8. Raises ValueError."""
    if not re.fullmatch(_GO_INTEGER, text):
        raise ValueError(text)
    digits = text.lstrip("+-")
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    value = int(digits, 8 if is_octal else 0)
    return -value if text.startswith("-") else value


def _integer_problem(flag: Flag, value: str) -> str:
    try:
        number = integer(value)
    except ValueError:
        return f'strconv.ParseInt: parsing "{value}": invalid syntax'
    bits = 32 if flag.name in INT32 else 64
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        return f'strconv.ParseInt: parsing "{value}": value out of range'
    return ""


def _pairs_problem(value: str) -> str:
    """pflag's StringToString: 'a=1,b=2'."""
    wrong = [pair for pair in value.split(",") if "=" not in pair]
    return f"{wrong[0]} must be formatted as key=value" if wrong else ""


def _flush_problem(value: str) -> str:
    """A flag of klog, which comes from Go's own library: it only says that it cannot read."""
    from minikube_py.base.duration import parse_go

    try:
        parse_go(value)
    except ValueError:
        return "parse error"
    return ""


def _aggregation_problem(value: str) -> str:
    wrong = any("=" not in pair for pair in value.split(",") if pair)
    return "malformed pair, expect string=string" if wrong else ""


def _vmodule_problem(value: str) -> str:
    wrong = any(not pattern or not number.isdigit() for pattern, _, number in _module_levels(value))
    return "syntax error: expect comma-separated list of filename=N" if wrong else ""


def _module_levels(value: str) -> list[tuple[str, str, str]]:
    return [pair.partition("=") for pair in value.split(",") if pair]


# Flags that check themselves.
ODD = {
    "log-flush-frequency": _flush_problem, "aggregation-rule": _aggregation_problem, "vmodule": _vmodule_problem,
}  # fmt: skip


def first_word(argv: list[str], flags: Flags) -> int:
    """The position of the first word that is neither a flag nor a flag's value; -1 if there is none (stripFlags)."""
    skip = False
    for position, word in enumerate(argv):
        if skip:
            skip = False
        elif word == "--":
            return -1
        elif word.startswith("--") and "=" not in word:
            flag = flags.by_name.get(word[2:])
            skip = flag is None or not flag.bare
        elif word.startswith("-") and "=" not in word and len(word) == 2:
            short = flags.by_short.get(word[1])
            skip = short is None or not short.bare
        elif word and not word.startswith("-"):
            return position
    return -1


def check_required(command: str, parsed: Parsed) -> None:
    missing = [f'"{name}"' for name in REQUIRED.get(command, ()) if not parsed.changed(name)]
    if missing:
        raise UsageError(f"required flag(s) {', '.join(missing)} not set")


def suggestions(typed: str, names: Iterable[str], synonyms: dict[str, tuple[str, ...]]) -> list[str]:
    """The commands that look like what was typed: two edits away, or longer by some letters, or a synonym's target."""
    found = []
    for name in names:
        near = _distance(typed.lower(), name.lower()) <= 2 or name.lower().startswith(typed.lower())
        if near or typed.lower() in synonyms.get(name, ()):
            found.append(name)
    return found


def _distance(left: str, right: str) -> int:
    """Levenshtein's edit distance."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[len(right)]
