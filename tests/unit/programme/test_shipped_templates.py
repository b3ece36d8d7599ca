"""What the two shipped templates say, and that each survives being carried in an event."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import JsonValue, TypeAdapter

from avow.programme import ProgrammeTemplate, UnknownKey, UnknownTemplate, available, load

PARTY = "\N{CJK UNIFIED IDEOGRAPH-515A}"

every_template = pytest.mark.parametrize("key", ["cxzy-2010", "teaching-excellence"])


def test_two_templates_are_shipped() -> None:
    assert available() == ("cxzy-2010", "teaching-excellence")


@every_template
def test_a_shipped_template_bears_the_key_it_is_found_under(key: str) -> None:
    assert load(key).key == key


def test_a_template_that_is_not_shipped_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownTemplate) as caught:
        load("../cxzy-2010")
    assert caught.value.key == "../cxzy-2010"
    assert caught.value.available == available()


@every_template
def test_a_template_read_back_from_its_json_is_the_same_template(key: str) -> None:
    template = load(key)
    again = ProgrammeTemplate.model_validate_json(template.model_dump_json())
    assert again == template
    assert again.model_dump_json() == template.model_dump_json()
    assert hash(again) == hash(template)


@every_template
def test_a_template_carried_as_plain_json_values_in_an_event_is_the_same_template(key: str) -> None:
    template = load(key)
    programme = TypeAdapter(dict[str, JsonValue])
    carried = programme.validate_json(programme.dump_json(template.model_dump(mode="json")))
    assert ProgrammeTemplate.model_validate(carried) == template


@every_template
def test_no_number_of_a_template_is_written_as_a_fraction_in_json(key: str) -> None:
    assert not any(isinstance(leaf, float) for leaf in _leaves(load(key).model_dump(mode="json")))


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for entry in value.values() for leaf in _leaves(entry)]
    if isinstance(value, list):
        return [leaf for entry in value for leaf in _leaves(entry)]
    return [value]


def test_the_campaign_ends_on_a_day_not_yet_known() -> None:
    assert load("cxzy-2010").ends_on is None


def test_the_campaign_has_two_phases_of_which_the_second_ends_softly() -> None:
    template = load("cxzy-2010")
    assert [(phase.starts_on, phase.ends_on, phase.soft_end) for phase in template.phases] == [
        (date(2010, 6, 1), date(2011, 6, 30), False),
        (date(2011, 7, 1), date(2012, 6, 30), True),
    ]


@pytest.mark.parametrize(
    ("day", "phase"),
    [
        (date(2010, 5, 31), None),
        (date(2010, 6, 1), "phase1"),
        (date(2011, 6, 30), "phase1"),
        (date(2011, 7, 1), "phase2"),
        (date(2012, 7, 15), "phase2"),
        (date(2012, 7, 16), None),
    ],
)
def test_a_day_counts_for_the_phase_it_lies_in_grace_included(day: date, phase: str | None) -> None:
    found = load("cxzy-2010").phase_on(day)
    assert (found.key if found else None) == phase


def test_units_are_measured_by_five_goods_and_members_by_five_leads() -> None:
    template = load("cxzy-2010")
    assert [criterion.key for criterion in template.criteria_for("unit").criteria] == [
        "good.leadership",
        "good.members",
        "good.mechanism",
        "good.performance",
        "good.public_opinion",
    ]
    assert [criterion.key for criterion in template.criteria_for("member").criteria] == [
        "lead.learning",
        "lead.achievement",
        "lead.service",
        "lead.discipline",
        "lead.integrity",
    ]


def test_what_staff_and_students_think_is_answered_by_the_public_alone() -> None:
    criteria = load("cxzy-2010").criteria
    assert [criterion.key for criterion in criteria if criterion.public_only] == ["good.public_opinion", "lead.service"]


def test_a_unit_is_graded_for_satisfaction_and_a_member_in_four_grades() -> None:
    template = load("cxzy-2010")
    unit, member = (template.scale(template.review_form(subject).scale) for subject in ("unit", "member"))
    assert [(grade.key, grade.points, grade.top) for grade in unit.grades] == [
        ("satisfied", Decimal(100), True),
        ("fairly_satisfied", Decimal(85), True),
        ("basically_satisfied", Decimal(70), False),
        ("not_satisfied", Decimal(50), False),
    ]
    assert [member.points(key) for key in ("excellent", "qualified", "basically_qualified", "unqualified")] == [
        Decimal(100),
        Decimal(85),
        Decimal(70),
        Decimal(50),
    ]


def test_the_public_weighs_thirty_in_both_reviews_members_ten_and_peers_thirty() -> None:
    template = load("cxzy-2010")
    unit, member = template.review_form("unit"), template.review_form("member")
    assert (unit.weight("mass"), unit.weight("members")) == (Decimal(30), Decimal(10))
    assert (member.weight("mass"), member.weight("peer")) == (Decimal(30), Decimal(30))


def test_students_and_staff_and_those_served_outside_are_counted_in_one_class() -> None:
    template = load("cxzy-2010")
    assert {template.class_of(kind).key for kind in ("student", "staff_nonmember", "external", "mass")} == {"mass"}
    assert not template.rater_class("mass").is_member


def test_scopes_go_from_the_branch_to_the_public() -> None:
    template = load("cxzy-2010")
    assert [scope.key for scope in template.scopes] == [
        "branch",
        "general_branch",
        "college",
        "service_audience",
        "public",
    ]
    assert template.reach("branch") < template.reach("college") < template.reach("public")


def test_every_duty_of_the_programme_document_is_in_the_catalogue() -> None:
    assert {obligation.key for obligation in load("cxzy-2010").obligations} == {
        *("mobilisation", "study", "member_study", "unit_leadership", "work_plan", "member_pledge"),
        *("monthly_committee", "quarterly_summary", "unit_report", "office_report", "members_assembly"),
        *("leader_visit", "unit_review", "member_review", "ledger_seal", "spot_check", "rectification"),
        *("rules_published", "commendation"),
    }


def test_the_duties_due_in_principle_are_the_monthly_the_quarterly_and_the_two_reviews() -> None:
    soft = {obligation.key for obligation in load("cxzy-2010").obligations if obligation.soft}
    assert soft == {"monthly_committee", "quarterly_summary", "unit_review", "member_review"}


def test_a_recommendation_passes_seven_levels_and_the_committee_is_the_last() -> None:
    acts = [step.act for step in load("cxzy-2010").recommendation_chain]
    assert acts == ["nominate", "endorse", "pre_check", "clear", "endorse", "notice", "approve"]


def test_the_second_programme_reviews_persons_only_and_says_so() -> None:
    template = load("teaching-excellence")
    assert [step.key for step in template.stages] == [
        "stage.pledge",
        "stage.comment",
        "stage.review",
        "stage.commendation",
    ]
    with pytest.raises(UnknownKey, match="'unit' is not among review_forms: member"):
        template.review_form("unit")


def test_a_key_the_template_does_not_define_is_refused_with_those_it_does() -> None:
    with pytest.raises(UnknownKey) as caught:
        load("cxzy-2010").scale("sat4").points("excellent")
    assert caught.value.key == "excellent"
    assert caught.value.known == ("satisfied", "fairly_satisfied", "basically_satisfied", "not_satisfied")


@every_template
def test_party_words_are_found_in_no_template_but_the_campaigns(key: str) -> None:
    assert (PARTY in load(key).model_dump_json()) == (key == "cxzy-2010")
