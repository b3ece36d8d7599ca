"""Bad input over HTTP: a 4xx that names the field and says what to do in both languages, and nothing stored."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.kit.deployed import Deployed, deployed

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("pair")) as running:
        wait_until_quiet(running)
        yield running


def wait_until_quiet(pair: Deployed) -> None:
    """Each book holds its own first event and the other's, so that nothing moves but by what a test does."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        statuses = [
            httpx.get(f"{url}/{org}/status", headers=pair.headers, trust_env=False).json()
            for url in pair.urls.values()
            for org in ("main", "other")
        ]
        if all(status["position"] == 2 for status in statuses):
            return
        time.sleep(0.1)
    raise AssertionError("the services do not hear each other")


@dataclass
class Desk:
    """A client that looks whether anything was stored."""

    pair: Deployed
    http: httpx.AsyncClient

    async def position(self) -> int:
        status = await self.http.get("status")
        return int(status.json()["position"])

    async def refused(self, status: int, path: str, body: object = None, **sent: Any) -> Mapping[str, Any]:
        """The problem a POST is answered with, after which the log stands where it stood."""
        before = await self.position()
        headers = {"Idempotency-Key": uuid4().hex, **sent.pop("headers", {})}
        if body is not None:
            sent["json"] = body
        answer = await self.http.post(path, headers=headers, **sent)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert await self.position() == before
        problem: dict[str, Any] = answer.json()
        for said in ("detail_zh", "detail_en", "todo_zh", "todo_en"):
            assert problem[said]
        return problem


@asynccontextmanager
async def desk(pair: Deployed, service: str, org: str = "main") -> AsyncIterator[Desk]:
    base = f"{pair.urls[service]}/{org}/"
    async with httpx.AsyncClient(base_url=base, headers=pair.headers, timeout=30, trust_env=False) as http:
        yield Desk(pair, http)


@pytest.fixture
async def pledge(pair: Deployed) -> AsyncIterator[Desk]:
    async with desk(pair, "pledge") as at:
        yield at


@pytest.fixture
async def evaluation(pair: Deployed) -> AsyncIterator[Desk]:
    async with desk(pair, "evaluation") as at:
        yield at


async def ask(at: Desk, path: str, body: Mapping[str, Any], acting_as: str | None = None) -> dict[str, Any]:
    headers = {"Idempotency-Key": uuid4().hex, **({"Acting-As": acting_as} if acting_as else {})}
    answer = await at.http.post(path, json=dict(body), headers=headers)
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def a_campaign(at: Desk, **own: str) -> str:
    campaign_id = str((await ask(at, "campaigns", {"template": "cxzy-2010", **own}))["id"])
    await ask(at, f"campaigns/{campaign_id}/approve", {})
    return campaign_id


async def a_unit(at: Desk, campaign_id: str) -> str:
    body = {"campaign_id": campaign_id, "name": "校党委", "kind": "committee"}
    return str((await ask(at, "units", body))["id"])


NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_an_unknown_campaign_unit_or_person_is_named(pledge: Desk) -> None:
    unit = {"campaign_id": NOBODY, "name": "校党委", "kind": "committee"}
    problem = await pledge.refused(404, "units", unit)
    assert (problem["code"], problem["field"]) == ("campaign.unknown", "campaign_id")
    campaign_id = await a_campaign(pledge)
    unit_id = await a_unit(pledge, campaign_id)
    problem = await pledge.refused(404, f"memberships/{NOBODY}/enrol", {"unit_id": unit_id, "standing": "full"})
    assert (problem["code"], problem["field"]) == ("person.unknown", "person_id")
    person_id = (await ask(pledge, "people", {"name": "阮知微"}))["id"]
    problem = await pledge.refused(404, f"memberships/{person_id}/enrol", {"unit_id": NOBODY, "standing": "full"})
    assert (problem["code"], problem["field"]) == ("unit.unknown", "unit_id")
    body = {"campaign_id": campaign_id, "person_id": NOBODY}
    problem = await pledge.refused(404, f"roles/{unit_id}/lg_head/appoint", body)
    assert (problem["code"], problem["field"]) == ("person.unknown", "person_id")


async def test_an_unknown_actor_is_refused(pledge: Desk) -> None:
    problem = await pledge.refused(422, "people", {"name": "阮知微"}, headers={"Acting-As": NOBODY})
    assert (problem["code"], problem["field"]) == ("actor.unknown", "Acting-As")


async def test_a_day_outside_the_campaign_is_refused(pledge: Desk) -> None:
    campaign_id = await a_campaign(pledge, ends_on="2012-11-30")
    unit_id = await a_unit(pledge, campaign_id)
    person_id = (await ask(pledge, "people", {"name": "阮知微"}))["id"]
    await ask(pledge, f"memberships/{person_id}/enrol", {"unit_id": unit_id, "standing": "full"})
    meeting = {
        "campaign_id": campaign_id,
        "unit_id": unit_id,
        "kind": "stage_summary",
        "agenda": ["campaign"],
        "chair_id": person_id,
        "present": 1,
        "expected": 1,
        "scope": "college",
        "summary": "总结",
    }
    problem = await pledge.refused(422, "meetings", meeting)
    assert (problem["code"], problem["field"]) == ("meeting.outside_campaign", "occurred_at")


