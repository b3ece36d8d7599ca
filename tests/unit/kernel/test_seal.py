"""Which fields of an event are sealed, under whose key, and how a seal is written."""

from typing import Annotated
from uuid import UUID

import pytest
from pydantic import ValidationError

from avow.contracts.meeting import MeetingHeld
from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.contracts.pledge import PledgeMade
from avow.kernel.message import Line, PrivateEvent, Prose
from avow.kernel.seal import Seal, SealedUnder, sealed_fields

SEAL = Seal(subject="person/1", event_id=UUID(int=1), field="name", nonce=bytes(12), ciphertext=b"\xff\x00")


class Told(PrivateEvent, type="story.told"):
    """An event with two sealed fields and one that is open."""

    scope: str
    unit_id: str
    teller: Annotated[Line | Seal, SealedUnder("person/{unit_id}")]
    text: Annotated[Prose | Seal | None, SealedUnder("scope/{scope}/{unit_id}")]
    title: Line


def told(scope: str) -> Told:
    return Told(scope=scope, unit_id="7", teller="傅明哲", text="故事", title="标题")


def test_the_sealed_fields_of_a_type_are_those_that_say_so() -> None:
    assert list(sealed_fields(Told)) == ["teller", "text"]
    assert [list(sealed_fields(event)) for event in (PersonRegistered, UnitRegistered)] == [["name"], []]
    assert [list(sealed_fields(event)) for event in (PledgeMade, MeetingHeld)] == [["wording"], ["summary"]]


def test_the_key_of_a_field_is_named_by_the_event() -> None:
    marks = sealed_fields(Told)
    assert marks["teller"].subject(told("college")) == "person/7"
    assert marks["text"].subject(told("college")) == "scope/college/7"


def test_what_is_meant_for_everybody_has_no_key_but_a_person_always_has() -> None:
    marks = sealed_fields(Told)
    assert marks["text"].subject(told("public")) is None
    assert marks["teller"].subject(told("public")) == "person/7"
    assert marks["text"].subject(told("publicity")) == "scope/publicity/7"
    assert (marks["text"].has_scope, marks["teller"].has_scope) == (True, False)


def test_a_seal_reads_back_from_its_json() -> None:
    assert Seal.model_validate_json(SEAL.model_dump_json()) == SEAL
    assert Seal.model_validate(SEAL.model_dump(mode="json")) == SEAL
    assert SEAL.model_dump(mode="json")["ciphertext"] == "/wA="


@pytest.mark.parametrize("nonce", ["not base64!", 5, None, "AAA"])
def test_a_seal_whose_bytes_are_no_base64_is_refused(nonce: object) -> None:
    with pytest.raises(ValidationError):
        Seal.model_validate({**SEAL.model_dump(mode="json"), "nonce": nonce})


def test_a_seal_can_stand_where_the_text_would() -> None:
    event = Told.model_validate({**told("college").model_dump(), "text": SEAL.model_dump(mode="json")})
    assert event.text == SEAL
    assert event.teller == "傅明哲"
