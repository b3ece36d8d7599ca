"""The feed in pages: whole, in order, filtered if asked, and nothing in it that is not public."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from avow.bus import feed
from avow.bus.inbox import Inbox
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, Log, Noted, a_log, a_person, a_unit, proposed
from tests.unit.bus.serving import feed_app, lines_of, say


@pytest.fixture(params=["sqlite", "postgresql"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    """A log on each kind of database."""
    new_url: Callable[[], str] | None = None
    if request.param == "postgresql":
        new_url = request.getfixturevalue("new_postgres_url")
    async with a_log(new_url() if new_url else f"sqlite:///{tmp_path}/log.db") as opened:
        yield opened


@pytest.fixture
async def http(log: Log) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the log's feed, in process."""
    transport = httpx.ASGITransport(feed_app(log.database, log.grown, asyncio.Event()))
    async with httpx.AsyncClient(transport=transport, base_url="http://source") as client:
        yield client


async def page(http: httpx.AsyncClient, **query: object) -> tuple[list[bytes], dict[str, Any]]:
    """The lines and the end of a page."""
    response = await http.get(f"/{ORG}/feed", params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/x-ndjson"
    *lines, end, nothing = response.content.split(b"\n")
    assert nothing == b""
    return lines, json.loads(end)


class TestPages:
    async def test_page_after_page_is_the_whole_feed(
        self, log: Log, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed, "PART", 4)
        await say(log, *range(24))
        read: list[bytes] = []
        ends: list[int] = []
        while not ends or ends[-1] < 25:
            lines, end = await page(http, after=ends[-1] if ends else 0, limit=10)
            read += lines
            ends.append(end["scanned_to"])
            assert end == {"scanned_to": ends[-1], "head": 25, "log_id": str((await log.head()).log_id)}
        assert read == await lines_of(log)
        assert ends == [10, 20, 25]

    async def test_the_end_of_the_feed_is_an_empty_page(self, log: Log, http: httpx.AsyncClient) -> None:
        await say(log, 1)
        lines, end = await page(http, after=2)
        assert (lines, end["scanned_to"], end["head"]) == ([], 2, 2)

    async def test_a_filtered_reader_learns_how_far_the_log_was_scanned(
        self, log: Log, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed, "PART", 2)
        for n in range(5):
            await log.append(proposed(a_unit(2 * n)), proposed(a_person(2 * n + 1)))
        every = await lines_of(log)
        assert await page(http, types="person.registered", limit=3) == (
            [every[2], every[4], every[6]],
            {"scanned_to": 7, "head": 11, "log_id": str((await log.head()).log_id)},
        )
        lines, end = await page(http, after=7, types="person.registered,book.opened", limit=3)
        assert (lines, end["scanned_to"]) == ([every[8], every[10]], 11)
        lines, end = await page(http, types="pledge.made")
        assert (lines, end["scanned_to"]) == ([], 11)

    async def test_private_and_imported_events_cast_no_shadow(
        self, log: Log, http: httpx.AsyncClient, tmp_path: Path
    ) -> None:
        await log.append(proposed(Noted(text="私下")), proposed(a_unit(1)), proposed(Noted(text="私下")))
        ports = Ports(SimulatedClock(START), seeded(2))
        async with a_log(f"sqlite:///{tmp_path}/other.db", ports, service="evaluation") as other:
            await say(other, 1, 2, 3)
            await Inbox(log.database, log.appender, ORG).take(await lines_of(other))
        await log.append(proposed(Noted(text="私下")), proposed(a_unit(2)), proposed(Noted(text="私下")))
        lines, end = await page(http)
        assert [json.loads(line)["sequence"] for line in lines] == [1, 2, 3]
        assert (end["scanned_to"], end["head"]) == (3, 3)
        assert b"evaluation" not in b"".join(lines)

    async def test_a_line_is_a_line_whatever_the_text_holds(self, log: Log, http: httpx.AsyncClient) -> None:
        item = proposed(a_unit(1))
        text = "一行\u2028又一行\x85\r\n再一行"
        await log.append(replace(item, context=replace(item.context, late_reason=text)))
        lines, _ = await page(http)
        assert lines == await lines_of(log)
        assert json.loads(lines[1])["latereason"] == text

    async def test_a_reader_ahead_of_the_log_is_told_that_it_was_restored(
        self, log: Log, http: httpx.AsyncClient
    ) -> None:
        for path in (f"/{ORG}/feed?after=2", f"/{ORG}/feed/live?after=2"):
            response = await http.get(path, headers={"Accept-Language": "en"})
            assert response.status_code == 409
            assert response.headers["Content-Type"] == "application/problem+json"
            problem = response.json()
            assert (problem["code"], problem["field"]) == ("feed.cursor_ahead", "after")
            assert "at 2" in problem["detail"]
            assert "ends at 1" in problem["detail"]

    @pytest.mark.parametrize("path", ["feed", "feed/live", "feed/head"])
    async def test_an_unknown_organisation_has_no_feed(self, http: httpx.AsyncClient, path: str) -> None:
        response = await http.get(f"/nowhere/{path}")
        assert (response.status_code, response.json()["code"]) == (404, "org.unknown")

    async def test_the_head_says_whose_log_it_is_and_where_it_ends(self, log: Log, http: httpx.AsyncClient) -> None:
        await log.append(proposed(Noted(text="私下")), proposed(a_unit(1)))
        head = (await http.get(f"/{ORG}/feed/head")).json()
        assert head == {"log_id": str((await log.head()).log_id), "sequence": 2, "service": "pledge"}

    @pytest.mark.parametrize(
        "wrong",
        ["after=-1", "after=x", f"after={2**63}", "limit=0", "limit=5001", "types=", "types=pledge", "types=a.b,",
         "types=a.b%0A", "types=A.B", f"types={quote('a.b,' * 900)}a.b"],
    )  # fmt: skip
    async def test_a_question_that_makes_no_sense_is_refused(self, http: httpx.AsyncClient, wrong: str) -> None:
        assert (await http.get(f"/{ORG}/feed?{wrong}")).status_code == 422

    @pytest.mark.parametrize("org", ["Demo", "de%00mo", "-demo", "x" * 33])
    async def test_a_name_that_no_organisation_has_is_refused(self, http: httpx.AsyncClient, org: str) -> None:
        assert (await http.get(f"/{org}/feed")).status_code == 422


async def test_the_document_says_what_the_feed_answers(tmp_path: Path) -> None:
    async with a_log(f"sqlite:///{tmp_path}/log.db") as log:
        paths = feed_app(log.database, log.grown, asyncio.Event()).openapi()["paths"]
    for path, media_type in (("feed", "application/x-ndjson"), ("feed/live", "text/event-stream")):
        answers = paths[f"/{{org}}/{path}"]["get"]["responses"]
        assert answers["200"]["content"] == {media_type: {"schema": {"type": "string"}}}
        assert {"401", "404", "409", "422"} < answers.keys()
        assert list(answers["409"]["content"]) == ["application/problem+json"]
        assert list(answers["422"]["content"]) == ["application/problem+json"]
