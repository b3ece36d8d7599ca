"""What the fault tests share: short patience, a wire that can fail, and the log's own proof that it is unharmed."""

from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from avow.eventlog.database import Patience
from tests.kit.logs import Log, a_log
from tests.kit.proxy import Proxy

HASTY = Patience(connect=1, lock=0.5, answer=1.5, idle=2)
"""The same waits as in earnest, each of them shorter."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What a failing service logs is not painted: that takes longer than any of the waits."""
    with capture_logs():
        yield


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A fresh log, on each engine by turns."""
    async with a_log(engine_url, patience=HASTY) as opened:
        yield opened


@pytest.fixture
async def wire(postgres_url: str) -> AsyncIterator[Proxy]:
    """A wire to a fresh PostgreSQL database."""
    async with Proxy(postgres_url) as opened:
        yield opened


@pytest.fixture
async def far(wire: Proxy) -> AsyncIterator[Log]:
    """A log at the other end of the wire."""
    async with a_log(wire.url, patience=HASTY) as opened:
        yield opened
