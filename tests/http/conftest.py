"""`api`: a served cluster of three nodes, settled, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.http.asgi import Api

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as found:
        yield found
