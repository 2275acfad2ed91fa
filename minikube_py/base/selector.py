"""Label and field selectors: parsed once, matched many times.

Sources: k8s.io/apimachinery/pkg/labels/selector.go, fields/selector.go, apis/meta/v1/helpers.go
(LabelSelectorAsSelector), api/validate/content/kube.go. The texts of errors are theirs.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from minikube_py.base import gotext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple

_CACHE_MAX = 4096
_SYMBOLS = "=!(),><"
_SPACES = " \t\r\n"
_OPERATORS = {"in", "notin", "=", "==", "!=", ">", "<"}
_TOKENS = _OPERATORS | {")", ",", "!", "("}
_BINARY_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_END = ""

# Compiled when first asked: most commands never look at a key.
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_NAME_SHOWN = (
    f"{_NAME_RULE} (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_SUBDOMAIN_SHOWN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_VALUE_SHOWN = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_OF_LABEL_SELECTOR = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


class SelectorError(ValueError):
    """Not a selector; the text is apimachinery's."""


class Requirement(NamedTuple):
    """`operator`: in, notin, =, ==, !=, exists, !, > or <; `values` sorted, without repeats."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        operator = self.operator
        if operator in ("=", "==", "in"):
            return labels.get(self.key) in self.values
        if operator == "exists":
            return self.key in labels
        if operator == "!":
            return self.key not in labels
        if operator in ("!=", "notin"):
            return labels.get(self.key) not in self.values
        number = _int64(labels.get(self.key))
        limit = int(self.values[0])
        return number is not None and (number > limit if operator == ">" else number < limit)

    @property
    def text(self) -> str:
        joined = ",".join(self.values)
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({joined})"
        return f"{self.key}{self.operator}{joined}"


class Selector:
    """All requirements must hold. `nothing` (a nil LabelSelector) matches no object, an empty selector every one."""

    __slots__ = ("_others", "_pairs", "nothing", "requirements", "text")

    def __init__(self, requirements: tuple[Requirement, ...], nothing: bool = False) -> None:
        self.requirements = requirements
        self.nothing = nothing
        self.text = ",".join(requirement.text for requirement in requirements)
        self._pairs = tuple((item.key, item.values[0]) for item in requirements if item.operator in ("=", "=="))
        self._others = tuple(item for item in requirements if item.operator not in ("=", "=="))

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        labels = labels or {}
        for key, value in self._pairs:  # plain loops: this runs for every pod and every selector
            if labels.get(key) != value:
                return False
        for requirement in self._others:  # noqa: SIM110
            if not requirement.matches(labels):
                return False
        return True

    @property
    def empty(self) -> bool:
        return not self.requirements and not self.nothing

    def exact(self) -> dict[str, str]:
        """The labels that a match must have: what a lookup by index may use before `matches`."""
        return {
            requirement.key: requirement.values[0]
            for requirement in self.requirements
            if requirement.operator in ("=", "==", "in") and len(requirement.values) == 1
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and (self.requirements, self.nothing) == (other.requirements, other.nothing)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Selector({self.text!r})" if not self.nothing else "Selector.nothing"


EVERYTHING = Selector(())
NOTHING = Selector((), nothing=True)

_PARSED: dict[str, Selector] = {}
_BUILT: dict[str, Selector] = {}
_OF_PAIRS: dict[tuple[tuple[str, str], ...], Selector] = {}


def parse(text: str) -> Selector:
    """Read the selector of `-l`: 'app=web,tier in (a,b),!old,size>3'. Raises SelectorError."""
    found = _PARSED.get(text)
    if found is None:
        if len(_PARSED) >= _CACHE_MAX:
            _PARSED.clear()
        found = _PARSED[text] = Selector(_sorted(_Parser(text).parse()))
    return found


def from_map(labels: Mapping[str, str] | None) -> Selector:
    """The selector of a Service or ReplicationController: every pair must be there. No pairs match everything."""
    if not labels:
        return EVERYTHING
    pairs = tuple(labels.items())
    found = _OF_PAIRS.get(pairs)
    if found is None:
        if len(_OF_PAIRS) >= _CACHE_MAX:
            _OF_PAIRS.clear()
        found = _OF_PAIRS[pairs] = Selector(_sorted([Requirement(key, "=", (value,)) for key, value in pairs]))
    return found


def from_label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """A metav1.LabelSelector. None matches nothing, {} everything. Raises SelectorError."""
    if selector is None:
        return NOTHING
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    if not expressions:
        return from_map(labels)
    name = json.dumps(selector, sort_keys=True)
    found = _BUILT.get(name)
    if found is None:
        if len(_BUILT) >= _CACHE_MAX:
            _BUILT.clear()
        found = _BUILT[name] = Selector(_sorted(_from_expressions(labels, expressions)))
    return found


def _from_expressions(labels: Mapping[str, str], expressions: Sequence[Mapping[str, Any]]) -> list[Requirement]:
    requirements = [requirement(key, "=", [value]) for key, value in labels.items()]
    for expression in expressions:
        operator = expression.get("operator", "")
        if operator not in _OF_LABEL_SELECTOR:
            raise SelectorError(f"{gotext.quoted(operator)} is not a valid label selector operator")
        values = list(expression.get("values") or ())
        requirements.append(requirement(expression.get("key", ""), _OF_LABEL_SELECTOR[operator], values))
    return requirements


def _sorted(requirements: list[Requirement]) -> tuple[Requirement, ...]:
    return tuple(sorted(requirements, key=lambda requirement: requirement.key))


def requirement(key: str, operator: str, values: list[str]) -> Requirement:
    """A checked requirement (labels.NewRequirement). Raises SelectorError with all findings."""
    errors = [f"key: Invalid value: {gotext.quoted(key)}: {'; '.join(errs)}" for errs in [key_errors(key)] if errs]
    shown = gotext.json_text(values)
    if operator in ("in", "notin") and not values:
        errors.append(f"values: Invalid value: {shown}: for 'in', 'notin' operators, values set can't be empty")
    elif operator in ("=", "==", "!=") and len(values) != 1:
        errors.append(f"values: Invalid value: {shown}: exact-match compatibility requires one single value")
    elif operator in ("exists", "!") and values:
        errors.append(f"values: Invalid value: {shown}: values set must be empty for exists and does not exist")
    elif operator in (">", "<"):
        why = "for 'Gt', 'Lt' operators, the value must be an integer"
        errors += [
            f"values[{index}]: Invalid value: {gotext.quoted(value)}: {why}"
            for index, value in enumerate(values)
            if _int64(value) is None
        ]
    for index, value in enumerate(values):
        if errs := value_errors(value):
            errors.append(f"values[{index}][{key}]: Invalid value: {gotext.quoted(value)}: {'; '.join(errs)}")
    if errors:
        raise SelectorError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
    return Requirement(key, operator, tuple(sorted(dict.fromkeys(values))))


def key_errors(key: str) -> list[str]:
    """What is wrong with a label or annotation key (content.IsLabelKey); [] if nothing."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return [
            f"a valid label key {_NAME_SHOWN} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    errors = []
    if slash and not prefix:
        errors.append("prefix part must be non-empty")
    elif slash and len(prefix) > 253:
        errors.append("prefix part must be no more than 253 bytes")
    if prefix and not re.fullmatch(_SUBDOMAIN, prefix):
        errors.append(f"prefix part {_SUBDOMAIN_SHOWN}")
    if not name:
        errors.append("name part must be non-empty")
    elif len(name) > 63:
        errors.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_NAME, name):
        errors.append(f"name part {_NAME_SHOWN}")
    return errors


