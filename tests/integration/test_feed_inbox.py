"""The inbox takes each event of the source once, in order and whole, on SQLite and on PostgreSQL alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from avow.bus.inbox import Inbox
from avow.bus.taken import Taken
from avow.contracts.envelope import decode, encode
from avow.eventlog.append import UnknownOrganisation
from avow.eventlog.batch import IdTaken
from avow.eventlog.database import open_database
from avow.eventlog.records import Appended
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, Log, Noted, a_log, a_person, a_unit, on_database, proposed
from tests.unit.bus.serving import imported_by, lines_of, say

N = 40


def inbox_of(log: Log) -> Inbox:
    return Inbox(log.database, log.appender, ORG)


def numbered(lines: list[bytes]) -> list[tuple[int, bytes]]:
    return list(enumerate(lines, 1))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/importer.db"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
async def importer(url: str) -> AsyncIterator[Log]:
    """The evaluation service's log."""
    async with a_log(url, Ports(SimulatedClock(START), seeded(2)), service="evaluation") as log:
        yield log


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Log]:
    """The pledge service's log."""
    async with a_log(f"sqlite:///{tmp_path}/source.db", orgs=(ORG, "other")) as log:
        yield log


@pytest.fixture
async def lines(source: Log) -> list[bytes]:
    """N lines of the source's feed, the first of which opens its book."""
    await say(source, *range(N - 1))
    return await lines_of(source)


