"""A service fetches the keys it lacks, keeps no others, and none that came too late."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping

import httpx
import pytest
from sqlalchemy import Connection, delete, select

from avow.bus.feed_client import FeedClient, FeedUnavailable
from avow.bus.keys import MOST, KeyFetcher
from avow.contracts.organisation import PersonErased
from avow.eventlog.keys import destroy_keys, keys_of
from avow.eventlog.tables import seal_key_copy
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, TYPES, Log, a_log, identity, imports, proposed

SUBJECTS = [f"person/{identity(n)}" for n in range(250)]
KEYS = {subject: subject.encode().ljust(32)[-32:] for subject in SUBJECTS}
UNASKED = f"person/{identity(999)}"


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    async with a_log(engine_url, service="evaluation") as opened:
        yield opened


def a_source(
    keys: Mapping[str, bytes], asked: list[list[str]], instead: Callable[[], httpx.Response] | None = None
) -> FeedClient:
    """A service with these keys, which notes what it was asked for, and gives one that nobody asked for."""

    def answer(request: httpx.Request) -> httpx.Response:
        if instead is not None:
            return instead()
        subjects = request.url.params.get_list("subject")
        asked.append(subjects)
        there = [subject for subject in [*subjects, UNASKED] if subject in keys]
        items = [{"subject": each, "key": base64.b64encode(keys[each]).decode()} for each in there]
        return httpx.Response(200, json={"items": items})

    return FeedClient("http://pledge", "a token", transport=httpx.MockTransport(answer))


def lacking(connection: Connection, org: str, after: str, limit: int) -> list[str]:
    """Of `SUBJECTS` those without a copy."""
    there = set(connection.scalars(select(seal_key_copy.c.subject).where(seal_key_copy.c.org == org)))
    return [subject for subject in SUBJECTS if subject > after and subject not in there][:limit]


async def fetch(log: Log, client: FeedClient) -> int:
    async with client:
        return await KeyFetcher(client, log.database, ORG, lacking, log.grown).fetch()


async def copies(log: Log) -> dict[str, bytes]:
    return await log.database.read(lambda c: keys_of(c, ORG, [*SUBJECTS, UNASKED], seal_key_copy))


class TestFetching:
    async def test_what_is_missing_is_asked_for_in_parts_and_kept(self, log: Log) -> None:
        asked: list[list[str]] = []
        assert await fetch(log, a_source(KEYS, asked)) == 250
        assert [len(part) for part in asked] == [MOST, MOST, 50]
        assert await copies(log) == KEYS
        assert await fetch(log, a_source(KEYS, asked)) == 0
        assert len(asked) == 3

    async def test_keys_the_source_does_not_have_hold_no_others_up(self, log: Log) -> None:
        later = {subject: KEYS[subject] for subject in SUBJECTS[MOST:]}
        assert await fetch(log, a_source(later, [])) == 150
        assert await copies(log) == later

    async def test_a_key_nobody_asked_for_is_not_kept(self, log: Log) -> None:
        await fetch(log, a_source({UNASKED: bytes(32), **KEYS}, []))
        assert UNASKED not in await copies(log)

    async def test_a_key_that_comes_after_the_erasure_is_not_kept(self, log: Log) -> None:
        await log.database.write(lambda c: destroy_keys(c, ORG, SUBJECTS[:1]))
        await fetch(log, a_source(KEYS, []))
        assert await copies(log) == {subject: KEYS[subject] for subject in SUBJECTS[1:]}

    @pytest.mark.parametrize(
        "instead",
        [
            lambda: httpx.Response(503, json={"code": "log.unavailable"}),
            lambda: httpx.Response(200, json={"items": [{"subject": SUBJECTS[0], "key": "no base64!"}]}),
            lambda: httpx.Response(200, text="<html>"),
        ],
        ids=["a problem", "no key", "no answer of ours"],
    )
    async def test_an_answer_that_is_none_keeps_nothing(self, log: Log, instead: Callable[[], httpx.Response]) -> None:
        with pytest.raises(FeedUnavailable):
            await fetch(log, a_source(KEYS, [], instead))
        assert await copies(log) == {}

    async def test_a_key_and_its_erasure_that_come_at_once_leave_no_key(
        self, log: Log, new_engine_url: Callable[[], str]
    ) -> None:
        ports = Ports(SimulatedClock(START), seeded(5))
        async with a_log(new_engine_url(), ports, types=(*TYPES, PersonErased)) as pledge, a_source(KEYS, []) as client:
            for n in range(10):
                gone = PersonErased(person_id=identity(n), requested_by=None, confirmed_by=identity(8))
                await pledge.append(proposed(gone))
            wires = imports(await pledge.envelopes())
            await log.append(wires[0])
            for subject, wire in zip(SUBJECTS, wires[1:], strict=False):
                fetching = KeyFetcher(client, log.database, ORG, lacking, log.grown).fetch()
                await asyncio.gather(fetching, log.append(wire))
                assert subject not in await _held(log)
                await log.database.write(lambda c: c.execute(delete(seal_key_copy)))
        await fetch(log, a_source(KEYS, []))
        assert await _held(log) == set(SUBJECTS[10:])


async def _held(log: Log) -> set[str]:
    """Whose copies stand in the table, usable or not."""
    return set(await log.database.read(lambda c: c.scalars(select(seal_key_copy.c.subject)).all()))
