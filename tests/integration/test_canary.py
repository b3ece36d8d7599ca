"""A whole campaign, and much that goes wrong: no line, figure, queue or dead letter says a name, a secret or a vote."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import pytest
import structlog
from pydantic import SecretStr

from avow.bus.dead import garbage
from avow.bus.subscribers import Subscriber, enrol, new_token
from avow.contracts.envelope import decode
from avow.demo.client import Player
from avow.demo.playing import BEGINS, play
from avow.eventlog import dead_letters
from avow.kernel.ports import SimulatedClock
from avow.observe.logging import Style, configure_logging
from avow.service.service import Service
from avow.service.settings import Settings
from tests.kit.rabbit import PrivateRabbit
from tests.kit.staged import ORG, staged
from tests.kit.tiny_college import MEMBERS, TINY

TOKEN = "the-operators-token-swordfish"
SCRAPER = "the-scrapers-token-swordfish"
MARKER = "祁安然的私事"
GRADES = ("fairly_satisfied", '"satisfied"', "not_satisfied", "sat4")
PATIENCE = 60.0


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process writes into its log."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.StringIO()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every credential that was handed out."""
    found: set[str] = set()
    ask = Player.ask

    async def noting(player: Player, path: str, body: Mapping[str, Any], acting_as: str | None = None) -> Any:
        answer = await ask(player, path, body, acting_as)
        found.update(answer.get("credentials", ()))
        return answer

    monkeypatch.setattr(Player, "ask", noting)
    return found


def require_silence(told: str, secrets: set[str], where: str, *more: str) -> None:
    """Nothing in it is anybody's name, a token, a credential, or what only a failing request said."""
    assert told, where
    for canary in (*MEMBERS, *secrets, TOKEN, SCRAPER, MARKER, "swordfish", *more):
        assert canary not in told, f"{where} tells {canary}"


async def go_wrong(url: str) -> None:
    """Ask for much that is refused, unknown or broken, with secrets in every place a request has."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        key = {"Idempotency-Key": "swordfish-swordfish"}
        for path in (f"/{ORG}/people/{MARKER}", f"/{MARKER}/feed", f"/{ORG}/{MARKER}?q={MARKER}", "/main/feed"):
            await http.get(path, headers=bearer)
            await http.get(path, headers={b"Authorization": f"Bearer {MARKER}".encode()})
            await http.post(path, headers=bearer | key, json={"name": MARKER})
        for body in (b"", MARKER.encode(), b'{"name": 1, "x": "%b"}' % MARKER.encode(), b"\xff"):
            await http.post(f"/{ORG}/people", headers=bearer | key, content=body)
        for credential in ("0" * 32, MARKER):
            ballot = {"credential": credential, "rows": {MARKER: "satisfied"}}
            await http.post(f"/{ORG}/rounds/{'0' * 8}-0000-4000-8000-{'0' * 12}/ballots", headers=bearer, json=ballot)
        await http.get(f"/docs?token={TOKEN}")
        forged = {b"traceparent": MARKER.encode(), b"authorization": f"Bearer {TOKEN}".encode()}
        await http.get(f"/{ORG}/status", headers=forged)


async def subscribe(service: Service, url: str) -> str:
    """Let a subscriber read, and ask for more than is theirs; their token."""
    token = new_token(service.ports)
    who = Subscriber("canary", (ORG,), (), service.ports.clock.now())
    await service.database.write(partial(enrol, who=who, token=token))
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
        codes = [(await http.get(f"/{ORG}/{path}")).status_code for path in ("feed/head", "people")]
    assert codes == [200, 403]
    return token


async def break_down(service: Service, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the database fail a request, a handler break, and a reaction fail, each with a secret in the exception."""
    with monkeypatch.context() as patch:

        async def broken(*_: object) -> None:
            raise KeyError(MARKER)

        patch.setattr(service.database, "read", broken)
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            answer = await http.get(f"/{ORG}/status")
        assert answer.status_code == 500
        await asyncio.sleep(1.5)
    await service.reactions.carry_out("canary", ORG, service.ports.new_id(), partial(_fail, KeyError(MARKER)))
    letters = [garbage("q", MARKER, MARKER, MARKER, "form", MARKER.encode())]
    await service.dead.bury(ORG, letters)


