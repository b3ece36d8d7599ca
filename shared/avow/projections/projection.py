"""How a projection is written: its tables, and one handler an event.

    wall = table("pledge_wall", key("pledge_id"), text("unit_id"))

    class PledgeWall(Projection):
        name, version, tables = "pledge_wall", 1, (wall,)

        @on(PledgeMade, row=wall.at("pledge_id"))
        def made(self, event, recorded, row): row["unit_id"] = event.unit_id

Promises: a handler sees its event and the rows it names and nothing else (no clock, no query, no opened seal), so the
same log gives the same rows for ever. Rows are found by keys computed from the event, so a page's rows are loaded at
once and written back in bulk.
"""

import json
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar, TypeVar

from sqlalchemy import Boolean, Column, Date, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator

from avow.eventlog.columns import Count, ExactNumber, Instant, Name
from avow.eventlog.records import Recorded
from avow.eventlog.types import EventTypes, with_fields
from avow.kernel.message import Event
from avow.kernel.seal import Seal

KeyValue = tuple[Any, ...]
KeysOf = Callable[[Any, Recorded], list[KeyValue]]
H = TypeVar("H", bound=Callable[..., None])
_CONTAINERS = (dict, list, tuple)


class Canonical(TypeDecorator[Any]):
    """A JSON value as one canonical text: sorted keys, no spaces."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: object) -> str | None:
        return value if value is None or isinstance(value, Document) else canonical(value)

    def process_result_value(self, value: Any, dialect: object) -> Any:
        return None if value is None else json.loads(value)


class Sealed(TypeDecorator[Seal]):
    """A seal, kept closed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Seal | None, dialect: object) -> str | None:
        return None if value is None else canonical(value.model_dump(mode="json"))

    def process_result_value(self, value: Any, dialect: object) -> Seal | None:
        return None if value is None else Seal.model_validate_json(value)


def canonical(value: object) -> str:
    """The one JSON text of a value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Document(str):
    """The canonical text of a JSON value, as a row keeps it: parsed only for a fold that asks."""

    __slots__ = ()


@dataclass(frozen=True)
class Field:
    """A column of a projection's table."""

    name: str
    type: Any
    is_key: bool = False
    default: Any = None


def key(name: str) -> Field:
    """A text column of the primary key."""
    return Field(name, Name, is_key=True)


def moment_key(name: str) -> Field:
    """A moment of the primary key: where an interval begins."""
    return Field(name, Instant, is_key=True)


def text(name: str) -> Field:
    return Field(name, Name)


def number(name: str, default: int | None = None) -> Field:
    return Field(name, Count, default=default)


def exact(name: str) -> Field:
    return Field(name, ExactNumber)


def moment(name: str) -> Field:
    return Field(name, Instant)


def day(name: str) -> Field:
    return Field(name, Date)


def flag(name: str, default: bool = False) -> Field:
    return Field(name, Boolean, default=default)


def document(name: str) -> Field:
    """A JSON value."""
    return Field(name, Canonical)


def sealed(name: str) -> Field:
    """A seal, opened only by who reads."""
    return Field(name, Sealed)


@dataclass(frozen=True)
class Index:
    """Columns, behind the organisation, by which rows are found fast; exact numbers in the order of their size."""

    names: tuple[str, ...]


def index(*names: str) -> Index:
    """An index of each build that is begun from now on."""
    return Index(names)


@dataclass(frozen=True)
class Rows:
    """Which rows of a table a handler gets: one, or a list where `many`."""

    table: "ViewTable"
    keys: KeysOf
    many: bool


