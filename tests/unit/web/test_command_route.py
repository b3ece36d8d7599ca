"""A command is answered as FastAPI would have answered it, whichever way it took."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from httpx import ASGITransport, AsyncClient, Response

from avow.kernel.ports import Ports, SimulatedClock
from avow.service.settings import Settings
from avow.web import command_route
from avow_pledge.bootstrap import build
from tests.kit.logs import START, identity

TOKEN = "a token of twenty letters"
KEY = {"Idempotency-Key": "a-key-of-16-letters"}
UNIT = {"campaign_id": identity(1), "name": "党委", "kind": "committee"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    hosted = build(Settings(data=tmp_path, orgs=("demo",)), Ports(SimulatedClock(START)), TOKEN)
    await hosted.service.start()
    transport, token = ASGITransport(hosted.app), {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with AsyncClient(transport=transport, base_url="http://pledge", headers=token) as client:
            yield client
    finally:
        await hosted.service.stop()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each command whether it was well-formed."""
    noted: list[bool] = []
    arguments = command_route._Form.arguments

    async def noting(form: Any, request: Request) -> dict[str, Any] | None:
        found = await arguments(form, request)
        noted.append(found is not None)
        return found

    monkeypatch.setattr(command_route._Form, "arguments", noting)
    return noted


async def only_fastapi(form: Any, request: Request) -> None:
    """Find nothing well-formed."""


async def test_a_well_formed_command_is_answered_the_same_either_way(
    desk: AsyncClient, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await desk.post("/demo/campaigns", json={"template": "cxzy-2010"}, headers=KEY)
    assert (first.status_code, taken) == (201, [True])
    monkeypatch.setattr(command_route._Form, "arguments", only_fastapi)
    again = await desk.post("/demo/campaigns", json={"template": "cxzy-2010"}, headers=KEY)
    assert again.json() == first.json() | {"repeated": True}
    assert seen(again) == seen(first)


async def test_what_the_domain_refuses_is_refused_the_same_either_way(
    desk: AsyncClient, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await desk.post("/demo/units", json=UNIT, headers=KEY)
    assert (first.json()["code"], taken) == ("campaign.unknown", [True])
    monkeypatch.setattr(command_route._Form, "arguments", only_fastapi)
    again = await desk.post("/demo/units", json=UNIT, headers=KEY)
    assert said(again) == said(first)


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/demo/units", {}, UNIT),
        ("/demo/units", {"Idempotency-Key": "short"}, UNIT),
        ("/demo/units", KEY | {"Acting-As": "nobody"}, UNIT),
        ("/demo/units", KEY | {"traceparent": "00-1"}, UNIT),
        ("/demo/units", KEY, UNIT | {"colour": "red"}),
        ("/demo/units", KEY, {"name": 3}),
        ("/demo/units", KEY, [UNIT]),
        ("/demo/units", KEY, None),
        ("/elsewhere/units", KEY, UNIT),
        ("/Demo/units", KEY, UNIT),
        ("/demo/pledges/7/submit", KEY, {}),
    ],
)
async def test_what_is_not_well_formed_is_left_to_fastapi(
    desk: AsyncClient, taken: list[bool], path: str, headers: dict[str, str], body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await desk.post(path, json=body, headers=headers)
    assert taken == [False]
    assert 400 <= first.status_code < 500
    monkeypatch.setattr(command_route._Form, "arguments", only_fastapi)
    assert said(await desk.post(path, json=body, headers=headers)) == said(first)


async def test_a_header_that_comes_twice_is_left_to_fastapi(desk: AsyncClient, taken: list[bool]) -> None:
    twice = [("Idempotency-Key", "a-key-of-16-letters"), ("Idempotency-Key", "another-of-16-letters")]
    await desk.post("/demo/units", json=UNIT, headers=twice)
    assert taken == [False]


def seen(response: Response) -> tuple[int, dict[str, str]]:
    """What of an answer must not depend on its way."""
    return response.status_code, {name: value for name, value in response.headers.items() if name != "content-length"}


def said(response: Response) -> tuple[int, Any]:
    return response.status_code, {name: value for name, value in response.json().items() if name != "instance"}
