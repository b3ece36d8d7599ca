"""While catching up a page is fetched, one read and one committed at a time; nothing is lost or counted twice."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from avow.bus import follower as following
from avow.bus.feed_client import FeedClient, FeedPage, FeedUnavailable
from avow.eventlog.records import Appended, Import
from tests.kit.following import PATIENCE, a_pair
from tests.unit.bus.serving import imported_by, lines_of


class Asking(FeedClient):
    """Notes after what it was asked for a page; with `broken` every other page is cut off."""

    def __init__(self, url: str, asked: list[int], broken: bool = False) -> None:
        super().__init__(url, "token")
        self._asked = asked
        self._broken = broken

    async def page(self, org: str, after: int, limit: int = 1000, types: Sequence[str] | None = None) -> FeedPage:
        self._asked.append(after)
        if self._broken and len(self._asked) % 2 == 0:
            raise FeedUnavailable("feed.cut_off")
        return await super().page(org, after, limit, types)


async def test_while_a_page_is_committed_the_next_two_are_on_their_way_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PAGE", 50)
    asked: list[int] = []
    async with a_pair(tmp_path, lambda url: Asking(url, asked)) as pair:
        append, go_on = pair.importer.appender.append, asyncio.Event()

        async def held(org: str, items: Sequence[Import]) -> list[Appended]:
            await go_on.wait()
            return await append(org, items)

        monkeypatch.setattr(pair.importer.appender, "append", held)
        async with pair.source(said=range(400)) as source:
            async with asyncio.timeout(PATIENCE):
                while len(asked) < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            assert asked == [0, 50, 100]
            assert await imported_by(pair.importer) == []
            go_on.set()
            await pair.has_imported(source)
    assert asked == list(range(0, 401, 50))


async def test_what_is_being_committed_as_the_feed_breaks_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PAGE", 50)
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.3)
    async with a_pair(tmp_path, lambda url: Asking(url, [], broken=True)) as pair:
        append = pair.importer.appender.append

        async def slow(org: str, items: Sequence[Import]) -> list[Appended]:
            await asyncio.sleep(0.05)
            return await append(org, items)

        monkeypatch.setattr(pair.importer.appender, "append", slow)
        async with pair.source(said=range(300)) as source:
            await pair.has_imported(source)
            assert pair.follower.taken["imported"] == len(await lines_of(source))