class TestInbox:
    async def test_every_line_is_kept_as_it_was_sent(self, importer: Log, lines: list[bytes]) -> None:
        assert await inbox_of(importer).take(lines) == Taken(imported=N, reached=N)
        assert await imported_by(importer) == numbered(lines)

    async def test_duplicates_are_harmless(self, importer: Log, lines: list[bytes]) -> None:
        inbox = inbox_of(importer)
        thrice = [line for line in lines for _ in range(3)]
        assert await inbox.take(thrice) == Taken(imported=N, duplicates=2 * N, reached=N)
        assert await inbox.take(thrice) == Taken(duplicates=3 * N, reached=N)
        assert await imported_by(importer) == numbered(lines)

    @pytest.mark.parametrize("seed", range(3))
    async def test_order_comes_from_the_sequence_not_from_delivery(
        self, importer: Log, lines: list[bytes], seed: int
    ) -> None:
        inbox = inbox_of(importer)
        first, second = lines[::-1][N // 2 :], Random(seed).sample(lines, N)
        await inbox.take(first)
        assert await inbox.take(second) == Taken(imported=N // 2, duplicates=N // 2, reached=N)
        assert await imported_by(importer) == numbered(lines)

    async def test_a_hole_stops_the_import_and_is_named_until_it_is_filled(
        self, importer: Log, lines: list[bytes]
    ) -> None:
        inbox = inbox_of(importer)
        with_hole = lines[:10] + lines[13:]
        assert await inbox.take(with_hole) == Taken(imported=10, missing=range(11, 14), reached=10)
        assert await imported_by(importer) == numbered(lines[:10])
        assert await inbox.take(lines[10:13]) == Taken(imported=3, reached=13)
        assert await inbox.take(with_hole) == Taken(imported=N - 13, duplicates=10, reached=N)
        assert await imported_by(importer) == numbered(lines)

    async def test_what_another_process_imported_meanwhile_is_neither_missing_nor_doubled(
        self, importer: Log, lines: list[bytes]
    ) -> None:
        here, there = inbox_of(importer), inbox_of(importer)
        await here.take(lines[:10])
        await there.take(lines[:20])
        assert await here.take(lines[20:25]) == Taken(imported=5, reached=25)
        assert await there.take(lines[15:30]) == Taken(imported=5, duplicates=10, reached=30)
        assert await here.take(lines[30:31] + lines[33:]) == Taken(imported=1, missing=range(32, 34), reached=31)
        assert await imported_by(importer) == numbered(lines[:31])

    async def test_a_log_another_process_began_with_is_the_one_to_import_from(
        self, importer: Log, lines: list[bytes], tmp_path: Path
    ) -> None:
        here = inbox_of(importer)
        assert await here.take([]) == Taken()
        await inbox_of(importer).take(lines[:5])
        async with a_log(f"sqlite:///{tmp_path}/anew.db", Ports(SimulatedClock(START), seeded(9))) as anew:
            await say(anew, *range(3))
            assert await here.take(await lines_of(anew)) == Taken(rejected=4)

    async def test_a_steady_stream_is_imported_without_asking_how_far_it_is(
        self, importer: Log, lines: list[bytes]
    ) -> None:
        inbox, asked = inbox_of(importer), []
        await inbox.take(lines[:2])
        read = importer.database.read

        async def counted(work: Callable[[Connection], Any]) -> Any:
            asked.append(work)
            return await read(work)

        with patch.object(importer.database, "read", counted):
            for at in range(2, N):
                await inbox.take(lines[at : at + 1])
            assert asked == []
            await inbox.sources()
            assert len(asked) == 1
        assert await imported_by(importer) == numbered(lines)

    async def test_an_import_begins_at_the_beginning(self, importer: Log, lines: list[bytes]) -> None:
        assert await inbox_of(importer).take(lines[4:]) == Taken(missing=range(1, 5))
        assert await imported_by(importer) == []

    async def test_what_is_no_sound_event_of_the_source_is_rejected_and_holds_nothing_up(
        self, importer: Log, source: Log, lines: list[bytes]
    ) -> None:
        await source.append(proposed(a_unit(1)), org="other")
        others = [
            b"",
            b"{}",
            b"\xff\x00 garbage",
            lines[3][:-1],
            lines[5].replace("教工".encode(), "学生".encode()),
            *[line.replace(b'"/avow/other/', b'"/avow/demo/') for line in await other_lines(source)],
            *await other_lines(source),
            *await lines_of(importer),
        ]
        before = await importer.head()
        with capture_logs() as logged:
            assert await inbox_of(importer).take(others) == Taken(rejected=len(others))
        assert await importer.head() == before
        assert [entry["event"] for entry in logged] == ["import.rejected"]
        assert logged[0]["lines"] == len(others)
        assert "计算机" not in str(logged)
        mixed = [line for pair in zip(others, lines, strict=False) for line in pair] + lines[len(others) :]
        assert await inbox_of(importer).take(mixed) == Taken(imported=N, rejected=len(others), reached=N)
        assert await imported_by(importer) == numbered(lines)

    async def test_a_bad_leaf_leaves_a_hole(self, importer: Log, lines: list[bytes]) -> None:
        bad = [*lines[:5], lines[5].replace("教工".encode(), "学生".encode()), *lines[6:]]
        taken = await inbox_of(importer).take(bad)
        assert taken == Taken(imported=5, missing=range(6, 7), rejected=1, reached=5)

    async def test_a_log_whose_first_event_does_not_open_it_is_not_begun(
        self, importer: Log, lines: list[bytes]
    ) -> None:
        log_id = str(decode(lines[0]).log_id).encode()
        elsewhere = [line.replace(b"/pledge/" + log_id, b"/pledge/" + log_id[:-1] + b"0") for line in lines]
        assert await inbox_of(importer).take(elsewhere) == Taken(missing=range(1, 2), rejected=1)
        assert await imported_by(importer) == []

    async def test_a_log_opened_anew_is_not_mixed_with_the_old_one(
        self, importer: Log, lines: list[bytes], tmp_path: Path
    ) -> None:
        inbox = inbox_of(importer)
        await inbox.take(lines[:5])
        async with a_log(f"sqlite:///{tmp_path}/anew.db", Ports(SimulatedClock(START), seeded(3))) as anew:
            await say(anew, *range(9))
            assert await inbox.take(await lines_of(anew)) == Taken(rejected=10)
        assert await inbox.take(lines) == Taken(imported=N - 5, duplicates=5, reached=N)

    @pytest.mark.parametrize("offered", [1, N])
    async def test_an_event_whose_id_is_taken_is_not_passed_over(
        self, importer: Log, lines: list[bytes], offered: int
    ) -> None:
        await importer.append(proposed(a_person(1), event_id=decode(lines[0]).event_id))
        with pytest.raises(IdTaken):
            await inbox_of(importer).take(lines[:offered])
        assert await imported_by(importer) == []

    async def test_imported_events_are_none_of_the_importers_own(self, importer: Log, lines: list[bytes]) -> None:
        await inbox_of(importer).take(lines)
        await importer.append(proposed(Noted(text="私下")), proposed(a_unit(1)))
        assert [envelope.sequence for envelope in await importer.envelopes()] == [1, 2]

    async def test_a_source_says_how_far_it_is_imported(self, importer: Log, lines: list[bytes]) -> None:
        inbox = inbox_of(importer)
        assert await inbox.sources() == {}
        await inbox.take(lines[:7])
        assert await inbox.sources() == {"pledge": decode(lines[6])}

    async def test_an_organisation_without_a_book_imports_nothing(self, importer: Log, lines: list[bytes]) -> None:
        with pytest.raises(UnknownOrganisation):
            await Inbox(importer.database, importer.appender, "nowhere").take(lines)

    async def test_inboxes_that_race_import_each_event_once(self, importer: Log, source: Log, url: str) -> None:
        await say(source, *range(1300))
        lines = await lines_of(source)
        chunks = [lines[at : at + 130] for at in range(0, len(lines), 130)]

        async def feed(log: Log) -> list[Taken]:
            return [await inbox_of(log).take(chunk) for chunk in [*chunks, lines]]

        second = on_database(open_database(url), url, Ports(SimulatedClock(START), seeded(4)))
        try:
            taken = await asyncio.gather(feed(importer), feed(second), feed(importer))
        finally:
            await second.database.close()
        assert sum(one.imported for each in taken for one in each) == len(lines)
        assert await imported_by(importer) == numbered(lines)
        assert [row.position for row in await importer.rows()] == list(range(1, len(lines) + 2))

    async def test_an_inbox_that_was_overtaken_reads_again_and_goes_on(
        self, importer: Log, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append = importer.appender.append
        overtaken: list[bool] = []

        async def overtaking(org: str, items: list[object]) -> list[Appended]:
            if not overtaken:
                overtaken.append(True)
                assert await inbox_of(importer).take(lines[:11]) == Taken(imported=11, reached=11)
            return await append(org, items)  # type: ignore[arg-type]

        monkeypatch.setattr(importer.appender, "append", overtaking)
        assert await inbox_of(importer).take(lines) == Taken(imported=N - 11, duplicates=11, reached=N)
        assert await imported_by(importer) == numbered(lines)


async def other_lines(source: Log) -> list[bytes]:
    """The feed of the source's other organisation."""
    return [encode(envelope) for envelope in await source.envelopes("other")]
