"""Broken manifests: an answer in words, in time, within memory, and never half a write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.garbage import ground, manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

garbage = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=ground.PIECES,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ground.Ground]:
    found = ground.Ground(tmp_path_factory.mktemp("garbage"))
    yield found
    found.restore()


def apply(place: ground.Ground, dice: Random, obj: object) -> None:
    """Apply a piece; what was refused has left nothing, and what was taken does not stop the cluster."""
    place.fresh()
    raw = manifests.text(dice, obj)
    verb = dice.choice((("apply", "-f", "-"), ("create", "-f", "-"), ("apply", "--validate=false", "-f", "-")))
    result = place.run(*verb, stdin=raw)
    if result.code:
        assert result.err.strip(), raw
        assert result.out or result.revision == place.revision, raw
    if result.revision > place.revision:
        ran = place.run("reconcile", "--for", "60s")
        assert ran.code == 0, (raw, ran.err)
        place.check()
        for words in (("get", "all,pvc,cm,ingress", "-A", "-o", "wide"), ("describe", "all", "-A")):
            assert place.run(*words).code == 0, raw


@garbage
@given(st.randoms(use_true_random=False))
def test_damaged_objects_are_answered_in_words(place: ground.Ground, dice: Random) -> None:
    apply(place, dice, manifests.damaged(dice))


@garbage
@given(st.randoms(use_true_random=False))
def test_objects_made_up_from_the_schemas_are_answered_in_words(place: ground.Ground, dice: Random) -> None:
    apply(place, dice, manifests.made_up(dice))


def test_all_that_was_within_memory(place: ground.Ground) -> None:
    assert place.grown_mebibytes() < ground.MEBIBYTES_MAX
