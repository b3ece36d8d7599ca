"""Folding records in memory: events decoded, the rows they name found, the handlers called; no database is asked here.

Promises: a fold sees its event and the rows it names and nothing else, wherever the rows are held: loaded for a page
by the projector, or all at hand in a replay. Both give the same rows (tests/contract/test_replay.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from avow.eventlog.records import Recorded
from avow.eventlog.types import EventTypes, UnknownSchema
from avow.projections.projection import Handler, KeyValue, Projection, Row, ViewTable

Held = Mapping[ViewTable, Mapping[KeyValue, Row]]
"""The rows at hand, by table and key; a mapping may make a row when it is asked for."""
Wanted = dict[ViewTable, dict[KeyValue, None]]
"""The keys of the rows some records name, by table, each once."""


class CannotFold(Exception):
    """An event a projection cannot fold: which projection, which position, and (as the cause) why.

    Where the database refuses the rows of a page, the position is that of the page's first event.
    """

    def __init__(self, projection: str, position: int) -> None:
        super().__init__(f"{projection} cannot fold the event at position {position}")
        self.projection = projection
        self.position = position

    @property
    def reason(self) -> str:
        """The kind of what was raised, and which schema is unknown; never what it says, which may quote a person."""
        cause = self.__cause__ or self
        return str(cause) if isinstance(cause, UnknownSchema) else type(cause).__name__


Step = tuple[Handler, Any, Recorded, list[tuple[str, ViewTable, list[KeyValue], bool]]]
"""A handler, its event and record, and for each parameter the table and keys of its rows, and whether it takes many."""


def steps_of(projection: Projection, types: EventTypes, records: Iterable[Recorded]) -> Iterator[Step]:
    """What there is to do for each record, in their order. Raises CannotFold."""
    handlers = projection.handlers
    for record in records:
        handler = handlers[record.type]
        try:
            event = (handler.reads or types).decode(record)
            if event is None:
                raise UnknownSchema(record.type, record.schema)
            asked = [(name, rows.table, rows.keys(event, record), rows.many) for name, rows in handler.rows.items()]
        except Exception as error:
            raise CannotFold(projection.name, record.position) from error
        yield handler, event, record, asked


def wanted_by(steps: Iterable[Step]) -> Wanted:
    """The rows these steps need."""
    wanted: Wanted = defaultdict(dict)
    for _, _, _, asked in steps:
        for _, view, keys, _ in asked:
            wanted[view].update(dict.fromkeys(keys))
    return wanted


def carry_out(projection: Projection, steps: Iterable[Step], held: Held) -> None:
    """Call the handlers in order, each with its rows. Raises CannotFold."""
    for handler, event, record, asked in steps:
        try:
            rows = {
                name: [held[view][k] for k in keys] if many else held[view][keys[0]] for name, view, keys, many in asked
            }
            handler.fold(projection, event, record, **rows)
        except Exception as error:
            raise CannotFold(projection.name, record.position) from error
