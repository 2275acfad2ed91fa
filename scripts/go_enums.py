"""Write minikube_py/api/data/enums.json: the values of the API's enum types, each with what its constant's comment says.

    python scripts/go_enums.py API APIMACHINERY

The arguments are checkouts of k8s.io/{api,apimachinery}. The API server adds these values to the description of each field
of such a type (kube-openapi/pkg/generators/enum.go); the schemas of the package kubernetes-validate leave them out. Only
types that types.json knows are kept, so a checkout may be newer.

The file: {"core.v1.DNSPolicy": {"ClusterFirst": "indicates that the pod should use cluster DNS first ..."}}, sorted.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

DATA = Path(__file__).parent.parent / "minikube_py" / "api" / "data"
TYPE = re.compile(r"((?:^//.*\n)+)^type (\w+) string$", re.M)
BLOCK = re.compile(r"^const \(\n(.*?)^\)", re.M | re.S)
# `Name Type = "value"` or `Name = Type("value")`, with the comment lines in front.
CONSTANT = re.compile(r'((?:^\s*//.*\n)*)^\s*(\w+)\s+(?:(\w+)\s*=\s*"([^"]*)"|=\s*(\w+)\("([^"]*)"\))', re.M)


def enums_of(text: str, package: str, known: set[str]) -> dict[str, dict[str, str]]:
    """The enums of one package, given all its source as one text."""
    names = {name for comment, name in TYPE.findall(text) if "+enum" in comment and f"{package}.{name}" in known}
    found: dict[str, dict[str, str]] = {}
    for block in BLOCK.findall(text):
        for comment, constant, of, value, called, argument in CONSTANT.findall(block):
            if (of or called) in names:
                found.setdefault(f"{package}.{of or called}", {})[value or argument] = told(comment, constant)
    return found


def told(comment: str, constant: str) -> str:
    """A constant's comment on one line, without the constant's name in front and without markers."""
    lines = [line.strip().removeprefix("//").strip() for line in comment.splitlines()]
    text = " ".join(line for line in lines if not line.startswith("+")).strip().removeprefix(constant).strip()
    return re.sub(r"\s+", " ", text)


def main() -> None:
    known = set(json.loads((DATA / "types.json").read_text())["alias"])
    found: dict[str, dict[str, str]] = {}
    for root in sys.argv[1:]:
        for folder in sorted({path.parent for path in Path(root).rglob("types*.go")}):
            package = ".".join(folder.parts[-2:])
            sources = [path.read_text() for path in sorted(folder.glob("*.go")) if "generated" not in path.name]
            found |= enums_of("\n".join(sources), package, known)
    ordered = {name: dict(sorted(values.items())) for name, values in sorted(found.items())}
    (DATA / "enums.json").write_text(json.dumps(ordered, indent=0, ensure_ascii=False) + "\n")
    print(f"{len(ordered)} enums")


if __name__ == "__main__":
    main()
