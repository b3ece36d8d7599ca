"""Erasure: which events destroy a key, and that they do.

Promises: an event that destroys a key and the destruction are one transaction, for a service's own events and for
imported ones (tests/contract/test_erasure.py); what the log says was erased is erased again at every start, so a
restored table of keys undoes nothing. Dead letters that name whoever is erased lose what they held in the same
transaction (tests/contract/test_dead_letters.py).
"""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError
from sqlalchemy import Connection, select

from avow.contracts.catalogue import PUBLIC_EVENTS
from avow.contracts.envelope import decode
from avow.eventlog.dead_letters import forget
from avow.eventlog.keys import destroy_keys
from avow.eventlog.records import IMPORT, Import, Proposed
from avow.eventlog.tables import event, log_head
from avow.kernel.message import Event, PublicEvent
from avow.kernel.seal import destroyed_keys

_SAID_BY = {
    (service, said.type): said for service, events in PUBLIC_EVENTS.items() for said in events if destroyed_keys(said)
}
"""The public events that destroy a key, each by the service whose word on it is taken."""
_TYPES = tuple({event_type for _, event_type in _SAID_BY})


def erased_by(item: Proposed | Import) -> list[str]:
    """The key subjects an item erases as it enters the log.

    Of an imported event the schema is not asked, so that a later one still erases whom it names; one that names nobody
    stops the projections that read it.
    """
    if isinstance(item, Proposed):
        return _subjects(item.event)
    said = _SAID_BY.get((item.envelope.service, item.envelope.type))
    return [] if said is None else _read(said, item.envelope.data)


def erase(connection: Connection, org: str, items: Iterable[Proposed | Import]) -> None:
    """Destroy the keys that items destroy, in the transaction that writes them."""
    _erase(connection, org, [subject for item in items for subject in erased_by(item)])


def erasures(connection: Connection) -> Iterator[tuple[str, str]]:
    """Organisation and key subject of everything that the logs here say was erased, imported events included."""
    said_here = select(event.c.stream, event.c.type, event.c.data).where(event.c.type.in_(_TYPES))
    for org, own in connection.execute(select(log_head.c.org, log_head.c.service)).all():
        for stream, event_type, data in connection.execute(said_here.where(event.c.org == org)):
            wire = decode(data) if stream.startswith(IMPORT) else None
            said = _SAID_BY.get((wire.service if wire else own, event_type))
            if said is not None:
                yield from ((org, subject) for subject in _read(said, wire.data if wire else data))


def erase_again(connection: Connection) -> None:
    """Destroy every key that a log here says was destroyed, before anybody opens a seal with it."""
    found: dict[str, list[str]] = {}
    for org, subject in erasures(connection):
        found.setdefault(org, []).append(subject)
    for org, subjects in found.items():
        _erase(connection, org, subjects)


def _erase(connection: Connection, org: str, subjects: Sequence[str]) -> None:
    destroy_keys(connection, org, subjects)
    forget(connection, org, subjects)


def _read(said: type[PublicEvent], data: bytes) -> list[str]:
    try:
        return _subjects(said.model_validate_json(data))
    except ValidationError:
        return []


def _subjects(said: Event) -> list[str]:
    return [mark.subject(said) for mark in destroyed_keys(type(said))]
