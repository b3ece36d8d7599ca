"""Whole small campaigns, drawn by chance: what was owed, pledged, said and voted in two phases, and the scores of it.

story = draw(stories())
rows = await scored(story)      # (imported, own): what tests/kit/oracle.py reads
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from sqlalchemy import Connection

from avow.contracts.obligation import Outcome
from avow.contracts.organisation import UnitMerged, UnitRegistered
from avow.contracts.review import ElectorateFrozen, ElectoratePart, ReviewRoundAnnounced
from avow.eventlog.execute import Origin
from avow.eventlog.records import Context, Proposed
from avow.kernel.message import Event
from avow.kernel.ports import Ports, SimulatedClock, seeded
from avow.projections.projector import create_views, project
from avow.register.projection import Register
from avow_evaluation.bootstrap import BLUEPRINT
from avow_evaluation.domain.assessment import CalculateAssessments, assessment, sheet_of
from avow_evaluation.domain.ballot import BallotCast
from avow_evaluation.domain.ranking import RankCandidates, ranking, ranking_of
from avow_evaluation.domain.review_form import member_form, row_of
from avow_evaluation.domain.review_round import ReviewRound, Status, tally_round
from avow_evaluation.facts import assessment_facts, ranking_facts
from avow_evaluation.projections.evidence import Evidence
from tests.kit.logs import ORG, Log, a_log, identity
from tests.kit.raw_log import Rows, raw
from tests.unit.evaluation.builders import ANNOUNCED, CAMPAIGN, PROGRAMME, ROWS
from tests.unit.evaluation.college import FOUNDED, REGISTER
from tests.unit.evaluation.records import Said, a_comment, a_duty, a_pledge, enrolled, moved
from tests.unit.evaluation.test_scoring_rules import PUBLISHED, SECOND

UNITS = tuple(identity(n) for n in range(701, 705))
PEOPLE = tuple(identity(n) for n in range(711, 719))
CATEGORIES = ("teaching", "teaching", "service", None)
MEMBERS_FORM = member_form(PROGRAMME, PEOPLE)
NOW = datetime(2012, 7, 20, tzinfo=UTC)
DAYS = (date(2010, 6, 30), date(2011, 6, 30), date(2011, 7, 31), date(2012, 7, 15), date(2012, 7, 31))
TALLIED = (datetime(2010, 12, 17, tzinfo=UTC), datetime(2011, 5, 27, tzinfo=UTC), datetime(2011, 12, 16, tzinfo=UTC))
S = TypeVar("S", bound=tuple[Any, ...])
Vote = tuple[str, tuple[str | None, ...]]


@dataclass(frozen=True)
class Story:
    """What happened, each with the moment it did."""

    said: tuple[tuple[str, Event, datetime], ...]


units, people, days = st.integers(0, 3), st.integers(0, 7), st.sampled_from(DAYS)
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(("met", "met_late", "missed"))
IN_TIME, TOO_LATE = datetime(2011, 6, 30, 15, 59, tzinfo=UTC), datetime(2012, 7, 16, tzinfo=UTC)
moments = st.sampled_from((FOUNDED, *TALLIED, IN_TIME, TOO_LATE))


@st.composite
def duties(draw: st.DrawFn) -> list[Said]:
    unit_id, key = UNITS[draw(units)], draw(st.sampled_from(("monthly_committee", "member_pledge", "study")))
    owner = ("member", PEOPLE[draw(people)]) if key == "member_pledge" else ("unit", unit_id)
    number = identity(draw(st.integers(10_000, 99_999)))
    return a_duty(
        number,
        unit_id,
        draw(days),
        draw(outcomes),
        draw(st.none() | outcomes),
        draw(st.booleans()),
        key,
        owner,  # type: ignore[arg-type]
    )


@st.composite
def pledges(draw: st.DrawFn) -> list[Said]:
    unit_id, who = UNITS[draw(units)], PEOPLE[draw(people)]
    kind, pledger = ("unit", unit_id) if draw(st.booleans()) else ("member", who)
    due = draw(st.lists(st.none() | days, min_size=1, max_size=4))
    items = st.sets(st.integers(0, len(due) - 1))
    phase = draw(st.sampled_from(("phase1", "phase2", None)))
    number = identity(draw(st.integers(100_000, 199_999)))
    verified, gone = sorted(draw(items)), sorted(draw(items))
    return a_pledge(number, kind, pledger, due, verified, gone, draw(st.booleans()), phase, unit_id)  # type: ignore[arg-type]


@st.composite
def comments(draw: st.DrawFn) -> list[Said]:
    person = PEOPLE[draw(people)] if draw(st.booleans()) else None
    grade = draw(st.none() | st.integers(0, 100))
    return a_comment(identity(draw(st.integers(200_000, 299_999))), UNITS[draw(units)], grade, person)


def votes(classes: Sequence[str], grades: Sequence[str], rows: int) -> st.SearchStrategy[list[Vote]]:
    """Around the least that counts: some classes reach their minimum, some rounds the turnout."""
    grade = st.sampled_from((*grades, grades[0], grades[0], grades[0], None))
    return st.lists(st.tuples(st.sampled_from(classes), st.tuples(*[grade] * rows)), min_size=4, max_size=18)


@st.composite
def unit_rounds(draw: st.DrawFn) -> list[tuple[str, Event, datetime]]:
    round_id, at = identity(draw(st.integers(300_000, 399_999))), draw(st.sampled_from(TALLIED))
    rehearsal = draw(st.integers(0, 5)) == 0
    announced = ANNOUNCED.model_copy(update={"round_id": round_id, "subjects": UNITS[:2], "rehearsal": rehearsal})
    grades = [grade.key for grade in announced.form.grades]
    cast = {unit_id: draw(votes(("mass", "members"), grades, len(ROWS))) for unit_id in UNITS[:2]}
    return list(a_round(announced, UNITS[:2], cast, ROWS, at))


@st.composite
def member_rounds(draw: st.DrawFn) -> list[tuple[str, Event, datetime]]:
    round_id, at = identity(draw(st.integers(400_000, 499_999))), draw(st.sampled_from(TALLIED))
    changes = {
        "round_id": round_id,
        "subject": "member",
        "subjects": PEOPLE,
        "unit_id": UNITS[0],
        "form": MEMBERS_FORM,
        "peer_classes": ("peer",),
        "rehearsal": draw(st.integers(0, 5)) == 0,
    }
    grades = [grade.key for grade in MEMBERS_FORM.grades]
    cast = {UNITS[0]: draw(votes(("peer", "mass"), grades, len(PEOPLE)))}
    return list(a_round(ANNOUNCED.model_copy(update=changes), UNITS[:1], cast, [row_of(p) for p in PEOPLE], at))


def a_round(
    announced: ReviewRoundAnnounced,
    of_units: Sequence[str],
    cast: dict[str, list[Vote]],
    rows: Sequence[str],
    at: datetime,
) -> Iterator[tuple[str, Event, datetime]]:
    """A round with these ballots, tallied by the service's own rules."""
    round_id, stream = announced.round_id, f"review_round/{announced.round_id}"
    classes = [weight.rater_class for weight in announced.form.weights]
    eligible = {(unit_id, key): 9 for unit_id in of_units for key in classes}
    ballots = {
        unit_id: [
            BallotCast(round_id=round_id, unit_id=unit_id, rater_class=key, rows=dict(zip(rows, grades, strict=True)))
            for key, grades in given
        ]
        for unit_id, given in cast.items()
    }
    parts = tuple(ElectoratePart(unit_id=u, rater_class=c, eligible=n) for (u, c), n in eligible.items())
    yield stream, announced, at - timedelta(days=9)
    yield stream, ElectorateFrozen(round_id=round_id, parts=parts), at - timedelta(days=9)
    for n, ballot in enumerate(one for of_unit in ballots.values() for one in of_unit):
        yield f"ballot/{round_id}/{n:064x}", ballot, at - timedelta(days=1)
    for event in tally_round(announced, ReviewRound(Status.CLOSED, announced, eligible), ballots):
        yield stream, event, at


