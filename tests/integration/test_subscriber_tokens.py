"""A subscriber's token opens feeds and documents of its organisations, and nothing else there is."""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from avow.bus.subscribers import Subscriber, enrol, holder_of, looks_like_a_token, new_token, revoke
from avow.kernel.ports import Ports
from avow.service.hosting import Deployment, deployment, installed
from avow.service.settings import Settings
from avow.web import door
from tests.kit.logs import START

PORTS = Ports()
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
FEEDS = {"/{org}/feed", "/{org}/feed/head", "/{org}/feed/live"}
DOCUMENTS = {"/openapi.json", "/asyncapi.json", "/docs", "/docs/events", "/docs/events/{name}.json"}
OPEN = {"/health", "/health/live", "/health/ready"}


@dataclass(frozen=True)
class Guest:
    """A running pair, and a subscriber's token for the organisation `one` of `one` and `other`."""

    running: Deployment
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
async def guest(tmp_path: Path) -> AsyncIterator[Guest]:
    settings = Settings(data=tmp_path, orgs=("one", "other"), pledge_port=0, evaluation_port=0)
    token = new_token(PORTS)
    async with deployment(settings, PORTS) as running:
        for service in running.services.values():
            await service.database.write(partial(enrol, who=Subscriber("team", ("one",), (), START), token=token))
        yield Guest(running, token)


def paths_of(running: Deployment, service: str) -> list[str]:
    """Every route there is."""
    entry = installed()[service]
    app = entry.build(running.settings, PORTS, "a-token-of-twenty-characters").app
    return sorted({route.path for route in app.router.routes if isinstance(route, (APIRoute, Route))})


async def test_it_opens_the_feed_and_the_documents_and_no_other_route(guest: Guest) -> None:
    swept = 0
    for service, url in guest.running.urls.items():
        async with httpx.AsyncClient(base_url=url, headers=guest.headers, timeout=30) as client:
            for path in paths_of(guest.running, service):
                concrete = re.sub(r"\{[^}]+\}", "x", path.replace("{org}", "one"))
                for method in METHODS:
                    query = {"seconds": "1"} if path.endswith("/live") else {}
                    answer = await client.request(method, concrete, params=query)
                    swept += 1
                    if method in ("GET", "HEAD") and path in FEEDS | DOCUMENTS:
                        # No schema is called x.
                        fine = (404, 405) if "{name}" in path else (200, 405)
                        assert answer.status_code in fine, f"{method} {path}"
                    elif path not in OPEN:
                        assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
    assert swept > 400


@pytest.mark.parametrize(
    "path",
    [
        "/other/feed", "/other/feed/head", "/one/keys", "/one/keys?subject=person/1", "/one/feed/", "/one//feed",
        "/one/feed/../keys", "/one/%66eed/../keys", "/one/feed%2F..%2Fkeys", "/ONE/feed", "//one/feed", "/one/status",
        "/docs/../one/keys", "/docs%2F..%2Fone/keys", "/contracts/../one/keys", "/one/feed\n", "/", "/one",
    ],
)  # fmt: skip
async def test_no_way_of_writing_a_path_leads_elsewhere(guest: Guest, path: str) -> None:
    host, _, port = guest.running.urls["pledge"].removeprefix("http://").partition(":")
    raw = path.replace("\n", "%0A").encode()
    url = httpx.URL(scheme="http", host=host, port=int(port), raw_path=raw)
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.send(httpx.Request("GET", url, headers=guest.headers))
    # The assets of the page are looked for below its folder alone.
    assert answer.status_code == 403 or (path.startswith(("/docs", "/contracts")) and answer.status_code == 404)
    assert b"log_id" not in answer.content


async def test_a_revoked_token_opens_nothing_and_ends_the_stream_it_opened(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr("avow.bus.feed.BEAT", 0.1)
    service, url = guest.running.services["pledge"], guest.running.urls["pledge"]
    async with httpx.AsyncClient(base_url=url, headers=guest.headers, timeout=30) as client:
        assert (await client.get("/one/feed/head")).json()["service"] == "pledge"
        async with client.stream("GET", "/one/feed/live") as stream:
            chunks = stream.aiter_bytes()
            assert await anext(chunks)
            assert await service.database.write(partial(revoke, name="team", at=START))
            with pytest.raises(httpx.RemoteProtocolError):
                async for _ in chunks:
                    pass
        answer = await client.get("/one/feed/head")
        assert (answer.status_code, answer.json()["code"]) == (401, "auth.required")
    assert not await service.database.write(partial(revoke, name="team", at=START))


async def test_the_table_holds_no_token(guest: Guest, tmp_path: Path) -> None:
    service = guest.running.services["pledge"]
    who = await service.database.read(partial(holder_of, token=guest.token))
    assert who == Subscriber("team", ("one",), (), START)
    files = [name for name in os.listdir(tmp_path) if name.startswith("pledge.db")]
    assert files
    assert [name for name in files if guest.token in (tmp_path / name).read_text("latin-1")] == []
    assert looks_like_a_token(guest.token)
    for odd in ("", "sub_", guest.token + "x", guest.token[:-1], f" {guest.token}"):
        assert not looks_like_a_token(odd)
