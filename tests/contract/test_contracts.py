"""What was once said can be read for ever, and contracts change by addition only.

When one of these fails after a change of a contract, `make contracts` writes what is missing, or says why it may not.
"""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue, TypeAdapter

from avow.contracts.catalogue import every_public_event, json_schema
from avow.contracts.compatibility import breaks
from avow.contracts.envelope import decode, encode
from avow.kernel.message import PublicEvent
from avow.kernel.seal import Seal
from tests.kit.contract_examples import EXAMPLES
from tests.kit.logs import a_log, proposed
from tests.kit.write_contracts import (
    FEED,
    GOLDEN,
    SCHEMAS,
    NotAnAddition,
    file_of,
    golden_files,
    text_of,
    write_golden,
    write_schemas,
)

EVENTS = every_public_event()
GOLDEN_FILES = sorted(GOLDEN.glob("*.json"))
every_event = pytest.mark.parametrize("event", EVENTS, ids=file_of)
every_golden_file = pytest.mark.parametrize("path", GOLDEN_FILES, ids=lambda path: path.name)


def _event_of(path: Path) -> type[PublicEvent]:
    return next(event for event in EVENTS if file_of(event) == path.name)


def _opened(golden: dict[str, Any]) -> dict[str, JsonValue]:
    """The sealed fields of a golden file, opened as the description of seals says and by none of our code."""
    fields: dict[str, JsonValue] = {}
    for name, seal in golden.get("sealed", {}).items():
        key = b64decode(golden["keys"][seal["subject"]])
        bound_to = bytes.fromhex(seal["event_id"].replace("-", "")) + seal["field"].encode()
        plain = AESGCM(key).decrypt(b64decode(seal["nonce"]), b64decode(seal["ciphertext"]), bound_to)
        fields[name] = json.loads(plain)
    return fields


def _holds(now: Any, then: Any) -> bool:
    """Whether everything that was said then is said now, in the same words."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and _holds(now[key], then[key]) for key in then)
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(_holds, now, then))
    return bool(now == then)


def test_every_event_has_a_golden_file_and_every_golden_file_an_event() -> None:
    assert {path.name for path in GOLDEN_FILES} == {file_of(event) for event in EVENTS}


def test_every_event_has_one_example() -> None:
    assert sorted(map(file_of, EXAMPLES)) == sorted(map(file_of, EVENTS))


@every_event
def test_the_schema_that_is_written_is_the_schema_there_is(event: type[PublicEvent]) -> None:
    written = json.loads((SCHEMAS / file_of(event)).read_text("utf-8"))
    assert breaks(written, json_schema(event)) == [], "this change needs a new schema version"
    assert written == json_schema(event), "run `make contracts`"


def test_no_schema_is_left_of_an_event_that_is_gone() -> None:
    assert {path.name for path in SCHEMAS.glob("*.v[0-9]*.json")} == {file_of(event) for event in EVENTS}


@every_event
def test_a_schema_is_a_json_schema(event: type[PublicEvent]) -> None:
    schema = json_schema(event)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


@every_golden_file
def test_what_was_once_said_is_read_without_losing_a_word(path: Path) -> None:
    golden = json.loads(path.read_text("utf-8"))
    event = TypeAdapter(_event_of(path)).validate_python(golden["data"] | golden.get("sealed", {}), extra="ignore")
    said = event.model_dump(mode="json")
    assert _holds(said, golden["data"] | golden.get("sealed", {}))
    assert TypeAdapter(_event_of(path)).validate_python(said) == event


@every_golden_file
def test_what_was_once_sealed_opens_with_its_key(path: Path) -> None:
    golden = json.loads(path.read_text("utf-8"))
    opened = _opened(golden)
    event = TypeAdapter(_event_of(path)).validate_python(golden["data"] | opened)
    assert opened.keys() == golden.get("sealed", {}).keys()
    assert not any(isinstance(getattr(event, name), Seal) for name in opened)
    assert _holds(event.model_dump(mode="json"), golden["data"] | opened)


@every_golden_file
def test_what_was_once_said_fits_the_schema_sealed_and_opened(path: Path) -> None:
    golden = json.loads(path.read_text("utf-8"))
    schema = jsonschema_rs.validator_for(json_schema(_event_of(path)))
    for data in (golden["data"], golden["data"] | _opened(golden), golden["data"] | {"added_later": [1]}):
        schema.validate(data)
    assert not schema.is_valid({**golden["data"], **dict.fromkeys(golden["data"])})


def test_a_feed_that_once_travelled_is_read_and_its_leaves_hold() -> None:
    lines = (GOLDEN / FEED).read_bytes().splitlines()
    known = {(event.type, event.schema_version): TypeAdapter(event) for event in EVENTS}
    assert len(lines) > 10
    for sequence, line in enumerate(lines, 1):
        envelope = decode(line)
        assert (envelope.sequence, envelope.leaf_holds(), encode(envelope)) == (sequence, True, line)
        fields = json.loads(envelope.data) | json.loads(envelope.sealed or b"{}")
        event = known[envelope.type, envelope.schema].validate_python(fields, extra="ignore")
        assert _holds(event.model_dump(mode="json"), fields)


async def test_an_example_comes_out_of_a_log_as_it_went_in() -> None:
    async with a_log("sqlite://", types=EVENTS) as log:
        await log.append(*(proposed(event) for event in EXAMPLES))
        for record, example in zip((await log.records())[1:], EXAMPLES, strict=True):
            event = log.types.decode(record)
            sealed = set() if record.sealed is None else set(json.loads(record.sealed))
            assert event is not None
            assert event.model_dump(exclude=sealed) == example.model_dump(exclude=sealed)


class Said(PublicEvent, type="test.said"):
    """An event as it was shipped."""

    a: int
    b: int


def test_a_schema_is_written_once_and_again_when_something_was_added(tmp_path: Path) -> None:
    class SaidMore(PublicEvent, type="test.said"):
        a: int
        b: int
        c: int | None = None

    assert write_schemas(tmp_path, [Said]) == [tmp_path / "test.said.v1.json"]
    assert write_schemas(tmp_path, [Said]) == []
    assert write_schemas(tmp_path, [SaidMore]) == [tmp_path / "test.said.v1.json"]
    assert "c" in json.loads((tmp_path / "test.said.v1.json").read_text())["properties"]


def test_a_schema_that_would_break_its_readers_is_not_written(tmp_path: Path) -> None:
    class SaidLess(PublicEvent, type="test.said"):
        a: int

    class Fresh(PublicEvent, type="test.fresh"):
        a: int

    write_schemas(tmp_path, [Said])
    with pytest.raises(NotAnAddition, match=r"test\.said\.v1\.json: b is gone"):
        write_schemas(tmp_path, [Fresh, SaidLess])
    assert [path.name for path in tmp_path.iterdir()] == ["test.said.v1.json"]
    assert json.loads((tmp_path / "test.said.v1.json").read_text()) == json_schema(Said)


async def test_a_golden_file_is_never_written_again(tmp_path: Path) -> None:
    first = write_golden(tmp_path, await golden_files([Said(a=1, b=2)]))
    assert [path.name for path in first] == ["test.said.v1.json", FEED]
    before = first[0].read_text()
    assert before == text_of({"data": {"a": 1, "b": 2}})
    assert write_golden(tmp_path, await golden_files([Said(a=3, b=4)])) == []
    assert first[0].read_text() == before


async def test_golden_files_can_be_made_again_to_the_letter() -> None:
    assert await golden_files(EXAMPLES) == await golden_files(EXAMPLES)
