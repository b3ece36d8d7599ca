"""Bugs, each planted into one part: the simulation is only worth something if it finds them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import structs
from sqlalchemy import Connection, update

from avow.bus import place
from avow.bus.inbox import Inbox, Read
from avow.bus.queue import Deliveries
from avow.bus.relay import Relay
from avow.bus.taken import Taken
from avow.contracts.envelope import Envelope, encode
from avow.eventlog import reading
from avow.eventlog.execute import Executor, Origin, Outcome
from avow.eventlog.records import Import
from avow.projections.builds import checkpoint, standing
from avow.projections.projector import project
from avow.projections.runner import Runner
from tests.kit.logs import ORG
from tests.simulation.books import SIDES
from tests.simulation.process import Parts
from tests.simulation.weather import Weather, rough

if TYPE_CHECKING:
    from tests.simulation.pair import Pair


class LeavesItToOthers(Relay):
    """Publishes nothing, and takes it that somebody has."""

    async def _forward(self, publishing: Any, flying: Any) -> None:
        while True:
            head, _ = await self._database.read(partial(self._news, after=0))
            self._note(head=head, confirmed=head)
            self._enter("publishing")
            await self._keep()
            await asyncio.sleep(1.0)


def dual_write(pair: "Pair") -> None:
    """Publish right after a commit what it wrote, and remember nothing of it."""
    for side in SIDES:
        pair.stores[side].written = _publishing(pair, side, pair.stores[side].written)


def _publishing(pair: "Pair", side: str, before: Callable[[], None]) -> Callable[[], None]:
    given = 0

    def publish(events: Sequence[Envelope]) -> None:
        if pair.broker.down or not pair.servers(side):
            return
        for event in events:
            pair.broker.store(side, encode(event), event.sequence)
            pair.broker.confirmed[side].add(event.sequence)

    def written() -> None:
        nonlocal given
        before()
        events = pair.stores[side].read(lambda c: reading.envelopes(c, ORG, given, 2**53, None, 100))
        if events:
            given = events[-1].sequence
            pair.world.loop.call_later(0.005, publish, events)

    return written


class MarksFirst(Relay):
    """Moves the checkpoint over what was sent, confirmed or not."""

    async def _idle(self, flying: Any, seen: int) -> None:
        while flying:
            self._note(confirmed=flying.popleft().sequence)
        await super()._idle(flying, seen)


class InTwoTransactions(Runner):
    """Writes a view's rows in one transaction, and how far it is in the next."""

    async def advance(self) -> None:
        for projection in self.projections:
            while await self._step(projection):
                pass
        self._moved.raise_()

    async def _step(self, projection: Any) -> bool:
        of_it = checkpoint.c.org == ORG, checkpoint.c.projection == projection.name

        def rows(connection: Connection) -> tuple[bool, int | None]:
            before = standing(connection, ORG, projection, lock=True)
            more = project(connection, ORG, projection, self._types)
            after = standing(connection, ORG, projection)
            if before is not None and after is not None and before != after:
                connection.execute(update(checkpoint).where(*of_it).values(position=before[1]))
                return more, after[1]
            return more, None

        more, position = await self._database.write(rows)
        if position is not None:
            move = update(checkpoint).where(*of_it).values(position=position)
            await self._database.write(lambda connection: connection.execute(move).rowcount)
        return more


class TakesAnything(Inbox):
    """Appends what comes, as it comes."""

    async def take_in(self, read: Sequence[Read]) -> Taken:
        refused, reached = {}, 0
        for at, item in enumerate(read):
            if isinstance(item, str):
                refused[at] = item
                continue
            wire = item.envelope
            reached = await self._database.read(partial(_upto, log_id=wire.log_id))
            known = await self.copy(wire.log_id, wire.sequence)
            event_id = wire.event_id if known is None else self._appender._ports.new_id()
            numbered = structs.replace(wire, sequence=reached + 1, event_id=event_id)
            await self._appender.append(self.org, [Import(item.line, numbered)])
            reached += 1
        return Taken(imported=len(read) - len(refused), reached=reached, refused=refused)


