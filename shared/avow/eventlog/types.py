"""The event types a service knows, and how what stands in a log becomes one of them.

Promises: a type has one class, the current one, and an older schema of it is brought up by its upcasters, seals closed
(tests/unit/eventlog/test_types.py, tests/contract/test_old_log.py). What is unknown, or newer than this program, is
carried along undecoded; whoever asks for that very type is told, and never handed a log with a hole in it.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import create_model

from avow.contracts.decoding import Decoder, decoder
from avow.eventlog.records import Recorded
from avow.kernel.message import Event
from avow.kernel.refusal import Refusal

E = TypeVar("E", bound=Event)


class UnknownSchema(Refusal):
    """An event whose type is asked for stands in a schema this program does not know: it is older than its log."""

    def __init__(self, type: str, schema: int) -> None:
        super().__init__("log.schema_unknown", type=type, schema=schema)

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.params['type']}.v{self.params['schema']}"


class EventTypes:
    """Decodes records into the current class of their type; two classes of one name are a ValueError."""

    def __init__(self, types: Iterable[type[Event]]) -> None:
        self._decoders: dict[tuple[str, int], Decoder] = {}
        current: dict[str, type[Event]] = {}
        for event_type in types:
            if current.setdefault(event_type.type, event_type) is not event_type:
                raise ValueError(f"two event types are called {event_type.type}")
        for name, event_type in current.items():
            for schema in range(1, event_type.schema_version + 1):
                self._decoders[name, schema] = decoder(event_type, schema)

    def decoder_for(self, type: str, schema: int) -> Decoder | None:
        """What makes events of this type and schema; None where they are unknown."""
        return self._decoders.get((type, schema))

    def decode(self, record: Recorded) -> Event | None:
        """The event a record holds, its sealed fields as seals, or None where its type or its schema is unknown.

        What a later version of the contract added is passed over, in the values inside an event too.
        """
        read = self._decoders.get((record.type, record.schema))
        return None if read is None else read(record.data, record.sealed)

    def decode_as(self, wanted: tuple[type[E], ...], records: Iterable[Recorded]) -> Iterator[E]:
        """The events of these types among the records, in their order; raises UnknownSchema."""
        names = {event_type.type for event_type in wanted}
        for record in records:
            event = self.decode(record)
            if isinstance(event, wanted):
                yield event
            elif event is None and record.type in names:
                raise UnknownSchema(record.type, record.schema)


def with_fields(event_type: type[E], *names: str) -> type[Event]:
    """The event type with these of its fields alone, which is read faster; an unknown one is a KeyError."""
    known = event_type.model_fields
    fields: dict[str, Any] = {name: (known[name].annotation, known[name]) for name in names}
    schema = event_type.schema_version
    told = {"type": event_type.type, "schema": schema, "upcasters": dict(enumerate(event_type.upcasters, 1))}
    narrow: type[Event] = create_model(event_type.__name__, __base__=Event, __cls_kwargs__=told, **fields)
    return narrow
