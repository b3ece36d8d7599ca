"""Everything a subscriber meets has words in both languages, and no word stands there for what is gone."""

import re
from collections.abc import Iterator

import pytest

from avow.contracts.catalogue import every_public_event, json_schema
from avow.contracts.entries import entries, entry
from avow.contracts.envelope_schema import envelope_schema
from avow.contracts.words import Unsaid, all_words, of_event, of_field
from avow.kernel.message import PublicEvent

CHINESE = re.compile("[\u4e00-\u9fff]")


def _fields() -> Iterator[tuple[str, str]]:
    """Every field of every event and of every value in one, with its owner."""
    for event in every_public_event():
        schema = json_schema(event)
        for owner, part in ((event.type, schema), *schema.get("$defs", {}).items()):
            for name in part.get("properties", {}):
                yield owner, name


def test_every_event_and_every_field_has_words() -> None:
    assert [event.type for event in every_public_event() if of_event(event) is None] == []
    assert [(owner, name) for owner, name in _fields() if of_field(owner, name) is None] == []


def test_no_words_are_left_of_what_is_gone() -> None:
    fields = set(_fields())
    said = set(all_words()["field"])
    known = {name for _, name in fields} | {f"{owner}.{name}" for owner, name in fields}
    assert said - known == set()
    assert set(all_words()["event"]) == {event.type for event in every_public_event()}
    assert set(all_words()["envelope"]) == set(envelope_schema()["properties"])


def test_words_are_chinese_in_chinese_and_english_in_english() -> None:
    for one in entries():
        for words in (one.words, one.words.name, *(field.words for field in one.fields)):
            assert CHINESE.search(words.zh)
            assert words.en
            assert not CHINESE.search(words.en)


def test_an_event_without_words_is_said_to_be_one() -> None:
    class Said(PublicEvent, type="test.said"):
        """Something was said."""

        a: int

    with pytest.raises(Unsaid, match=r"the event test\.said"):
        entry(Said)