class ViewTable:
    """A table of a projection; `org` is always the first column of its key."""

    def __init__(self, name: str, *parts: Field | Index) -> None:
        self.name = name
        self.fields = tuple(part for part in parts if isinstance(part, Field))
        self.indexes = tuple(part.names for part in parts if isinstance(part, Index))
        self.keys = tuple(field.name for field in self.fields if field.is_key)
        self._made: dict[str, Table] = {}

    def at(self, *names: str | Callable[[Any, Recorded], object]) -> Rows:
        """The row whose key is these attributes of the event, or what these functions of (event, recorded) give."""

        attributes = [name for name in names if isinstance(name, str)]
        get = attrgetter(*attributes or ("type",))

        def by_attribute(event: Any, recorded: Recorded) -> list[KeyValue]:
            return [(get(event),)]

        def by_attributes(event: Any, recorded: Recorded) -> list[KeyValue]:
            return [get(event)]

        def by_functions(event: Any, recorded: Recorded) -> list[KeyValue]:
            return [tuple(getattr(event, n) if isinstance(n, str) else n(event, recorded) for n in names)]

        if len(attributes) < len(names):
            return Rows(self, by_functions, many=False)
        return Rows(self, by_attribute if len(names) == 1 else by_attributes, many=False)

    def each(self, keys: KeysOf) -> Rows:
        """The rows with the keys a function of (event, recorded) lists; one listed twice is given twice."""
        return Rows(self, keys, many=True)

    def sql(self, version: int) -> Table:
        """What readers of a projection's version read, such as `pledge_wall_v1`: the SQL view of its live build."""
        return self._table(f"{self.name}_v{version}")

    def stored(self, version: int, build: int) -> Table:
        """The table that holds the rows of one build, such as `pledge_wall_v1_b3`."""
        return self._table(f"{self.name}_v{version}_b{build}")

    def _table(self, name: str) -> Table:
        if name not in self._made:
            columns = [Column(f.name, f.type, primary_key=f.is_key, nullable=not f.is_key) for f in self.fields]
            org: Column[str] = Column("org", Name, primary_key=True)
            self._made[name] = Table(name, MetaData(), org, *columns)
        return self._made[name]

    @cached_property
    def defaults(self) -> dict[str, Any]:
        return {field.name: field.default for field in self.fields}


table = ViewTable


class Row(MutableMapping[str, Any]):
    """A row in the fold's hands; it `exists` once somebody wrote to it, and one nobody writes to is not stored."""

    __slots__ = ("_values", "changed", "exists")

    def __init__(self, values: dict[str, Any], exists: bool) -> None:
        self._values = values
        self.exists = exists
        self.changed = False

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        # A document is handed out and taken in as a copy, so that where a page ends makes no difference to a fold.
        if isinstance(value, Document):
            return json.loads(value)
        return json.loads(canonical(value)) if isinstance(value, _CONTAINERS) else value

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._values:
            raise KeyError(name)
        self._values[name] = Document(canonical(value)) if isinstance(value, _CONTAINERS) else value
        self.exists = self.changed = True

    def update(self, *others: Any, **values: Any) -> None:
        """Set several columns at once; as the mapping's own, without its detours."""
        for name, value in (dict(*others, **values) if others else values).items():
            self[name] = value

    @property
    def kept(self) -> dict[str, Any]:
        """The values as they are kept, documents as their texts."""
        return self._values

    def __delitem__(self, name: str) -> None:
        raise TypeError("a column is set to None, never removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True)
class Handler:
    """One event's handler and the rows it asks for, by the names of its parameters."""

    event_type: type[Event]
    rows: dict[str, Rows]
    fold: Callable[..., None]
    fields: tuple[str, ...]

    @cached_property
    def reads(self) -> EventTypes | None:
        """How its events are read where it names the fields it needs."""
        return EventTypes([with_fields(self.event_type, *self.fields)]) if self.fields else None


def on(event_type: type[Event], *, fields: tuple[str, ...] = (), **rows: Rows) -> Callable[[H], H]:
    """Marks a method as the handler of an event type, with the rows it gets.

    One that names the `fields` it needs gets an event with these alone, which is read faster.
    """

    def mark(method: H) -> H:
        method.__dict__.setdefault("handles", []).append((event_type, rows, fields))
        return method

    return mark


class Projection:
    """A read model: a name, a version, tables of its own and a deterministic fold."""

    name: ClassVar[str]
    version: ClassVar[int]
    tables: ClassVar[tuple[ViewTable, ...]]
    handlers: ClassVar[dict[str, Handler]]

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls.handlers = {}
        methods = {name: method for base in reversed(cls.__mro__) for name, method in vars(base).items()}
        for method in methods.values():
            for event_type, rows, fields in getattr(method, "handles", ()):
                if event_type.type in cls.handlers:
                    raise ValueError(f"{cls.__name__} handles {event_type.type} twice")
                cls.handlers[event_type.type] = Handler(event_type, rows, method, fields)

    @property
    def event_types(self) -> tuple[str, ...]:
        """The only types read from the log for this projection."""
        return tuple(self.handlers)
