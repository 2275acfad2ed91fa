"""Write minikube_py/api/data/protobuf.json: the numbers that the fields of the API's types have in protobuf.

    python scripts/proto_numbers.py API APIMACHINERY

The arguments are checkouts of k8s.io/{api,apimachinery}; taken from their generated.proto. Only types and fields that
data/types.json knows are kept. The file: {type: {field: number}}; a field "+T" is a struct that Go embeds: in JSON its
fields stand where it would.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

DATA = Path(__file__).parent.parent / "minikube_py" / "api" / "data"
MESSAGE = re.compile(r"^message (\w+) \{$(.*?)^\}$", re.M | re.S)
FIELD = re.compile(r"^  (?:optional |repeated |required )?(map<[^>]+>|[\w.]+) (\w+) = (\d+);", re.M)
PACKAGE = re.compile(r"^package ([\w.]+);", re.M)


def messages(root: Path) -> dict[str, list[tuple[str, str, int]]]:
    """{type: [(field's type, field, number)]} of all .proto files below a folder."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for path in sorted(root.rglob("generated.proto")):
        text = path.read_text()
        package = PACKAGE.search(text)
        assert package is not None, path
        short = ".".join(package[1].split(".")[-2:])
        for name, body in MESSAGE.findall(text):
            found[f"{short}.{name}"] = [
                (
                    type if "." in type or type.islower() or type.startswith("map") else f".{package[1]}.{type}",
                    field,
                    int(number),
                )
                for type, field, number in FIELD.findall(body)
            ]
    return found


def main(api: str, apimachinery: str) -> None:
    known = json.loads((DATA / "types.json").read_text())["types"]
    found = {**messages(Path(api)), **messages(Path(apimachinery) / "pkg" / "apis" / "meta")}
    numbers: dict[str, dict[str, int]] = {}
    waiting = [(name, fields) for name, fields in known.items() if name in found]
    while waiting:
        name, fields = waiting.pop()
        if name in numbers:
            continue
        own = numbers[name] = {}
        spelt = {field.lower(): field for field in fields}
        for type, field, number in found[name]:
            if field.lower() in spelt:  # some have other capitals than in JSON
                own[spelt[field.lower()]] = number
                continue
            embedded = ".".join(type.split(".")[-3:])
            inner = {inner for _, inner, _ in found.get(embedded, ())}
            if inner & set(fields):
                own[f"+{embedded}"] = number
                waiting.append((embedded, fields))
            else:
                print(f"left out: {name}.{field} ({type})", file=sys.stderr)
    text = json.dumps(dict(sorted(numbers.items())), separators=(",", ":"))
    (DATA / "protobuf.json").write_text(text + "\n")
    print(f"{len(numbers)} types, {len(text)} bytes; unknown: {sorted(set(known) - set(numbers))}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
