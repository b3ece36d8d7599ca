"""The player's hands: plain HTTP with the operator's token, like any client of the services."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

DESKS = 32
"""How many commands a player gives at once where their order does not matter."""


class Refused(Exception):
    """A service said no: the problem it answered with."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')} {problem.get('field') or ''}: {problem.get('detail_en')}")
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Ask:
    """A command to be given: where, what, and on whose account."""

    path: str
    body: Mapping[str, Any]
    acting_as: str | None = None


class Player:
    """Speaks to one service about one organisation; every command has a key of its own."""

    def __init__(self, url: str, token: str, org: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        # Reading the certificates of the machine takes longer than a command; once is enough.
        tls = httpx.create_ssl_context(trust_env=False)
        # A connection each: a pool of many looks at all of them for every request.
        self._desks = [
            httpx.AsyncClient(base_url=f"{url}/{org}/", headers=headers, timeout=60, trust_env=False, verify=tls)
            for _ in range(DESKS)
        ]
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for desk in reversed(self._desks):
            self._free.put_nowait(desk)
        self.commands = 0
        """How many commands this player has given."""
        self.position = 0
        """The last position a command of this player led to."""

    async def ask(self, path: str, body: Mapping[str, Any], acting_as: str | None = None) -> dict[str, Any]:
        """Give a command; what the service answered. Raises Refused."""
        self.commands += 1
        headers = {"Idempotency-Key": f"demo-command-{self.commands:06}"}
        if acting_as is not None:
            headers["Acting-As"] = acting_as
        desk = await self._free.get()
        try:
            answer = _answer(await desk.post(path, json=dict(body), headers=headers))
        finally:
            self._free.put_nowait(desk)
        self.position = max(self.position, answer.get("position", 0))
        return answer

    async def all(self, asks: Iterable[Ask]) -> list[dict[str, Any]]:
        """Give commands of which none rests on another; the answers in their order. Raises Refused."""
        return await asyncio.gather(*(self.ask(ask.path, ask.body, ask.acting_as) for ask in asks))

    async def in_turn(self, queues: Iterable[Iterable[Ask]]) -> list[list[dict[str, Any]]]:
        """Give commands queue by queue: within one each rests on those before, as on one pledge. Raises Refused."""

        async def one(queue: Iterable[Ask]) -> list[dict[str, Any]]:
            return [await self.ask(ask.path, ask.body, ask.acting_as) for ask in queue]

        return await asyncio.gather(*(one(queue) for queue in queues))

    async def create(self, path: str, body: Mapping[str, Any], acting_as: str | None = None) -> str:
        """Give a command that makes something; its identity."""
        return str((await self.ask(path, body, acting_as))["id"])

    async def create_all(self, asks: Iterable[Ask]) -> list[str]:
        """The same for many."""
        return [str(answer["id"]) for answer in await self.all(asks)]

    async def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """Read a view that shows at least what this player did."""
        desk = await self._free.get()
        try:
            return _answer(await desk.get(path, params={"min_position": self.position, **query}))
        finally:
            self._free.put_nowait(desk)

    async def entries(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """Every entry of a list, page by page."""
        page = await self.read(path, **query)
        entries = list(page["items"])
        while page["next"] is not None:
            page = await self.read(path, **query, after=page["next"])
            entries += page["items"]
        return entries

    async def close(self) -> None:
        for desk in self._desks:
            await desk.aclose()


def _answer(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise Refused(response.status_code, body)
    return body
