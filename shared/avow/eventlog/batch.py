"""One batch of appends: decide purely who may write, number the events, chain them.

Promises: all or nothing for each request; a request in conflict takes no position; requests are served in their
order, so an earlier one in the batch can be what a later one conflicts with (tests/unit/eventlog/test_batch.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from avow.eventlog.records import Appended, Import, Proposed

Answer = list[Appended] | Exception
"""Where a request's events stand, or why it was refused."""
Placed = tuple[Proposed | Import, Appended]
"""An item and where it will stand."""


class Conflict(Exception):
    """A stream is not at the version the request expected; nothing of the request was written."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream}: expected version {expected}, found {actual}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class ForeignImport(Exception):
    """A line of this very log, or of another organisation's, was offered for import."""


class IdTaken(Exception):
    """Event ids of the request are in the log in other streams or company; nothing of the request was written."""


class OutcomeUnknown(Exception):
    """The database broke off while committing and cannot be asked whether it did; ask again with the same ids."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one caller wants appended; `expect` names versions the listed streams must have, written to or not."""

    items: Sequence[Proposed | Import]
    expect: Mapping[str, int] = field(default_factory=dict)

    @property
    def streams(self) -> set[str]:
        return {item.stream for item in self.items} | set(self.expect)

    @property
    def event_ids(self) -> list[UUID]:
        return [event_id_of(item) for item in self.items]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of an organisation's log."""

    log_id: UUID
    service: str
    clock: str
    position: int
    sequence: int
    hash: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: an answer for each request, in their order, and how the log stands now."""

    answers: list[Answer]
    head: Head
    versions: dict[str, int]
    """Of every stream the batch wrote or looked at."""
    undisturbed: bool
    """Whether nobody else had written since what was remembered."""


class Numbering:
    """Gives out the numbers behind the end of a log; `versions` (absent: 0) moves on with it, the latest last."""

    def __init__(self, org: str, head: Head, versions: dict[str, int]) -> None:
        self.versions = versions
        self._org = org
        self._head = head
        self._position, self._sequence = head.position, head.sequence

    def refusal(self, request: Request) -> Exception | None:
        """Why the request is refused, if it is."""
        return _refusal(self._org, self._head, request, self.versions)

    def place(self, request: Request) -> Answer:
        """Where the request's events will stand; or why it is refused, and nothing has moved."""
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        places = []
        for item in request.items:
            self._position += 1
            stream = item.stream
            self.versions[stream] = version = self.versions.pop(stream, 0) + 1
            public = isinstance(item, Proposed) and item.event.public
            self._sequence += public
            sequence = self._sequence if public else None
            places.append(Appended(self._position, sequence, stream, version, event_id_of(item)))
        return places


def number(
    org: str,
    head: Head,
    requests: Sequence[Request],
    versions: Mapping[str, int],
    known: Mapping[UUID, Appended],
) -> list[Answer]:
    """For each request where its events will stand, or stand already (`repeated`), or why it is refused.

    `versions` gives each stream's version before the batch (absent: 0), `known` the requests' ids that are in the log.
    """
    numbers = Numbering(org, head, dict(versions))
    written = dict(known)
    answers: list[Answer] = []
    for request in requests:
        answer = standing(request, written) or _taken(request, numbers, written) or numbers.place(request)
        if isinstance(answer, list):
            written.update((at.event_id, at) for at in answer)
        answers.append(answer)
    return answers


def _taken(request: Request, numbers: Numbering, written: Mapping[UUID, Appended]) -> Exception | None:
    """Why a request is refused of which something is written already, but not the whole as it was asked for."""
    taken = sorted({str(event_id) for event_id in request.event_ids if event_id in written})
    return numbers.refusal(request) or IdTaken(", ".join(taken)) if taken else None


def placed(requests: Sequence[Request], answers: Sequence[Answer]) -> list[Placed]:
    """The items that are to be written, each with its place, in their order."""
    return [
        (item, at)
        for request, answer in zip(requests, answers, strict=True)
        if isinstance(answer, list)
        for item, at in zip(request.items, answer, strict=True)
        if not at.repeated
    ]


def standing(request: Request, written: Mapping[UUID, Appended]) -> list[Appended] | None:
    """Where the whole request stands among what is written, or None unless it is there as it was asked for."""
    found = [replace(row, repeated=True) for item in request.items if (row := written.get(event_id_of(item)))]
    if not found or [row.stream for row in found] != [item.stream for item in request.items]:
        return None
    return found


def _refusal(org: str, head: Head, request: Request, current: Mapping[str, int]) -> Exception | None:
    for stream, expected in request.expect.items():
        actual = current.get(stream, 0)
        if actual != expected:
            return Conflict(stream, expected, actual)
    ahead: dict[str, int] = {}
    for item in request.items:
        if isinstance(item, Import):
            if item.envelope.log_id == head.log_id or item.envelope.org != org:
                return ForeignImport(str(item.envelope.log_id))
            # The importer's version is the source's sequence: anything but the next is a duplicate or a hole.
            version = ahead.setdefault(item.stream, current.get(item.stream, 0)) + 1
            if item.envelope.sequence != version:
                return Conflict(item.stream, item.envelope.sequence - 1, version - 1)
            ahead[item.stream] = version
    return None


def event_id_of(item: Proposed | Import) -> UUID:
    """The id an item has, or had at its source."""
    return item.event_id if isinstance(item, Proposed) else item.envelope.event_id
