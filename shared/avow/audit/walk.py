"""The walk along a log, row by row: what each row has to agree with, and where the walk goes on behind a fault.

Promises: at most one finding a row, the first rule it breaks; behind it the walk goes on from what is stored, so a
fault is not told again by every row behind it (a removed row may still leave a hole in its own stream).
"""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue, ValidationError

from avow.audit.finding import Finding, Findings
from avow.audit.imports import import_fault
from avow.audit.rows import EventRow, HeadRow, number
from avow.contracts.book import BookOpened
from avow.contracts.leaf import FORMAT, GENESIS, chain, leaf


class Walk:
    """Where the walk stands: the last numbers, hash and time, the version of every stream, and what was found."""

    def __init__(self, noted: Mapping[int, str], opening_imports: bool = True) -> None:
        self.events = self.public_events = self.imported_events = 0
        self.position = self.sequence = 0
        self.hash = GENESIS
        self.found = Findings()
        self._recorded_at = ""
        self._versions: dict[str, int] = {}
        self._noted = noted
        self._opening_imports = opening_imports
        """Whether an import is also compared with the event inside it; its row's own leaf is recomputed anyway."""

    def damage(self, said: Iterable[str]) -> None:
        """Note what the database itself says is wrong with it."""
        for line in said:
            self.found.add(Finding("database.damaged", params={"reason": line}))

    def take(self, row: EventRow, head: HeadRow | None) -> None:
        """Check the next row against those before it."""
        self.events += 1
        due = self.position + 1
        if (column := row.malformed()) is not None:
            self._step_over(row, due)
            self.found.add(Finding("row.malformed", self.position, params={"column": column}))
            return
        gap = row.position != due
        if row.position > due:
            self.found.add(Finding("position.missing", due, params={"upto": row.position - 1}))
        elif gap:
            self.found.add(Finding("position.unexpected", row.position, params={"due": due}))
        if (fault := next(self._faults_of(row, head, gap), None)) is not None:
            self.found.add(fault)
        self.public_events += row.sequence is not None
        self.imported_events += row.imported
        self.position, self.hash, self._recorded_at = row.position, row.hash, row.recorded_at
        self.sequence = row.sequence or self.sequence
        self._versions[row.stream] = row.version

    def arrive(self, head: HeadRow | None, total: int) -> None:
        """Check the end of the log against its head row; `total` is how many rows the table says it has."""
        if head is None:
            self.found.add(Finding("head.missing", self.position) if self.events else Finding("book.unknown"))
        elif (upto := number(head.position)) > self.position:
            self.found.add(Finding("tail.missing", self.position + 1, params={"upto": upto}))
        elif not any(finding.position == self.position for finding in self.found.listed):
            stands = (self.position, self.sequence, self.hash, self._recorded_at)
            said = (head.position, head.sequence, head.hash, head.recorded_at)
            names = ("position", "sequence", "hash", "recorded_at")
            differing = [name for name, one, other in zip(names, said, stands, strict=True) if one != other]
            if differing:
                self.found.add(Finding("head.mismatch", self.position, params={"column": differing[0]}))
        if total != self.events:
            self.found.add(Finding("position.repeated", params={"rows": total, "events": self.events}))
        for position in sorted(position for position in self._noted if position > self.position):
            self.found.add(
                Finding("hash.not_as_noted", position, params={"noted": self._noted[position], "found": "-"})
            )

    def _step_over(self, row: EventRow, due: int) -> None:
        """Go on behind a row of which nothing can be relied on."""
        stored: object = row.hash
        self.position = number(row.position) or due
        self.hash = stored if isinstance(stored, bytes) else b""
        self.sequence = number(row.sequence) or self.sequence
        self._versions[str(row.stream)] = number(row.version)

    def _faults_of(self, row: EventRow, head: HeadRow | None, gap: bool) -> Iterator[Finding]:
        def fault(code: str, **params: JsonValue) -> Finding:
            return Finding(code, row.position, params=params)

        if row.format != FORMAT:
            yield fault("format.unknown", format=row.format)
        elif not _leaf_holds(row):
            yield fault("leaf.mismatch")
        # Behind a gap the chain has nothing to be compared with.
        if not gap and chain(self.hash, row.leaf) != row.hash:
            yield fault("chain.broken")
        if row.position in self._noted and row.hash.hex() != self._noted[row.position].lower():
            yield fault("hash.not_as_noted", noted=self._noted[row.position], found=row.hash.hex())
        if row.position == 1:
            yield from _book_faults(row, head)
        if row.sequence is not None and row.imported:
            yield fault("sequence.on_import", sequence=row.sequence)
        elif row.sequence is not None and row.sequence != self.sequence + 1 and not gap:
            yield fault("sequence.missing", due=self.sequence + 1, found=row.sequence)
        if row.version != (due := self._versions.get(row.stream, 0) + 1):
            yield fault("version.missing", stream=row.stream, due=due, found=row.version)
        if row.recorded_at < self._recorded_at:
            yield fault("time.backwards", recorded_at=row.recorded_at, before=self._recorded_at)
        # What was imported happened by another machine's clock.
        if row.occurred_at > row.recorded_at and not row.imported:
            yield fault("time.not_yet", occurred_at=row.occurred_at, recorded_at=row.recorded_at)
        if row.imported and self._opening_imports and (differing := import_fault(row)) is not None:
            yield differing


def _leaf_holds(row: EventRow) -> bool:
    try:
        return leaf(row.salt, row.leaf_values, row.format) == row.leaf
    except ValueError:
        return False


def _book_faults(row: EventRow, head: HeadRow | None) -> Iterator[Finding]:
    """The first event says which log this is; the head row has to agree."""
    try:
        opened = BookOpened.model_validate_json(row.data) if row.type == BookOpened.type else None
    except ValidationError:
        opened = None
    if opened is None or row.stream != f"book/{opened.log_id}":
        yield Finding("book.not_opened", row.position, params={"type": row.type})
    elif head is not None:
        said = {"log_id": str(opened.log_id), "service": opened.service, "clock": opened.clock}
        for name, value in said.items():
            if getattr(head, name) != value:
                yield Finding("head.mismatch", row.position, params={"column": name})
