"""Imports: each must be what its envelope says, and each must still be at its source, byte for byte.

Promises: an event the source altered, removed or cut off after it had travelled is named by the importer's copy, also
where the source computed all its hashes anew; what a source restored from an older backup lacks is named as a range,
with the place it can be had from; a source whose log was replaced is found by its old log id. Limit: what
the importer has not taken in yet has no copy; how far that is, `ImportVerdict.behind` says.
"""

from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy.exc import DBAPIError

from avow.audit import rows
from avow.audit.copies import Copy, copies, import_streams, last_copy, lines, public_end
from avow.audit.finding import Finding, Findings, unreadable
from avow.audit.progress import Progress
from avow.audit.rows import EventRow
from avow.contracts import envelope, moment
from avow.contracts.envelope import NotAnEnvelope
from avow.eventlog import reading
from avow.eventlog.database import Database
from avow.eventlog.records import import_stream


def import_fault(row: EventRow) -> Finding | None:
    """What is wrong with an imported row by itself, if anything."""
    try:
        wire = envelope.decode(row.data)
    except NotAnEnvelope:
        return Finding("import.unreadable", row.position)
    if not wire.leaf_holds():
        return Finding("import.leaf_mismatch", row.position, params={"sequence": wire.sequence})
    said: dict[str, JsonValue] = {
        "org": wire.org,
        "stream": import_stream(wire.log_id),
        "version": wire.sequence,
        "event_id": str(wire.event_id),
        "type": wire.type,
        "schema": wire.schema,
        "occurred_at": moment.to_text(wire.occurred_at),
    }
    for column, value in said.items():
        if getattr(row, column) != value:
            return Finding("import.differs_from_envelope", row.position, params={"column": column})
    return None


@dataclass(frozen=True)
class ImportVerdict:
    """How an importer's copy and its source agree: `imported` events were compared, the source has `at_source`."""

    importer: str | None
    source: str | None
    log_id: str | None = None
    imported: int = 0
    at_source: int = 0
    findings: tuple[Finding, ...] = ()
    faults: int = 0

    @property
    def ok(self) -> bool:
        return self.faults == 0

    @property
    def behind(self) -> int:
        """How many of the source's public events the importer has not taken in yet."""
        return max(0, self.at_source - self.imported)

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "ok": self.ok,
            "importer": self.importer,
            "source": self.source,
            "log_id": self.log_id,
            "imported": self.imported,
            "at_source": self.at_source,
            "behind": self.behind,
            "faults": self.faults,
            "findings": [finding.as_json() for finding in self.findings],
        }


async def verify_imports(
    importer: Database, source: Database, org: str, progress: Progress | None = None
) -> ImportVerdict:
    """Compare every event `importer` took in from `source` with the row it came from; positions are the importer's.

    Pages are read from each in turn, the importer first, so both may go on writing meanwhile.
    """
    comparison = _Comparison(importer, source, org)
    try:
        await comparison.run(progress)
    except DBAPIError as error:
        comparison.found.add(unreadable(error))
    return comparison.verdict()


class _Comparison:
    """An importer's copies beside their source, page by page."""

    def __init__(self, importer: Database, source: Database, org: str) -> None:
        self._importer, self._source, self._org = importer, source, org
        self._names: list[str | None] = [None, None]
        self._log_id: str | None = None
        self._imported = self._at_source = 0
        self._missing: tuple[Copy, Copy] | None = None
        """The first and the last of those copies just compared that have nothing at the source."""
        self.found = Findings()

    async def run(self, progress: Progress | None) -> None:
        heads = [await database.read(lambda c: rows.head(c, self._org)) for database in (self._importer, self._source)]
        self._names = [None if head is None else head.service for head in heads]
        self._log_id = None if heads[1] is None else heads[1].log_id
        for stream in await self._importer.read(lambda c: import_streams(c, self._org)):
            if self._log_id is not None and stream == import_stream(self._log_id):
                await self._compare(stream, progress)
            else:
                await self._seek(stream)
        self._at_source = await self._source.read(lambda c: public_end(c, self._org))

    async def _compare(self, stream: str, progress: Progress | None) -> None:
        """Line by line; what is missing at the source one after the other is one finding."""
        total = await self._importer.read(lambda c: reading.imported_upto(c, self._org, str(self._log_id)))
        while page := await self._importer.read(lambda c: copies(c, self._org, stream, self._imported)):
            originals = await self._source.read(lambda c: lines(c, self._org, [copy.sequence for copy in page]))
            for copy in page:
                original = originals.get(copy.sequence)
                if original is None:
                    self._missing = (self._missing[0] if self._missing else copy, copy)
                    continue
                self._tell_missing(stream)
                if original != copy.line:
                    differs = {"sequence": copy.sequence}
                    self.found.add(Finding("import.differs_from_source", copy.position, params=differs))
            self._imported = page[-1].sequence
            if progress is not None:
                progress(self._imported, total)
        self._tell_missing(stream)

    async def _seek(self, stream: str) -> None:
        """A log that says it is the source's, and is not its log any more, was replaced there."""
        for copy in await self._importer.read(lambda c: copies(c, self._org, stream, 0, 1)):
            try:
                service = envelope.decode(copy.line).service
            except NotAnEnvelope:
                # The verdict on the importer's own log names it.
                continue
            if self._names[1] in (None, service):
                last = await self._importer.read(lambda c: last_copy(c, self._org, stream))
                self._missing = copy, last or copy
                self._tell_missing(stream)

    def _tell_missing(self, stream: str) -> None:
        if self._missing is None:
            return
        first, last = self._missing
        self._missing = None
        where: dict[str, JsonValue] = {"importer": self._names[0], "stream": stream, "last_position": last.position}
        which: dict[str, JsonValue] = {"sequence": first.sequence, "upto": last.sequence}
        self.found.add(Finding("import.not_at_source", first.position, params={**which, **where}))

    def verdict(self) -> ImportVerdict:
        importer, source = self._names
        found = self.found
        return ImportVerdict(
            importer, source, self._log_id, self._imported, self._at_source, tuple(found.listed), found.count
        )