def is_subdomain(text: str) -> bool:
    """Whether a text is a DNS subdomain (RFC 1123) by its letters."""
    return re.fullmatch(_SUBDOMAIN, text) is not None


def value_errors(value: str) -> list[str]:
    """What is wrong with a label's value (content.IsLabelValue); [] if nothing."""
    errors = ["must be no more than 63 bytes"] if len(value) > 63 else []
    if value and not re.fullmatch(_NAME, value):
        errors.append(_VALUE_SHOWN)
    return errors


def _int64(text: str | None) -> int | None:
    if text is None or not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 63 else None


class _Parser:
    """The recursive descent of labels.Parser over (token, literal); an identifier's token is 'identifier'."""

    def __init__(self, text: str) -> None:
        self.tokens, self.position = _tokens(text), 0

    def look(self, as_value: bool = True) -> tuple[str, str]:
        token, literal = self.tokens[min(self.position, len(self.tokens) - 1)]
        return ("identifier" if as_value and token in ("in", "notin") else token), literal

    def take(self, as_value: bool = True) -> tuple[str, str]:
        found = self.look(as_value)
        self.position += 1
        return found

    def parse(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        while True:
            token, literal = self.look()
            if token == _END:
                return requirements
            if token not in ("identifier", "!"):
                raise SelectorError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                requirements.append(self.one())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            token, literal = self.take()
            if token == _END:
                return requirements
            if token != ",":
                raise SelectorError(f"found '{literal}', expected: ',' or 'end of string'")
            token, literal = self.look()
            if token not in ("identifier", "!"):
                raise SelectorError(f"found '{literal}', expected: identifier after ','")

    def one(self) -> Requirement:
        token, key = self.take()
        absent = token == "!"
        if absent:
            token, key = self.take()
        if token != "identifier":
            raise SelectorError(f"found '{key}', expected: identifier")
        if errors := key_errors(key):
            raise SelectorError(f"<nil>: Invalid value: {gotext.quoted(key)}: {'; '.join(errors)}")
        if absent or self.look()[0] in (_END, ","):
            return requirement(key, "!" if absent else "exists", [])
        operator, literal = self.take(as_value=False)
        if operator not in _OPERATORS:
            raise SelectorError(f"found '{literal}', expected: {_BINARY_OPERATORS}")
        values = self.several() if operator in ("in", "notin") else self.single()
        return requirement(key, operator, values)

    def single(self) -> list[str]:
        if self.look()[0] in (_END, ","):
            return [""]
        token, literal = self.take()
        if token != "identifier":
            raise SelectorError(f"found '{literal}', expected: identifier")
        return [literal]

    def several(self) -> list[str]:
        token, literal = self.take()
        if token != "(":
            raise SelectorError(f"found '{literal}' expected: '('")
        token, literal = self.look()
        if token == ")":
            self.take()
            return [""]
        if token not in ("identifier", ","):
            raise SelectorError(f"found '{literal}', expected: ',', ')' or identifier")
        values = self.identifiers()
        self.take()  # the closing bracket: identifiers() stops at nothing else
        return sorted(dict.fromkeys(values))

    def identifiers(self) -> list[str]:
        values: list[str] = []
        while True:
            token, literal = self.take()
            if token == "identifier":
                values.append(literal)
                token, literal = self.look()
                if token == ")":
                    return values
                if token != ",":
                    raise SelectorError(f"found '{literal}', expected: ',' or ')'")
            elif token == ",":
                if not values:
                    values.append("")
                following = self.look()[0]
                if following in (")", ","):
                    values.append("")
                if following == ")":
                    return values
            else:
                raise SelectorError(f"found '{literal}', expected: ',', or identifier")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(text):
        letter = text[position]
        if letter in _SPACES:
            position += 1
            continue
        start = position
        if letter in _SYMBOLS:
            # the longest symbol: '==' and '!=' before '=' and '!'
            position += 2 if text[position : position + 2] in _TOKENS else 1
            token = text[start:position]
        else:
            while position < len(text) and text[position] not in _SYMBOLS and text[position] not in _SPACES:
                position += 1
            token = text[start:position] if text[start:position] in ("in", "notin") else "identifier"
        tokens.append((token, text[start:position]))
    return [*tokens, (_END, "")]


class FieldRequirement(NamedTuple):
    """One term of a field selector: `field` is a path such as 'status.phase'."""

    field: str
    equal: bool
    value: str


class FieldSelector:
    """All terms must hold; a field that is not given counts as ''."""

    __slots__ = ("requirements",)

    def __init__(self, requirements: tuple[FieldRequirement, ...]) -> None:
        self.requirements = requirements

    def matches(self, values: Mapping[str, str]) -> bool:
        return all((values.get(field, "") == value) is equal for field, equal, value in self.requirements)

    @property
    def text(self) -> str:
        return ",".join(
            f"{field}{'=' if equal else '!='}{_escaped(value)}" for field, equal, value in self.requirements
        )


_FIELDS: dict[str, FieldSelector] = {}


def fields(text: str) -> FieldSelector:
    """Read the selector of `--field-selector`: 'status.phase!=Running,spec.nodeName=a'. Raises SelectorError."""
    found = _FIELDS.get(text)
    if found is None:
        if len(_FIELDS) >= _CACHE_MAX:
            _FIELDS.clear()
        terms = sorted(term for term in re.findall(r"(?:\\.|[^,\\]|\\$)+", text, re.DOTALL) if term)
        found = _FIELDS[text] = FieldSelector(tuple(_field_term(text, term) for term in terms))
    return found


def _field_term(text: str, term: str) -> FieldRequirement:
    match = re.match(r"(.*?)(!=|==|=)", term, re.DOTALL)
    if match is None:
        raise SelectorError(f"invalid selector: '{text}'; can't understand '{term}'")
    value = term[match.end() :]
    return FieldRequirement(match[1], match[2] != "!=", _unescaped(value))


def _unescaped(value: str) -> str:
    letters, position = [], 0
    while position < len(value):
        letter = value[position]
        if letter == "\\":
            position += 1
            letter = value[position : position + 1]
            if letter not in ("\\", ",", "=") or not letter:
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{letter}")
        elif letter in ",=":
            raise SelectorError(f"invalid field selector: unescaped character in value: {ord(letter)}")
        letters.append(letter)
        position += 1
    return "".join(letters)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
