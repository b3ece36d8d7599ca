"""Seals: personal fields and narrower prose, encrypted under keys that can be destroyed.

AES-256-GCM, a random 12-byte nonce, associated data = event id ‖ field. Promises: the log never holds such a field in
the clear, nor the reason for a late entry beside it; destroying a key leaves every leaf as it is and the field
unreadable (tests/contract/test_seals.py).
Limit: whoever copied the key or the opened text before that has it still.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import JsonValue
from pydantic_core import to_jsonable_python
from sqlalchemy import Connection

from avow.eventlog.keys import erased_among, keys_of, make_keys
from avow.eventlog.records import Proposed, plain_fields
from avow.eventlog.tables import KEY_TABLES
from avow.kernel.seal import Seal, kept_under, sealed_fields

ERASED = "已删除 / erased"
LATE_REASON = "late_reason"
"""The field a late entry's reason is sealed as."""


class _ToSeal(NamedTuple):
    """A value and its key subject, None where it is a seal already."""

    value: object
    subject: str | None


def open_seals(connection: Connection, org: str, seals: Iterable[Seal]) -> dict[Seal, JsonValue]:
    """What each seal holds, as JSON values; ERASED where its key was destroyed, None where none here opens it."""
    seals = list(seals)
    subjects = {seal.subject for seal in seals}
    keys = [keys_of(connection, org, subjects, table) for table in KEY_TABLES]
    erased = erased_among(connection, org, subjects)
    return {
        seal: ERASED if seal.subject in erased else _open(seal, (found.get(seal.subject) for found in keys))
        for seal in seals
    }


def _open(seal: Seal, keys: Iterable[bytes | None]) -> JsonValue:
    for key in keys:
        try:
            if key is not None:
                bound = _bound_to(seal.event_id.bytes, seal.field)
                value: JsonValue = json.loads(AESGCM(key).decrypt(seal.nonce, seal.ciphertext, bound))
                return value
        except (InvalidTag, ValueError):
            # Not the key it was made with, or this is not how the seal was made.
            continue
    return None


def _bound_to(event_id: bytes, field: str) -> bytes:
    return event_id + field.encode()


def seal_all(
    connection: Connection,
    org: str,
    proposed: Sequence[Proposed],
    random_bytes: Callable[[int], bytes],
    now: datetime,
) -> list[tuple[bytes, bytes | None]]:
    """The `data` and `sealed` bytes of each event; keys that are missing are made in the same transaction.

    Raises KeyDestroyed where a key would be made for somebody who was erased.
    """
    wanted = [_to_seal(item) for item in proposed]
    subjects = sorted({each.subject for fields in wanted for each in fields.values() if each.subject is not None})
    keys = keys_of(connection, org, subjects) if subjects else {}
    missing = {subject: random_bytes(32) for subject in subjects if subject not in keys}
    if missing:
        make_keys(connection, org, missing, now)
    return [
        _seal(item, fields, {**keys, **missing}, random_bytes) for item, fields in zip(proposed, wanted, strict=True)
    ]


def _json(value: object) -> bytes:
    return json.dumps(to_jsonable_python(value), ensure_ascii=False, separators=(",", ":")).encode()


def _to_seal(proposed: Proposed) -> dict[str, _ToSeal]:
    """What is left out of `data` and of the reason's column, by field."""
    event, reason = proposed.event, proposed.context.late_reason
    fields: dict[str, _ToSeal] = {}
    for name, mark in sealed_fields(type(event)).items():
        value = getattr(event, name)
        if isinstance(value, Seal):
            fields[name] = _ToSeal(value, None)
        elif value is not None and (subject := mark.subject(event)) is not None:
            fields[name] = _ToSeal(value, subject)
    if reason is not None and (subject := kept_under(event)) is not None:
        fields[LATE_REASON] = _ToSeal(reason, subject)
    return fields


def _seal(
    proposed: Proposed,
    fields: Mapping[str, _ToSeal],
    keys: Mapping[str, bytes],
    random_bytes: Callable[[int], bytes],
) -> tuple[bytes, bytes | None]:
    data = plain_fields(proposed.event, fields)
    if not fields:
        return data, None
    seals: dict[str, JsonValue] = {}
    for name, (value, subject) in fields.items():
        if subject is not None:
            nonce = random_bytes(12)
            text = AESGCM(keys[subject]).encrypt(nonce, _json(value), _bound_to(proposed.event_id.bytes, name))
            value = Seal(subject=subject, event_id=proposed.event_id, field=name, nonce=nonce, ciphertext=text)
        assert isinstance(value, Seal)
        seals[name] = value.model_dump(mode="json")
    return data, json.dumps(seals, ensure_ascii=False, separators=(",", ":")).encode()
