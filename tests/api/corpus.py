"""The corpus: manifests from the wild, and what a real API server 1.36 answered to `kubectl create --dry-run=server -o json`.

`cases()` reads them; `masked(objects)` takes out what differs from run to run: uids, times, resource versions, managed
fields, allocated addresses and ports, the random end of the token volume's name.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).parent.parent / "data" / "corpus"

Object = dict[str, Any]


class Case(NamedTuple):
    """One manifest with the recorded result."""

    path: str
    text: str
    exit: int
    stderr: str
    objects: list[Object]


def cases() -> list[Case]:
    """All cases, sorted by file and path."""
    found = []
    for file in sorted(DATA.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found += [Case(**json.loads(line)) for line in lines]
    return found


_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"'), '"TIME"'),
    (re.compile(r"kube-api-access-[a-z0-9]{5}\b"), "kube-api-access-RANDOM"),
    (re.compile(r'"(nodePort|healthCheckNodePort)": \d+'), r'"\1": "PORT"'),
    (re.compile(r'"clusterIP": "10\.[0-9.]+"'), '"clusterIP": "ADDRESS"'),
    (re.compile(r'"clusterIPs": \["10\.[0-9.]+"\]'), '"clusterIPs": ["ADDRESS"]'),
)


def masked(objects: list[Object]) -> list[Object]:
    """The objects without what no two runs have in common."""
    text = json.dumps([_without_server_fields(obj) for obj in objects])
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    found: list[Object] = json.loads(text)
    return found


def _without_server_fields(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ("managedFields", "resourceVersion")}
    return {**obj, "metadata": metadata}


def differences(expected: Any, got: Any, path: str = "") -> list[str]:
    """Where two JSON values differ, one line each: 'spec.replicas: expected 1, got None'."""
    if type(expected) is type(got) and isinstance(expected, dict):
        keys = [*expected, *(key for key in got if key not in expected)]
        lines = []
        for key in keys:
            if key not in got:
                lines.append(f"{path}.{key}: expected {expected[key]!r}, missing")
            elif key not in expected:
                lines.append(f"{path}.{key}: unexpected {got[key]!r}")
            else:
                lines += differences(expected[key], got[key], f"{path}.{key}")
        return lines
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = enumerate(zip(expected, got, strict=True))
        return [line for index, (old, new) in pairs for line in differences(old, new, f"{path}[{index}]")]
    return [] if expected == got and type(expected) is type(got) else [f"{path}: expected {expected!r}, got {got!r}"]
