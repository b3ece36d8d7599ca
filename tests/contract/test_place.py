"""One process publishes at a time: of those who want the place one gets it, and who lost it moves nothing."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import pytest

from avow.bus import place
from avow.eventlog.database import Database, open_database

ORG = "demo"
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
async def database(engine_url: str) -> AsyncIterator[Database]:
    opened = open_database(engine_url)
    await opened.write(place.metadata.create_all)
    yield opened
    await opened.close()


async def seen(database: Database) -> place.Place:
    return await database.write(partial(place.read, org=ORG))


async def test_of_many_who_take_it_at_once_one_gets_it(database: Database) -> None:
    as_seen = await seen(database)
    takes = [
        database.write(partial(place.take, org=ORG, seen=as_seen, holder=UUID(int=number))) for number in range(1, 9)
    ]
    assert sorted(await asyncio.gather(*takes)) == [False] * 7 + [True]


async def test_who_lost_it_moves_nothing(database: Database) -> None:
    assert await database.write(partial(place.take, org=ORG, seen=await seen(database), holder=FIRST))
    assert await database.write(partial(place.keep, org=ORG, holder=FIRST, sequence=5))
    assert await database.write(partial(place.take, org=ORG, seen=await seen(database), holder=SECOND))
    assert not await database.write(partial(place.keep, org=ORG, holder=FIRST, sequence=9))
    assert not await database.write(partial(place.leave, org=ORG, holder=FIRST, sequence=9))
    now = await seen(database)
    assert (now.sequence, now.holder) == (5, SECOND)


async def test_what_was_seen_before_a_sign_of_life_is_not_free_any_more(database: Database) -> None:
    assert await database.write(partial(place.take, org=ORG, seen=await seen(database), holder=FIRST))
    before = await seen(database)
    assert await database.write(partial(place.keep, org=ORG, holder=FIRST, sequence=1))
    assert not await database.write(partial(place.take, org=ORG, seen=before, holder=SECOND))


async def test_who_leaves_frees_it_and_says_how_far_it_is(database: Database) -> None:
    assert await database.write(partial(place.take, org=ORG, seen=await seen(database), holder=FIRST))
    assert await database.write(partial(place.leave, org=ORG, holder=FIRST, sequence=7))
    now = await seen(database)
    assert (now.sequence, now.holder) == (7, None)
