"""What the contract tests share: a log on each engine by turns."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.logs import Log, a_log


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A fresh log with one book, that of `demo`."""
    async with a_log(engine_url) as opened:
        yield opened
