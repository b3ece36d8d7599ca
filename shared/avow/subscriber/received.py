"""What a subscriber is handed: an event, typed where its type is known, with everything that travelled with it.

Promises: an older schema of a known type comes as the type is now; a type that is not known, or known only in older
schemas, comes as Raw, and a newer schema is said to be one (tests/unit/subscriber/test_received.py).
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from avow.contracts.catalogue import every_public_event
from avow.contracts.decoding import Decoder, decoder
from avow.contracts.envelope import Envelope
from avow.kernel.message import Event
from avow.subscriber.place import LogKey, Place
from avow.subscriber.problem import EventUnreadable

log = logging.getLogger("avow.subscriber")

Wanted = type[Event] | str
"""A type of event, by its class or by its wire name."""


@dataclass(frozen=True)
class Raw:
    """An event this package has no class for: its data as JSON. `newer` says that it knows older schemas of it."""

    type: str
    schema: int
    data: Mapping[str, Any]
    sealed: Mapping[str, Any] | None
    newer: bool


@dataclass(frozen=True)
class Received:
    """An event: `event` for the program, `envelope` for who, when and where."""

    event: Event | Raw
    envelope: Envelope

    @property
    def sequence(self) -> int:
        """Its place among the public events of its log."""
        return self.envelope.sequence

    @property
    def type(self) -> str:
        """Its wire name, such as `pledge.made`."""
        return self.envelope.type

    @property
    def place(self) -> Place:
        """Where the subscriber is once this event is handled."""
        envelope = self.envelope
        return Place(envelope.org, envelope.service, envelope.log_id, envelope.sequence, envelope.leaf)


class Types:
    """The types that are wanted, and how each is read; without any, all there are."""

    def __init__(self, wanted: Iterable[Wanted] | None = None) -> None:
        chosen = None if wanted is None else tuple(wanted)
        self.names = None if chosen is None else tuple(dict.fromkeys(map(name_of, chosen)))
        """The wire names; None where every type is wanted."""
        if self.names == ():
            raise ValueError("no type of event is wanted")
        own = () if chosen is None else (each for each in chosen if not isinstance(each, str))
        self._classes = {each.type: each for each in (*every_public_event(), *own)}
        self._decoders: dict[tuple[str, int], Decoder] = {}
        self._told: set[tuple[str, int]] = set()

    def wants(self, envelope: Envelope) -> bool:
        """Whether the event is of a type that is wanted."""
        return self.names is None or envelope.type in self.names

    def read(self, envelope: Envelope) -> Received:
        """The event of an envelope whose leaf holds; raises EventUnreadable."""
        known = self._classes.get(envelope.type)
        try:
            if known is None or envelope.schema > known.schema_version:
                return Received(self._raw(envelope, newer=known is not None), envelope)
            key = (envelope.type, envelope.schema)
            read = self._decoders.get(key) or self._decoders.setdefault(key, decoder(known, envelope.schema))
            return Received(read(envelope.data, envelope.sealed), envelope)
        except (ValueError, LookupError, TypeError) as error:
            kind = f"{envelope.type}.v{envelope.schema}"
            raise EventUnreadable(LogKey(envelope.org, envelope.service), envelope.sequence, kind) from error

    def _raw(self, envelope: Envelope, newer: bool) -> Raw:
        key = (envelope.type, envelope.schema)
        if newer and key not in self._told:
            self._told.add(key)
            log.warning("%s comes in schema %d, newer than this avow package; it is handed on raw", *key)
        sealed = None if envelope.sealed is None else json.loads(envelope.sealed)
        return Raw(envelope.type, envelope.schema, json.loads(envelope.data), sealed, newer)


def name_of(wanted: Wanted) -> str:
    """The wire name of a type."""
    return wanted if isinstance(wanted, str) else wanted.type
