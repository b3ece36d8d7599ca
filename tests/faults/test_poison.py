"""One caller of a full batch brings what cannot be written: the other 255 are served, and it is not dear (I1)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import field_serializer
from sqlalchemy import make_url

from avow.eventlog.appender import BATCH
from avow.eventlog.batch import IdTaken
from avow.eventlog.records import Appended, Context, Proposed
from avow.kernel.message import PrivateEvent
from tests.kit.crowd import Caller, hold_to_account, units
from tests.kit.logs import START, Log, Noted, a_unit, proposed


class Unspeakable(PrivateEvent, type="test.unspeakable"):
    """An event that cannot be put into words."""

    text: str = ""

    @field_serializer("text")
    def _say(self, text: str) -> str:
        raise ZeroDivisionError(text)


class Oversized(PrivateEvent, type="test.oversized"):
    """An event whose schema no database can store as a number."""


Oversized.schema_version = 2**63


def unspeakable(_: Proposed) -> list[Proposed]:
    return [proposed(Unspeakable())]


def oversized(_: Proposed) -> list[Proposed]:
    return [proposed(Oversized())]


def no_utf8(_: Proposed) -> list[Proposed]:
    return [proposed(Noted(text=""), context=Context(START, actor="\ud800"))]


def nul(_: Proposed) -> list[Proposed]:
    return [proposed(Noted(text=""), context=Context(START, actor="a\x00b"))]


def twice_the_same_id(_: Proposed) -> list[Proposed]:
    one = proposed(a_unit(0))
    return [one, proposed(a_unit(0), event_id=one.event_id)]


def an_id_that_stands_in_other_company(taken: Proposed) -> list[Proposed]:
    return [taken, proposed(a_unit(0))]


POISONS = [unspeakable, oversized, no_utf8, nul, twice_the_same_id, an_id_that_stands_in_other_company]


@pytest.mark.parametrize("remembered", [True, False], ids=["head remembered", "head unknown"])
@pytest.mark.parametrize("poison", POISONS)
async def test_everybody_else_in_the_batch_is_served(
    log: Log, monkeypatch: pytest.MonkeyPatch, poison: Callable[[Proposed], list[Proposed]], remembered: bool
) -> None:
    if poison is nul and make_url(log.url).get_backend_name() == "sqlite":
        # SQLite stores it as it is, so there is nothing to refuse.
        assert (await log.append(*nul(units(1, 1)[0])))[0].position == 2
        return
    [taken] = units(999, 999)
    await log.append(taken)
    if remembered:
        for item in units(901, 903):
            await log.append(item)
    before = len(await log.rows())
    writes = 0
    write = log.database.write

    async def counted(work: Any) -> Any:
        nonlocal writes
        writes += 1
        return await write(work)

    monkeypatch.setattr(log.database, "write", counted)
    innocent = units(1, BATCH - 1)
    callers = [[item] for item in innocent]
    callers.insert(100, poison(taken))
    answers = await asyncio.gather(*(log.append(*items) for items in callers), return_exceptions=True)
    refused = answers.pop(100)
    assert isinstance(refused, Exception)
    assert isinstance(refused, IdTaken) == (poison is an_id_that_stands_in_other_company)
    served = [
        Caller(item, answer if isinstance(answer, BaseException) else answer[0])
        for item, answer in zip(innocent, answers, strict=True)
    ]
    assert all(isinstance(caller.answer, Appended) for caller in served)
    await hold_to_account(log, served)
    assert len(await log.rows()) == before + BATCH - 1
    # By halves: two writes at each of eight levels, and the first two.
    assert writes <= 18
    writes = 0
    for item in units(501, 504):
        await log.append(item)
    assert writes <= 4
