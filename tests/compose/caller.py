"""Whoever uses both services through the proxy, with the operator's token and nothing but the standard library.

A command that meets a service on its way down or up is given again with the same key, as clients are told to.
"""

import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from tests.compose.deployment import PATIENCE, Failed

_AWAY = {502, 503, 504}
_PAUSE = 0.5


class Caller:
    """Remembers everybody it had registered."""

    def __init__(self, port: int, token: str) -> None:
        self.people: set[str] = set()
        self._url = f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def read(self, path: str) -> bytes:
        """The body of what answers there."""
        return self._send(urllib.request.Request(self._url + path, headers=self._headers))

    def ask(self, path: str, body: Any, acting_as: str | None = None, patience: float = PATIENCE) -> str:
        """Give a command to the pledge service; the identity it answers with. Raises `Failed`."""
        headers = self._headers | {"Idempotency-Key": secrets.token_hex(16)}
        if acting_as is not None:
            headers["Acting-As"] = acting_as
        data = json.dumps(body).encode()
        deadline = time.monotonic() + patience
        while True:
            try:
                return str(json.loads(self._send(urllib.request.Request(self._to(path), data, headers)))["id"])
            except urllib.error.HTTPError as error:
                said = f"{error.code} {error.read().decode(errors='replace')}"
                if error.code not in _AWAY or time.monotonic() > deadline:
                    raise Failed(f"{path}: {said}") from error
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > deadline:
                    raise Failed(f"{path}: {error}") from error
            time.sleep(_PAUSE)

    def register(self, count: int, patience: float = PATIENCE) -> None:
        """Have so many people registered, one after the other."""
        for number in range(count):
            self.people.add(self.ask("people", {"name": f"岑第{number}"}, patience=patience))

    def arrived(self) -> bool:
        """Whether each service knows everybody who was registered, once, and nobody else."""
        return all(self.known_at(service) for service in ("pledge", "evaluation"))

    def known_at(self, service: str) -> bool:
        """The same of one service."""
        try:
            return sorted(self._known(service)) == sorted(self.people)
        except (OSError, http.client.HTTPException):
            return False

    def _known(self, service: str) -> list[str]:
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            page = json.loads(self.read(f"/{service}/main/people" + (f"?after={quote(after)}" if after else "")))
            found += [entry["person_id"] for entry in page["items"]]
            after = page["next"]
        return found

    def _to(self, path: str) -> str:
        return f"{self._url}/pledge/main/{path}"

    def _send(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=60) as answer:
            content: bytes = answer.read()
        return content


def pledge(caller: Caller) -> None:
    """A campaign is approved, a branch and its secretary are registered, and the secretary's pledge is made public."""
    campaign = caller.ask("campaigns", {"template": "cxzy-2010"})
    caller.ask(f"campaigns/{campaign}/approve", {})
    told = {"campaign_id": campaign}
    committee = caller.ask("units", told | {"name": "校党委", "kind": "committee"})
    general = caller.ask("units", told | {"name": "机关总支", "kind": "general_branch", "parent_id": committee})
    branch = told | {"name": "机关第一支部", "kind": "branch", "category": "management", "parent_id": general}
    unit = caller.ask("units", branch)
    person = caller.ask("people", {"name": "岑知秋"})
    caller.people.add(person)
    caller.ask(f"memberships/{person}/enrol", {"unit_id": unit, "standing": "full"})
    caller.ask(f"roles/{unit}/secretary/appoint", told | {"person_id": person})
    counted = {"name": "答疑场次", "metric_unit": "场", "baseline": "0", "target": "24", "direction": "up"}
    item = {
        "criterion": "lead.service",
        "aims": ["aim.service"],
        "goal": "让新生少跑一趟",
        "task": "每周二晚开设新生答疑",
        "measure": "与辅导员轮流值班，问题当场登记",
        "qualitative_indicators": ["新生说得清楚办事流程"],
        "quantitative_indicators": [counted],
        "milestones": ["2099-06-30"],
        "accountable_person_id": person,
    }
    by = {"kind": "member", "id": person}
    made = caller.ask("pledges", told | {"unit_id": unit, "pledger": by, "scope": "college", "items": [item]}, person)
    for step, body in (("submit", {}), ("approve", {}), ("make", {"channel": "website"})):
        caller.ask(f"pledges/{made}/{step}", body, None if step == "approve" else person)
