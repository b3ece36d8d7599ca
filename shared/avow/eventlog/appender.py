"""The appender: one task per process that gathers concurrent callers into batches (group commit).

Most requests are planned on the tail of their log as they come (tail.py), and written while the next are planned; the
others are written in a transaction, behind the locked head. Promises: every caller gets an answer; all or nothing for
each; a batch that one of its callers spoils is written by halves, so nobody else is refused; what was broken off is
written again behind the lock, where the events' ids show whether it had taken effect, else it is OutcomeUnknown; while
the database itself fails, whoever waits is told so at once (tests/contract/test_appender.py, tests/faults).
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from avow.eventlog.append import write_batch
from avow.eventlog.batch import Answer, OutcomeUnknown, Request
from avow.eventlog.database import Database
from avow.eventlog.faults import fault_of, in_doubt
from avow.eventlog.memory import Remembered
from avow.eventlog.records import Appended, Import, Proposed
from avow.eventlog.signal import Signal
from avow.eventlog.tail import Tail, look_up, swap
from avow.kernel.ports import Ports

BATCH = 256
SPLIT = 32
"""From so many callers on, half of them are written first, so that the others' events are ready when those are done.

Only where the database works in a process of its own: SQLite's thread and this one take turns anyway."""
_Waiting = tuple[Request, asyncio.Future[list[Appended]]]


@dataclass
class _Line:
    """Who waits for one organisation's log."""

    planned: deque[_Waiting] = field(default_factory=deque)
    """Those whose events are on the tail, in its order."""
    others: deque[_Waiting] = field(default_factory=deque)
    tail: Tail | None = None
    """Not there while others write to the log too, or while it is not known what became of a write."""
    known: Remembered | None = None
    undisturbed: bool = False
    """Whether the last transaction found the log as it was remembered."""
    flowing: bool = False
    """Whether events were ready when the last ones had been written."""

    def join(self, waiting: _Waiting) -> None:
        """Take a place: on the tail, unless somebody is there already who cannot be planned."""
        if self.others:
            self.others.append(waiting)
        else:
            self._place(waiting)

    def join_again(self) -> None:
        """Plan whoever can be planned now, in their order."""
        # Nobody is overtaken: under a steady load whoever cannot be planned would wait for ever.
        again, self.others = self.others, deque()
        for waiting in again:
            self.join(waiting)

    def _place(self, waiting: _Waiting) -> None:
        try:
            planned = self.tail is not None and self.tail.add(waiting[0])
        except Exception:  # noqa: BLE001 - the transaction says to its caller what is wrong with a request
            self.break_off()
            planned = False
        (self.planned if planned else self.others).append(waiting)

    def break_off(self, *first: _Waiting) -> None:
        """Plan no more: the log does not end where the tail begins, or nobody knows whether it does."""
        self.others.extendleft(reversed([*first, *self.planned]))
        self.planned.clear()
        self.tail = self.known = None


