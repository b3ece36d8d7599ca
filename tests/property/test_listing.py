"""Whatever a list is sorted by, its pages hold every row once, in the order of all rows, the same on both engines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping, Select, delete, insert, literal_column, select

from avow.contracts.values import Exact
from avow.eventlog.database import Database, open_database
from avow.projections.listing import Asked, Computed, Listed, Page
from avow.projections.ordering import number_key, number_key_sql
from avow.projections.projection import day, exact, flag, key, moment, number, table, text
from tests.kit.logs import ORG, START

things = table(
    "thing", key("thing_id"), text("word"), number("count"), exact("size"), moment("at"), day("on"), flag("kept")
)
SQL = things.sql(1)
COLUMNS = ("word", "count", "size", "at", "on", "kept")


class Thing(BaseModel):
    """A row of every kind of column."""

    model_config = ConfigDict(frozen=True)

    thing_id: str
    word: str | None
    count: int | None
    size: Exact | None
    at: datetime | None
    on: date | None
    kept: bool | None


@dataclass(frozen=True)
class Wanted:
    """Any thing, or those of a word."""

    word: str | None = None


def shown(connection: Connection, org: str, rows: Sequence[RowMapping], now: datetime) -> list[Thing]:
    return [Thing.model_validate(dict(row)) for row in rows]


THINGS: Listed[Wanted, Thing] = Listed(
    "things", ("things",), Thing, select(SQL), ("thing_id",), "thing_id", COLUMNS, shown
)
EXACT = st.decimals(-(10**12) + 1, 10**12 - 1, allow_nan=False, allow_infinity=False, places=9) | st.sampled_from(
    [Decimal(word) for word in ("0", "0.000", "-0.5", "9", "9.5", "9.50", "10", "10.0", "-10", "-9.99", "100", "-0")]
)
WORDS = st.sampled_from(["", "甲", "乙", "Z", "a", "é", "z_", "z z", "-1"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "word": st.none() | WORDS,
            "count": st.none() | st.integers(-(2**53), 2**53) | st.integers(-2, 2),
            "size": st.none() | EXACT,
            "at": st.none() | st.integers(-3, 3).map(lambda n: START + timedelta(microseconds=n)),
            "on": st.none() | st.integers(-3, 3).map(lambda n: date(2010, 6, 1) + timedelta(days=n)),
            "kept": st.none() | st.booleans(),
        }
    ),
    max_size=14,
)
NOTHING: dict[str, Any] = dict.fromkeys(COLUMNS)
SORTS = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=3, unique=True).flatmap(
    lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names)).map(",".join)
)


def plainly_sorted(rows: Sequence[dict[str, Any]], sort: str) -> list[str]:
    """The identities in the order asked for, what is null last: Python's own sorting, term by term."""
    found = sorted(rows, key=lambda row: row["thing_id"])
    for term in reversed(sort.split(",")):
        name = term.removeprefix("-")
        there = [row for row in found if row[name] is not None]
        there.sort(key=lambda row: order_of(row[name]), reverse=term.startswith("-"))
        found = there + [row for row in found if row[name] is None]
    return [row["thing_id"] for row in found]


def order_of(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


async def fill(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    def write(connection: Connection) -> None:
        SQL.create(connection, checkfirst=True)
        connection.execute(delete(SQL))
        for row in rows:
            connection.execute(insert(SQL), {"org": ORG, **row})
            connection.execute(insert(SQL), {"org": "another", **row})

    await database.write(write)


async def paged(database: Database, wanted: Wanted, sort: str, limit: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        asked = Asked(sort, after, limit)
        page: Page[Thing] = await database.read(partial(THINGS.page, org=ORG, wanted=wanted, now=START, asked=asked))
        found += [thing.thing_id for thing in page.items]
        if page.next is None:
            return found
        assert len(page.items) == limit
        after = page.next


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, sort=SORTS, limit=st.integers(1, 5), word=st.none() | WORDS)
@example(rows=[NOTHING | {"kept": kept} for kept in (None, True, False)], sort="kept", limit=1, word=None)
@example(rows=[NOTHING | {"size": Decimal(n)} for n in (10, 9, -1, -20)], sort="-size", limit=1, word=None)
def test_pages_hold_every_row_once_in_the_order_of_all(
    engine_url: str, rows: list[dict[str, Any]], sort: str, limit: int, word: str | None
) -> None:
    for number_, row in enumerate(rows):
        row["thing_id"] = f"{number_ * 7 % 16:02}"

    async def check() -> None:
        database = open_database(engine_url)
        try:
            await fill(database, rows)
            wanted = [row for row in rows if word in (None, row["word"])]
            assert await paged(database, Wanted(word), sort, limit) == plainly_sorted(wanted, sort)
        finally:
            await database.close()

    asyncio.run(check())


@given(rows=ROWS, sort=SORTS, limit=st.integers(1, 5))
def test_a_computed_list_is_paged_alike(rows: list[dict[str, Any]], sort: str, limit: int) -> None:
    for number_, row in enumerate(rows):
        row["thing_id"] = f"{number_ * 7 % 16:02}"
    computed: Computed[Wanted, Thing] = Computed(
        "things", (), Thing, ("thing_id",), "thing_id", COLUMNS, lambda *_: [Thing.model_validate(row) for row in rows]
    )
    found: list[str] = []
    after, more = None, True
    while more:
        page = computed.page(None, ORG, Wanted(), START, Asked(sort, after, limit))  # type: ignore[arg-type]
        found += [thing.thing_id for thing in page.items]
        after, more = page.next, page.next is not None
    assert found == plainly_sorted(rows, sort)


@given(st.lists(EXACT, min_size=2, max_size=8))
def test_the_text_of_a_number_sorts_as_the_number(values: list[Decimal]) -> None:
    assert sorted(values) == sorted(values, key=number_key)
    assert [number_key(a) == number_key(b) for a in values for b in values] == [a == b for a in values for b in values]


async def test_sqlite_makes_the_same_text() -> None:
    database = open_database("sqlite://")
    values = [
        Decimal(word) for word in ("0", "-0", "0.0", "7", "7.50", "123456789012.000000001", "-3.1", "-12", "-0.09")
    ]
    try:
        await database.write(SQL.create)
        rows = [{"org": ORG, "thing_id": str(n), "size": value} for n, value in enumerate(values)]
        await database.write(lambda connection: connection.execute(insert(SQL), rows))
        made: Select[Any] = select(literal_column(number_key_sql("size"))).select_from(SQL).order_by(SQL.c.thing_id)
        assert await database.write(lambda c: list(c.scalars(made))) == [number_key(value) for value in values]
    finally:
        await database.close()
