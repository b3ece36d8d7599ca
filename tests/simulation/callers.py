"""Callers: each asks one command after another, asks again until it has an answer, and keeps account of what it was
told. Some ask twice at once, some again after the answer, some give up."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from avow.contracts.organisation import UnitRegistered
from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.execute import Origin
from avow.eventlog.faults import fault_of
from avow.eventlog.records import Appended, Context, Proposed
from avow.kernel.refusal import Refusal
from tests.kit.logs import ORG, Noted, a_person, a_unit
from tests.simulation.books import Say, ground, speaker
from tests.simulation.feed import Unreachable
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.pair import Pair

Ask = Callable[[Process], Awaitable[list[Appended]]]
"""Asks one command of a process."""
NAMES = UUID(int=0xA)
PATIENCE = 30.0
PASSING = ("log.conflict", "position.not_reached")
"""Refusals after which one may ask again."""
FIRST_PERSON = 1000


@dataclass
class Account:
    """What the callers of one service were told."""

    told: dict[UUID, Appended] = field(default_factory=dict)
    """Where each event of an answered command stands."""
    asked: set[str] = field(default_factory=set)
    """What was asked to be written, word for word: none of it may be in the log twice."""


class Caller:
    """Asks `count` commands of one service."""

    def __init__(self, pair: "Pair", side: str, number: int, count: int, account: Account) -> None:
        self.name = f"{side}-caller-{number}"
        self._pair, self._side, self._count, self._account = pair, side, count, account
        self._chance: Random = pair.world.chance(self.name)

    async def run(self) -> None:
        """Ask them all."""
        pace = self._pair.weather.storm / self._count / 1.5
        for n in range(self._count):
            await asyncio.sleep(self._chance.expovariate(1 / pace))
            if self._chance.random() < 0.6:
                command = Say(text=f"{self.name}.{n}", aloud=self._chance.randrange(3), noted=True)
                who, guarded = f"{self._chance.randrange(4)}", self._chance.random() < 0.7
                await self._insist(partial(self._say, command=command, who=who, guarded=guarded))
            else:
                await self._insist(partial(self._append, items=self._items(n)))

    async def _insist(self, ask: Ask) -> None:
        gives_up = self._chance.random() < 0.05
        first: list[Appended] | None = None
        again = self._chance.random() < 0.15
        while True:
            if first is None and self._chance.random() < 0.1:
                answers = list(await asyncio.gather(self._once(ask), self._once(ask)))
            else:
                answers = [await self._once(ask)]
            for answer in answers:
                if answer is None:
                    continue
                if first is not None and first != answer:
                    self._pair.world.fail(f"{self.name} was told {first}, then {answer}")
                first = answer
                self._account.told.update((row.event_id, row) for row in answer)
            if first is not None and not again:
                return
            if first is None and gives_up:
                return
            again = again and first is None
            await asyncio.sleep(self._chance.uniform(0.1, 3.0))

    async def _once(self, ask: Ask) -> list[Appended] | None:
        up = [process for process in self._pair.processes[self._side] if process.running]
        if not up:
            return None
        process = self._chance.choice(up)
        assert process.server is not None
        try:
            answer = await process.server.ask(lambda: ask(process), PATIENCE)
        except (Unreachable, OutcomeUnknown):
            return None
        except Refusal as refusal:
            if refusal.code not in PASSING:
                self._pair.world.fail(f"{self.name} was refused: {refusal.code}")
            return None
        except Exception as error:  # noqa: BLE001 - what is no failure of the database is one of ours
            if fault_of(error) is None:
                self._pair.world.fail(f"{self.name} met {error!r}")
            return None
        if self._pair.weather.strikes(self._chance, self._pair.weather.answer):
            self._pair.world.seen["answer lost"] += 1
            return None
        self._pair.world.note(self.name, f"is told {[row.position for row in answer]}")
        return answer

    async def _say(self, process: Process, command: Say, who: str, guarded: bool) -> list[Appended]:
        assert process.service is not None
        self._account.asked.add(f"{command.text}.noted")
        self._account.asked.update(f"{command.text}.{n}" for n in range(command.aloud))
        origin = Origin(ORG, route="say", retry_key=command.text, fingerprint=uuid5(NAMES, command.text))
        outcome = await process.service.executor.execute(speaker, who, command, ground(guarded), origin)
        return list(outcome.events)

    async def _append(self, process: Process, items: list[Proposed]) -> list[Appended]:
        assert process.service is not None
        return await process.service.appender.append(ORG, items, {items[0].stream: 0})

    def _items(self, n: int) -> list[Proposed]:
        """Several events of one new stream, with ids of their own."""
        words = [f"{self.name}.{n}.{k}" for k in range(self._chance.randint(1, 4))]
        self._account.asked.update(words)
        context = Context(self._pair.now())
        number = FIRST_PERSON + self._chance.getrandbits(40)
        items = [Proposed(f"pile/{self.name}.{n}", uuid5(NAMES, word), self._event(word), context) for word in words]
        if self._chance.random() < 0.4:
            person = a_person(number, "钟若岚")
            items.append(Proposed(items[0].stream, uuid5(NAMES, f"{words[0]} person"), person, context))
        return items

    def _event(self, word: str) -> Noted | UnitRegistered:
        return Noted(text=word) if self._chance.random() < 0.3 else a_unit(self._chance.randrange(20), word)
