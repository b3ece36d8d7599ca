"""An event travels as one line of JSON, byte for byte what the log holds, and anything else is no event."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from avow.contracts.envelope import Envelope, NotAnEnvelope, decode, encode
from avow.contracts.leaf import LEAF_COLUMNS, leaf

SALT = bytes(range(16))
BARE = Envelope(
    org="demo",
    service="pledge",
    log_id=UUID("0956c049-c287-4203-ac32-d5c95be044de"),
    sequence=2,
    stream="unit/1",
    version=1,
    event_id=UUID(int=7),
    type="unit.registered",
    schema=1,
    occurred_at=datetime(2010, 6, 1, 8, 30, 0, 123456, tzinfo=UTC),
    recorded_at=datetime(2010, 6, 1, 9, tzinfo=UTC),
    campaign=None,
    actor=None,
    on_behalf_of=None,
    correlation_id=None,
    causation_id=None,
    traceparent=None,
    late_reason=None,
    data=b'{"unit_id":"1"}',
    sealed=None,
    salt=SALT,
    leaf=bytes(32),
    format=1,
)


def proved(envelope: Envelope) -> Envelope:
    """The envelope with the leaf that its columns give."""
    return replace(envelope, leaf=leaf(envelope.salt, (getattr(envelope, column) for column in LEAF_COLUMNS)))


def a_line(**changes: object) -> bytes:
    """A line with attributes replaced, or left out where the change is `...`."""
    wire = {**json.loads(encode(proved(BARE))), **changes}
    return json.dumps({n: value for n, value in wire.items() if value is not ...}, separators=(",", ":")).encode()


names = st.text(max_size=12)
maybe_names = st.none() | names
moments = st.datetimes(timezones=st.just(UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.builds(
    lambda value, spaced, escaped: json.dumps(
        value, ensure_ascii=escaped, separators=(" , ", " : ") if spaced else (",", ":")
    ).encode(),
    st.dictionaries(names, json_values, max_size=4),
    st.booleans(),
    st.booleans(),
)
envelopes = st.builds(
    Envelope,
    org=st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True),
    service=st.from_regex(r"[a-z]{1,9}", fullmatch=True),
    log_id=st.uuids(),
    sequence=st.integers(1, 2**63 - 1),
    stream=names,
    version=st.integers(1, 2**63 - 1),
    event_id=st.uuids(),
    type=st.from_regex(r"[a-z_]{1,5}(\.[a-z_]{1,5}){1,3}", fullmatch=True),
    schema=st.integers(1, 9999),
    occurred_at=moments,
    recorded_at=moments,
    campaign=maybe_names,
    actor=maybe_names,
    on_behalf_of=maybe_names,
    correlation_id=st.none() | st.uuids(),
    causation_id=st.none() | st.uuids(),
    traceparent=maybe_names,
    late_reason=maybe_names,
    data=objects,
    sealed=st.none() | objects,
    salt=st.binary(min_size=16, max_size=16),
    leaf=st.just(bytes(32)),
    format=st.just(1),
)


@given(envelopes)
def test_what_was_sent_arrives_byte_for_byte(envelope: Envelope) -> None:
    sent = proved(envelope)
    line = encode(sent)
    received = decode(line)
    assert received == sent
    assert received.leaf_holds()
    assert encode(received) == line
    assert b"\n" not in line


@given(envelopes)
def test_a_line_is_a_cloud_event_any_json_reader_takes(envelope: Envelope) -> None:
    wire = json.loads(encode(envelope))
    assert (wire["specversion"], wire["datacontenttype"]) == ("1.0", "application/json")
    assert wire["source"] == f"/avow/{envelope.org}/{envelope.service}/{envelope.log_id}"
    assert (wire["id"], wire["subject"]) == (str(envelope.event_id), envelope.stream)
    assert wire["type"] == f"avow.{envelope.type}.v{envelope.schema}"
    assert wire["data"] == json.loads(envelope.data)
    assert all(name.isalnum() and name.islower() for name in wire)


@given(envelopes, st.sampled_from(LEAF_COLUMNS), st.data())
def test_whatever_is_altered_on_the_way_the_leaf_no_longer_holds(
    envelope: Envelope, column: str, data: st.DataObject
) -> None:
    altered = replace(proved(envelope), **{column: getattr(data.draw(envelopes), column)})
    assert altered.leaf_holds() == (altered == proved(envelope))


def test_what_is_not_said_is_absent_from_the_line() -> None:
    wire = json.loads(encode(BARE))
    absent = {"campaign", "actor", "onbehalfof", "correlationid", "causationid", "traceparent", "latereason", "sealed"}
    assert absent.isdisjoint(wire)


def test_attributes_nobody_here_knows_are_passed_over() -> None:
    assert decode(a_line(partitionkey="x", dataschema={"a": [1]})) == proved(BARE)


def test_data_is_kept_as_it_was_spaced_and_escaped() -> None:
    odd = rb'{ "a" : "\u0041\/" , "b":1.0e0,"b":2 }'
    line = encode(BARE).replace(BARE.data, odd)
    assert decode(line).data == odd


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode) | objects)
def test_garbage_is_no_envelope(garbage: bytes) -> None:
    with pytest.raises(NotAnEnvelope):
        decode(garbage)


@given(st.data())
def test_a_line_with_one_byte_altered_is_no_envelope_or_a_provably_wrong_one(data: st.DataObject) -> None:
    line = bytearray(encode(proved(BARE)))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    try:
        received = decode(bytes(line))
    except NotAnEnvelope:
        return
    # The log a line comes from is not hashed: the receiver knows whom it listens to.
    unhashed = replace(received, service=BARE.service, log_id=BARE.log_id)
    assert unhashed == proved(BARE) or not received.leaf_holds()


@pytest.mark.parametrize("attribute", [name for name in json.loads(encode(BARE)) if name != "datacontenttype"])
def test_a_line_that_lacks_an_attribute_is_no_envelope(attribute: str) -> None:
    with pytest.raises(NotAnEnvelope):
        decode(a_line(**{attribute: ...}))


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"source": "/avow/demo/pledge"},
        {"source": "/avow/Demo/pledge/0956c049-c287-4203-ac32-d5c95be044de"},
        {"source": "/avow/demo/pledge/0956c049-c287-4203-ac32-d5c95be044de\n"},
        {"source": "/avow/demo/pledge/------------------------------------"},
        {"type": "unit.registered"},
        {"type": "avow.unit.registered"},
        {"type": "avow.unit.registered.v0"},
        {"type": "avow.unit.registered.v1\n"},
        {"type": "avow.registered.v1"},
        {"id": "7"},
        {"time": "2010-06-01T08:30:00Z"},
        {"recordedat": "then"},
        {"sequence": 0},
        {"sequence": -1},
        {"sequence": 2**63},
        {"sequence": 1.5},
        {"sequence": "2"},
        {"streamversion": 0},
        {"correlationid": "x"},
        {"leaf": "not base64"},
        {"leafsalt": "AAA"},
        {"leafformat": None},
        {"data": None},
        {"data": [1]},
        {"data": "text"},
        {"sealed": []},
        {"sealed": 5},
        {"subject": 5},
        {"actor": 5},
    ],
    ids=str,
)
def test_a_line_with_a_wrong_attribute_is_no_envelope(change: dict[str, object]) -> None:
    with pytest.raises(NotAnEnvelope):
        decode(a_line(**change))


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_line_nested_beyond_measure_is_no_envelope(opening: bytes) -> None:
    deep = opening * 100_000
    for line in (deep, b'{"data":' + deep, encode(BARE).replace(BARE.data, deep)):
        with pytest.raises(NotAnEnvelope):
            decode(line)


@pytest.mark.parametrize("change", [{"format": 2}, {"salt": b"short"}, {"actor": "\ud800"}, {"leaf": b""}], ids=str)
def test_a_leaf_that_cannot_be_computed_does_not_hold(change: dict[str, object]) -> None:
    assert not replace(proved(BARE), **change).leaf_holds()
