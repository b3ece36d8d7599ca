"""What is an addition to a contract, and what breaks it."""

from typing import Annotated, Any

import pytest
from pydantic import Field, create_model

from avow.contracts.catalogue import every_public_event, json_schema
from avow.contracts.compatibility import breaks
from avow.kernel.message import Line, Prose, PublicEvent, Value
from avow.kernel.seal import Seal, SealedUnder


class Part(Value):
    n: int
    word: Line


class Said(PublicEvent, type="test.said"):
    """As it was shipped."""

    scope: str
    unit_id: str
    count: int
    label: Line
    part: Part
    parts: tuple[Part, ...]
    tally: dict[str, int]
    note: Part | None
    text: Annotated[Prose | Seal, SealedUnder("scope/{scope}/{unit_id}")]


SHIPPED = json_schema(Said)


def changed(of: type[PublicEvent] = Said, **fields: Any) -> list[str]:
    """What breaks when these fields are added or replaced."""
    return breaks(
        SHIPPED, json_schema(create_model("Said", __base__=of, __cls_kwargs__={"type": "test.said"}, **fields))
    )


def without(name: str) -> list[str]:
    """What breaks when a field is taken away."""
    kept = {key: (field.annotation, field) for key, field in Said.model_fields.items() if key != name}
    return changed(of=PublicEvent, **kept)


class Longer(Part):
    added: int = 0


class Stricter(Part):
    added: int


class Other(Value):
    n: str
    word: Line


def test_what_did_not_change_breaks_nothing() -> None:
    assert changed() == []


def test_a_field_that_may_be_absent_is_an_addition() -> None:
    assert changed(added=(int, 0)) == []
    assert changed(added=(Line | None, None)) == []


def test_another_description_or_title_breaks_nothing() -> None:
    assert changed(count=(int, Field(title="Number", description="How many."))) == []


def test_a_field_added_inside_a_value_is_an_addition_if_it_may_be_absent() -> None:
    assert changed(part=(Longer, ...), parts=(tuple[Longer, ...], ...), note=(Longer | None, ...)) == []


@pytest.mark.parametrize("name", ["count", "parts", "text"])
def test_a_field_that_is_gone_breaks_its_readers(name: str) -> None:
    assert f"{name} is gone" in without(name)


def test_a_field_that_is_now_required_breaks_what_was_written_before() -> None:
    assert changed(added=(int, ...)) == ["added is now required"]


def test_a_field_that_may_now_be_absent_breaks_its_readers() -> None:
    assert changed(count=(int, 0)) != []
    assert "count may now be absent" in changed(count=(int, 0))


@pytest.mark.parametrize(
    ("field", "where"),
    [
        ({"count": (str, ...)}, "count: type"),
        ({"count": (int | None, ...)}, "count: anyOf"),
        ({"label": (Prose, ...)}, "label: maxLength"),
        ({"part": (Stricter, ...)}, "part.added is now required"),
        ({"parts": (tuple[Stricter, ...], ...)}, "parts[].added is now required"),
        ({"parts": (tuple[Other, ...], ...)}, "parts[].n: type"),
        ({"note": (Other | None, ...)}, "note.n: type"),
        ({"tally": (dict[str, str], ...)}, "tally[]: type"),
        ({"text": (Prose, ...)}, "text is now required"),
    ],
    ids=lambda given: given if isinstance(given, str) else next(iter(given)),
)
def test_another_meaning_is_found_where_it_is(field: dict[str, Any], where: str) -> None:
    found = changed(**field)
    assert [each for each in found if each.startswith(where)] != [], found


@pytest.mark.parametrize("event", every_public_event(), ids=lambda event: event.type)
def test_a_schema_requires_no_sealed_field_and_speaks_of_no_seal(event: type[PublicEvent]) -> None:
    schema = json_schema(event)
    assert schema["$id"] == f"avow.{event.type}.v{event.schema_version}"
    assert "Seal" not in schema.get("$defs", {})
    assert "#/$defs/Seal" not in str(schema)
    sealed = {name for name, part in schema["properties"].items() if "Sealed under" in part.get("description", "")}
    added = {name for name, field in event.model_fields.items() if not field.is_required()}
    assert set(schema["properties"]) - set(schema["required"]) == sealed | added
    assert "'additionalProperties': False" not in str(schema)


def test_a_schema_says_when_a_sealed_field_is_there_all_the_same() -> None:
    described = SHIPPED["properties"]["text"]["description"]
    assert "Sealed under the key of `scope/{scope}/{unit_id}`: absent unless the scope is public." in described
