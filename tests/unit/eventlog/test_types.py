"""Every schema of a type that was ever shipped is read as the type is now."""

import json
from typing import Annotated, Any
from uuid import UUID

import pytest

from avow.contracts.review import FormRow
from avow.contracts.values import Label
from avow.eventlog.types import EventTypes, UnknownSchema
from avow.kernel.message import Event, Line, PrivateEvent, PublicEvent
from avow.kernel.seal import Seal, SealedUnder
from avow.web.catalogue import SHARED, Catalogue
from tests.kit.logs import RECORD, Noted

SEAL = Seal(subject="person/1", event_id=UUID(int=1), field="name", nonce=bytes(12), ciphertext=b"x")


class Asked(PublicEvent, type="form.asked"):
    """An event with a value inside a value."""

    rows: tuple[FormRow, ...]


class Praised(PublicEvent, type="person.praised"):
    """An event with a value and a seal."""

    label: Label
    name: Annotated[Line | Seal, SealedUnder("person/1")]


def _in_words(fields: dict[str, Any]) -> dict[str, Any]:
    return {"words": fields["text"].split()}


def _with_a_count(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"count": len(fields["words"])}


class NotedInWords(PrivateEvent, type="note.noted", schema=3, upcasters={1: _in_words, 2: _with_a_count}):
    """`Noted`, two schemas later."""

    words: tuple[Line, ...]
    count: int


def _by_one_name(fields: dict[str, Any]) -> dict[str, Any]:
    return {"label": fields["title"], "called": fields["name"]}


class PraisedAnew(PublicEvent, type="person.praised", schema=2, upcasters={1: _by_one_name}):
    """`Praised`, with other names for the same."""

    label: Label
    called: Annotated[Line | Seal, SealedUnder("person/1")]


def test_an_event_is_read_by_its_name_and_schema() -> None:
    types = EventTypes([Noted])
    assert types.decode(RECORD) == Noted(text="a")
    assert types.decode(RECORD._replace(schema=2)) is None
    assert types.decode(RECORD._replace(type="note.lost")) is None


def test_a_type_has_one_class_whatever_its_schema() -> None:
    class Impostor(PrivateEvent, type="note.noted"):
        pass

    for other in (Impostor, NotedInWords):
        with pytest.raises(ValueError, match=r"two event types are called note\.noted"):
            EventTypes([Noted, other])
    EventTypes([Noted, Noted])


@pytest.mark.parametrize(
    ("schema", "data"),
    [(1, {"text": "two words"}), (2, {"words": ["two", "words"]}), (3, {"words": ["two", "words"], "count": 2})],
)
def test_every_earlier_schema_is_brought_up_to_the_current_one(schema: int, data: dict[str, Any]) -> None:
    record = RECORD._replace(schema=schema, data=json.dumps(data).encode())
    assert EventTypes([NotedInWords]).decode(record) == NotedInWords(words=("two", "words"), count=2)


def test_a_schema_newer_than_the_program_or_below_the_first_is_unknown() -> None:
    types = EventTypes([NotedInWords])
    for schema in (-1, 0, 4):
        assert types.decode(RECORD._replace(schema=schema)) is None
        assert types.decoder_for("note.noted", schema) is None


def test_an_upcaster_carries_a_seal_on_as_it_stands() -> None:
    record = RECORD._replace(
        type="person.praised",
        data=b'{"title":{"zh":"x","en":"y"}}',
        sealed=f'{{"name":{SEAL.model_dump_json()}}}'.encode(),
    )
    assert EventTypes([PraisedAnew]).decode(record) == PraisedAnew(label=Label(zh="x", en="y"), called=SEAL)


def test_an_upcaster_that_cannot_read_what_was_said_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(KeyError, match="text"):
        EventTypes([NotedInWords]).decode(RECORD._replace(data=b"{}"))


def test_who_asks_for_a_type_is_told_of_a_schema_it_cannot_read() -> None:
    types, newer = EventTypes([Noted]), RECORD._replace(schema=2)
    with pytest.raises(UnknownSchema, match=r"note\.noted\.v2") as raised:
        list(types.decode_as((Noted,), [RECORD, newer]))
    text = Catalogue.load(SHARED).message(raised.value.code, raised.value.params)
    assert (text.status, "note.noted.v2" in text.zh, "note.noted.v2" in text.en) == (503, True, True)
    others: tuple[type[Event], ...] = (Asked,)
    assert list(types.decode_as(others, [newer])) == []


def test_data_that_does_not_fit_its_type_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(ValueError, match="text"):
        EventTypes([Noted]).decode(RECORD._replace(data=b"{}"))


def test_what_a_later_contract_added_is_passed_over_at_every_depth() -> None:
    data = b'{"rows":[{"key":"a","label":{"zh":"x","en":"y","fr":"z"},"hint":"new"}],"shown":true}'
    record = RECORD._replace(type="form.asked", data=data)
    assert EventTypes([Asked]).decode(record) == Asked(rows=(FormRow(key="a", label=Label(zh="x", en="y")),))


def test_what_was_added_beside_a_seal_is_passed_over_too() -> None:
    record = RECORD._replace(
        type="person.praised",
        data=b'{"label":{"zh":"x","en":"y","fr":"z"},"born":1980}',
        sealed=f'{{"name":{SEAL.model_dump_json()},"portrait":{{}}}}'.encode(),
    )
    assert EventTypes([Praised]).decode(record) == Praised(label=Label(zh="x", en="y"), name=SEAL)


def test_only_the_types_wanted_are_read_and_in_their_order() -> None:
    types = EventTypes([Noted, Asked])
    records = [
        RECORD._replace(data=b'{"text":"1"}'),
        RECORD._replace(type="form.asked", data=b'{"rows":[]}'),
        RECORD._replace(type="note.lost"),
        RECORD._replace(data=b'{"text":"2"}'),
    ]
    assert list(types.decode_as((Noted,), records)) == [Noted(text="1"), Noted(text="2")]
    assert len(list(types.decode_as((Noted, Asked), records))) == 3
