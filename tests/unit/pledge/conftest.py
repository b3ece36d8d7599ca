"""The college, on each engine by turns."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.pledge.college import College, a_college


@pytest.fixture
async def college(engine_url: str) -> AsyncIterator[College]:
    async with a_college(engine_url) as opened:
        yield opened
