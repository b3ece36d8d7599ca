"""A small college as the evaluation service knows it: two branches, three people, one campaign, and a round of reviews.

    async with an_evaluation(url) as evaluation:
        round_id = await evaluation.a_round_open()
        await evaluation.vote(round_id, credential, dict.fromkeys(ROWS, BEST))

Everything goes over HTTP, as from outside, to the service as it is put together in production, on a simulated clock.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from avow.contracts.campaign import CampaignApproved
from avow.contracts.organisation import MemberEnrolled, PersonRegistered, RoleAppointed, UnitRegistered
from avow.contracts.values import Label
from avow.eventlog import reading
from avow.eventlog.records import Context, Proposed, Recorded
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.service.service import Service
from avow.service.settings import Settings
from avow_evaluation.bootstrap import build
from avow_evaluation.projections.round_board import RoundBoard
from tests.kit.logs import identity
from tests.unit.evaluation.builders import (
    CAMPAIGN,
    CLOSES,
    MEMBER,
    OFFICE_HAND,
    OPENS,
    OTHER_MEMBER,
    OTHER_UNIT,
    PROGRAMME,
    UNIT,
)

ORG, TOKEN = "main", "a-token-that-only-tests-know"
FOUNDED = datetime(2010, 6, 1, tzinfo=UTC)
COMMITTEE = identity(208)
PUBLIC = {UNIT: [f"201001{n:02}" for n in range(1, 9)], OTHER_UNIT: ["20100201", "20100202"]}
REGISTER: tuple[tuple[str, Event], ...] = (
    (
        f"campaign/{CAMPAIGN}",
        CampaignApproved(
            campaign_id=CAMPAIGN,
            template=PROGRAMME.key,
            template_version=PROGRAMME.version,
            title=Label(zh=PROGRAMME.title.zh, en=PROGRAMME.title.en),
            starts_on=PROGRAMME.starts_on,
            ends_on=PROGRAMME.ends_on,
            document_text_sha256=None,
            programme=PROGRAMME.model_dump(mode="json"),
        ),
    ),
    *(
        (
            f"unit/{unit_id}",
            UnitRegistered(unit_id=unit_id, name=name, kind="branch", category=category, parent_id=None),
        )
        for unit_id, name, category in (
            (COMMITTEE, "示例职业技术学院党委", None),
            (UNIT, "药学系教工支部", "teaching"),
            (OTHER_UNIT, "后勤支部", "service"),
        )
    ),
    *(
        (f"person/{person_id}", PersonRegistered(person_id=person_id, name=name))
        for person_id, name in ((MEMBER, "钟若岚"), (OTHER_MEMBER, "苏砚"), (OFFICE_HAND, "祁安然"))
    ),
    *(
        (
            f"membership/{person_id}",
            MemberEnrolled(person_id=person_id, unit_id=unit_id, standing="full", since=FOUNDED),
        )
        for person_id, unit_id in ((MEMBER, UNIT), (OTHER_MEMBER, UNIT))
    ),
    (
        f"role/{COMMITTEE}/office_staff",
        RoleAppointed(role="office_staff", unit_id=COMMITTEE, person_id=OFFICE_HAND, since=FOUNDED),
    ),
)


class Refused(Exception):
    """The service said no."""

    def __init__(self, response: httpx.Response) -> None:
        body = response.json()
        super().__init__(response.status_code, body["code"], body["field"])
        self.code: str = body["code"]


@dataclass
class Evaluation:
    """The service, whoever talks to it, and its clock."""

    service: Service
    client: httpx.AsyncClient
    clock: SimulatedClock
    commands: int = 0
    position: int = 0
    credentials: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    async def ask(self, path: str, body: Mapping[str, Any], actor: str | None = None, key: str = "") -> dict[str, Any]:
        """Give a command; what was answered. Raises Refused."""
        self.commands += 1
        headers = {"Idempotency-Key": key or f"command-number-{self.commands:04}"}
        if actor is not None:
            headers["Acting-As"] = actor
        answer = _answer(await self.client.post(path, json=dict(body), headers=headers))
        self.position = max(self.position, answer["position"])
        return answer

    async def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """Read a view that shows at least what was done."""
        return _answer(await self.client.get(path, params={"min_position": self.position, **query}))

    async def announce(self, **changes: object) -> str:
        """Announce a round on both branches; its identity."""
        said = {
            "campaign_id": CAMPAIGN,
            "title": {"zh": "2010 年下半年群众评议", "en": "Mass review, second half of 2010"},
            "subjects": [UNIT, OTHER_UNIT],
            "opens_at": OPENS.isoformat(),
            "closes_at": CLOSES.isoformat(),
        }
        return str((await self.ask("rounds", {**said, **changes}))["id"])

    async def freeze(self, round_id: str) -> None:
        """Hand in the rolls of the public."""
        parts = [{"unit_id": unit_id, "rater_class": "mass", "entries": roll} for unit_id, roll in PUBLIC.items()]
        await self.ask(f"rounds/{round_id}/electorate", {"parts": parts})

    async def issue(self, round_id: str, unit_id: str, rater_class: str) -> list[str]:
        """Make the credentials of a part."""
        said = {"unit_id": unit_id, "rater_class": rater_class}
        issued = await self.ask(f"rounds/{round_id}/credentials", said)
        self.credentials[unit_id, rater_class] = issued["credentials"]
        return self.credentials[unit_id, rater_class]

    async def a_round_ready(self) -> str:
        """A round, frozen, with every credential issued, at the moment it may open."""
        round_id = await self.announce()
        await self.freeze(round_id)
        for unit_id in (UNIT, OTHER_UNIT):
            for rater_class in ("mass", "members"):
                await self.issue(round_id, unit_id, rater_class)
        self.clock.set(OPENS)
        return round_id

    async def a_round_open(self) -> str:
        """A round that takes ballots."""
        round_id = await self.a_round_ready()
        opened = await self.ask(f"rounds/{round_id}/open", {})
        # What the service does of itself it does once its view shows the round.
        await self.service.runner.reach(ORG, opened["position"], [RoundBoard.name])
        return round_id

    async def vote(self, round_id: str, credential: str, rows: Mapping[str, str | None]) -> dict[str, Any]:
        """Cast a ballot, as a rater's telephone would: without a key, without a name."""
        body = {"credential": credential, "rows": dict(rows)}
        return _answer(await self.client.post(f"rounds/{round_id}/ballots", json=body))

    async def records(self) -> list[Recorded]:
        """The whole log."""
        return await self.service.database.read(lambda c: reading.page(c, ORG, 0, 2**53, limit=2**31))

    async def told(self, *events: tuple[str, Event]) -> None:
        """Let these be known, as if they had been imported."""
        at = self.clock.now()
        for stream, event in events:
            item = Proposed(stream, self.service.ports.new_id(), event, Context(at))
            self.position = (await self.service.appender.append(ORG, [item]))[0].position


@asynccontextmanager
async def an_evaluation(url: str) -> AsyncIterator[Evaluation]:
    """The service over a fresh database, told of the college."""
    clock = SimulatedClock(FOUNDED)
    settings = Settings(data=Path("/nowhere"), evaluation_database=url)
    hosted = build(settings, Ports(clock, seeded(1)), TOKEN)
    await hosted.service.start()
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=hosted.app),
            base_url=f"http://evaluation/{ORG}/",
            headers={"Authorization": f"Bearer {TOKEN}"},
        ) as client:
            evaluation = Evaluation(hosted.service, client, clock)
            await evaluation.told(*REGISTER)
            clock.set(datetime(2010, 11, 25, 1, tzinfo=UTC))
            yield evaluation
    finally:
        await hosted.service.stop()


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise Refused(response)
    body: dict[str, Any] = response.json()
    return body