class Appender:
    """Appends to the logs of one database; `grown` is raised after each batch."""

    def __init__(self, database: Database, ports: Ports, grown: Signal) -> None:
        self._database = database
        self._ports = ports
        self._grown = grown
        self.granted, self.batches = 0, 0
        """How many requests were granted, and in how many batches, since this process began."""
        self._lines: dict[str, _Line] = {}
        self._turns: deque[str] = deque()
        """The organisations for whose logs somebody waits; the one whose turn is next stands first."""
        self._draining: asyncio.Task[None] | None = None

    async def append(
        self, org: str, items: Sequence[Proposed | Import], expect: Mapping[str, int] | None = None
    ) -> list[Appended]:
        """Append `items` if every stream in `expect` has the version given; where they stand in the log.

        Raises Conflict, ForeignImport, IdTaken, UnknownOrganisation, OutcomeUnknown, or the database's error.
        """
        waiting: asyncio.Future[list[Appended]] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(org, _Line()).join((Request(items, expect or {}), waiting))
        if org not in self._turns:
            self._turns.append(org)
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await waiting

    async def settled(self) -> None:
        """Return when every caller so far has an answer, so that the database may be closed."""
        if self._draining is not None:
            await asyncio.gather(self._draining, return_exceptions=True)

    async def _drain(self) -> None:
        while self._turns:
            org = self._turns[0]
            line = self._lines[org]
            answer = await self._turn(org, line)
            if isinstance(answer, Exception) and fault_of(answer):
                # Whoever came meanwhile would wait for the same failure; nothing of theirs was sent.
                line.break_off()
                _hand_out(line.others, [answer] * len(line.others))
                line.others.clear()
            self._grown.raise_()
            self._turns.popleft()
            if line.planned or line.others:
                self._turns.append(org)
            else:
                line.flowing = False
                if line.known is None:
                    # Nothing is remembered of it, perhaps because there is no such log.
                    del self._lines[org]

    def _note(self, answers: Sequence[Answer]) -> None:
        self.granted += sum(not isinstance(answer, Exception) for answer in answers)
        self.batches += 1

    async def _turn(self, org: str, line: _Line) -> Answer:
        """Write what stands first in a line, and hand out the answers; the last of them."""
        if line.tail is not None and line.others:
            await self._learn(org, line, line.tail)
        if line.tail is not None and line.planned:
            return await self._swap(org, line, line.tail)
        batch = [line.others.popleft() for _ in range(min(len(line.others), BATCH))]
        answers = await self._answers(org, line, [request for request, _ in batch])
        if line.known is not None and line.undisturbed:
            line.tail = Tail(org, line.known, self._ports)
        self._note(answers)
        _hand_out(batch, answers)
        return answers[-1]

    async def _learn(self, org: str, line: _Line, tail: Tail) -> None:
        """Look up the streams that keep somebody from being planned, and plan whoever can be."""
        unknown = tail.known.unknown([request for request, _ in line.others])
        if unknown:
            try:
                tail.known.learn(await look_up(self._database, org, sorted(unknown)))
            except Exception:  # noqa: BLE001 - the transaction meets the same, and says so to whom it concerns
                return
        line.join_again()

    async def _swap(self, org: str, line: _Line, tail: Tail) -> Answer:
        count = len(line.planned)
        split = count >= SPLIT and not line.flowing and self._database.dialect == "postgresql"
        cut = tail.cut(min(count // 2 if split else count, BATCH))
        batch = [line.planned.popleft() for _ in cut.answers]
        line.flowing = True
        answers: Sequence[Answer] = cut.answers
        try:
            moved = await swap(self._database, org, cut)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            line.break_off()
            answers = await self._after(org, line, [request for request, _ in batch], error)
        else:
            if not moved:
                line.break_off(*batch)
                return []
            tail.written(cut)
        self._note(answers)
        _hand_out(batch, answers)
        return answers[-1]

    async def _answers(self, org: str, line: _Line, requests: Sequence[Request]) -> list[Answer]:
        try:
            return await self._write(org, line, requests, repeating=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            return await self._after(org, line, requests, error)

    async def _after(self, org: str, line: _Line, requests: Sequence[Request], error: Exception) -> list[Answer]:
        if fault_of(error) and not in_doubt(error):
            return [error] * len(requests)
        return await self._settle(org, line, requests, in_doubt(error))

    async def _settle(self, org: str, line: _Line, requests: Sequence[Request], doubtful: bool) -> list[Answer]:
        """Write once more, their ids looked up first: all of them, else half of them at a time.

        A statement that was broken off may still reach the database. It takes effect before this one, and its ids are
        found; or after, and the head has moved on; so it is written once.
        """
        try:
            return await self._write(org, line, requests, repeating=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller gets an answer
            if fault_of(error):
                unknown = doubtful or in_doubt(error)
                return [OutcomeUnknown(str(error)) if unknown else error for _ in requests]
            if len(requests) == 1:
                # Such as for one id twice in it.
                return [error]
        half = len(requests) // 2
        first = await self._settle(org, line, requests[:half], doubtful)
        return first + await self._settle(org, line, requests[half:], doubtful)

    async def _write(self, org: str, line: _Line, requests: Sequence[Request], repeating: bool) -> list[Answer]:
        # Nothing is remembered of a log while it is not known what became of a write.
        known, line.known, line.tail = line.known, None, None
        work = partial(
            write_batch, org=org, requests=requests, ports=self._ports, remembered=known, repeating=repeating
        )
        written = await self._database.write(work)
        if known is None or not written.undisturbed:
            known = Remembered(written.head)
        known.head = written.head
        known.learn(written.versions)
        known.forget()
        line.known, line.undisturbed = known, written.undisturbed
        return written.answers


def _hand_out(waiting: Iterable[_Waiting], answers: Sequence[Answer]) -> None:
    for (_, future), answer in zip(waiting, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
