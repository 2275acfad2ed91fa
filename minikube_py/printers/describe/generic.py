"""Any other kind, field by field (genericDescriber, printUnstructuredContent)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts
from minikube_py.printers.describe.writer import go_bool

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

SKIPPED = frozenset(
    (".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations")
)
ACRONYMS = frozenset(("API", "URL", "UID", "GUID"))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|-+|.")


def anything(obj: Object, w: Writer) -> None:
    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    _content(w, 0, obj, "")
    parts.events(obj, w)


def _content(w: Writer, level: int, content: Object, prefix: str) -> None:
    for field, value in sorted(content.items()):
        path = f"{prefix}.{field}"
        if path in SKIPPED:
            continue
        if isinstance(value, dict):
            w.put(level, f"{label(field)}:\n")
            _content(w, level + 1, value, path)
        elif isinstance(value, list):
            w.put(level, f"{label(field)}:\n")
            for child in value:
                if isinstance(child, dict):
                    _content(w, level + 1, child, path)
                else:
                    w.put(level + 1, f"{_text(child)}\n")
        else:
            w.line(level, label(field), _text(value))


def _text(value: object) -> str:
    if value is None:
        return "<nil>"
    return go_bool(value) if isinstance(value, bool) else str(value)


def label(field: str) -> str:
    """'lastTransitionTime' as 'Last Transition Time', 'apiVersion' as 'API Version'; names with other signs stay as they are.

    A run of capitals stays together with the word behind it: 'podCIDRs' is 'Pod CIDRs' (smartLabelFor, fatih/camelcase).
    """
    if not all(letter.isalpha() or letter == "-" for letter in field):
        return field
    words: list[str] = []
    for word in _WORDS.findall(field):
        if words and len(words[-1]) > 1 and words[-1].isupper() and word[0].isupper():
            words[-1] += word
        else:
            words.append(word)
    titled = (word.upper() if word.upper() in ACRONYMS else word.title() if word.islower() else word for word in words)
    return " ".join(titled)
