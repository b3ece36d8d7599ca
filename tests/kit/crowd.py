"""Many callers at one log, while something happens to its database, and the account of it afterwards."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from avow.audit.log import verify_log
from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.faults import fault_of
from avow.eventlog.records import Appended, Proposed
from tests.kit.logs import ORG, Log, a_unit, proposed


@dataclass(frozen=True)
class Caller:
    """What one caller asked for, and the answer."""

    asked: Proposed
    answer: Appended | BaseException


def units(first: int, last: int) -> list[Proposed]:
    """Events for that many streams of their own."""
    return [proposed(a_unit(n), f"unit/{n}") for n in range(first, last + 1)]


async def ask(log: Log, items: Sequence[Proposed], within: float = 60) -> list[Caller]:
    """One caller for each event, all at the same time; everybody must be answered."""
    async with asyncio.timeout(within):
        answers = await asyncio.gather(
            *(log.append(item, expect={item.stream: 0}) for item in items), return_exceptions=True
        )
    return [
        Caller(item, answer if isinstance(answer, BaseException) else answer[0])
        for item, answer in zip(items, answers, strict=True)
    ]


async def hold_to_account(log: Log, callers: Sequence[Caller]) -> None:
    """What was acknowledged stands once and where it was said to, what was refused does not; the chain holds."""
    stands: dict[object, list[int]] = {}
    for row in await log.rows():
        stands.setdefault(row.event_id, []).append(cast("int", row.position))
    for caller in callers:
        found = stands.get(caller.asked.event_id, [])
        if isinstance(caller.answer, Appended):
            assert found == [caller.answer.position]
        elif isinstance(caller.answer, OutcomeUnknown):
            assert len(found) <= 1
        else:
            assert fault_of(caller.answer), repr(caller.answer)
            assert found == []
    verdict = await log.database.read(partial(verify_log, org=ORG))
    assert verdict.ok, verdict.findings


async def ask_again(log: Log, callers: Sequence[Caller]) -> list[Caller]:
    """Whoever got no good answer asks once more for the same events."""
    return await ask(log, [caller.asked for caller in callers if not isinstance(caller.answer, Appended)])