def _apart(of: st.SearchStrategy[list[S]], least: int, most: int) -> st.SearchStrategy[list[list[S]]]:
    """So many of these, each in a stream of its own."""
    return st.lists(of, min_size=least, max_size=most, unique_by=lambda told: told[0][0])


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A campaign in which no identity is taken twice."""
    told: list[tuple[str, Event, datetime]] = []
    for one in draw(_apart(duties() | pledges() | comments(), 0, 25)):
        at = draw(moments)
        told += [(stream, event, at) for stream, event in one]
    for one_round in draw(_apart(unit_rounds() | member_rounds(), 1, 3)):
        told += one_round
    if draw(st.booleans()):
        told += [(*said, TALLIED[1]) for said in moved(PEOPLE[0], FOUNDED, UNITS[0], UNITS[2], TALLIED[1])]
    if draw(st.booleans()):
        merged = UnitMerged(unit_id=UNITS[1], into_unit_id=UNITS[0], since=TALLIED[2])
        told.append((f"unit/{UNITS[1]}", merged, TALLIED[2]))
    return Story(tuple(told))


def _founding(unit_rules: Event) -> Iterator[tuple[str, Event, datetime]]:
    yield (*REGISTER[0], FOUNDED)
    for unit_id, category in zip(UNITS, CATEGORIES, strict=True):
        unit = UnitRegistered(unit_id=unit_id, name="支部", kind="branch", category=category, parent_id=None)
        yield f"unit/{unit_id}", unit, FOUNDED
    for said in (*enrolled(PEOPLE[:7], UNITS[0], FOUNDED), *enrolled(PEOPLE[7:], UNITS[0], FOUNDED, "probationary")):
        yield (*said, FOUNDED)
    for subject, rules in (("unit", unit_rules), ("member", PUBLISHED), ("member", SECOND)):
        yield f"scoring_rules/{CAMPAIGN}/{subject}", rules, FOUNDED


async def scored(story: Story, unit_rules: Event) -> tuple[Rows, Rows]:
    """Both sheets of both phases and the ranking of each award, as the service calculates them: its whole log."""
    ports = Ports(SimulatedClock(NOW), seeded(1))
    async with a_log("sqlite://", ports, service="evaluation", types=BLUEPRINT.event_types) as log:
        seen = (Register(), Evidence())
        await log.database.write(lambda connection: create_views(connection, seen))
        said = [*_founding(unit_rules), *story.said]
        await log.append(*(Proposed(s, ports.new_id(), event, Context(at)) for s, event, at in said))
        await log.database.write(_projected(log, seen))
        for phase in ("phase1", "phase2"):
            await _calculate(log, phase)
        return await log.database.read(lambda connection: raw(connection, ORG))


def _projected(log: Log, seen: Sequence[Register | Evidence]) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        for projection in seen:
            while project(connection, ORG, projection, log.types):
                pass

    return work


async def _calculate(log: Log, phase: str) -> None:
    for subject, award in (("unit", "award.advanced_unit"), ("member", "award.outstanding_member")):
        asked = CalculateAssessments.model_validate({"campaign_id": CAMPAIGN, "phase": phase, "subject": subject})
        sheet = sheet_of(CAMPAIGN, phase, asked.subject)
        await log.executor.execute(assessment, sheet, asked, assessment_facts, Origin(ORG))
        rank = RankCandidates(campaign_id=CAMPAIGN, phase=phase, award=award)
        await log.executor.execute(ranking, ranking_of(CAMPAIGN, phase, award), rank, ranking_facts, Origin(ORG))
