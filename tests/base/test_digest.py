"""Hashes of names."""

from __future__ import annotations

import re

from minikube_py.base import digest


def test_fnv1a_gives_its_published_values() -> None:
    assert [digest.fnv1a32(text) for text in (b"", b"a", b"foobar")] == [0x811C9DC5, 0xE40C292C, 0xBF9CF968]


def test_safe_names_have_no_vowels() -> None:
    assert digest.safe_encode("web") == "p2w"
    assert re.fullmatch("[bcdfghjklmnpqrstvwxz2456789]{10}", digest.safe_encode("4294967295"))


def test_equal_templates_have_equal_hashes() -> None:
    assert digest.template_hash({"a": 1, "b": [2]}) == digest.template_hash({"b": [2], "a": 1})
    assert digest.template_hash({"a": 1}) != digest.template_hash({"a": 2})


def test_a_collision_count_changes_the_hash() -> None:
    hashes = {digest.template_hash({"a": 1}, collisions) for collisions in (None, 0, 1, 2)}
    assert len(hashes) == 4
