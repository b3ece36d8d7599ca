"""Seals: personal fields and narrower prose, encrypted under keys that can be destroyed.

AES-256-GCM, a random 12-byte nonce, associated data = event id ‖ field. Promises: the log never holds such a field in
the clear; destroying a key leaves every leaf as it is and the field unreadable (tests/contract/test_seals.py).
Limit: whoever copied the key or the opened text before that has it still.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue
from pydantic_core import to_jsonable_python
from sqlalchemy import Connection, delete, insert, select

from avow.eventlog.records import Proposed, plain_fields
from avow.eventlog.tables import seal_key
from avow.kernel.seal import Seal, sealed_fields

ERASED = "已删除 / erased"


def destroy_key(connection: Connection, org: str, subject: str) -> bool:
    """Destroy a key for ever; False where there was none."""
    where = (seal_key.c.org == org, seal_key.c.subject == subject)
    return connection.execute(delete(seal_key).where(*where)).rowcount > 0


def keys_of(connection: Connection, org: str, subjects: Iterable[str]) -> dict[str, bytes]:
    """The keys there are for these subjects."""
    wanted = sorted(set(subjects))
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        query = select(seal_key.c.subject, seal_key.c.key).where(seal_key.c.org == org, seal_key.c.subject.in_(part))
        found.update((row.subject, row.key) for row in connection.execute(query))
    return found


def open_seals(connection: Connection, org: str, seals: Iterable[Seal]) -> dict[Seal, JsonValue]:
    """What each seal holds, as JSON values; ERASED where its key is gone."""
    seals = list(seals)
    keys = keys_of(connection, org, (seal.subject for seal in seals))
    return {seal: _open(seal, keys.get(seal.subject)) for seal in seals}


def _open(seal: Seal, key: bytes | None) -> JsonValue:
    if key is None:
        return ERASED
    try:
        text = AESGCM(key).decrypt(seal.nonce, seal.ciphertext, _bound_to(seal.event_id.bytes, seal.field))
    except (InvalidTag, ValueError):
        # Another key was made for the subject after the first was destroyed, or this is not how the seal was made:
        # the text is gone all the same.
        return ERASED
    value: JsonValue = json.loads(text)
    return value


def _bound_to(event_id: bytes, field: str) -> bytes:
    return event_id + field.encode()


def seal_all(
    connection: Connection,
    org: str,
    proposed: Sequence[Proposed],
    random_bytes: Callable[[int], bytes],
    now: datetime,
) -> list[tuple[bytes, bytes | None]]:
    """The `data` and `sealed` bytes of each event; keys that are missing are made in the same transaction."""
    wanted = [_to_seal(item) for item in proposed]
    subjects = sorted({subject for fields in wanted for subject in fields.values() if subject is not None})
    keys = keys_of(connection, org, subjects) if subjects else {}
    missing = [subject for subject in subjects if subject not in keys]
    if missing:
        keys.update((subject, random_bytes(32)) for subject in missing)
        rows = [{"org": org, "subject": subject, "key": keys[subject], "created_at": now} for subject in missing]
        connection.execute(insert(seal_key), rows)
    return [_seal(item, fields, keys, random_bytes) for item, fields in zip(proposed, wanted, strict=True)]


def _json(value: object) -> bytes:
    return json.dumps(to_jsonable_python(value), ensure_ascii=False, separators=(",", ":")).encode()


def _to_seal(proposed: Proposed) -> dict[str, str | None]:
    """The fields to leave out of `data`: each with its key subject, or None where it arrives as a seal already."""
    event = proposed.event
    fields: dict[str, str | None] = {}
    for name, mark in sealed_fields(type(event)).items():
        value = getattr(event, name)
        if isinstance(value, Seal):
            fields[name] = None
        elif value is not None and (subject := mark.subject(event)) is not None:
            fields[name] = subject
    return fields


def _seal(
    proposed: Proposed,
    fields: Mapping[str, str | None],
    keys: Mapping[str, bytes],
    random_bytes: Callable[[int], bytes],
) -> tuple[bytes, bytes | None]:
    event = proposed.event
    data = plain_fields(event, fields)
    if not fields:
        return data, None
    seals: dict[str, JsonValue] = {}
    for name, subject in fields.items():
        value = getattr(event, name)
        if subject is not None:
            nonce = random_bytes(12)
            text = _json(value)
            bound = _bound_to(proposed.event_id.bytes, name)
            value = Seal(
                subject=subject,
                event_id=proposed.event_id,
                field=name,
                nonce=nonce,
                ciphertext=AESGCM(keys[subject]).encrypt(nonce, text, bound),
            )
        seals[name] = value.model_dump(mode="json")
    return data, json.dumps(seals, ensure_ascii=False, separators=(",", ":")).encode()
