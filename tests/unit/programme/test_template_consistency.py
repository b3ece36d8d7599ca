"""A template that contradicts itself is refused, and each fault is named with its path."""

import pytest
from pydantic import JsonValue, ValidationError

from avow.programme import ProgrammeTemplate, load
from tests.unit.programme.broken import put, refusal


@pytest.mark.parametrize(
    ("path", "entries"),
    [
        ("unit_kinds[2].parents[0]", "unit_kinds"),
        ("roles[0].sits_in[1]", "unit_kinds"),
        ("leading_group_roles[0]", "roles"),
        ("review_forms[0].scale", "grade_scales"),
        ("review_forms[0].result_scope", "scopes"),
        ("review_forms[0].rows[1].criteria[0]", "criteria"),
        ("review_forms[1].weights[0].rater_class", "rater_classes"),
        ("obligations[0].owner.units[0]", "unit_kinds"),
        ("obligations[9].owner.roles[0]", "roles"),
        ("obligations[0].satisfied_by[0].meeting_kind", "meeting_kinds"),
        ("obligations[6].satisfied_by[0].agenda_tag", "agenda_tags"),
        ("obligations[1].satisfied_by[0].activity_kind", "activity_kinds"),
        ("obligations[15].satisfied_by[0].inspection_mode", "inspection_modes"),
        ("obligations[8].due.evidence.meeting_kind", "meeting_kinds"),
        ("awards[1].excludes[0]", "awards"),
        ("recommendation_chain[0].by.units[0]", "unit_kinds"),
        ("recommendation_chain[3].by.roles[0]", "roles"),
        ("notice.scope", "scopes"),
    ],
)
def test_a_reference_to_a_key_that_is_not_defined_is_refused(path: str, entries: str) -> None:
    assert refusal((path, "nowhere"))[path].startswith(f"'nowhere' is not among {entries}: ")


@pytest.mark.parametrize(
    ("path", "twin"),
    [
        ("scopes[3].key", "branch"),
        ("phases[1].key", "phase1"),
        ("obligations[1].key", "mobilisation"),
        ("grade_scales[0].grades[1].key", "satisfied"),
        ("review_forms[0].rows[4].key", "organising"),
        ("activity_kinds[0].fields[1].key", "document"),
        ("review_forms[1].subject", "unit"),
        ("criteria_sets[1].subject", "unit"),
        ("review_forms[0].weights[1].rater_class", "mass"),
        ("scoring_rules[0].work_record[1].part", "obligations"),
        ("tie_breaks[1]", "recognition"),
        ("leading_group_roles[1]", "lg_head"),
    ],
)
def test_a_key_given_twice_is_refused(path: str, twin: str) -> None:
    assert refusal((path, twin))[path] == f"'{twin}' appears twice"


@pytest.mark.parametrize(
    ("path", "taken"),
    [("criteria_sets[1].criteria[0].key", "good.leadership"), ("rater_classes[0].kinds[2].key", "peer")],
)
def test_a_key_that_another_list_of_the_same_things_has_is_refused(path: str, taken: str) -> None:
    assert refusal((path, taken))[path] == f"'{taken}' is already taken"


