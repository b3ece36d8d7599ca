"""The envelope: a public event as it travels, a CloudEvent with everything its leaf was computed from.

Promises: `data` and `sealed` are the bytes the log holds, untouched by encoding and decoding, so the receiver can
check the leaf (tests/unit/contracts/test_envelope.py). One envelope is one line of JSON in the feed.
"""

import re
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from uuid import UUID

import msgspec

from avow.contracts import moment
from avow.contracts.leaf import LEAF_COLUMNS, leaf

_SOURCE = re.compile(r"/avow/([a-z][a-z0-9-]{0,31})/([a-z]+)/([0-9a-f-]{36})")
_TYPE = re.compile(r"avow\.([a-z_]+(?:\.[a-z_]+)+)\.v([1-9][0-9]{0,3})")


class NotAnEnvelope(ValueError):
    """Bytes that are no event of ours: garbage, a missing attribute, or a leaf that does not fit."""


_hashed = attrgetter(*LEAF_COLUMNS)
_NOTHING = msgspec.Raw(b"null")
LAST = 2**63 - 1
"""The last sequence or version there can be."""


class _Wire(msgspec.Struct, omit_defaults=True):
    specversion: str
    id: UUID
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    sequence: int
    streamversion: int
    recordedat: str
    leaf: bytes
    leafsalt: bytes
    leafformat: int
    data: msgspec.Raw
    campaign: str | None = None
    actor: str | None = None
    onbehalfof: str | None = None
    correlationid: UUID | None = None
    causationid: UUID | None = None
    traceparent: str | None = None
    latereason: str | None = None
    sealed: msgspec.Raw = _NOTHING


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Wire)


def attributes() -> frozenset[str]:
    """What an event on the wire may say of itself."""
    return frozenset(_Wire.__struct_fields__)


class Envelope(msgspec.Struct, frozen=True):
    """A public event and its context, in the terms of the log it was written in."""

    org: str
    service: str
    log_id: UUID
    sequence: int
    stream: str
    version: int
    event_id: UUID
    type: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    campaign: str | None
    actor: str | None
    on_behalf_of: str | None
    correlation_id: UUID | None
    causation_id: UUID | None
    traceparent: str | None
    late_reason: str | None
    data: bytes
    sealed: bytes | None
    salt: bytes
    leaf: bytes
    format: int

    def leaf_holds(self) -> bool:
        """Whether the leaf is the one these columns give."""
        try:
            return self.leaf == leaf(self.salt, _hashed(self), self.format)
        except ValueError:
            return False


def encode(envelope: Envelope) -> bytes:
    """One line of JSON, without the line break."""
    return _encoder.encode(
        _Wire(
            specversion="1.0",
            id=envelope.event_id,
            source=f"/avow/{envelope.org}/{envelope.service}/{envelope.log_id}",
            type=f"avow.{envelope.type}.v{envelope.schema}",
            subject=envelope.stream,
            time=moment.to_text(envelope.occurred_at),
            datacontenttype="application/json",
            sequence=envelope.sequence,
            streamversion=envelope.version,
            recordedat=moment.to_text(envelope.recorded_at),
            leaf=envelope.leaf,
            leafsalt=envelope.salt,
            leafformat=envelope.format,
            data=msgspec.Raw(envelope.data),
            campaign=envelope.campaign,
            actor=envelope.actor,
            onbehalfof=envelope.on_behalf_of,
            correlationid=envelope.correlation_id,
            causationid=envelope.causation_id,
            traceparent=envelope.traceparent,
            latereason=envelope.late_reason,
            sealed=_NOTHING if envelope.sealed is None else msgspec.Raw(envelope.sealed),
        )
    )


def decode(line: bytes) -> Envelope:
    """The envelope a line holds; raises NotAnEnvelope for anything else. The leaf is not checked here."""
    try:
        wire = _decoder.decode(line)
        if wire.specversion != "1.0":
            raise NotAnEnvelope("not an Avow event")
        (org, service, log_id), (kind, schema) = _source(wire.source), _kind(wire.type)
        if not (1 <= wire.sequence <= LAST and 1 <= wire.streamversion <= LAST):
            raise NotAnEnvelope("positions start at 1 and fit into 63 bits")
        data, sealed = bytes(wire.data), None if bytes(wire.sealed) == b"null" else bytes(wire.sealed)
        if not data.startswith(b"{") or not (sealed is None or sealed.startswith(b"{")):
            raise NotAnEnvelope("data and sealed are objects")
        return Envelope(
            org=org,
            service=service,
            log_id=log_id,
            sequence=wire.sequence,
            stream=wire.subject,
            version=wire.streamversion,
            event_id=wire.id,
            type=kind,
            schema=schema,
            occurred_at=moment.from_text(wire.time),
            recorded_at=moment.from_text(wire.recordedat),
            campaign=wire.campaign,
            actor=wire.actor,
            on_behalf_of=wire.onbehalfof,
            correlation_id=wire.correlationid,
            causation_id=wire.causationid,
            traceparent=wire.traceparent,
            late_reason=wire.latereason,
            data=data,
            sealed=sealed,
            salt=wire.leafsalt,
            leaf=wire.leaf,
            format=wire.leafformat,
        )
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise error if isinstance(error, NotAnEnvelope) else NotAnEnvelope(str(error)) from error


# A log has one source and few types, and each is in every line of it.
@lru_cache(256)
def _source(text: str) -> tuple[str, str, UUID]:
    found = _SOURCE.fullmatch(text)
    if found is None:
        raise NotAnEnvelope("not an Avow event")
    return found[1], found[2], UUID(found[3])


@lru_cache(1024)
def _kind(text: str) -> tuple[str, int]:
    found = _TYPE.fullmatch(text)
    if found is None:
        raise NotAnEnvelope("not an Avow event")
    return found[1], int(found[2])
