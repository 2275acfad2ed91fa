"""`server`: one served cluster for the tests of a module, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Served]:
    with serving.served(tmp_path_factory.mktemp("served")) as found:
        yield found
