"""The envelope's own JSON Schema: it fits what can be read, and it changes by addition only."""

import json
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest

from avow.contracts.compatibility import breaks
from avow.contracts.envelope import NotAnEnvelope, decode, encode
from avow.contracts.envelope_schema import NAME, envelope_schema
from avow.contracts.shipped import samples
from avow.eventlog.records import Context
from tests.kit.contract_examples import EXAMPLES
from tests.kit.logs import START, a_log, proposed
from tests.kit.write_contracts import FEED, GOLDEN, SCHEMAS

SCHEMA = jsonschema_rs.validator_for(envelope_schema())
LINE = json.loads(samples()["pledge.made.v1"])
WHOLE = Context(
    START,
    campaign="c",
    actor="a",
    on_behalf_of="b",
    correlation_id=UUID(int=1),
    causation_id=UUID(int=2),
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    late_reason="补录",
)
BROKEN: dict[str, dict[str, Any]] = {
    "another version of CloudEvents": {"specversion": "0.3"},
    "an id that is no UUID": {"id": "1"},
    "a source of somebody else": {"source": "/other/demo/pledge/f5b16522-4a58-4791-9f6a-f1d8303e61cd"},
    "a type without a schema": {"type": "avow.pledge.made"},
    "a sequence of zero": {"sequence": 0},
    "a sequence beyond 63 bits": {"sequence": 2**63},
    "a time without a zone": {"time": "2010-06-01T08:30:00.123456"},
    "a time without microseconds": {"time": "2010-06-01T08:30:00Z"},
    "data that is a list": {"data": []},
    "a sealed that is a text": {"sealed": "a"},
    "a correlation that is no UUID": {"correlationid": "1"},
    "a leaf that is no base64": {"leaf": "?"},
}


def test_the_schema_that_is_written_is_the_schema_there_is() -> None:
    kept = json.loads((SCHEMAS / f"{NAME}.json").read_text("utf-8"))
    assert breaks(kept, envelope_schema()) == [], "every subscriber reads it; this change needs a new one"
    assert kept == envelope_schema(), "run `make contracts`"


def test_it_is_a_json_schema() -> None:
    jsonschema_rs.meta.validate(envelope_schema())


@pytest.mark.parametrize("line", [*(GOLDEN / FEED).read_bytes().splitlines(), *samples().values()])
def test_what_travels_fits_it(line: bytes) -> None:
    SCHEMA.validate(json.loads(line))
    SCHEMA.validate(json.loads(line) | {"addedlater": 1})


async def test_it_names_just_what_an_envelope_can_say() -> None:
    async with a_log("sqlite://") as log:
        await log.append(*(proposed(event, context=WHOLE) for event in EXAMPLES))
        lines = [json.loads(encode(envelope)) for envelope in await log.envelopes()]
    for line in lines:
        SCHEMA.validate(line)
    assert set().union(*lines) == set(envelope_schema()["properties"])
    assert set(lines[0]).intersection(*lines) == set(envelope_schema()["required"])


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read_does_not_fit_it(change: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(LINE | change)
    if change != {"leaf": "?"}:
        with pytest.raises(NotAnEnvelope):
            decode(json.dumps(LINE | change).encode())


@pytest.mark.parametrize("name", envelope_schema()["required"])
def test_what_is_required_may_not_be_absent(name: str) -> None:
    without = {key: value for key, value in LINE.items() if key != name}
    assert not SCHEMA.is_valid(without)
    with pytest.raises(NotAnEnvelope):
        decode(json.dumps(without).encode())
