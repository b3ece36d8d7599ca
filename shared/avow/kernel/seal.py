"""Seals: fields whose plain text is written under a key that can be destroyed, and the events that destroy one.

Promises: a seal says everything needed to open it except the key, so it can be carried into a later event as it is;
what is hashed is the ciphertext, so destroying a key alters nothing. A fold never opens a seal.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator

from avow.kernel.message import Event


def _to_bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    raise ValueError("expected base64")


Base64 = Annotated[
    bytes,
    PlainValidator(_to_bytes, json_schema_input_type=str),
    PlainSerializer(lambda v: base64.b64encode(v).decode(), return_type=str),
]


class Seal(BaseModel):
    """A sealed value: JSON encrypted with AES-256-GCM under the key of `subject`, bound to the event and the field
    it was first written in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    event_id: UUID
    field: str
    nonce: Base64
    ciphertext: Base64


@dataclass(frozen=True)
class SealedUnder:
    """Marks an event's field as sealed under the key whose subject the template names, such as `person/{person_id}`.

    The widest scope has no key: what is meant for everybody is written in the clear.
    """

    template: str

    @property
    def has_scope(self) -> bool:
        """Whether the field is meant for a scope, of which the widest has no key."""
        return self.template.startswith("scope/{scope}/")

    def subject(self, event: Event) -> str | None:
        """The key subject for this event's field, or None where it is public."""
        subject = self.template.format(**dict(event))
        return None if subject.startswith("scope/public/") else subject


@cache
def sealed_fields(event_type: type[Event]) -> Mapping[str, SealedUnder]:
    """The sealed fields of an event type, by name."""
    return {
        name: mark
        for name, info in event_type.model_fields.items()
        for mark in info.metadata
        if isinstance(mark, SealedUnder)
    }


@dataclass(frozen=True)
class DestroysKey:
    """Marks a field of an event that destroys, wherever it is taken into a log, the key whose subject the template
    names, such as `person/{person_id}`."""

    template: str

    def subject(self, event: Event) -> str:
        """The key subject that is erased."""
        return self.template.format(**dict(event))


@cache
def destroyed_keys(event_type: type[Event]) -> tuple[DestroysKey, ...]:
    """The keys an event of this type destroys."""
    fields = event_type.model_fields.values()
    return tuple(mark for info in fields for mark in info.metadata if isinstance(mark, DestroysKey))


def kept_under(event: Event) -> str | None:
    """The key subject of what is said beside an event, that of its first sealed field; None where all is public."""
    for name, mark in sealed_fields(type(event)).items():
        value = getattr(event, name)
        subject = value.subject if isinstance(value, Seal) else mark.subject(event)
        if subject is not None:
            return subject
    return None
