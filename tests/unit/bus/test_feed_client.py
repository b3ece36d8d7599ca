"""A reader of the feed takes a whole page or none, and always gets an answer or a reason."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from avow.bus import feed_client
from avow.bus.feed_client import FeedClient, FeedUnavailable
from avow.bus.format import HEARTBEAT, frame

LOG_ID = "5d1c6c52-53f4-4d3c-9a0e-0d9f3a0a7c11"
END = f'{{"scanned_to":7,"head":9,"log_id":"{LOG_ID}"}}\n'.encode()
Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> FeedClient:
    return FeedClient("http://source/base", "t" * 20, httpx.MockTransport(answer))


async def read_live(answer: Answer) -> list[list[bytes]]:
    async with client(answer) as reader:
        return [lines async for lines in reader.live("demo", 7)]


async def test_a_page_is_its_lines_and_where_to_go_on() -> None:
    asked: list[httpx.Request] = []
    text = '{"text":"一行\u2028又一行"}\n'.encode()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b'{"n":6}\n' + text + END)

    async with client(answer) as reader:
        page = await reader.page("demo", 5, 2, ["pledge.made", "meeting.held"])
    assert page.lines == [b'{"n":6}', text[:-1]]
    assert (page.scanned_to, page.head, str(page.log_id)) == (7, 9, LOG_ID)
    assert str(asked[0].url) == "http://source/base/demo/feed?after=5&limit=2&types=pledge.made%2Cmeeting.held"
    assert asked[0].headers["Authorization"] == "Bearer " + "t" * 20


@pytest.mark.parametrize(
    "content", [b"", b"\n", b'{"n":6}\n', b'{"n":6}\n' + END[:-1], b'{"n":6}\n' + END[:-9] + b"\n"]
)
async def test_a_page_that_was_cut_off_is_no_page(content: bytes) -> None:
    async with client(lambda _: httpx.Response(200, content=content)) as reader:
        with pytest.raises(FeedUnavailable):
            await reader.page("demo", 5)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(409, json={"code": "feed.cursor_ahead"}), "feed.cursor_ahead"),
        (httpx.Response(502, text="<html>"), "http.502"),
        (httpx.Response(500, json=[]), "http.500"),
        (httpx.Response(302, headers={"Location": "http://elsewhere/"}), "http.302"),
    ],
)
async def test_an_answer_that_is_no_feed_gives_its_reason(response: httpx.Response, reason: str) -> None:
    async with client(lambda _: response) as reader:
        with pytest.raises(FeedUnavailable) as caught:
            await reader.page("demo", 5)
        assert caught.value.reason == reason
        with pytest.raises(FeedUnavailable) as caught:
            await anext(reader.live("demo", 5))
        assert caught.value.reason == reason


async def test_a_broken_connection_is_a_reason() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with client(answer) as reader:
        with pytest.raises(FeedUnavailable, match="ConnectError"):
            await reader.head("demo")
    with pytest.raises(FeedUnavailable, match="ConnectError"):
        await read_live(answer)


async def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_client, "ANSWER", 0.05)

    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with FeedClient("http://source", "token", httpx.MockTransport(never)) as reader:
        with pytest.raises(FeedUnavailable, match="TimeoutError"):
            await reader.page("demo", 0)


async def test_what_arrives_together_is_read_together() -> None:
    asked: list[httpx.Request] = []

    async def chunks() -> AsyncIterator[bytes]:
        yield HEARTBEAT + frame(8, b"a") + frame(9, b"b")[:-1]
        yield b"\n" + HEARTBEAT
        yield frame(10, b"c")

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=chunks())

    assert await read_live(answer) == [[b"a"], [b"b"], [b"c"]]
    assert asked[0].headers["Last-Event-ID"] == "7"


async def test_a_page_of_another_kind_is_no_live_stream() -> None:
    with pytest.raises(FeedUnavailable, match=r"feed\.unreadable"):
        await read_live(lambda _: httpx.Response(200, html="<p>data: no</p>"))
