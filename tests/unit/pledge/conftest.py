"""The college, on each engine by turns; and a client of the service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.pledge.caller import Caller, a_caller
from tests.unit.pledge.college import College, a_college


@pytest.fixture
async def college(engine_url: str) -> AsyncIterator[College]:
    async with a_college(engine_url) as opened:
        yield opened


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with a_caller(tmp_path) as opened:
        yield opened
