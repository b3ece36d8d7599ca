"""A projection with every kind of row and column, a history for it, and a log copied from one database to another."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random

from sqlalchemy import Connection, Table, insert, select

from avow.contracts.organisation import MemberEnrolled, MemberLeft, PersonRegistered, UnitRegistered
from avow.eventlog import reading
from avow.eventlog.database import Database
from avow.eventlog.records import Recorded
from avow.eventlog.tables import event, log_head
from avow.kernel.message import Event, PrivateEvent
from avow.projections.checksum import checksum
from avow.projections.projection import (
    Projection,
    Row,
    day,
    document,
    exact,
    flag,
    key,
    moment,
    moment_key,
    number,
    on,
    sealed,
    table,
    text,
)
from avow.projections.projector import create_views, position_of, project
from tests.kit.logs import ORG, START, TYPES, Log, a_person, a_unit, enrolled, identity, left

units = table(
    "sample_unit",
    key("unit_id"),
    text("name"),
    number("members", 0),
    number("inspected", 0),
    exact("share"),
    flag("open", True),
    day("founded_on"),
    document("history"),
)
people = table("sample_person", key("person_id"), sealed("name"), moment("since"), number("memberships", 0))
memberships = table(
    "sample_membership", key("person_id"), key("unit_id"), moment_key("since"), moment("until"), text("standing")
)
names = table("sample_name", key("name"), number("units", 0))


class UnitsInspected(PrivateEvent, type="units.inspected"):
    """Several units at once, one perhaps twice."""

    unit_ids: tuple[str, ...]


SAMPLE_TYPES: tuple[type[Event], ...] = (*TYPES, UnitsInspected)


class Sample(Projection):
    """Units with their members, people, and memberships as intervals."""

    name, version, tables = "sample", 1, (units, people, memberships, names)

    @on(UnitRegistered, unit=units.at("unit_id"), name=names.at("name"))
    def registered(self, event: UnitRegistered, recorded: Recorded, unit: Row, name: Row) -> None:
        unit.update(name=event.name, founded_on=recorded.occurred_at.date(), history=[recorded.version])
        name["units"] += 1

    @on(PersonRegistered, person=people.at("person_id"))
    def known(self, event: PersonRegistered, recorded: Recorded, person: Row) -> None:
        person.update(name=event.name, since=recorded.occurred_at)

    @on(
        MemberEnrolled,
        unit=units.at("unit_id"),
        person=people.at("person_id"),
        held=memberships.at("person_id", "unit_id", "since"),
    )
    def enrolled(self, event: MemberEnrolled, recorded: Recorded, unit: Row, person: Row, held: Row) -> None:
        held.update(standing=event.standing)
        if unit.exists:
            unit["members"] += 1
            unit["share"] = Decimal(unit["members"]) / 8
            unit["history"] = [*unit["history"], {"in": event.person_id}]
        if person.exists:
            person["memberships"] += 1

    @on(MemberLeft, held=memberships.at("person_id", "unit_id", "since"), unit=units.at("unit_id"))
    def ended(self, event: MemberLeft, recorded: Recorded, held: Row, unit: Row) -> None:
        held["until"] = event.until
        if unit.exists and unit["members"]:
            unit["members"] -= 1
            unit["open"] = unit["members"] > 0

    @on(UnitsInspected, seen=units.each(lambda event, recorded: [(unit_id,) for unit_id in event.unit_ids]))
    def inspected(self, event: UnitsInspected, recorded: Recorded, seen: list[Row]) -> None:
        for unit in seen:
            if unit.exists:
                unit["inspected"] += 1


class Rebuilt(Sample):
    """The same fold beside the live one."""

    version = 2


def a_history(seed: int, events: int) -> list[Event]:
    """A random but repeatable past, in which some things are said of what was never registered."""
    chance = Random(seed)
    past: list[Event] = []
    for n in range(events):
        unit, person = chance.randrange(6), chance.randrange(100, 112)
        since = START + timedelta(days=chance.randrange(5))
        label = chance.choice(["z", "Z", "é", "支部", "\U0001f600", "a b"])
        past.append(
            chance.choice(
                [
                    a_unit(unit, label),
                    a_person(person, f"蓝听雨{n}"),
                    enrolled(person, unit, since),
                    left(person, unit, since + timedelta(hours=chance.randrange(1, 9)), since),
                    UnitsInspected(unit_ids=tuple(identity(chance.randrange(8)) for _ in range(chance.randrange(5)))),
                ]
            )
        )
    return past


async def catch_up(log: Log, projection: Projection, limit: int = reading.PAGE, org: str = ORG) -> int:
    """Project to the end of the log in pages of `limit`; the position reached."""

    def take(connection: Connection) -> bool:
        return project(connection, org, projection, log.types, limit)

    while await log.database.write(take):
        pass
    return await log.database.read(lambda c: position_of(c, org, projection)) or 0


async def content(log: Log, projection: Projection, org: str = ORG) -> str:
    """The checksum of what the projection holds."""
    return await log.database.read(lambda connection: checksum(connection, org, projection))


async def prepare(log: Log, *projections: Projection) -> None:
    """Create the tables of projections."""
    await log.database.write(lambda connection: create_views(connection, projections))


async def copy_log(source: Database, target: Database) -> None:
    """Write every row of one log into another, empty one, on whatever engine."""
    for stored in (event, log_head):
        await target.write(partial(_put, stored, await source.read(partial(_all, stored))))


def _all(stored: Table, connection: Connection) -> list[dict[str, object]]:
    return [row._asdict() for row in connection.execute(select(stored))]


def _put(stored: Table, rows: list[dict[str, object]], connection: Connection) -> None:
    connection.execute(insert(stored), rows)