async def test_a_late_entry_without_a_reason_and_one_from_the_future_are_refused(pledge: Desk) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    problem = await pledge.refused(422, "people", {"name": "阮知微", "occurred_at": long_ago})
    assert (problem["code"], problem["field"]) == ("time.late_without_reason", "late_reason")
    await ask(pledge, "people", {"name": "阮知微", "occurred_at": long_ago, "late_reason": "补录名册"})
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    problem = await pledge.refused(422, "people", {"name": "阮知微", "occurred_at": soon})
    assert (problem["code"], problem["field"]) == ("time.in_the_future", "occurred_at")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "阮" * 201}, "name"),
        ({"name": 7}, "name"),
        ({"name": "阮知微", "surname": "阮"}, "surname"),
        ({"name": "阮\u0000知微"}, "name"),
        ({"name": "阮知微", "occurred_at": "yesterday"}, "occurred_at"),
        ({"name": "阮知微", "occurred_at": "2010-09-01T08:00:00"}, "occurred_at"),
        ({"name": "阮知微", "occurred_at": 10**400}, "occurred_at"),
    ],
)
async def test_a_field_that_is_wrong_is_named(pledge: Desk, body: object, field: str) -> None:
    problem = await pledge.refused(422, "people", body)
    assert problem["field"] == field


async def test_what_is_no_json_is_refused(pledge: Desk) -> None:
    json_type = {"Content-Type": "application/json"}
    problem = await pledge.refused(400, "people", content=b'{"name": "', headers=json_type)
    assert problem["code"] == "request.malformed_json"
    problem = await pledge.refused(400, "people", content=b'{"name": "\xff\xfe"}', headers=json_type)
    assert problem["code"] == "request.not_utf8"
    problem = await pledge.refused(415, "people", content=b"name=x", headers={"Content-Type": "text/plain"})
    assert problem["code"] == "request.media_type"


async def test_ten_megabytes_are_refused_unread(pledge: Desk) -> None:
    before = await pledge.position()
    reader, writer = await asyncio.open_connection(*_address(pledge.pair.urls["pledge"]))
    head = (
        "POST /main/people HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {pledge.pair.token}\r\nIdempotency-Key: {uuid4().hex}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {10 * MEBIBYTE}\r\n\r\n"
    )
    writer.write(head.encode())
    await writer.drain()
    assert (await asyncio.wait_for(reader.readline(), 10)).split()[1] == b"413"
    writer.close()
    assert await pledge.position() == before


async def test_a_number_out_of_range_is_refused(evaluation: Desk, pledge: Desk) -> None:
    answer = await evaluation.http.get("ledger", params={"limit": 10**30})
    assert answer.status_code == 422
    assert answer.json()["field"] == "query.limit"
    answer = await pledge.http.get("feed", params={"after": -1})
    assert answer.status_code == 422


async def test_a_key_is_needed_and_belongs_to_one_command(pledge: Desk) -> None:
    answer = await pledge.http.post("people", json={"name": "阮知微"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "header.Idempotency-Key"
    headers = {"Idempotency-Key": uuid4().hex}
    first = await pledge.http.post("people", json={"name": "阮知微"}, headers=headers)
    again = await pledge.http.post("people", json={"name": "阮知微"}, headers=headers)
    assert (again.status_code, again.json()["id"], again.json()["position"]) == (
        201,
        first.json()["id"],
        first.json()["position"],
    )
    assert again.json()["repeated"] is True
    problem = await pledge.refused(422, "people", {"name": "卓怀瑾"}, headers=headers)
    assert problem["code"] == "idempotency.key_reused"


async def test_there_is_no_open_door(pair: Deployed) -> None:
    async with httpx.AsyncClient(trust_env=False) as stranger:
        for service, url in pair.urls.items():
            for path in (
                "main/status",
                "main/feed",
                "main/feed/live",
                "main/ledger",
                "docs",
                "openapi.json",
                "docs/events",
                "docs/events/pledge.made.v1.json",
                "asyncapi.json",
                "nowhere",
            ):
                answer = await stranger.get(f"{url}/{path}")
                assert answer.status_code == 401, (service, path)
            answer = await stranger.get(f"{url}/main/status", headers={"Authorization": "Bearer " + "x" * 32})
            assert answer.status_code == 401
            assert (await stranger.get(f"{url}/health")).json() == {"status": "ok"}


async def test_a_browser_with_the_link_may_look_and_not_write(pair: Deployed) -> None:
    url = pair.urls["pledge"]
    async with httpx.AsyncClient(trust_env=False) as browser:
        entered = await browser.get(f"{url}/docs", params={"token": pair.token})
        assert entered.status_code == 303
        assert "token" not in entered.headers["location"]
        assert "HttpOnly" in entered.headers["set-cookie"]
        assert (await browser.get(f"{url}/main/status")).status_code == 200
        answer = await browser.post(f"{url}/main/people", json={"name": "阮知微"})
        assert (answer.status_code, answer.json()["code"]) == (403, "auth.forbidden")


async def test_organisations_do_not_see_each_other(pair: Deployed, pledge: Desk) -> None:
    await ask(pledge, "people", {"name": "阮知微"})
    async with desk(pair, "pledge", "other") as other:
        assert (await other.http.get("people")).json()["items"] == []
    async with desk(pair, "pledge", "nobody") as nobody:
        answer = await nobody.http.get("people")
        assert (answer.status_code, answer.json()["code"]) == (404, "org.unknown")


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.gethostbyname(host), int(port)
