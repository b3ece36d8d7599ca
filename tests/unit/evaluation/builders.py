"""What the tests of the evaluation service start from: a round on two units, its form, ballots."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from avow.contracts.review import ElectorateFrozen, ElectoratePart, ReviewRoundAnnounced
from avow.contracts.values import Label
from avow.programme import load
from avow_evaluation.domain.announcement import Announcement
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.electorate import Part
from avow_evaluation.domain.review_form import unit_form
from avow_evaluation.domain.review_round import CredentialsIssued
from tests.kit.logs import identity

ROUND, CAMPAIGN, UNIT, OTHER_UNIT, MEMBER, OTHER_MEMBER, OFFICE_HAND = (identity(n) for n in range(201, 208))
PROGRAMME = load("cxzy-2010")
FORM = unit_form(PROGRAMME)
ROWS = tuple(row.key for row in FORM.rows)
GRADES = tuple(grade.key for grade in FORM.grades)
BEST, GOOD, FAIR, WORST = GRADES
OPENS = datetime(2010, 12, 6, 0, tzinfo=UTC)
CLOSES = datetime(2010, 12, 17, 10, tzinfo=UTC)
ANNOUNCED = ReviewRoundAnnounced(
    round_id=ROUND,
    campaign_id=CAMPAIGN,
    title=Label(zh="2010 年下半年群众评议", en="Mass review, second half of 2010"),
    subjects=(UNIT, OTHER_UNIT),
    opens_at=OPENS,
    closes_at=CLOSES,
    form=FORM,
)
MEASURE = Announcement(
    programme=PROGRAMME,
    starts_on=PROGRAMME.starts_on,
    ends_on=PROGRAMME.ends_on,
    opens_on=date(2010, 12, 6),
    closes_on=date(2010, 12, 17),
)
ELIGIBLE: Mapping[Part, int] = {
    (UNIT, "mass"): 3,
    (UNIT, "members"): 2,
    (OTHER_UNIT, "mass"): 1,
    (OTHER_UNIT, "members"): 0,
}
FROZEN = ElectorateFrozen(
    round_id=ROUND,
    parts=tuple(ElectoratePart(unit_id=u, rater_class=c, eligible=n) for (u, c), n in ELIGIBLE.items()),
)


def hashes(count: int, start: int = 1) -> tuple[str, ...]:
    """So many hashes, in their order."""
    return tuple(f"{n:064x}" for n in range(start, start + count))


def issued(part: Part, generation: int = 1, start: int = 1) -> CredentialsIssued:
    """The credentials of a part of `FROZEN`."""
    unit_id, rater_class = part
    return CredentialsIssued(
        round_id=ROUND,
        unit_id=unit_id,
        rater_class=rater_class,
        generation=generation,
        hashes=hashes(ELIGIBLE[part], start),
    )


ISSUED = tuple(issued(part) for part, eligible in ELIGIBLE.items() if eligible)


def a_ballot(rater_class: str, *grades: str | None, unit_id: str = UNIT) -> BallotCast:
    """A ballot with these grades, row by row; the last one goes for all rows that are left."""
    given = (*grades, *[grades[-1]] * (len(ROWS) - len(grades)))
    return BallotCast(
        round_id=ROUND, unit_id=unit_id, rater_class=rater_class, rows=dict(zip(ROWS, given, strict=True))
    )


def the_public(count: int, *grades: str | None) -> list[BallotCast]:
    """So many alike ballots of the public."""
    return [a_ballot("mass", *grades)] * count


def the_members(count: int, *grades: str | None) -> list[BallotCast]:
    """So many alike ballots of the unit's members."""
    return [a_ballot("members", *grades)] * count
