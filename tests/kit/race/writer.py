"""A process of writers: `python -m tests.kit.race.writer '{"url": …}'`, each with a ledger, all over one appender.

What a writer asks for follows from its name alone, so a successor of a killed one asks for the same events again. It
reads what it expects just before it asks, as a command does, and asks anew when it is refused.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from avow.contracts import envelope
from avow.eventlog import append, appender, reading
from avow.eventlog.batch import Conflict, event_id_of
from avow.eventlog.database import open_database
from avow.eventlog.records import Import, Proposed
from avow.eventlog.statements import versions_of
from avow.kernel.ports import Clock, Ports
from tests.kit.logs import ORG, Log, on_database
from tests.kit.race.marks import Ledger, marked
from tests.kit.race.sabotage import SABOTAGE

T = TypeVar("T")
TRIES = 6
START_WITHIN = 60
OFTEN, LONG = 0.03, 0.03
"""How often a transaction dawdles at each of three places, and for how many seconds."""


class Writer:
    """One caller among several; `lines` are another log's feed."""

    def __init__(self, name: str, log: Log, ledger: Ledger, lines: Sequence[Import]) -> None:
        self._name = name
        self._log = log
        self._ledger = ledger
        self._lines = lines

    async def run(self, deeds: int) -> None:
        """Do so many deeds, of every kind by turns, then import again what was imported."""
        kinds = (self._write, self._follow, self._vote, self._rival, self._repeat, self._turn, self._import)
        for n in range(deeds):
            await kinds[n % len(kinds)](f"{self._name}/{n}", n)
        upto = await self._imported()
        await self._ask(self._lines[:upto])

    async def _write(self, request: str, n: int) -> None:
        """Several events at once, into streams that others write too, expecting nothing."""
        await self._ask(marked(request, [f"own/{self._name}", f"common/{n % 3}"] * 4, {}, self._clock))

    async def _follow(self, request: str, n: int) -> None:
        """Behind what was read of a stream that others follow as well."""
        stream = f"ledger/{n % 2}"
        await self._insist(request, [stream, f"own/{self._name}"], [stream])

    async def _vote(self, request: str, n: int) -> None:
        """Into a stream of its own, while a round stands still that is not written to."""
        await self._insist(request, [f"ballot/{request}"], [f"round/{n % 2}", f"ballot/{request}"])

    async def _rival(self, request: str, n: int) -> None:
        """Two at once who expect the same."""
        expect = await self._versions([stream := f"ledger/{n % 2}"])
        rivals = (marked(f"{request}/{who}", [stream, stream], expect, self._clock) for who in "ab")
        await asyncio.gather(*(self._ask(items, expect) for items in rivals))

    async def _repeat(self, request: str, n: int) -> None:
        """The same three times, twice of them at once."""
        items = marked(request, [f"common/{n % 3}", f"own/{self._name}"] * 2, {}, self._clock)
        await asyncio.gather(self._ask(items), self._ask(items))
        await self._ask(items)

    async def _turn(self, request: str, n: int) -> None:
        """A round moves on."""
        await self._ask(marked(request, [f"round/{n % 2}"], {}, self._clock))

    async def _import(self, request: str, n: int) -> None:
        """The next lines of another log, which everybody imports."""
        upto = await self._imported()
        await self._ask(self._lines[upto : upto + 3])

    async def _insist(self, request: str, streams: Sequence[str], expected: Sequence[str]) -> None:
        for _ in range(TRIES):
            expect = await self._versions(expected)
            if await self._ask(marked(request, streams, expect, self._clock), expect):
                return

    async def _ask(self, items: Sequence[Proposed | Import], expect: Mapping[str, int] | None = None) -> bool:
        try:
            self._ledger.acknowledged(await self._log.appender.append(ORG, items, expect))
        except Exception as error:  # noqa: BLE001 - the verdict is told of every refusal
            self._ledger.refused([event_id_of(item) for item in items], error)
            return not isinstance(error, Conflict)
        return True

    async def _versions(self, streams: Sequence[str]) -> dict[str, int]:
        known = await self._log.database.read(partial(versions_of, org=ORG, streams=streams))
        return {stream: known.get(stream, 0) for stream in streams}

    async def _imported(self) -> int:
        log_id = str(self._lines[0].envelope.log_id)
        return await self._log.database.read(partial(reading.imported_upto, org=ORG, log_id=log_id))

    @property
    def _clock(self) -> Clock:
        return self._log.ports.clock


def dawdle(chance: Random) -> None:
    """Now and then hold a transaction open: before the head is locked, before the events are in, and behind that."""

    def pause(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_sleep({LONG})"))
        else:
            time.sleep(LONG)

    def slowly(work: Callable[..., T], behind: bool) -> Callable[..., T]:
        def slow(connection: Connection, *arguments: Any, **named: Any) -> T:
            if chance.random() < OFTEN:
                # It has read, as a transaction does that is about to write.
                append.read_head(connection, ORG)
                pause(connection)
            done = work(connection, *arguments, **named)
            if behind and chance.random() < OFTEN:
                pause(connection)
            return done

        return slow

    for module, name, behind in ((append, "insert_behind", False), (appender, "write_batch", True)):
        setattr(module, name, slowly(getattr(module, name), behind))


def wait_for_the_start(asked: Mapping[str, Any]) -> None:
    """Say that this process is ready, and wait for the others, however long a busy machine takes to start them."""
    folder = Path(asked["folder"])
    (folder / f"{asked['writers'][0]}.ready").touch()
    deadline = time.monotonic() + START_WITHIN
    while not (folder / "start").exists() and time.monotonic() < deadline:
        time.sleep(0.005)


async def main(asked: Mapping[str, Any]) -> None:
    """Run the writers of a plan to their end."""
    if asked["sabotage"] is not None:
        SABOTAGE[asked["sabotage"]]()
    dawdle(Random(",".join(asked["writers"])))
    folder = Path(asked["folder"])
    lines = [Import(line, envelope.decode(line)) for line in (folder / "feed").read_bytes().splitlines()]
    database = open_database(asked["url"])
    log = on_database(database, asked["url"], Ports(), ())
    writers = [Writer(name, log, Ledger(folder / f"{name}.ledger"), lines) for name in asked["writers"]]
    await asyncio.gather(*(writer.run(asked["deeds"]) for writer in writers))
    await log.appender.settled()
    await database.close()


if __name__ == "__main__":
    plan = json.loads(sys.argv[1])
    wait_for_the_start(plan)
    asyncio.run(main(plan))
