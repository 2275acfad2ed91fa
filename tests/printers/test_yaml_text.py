"""YAML output, compared with what kubectl 1.37 printed for the same objects (`-o yaml`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api import documents
from minikube_py.printers import yaml_text

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "kubectl_yaml.json").read_text())


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_an_object_is_printed_as_kubectl_prints_it(case: dict[str, Any]) -> None:
    assert yaml_text.dump(case["object"]) == case["yaml"]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_what_is_printed_reads_back(case: dict[str, Any]) -> None:
    (document,) = documents.read_text(yaml_text.dump(case["object"]), "s")
    assert document.object == case["object"]


def test_floats_go_through_json() -> None:
    numbers = [1234567.5, 123456.5, 1e20, 1e21, 1e19, 1e-5, 1.0, -2.5e-7, -0.0, 1.5e300]
    assert yaml_text.dump(numbers).split() == [
        "-", "1.2345675e+06", "-", "123456.5", "-", "1e+20", "-", "1e+21", "-", "10000000000000000000",
        "-", "1e-05", "-", "1", "-", "-2.5e-07", "-", "0", "-", "1.5e+300",
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), [({}, "{}\n"), ([], "[]\n"), (None, "null\n"), ("a", "a\n"), (5, "5\n")])
def test_a_value_alone_is_a_document(value: Any, text: str) -> None:
    assert yaml_text.dump(value) == text
