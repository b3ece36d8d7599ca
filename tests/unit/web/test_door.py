from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from avow.web.catalogue import SHARED, Catalogue
from avow.web.door import Door

TOKEN = "a-token-of-thirty-characters-ok"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("inside")(scope, receive, send)


DOOR = Door(behind, TOKEN, "avow_pledge", Catalogue.load(SHARED))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(DOOR), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "TRACE"])
@pytest.mark.parametrize("path", ["/main/status", "/docs/assets/x.js", "//health", "/health/", "/%2e%2e/health", "/"])
async def test_without_the_token_nothing_answers(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 401
    assert "inside" not in answer.text


async def test_health_needs_no_token(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).text == "inside"


async def test_the_header_opens_reads_and_writes(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert (await client.get("/x", headers=headers)).text == "inside"
    assert (await client.post("/x", headers=headers)).text == "inside"


@pytest.mark.parametrize("others", ["", "a/b=c; ", "foo[bar]=1; ", 'state={"a": 1}; ', "path=/; ", "=; ;; "])
async def test_the_cookie_opens_reads_whatever_cookies_come_with_it(client: httpx.AsyncClient, others: str) -> None:
    answer = await client.get("/x", headers={"Cookie": f"{others}avow_pledge={TOKEN}"})
    assert (answer.status_code, answer.text) == (200, "inside")


async def test_odd_cookies_of_others_open_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/x", headers={"Cookie": "a/b=c; foo[bar]=1"})).status_code == 401


async def test_the_cookie_writes_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post("/x", headers={"Cookie": f"avow_pledge={TOKEN}"})
    assert answer.status_code == 403


async def test_the_token_in_an_address_becomes_a_cookie_and_leaves_the_address(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"http://localhost//elsewhere.example/docs?a=1&token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/elsewhere.example/docs?a=1"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


async def test_a_websocket_is_closed_before_anything_behind_the_door_sees_it() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await DOOR({"type": "websocket", "path": "/main/status", "headers": [], "query_string": b""}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
