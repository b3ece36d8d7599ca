"""What the log should answer, as a list and nothing else: one request after another, no engine, no memory, no batch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from avow.eventlog.batch import Conflict, ForeignImport, IdTaken, event_id_of
from avow.eventlog.records import Appended, Import, Proposed

Items = Sequence[Proposed | Import]
Outcome = list[Appended] | Exception


@dataclass(frozen=True)
class Asked:
    """A request as a caller puts it."""

    items: Items
    expect: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Model:
    """One organisation's log."""

    org: str
    log_id: UUID
    rows: list[Appended]

    def copy(self) -> "Model":
        """A log that goes on by itself from here."""
        return Model(self.org, self.log_id, list(self.rows))

    @property
    def versions(self) -> Counter[str]:
        return Counter(row.stream for row in self.rows)

    @property
    def sequence(self) -> int:
        return sum(row.sequence is not None for row in self.rows)

    def answer(self, asked: Asked) -> Outcome:
        """What the caller is told; what is not refused is appended."""
        stands = {row.event_id: row for row in self.rows}
        ids = [event_id_of(item) for item in asked.items]
        known = [stands[event_id] for event_id in ids if event_id in stands]
        if ids and [row.stream for row in known] == [item.stream for item in asked.items]:
            return known
        refusal = self._refusal(asked)
        if refusal is not None:
            return refusal
        if known:
            return IdTaken(", ".join(sorted({str(row.event_id) for row in known})))
        if len(set(ids)) < len(ids):
            return IntegrityError("one id twice", None, Exception())
        start = len(self.rows)
        for item, event_id in zip(asked.items, ids, strict=True):
            public = isinstance(item, Proposed) and item.event.public
            sequence = self.sequence + 1 if public else None
            version = self.versions[item.stream] + 1
            self.rows.append(Appended(len(self.rows) + 1, sequence, item.stream, version, event_id))
        return self.rows[start:]

    def _refusal(self, asked: Asked) -> Exception | None:
        versions = self.versions
        for stream, expected in asked.expect.items():
            if versions[stream] != expected:
                return Conflict(stream, expected, versions[stream])
        for item in asked.items:
            if isinstance(item, Import):
                if item.envelope.log_id == self.log_id or item.envelope.org != self.org:
                    return ForeignImport(str(item.envelope.log_id))
                if item.envelope.sequence != versions[item.stream] + 1:
                    return Conflict(item.stream, item.envelope.sequence - 1, versions[item.stream])
                versions[item.stream] += 1
        return None


def explained(model: Model, queues: Sequence[Sequence[tuple[Asked, object]]]) -> Model | None:
    """The log after some order of the requests that gives every caller the answer it got; None if there is no such.

    Each queue is served in its order; what comes between the requests of different queues is open.
    """
    if not any(queues):
        return model
    for n, queue in enumerate(queues):
        if queue:
            (asked, told), *later = queue
            after = model.copy()
            if same(after.answer(asked), told):
                found = explained(after, [*queues[:n], later, *queues[n + 1 :]])
                if found is not None:
                    return found
    return None


def same(due: Outcome, told: object) -> bool:
    """Whether a caller was told what was due, down to which stream and which ids stood in its way."""
    if isinstance(due, IntegrityError):
        return isinstance(told, IntegrityError)
    if isinstance(due, Exception):
        return type(due) is type(told) and str(due) == str(told)
    return due == told
