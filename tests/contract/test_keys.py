"""A service fetches the keys it lacks, keeps no others, and none that came too late."""

import base64
from collections.abc import AsyncIterator, Callable, Mapping

import httpx
import pytest
from sqlalchemy import Connection, select

from avow.bus.feed_client import FeedClient, FeedUnavailable
from avow.bus.keys import MOST, KeyFetcher
from avow.eventlog.keys import destroy_keys, keys_of
from avow.eventlog.tables import seal_key_copy
from tests.kit.logs import ORG, Log, a_log, identity

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
