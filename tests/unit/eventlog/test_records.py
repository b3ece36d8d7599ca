"""Events go into the log as compact JSON and come out as what they were, whatever was added to their type since."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import pytest

from avow.contracts.review import FormRow
from avow.contracts.values import Label
from avow.eventlog.records import EventTypes, Recorded, plain_fields
from avow.kernel.message import Line, PrivateEvent, PublicEvent
from avow.kernel.seal import Seal, SealedUnder
from tests.kit.logs import START, Noted, a_person, a_unit, identity

RECORD = Recorded(
    org="demo",
    position=9,
    sequence=None,
    stream="note/4f0c",
    version=1,
    event_id=UUID(int=1),
    type="note.noted",
    schema=1,
    occurred_at=START,
    recorded_at=START,
    campaign=None,
    actor=None,
    on_behalf_of=None,
    correlation_id=None,
    causation_id=None,
    data=b'{"text":"a"}',
    sealed=None,
)


class Asked(PublicEvent, type="form.asked"):
    """An event with a value inside a value."""

    rows: tuple[FormRow, ...]


class Praised(PublicEvent, type="person.praised"):
    """An event with a value and a seal."""

    label: Label
    name: Annotated[Line | Seal, SealedUnder("person/1")]


def test_an_event_is_read_by_its_name_and_schema() -> None:
    types = EventTypes([Noted])
    assert types.decode(RECORD) == Noted(text="a")
    assert types.decode(replace(RECORD, schema=2)) is None
    assert types.decode(replace(RECORD, type="note.lost")) is None


def test_two_types_of_one_name_and_schema_are_refused() -> None:
    class Impostor(PrivateEvent, type="note.noted"):
        pass

    with pytest.raises(ValueError, match=r"note\.noted"):
        EventTypes([Noted, Impostor])
    EventTypes([Noted, Noted])


def test_two_schemas_of_one_name_are_two_types() -> None:
    class NotedAnew(PrivateEvent, type="note.noted", schema=2):
        words: str

    types = EventTypes([Noted, NotedAnew])
    assert types.decode(replace(RECORD, schema=2, data=b'{"words":"b"}')) == NotedAnew(words="b")


def test_data_that_does_not_fit_its_type_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(ValueError, match="text"):
        EventTypes([Noted]).decode(replace(RECORD, data=b"{}"))


def test_what_a_later_contract_added_is_passed_over_at_every_depth() -> None:
    data = b'{"rows":[{"key":"a","label":{"zh":"x","en":"y","fr":"z"},"hint":"new"}],"shown":true}'
    record = replace(RECORD, type="form.asked", data=data)
    assert EventTypes([Asked]).decode(record) == Asked(rows=(FormRow(key="a", label=Label(zh="x", en="y")),))


def test_what_was_added_beside_a_seal_is_passed_over_too() -> None:
    seal = Seal(subject="person/1", event_id=UUID(int=1), field="name", nonce=bytes(12), ciphertext=b"x")
    record = replace(
        RECORD,
        type="person.praised",
        data=b'{"label":{"zh":"x","en":"y","fr":"z"},"born":1980}',
        sealed=f'{{"name":{seal.model_dump_json()},"portrait":{{}}}}'.encode(),
    )
    assert EventTypes([Praised]).decode(record) == Praised(label=Label(zh="x", en="y"), name=seal)


def test_only_the_types_wanted_are_read_and_in_their_order() -> None:
    types = EventTypes([Noted, Asked])
    records = [
        replace(RECORD, data=b'{"text":"1"}'),
        replace(RECORD, type="form.asked", data=b'{"rows":[]}'),
        replace(RECORD, type="note.lost"),
        replace(RECORD, data=b'{"text":"2"}'),
    ]
    assert list(types.decode_as((Noted,), records)) == [Noted(text="1"), Noted(text="2")]
    assert len(list(types.decode_as((Noted, Asked), records))) == 3


def test_data_is_compact_in_declared_order_and_lacks_what_is_sealed() -> None:
    unit = a_unit(1, "教工支部")
    assert plain_fields(unit, {}).startswith(b'{"unit_id":"')
    assert "教工支部".encode() in plain_fields(unit, {})
    assert b", " not in plain_fields(unit, {})
    person = a_person(1)
    assert plain_fields(person, {"name": "person/1"}) == f'{{"person_id":"{identity(1)}"}}'.encode()
    assert b'"name"' in plain_fields(person, {})
    # Only what the type itself marks can be left out.
    assert plain_fields(unit, {"name": "person/1"}) == plain_fields(unit, {})


def test_a_records_identity_is_what_follows_its_category() -> None:
    assert RECORD.identity == "4f0c"
    assert replace(RECORD, stream="ballot/round-1/abc").identity == "round-1/abc"
