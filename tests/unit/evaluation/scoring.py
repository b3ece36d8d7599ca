"""A campaign to score: rules, a unit's records, rounds on units and on members, all as they are asked for over HTTP."""

from datetime import date

from avow.contracts.organisation import PersonRegistered
from avow_evaluation.domain.review_form import row_of
from tests.kit.logs import identity
from tests.unit.evaluation.builders import BEST, CAMPAIGN, CLOSES, MEMBER, OPENS, OTHER_MEMBER, ROWS, UNIT
from tests.unit.evaluation.college import FOUNDED, Evaluation
from tests.unit.evaluation.records import a_comment, a_duty, a_pledge, enrolled

PEOPLE = (MEMBER, OTHER_MEMBER, *(identity(n) for n in range(401, 406)))
PUBLIC = [f"P{n:02}" for n in range(6)]
SCORE = {"campaign_id": CAMPAIGN, "phase": "phase1"}
UNITS, MEMBERS = {**SCORE, "subject": "unit"}, {**SCORE, "subject": "member"}


async def publish(evaluation: Evaluation) -> None:
    """Rules for both kinds, entered late for the day the campaign began."""
    late = {"occurred_at": "2010-06-20T01:00:00Z", "late_reason": "补录纸面公布的办法"}
    for subject in ("unit", "member"):
        await evaluation.ask("rules", {"campaign_id": CAMPAIGN, "subject": subject, **late})


async def seven_members(evaluation: Evaluation) -> None:
    for n, person in enumerate(PEOPLE[2:]):
        await evaluation.told((f"person/{person}", PersonRegistered(person_id=person, name=f"柳承{n}")))
    await evaluation.told(*enrolled(PEOPLE[2:6], UNIT, FOUNDED), *enrolled(PEOPLE[6:], UNIT, FOUNDED, "probationary"))


async def a_member_round(evaluation: Evaluation, rehearsal: bool = False) -> str:
    """Everybody gives everybody else the best grade; two of the seven get the worst of the public."""
    round_id = await evaluation.announce(subject="member", subjects=[], unit_id=UNIT, rehearsal=rehearsal)
    roll = {"unit_id": UNIT, "rater_class": "mass", "entries": PUBLIC}
    await evaluation.ask(f"rounds/{round_id}/electorate", {"parts": [roll]})
    peers, public = [await evaluation.issue(round_id, UNIT, key) for key in ("peer", "mass")]
    evaluation.clock.set(OPENS)
    await evaluation.ask(f"rounds/{round_id}/open", {})
    for n, credential in enumerate(peers):
        rows = {row_of(person): None if person == PEOPLE[n] else "excellent" for person in PEOPLE}
        await evaluation.vote(round_id, credential, rows)
    for credential in public:
        rows = {row_of(person): "unqualified" if person in PEOPLE[4:6] else "excellent" for person in PEOPLE}
        await evaluation.vote(round_id, credential, rows)
    return await closed(evaluation, round_id)


async def a_unit_round(evaluation: Evaluation, voters: int = 8) -> str:
    round_id = await evaluation.a_round_open()
    for credential in evaluation.credentials[UNIT, "mass"][:voters]:
        await evaluation.vote(round_id, credential, dict.fromkeys(ROWS, BEST))
    return await closed(evaluation, round_id)


async def closed(evaluation: Evaluation, round_id: str) -> str:
    evaluation.clock.set(CLOSES)
    await evaluation.ask(f"rounds/{round_id}/close", {})
    return round_id


async def the_units_records(evaluation: Evaluation) -> None:
    months = [date(2010, month, 30) for month in (6, 9, 11)]
    await evaluation.told(
        *a_duty(identity(501), UNIT, months[0], "met"),
        *a_duty(identity(502), UNIT, months[1], "missed", then="met_late"),
        *a_duty(identity(503), UNIT, months[2], "missed", waived=True),
        *a_duty(identity(504), UNIT, months[2], "missed", key="study"),
        *a_duty(identity(505), UNIT, date(2011, 7, 31), "missed"),
        *a_pledge(identity(511), "unit", UNIT, [months[2], months[2], None, date(2011, 12, 31)], [0], [1]),
        *a_comment(identity(521), UNIT, 80),
        *a_comment(identity(522), UNIT, 91),
        *a_comment(identity(523), UNIT, None),
        *a_comment(identity(524), UNIT, 10, person_id=MEMBER),
    )
