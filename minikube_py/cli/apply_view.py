"""`kubectl apply view-last-applied`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from minikube_py.cli import failures, writing
from minikube_py.cli.create import LAST_APPLIED

if TYPE_CHECKING:
    from minikube_py.cli.call import Call


def run(call: Call) -> None:
    from minikube_py.base.gotext import json_indented
    from minikube_py.printers import yaml_text

    found = writing.chosen(call)
    failures.raise_all(found.errors)
    output = call.text("output") or "yaml"
    if output not in ("yaml", "json"):
        raise call.usage(f"Unexpected -o output mode: {output}, the flag 'output' must be one of yaml|json")
    for item in found.items:
        text = (item.object["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if text is None:
            continue  # kubectl says nothing either
        value = json.loads(text)
        call.say(yaml_text.dump(value) if output == "yaml" else json_indented(value) + "\n")
