"""The log keeps its promises about order, versions and all-or-nothing on every engine."""

import asyncio
from functools import partial
from uuid import uuid4

import pytest

from avow.contracts.book import BookOpened
from avow.eventlog import reading
from avow.eventlog.append import UnknownOrganisation, open_book
from avow.eventlog.batch import Conflict
from avow.eventlog.database import open_database
from avow.eventlog.records import Appended, Proposed
from avow.kernel.ports import Ports
from tests.kit.logs import Log, Noted, a_log, a_unit, on_database, proposed

CALLERS = 64


def _stands(row: Appended) -> tuple[int, int | None, str, int]:
    return row.position, row.sequence, row.stream, row.version


class TestLog:
    async def test_a_book_opens_with_the_event_that_says_so(self, log: Log) -> None:
        (first,) = await log.records()
        head = await log.head()
        assert (first.position, first.version) == (1, 1)
        assert [row.sequence for row in await log.rows()] == [1]
        assert log.types.decode(first) == BookOpened(log_id=head.log_id, service="pledge", clock="simulated")

    async def test_a_book_is_opened_once_however_many_try(self, engine_url: str) -> None:
        databases = [open_database(engine_url) for _ in range(4)]
        async with a_log(engine_url, orgs=()) as log:
            heads = await asyncio.gather(
                *(database.write(lambda c: open_book(c, "demo", "pledge", Ports())) for database in databases)
            )
            assert len({head.log_id for head in heads}) == 1
            assert [row.position for row in await log.rows()] == [1]
        for database in databases:
            await database.close()

    async def test_positions_are_dense_and_in_commit_order_under_many_callers(self, log: Log) -> None:
        async def caller(n: int) -> list[Appended]:
            stream, answers = f"caller/{n}", []
            for version in range(5):
                answers += await log.append(proposed(a_unit(n), stream), expect={stream: version})
            return answers

        async def tail(until: int) -> list[int]:
            # A reader that remembers nothing but the last position it saw misses nothing.
            seen: list[int] = []
            while not seen or seen[-1] < until:
                last = seen[-1] if seen else 0
                page = await log.database.read(partial(reading.page, org="demo", after=last, upto=2**53, limit=7))
                seen += [record.position for record in page]
            return seen

        last = 1 + CALLERS * 5
        seen, *answers = await asyncio.gather(tail(last), *(caller(n) for n in range(CALLERS)))
        assert seen == list(range(1, last + 1))
        rows = {row.position: row for row in await log.rows()}
        for n, mine in enumerate(answers):
            assert isinstance(mine, list)
            assert [row.version for row in mine if isinstance(row, Appended)] == [1, 2, 3, 4, 5]
            for row in mine:
                assert isinstance(row, Appended)
                assert rows[row.position].event_id == row.event_id
                assert rows[row.position].stream == f"caller/{n}"

    async def test_only_public_events_take_a_sequence_and_it_is_dense(self, log: Log) -> None:
        events = [a_unit(1), Noted(text="a"), Noted(text="b"), a_unit(2), Noted(text="c"), a_unit(3)]
        appended = await log.append(*(proposed(event) for event in events))
        assert [(row.position, row.sequence) for row in appended] == [
            (2, 2), (3, None), (4, None), (5, 3), (6, None), (7, 4),
        ]  # fmt: skip
        assert [wire.sequence for wire in await log.envelopes()] == [1, 2, 3, 4]
        assert (await log.head()).sequence == 4

    async def test_the_answers_of_one_append_are_in_the_order_of_its_events(self, log: Log) -> None:
        items = [proposed(a_unit(n), stream) for n, stream in enumerate(["a/1", "b/1", "a/1", "a/1", "b/1"])]
        appended = await log.append(*items)
        assert [_stands(row)[2:] for row in appended] == [("a/1", 1), ("b/1", 1), ("a/1", 2), ("a/1", 3), ("b/1", 2)]
        assert [row.event_id for row in appended] == [item.event_id for item in items]

    async def test_an_append_of_nothing_writes_nothing(self, log: Log) -> None:
        assert await log.append(expect={"unit/none": 0}) == []
        assert (await log.head()).position == 1

    async def test_of_many_who_expect_one_version_one_writes(self, log: Log) -> None:
        tries = [log.append(proposed(a_unit(n), "unit/x"), expect={"unit/x": 0}) for n in range(CALLERS)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(answer, list) for answer in answers) == 1
        refused = [answer for answer in answers if isinstance(answer, Conflict)]
        assert len(refused) == CALLERS - 1
        assert {(error.stream, error.expected, error.actual) for error in refused} == {("unit/x", 0, 1)}
        assert [row.position for row in await log.rows()] == [1, 2]

    async def test_a_refused_caller_takes_no_position_and_holds_nobody_up(self, log: Log) -> None:
        before, refused, after = await asyncio.gather(
            log.append(proposed(a_unit(1)), proposed(a_unit(2))),
            log.append(proposed(a_unit(3)), proposed(a_unit(4), "unit/x"), expect={"unit/x": 1}),
            log.append(proposed(a_unit(5))),
            return_exceptions=True,
        )
        assert isinstance(before, list)
        assert isinstance(after, list)
        assert isinstance(refused, Conflict)
        assert [row.position for row in (*before, *after)] == [2, 3, 4]
        assert len(await log.rows()) == 4

    async def test_a_stream_that_is_only_read_is_expected_to_stand_still_too(self, log: Log) -> None:
        await log.append(proposed(a_unit(1), "round/1"))
        with pytest.raises(Conflict, match="round/1: expected version 0, found 1"):
            await log.append(proposed(a_unit(2)), expect={"round/1": 0})
        with pytest.raises(Conflict, match="round/2: expected version 1, found 0"):
            await log.append(proposed(a_unit(2)), expect={"round/1": 1, "round/2": 1})
        (row,) = await log.append(proposed(a_unit(2)), expect={"round/1": 1, "round/2": 0})
        assert row.position == 3

    async def test_whoever_comes_first_in_a_batch_is_what_the_next_conflicts_with(self, log: Log) -> None:
        first, second = await asyncio.gather(
            log.append(proposed(a_unit(1), "round/1")),
            log.append(proposed(a_unit(2), "ballot/1"), expect={"round/1": 0}),
            return_exceptions=True,
        )
        assert isinstance(first, list)
        assert isinstance(second, Conflict)

    @pytest.mark.parametrize("guarded", [True, False])
    async def test_events_appended_again_answer_where_they_stand(self, log: Log, guarded: bool) -> None:
        items = [proposed(a_unit(1), "unit/1"), proposed(Noted(text="a"), "note/1")]
        expect = {"unit/1": 0} if guarded else {}
        original = await log.append(*items, expect=expect)
        await log.append(proposed(a_unit(2), "unit/1"))
        again = await log.append(*items, expect=expect)
        assert again == original
        assert [row.repeated for row in (*original, *again)] == [False, False, True, True]
        assert (await log.head()).position == 4

    @pytest.mark.parametrize("guarded", [True, False])
    async def test_twins_in_one_batch_are_written_once(self, log: Log, guarded: bool) -> None:
        item = proposed(a_unit(1), "unit/1")
        expect = {"unit/1": 0} if guarded else {}
        one, two = await asyncio.gather(log.append(item, expect=expect), log.append(item, expect=expect))
        assert one == two
        assert (await log.head()).position == 2

    async def test_two_organisations_in_one_database_do_not_see_each_other(self, engine_url: str) -> None:
        async with a_log(engine_url, orgs=("demo", "other")) as log:
            item = proposed(a_unit(1), "unit/1")
            here, there = await asyncio.gather(
                log.append(item, expect={"unit/1": 0}), log.append(item, expect={"unit/1": 0}, org="other")
            )
            assert [_stands(*rows) for rows in (here, there)] == [(2, 2, "unit/1", 1)] * 2
            await log.append(proposed(a_unit(2), "unit/1"))
            assert [len(await log.rows(org)) for org in ("demo", "other")] == [3, 2]
            assert {row.org for row in await log.rows("other")} == {"other"}
            assert {wire.org for wire in await log.envelopes("other")} == {"other"}
            assert (await log.head()).log_id != (await log.head("other")).log_id
            assert (await log.head()).hash != (await log.head("other")).hash

    async def test_nobody_appends_to_a_book_that_was_not_opened(self, log: Log) -> None:
        wrong, right = await asyncio.gather(
            log.append(proposed(a_unit(1)), org="nobody"), log.append(proposed(a_unit(1))), return_exceptions=True
        )
        assert isinstance(wrong, UnknownOrganisation)
        assert isinstance(right, list)

    async def test_two_processes_on_one_database_stay_dense(self, log: Log) -> None:
        database = open_database(log.url)
        other = on_database(database, log.url, log.ports)

        async def caller(writer: Log, stream: str) -> int:
            conflicts = 0
            for _ in range(10):
                while True:
                    records = await writer.database.read(lambda c: reading.stream(c, "demo", stream))
                    item: Proposed = proposed(Noted(text=str(uuid4())), stream)
                    try:
                        await writer.append(item, proposed(a_unit(1)), expect={stream: len(records)})
                        break
                    except Conflict:
                        conflicts += 1
            return conflicts

        conflicts = await asyncio.gather(*(caller(w, f"note/{n}") for w in (log, other) for n in range(4)))
        await database.close()
        rows = await log.rows()
        assert [row.position for row in rows] == list(range(1, 162))
        assert [row.sequence for row in rows if row.sequence is not None] == list(range(1, 82))
        for n in range(4):
            assert [row.version for row in rows if row.stream == f"note/{n}"] == list(range(1, 21))
        assert sum(conflicts) > 0, "the two never met, so nothing was proved"
