"""Whoever asks: callers at both services who give a command again, under its key, until it is answered.

Every command begins something public, so that both relays publish and both inboxes import.
"""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import httpx

from tests.chaos.ledger import Ledger, Line, Service

ORG = "main"
TEMPLATE = "cxzy-2010"
CALLERS = 3
"""How many ask each service at the same time."""
REST = 0.05
"""Seconds between two commands of one caller, and between two tries."""
ANSWER = 5.0
_UNDERWAY = {409, 425, 429}


class NotAnswered(AssertionError):
    """A service refused what it should have done, or never answered."""


class Callers:
    """Between `start` and `stop` they ask; everything that was answered is in the ledger."""

    def __init__(self, urls: Mapping[Service, str], token: str, ledger: Ledger) -> None:
        self.asked = asyncio.Event()
        """Set whenever a command is sent."""
        self._urls = urls
        self._ledger = ledger
        self._over = False
        self._asking: list[asyncio.Task[None]] = []
        tls = httpx.create_ssl_context(trust_env=False)
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(headers=headers, timeout=ANSWER, trust_env=False, verify=tls)
        self._campaign_id = self._committee_id = ""

    async def found(self) -> None:
        """Approve a campaign and register a unit, and wait until the other service has heard of both."""
        self._campaign_id = await self._create("pledge", "campaigns", "campaign", {"template": TEMPLATE})
        await self._give("pledge", f"campaigns/{self._campaign_id}/approve", {})
        self._committee_id = await self._create("pledge", "units", "unit", self._unit())
        async with asyncio.timeout(30):
            while not await self._has_heard():  # noqa: ASYNC110 - a client has nothing to be woken by
                await asyncio.sleep(REST)

    def start(self) -> None:
        """Ask from now on."""
        self._over = False
        self._asking = [
            asyncio.create_task(asking()) for asking in (self._register, self._announce) for _ in range(CALLERS)
        ]

    async def stop(self, within: float = 60.0) -> None:
        """Ask nothing new, and return when everything is answered; raises NotAnswered."""
        self._over = True
        done, waiting = await asyncio.wait(self._asking, timeout=within)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()
        if waiting:
            raise NotAnswered(f"{len(waiting)} commands have no answer after {within:.0f} s")

    async def close(self) -> None:
        """Hang up."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._client.aclose()

    async def answers(self, service: Service) -> bool:
        """Whether a service answers now."""
        try:
            answer = await self._client.get(f"{self._urls[service]}/health/live", timeout=1.0)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    async def _register(self) -> None:
        while not self._over:
            await self._create("pledge", "units", "unit", self._unit())
            await asyncio.sleep(REST)

    async def _announce(self) -> None:
        body = {
            "campaign_id": self._campaign_id,
            "title": {"zh": "群众评议", "en": "Mass review"},
            "subjects": [self._committee_id],
            "opens_at": "2010-12-06T00:00:00+00:00",
            "closes_at": "2010-12-17T00:00:00+00:00",
        }
        while not self._over:
            await self._create("evaluation", "rounds", "review_round", body)
            await asyncio.sleep(REST)

    def _unit(self) -> dict[str, str]:
        return {"campaign_id": self._campaign_id, "name": "党委", "kind": "committee"}

    async def _create(self, service: Service, path: str, kind: str, body: Mapping[str, Any]) -> str:
        answer, tries = await self._give(service, path, body)
        identity: str = answer["id"]
        self._ledger.note(Line(service, f"{kind}/{identity}", answer["position"], answer["repeated"], tries))
        return identity

    async def _give(self, service: Service, path: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """Give a command until it is answered; the answer, and how many tries it took."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        tries = 0
        while True:
            tries += 1
            self.asked.set()
            try:
                answer = await self._client.post(f"{self._urls[service]}/{ORG}/{path}", json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(REST)
                continue
            if answer.is_success:
                said: dict[str, Any] = answer.json()
                return said, tries
            if answer.status_code < 500 and answer.status_code not in _UNDERWAY:
                raise NotAnswered(f"{service} {path}: {answer.status_code} {answer.text}")
            await asyncio.sleep(REST)

    async def _has_heard(self) -> bool:
        page = await self._client.get(f"{self._urls['evaluation']}/{ORG}/status")
        if not page.is_success:
            return False
        status = page.json()
        heard = (status["follows"] or {}).get("imported_sequence", 0)
        return heard >= 3 and not any(view["behind"] for view in status["views"])