async def _fail(error: Exception) -> None:
    raise error


async def counted(urls: Mapping[str, str]) -> str:
    """What is told to whoever collects it, and to whoever asks how it is."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {SCRAPER}"}) as http:
        pages = [
            (await http.get(f"{url}{path}")).text for url in urls.values() for path in ("/metrics", "/health/ready")
        ]
    return "\n".join(pages)


async def laid_aside(service: Service) -> str:
    """What is listed of the dead letters."""
    return "\n".join(str(asdict(group)) for group in await service.database.read(dead_letters.groups))


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[list[bytes]]:
    """Whatever is said to subscribers on the broker."""
    connection = await aio_pika.connect(url)
    heard: list[bytes] = []

    async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        heard.append(message.body + str(message.headers).encode() + (message.routing_key or "").encode())
        await message.ack()

    try:
        async with connection.channel() as channel:
            exchange = await channel.declare_exchange("avow.events", "topic", durable=True)
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind(exchange, "#")
            await queue.consume(hear)
            yield heard
    finally:
        await connection.close()


@pytest.mark.parametrize("style", ["json", "console"])
async def test_nothing_tells_of_anybody(
    tmp_path: Path, written: io.StringIO, secrets: set[str], monkeypatch: pytest.MonkeyPatch, style: Style
) -> None:
    settings = Settings(
        data=tmp_path, orgs=(ORG,), pledge_port=0, evaluation_port=0,
        operator_token=SecretStr(TOKEN), metrics_token=SecretStr(SCRAPER),
    )  # fmt: skip
    configure_logging(written, logging.DEBUG, style)
    async with staged(settings, SimulatedClock(BEGINS)) as (running, stage):
        await play(stage, TINY)
        for name, url in running.urls.items():
            await go_wrong(url)
            secrets.add(await subscribe(running.services[name], url))
            await break_down(running.services[name], url, monkeypatch)
        await stage.heard()
        require_silence(await counted(running.urls), secrets, "a page", *GRADES)
        for service in running.services.values():
            require_silence(await laid_aside(service), secrets, "a list of dead letters", *GRADES)
    lines = written.getvalue()
    require_silence(lines, secrets, "a line", *GRADES)
    assert len(secrets) > 100
    for said in ("request.failed", "reaction.failed", "dead_letters.kept", "import.state"):
        assert said in lines
    if style == "json":
        told = [json.loads(line) for line in lines.splitlines()]
        assert {line["service"] for line in told if line["event"] == "request.failed"} == {"pledge", "evaluation"}
        assert all(line["correlation_id"] for line in told if line["event"] == "request.failed")
        assert all("service" in line and "org" in line for line in told if line["event"] == "import.state")


async def test_the_broker_hears_public_events_alone_and_those_sealed(
    tmp_path: Path, written: io.StringIO, secrets: set[str], amqp_url: str, rabbit: PrivateRabbit
) -> None:
    settings = Settings(
        data=tmp_path, orgs=(ORG,), pledge_port=0, evaluation_port=0, operator_token=SecretStr(TOKEN),
        metrics_token=SecretStr(SCRAPER), bus=SecretStr(amqp_url),
    )  # fmt: skip
    configure_logging(written, logging.DEBUG, "json")
    async with listening(amqp_url) as heard, staged(settings, SimulatedClock(BEGINS)) as (running, stage):
        await play(stage, TINY)
        await stage.heard()
        heads = [service.relays[ORG] for service in running.services.values()]
        async with asyncio.timeout(PATIENCE):
            while len(heard) < sum(relay.status.head for relay in heads):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        require_silence(await counted(running.urls), secrets, "a page", *GRADES)
    bodies = b"\n".join(heard).decode()
    require_silence(bodies, secrets, "a message", amqp_url)
    require_silence(written.getvalue(), secrets, "a line", *GRADES, amqp_url)
    types = {decode(body[: body.rindex(b"}{") + 1]).type for body in heard}
    assert {"person.registered", "pledge.made", "review.tallied"} <= types
    assert not {kind for kind in types if kind.startswith(("ballot", "credential", "roll"))}
