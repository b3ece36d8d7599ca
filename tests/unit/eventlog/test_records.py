"""Events go into the log as compact JSON, and a record says what it is about."""

from avow.eventlog.records import plain_fields
from tests.kit.logs import RECORD, a_person, a_unit, identity


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
    assert RECORD._replace(stream="ballot/round-1/abc").identity == "round-1/abc"
