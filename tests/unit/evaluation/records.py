"""What the pledge service says of a campaign, as the evaluation service hears it: duties, pledges, comments, people.

await evaluation.told(*enrolled(PEOPLE, UNIT), *a_pledge(PLEDGE, "unit", UNIT, due=[...], verified=[0]))
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal

from avow.contracts.meeting import CommentRecorded, CommentText
from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived, Outcome, Owner
from avow.contracts.organisation import MemberEnrolled, MemberLeft, Standing
from avow.contracts.pledge import ItemWording, PledgeItem, PledgeItemVerified, PledgeMade, Pledger, PledgeWithdrawn
from avow.kernel.message import Event
from tests.unit.evaluation.builders import CAMPAIGN

Said = tuple[str, Event]
Kind = Literal["unit", "member"]
WORDS = ItemWording(goal="答疑", task="每周一次", measure="轮流值班", qualitative_indicators=("说得清楚",), metrics=())


def enrolled(people: Iterable[str], unit_id: str, since: datetime, standing: Standing = "full") -> list[Said]:
    """People become members of a unit."""
    return [
        (f"membership/{one}", MemberEnrolled(person_id=one, unit_id=unit_id, standing=standing, since=since))
        for one in people
    ]


def moved(person_id: str, since: datetime, from_: str, to: str, at: datetime) -> list[Said]:
    """A member goes over to another unit."""
    left = MemberLeft(person_id=person_id, unit_id=from_, since=since, until=at)
    return [(f"membership/{person_id}", left), *enrolled([person_id], to, at)]


def a_duty(
    obligation_id: str,
    unit_id: str,
    ends_on: date,
    outcome: Outcome,
    then: Outcome | None = None,
    waived: bool = False,
    key: str = "monthly_committee",
    owner: tuple[Kind, str] | None = None,
) -> list[Said]:
    """A duty is assessed, perhaps again, perhaps waived."""
    kind, who = owner or ("unit", unit_id)
    stream, starts_on = f"obligation/{obligation_id}", ends_on.replace(day=1)
    owed = Owner(kind=kind, id=who)
    said: list[Said] = [
        (
            stream,
            ObligationAssessed(
                obligation_id=obligation_id, campaign_id=CAMPAIGN, obligation=key, owner=owed, unit_id=unit_id,
                starts_on=starts_on, ends_on=ends_on, due_on=ends_on, outcome=outcome, met_on=None, met_by=(),
            ),
        )
    ]  # fmt: skip
    if then is not None:
        again = ObligationReassessed(obligation_id=obligation_id, outcome=then, met_on=ends_on, met_by=())
        said.append((stream, again))
    if waived:
        said.append((stream, a_waiver(obligation_id, unit_id, ends_on, key, owed)))
    return said


def a_waiver(obligation_id: str, unit_id: str, ends_on: date, key: str, owner: Owner) -> ObligationWaived:
    """A duty is waived."""
    return ObligationWaived(
        obligation_id=obligation_id, campaign_id=CAMPAIGN, obligation=key, owner=owner, unit_id=unit_id,
        starts_on=ends_on.replace(day=1), ends_on=ends_on, reason="外出集中培训",
    )  # fmt: skip


def a_pledge(
    pledge_id: str,
    kind: Kind,
    who: str,
    due: Sequence[date | None],
    verified: Iterable[int] = (),
    withdrawn: Iterable[int] = (),
    excused: bool = True,
    phase: str | None = "phase1",
    unit_id: str | None = None,
) -> list[Said]:
    """A pledge of as many items as there are days; some are verified, some withdrawn."""
    stream, pledger, unit = f"pledge/{pledge_id}", Pledger(kind=kind, id=who), unit_id or who
    items = tuple(
        PledgeItem(
            criterion="lead.service",
            aims=(),
            quantities=(),
            milestones=() if day is None else (day.replace(day=1), day),
            accountable_person_id=None,
        )
        for day in due
    )
    made = PledgeMade(
        pledge_id=pledge_id, campaign_id=CAMPAIGN, unit_id=unit, pledger=pledger, phase=phase, items=items,
        scope="public", channel="noticeboard", wording=(WORDS,) * len(items),
    )  # fmt: skip
    said: list[Said] = [(stream, made)]
    said += (
        (
            stream,
            PledgeItemVerified(
                pledge_id=pledge_id, campaign_id=CAMPAIGN, unit_id=unit, pledger=pledger, phase=phase, item=n
            ),
        )
        for n in verified
    )
    if gone := tuple(withdrawn):
        withdrawal = PledgeWithdrawn(
            pledge_id=pledge_id, campaign_id=CAMPAIGN, unit_id=unit, pledger=pledger, phase=phase, items=gone,
            excused=excused, scope="public", reason="场所停用",
        )  # fmt: skip
        said.append((stream, withdrawal))
    return said


def a_comment(meeting_id: str, unit_id: str, grade: int | None, person_id: str | None = None) -> list[Said]:
    """A leader comments on a unit, or on a member of it."""
    text = CommentText(strengths="有序", shortcomings="记录不全", directions="写下来")
    said = CommentRecorded(
        meeting_id=meeting_id, campaign_id=CAMPAIGN, unit_id=unit_id, commentator_id=meeting_id, grade=grade,
        scope="public", text=text, person_id=person_id,
    )  # fmt: skip
    return [(f"meeting/{meeting_id}", said)]
