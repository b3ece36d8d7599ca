"""What was once said can be read for ever, and events change by addition only.

When one of these fails after a change of an event, `make contracts` writes what is missing, or says why it may not.
"""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue

from avow.contracts.catalogue import json_schema
from avow.contracts.compatibility import breaks
from avow.contracts.envelope import decode, encode
from avow.contracts.envelope_schema import NAME as ENVELOPE
from avow.eventlog.types import EventTypes
from avow.kernel.message import Event, PublicEvent
from avow.kernel.seal import Seal
from tests.kit.contract_examples import EXAMPLES
from tests.kit.logs import RECORD, a_log, proposed
from tests.kit.private_examples import PRIVATE_EXAMPLES
from tests.kit.write_contracts import (
    EVENTS,
    FEED,
    GOLDEN,
    PRIVATE_SCHEMAS,
    SCHEMAS,
    SUMS,
    NotAnAddition,
    all_golden_files,
    file_of,
    golden_files,
    text_of,
    write_golden,
    write_schemas,
    written,
)

TYPES = EventTypes(EVENTS)
EVERY_EXAMPLE: tuple[Event, ...] = (*EXAMPLES, *PRIVATE_EXAMPLES)
SHIPPED = {file_of(event, n): event for event in EVENTS for n in range(1, event.schema_version + 1)}
"""The current class of every type, by the name of the files of each schema it ever had."""
GOLDEN_FILES = sorted(GOLDEN.glob("*.json"))
every_event = pytest.mark.parametrize("event", EVENTS, ids=file_of)
every_golden_file = pytest.mark.parametrize("path", GOLDEN_FILES, ids=lambda path: path.name)


def _read(path: Path) -> tuple[Event, dict[str, Any]]:
    """The event a golden file holds, brought up to date as a log's records are, and what the file says."""
    golden = json.loads(path.read_text("utf-8"))
    name, schema = path.stem.rsplit(".v", 1)
    sealed = json.dumps(golden["sealed"]).encode() if "sealed" in golden else None
    record = RECORD._replace(type=name, schema=int(schema), data=json.dumps(golden["data"]).encode(), sealed=sealed)
    event = TYPES.decode(record)
    assert event is not None, f"{path.name} cannot be read: its type, or an upcaster, is gone"
    return event, golden


def _schema_of(path: Path) -> dict[str, Any]:
    """The schema that stands for a golden file."""
    folder = SCHEMAS if SHIPPED[path.name].public else PRIVATE_SCHEMAS
    schema: dict[str, Any] = json.loads((folder / path.name).read_text("utf-8"))
    return schema


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


def test_every_schema_there_ever_was_has_a_golden_file_and_every_golden_file_a_type() -> None:
    assert {path.name for path in GOLDEN_FILES} == SHIPPED.keys()


def test_a_golden_file_is_what_was_written_once() -> None:
    there = {path.relative_to(GOLDEN).as_posix(): path for path in GOLDEN.rglob("*") if path.is_file()}
    sums = there.pop(SUMS)
    assert len(written(GOLDEN)) == len(sums.read_text("utf-8").splitlines()), "a name is listed twice"
    assert {name: sha256(path.read_bytes()).hexdigest() for name, path in there.items()} == written(GOLDEN)


def test_every_event_has_one_example() -> None:
    assert sorted(map(file_of, EVERY_EXAMPLE)) == sorted(map(file_of, EVENTS))


@every_event
def test_the_schema_that_is_written_is_the_schema_there_is(event: type[Event]) -> None:
    folder = SCHEMAS if event.public else PRIVATE_SCHEMAS
    kept = json.loads((folder / file_of(event)).read_text("utf-8"))
    assert breaks(kept, json_schema(event)) == [], "this change needs a new schema version"
    assert kept == json_schema(event), "run `make contracts`"


@pytest.mark.parametrize(("folder", "public"), [(SCHEMAS, True), (PRIVATE_SCHEMAS, False)], ids=["public", "private"])
def test_every_schema_there_ever_was_is_kept_and_none_of_an_event_that_is_gone(folder: Path, public: bool) -> None:
    kept = {path.name for path in folder.glob("*.v[0-9]*.json")} - {f"{ENVELOPE}.json"}
    assert kept == {name for name, event in SHIPPED.items() if event.public == public}


@every_event
def test_a_schema_is_a_json_schema(event: type[Event]) -> None:
    schema = json_schema(event)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


@every_golden_file
def test_what_was_once_said_is_read_as_the_event_it_is_now(path: Path) -> None:
    event, golden = _read(path)
    said = event.model_dump(mode="json")
    assert type(event) is SHIPPED[path.name]
    assert type(event).model_validate(said) == event
    if path.name == file_of(event):
        assert _holds(said, golden["data"] | golden.get("sealed", {}))


@every_golden_file
def test_what_was_once_sealed_opens_with_its_key(path: Path) -> None:
    event, golden = _read(path)
    opened = _opened(golden)
    assert opened.keys() == golden.get("sealed", {}).keys()
    # Whatever its field is called by now: no upcaster loses a seal, or tries to open it.
    assert [Seal.model_validate(seal) for seal in golden.get("sealed", {}).values()] == [
        value for _, value in event if isinstance(value, Seal)
    ]
    if path.name == file_of(event):
        clear = type(event).model_validate(golden["data"] | opened)
        assert not any(isinstance(getattr(clear, name), Seal) for name in opened)
        assert _holds(clear.model_dump(mode="json"), golden["data"] | opened)


@every_golden_file
def test_what_was_once_said_fits_the_schema_sealed_and_opened(path: Path) -> None:
    golden = json.loads(path.read_text("utf-8"))
    schema = jsonschema_rs.validator_for(_schema_of(path))
    for data in (golden["data"], golden["data"] | _opened(golden), golden["data"] | {"added_later": [1]}):
        schema.validate(data)
    assert not schema.is_valid({**golden["data"], **dict.fromkeys(golden["data"])})


def test_a_feed_that_once_travelled_is_read_and_its_leaves_hold() -> None:
    lines = (GOLDEN / FEED).read_bytes().splitlines()
    assert len(lines) > 10
    for sequence, line in enumerate(lines, 1):
        envelope = decode(line)
        assert (envelope.sequence, envelope.leaf_holds(), encode(envelope)) == (sequence, True, line)
        decoder = TYPES.decoder_for(envelope.type, envelope.schema)
        assert decoder is not None
        assert decoder(envelope.data, envelope.sealed).type == envelope.type


async def test_an_example_comes_out_of_a_log_as_it_went_in() -> None:
    async with a_log("sqlite://", types=EVENTS) as log:
        await log.append(*(proposed(event) for event in EVERY_EXAMPLE))
        for record, example in zip((await log.records())[1:], EVERY_EXAMPLE, strict=True):
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
    first[0].unlink()
    assert write_golden(tmp_path, await golden_files([Said(a=3, b=4)])) == []
    assert list(written(tmp_path)) == ["test.said.v1.json", FEED]


async def test_golden_files_can_be_made_again_to_the_letter() -> None:
    assert await all_golden_files() == await all_golden_files()
