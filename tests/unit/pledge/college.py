"""A small college on a real log: a committee, two branches below it, and whoever the rules tell apart.

    async with a_college(url) as college:
        await college.tell(pledge, PLEDGE, a_draft(), pledge_facts, actor=MEMBER)

Every command goes the way of the service: facts from the register, decided, appended, projected. An hour passes
between two of them.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection

from avow.contracts.catalogue import every_public_event
from avow.contracts.pledge import Pledger
from avow.eventlog.execute import Ground, Origin, Outcome
from avow.eventlog.records import Context, Proposed
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.kernel.refusal import Refusal
from avow.projections.listing import FIRST, AnyList, Asked
from avow.projections.projector import create_views, project
from avow_pledge.domain import PRIVATE_EVENTS
from avow_pledge.domain.campaign import ApproveCampaign, DraftCampaign, campaign
from avow_pledge.domain.meeting import HoldMeeting, RecordComment
from avow_pledge.domain.membership import EnrolMember, membership
from avow_pledge.domain.person import RegisterPerson, person
from avow_pledge.domain.pledge import DraftPledge
from avow_pledge.domain.role import AppointRole, role
from avow_pledge.domain.unit import RegisterUnit, unit
from avow_pledge.facts import campaign_facts, membership_facts, person_facts, role_facts, unit_facts
from avow_pledge.projections import PROJECTIONS
from tests.kit.logs import ORG, START, Log, a_log, identity
from tests.unit.pledge.builders import CAMPAIGN, LEADER, MEMBER, OTHER_UNIT, SECRETARY, UNIT, an_item

C = TypeVar("C", bound=Command)
S = TypeVar("S")
F = TypeVar("F", bound=Facts)
E = TypeVar("E", bound=Event)
T = TypeVar("T")
W = TypeVar("W")
Entry = TypeVar("Entry", bound=BaseModel)

COMMITTEE, OFFICE_HAND, OUTSIDER, NOBODY = (identity(n) for n in range(101, 105))
NAMES = {
    MEMBER: "钟若岚",
    SECRETARY: "柳承远",
    LEADER: "贺启明",
    OFFICE_HAND: "苏砚",
    OUTSIDER: "傅明哲",
}
MEMBERS = {MEMBER: UNIT, SECRETARY: UNIT, LEADER: OTHER_UNIT, OUTSIDER: OTHER_UNIT}
ROLES = {(UNIT, "secretary"): SECRETARY, (COMMITTEE, "lg_member"): LEADER, (COMMITTEE, "office_staff"): OFFICE_HAND}


@dataclass(frozen=True)
class College:
    """The college as its log tells it."""

    log: Log
    clock: SimulatedClock

    async def tell(
        self,
        decider: Decider[C, S, F, E],
        identity: str,
        command: C,
        ground: Ground[C, S, F],
        actor: str | None = None,
    ) -> Outcome:
        """Execute a command for `actor`, or for whoever runs the deployment, and let every view take it in."""
        self.clock.set(self.clock.now() + timedelta(hours=1))
        outcome = await self.log.executor.execute(decider, identity, command, ground, Origin(ORG, actor))
        await self.log.database.write(self._project)
        return outcome

    async def refuses(
        self,
        decider: Decider[C, S, F, E],
        identity: str,
        command: C,
        ground: Ground[C, S, F],
        actor: str | None = None,
    ) -> str:
        """The code a command is refused with."""
        with pytest.raises(Refusal) as caught:
            await self.tell(decider, identity, command, ground, actor)
        return caught.value.code

    async def record(self, event: Event, stream: str) -> None:
        """Put an event into the log as it is, and let every view take it in."""
        context = Context(occurred_at=self.clock.now())
        await self.log.append(Proposed(stream, self.log.ports.new_id(), event, context))
        await self.log.database.write(self._project)

    async def entries(
        self, listed: AnyList[W, Entry], wanted: W, asked: Asked = FIRST, now: datetime | None = None
    ) -> list[Entry]:
        """A page of a list."""
        then = now or self.clock.now()
        return await self.see(lambda connection: listed.page(connection, ORG, wanted, then, asked).items)

    async def see(self, read: Callable[[Connection], T]) -> T:
        """What a reading function answers."""
        return await self.log.database.read(read)

    def _project(self, connection: Connection) -> None:
        for projection in PROJECTIONS:
            while project(connection, ORG, projection, self.log.types):
                pass


@asynccontextmanager
async def a_college(url: str) -> AsyncIterator[College]:
    """The college, its campaign approved, its people enrolled and appointed."""
    clock = SimulatedClock(START)
    types = (*every_public_event(), *PRIVATE_EVENTS)
    async with a_log(url, Ports(clock, seeded(1)), types=types) as log:
        await log.database.write(lambda connection: create_views(connection, PROJECTIONS))
        college = College(log, clock)
        await college.tell(campaign, CAMPAIGN, DraftCampaign(template="cxzy-2010"), campaign_facts)
        await college.tell(campaign, CAMPAIGN, ApproveCampaign(), campaign_facts)
        await college.tell(unit, COMMITTEE, a_unit("committee", None), unit_facts)
        for branch in (UNIT, OTHER_UNIT):
            await college.tell(unit, branch, a_unit("branch", COMMITTEE), unit_facts)
        for person_id, name in NAMES.items():
            await college.tell(person, person_id, RegisterPerson(name=name), person_facts)
        for person_id, unit_id in MEMBERS.items():
            enrol = EnrolMember(unit_id=unit_id, standing="full")
            await college.tell(membership, person_id, enrol, membership_facts)
        for (unit_id, held), person_id in ROLES.items():
            await college.tell(role, f"{unit_id}/{held}", appoint(person_id), role_facts)
        yield college


def a_unit(kind: str, parent_id: str | None) -> RegisterUnit:
    return RegisterUnit(campaign_id=CAMPAIGN, name="药学系教工支部", kind=kind, parent_id=parent_id)


def appoint(person_id: str) -> AppointRole:
    return AppointRole(campaign_id=CAMPAIGN, person_id=person_id)


def a_draft(scope: str = "college") -> DraftPledge:
    return a_draft_of(MEMBER, UNIT, scope)


def a_draft_of(member: str, unit_id: str, scope: str = "college") -> DraftPledge:
    item = an_item(accountable_person_id=member)
    return DraftPledge(
        campaign_id=CAMPAIGN,
        unit_id=unit_id,
        pledger=Pledger(kind="member", id=member),
        scope=scope,
        items=(item, item.model_copy(update={"milestones": (date(2010, 9, 30), date(2011, 5, 31))})),
    )


def a_meeting(scope: str = "college") -> HoldMeeting:
    return HoldMeeting(
        campaign_id=CAMPAIGN,
        unit_id=UNIT,
        kind="branch_committee",
        agenda=("campaign",),
        chair_id=SECRETARY,
        present=5,
        expected=7,
        scope=scope,
        summary="通报承诺进展",
    )


def a_comment(commentator_id: str | None = None) -> RecordComment:
    return RecordComment(
        strengths="承诺具体", shortcomings="时间节点偏晚", directions="每月公布一次", commentator_id=commentator_id
    )