FAULTS: list[tuple[str, list[tuple[str, JsonValue]], str, str]] = [
    (
        "a kind of unit below one that comes after it",
        [("unit_kinds[0].parents", ["branch"])],
        "unit_kinds[0].parents[0]",
        "must be listed above",
    ),
    (
        "a kind of unit below itself",
        [("unit_kinds[2].parents[0]", "branch")],
        "unit_kinds[2].parents[0]",
        "must be listed above",
    ),
    ("a campaign that ends before it starts", [("ends_on", "2010-05-31")], "ends_on", "before it starts"),
    ("a phase that ends before it starts", [("phases[0].ends_on", "2010-05-01")], "phases[0].ends_on", "before it"),
    ("a phase before the campaign", [("phases[0].starts_on", "2010-05-31")], "phases[0].starts_on", "before the"),
    ("a phase after the campaign", [("ends_on", "2012-06-29")], "phases[1].ends_on", "ends after the campaign"),
    ("a phase that overlaps", [("phases[1].starts_on", "2011-06-30")], "phases[1].starts_on", "'phase1' is not over"),
    (
        "a phase that begins in the grace of another",
        [("phases[0].soft_end", True), ("phases[0].grace_days", 5)],
        "phases[1].starts_on",
        "before 2011-07-05 has passed",
    ),
    ("a hard end with grace", [("phases[0].grace_days", 1)], "phases[0].grace_days", "a hard end has none"),
    ("a soft end without grace", [("phases[1].grace_days", 0)], "phases[1].grace_days", "a soft end has days"),
    ("a duty that nobody owes", [("obligations[3].owner", {})], "obligations[3].owner", "names nobody"),
    (
        "a duty due before the campaign",
        [("obligations[18].due.dates[0]", "2010-05-31")],
        "obligations[18].due.dates[0]",
        "outside the campaign",
    ),
    ("a pledge with fewer items than it needs", [("pledge.unit.max_items", 9)], "pledge.unit.max_items", "below"),
    ("a warning that is never given", [("turnout.warn_below", "0.49")], "turnout.warn_below", "ever be warned"),
    (
        "a target below the point of rectification",
        [("satisfaction.target", "0.5")],
        "satisfaction.target",
        "is below rectify_below, 0.60",
    ),
    (
        "a quota whose bounds are crossed",
        [("awards[1].quota.min_per_unit", 6)],
        "awards[1].quota.max_per_unit",
        "is below min_per_unit, 6",
    ),
    (
        "a grade worth as much as the better one",
        [("grade_scales[0].grades[1].points", "100")],
        "grade_scales[0].grades[1].points",
        "'fairly_satisfied' must be worth less than 'satisfied'",
    ),
    (
        "a top grade below one that is none",
        [("grade_scales[0].grades[2].top", True), ("grade_scales[0].grades[1].top", False)],
        "grade_scales[0].grades[2].top",
        "cannot be a top grade",
    ),
    (
        "a scale of top grades only",
        [("grade_scales[1].grades[2].top", True), ("grade_scales[1].grades[3].top", True)],
        "grade_scales[1].grades",
        "some are not",
    ),
    (
        "a unit's form that asks for a member's criterion",
        [("review_forms[0].rows[0].criteria[0]", "lead.learning")],
        "review_forms[0].rows[0].criteria[0]",
        "'lead.learning' is not a criterion for a unit",
    ),
    (
        "a form that leaves out what only the public can answer",
        [("review_forms[0].rows[3].criteria[0]", "good.members")],
        "review_forms[0].rows",
        "only public raters answer",
    ),
    (
        "a form whose weights are all zero",
        [("review_forms[0].weights[0].weight", "0"), ("review_forms[0].weights[1].weight", "0")],
        "review_forms[0].weights",
        "every weight is zero",
    ),
    (
        "a form in which the public weighs nothing",
        [("review_forms[0].weights[0].weight", "0"), ("review_forms[0].weights[1].weight", "40")],
        "review_forms[0].weights",
        "public raters weigh nothing",
    ),
    (
        "a work record that weighs nothing",
        [("scoring_rules[1].work_record", [{"part": "study", "weight": "0"}])],
        "scoring_rules[1].work_record",
        "makes 60 with the review form's weights, not 100",
    ),
    (
        "weights that do not make a hundred",
        [("scoring_rules[0].work_record[0].weight", "21")],
        "scoring_rules[0].work_record",
        "makes 101 with the review form's weights, not 100",
    ),
    (
        "a chain that does not begin with a nomination",
        [("recommendation_chain[0].act", "endorse")],
        "recommendation_chain[0].act",
        "the first step nominates",
    ),
    (
        "a chain that nominates twice",
        [("recommendation_chain[1].act", "nominate")],
        "recommendation_chain[1].act",
        "and no other",
    ),
    (
        "a chain in which someone approves before the last",
        [("recommendation_chain[4].act", "approve")],
        "recommendation_chain[4].act",
        "the last step approves, and no other",
    ),
    (
        "a chain that does not end with an approval",
        [("recommendation_chain[6].act", "endorse")],
        "recommendation_chain[6].act",
        "the last step approves",
    ),
    (
        "a chain without a public notice",
        [("recommendation_chain[5].act", "endorse")],
        "recommendation_chain",
        "one public notice",
    ),
    (
        "a step of the chain left to everybody",
        [("recommendation_chain[2].by", {"members": True})],
        "recommendation_chain[2].by",
        "names no kind of unit and no role",
    ),
]


@pytest.mark.parametrize(
    ("changes", "path", "message"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_template_that_contradicts_itself_is_refused(
    changes: list[tuple[str, JsonValue]], path: str, message: str
) -> None:
    assert message in refusal(*changes)[path]


def test_an_award_for_what_is_not_scored_is_refused() -> None:
    found = refusal(("awards[0].subject", "unit"), of="teaching-excellence")
    assert found == {"awards[0].subject": "there are no scoring rules for a unit"}


def test_scoring_rules_without_a_review_form_are_refused() -> None:
    found = refusal(("scoring_rules[0].subject", "unit"), of="teaching-excellence")
    assert found["scoring_rules[0].subject"] == "there is no review form for a unit"


def test_every_fault_is_told_at_once() -> None:
    found = refusal(("notice.scope", "nowhere"), ("pledge.member.max_items", 0), ("phases[0].grace_days", 3))
    assert {"notice.scope", "pledge.member.max_items", "phases[0].grace_days"} <= set(found)


def test_a_contradiction_is_refused_on_reading_an_event_too() -> None:
    carried = load("cxzy-2010").model_dump(mode="json")
    put(carried, "notice.scope", "nowhere")
    with pytest.raises(ValidationError, match=r"notice\.scope: 'nowhere' is not among scopes"):
        ProgrammeTemplate.model_validate(carried)