def _upto(connection: Connection, log_id: UUID) -> int:
    return reading.imported_upto(connection, ORG, str(log_id))


class ThrowsGarbageAway(Deliveries):
    """Acknowledges what is no event, and keeps it nowhere."""

    async def settle(self, taken: Taken) -> None:
        await super().settle(replace(taken, refused={}))


class ForgetsKeys(Executor):
    """Takes a retried command for a new one."""

    async def execute(self, decider: Any, identity: str, command: Any, ground: Any, origin: Origin, *_: Any) -> Outcome:
        return await super().execute(decider, identity, command, ground, replace(origin, retry_key=None))


class AcknowledgesFirst(Deliveries):
    """Acknowledges what it offers, before anything is committed."""

    async def take(self, at_most: float) -> list[bytes] | None:
        lines = await super().take(at_most)
        for delivery in self._offered:
            with suppress(Exception):
                await delivery.ack()
        return lines


class AcknowledgesUpTo(Deliveries):
    """Acknowledges the last that was committed, and with it all delivered before, held or not."""

    async def settle(self, taken: Taken) -> None:
        offered: Sequence[Any] = self._offered
        done = [each for at, each in enumerate(offered) if at not in taken.ahead]
        if done:
            with suppress(Exception):
                await done[-1].ack(multiple=True)
        await super().settle(taken)


class KeepsItsPlace(Relay):
    """Goes on publishing when its place is another's."""

    async def _keep(self) -> None:
        work = partial(place.keep, org=self._org, holder=self._me, sequence=self.status.confirmed)
        await self._database.write(work)


class PassesOverFailures(Relay):
    """Takes an event that the broker refused, or did not confirm, for one that no queue wants."""

    async def _land(self, flying: Any) -> None:
        first = flying.popleft()
        with suppress(Exception):
            await first.task
        self._note(confirmed=first.sequence)


def _undisturbed(weather: Weather) -> Weather:
    """Nothing fails at the broker, where every broken connection would put right what went wrong before."""
    return replace(
        weather, by_queue=True, crash_after=0.0, restart_after=0.0, outage_after=0.0, cut=0.0, unconfirmed=0.0,
        refused=0.0, slow=0.0,
    )  # fmt: skip


def breaking_off(weather: Weather) -> Weather:
    """Many a write is broken off, and nobody knows what became of it."""
    return replace(_undisturbed(weather), processes=1, storm=40.0, away_after=20.0, doubt=0.25)


def refusing(weather: Weather) -> Weather:
    """The broker refuses much, and holds much that is no event."""
    return replace(rough(weather), refused=0.2, garbage=0.3)


def stopping(weather: Weather) -> Weather:
    """Two processes of each service, of which now and then one is stopped for long."""
    return replace(_undisturbed(weather), processes=2, stop_after=15.0, storm=80.0, away_after=0.0, doubt=0.0)


@dataclass(frozen=True)
class Bug:
    """A planted bug, and what it can be seen in: the weather, and how much is asked meanwhile."""

    parts: Parts
    weather: Callable[[Weather], Weather] = rough
    commands: int = 20


BUGS = {
    "dual write": Bug(Parts(relay=LeavesItToOthers, prepare=dual_write)),
    "marked before published": Bug(Parts(relay=MarksFirst)),
    "two transactions": Bug(Parts(runner=InTwoTransactions), breaking_off, commands=30),
    "no dedup of what is delivered": Bug(Parts(inbox=TakesAnything)),
    "no dedup of what is asked": Bug(Parts(executor=ForgetsKeys)),
    "acknowledged before the commit": Bug(Parts(deliveries=AcknowledgesFirst)),
    "acknowledged together with what is held": Bug(Parts(deliveries=AcknowledgesUpTo)),
    "garbage kept nowhere": Bug(Parts(deliveries=ThrowsGarbageAway), refusing),
    "passed over when refused": Bug(Parts(relay=PassesOverFailures), refusing),
    "keeps a place it has lost": Bug(Parts(relay=KeepsItsPlace), stopping),
}
