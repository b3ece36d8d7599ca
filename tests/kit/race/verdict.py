"""The verdict on a race: what the log holds, what its readers saw and what its writers were told, side by side.

Promises: it rests on the rows, the readers' notes and the writers' ledgers alone; nothing is taken on trust from the
code that wrote (tests/race shows that it is found out when the head lock is taken away).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Row

from avow.audit.log import LogVerdict
from avow.eventlog.records import IMPORT

Rows = Sequence[Row[Any]]
Lines = Sequence[dict[str, Any]]
Seen = Sequence[tuple[int, str]]
Fault = tuple[str, str]


def faults(rows: Rows, audited: LogVerdict, seen: Sequence[Seen], ledgers: Lines) -> dict[str, list[str]]:
    """Everything that is wrong, by kind; nothing if the race was won.

    `seen` is what was read by position and by public sequence.
    """
    by_position = [(row.position, str(row.event_id)) for row in rows]
    by_sequence = [(row.sequence, str(row.event_id)) for row in rows if row.sequence is not None]
    found: dict[str, list[str]] = defaultdict(list)
    for kind, what in (
        *_of_numbers("position", by_position, seen[0]),
        *_of_numbers("sequence", by_sequence, seen[1]),
        *_of_streams(rows),
        *_of_requests(rows),
        *_of_answers(rows, ledgers),
        *(("broken", f"{finding.code} at {finding.position}") for finding in audited.findings),
    ):
        found[kind].append(what)
    return dict(found)


def _of_numbers(name: str, holds: Seen, seen: Seen) -> Iterator[Fault]:
    """What one reader missed, saw twice, saw otherwise or out of order; and whether the log itself is dense."""
    numbers = [number for number, _ in holds]
    yield from (("hole", f"{name} {number}") for number in set(range(1, len(holds) + 1)) - set(numbers))
    if numbers != sorted(numbers):
        yield "reordered", f"{name}s against the positions"
    for (before, _), (behind, _) in pairwise(seen):
        if behind <= before:
            yield "reordered", f"{name} {behind} seen behind {before}"
    for thing, times in (*Counter(seen).items(), *Counter(event_id for _, event_id in holds).items()):
        if times > 1:
            yield "doubled", f"{name}: {thing}"
    yield from (("skipped", f"{name} {number}") for number, _ in set(holds) - set(seen))
    yield from (("altered", f"{name} {number}") for number, _ in set(seen) - set(holds))


def _of_streams(rows: Rows) -> Iterator[Fault]:
    """Every stream's versions are dense and in the order of the log."""
    reached: Counter[str] = Counter()
    for row in rows:
        reached[row.stream] += 1
        if row.version != reached[row.stream]:
            yield "hole", f"{row.stream} has version {row.version} where {reached[row.stream]} was due"


def _of_requests(rows: Rows) -> Iterator[Fault]:
    """Every request is there whole, in one piece, and behind the very versions it expected."""
    reached: Counter[str] = Counter()
    whole: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        mark = _mark(row)
        if mark is not None:
            if mark["part"] == 0:
                for stream, expected in mark["expect"].items():
                    if reached[stream] != expected:
                        yield "moved on", f"{mark['request']}: {stream} was at {reached[stream]}, not at {expected}"
            whole[mark["request"]].append(row.position - mark["part"])
            if mark["part"] == mark["of"] - 1 and len(whole[mark["request"]]) != mark["of"]:
                yield "torn", f"{mark['request']}: {len(whole[mark['request']])} of {mark['of']}"
        reached[row.stream] += 1
    for request, starts in whole.items():
        if len(set(starts)) != 1:
            yield "torn", f"{request} is scattered"


def _of_answers(rows: Rows, ledgers: Lines) -> Iterator[Fault]:
    """What was acknowledged is there, as it was acknowledged every time; what was not is not."""
    stands = {str(row.event_id): (row.position, row.sequence, row.stream, row.version) for row in rows}
    told: set[str] = set()
    for line in ledgers:
        for event_id, *answer, _repeated in line.get("acknowledged", ()):
            told.add(event_id)
            if event_id not in stands:
                yield "lost", event_id
            elif stands[event_id] != tuple(answer):
                yield "misplaced", f"{event_id} was said to be at {answer}, and is at {stands[event_id]}"
        if line.get("why", "Conflict") != "Conflict":
            yield "failed", line["error"]
    yield from (("untold", event_id) for event_id in _asked_for(rows) if event_id not in told)


def _asked_for(rows: Rows) -> Iterable[str]:
    """All but what opened the book."""
    return (str(row.event_id) for row in rows if not row.stream.startswith("book/"))


def _mark(row: Row[Any]) -> dict[str, Any] | None:
    if row.stream.startswith((IMPORT, "book/")):
        return None
    mark: dict[str, Any] = json.loads(row.data)["mark"]
    return mark
