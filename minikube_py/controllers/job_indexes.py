"""The indexes of an indexed Job, and their text in the status: 0, 1, 2 and 5 are '0-2,5'.

Source: k8s.io/kubernetes/pkg/controller/job/indexed_job_utils.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.api.types import Object

INDEX = "batch.kubernetes.io/job-completion-index"


def indexed(pod: Object) -> int | None:
    """The index that a pod works on."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdecimal() else None


def missing(completions: int, taken: set[int], number: int) -> list[int]:
    """The lowest `number` free indexes: 5 completions, 0 and 2 taken, 2 asked for: 1 and 3."""
    return [index for index in range(completions) if index not in taken][:number]


def parsed(text: str) -> list[int]:
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def text_of(indexes: list[int]) -> str:
    """Ascending indexes; three neighbours or more are a range: 0 and 1 are '0,1', 0 to 2 are '0-2'."""
    parts: list[str] = []
    start = 0
    for end in range(1, len(indexes) + 1):
        if end < len(indexes) and indexes[end] == indexes[end - 1] + 1:
            continue
        first, last = indexes[start], indexes[end - 1]
        joint = "," if last - first == 1 else "-"
        parts.append(str(first) if first == last else f"{first}{joint}{last}")
        start = end
    return ",".join(parts)
