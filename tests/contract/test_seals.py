"""A sealed field is never in the log in the clear, opens with its key, and is gone when its key is."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import JsonValue
from sqlalchemy import Connection, delete, func, insert, make_url, select, text

from avow.contracts.leaf import chain, leaf, leaf_values
from avow.contracts.meeting import CommentRecorded, CommentText, MeetingHeld
from avow.contracts.organisation import PersonRegistered
from avow.eventlog.batch import Conflict
from avow.eventlog.keys import KeyDestroyed, destroy_keys, keep_copies, keys_of
from avow.eventlog.records import Context
from avow.eventlog.seals import ERASED, open_seals
from avow.eventlog.tables import seal_key, seal_key_copy
from avow.kernel.seal import Seal
from tests.kit.logs import START, TYPES, Log, a_log, a_person, identity, proposed

NAME, OTHER_NAME = "贺启明", "祁安然"
PERSON, OTHER = f"person/{identity(1)}", f"person/{identity(2)}"
SUMMARY = "会上说的话不出本单位"


def a_meeting(scope: str) -> MeetingHeld:
    return MeetingHeld(
        meeting_id=identity(5),
        campaign_id=identity(6),
        unit_id=identity(7),
        kind="branch_committee",
        agenda=("stage_summary",),
        chair_id=identity(1),
        present=9,
        expected=11,
        scope=scope,
        summary=SUMMARY,
    )


def a_comment(said: CommentText | Seal, scope: str = "college") -> CommentRecorded:
    return CommentRecorded(
        meeting_id=identity(5),
        campaign_id=identity(6),
        unit_id=identity(7),
        commentator_id=identity(1),
        grade=90,
        scope=scope,
        text=said,
    )


def _disguises(plain: str) -> list[bytes]:
    raw = plain.encode()
    return [raw, raw.hex().encode(), b64encode(raw), json.dumps(plain)[1:-1].encode(), plain.encode("utf-16-le")]


def _everything(connection: Connection) -> bytes:
    """All that is stored, as the driver gives it."""
    found = b""
    for name in ("event", "log_head", "seal_key"):
        for row in connection.execute(text(f"SELECT * FROM {name}")):
            found += b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    return found


async def _seal_of(log: Log, position: int, field: str = "name") -> Seal:
    event = log.types.decode((await log.records())[position - 1])
    seal = getattr(event, field)
    assert isinstance(seal, Seal)
    return seal


async def _opened(log: Log, seal: Seal, org: str = "demo") -> JsonValue:
    return (await log.database.read(lambda connection: open_seals(connection, org, [seal])))[seal]


async def _erase(log: Log, subject: str, org: str = "demo") -> bool:
    return await log.database.write(lambda connection: destroy_keys(connection, org, [subject])) > 0


@pytest.fixture
async def log(engine_url: str) -> AsyncIterator[Log]:
    """A log that knows meetings too, with a person at position 2."""
    async with a_log(engine_url, orgs=("demo", "other"), types=(*TYPES, MeetingHeld, CommentRecorded)) as opened:
        await opened.append(proposed(a_person(1, NAME)))
        yield opened


class TestSeals:
    async def test_the_plain_text_is_nowhere_in_the_database(self, log: Log) -> None:
        await log.append(proposed(a_meeting("college")))
        stored = await log.database.read(_everything)
        if log.database.dialect == "sqlite":
            file = Path(make_url(log.url).database or "")
            stored += b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
        assert identity(1).encode() in stored
        for plain in (NAME, SUMMARY):
            assert [disguise for disguise in _disguises(plain) if disguise in stored] == []

    async def test_a_sealed_field_is_absent_from_the_data(self, log: Log) -> None:
        record = (await log.records())[1]
        assert json.loads(record.data) == {"person_id": identity(1)}
        assert record.sealed is not None
        assert list(json.loads(record.sealed)) == ["name"]
        assert set(json.loads(record.sealed)["name"]) == {"subject", "event_id", "field", "nonce", "ciphertext"}

    async def test_a_seal_opens_with_its_key(self, log: Log) -> None:
        seal = await _seal_of(log, 2)
        assert (seal.subject, seal.field) == (PERSON, "name")
        assert await _opened(log, seal) == NAME

    async def test_a_sealed_value_of_several_parts_opens_whole(self, log: Log) -> None:
        said = CommentText(strengths="扎实", shortcomings="进度\n偏慢", directions="多走访")
        await log.append(proposed(a_comment(said)))
        seal = await _seal_of(log, 3, "text")
        assert CommentText.model_validate(await _opened(log, seal)) == said

    async def test_a_destroyed_key_erases_the_text_and_alters_nothing_that_is_hashed(self, log: Log) -> None:
        await log.append(proposed(a_person(2, OTHER_NAME)))
        seals = [await _seal_of(log, 2), await _seal_of(log, 3)]
        before = await log.rows()
        assert await _erase(log, PERSON) is True
        assert await _erase(log, PERSON) is False
        assert [await _opened(log, seal) for seal in seals] == [ERASED, OTHER_NAME]
        after = await log.rows()
        assert after == before
        previous = bytes(32)
        for row in after:
            assert row.leaf == leaf(row.salt, leaf_values(row._asdict()))
            assert row.hash == (previous := chain(previous, row.leaf))

    async def test_no_key_is_made_anew_for_whoever_was_erased(self, log: Log) -> None:
        await _erase(log, PERSON)
        before = await log.rows()
        with pytest.raises(KeyDestroyed) as caught:
            await log.append(proposed(a_person(1, OTHER_NAME)))
        assert caught.value.subject == PERSON
        assert await log.rows() == before
        assert await log.database.read(lambda c: keys_of(c, "demo", [PERSON])) == {}

    async def test_whoever_was_erased_holds_up_nobody_else_in_the_batch(self, log: Log) -> None:
        await _erase(log, PERSON)
        again, other = proposed(a_person(1, OTHER_NAME)), proposed(a_person(2, OTHER_NAME))
        answers = await asyncio.gather(log.append(again), log.append(other), return_exceptions=True)
        assert isinstance(answers[0], KeyDestroyed)
        assert isinstance(answers[1], list)

    async def test_a_key_that_is_put_back_after_the_erasure_opens_nothing(self, log: Log) -> None:
        seal = await _seal_of(log, 2)
        key = (await log.database.read(lambda c: keys_of(c, "demo", [PERSON])))[PERSON]
        await _erase(log, PERSON)
        row = {"org": "demo", "subject": PERSON, "key": key}
        await log.database.write(lambda c: c.execute(insert(seal_key), [row | {"created_at": START}]))
        await log.database.write(lambda c: c.execute(insert(seal_key_copy), [row]))
        assert await _opened(log, seal) == ERASED
        assert await log.database.read(lambda c: keys_of(c, "demo", [PERSON])) == {}

    async def test_a_copy_of_a_key_opens_unless_its_subject_was_erased_before_it_came(self, log: Log) -> None:
        seal = await _seal_of(log, 2)
        key = (await log.database.read(lambda c: keys_of(c, "demo", [PERSON])))[PERSON]
        await log.database.write(lambda c: c.execute(delete(seal_key)))
        assert await _opened(log, seal) is None
        for _ in range(2):
            await log.database.write(lambda c: keep_copies(c, "demo", {PERSON: key}))
            assert await _opened(log, seal) == NAME
        assert await _erase(log, PERSON)
        await log.database.write(lambda c: keep_copies(c, "demo", {PERSON: key}))
        assert await log.database.read(lambda c: c.scalar(select(func.count()).select_from(seal_key_copy))) == 0
        assert await _opened(log, seal) == ERASED

    @pytest.mark.parametrize(("scope", "subject"), [("college", f"scope/college/{identity(7)}"), ("public", None)])
    async def test_the_reason_of_a_late_entry_is_sealed_with_what_it_belongs_to(
        self, log: Log, scope: str, subject: str | None
    ) -> None:
        late = Context(START, late_reason="贺启明请假")
        await log.append(proposed(a_meeting(scope), context=late))
        row = (await log.rows())[2]
        assert row.leaf == leaf(row.salt, leaf_values(row._asdict()))
        if subject is None:
            assert (row.late_reason, row.sealed) == ("贺启明请假", None)
            return
        assert row.late_reason is None
        seal = Seal.model_validate(json.loads(row.sealed)["late_reason"])
        assert (seal.subject, seal.field) == (subject, "late_reason")
        assert await _opened(log, seal) == "贺启明请假"
        meeting = log.types.decode((await log.records())[2])
        assert isinstance(meeting, MeetingHeld)
        assert meeting.present == a_meeting(scope).present

    async def test_a_seal_copied_into_a_later_event_opens_and_is_erased_with_the_first(self, log: Log) -> None:
        seal = await _seal_of(log, 2)
        await log.append(proposed(PersonRegistered(person_id=identity(9), name=seal)))
        copied = await _seal_of(log, 3)
        assert copied == seal
        assert await _opened(log, copied) == NAME
        await _erase(log, PERSON)
        assert await _opened(log, copied) == ERASED

    async def test_a_copied_seal_stays_closed_where_the_scope_is_everybody(self, log: Log) -> None:
        said = CommentText(strengths="扎实", shortcomings="偏慢", directions="多走访")
        await log.append(proposed(a_comment(said)))
        seal = await _seal_of(log, 3, "text")
        await log.append(proposed(a_comment(seal, scope="public")))
        assert "text" not in json.loads((await log.records())[3].data)
        assert await _seal_of(log, 4, "text") == seal

    @pytest.mark.parametrize(
        "change",
        [
            {"field": "nickname"},
            {"event_id": UUID(int=7)},
            {"subject": OTHER},
            {"nonce": bytes(12)},
            {"nonce": b"short"},
            {"ciphertext": bytes(32)},
            {"ciphertext": b""},
        ],
        ids=str,
    )
    async def test_a_seal_said_to_come_from_elsewhere_does_not_open(self, log: Log, change: dict[str, object]) -> None:
        await log.append(proposed(a_person(2, OTHER_NAME)))
        seal = await _seal_of(log, 2)
        assert await _opened(log, seal.model_copy(update=change)) is None

    async def test_what_is_meant_for_everybody_is_in_the_clear(self, log: Log) -> None:
        await log.append(proposed(a_meeting("public")))
        record = (await log.records())[2]
        assert record.sealed is None
        assert json.loads(record.data)["summary"] == SUMMARY
        assert log.types.decode(record) == a_meeting("public")

    async def test_each_scope_of_each_unit_has_one_key(self, log: Log) -> None:
        await log.append(*(proposed(a_meeting(scope)) for scope in ("college", "unit", "college", "public")))
        subjects = await log.database.read(lambda c: c.scalars(select(seal_key.c.subject)).all())
        assert sorted(subjects) == sorted([PERSON, f"scope/college/{identity(7)}", f"scope/unit/{identity(7)}"])
        nonces = [(await _seal_of(log, position, "summary")).nonce for position in (3, 4, 5)]
        assert len(set(nonces)) == 3

    async def test_a_refused_append_makes_no_key(self, log: Log) -> None:
        with pytest.raises(Conflict):
            await log.append(proposed(a_person(2, OTHER_NAME)), expect={OTHER: 4})
        assert await log.database.read(lambda c: keys_of(c, "demo", [OTHER])) == {}

    async def test_organisations_have_keys_of_their_own(self, log: Log) -> None:
        await log.append(proposed(a_person(1, NAME)), org="other")
        assert await _erase(log, PERSON) is True
        event = log.types.decode((await log.records("other"))[1])
        assert isinstance(event, PersonRegistered)
        assert isinstance(event.name, Seal)
        assert await _opened(log, event.name, "other") == NAME
        assert await _opened(log, event.name) == ERASED

    async def test_many_seals_open_at_once_each_to_its_own(self, log: Log) -> None:
        names = [f"{OTHER_NAME}{n}" for n in range(600)]
        await log.append(*(proposed(a_person(n + 100, name)) for n, name in enumerate(names)))
        events = [log.types.decode(record) for record in (await log.records())[2:]]
        seals = [event.name for event in events if isinstance(event, PersonRegistered) and isinstance(event.name, Seal)]
        opened = await log.database.read(lambda c: open_seals(c, "demo", seals))
        assert [opened[seal] for seal in seals] == names
