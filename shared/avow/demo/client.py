"""The player's hands: plain HTTP with the operator's token, like any client of the services."""

from collections.abc import Mapping
from typing import Any

import httpx


class Refused(Exception):
    """A service said no: the problem it answered with."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')} {problem.get('field') or ''}: {problem.get('detail_en')}")
        self.status = status
        self.problem = problem


class Player:
    """Speaks to one service about one organisation; every command has a key of its own."""

    def __init__(self, url: str, token: str, org: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"{url}/{org}/", headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )
        self._commands = 0
        self.position = 0
        """The last position a command of this player led to."""

    async def ask(self, path: str, body: Mapping[str, Any], acting_as: str | None = None) -> dict[str, Any]:
        """Give a command; what the service answered. Raises Refused."""
        self._commands += 1
        headers = {"Idempotency-Key": f"demo-command-{self._commands:06}"}
        if acting_as is not None:
            headers["Acting-As"] = acting_as
        answer = _answer(await self._client.post(path, json=dict(body), headers=headers))
        self.position = max(self.position, answer.get("position", 0))
        return answer

    async def create(self, path: str, body: Mapping[str, Any], acting_as: str | None = None) -> str:
        """Give a command that makes something; its identity."""
        return str((await self.ask(path, body, acting_as))["id"])

    async def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """Read a view that shows at least what this player did."""
        return _answer(await self._client.get(path, params={"min_position": self.position, **query}))

    async def close(self) -> None:
        await self._client.aclose()


def _answer(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise Refused(response.status_code, body)
    return body
