"""What a round is announced as: whose reviews, of whom, when, by which form (R-41, R-42).

Promises: a round on members is on all members one unit has that day, as the register knows them, so nobody is chosen or
left out; probationary members are among them. A rehearsal is one from its announcement on and can never become real.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from avow.contracts.review import ReviewRoundAnnounced
from avow.contracts.values import Identity, Instant, Label
from avow.kernel.message import Command
from avow.kernel.refusal import require
from avow.programme import ProgrammeTemplate
from avow_evaluation.domain.review_form import member_form, unit_form


class AnnounceRound(Command):
    """Say that these units, or the members of this one, will be reviewed between two moments."""

    campaign_id: Identity
    title: Label
    subject: Literal["unit", "member"] = "unit"
    subjects: Annotated[
        tuple[Identity, ...], Field(max_length=500, description="The units; members are not listed.")
    ] = ()
    unit_id: Annotated[Identity | None, Field(description="Whose members; for a round on members alone.")] = None
    opens_at: Instant
    closes_at: Instant
    rehearsal: bool = False


@dataclass(frozen=True)
class Announcement:
    """What an announcement is measured by: the campaign's programme and days, the days of the round in its time zone,
    and the members of the unit whose members it is on."""

    programme: ProgrammeTemplate
    starts_on: date
    ends_on: date | None
    opens_on: date
    closes_on: date
    members: Sequence[str] = ()


def announced(command: AnnounceRound, round_id: str, given: Announcement) -> ReviewRoundAnnounced:
    """The announcement; refuses one that does not say whom, or that does not lie within its campaign."""
    of_members = command.subject == "member"
    require(of_members == (command.unit_id is not None), "round.unit_of_members", "unit_id")
    require(not (of_members and command.subjects), "round.members_from_register", "subjects")
    subjects = tuple(given.members) if of_members else command.subjects
    require(subjects, "round.no_subjects", "unit_id" if of_members else "subjects")
    for n, subject in enumerate(subjects):
        require(subject not in subjects[:n], "round.subject_repeated", f"subjects[{n}]")
    require(command.opens_at < command.closes_at, "round.closes_before_it_opens", "closes_at")
    require(given.starts_on <= given.opens_on, "round.outside_campaign", "opens_at")
    require(given.ends_on is None or given.closes_on <= given.ends_on, "round.outside_campaign", "closes_at")
    form = member_form(given.programme, subjects) if of_members else unit_form(given.programme)
    classes = [weight.rater_class for weight in form.weights]
    peers = tuple(key for key in classes if of_members and given.programme.rater_class(key).is_member)
    return ReviewRoundAnnounced(
        round_id=round_id,
        campaign_id=command.campaign_id,
        title=command.title,
        subjects=subjects,
        opens_at=command.opens_at,
        closes_at=command.closes_at,
        form=form,
        subject=command.subject,
        unit_id=command.unit_id,
        peer_classes=peers,
        rehearsal=command.rehearsal,
    )
