"""From the records to a ranking and back to the events, as it is asked for from outside, on both engines."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from avow.contracts.organisation import UnitMerged
from tests.kit.logs import identity
from tests.unit.evaluation.builders import (
    BEST,
    CAMPAIGN,
    MEMBER,
    OFFICE_HAND,
    OTHER_UNIT,
    ROWS,
    UNIT,
)
from tests.unit.evaluation.college import FOUNDED, Evaluation, Refused, an_evaluation
from tests.unit.evaluation.records import a_comment, a_pledge, moved
from tests.unit.evaluation.scoring import (
    MEMBERS,
    PEOPLE,
    PUBLIC,
    SCORE,
    UNITS,
    a_member_round,
    a_unit_round,
    publish,
    seven_members,
    the_units_records,
)

V2 = {
    "version": 2,
    "label": {"zh": "党员考评办法（修订）", "en": "Member scoring rules, amended"},
    "effective_from": "2011-07-01",
    "work_record": [{"part": "fulfilment", "weight": "25"}, {"part": "comments", "weight": "15"}],
    "recognition": [{"rater_class": "peer", "weight": "20"}, {"rater_class": "mass", "weight": "40"}],
    "work_record_floor": "60",
    "recognition_floor": "60",
}


@pytest.fixture
async def evaluation(engine_url: str) -> AsyncIterator[Evaluation]:
    async with an_evaluation(engine_url) as running:
        running.clock.set(datetime(2010, 11, 25, 1, tzinfo=UTC))
        yield running


async def test_a_units_score_is_its_work_record_and_its_recognition(evaluation: Evaluation) -> None:
    """R-49, R-51: the duty that is only advisory, the one of the next phase and the ungraded comment do not count."""
    await publish(evaluation)
    await the_units_records(evaluation)
    round_id = await a_unit_round(evaluation)
    await evaluation.ask("assessments", UNITS)
    page = await evaluation.read("assessments", **UNITS, unit_id=UNIT)
    (found,) = page["items"]
    parts = {part["part"]: part for part in found["parts"]}
    assert (parts["obligations"]["numerator"], parts["obligations"]["denominator"]) == ("3/2", 2)
    assert (parts["fulfilment"]["numerator"], parts["fulfilment"]["denominator"]) == ("1", 2)
    assert (parts["comments"]["numerator"], parts["comments"]["denominator"]) == ("171/100", 2)
    assert parts["inspections"] == {
        "part": "inspections", "weight": "10", "in_force": None, "numerator": "0", "denominator": 0, "value": None,
    }  # fmt: skip
    assert [parts[key]["in_force"] for key in ("obligations", "fulfilment", "comments")] == [
        "24.000000000", "24.000000000", "12.000000000",
    ]  # fmt: skip
    # 24 × 0.75 + 24 × 0.5 + 12 × 0.855 = 40.26 of 60
    assert found["work_record"] == "67.100000000"
    assert (found["name"], found["category"], found["rules_version"]) == ("药学系教工支部", "teaching", 1)
    classes = {entry["rater_class"]: entry for entry in found["classes"]}
    assert (classes["mass"]["in_force"], classes["mass"]["support"]) == ("40.000000000", "8")
    assert classes["members"]["in_force"] is None
    ledger = (await evaluation.read("ledger", round_id=round_id, unit_id=UNIT))["items"][0]
    assert found["recognition"] == ledger["recognition"]
    total = Decimal("40.26") + Decimal(found["recognition"]) * 40 / 100
    assert Decimal(found["total"]) == round(total, 9)
    assert [(one["method"], one["recognition"]) for one in found["alternatives"]] == [
        (method, "100.000000000") for method in ("mean", "shrunk", "trimmed", "median")
    ]
    assert (found["missing"], found["below_floor"]) == ([], [])


async def test_a_unit_nobody_reviewed_has_no_total_and_says_why(evaluation: Evaluation) -> None:
    """R-47"""
    await publish(evaluation)
    await evaluation.ask("assessments", UNITS)
    found = (await evaluation.read("assessments", **UNITS))["items"]
    assert {one["unit_id"]: one["missing"] for one in found} == {
        unit_id: ["no_work_record", "no_ledger_row"] for unit_id in (UNIT, OTHER_UNIT)
    }
    assert {one["total"] for one in found} == {None}


async def test_a_withheld_result_is_passed_over_and_a_re_run_counts(evaluation: Evaluation) -> None:
    """R-41: too few voted; the unit is reviewed again."""
    await publish(evaluation)
    withheld = await a_unit_round(evaluation, voters=4)
    await evaluation.ask("assessments", UNITS)
    (before,) = (await evaluation.read("assessments", **UNITS, unit_id=UNIT))["items"]
    evaluation.clock.set(datetime(2011, 5, 1, tzinfo=UTC))
    again = {"opens_at": "2011-05-16T00:00:00Z", "closes_at": "2011-05-27T00:00:00Z", "subjects": [UNIT]}
    round_id = await evaluation.announce(**again)
    roll = {"unit_id": UNIT, "rater_class": "mass", "entries": PUBLIC}
    await evaluation.ask(f"rounds/{round_id}/electorate", {"parts": [roll]})
    public, _ = [await evaluation.issue(round_id, UNIT, key) for key in ("mass", "members")]
    evaluation.clock.set(datetime(2011, 5, 16, tzinfo=UTC))
    await evaluation.ask(f"rounds/{round_id}/open", {})
    for credential in public:
        await evaluation.vote(round_id, credential, dict.fromkeys(ROWS, BEST))
    evaluation.clock.set(datetime(2011, 5, 27, tzinfo=UTC))
    await evaluation.ask(f"rounds/{round_id}/close", {})
    await evaluation.ask("assessments", UNITS)
    (after,) = (await evaluation.read("assessments", **UNITS, unit_id=UNIT))["items"]
    assert (before["missing"], after["missing"]) == (["no_work_record", "withheld"], ["no_work_record"])
    assert (before["revision"], after["revision"], after["recognition"] is None) == (1, 2, False)
    rows = (await evaluation.read("ledger", unit_id=UNIT))["items"]
    assert [(row["round_id"], row["validity"]) for row in rows] == [(withheld, "invalid"), (round_id, "low")]


async def test_members_are_reviewed_scored_and_ranked(evaluation: Evaluation) -> None:
    """R-42, R-49, R-51"""
    await publish(evaluation)
    await seven_members(evaluation)
    due = date(2010, 12, 1)
    for n, person in enumerate(PEOPLE[:4]):
        await evaluation.told(
            *a_pledge(identity(600 + n), "member", person, [due] * 4, range(4 - (n == 2)), unit_id=UNIT)
        )
    round_id = await a_member_round(evaluation)
    ledger = (await evaluation.read("ledger", subject="member", round_id=round_id))["items"]
    assert {row["person_id"] for row in ledger} == set(PEOPLE)
    assert {(row["eligible"], row["cast"], row["unit_id"]) for row in ledger} == {(13, 13, UNIT)}
    assert ledger[0]["person"] in ("钟若岚", "苏砚")
    await evaluation.ask("assessments", MEMBERS)
    await evaluation.ask("candidates", {**SCORE, "award": "award.outstanding_member"})
    places = (await evaluation.read("candidates", award="award.outstanding_member"))["items"]
    said = {place["subject_id"]: (place["rank"], place["reason"]) for place in places}
    assert said[PEOPLE[0]] == said[PEOPLE[1]] == said[PEOPLE[3]] == (1, "shared")
    assert said[PEOPLE[2]] == (4, "total")
    assert said[PEOPLE[4]] == said[PEOPLE[5]] == (None, "no_work_record")
    assert said[PEOPLE[6]] == (None, "probationary")
    assert [place["place"] for place in places] == list(range(1, 8))
    assessed = {one["assessment_id"]: one for one in (await evaluation.read("assessments", **MEMBERS))["items"]}
    for place in places:
        assert assessed[place["assessment_id"]]["event_ref"] == place["assessment_event"]
    assert [(p["best_rank"], p["worst_rank"]) for p in places[:4]] == [(1, 1), (1, 1), (1, 1), (4, 4)]


async def test_a_rehearsal_is_said_to_be_one_and_counts_nowhere(evaluation: Evaluation) -> None:
    await publish(evaluation)
    await seven_members(evaluation)
    round_id = await a_member_round(evaluation, rehearsal=True)
    page = await evaluation.read(f"rounds/{round_id}")
    assert (page["rehearsal"], page["status"], page["subject"], page["unit_id"]) == (True, "tallied", "member", UNIT)
    assert (await evaluation.read("ledger"))["items"] == []
    await evaluation.ask("assessments", MEMBERS)
    found = (await evaluation.read("assessments", **MEMBERS))["items"]
    assert {tuple(one["missing"]) for one in found} == {("no_work_record", "no_ledger_row")}


async def test_what_has_not_changed_gets_no_new_revision(evaluation: Evaluation) -> None:
    """R-49"""
    await publish(evaluation)
    await the_units_records(evaluation)
    await evaluation.ask("assessments", UNITS)
    await evaluation.ask("assessments", UNITS)
    await evaluation.told(*a_comment(identity(530), OTHER_UNIT, 70))
    await evaluation.ask("assessments", UNITS)
    found = (await evaluation.read("assessments", **UNITS))["items"]
    assert {one["unit_id"]: one["revision"] for one in found} == {UNIT: 1, OTHER_UNIT: 2}
    types = [record.type for record in await evaluation.records()]
    assert types.count("assessment.calculated") == 3


async def test_the_version_in_force_when_the_phase_began_scores_it(evaluation: Evaluation) -> None:
    """R-48"""
    await publish(evaluation)
    evaluation.clock.set(datetime(2011, 6, 30, 1, tzinfo=UTC))
    await evaluation.ask("rules", {"campaign_id": CAMPAIGN, "subject": "member", "rules": V2})
    evaluation.clock.set(datetime(2011, 8, 1, tzinfo=UTC))
    for phase in ("phase1", "phase2"):
        await evaluation.ask("assessments", {**MEMBERS, "phase": phase})
    found = (await evaluation.read("assessments", subject="member"))["items"]
    assert {(one["phase"], one["rules_version"]) for one in found} == {("phase1", 1), ("phase2", 2)}
    rules = (await evaluation.read("rules", subject="member"))["items"]
    assert [(one["version"], one["effective_from"]) for one in rules] == [(1, "2010-06-01"), (2, "2011-07-01")]
    assert [entry["weight"] for entry in rules[1]["recognition"]] == ["20", "40"]


async def test_a_member_who_moves_is_scored_where_they_stand_and_keeps_their_record(evaluation: Evaluation) -> None:
    await publish(evaluation)
    await evaluation.told(
        *a_pledge(identity(600), "member", MEMBER, [date(2010, 7, 1)], [0], unit_id=UNIT),
        *moved(MEMBER, FOUNDED, UNIT, OTHER_UNIT, datetime(2011, 2, 1, tzinfo=UTC)),
    )
    evaluation.clock.set(datetime(2011, 1, 1, tzinfo=UTC))
    await evaluation.ask("assessments", MEMBERS)
    (before,) = (await evaluation.read("assessments", subject_id=MEMBER))["items"]
    evaluation.clock.set(datetime(2012, 1, 1, tzinfo=UTC))
    await evaluation.ask("assessments", MEMBERS)
    (after,) = (await evaluation.read("assessments", subject_id=MEMBER))["items"]
    assert (before["unit_id"], before["category"]) == (UNIT, "teaching")
    assert (after["unit_id"], after["category"]) == (OTHER_UNIT, "service")
    assert before["parts"] == after["parts"]


async def test_a_unit_that_was_merged_is_not_scored_any_more_and_leaves_nothing_to_the_other(
    evaluation: Evaluation,
) -> None:
    await publish(evaluation)
    await evaluation.told(*a_comment(identity(530), OTHER_UNIT, 70))
    await evaluation.ask("assessments", UNITS)
    gone = UnitMerged(unit_id=OTHER_UNIT, into_unit_id=UNIT, since=datetime(2011, 1, 1, tzinfo=UTC))
    await evaluation.told((f"unit/{OTHER_UNIT}", gone))
    evaluation.clock.set(datetime(2011, 2, 1, tzinfo=UTC))
    await evaluation.ask("assessments", UNITS)
    (left,) = (await evaluation.read("assessments", **UNITS))["items"]
    assert (left["unit_id"], left["work_record"]) == (UNIT, None)


async def test_rules_scores_and_rankings_are_the_offices(evaluation: Evaluation) -> None:
    award = {**SCORE, "award": "award.advanced_unit"}
    for path, body in (
        ("rules", {"campaign_id": CAMPAIGN, "subject": "unit"}),
        ("assessments", UNITS),
        ("candidates", award),
    ):
        with pytest.raises(Refused, match=r"actor\.lacks_role"):
            await evaluation.ask(path, body, actor=MEMBER)
    late = {"occurred_at": "2010-06-20T01:00:00Z", "late_reason": "补录"}
    await evaluation.ask("rules", {"campaign_id": CAMPAIGN, "subject": "unit", **late}, actor=OFFICE_HAND)
    await evaluation.ask("assessments", UNITS, actor=OFFICE_HAND)
    await evaluation.ask("candidates", award, actor=OFFICE_HAND)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("assessments", {**UNITS, "phase": "phase3"}, r"assessment\.phase_unknown"),
        ("assessments", {**UNITS, "phase": "phase2"}, r"assessment\.too_early"),
        ("assessments", UNITS, r"assessment\.no_rules"),
        ("candidates", {**SCORE, "award": "award.none"}, r"ranking\.award_unknown"),
        ("candidates", {**SCORE, "award": "award.advanced_unit"}, r"ranking\.no_assessments"),
        ("rules", {"campaign_id": CAMPAIGN, "subject": "unit"}, r"scoring_rules\.too_late"),
    ],
)
async def test_what_cannot_be_scored_or_ranked_says_why(
    evaluation: Evaluation, path: str, body: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused, match=code):
        await evaluation.ask(path, body)
