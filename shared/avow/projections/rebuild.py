"""Rebuilding: a new build beside the live one while people work, compared with it, then switched to in one transaction.

Promises: until the switch readers and writers know nothing of it; whenever it is killed, the live build is untouched
and it can be run again; the build that was live is kept, and `roll_back` goes back to it (tests/contract/
test_rebuild.py). It writes in short transactions, and on SQLite lets others write for as long as it wrote itself.
Limit: who rebuilds last wins; one that was overtaken says `Superseded`.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import structlog
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError

from avow.eventlog import reading
from avow.eventlog.append import read_head
from avow.eventlog.database import Database, alone
from avow.eventlog.faults import Fault, fault_of
from avow.eventlog.types import EventTypes
from avow.projections.builds import (
    State,
    begin,
    builds_of,
    checkpoint,
    create_views,
    drop,
    go_live,
    hold,
    live_build,
    missing_tables,
    standing,
)
from avow.projections.checksum import Content, contents
from avow.projections.folding import CannotFold
from avow.projections.projection import Projection
from avow.projections.projector import project

PAGES = {"sqlite": 1000, "postgresql": 10_000}
"""Events a transaction: on SQLite nobody else writes meanwhile."""
LONGEST_PAUSE = 0.1
PATIENCE = 20
"""How often a live build that moves on is caught up with before it is held still, and a busy switch is tried."""
Told = Callable[[str, int, int], None]
"""Hears how far the build is: the organisation, the position reached, and the end of the log."""

log = structlog.get_logger(__name__)


class Superseded(Exception):
    """Somebody else began a rebuild of the same projection, or switched, meanwhile."""


class NothingKept(Exception):
    """There is no earlier build of this version to go back to."""


class Missing(Exception):
    """The live tables are gone, so that one organisation alone cannot be rebuilt beside the others."""


@dataclass(frozen=True)
class Difference:
    """A table whose content is not what the live build has at the same position; none where that table is gone."""

    org: str
    table: str
    position: int
    live: Content | None
    rebuilt: Content


@dataclass(frozen=True)
class Rebuilt:
    """The build that is live now, how far it is in each organisation, and what differed from the one before."""

    projection: str
    version: int
    build: int
    before: int | None
    positions: dict[str, int]
    compared: dict[str, int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()


async def rebuild(
    database: Database,
    projection: Projection,
    types: EventTypes,
    only: str | None = None,
    told: Told = lambda *_: None,
) -> Rebuilt:
    """Fold every organisation's rows anew, or one's beside what the others have; compare, and switch.

    Raises CannotFold, Superseded, and Missing.
    """

    def prepare(connection: Connection) -> tuple[int | None, int, list[str]]:
        create_views(connection, [projection])
        live = live_build(connection, projection)
        if only is not None and live is not None and missing_tables(connection, projection, live):
            raise Missing(projection.name)
        orgs = [org for org in reading.organisations(connection) if only in (None, org)]
        return live, begin(connection, projection), orgs

    live, build, orgs = await database.write(prepare)
    work = _Work(database, projection, types, build, State.BUILDING, told)
    compared: dict[str, int] = {}
    differences: list[Difference] = []
    try:
        for org in orgs:
            if live is not None and (found := await work.compare(org, live)) is not None:
                compared[org] = found[0]
                differences += found[1]
            await work.catch_up(org)
    except CannotFold:
        await database.write(partial(_discard, projection=projection, build=build))
        raise
    positions = await work.switch(orgs)
    return Rebuilt(projection.name, projection.version, build, live, positions, compared, tuple(differences))


async def roll_back(
    database: Database, projection: Projection, types: EventTypes, told: Told = lambda *_: None
) -> Rebuilt:
    """Bring the build that was kept up to date, and switch back to it. Raises CannotFold, Superseded, NothingKept."""

    def prepare(connection: Connection) -> tuple[int | None, list[int], list[str]]:
        kept = [
            one.build
            for one in builds_of(connection, projection)
            if one.state is State.KEPT and one.version == projection.version
        ]
        return live_build(connection, projection), kept, reading.organisations(connection)

    live, kept, orgs = await database.read(prepare)
    if not kept:
        raise NothingKept(projection.name)
    work = _Work(database, projection, types, kept[-1], State.KEPT, told)
    for org in orgs:
        await work.catch_up(org)
    return Rebuilt(projection.name, projection.version, kept[-1], live, await work.switch(orgs))


async def bring_up(database: Database, projection: Projection, types: EventTypes) -> None:
    """Fold a version this release brings, beside the one before it, and switch; as far as it comes, if it cannot go on.

    Several processes that start at once do it together.
    """
    begun = perf_counter()
    log.info("projection.building", projection=projection.name, version=projection.version)
    while await database.read(partial(live_build, projection=projection)) is None:
        build = await database.write(partial(begin, projection=projection, resume=True))
        orgs = await database.read(reading.organisations)
        work = _Work(database, projection, types, build, State.BUILDING, lambda *_: None)
        try:
            try:
                for org in orgs:
                    await work.catch_up(org)
            except CannotFold as error:
                # What was raised may quote a person.
                why = {"position": error.position, "reason": error.reason}
                log.error("projection.stopped", projection=projection.name, **why)  # noqa: TRY400
                orgs = []
            await work.switch(orgs)
        except Superseded:
            continue
    seconds = round(perf_counter() - begun, 1)
    log.info("projection.live", projection=projection.name, version=projection.version, seconds=seconds)


@dataclass(frozen=True)
class _Work:
    """A build on its way."""

    database: Database
    projection: Projection
    types: EventTypes
    build: int
    state: State
    told: Told

    async def catch_up(self, org: str, upto: int | None = None) -> None:
        """Take the build to the end of the log, or to a position, in short transactions."""
        limit = PAGES[self.database.dialect]

        def take(connection: Connection) -> tuple[bool, int]:
            self._require(connection)
            more = project(connection, org, self.projection, self.types, limit, self.build, upto)
            return more, self._position(connection, org)

        last = await self.database.read(lambda connection: _end(connection, org))
        more = True
        while more:
            begun = perf_counter()
            more, position = await self.database.write(take)
            self.told(org, position, max(last, position))
            if self.database.dialect == "sqlite":
                await asyncio.sleep(min(perf_counter() - begun, LONGEST_PAUSE))

    async def compare(self, org: str, live: int) -> tuple[int, list[Difference]] | None:
        """Position and differences of the two builds where both stand; None where the live one holds nothing."""
        for _ in range(PATIENCE):
            at = await self.database.read(partial(standing, org=org, projection=self.projection, build=live))
            if at is None:
                return None
            await self.catch_up(org, at[1])
            found = await self.database.read(partial(self._compare, org, live))
            if found is not None:
                return found
        # It never stood still long enough: hold it.
        return await self.database.write(partial(self._compare_held, org, live))

    async def switch(self, orgs: Sequence[str]) -> dict[str, int]:
        """Go live; the position in each organisation then."""
        for attempt in range(PATIENCE):
            try:
                return await self.database.write(partial(self._switch, orgs))
            except DBAPIError as error:
                # Somebody is reading the view and does not come to an end.
                if fault_of(error) is not Fault.BUSY or attempt == PATIENCE - 1:
                    raise
        raise AssertionError

    def _compare(self, org: str, live: int, connection: Connection) -> tuple[int, list[Difference]] | None:
        at = standing(connection, org, self.projection, live)
        position = self._position(connection, org)
        if at is None or at[1] != position:
            return None
        rebuilt = contents(connection, org, self.projection, self.build)
        gone = missing_tables(connection, self.projection, live)
        there = {} if gone else contents(connection, org, self.projection, live)
        differences = [
            Difference(org, name, position, there.get(name), content)
            for name, content in rebuilt.items()
            if there.get(name) != content
        ]
        return position, differences

    def _compare_held(self, org: str, live: int, connection: Connection) -> tuple[int, list[Difference]] | None:
        at = standing(connection, org, self.projection, live, lock=True)
        assert at is not None
        while project(connection, org, self.projection, self.types, None, self.build, at[1]):
            continue
        return self._compare(org, live, connection)

    def _switch(self, orgs: Sequence[str], connection: Connection) -> dict[str, int]:
        # In the order in which a rebuild begins, so that neither waits for the other for ever.
        alone(connection)
        self._require(connection)
        live = live_build(connection, self.projection)
        for org in reading.organisations(connection) if live is not None else ():
            at = standing(connection, org, self.projection, live, lock=True)
            if at is not None and org not in orgs:
                self._take_over(connection, org, at[0], at[1])
            while at is not None and self._position(connection, org) < at[1]:
                project(connection, org, self.projection, self.types, None, self.build)
        go_live(connection, self.projection, self.build)
        return {org: self._position(connection, org) for org in orgs}

    def _take_over(self, connection: Connection, org: str, live: int, position: int) -> None:
        """Copy the rows of an organisation that is not rebuilt."""
        for view in self.projection.tables:
            old, new = (view.stored(self.projection.version, build) for build in (live, self.build))
            connection.execute(insert(new).from_select(list(new.c.keys()), select(old).where(old.c.org == org)))
        row = {"org": org, "projection": self.projection.name, "build": self.build, "position": position}
        connection.execute(insert(checkpoint).values(row))

    def _position(self, connection: Connection, org: str) -> int:
        at = standing(connection, org, self.projection, self.build)
        return 0 if at is None else at[1]

    def _require(self, connection: Connection) -> None:
        if hold(connection, self.projection, self.build) is not self.state:
            raise Superseded(self.projection.name)


def _discard(connection: Connection, projection: Projection, build: int) -> None:
    for one in builds_of(connection, projection):
        if one.build == build and one.state is State.BUILDING:
            drop(connection, projection, one)


def _end(connection: Connection, org: str) -> int:
    head = read_head(connection, org)
    return 0 if head is None else head.position
