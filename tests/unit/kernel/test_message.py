"""What commands and events are made of."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from avow.contracts.catalogue import every_public_event
from avow.kernel.message import Command, Line, PrivateEvent, Prose, PublicEvent, Upcaster, Value
from avow.kernel.seal import Seal

line, prose = TypeAdapter[str](Line), TypeAdapter[str](Prose)
CONTROL = [chr(code) for code in (*range(32), *range(127, 160))]


def _as_it_was(fields: dict[str, Any]) -> dict[str, Any]:
    return fields


class Renamed(PublicEvent, type="thing.happened", schema=3, upcasters={2: _as_it_was, 1: dict}):
    """An event called otherwise than its class."""

    what: str


def test_an_event_declares_its_name_and_version_and_takes_neither_from_its_class() -> None:
    assert (Renamed.type, Renamed.schema_version, Renamed.public) == ("thing.happened", 3, True)


def test_a_version_that_is_not_declared_is_the_first() -> None:
    class Quiet(PrivateEvent, type="thing.kept"):
        pass

    assert (Quiet.schema_version, Quiet.public) == (1, False)


def test_upcasters_stand_in_the_order_of_the_schemas_they_start_from() -> None:
    assert Renamed.upcasters == (dict, _as_it_was)


@pytest.mark.parametrize(
    ("schema", "upcasters", "said"),
    [
        (2, {}, r"thing\.happened is at schema 2 and has no upcaster from \[1\]"),
        (4, {2: dict}, r"thing\.happened is at schema 4 and has no upcaster from \[1, 3\]"),
        (2, {1: dict, 2: dict}, r"thing\.happened is at schema 2 and has an upcaster from \[2\]"),
        (1, {0: dict, 1: dict}, r"thing\.happened is at schema 1 and has an upcaster from \[0, 1\]"),
    ],
)
def test_an_event_with_a_gap_below_its_schema_or_a_step_beyond_it_cannot_be_declared(
    schema: int, upcasters: dict[int, Upcaster], said: str
) -> None:
    with pytest.raises(ValueError, match=said):

        class Wrong(PublicEvent, type="thing.happened", schema=schema, upcasters=upcasters):
            what: str


def test_an_event_without_a_name_has_none() -> None:
    class Nameless(PublicEvent):
        pass

    with pytest.raises(AttributeError):
        _ = Nameless.type


def test_names_and_versions_of_public_events_are_all_different() -> None:
    declared = [(event.type, event.schema_version) for event in every_public_event()]
    assert len(set(declared)) == len(declared) > 10


def test_events_commands_and_values_are_frozen() -> None:
    class Part(Value):
        n: int

    class Ask(Command):
        n: int

    for frozen, field in ((Renamed(what="x"), "what"), (Part(n=1), "n"), (Ask(n=1), "occurred_at")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(frozen, field, None)


def test_an_event_passes_over_what_it_does_not_know_and_a_command_refuses_it() -> None:
    assert Renamed.model_validate({"what": "x", "added_later": 1}) == Renamed(what="x")
    with pytest.raises(ValidationError, match="Extra inputs"):
        Command.model_validate({"added_later": 1})


def test_a_commands_time_is_turned_into_utc() -> None:
    command = Command(occurred_at=datetime(2010, 6, 1, 8, tzinfo=timezone(timedelta(hours=8))))
    assert (command.occurred_at, command.occurred_at and command.occurred_at.tzinfo) == (
        datetime(2010, 6, 1, tzinfo=UTC),
        UTC,
    )


def test_a_commands_time_needs_a_zone() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Command.model_validate({"occurred_at": "2010-06-01T08:00:00"})


@pytest.mark.parametrize("character", [*CONTROL, "\u2028", "\u2029", "\ud800"], ids=ascii)
def test_a_line_refuses_control_characters_line_breaks_and_half_characters(character: str) -> None:
    with pytest.raises(ValidationError):
        line.validate_python(f"a{character}b")


@pytest.mark.parametrize("character", sorted({*CONTROL, "\ud800"} - {"\n", "\t"}), ids=ascii)
def test_prose_refuses_control_characters_and_half_characters(character: str) -> None:
    with pytest.raises(ValidationError):
        prose.validate_python(f"a{character}b")


def test_prose_keeps_line_breaks_and_takes_those_of_a_form_for_its_own() -> None:
    assert prose.validate_python("一\n\t二") == "一\n\t二"
    assert prose.validate_python("一\r\n二\r\n") == "一\n二"


def test_text_is_trimmed_and_then_must_not_be_empty() -> None:
    for kind in (line, prose):
        assert kind.validate_python("  柳承远 ") == "柳承远"
        for blank in ("", " \n ", "\u3000"):
            with pytest.raises(ValidationError):
                kind.validate_python(blank)


@pytest.mark.parametrize(("kind", "most"), [(line, 200), (prose, 4000)])
def test_text_is_measured_in_characters(kind: TypeAdapter[str], most: int) -> None:
    assert len(kind.validate_python("\U0001f600" * most)) == most
    with pytest.raises(ValidationError):
        kind.validate_python("字" * (most + 1))


@given(st.text(max_size=300))
def test_text_that_was_taken_is_taken_again_as_it_is(text: str) -> None:
    for kind in (line, prose):
        try:
            taken = kind.validate_python(text)
        except ValidationError:
            continue
        assert kind.validate_python(taken) == taken
        assert taken.encode().decode() == taken


def test_prose_beside_a_seal_is_still_checked() -> None:
    either = TypeAdapter[str | Seal](Prose | Seal)
    assert either.validate_python("一\r\n二") == "一\n二"
    with pytest.raises(ValidationError):
        either.validate_python("a\x00b")
