"""Two organisations in which the same is done, with the same identities, keys and streams; only the words differ.

A `Twin` is a demo player whose every command is given to one organisation and then to the other. Each text of the
story is marked with its organisation's mark, so that whatever crosses over can be told by its mark.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest

from avow.demo.client import Player, Refused
from avow.web.call import CommandCall

FIRST, SECOND, EMPTY = "first-book", "second-book", "empty-book"
ORGS = (FIRST, SECOND, EMPTY)
MARKS = {FIRST: "㊥甲簿", SECOND: "㊥乙簿"}
_HAN = re.compile(r"[\u4e00-\u9fff]")
_SAME = uuid5(NAMESPACE_URL, "urn:avow:test:the-same-everywhere")


def same_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a command creates have the same identity in every organisation, which it never has by itself."""

    def new_id(self: CommandCall) -> str:
        return str(uuid5(_SAME, "\n".join((self.route.replace(f"/{self.org}/", "/"), self.retry_key))))

    monkeypatch.setattr(CommandCall, "new_id", new_id)


class Twin(Player):
    """A player of the first organisation whose every step is done in the second as well."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token, FIRST)
        self.second = Player(url, token, SECOND)
        self.stranger = Player(url, token, SECOND)
        """Shows the second organisation credentials of the first."""
        self.credentials: dict[str, str] = {}
        """The second organisation's credential for each of the first's."""
        self.turned_away: list[str] = []
        """What the second organisation said to credentials of the first."""
        self._shown = 0

    async def ask(self, path: str, body: Mapping[str, Any], acting_as: str | None = None) -> dict[str, Any]:
        theirs = _marked({**body, **self._credential(body)}, MARKS[SECOND])
        if "credential" in body and self._shown < 3:
            self._shown += 1
            self.turned_away.append(await _refusal(self.stranger, path, body, acting_as))
        # Both are begun before another command is, so that whatever comes first their keys are the same.
        mine, other = await asyncio.gather(
            _asked(super().ask(path, _marked(body, MARKS[FIRST]), acting_as)),
            _asked(self.second.ask(path, theirs, acting_as)),
        )
        if isinstance(mine, Refused) or isinstance(other, Refused):
            assert isinstance(mine, Refused)
            assert isinstance(other, Refused)
            assert mine.problem["code"] == other.problem["code"]
            raise mine
        assert "credential" in body or mine.get("id") == other.get("id")
        assert not mine.get("repeated")
        assert not other.get("repeated"), "the same key was used in the other organisation only"
        self.credentials.update(zip(mine.get("credentials", ()), other.get("credentials", ()), strict=True))
        return mine

    async def read(self, path: str, **query: str | int) -> dict[str, Any]:
        mine = await super().read(path, **query)
        if path != "status":
            return mine
        other = await self.second.read(path, **query)
        heard = min(said["follows"]["imported_sequence"] for said in (mine, other))
        return {"sequence": max(mine["sequence"], other["sequence"]), "follows": {"imported_sequence": heard}}

    async def close(self) -> None:
        await super().close()
        await self.second.close()
        await self.stranger.close()

    def _credential(self, body: Mapping[str, Any]) -> dict[str, str]:
        mine = body.get("credential")
        return {} if mine is None else {"credential": self.credentials[mine]}


async def _asked(asking: Awaitable[dict[str, Any]]) -> dict[str, Any] | Refused:
    try:
        return await asking
    except Refused as refused:
        return refused


async def _refusal(player: Player, path: str, body: Mapping[str, Any], acting_as: str | None) -> str:
    answer = await _asked(player.ask(path, body, acting_as))
    return str(answer.problem["code"]) if isinstance(answer, Refused) else "accepted"


def _marked(value: Any, mark: str) -> Any:
    if isinstance(value, str):
        return f"{value}{mark}" if _HAN.search(value) else value
    if isinstance(value, Mapping):
        return {name: _marked(one, mark) for name, one in value.items()}
    return [_marked(one, mark) for one in value] if isinstance(value, list | tuple) else value


@dataclass
class Sweep:
    """Asks every GET operation of a service's OpenAPI document, with every identity that was ever heard of."""

    client: httpx.AsyncClient
    document: Mapping[str, Any]
    known: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Values for parameters, by name."""

    def operations(self) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Path and parameters of every GET operation."""
        for path, methods in self.document["paths"].items():
            if "get" in methods:
                yield path, methods["get"].get("parameters", [])

    async def learn(self, org: str) -> None:
        """Note every value an organisation's answers give for a name, until there is nothing new."""
        before = -1
        while sum(map(len, self.known.values())) > before:
            before = sum(map(len, self.known.values()))
            for answer in (await self.answers(org, live=False)).values():
                for line in answer.text.splitlines():
                    if line.startswith("{"):
                        self._note(json.loads(line))

    async def answers(self, org: str, live: bool = True) -> dict[str, httpx.Response]:
        """The answer to every request there is for what is known, by request without its organisation."""
        asked: dict[str, Awaitable[httpx.Response]] = {}
        for path, parameters in self.operations():
            if not live and path.endswith("/live"):
                continue
            for query in self._queries(path, parameters):
                where = {
                    p["name"]: query.pop(p["name"]) for p in parameters if p["in"] == "path" and p["name"] != "org"
                }
                filled = path.format(org="{org}", **where)
                asked[f"{filled} {sorted(query.items())}"] = self.client.get(filled.format(org=org), params=query)
        return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))

    def _queries(self, path: str, parameters: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
        required = {"seconds": "1"} if path.endswith("/live") else {}
        choices: dict[str, list[str]] = {}
        for parameter in parameters:
            name = parameter["name"]
            if parameter["required"] and name != "org":
                choices[name] = _allowed(parameter) or sorted(self.known[name])[:2]
        names = list(choices)
        rows = [required]
        for name in names:
            rows = [{**row, name: value} for row in rows for value in choices[name]]
        yield from (dict(row) for row in rows)
        for parameter in parameters:
            name = parameter["name"]
            if not parameter["required"] and parameter["in"] == "query":
                values = _allowed(parameter) or sorted(self.known[name])[:2]
                yield from ({**row, name: value} for row in rows[:1] for value in values)

    def _note(self, said: Any, name: str = "") -> None:
        if isinstance(said, Mapping):
            for key, value in said.items():
                self._note(value, key)
        elif isinstance(said, list):
            for value in said:
                self._note(value, name)
        elif isinstance(said, str) and (name.endswith("_id") or name == "phase"):
            self.known[name].add(said)
            if name == "person_id":
                self.known["subject"].add(f"person/{said}")


def _allowed(parameter: Mapping[str, Any]) -> list[str]:
    """The values a parameter is confined to, if it is."""
    schema = parameter["schema"]
    return [value for kind in (schema, *schema.get("anyOf", ())) for value in kind.get("enum", ())]
