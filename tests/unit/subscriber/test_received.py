"""Events come typed where their type is known, and raw where it is not."""

import logging
from uuid import UUID

import pytest
from msgspec.structs import replace

from avow.contracts.envelope import Envelope
from avow.contracts.organisation import UnitRegistered
from avow.contracts.pledge import PledgeMade
from avow.kernel.message import PublicEvent
from avow.subscriber import EventUnreadable, Raw, Start
from avow.subscriber.received import Types
from tests.kit.logs import START, a_unit

UNIT = a_unit(1)
ENVELOPE = Envelope(
    org="demo",
    service="pledge",
    log_id=UUID(int=1),
    sequence=3,
    stream="unit/1",
    version=1,
    event_id=UUID(int=2),
    type=UNIT.type,
    schema=1,
    occurred_at=START,
    recorded_at=START,
    campaign=None,
    actor=None,
    on_behalf_of=None,
    correlation_id=None,
    causation_id=None,
    traceparent=None,
    late_reason=None,
    data=UNIT.model_dump_json().encode(),
    sealed=None,
    salt=bytes(16),
    leaf=bytes(32),
    format=1,
)


class Sung(PublicEvent, type="song.sung", schema=2, upcasters={1: lambda fields: {"song": fields["title"]}}):
    """An event of somebody's own."""

    song: str


def test_a_known_type_comes_as_its_class_with_its_place() -> None:
    received = Types().read(ENVELOPE)
    assert received.event == UNIT
    assert isinstance(received.event, UnitRegistered)
    assert (received.sequence, received.type) == (3, "unit.registered")
    assert (received.place.log, received.place.sequence, received.place.leaf) == (("demo", "pledge"), 3, bytes(32))


def test_an_older_schema_of_a_class_of_ones_own_comes_as_it_is_now() -> None:
    sung = replace(ENVELOPE, type="song.sung", schema=1, data=b'{"title":"a"}')
    assert Types([Sung]).read(sung).event == Sung(song="a")
    assert Types().read(sung).event == Raw("song.sung", 1, {"title": "a"}, None, newer=False)


def test_a_newer_schema_comes_raw_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    types = Types()
    newer = replace(ENVELOPE, schema=2, data=b'{"x":1}', sealed=b'{"y":{}}')
    with caplog.at_level(logging.WARNING):
        events = [types.read(newer).event for _ in range(3)]
    assert events == [Raw("unit.registered", 2, {"x": 1}, {"y": {}}, newer=True)] * 3
    assert len([record for record in caplog.records if "newer than this avow package" in record.message]) == 1


def test_a_sound_event_that_does_not_fit_its_contract_is_named() -> None:
    with pytest.raises(EventUnreadable, match=r"event 3 of demo at pledge does not fit unit\.registered\.v1"):
        Types().read(replace(ENVELOPE, data=b'{"name":1}'))


def test_types_are_asked_for_by_class_or_by_name() -> None:
    types = Types([PledgeMade, "meeting.held", "pledge.made"])
    assert types.names == ("pledge.made", "meeting.held")
    assert not types.wants(ENVELOPE)
    assert Types().wants(ENVELOPE)
    with pytest.raises(ValueError, match="no type"):
        Types([])


def test_a_start_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        Start.at(0)
    with pytest.raises(ValueError, match="time zone"):
        Start.since(START.replace(tzinfo=None))
