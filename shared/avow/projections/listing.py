"""Lists: what a view answers page by page, filtered and sorted, declared once.

    LEDGER = Listed("ledger", (DedicatedLedger.name,), LedgerEntry, select(sql), keys=("round_id", "subject_id"),
                    order="position", sorts=("category", "recognition"), shown=_shown)

Promises: under every sort the pages together hold each row once, in one order, the same on both engines
(tests/property/test_listing.py). A row that changes while somebody pages is found where it stands then. The filters are
the fields of the `wanted` dataclass a list is asked with: one that is None does not matter.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, TypeAdapter
from pydantic_core import to_jsonable_python
from sqlalchemy import BigInteger, Boolean, ColumnElement, Connection, Date, RowMapping, Select, String

from avow.contracts.values import Exact
from avow.eventlog.columns import ExactNumber, Instant
from avow.projections.cursor import read_cursor, write_cursor
from avow.projections.ordering import Term, behind, ordered, terms_of

W = TypeVar("W")
Filter = TypeVar("Filter", contravariant=True)
T = TypeVar("T", bound=BaseModel)
Conditions = Callable[[Any, W], Iterable[ColumnElement[bool]]]
_WHOLE = Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
_TEXT = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_KINDS: tuple[tuple[Any, TypeAdapter[Any]], ...] = (
    (Instant, TypeAdapter(AwareDatetime)),
    (ExactNumber, TypeAdapter(Exact)),
    (Date, TypeAdapter(date)),
    (Boolean, TypeAdapter(bool)),
    (BigInteger, TypeAdapter(_WHOLE)),
    (String, TypeAdapter(_TEXT)),
)


@dataclass(frozen=True)
class Asked:
    """Which page of a list: sorted how, behind which cursor, with how many entries at most."""

    sort: str | None = None
    after: str | None = None
    limit: int = 100


FIRST = Asked()


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page, and the cursor of the one behind it; none behind the last."""

    items: list[T]
    next: str | None


class AnyList(Protocol[Filter, T]):
    """A list as a route knows it."""

    @property
    def name(self) -> str: ...
    @property
    def projections(self) -> tuple[str, ...]: ...
    @property
    def entry(self) -> type[T]: ...
    @property
    def order(self) -> str: ...
    @property
    def sortable(self) -> tuple[str, ...]: ...
    def page(
        self, connection: Connection, org: str, wanted: Filter, now: datetime, asked: Asked = FIRST
    ) -> Page[T]: ...


def equals(columns: Any, wanted: Any) -> list[ColumnElement[bool]]:
    """Every field of `wanted` that is not None, as the value of the column of its name."""
    return [columns[name] == value for name, value in vars(wanted).items() if value is not None]


@dataclass(frozen=True)
class Listed(Generic[W, T]):
    """A list of a view's rows; `keys` and the organisation name one row."""

    name: str
    projections: tuple[str, ...]
    entry: type[T]
    query: Select[Any]
    keys: tuple[str, ...]
    order: str
    sorts: tuple[str, ...]
    shown: Callable[[Connection, str, Sequence[RowMapping], datetime], list[T]]
    conditions: Conditions[W] = equals

    @property
    def sortable(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.sorts, *self.keys)))

    def page(self, connection: Connection, org: str, wanted: W, now: datetime, asked: Asked = FIRST) -> Page[T]:
        """A page of the rows wanted. Raises Refusal: `list.sort_unknown`, `list.cursor_foreign`."""
        columns, dialect = self.query.selected_columns, connection.dialect.name
        terms = terms_of(asked.sort or self.order, self.sorts, self.keys)
        about = about_list(self.name, org, terms, wanted)
        query = self.query.where(columns["org"] == org, *self.conditions(columns, wanted))
        if asked.after is not None:
            values = read_cursor(about, asked.after, [kind_of(columns[term.name]) for term in terms])
            query = query.where(behind(columns, terms, values, dialect))
        query = query.order_by(*ordered(columns, terms, dialect)).limit(asked.limit + 1)
        rows = connection.execute(query).mappings().all()
        more, rows = len(rows) > asked.limit, rows[: asked.limit]
        last = write_cursor(about, [rows[-1][term.name] for term in terms]) if more else None
        return Page(self.shown(connection, org, rows, now), last)


@dataclass(frozen=True)
class Computed(Generic[W, T]):
    """A list that is computed whole at each reading, of which there is never much; `keys` name one entry."""

    name: str
    projections: tuple[str, ...]
    entry: type[T]
    keys: tuple[str, ...]
    order: str
    sorts: tuple[str, ...]
    entries: Callable[[Connection, str, W, datetime], Iterable[T]]

    @property
    def sortable(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.sorts, *self.keys)))

    def page(self, connection: Connection, org: str, wanted: W, now: datetime, asked: Asked = FIRST) -> Page[T]:
        """The same as of a view's rows."""
        terms = terms_of(asked.sort or self.order, self.sorts, self.keys)
        about = about_list(self.name, org, terms, wanted)
        found = list(self.entries(connection, org, wanted, now))
        for term in reversed(terms):
            there = [entry for entry in found if getattr(entry, term.name) is not None]
            there.sort(key=lambda entry: getattr(entry, term.name), reverse=term.falling)
            found = there + [entry for entry in found if getattr(entry, term.name) is None]
        start = 0
        if asked.after is not None:
            fields = self.entry.model_fields
            kinds = [TypeAdapter[Any](fields[term.name].annotation or object) for term in terms]
            values = read_cursor(about, asked.after, kinds)
            start = next((n for n, entry in enumerate(found) if _is_behind(entry, terms, values)), len(found))
        items = found[start : start + asked.limit]
        more = start + asked.limit < len(found)
        last = write_cursor(about, [getattr(items[-1], term.name) for term in terms]) if more else None
        return Page(items, last)


def about_list(name: str, org: str, terms: Sequence[Term], wanted: object) -> str:
    """All that a cursor is bound to."""
    return json.dumps([name, org, [[t.name, t.falling] for t in terms], to_jsonable_python(vars(wanted))])


def kind_of(column: ColumnElement[Any]) -> TypeAdapter[Any]:
    """How a cursor reads a value of a column; a StopIteration for one that cannot be sorted by."""
    return next(kind for type_, kind in _KINDS if isinstance(column.type, type_))


def _is_behind(entry: object, terms: Sequence[Term], values: Sequence[Any]) -> bool:
    for term, value in zip(terms, values, strict=True):
        mine = getattr(entry, term.name)
        if mine == value:
            continue
        if mine is None or value is None:
            return mine is None
        return bool(mine < value if term.falling else mine > value)
    return False
