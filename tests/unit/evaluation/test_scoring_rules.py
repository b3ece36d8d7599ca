"""The rules of the rules: published in time, version by version, and never without weight for what people see."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from avow.contracts.review import ClassWeight
from avow.contracts.scoring import PartWeight, ScoringRulesPublished
from avow.contracts.values import Label
from avow.programme import load
from avow_evaluation.domain.scoring_rules import (
    PublishScoringRules,
    Rules,
    RulesFacts,
    ScoringRules,
    half_year_after,
    scoring_rules,
)
from tests.kit.given import Given, given
from tests.unit.evaluation.builders import CAMPAIGN, PROGRAMME

FACTS = RulesFacts(
    occurred_at=datetime(2010, 6, 1, 8, tzinfo=UTC),
    programme=PROGRAMME,
    starts_on=date(2010, 6, 1),
    today=date(2010, 6, 1),
)
FIRST = PublishScoringRules(campaign_id=CAMPAIGN, subject="member")
PUBLISHED = ScoringRulesPublished(
    campaign_id=CAMPAIGN,
    subject="member",
    version=1,
    label=Label(zh="党员考评办法", en="Member scoring rules"),
    effective_from=date(2010, 6, 1),
    work_record=(
        PartWeight(part="fulfilment", weight=Decimal(25)),
        PartWeight(part="study", weight=Decimal(5)),
        PartWeight(part="comments", weight=Decimal(10)),
    ),
    recognition=(
        ClassWeight(rater_class="peer", weight=Decimal(30)),
        ClassWeight(rater_class="mass", weight=Decimal(30)),
    ),
    work_record_floor=Decimal(60),
    recognition_floor=Decimal(60),
)
SECOND = PUBLISHED.model_copy(
    update={
        "version": 2,
        "effective_from": date(2011, 7, 1),
        "recognition": (
            ClassWeight(rater_class="peer", weight=Decimal(20)),
            ClassWeight(rater_class="mass", weight=Decimal(40)),
        ),
    }
)


def a_version(**changes: object) -> PublishScoringRules:
    """The second version, handed in with changes."""
    said = SECOND.model_dump(exclude={"campaign_id", "subject"})
    return FIRST.model_copy(update={"rules": Rules.model_validate({**said, **changes})})


def rules(
    *history: ScoringRulesPublished, today: date = FACTS.today
) -> Given[PublishScoringRules, ScoringRules, RulesFacts, ScoringRulesPublished]:
    return given(scoring_rules, *history).knowing(replace(FACTS, today=today))


def test_the_first_version_is_the_programmes_own() -> None:
    """R-48"""
    rules().when(FIRST).then(PUBLISHED)


def test_a_later_version_is_in_force_from_its_day_on_and_the_first_until_then() -> None:
    """R-48"""
    rules(PUBLISHED, today=date(2011, 6, 30)).when(a_version()).then(SECOND)
    both = scoring_rules.fold([PUBLISHED, SECOND])
    assert [both.in_force(day) for day in (date(2010, 5, 31), date(2010, 6, 1), date(2011, 6, 30))] == [
        None, PUBLISHED, PUBLISHED,
    ]  # fmt: skip
    assert both.in_force(date(2011, 7, 1)) == SECOND


def test_no_version_is_published_once_what_it_scores_has_begun() -> None:
    """R-48"""
    rules(PUBLISHED, today=date(2011, 7, 1)).when(a_version()).refused("scoring_rules.too_late", "rules.effective_from")
    rules(today=date(2010, 6, 30)).when(FIRST).then(PUBLISHED)
    refusal = rules(today=date(2010, 7, 1)).when(FIRST).refused("scoring_rules.too_late", "rules.effective_from")
    assert refusal.params == {"until": "2010-07-01"}


@pytest.mark.parametrize(
    ("day", "half_year"),
    [
        (date(2010, 6, 1), date(2010, 7, 1)),
        (date(2010, 7, 1), date(2011, 1, 1)),
        (date(2010, 12, 31), date(2011, 1, 1)),
        (date(2011, 1, 1), date(2011, 7, 1)),
    ],
)
def test_half_years_begin_in_january_and_july(day: date, half_year: date) -> None:
    assert half_year_after(day) == half_year


def test_a_published_version_stands_and_none_is_left_out() -> None:
    """R-48"""
    rules(PUBLISHED).when(FIRST).refused("scoring_rules.version_not_next", "rules.version")
    rules(PUBLISHED).when(a_version(version=3)).refused("scoring_rules.version_not_next", "rules.version")
    rules(PUBLISHED, SECOND).when(a_version(version=3)).refused(
        "scoring_rules.not_after_the_last", "rules.effective_from"
    )


WORK = [{"part": "fulfilment", "weight": "40"}]
MASS = [{"rater_class": "mass", "weight": "60"}]
MEMBERS = [{"rater_class": "members", "weight": "60"}]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"work_record": [{"part": "fulfilment", "weight": "39.9"}]}, "weights_not_a_hundred", "rules.work_record"),
        ({"work_record": [{"part": "fulfilment", "weight": "0"}]}, "work_record_weightless", "rules.work_record"),
        ({"recognition": [{"rater_class": "mass", "weight": "0"}]}, "recognition_weightless", "rules.recognition"),
        ({"recognition": [{"rater_class": "mass", "weight": "-1"}]}, "weight_negative", "rules"),
        ({"work_record": WORK * 2}, "entry_repeated", "rules.work_record[1]"),
        ({"recognition": MASS * 2}, "entry_repeated", "rules.recognition[1]"),
        (
            {"recognition": [{"rater_class": "members", "weight": "60"}]},
            "class_unknown",
            "rules.recognition[0].rater_class",
        ),
    ],
)
def test_weights_make_a_hundred_and_neither_side_weighs_nothing(
    changes: dict[str, object], code: str, field: str
) -> None:
    """R-51"""
    rules(PUBLISHED).when(a_version(**changes)).refused(f"scoring_rules.{code}", field)


def test_a_programme_without_rules_has_them_handed_in() -> None:
    bare = load("cxzy-2010").model_copy(update={"scoring_rules": ()})
    knowing = given(scoring_rules).knowing(replace(FACTS, programme=bare))
    knowing.when(FIRST).refused("scoring_rules.none_in_programme", "subject")
    knowing.when(a_version(version=1)).decided()
