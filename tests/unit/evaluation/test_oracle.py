"""Every score and place is what an oracle makes of the raw events, with the standard library alone (R-49, R-51)."""

import asyncio
from copy import deepcopy
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from avow.contracts.scoring import ScoringRulesPublished
from avow_evaluation.domain.scoring_rules import Rules, RulesFacts, of_the_programme
from tests.kit import oracle
from tests.kit.raw_log import Rows
from tests.unit.evaluation.builders import CAMPAIGN, PROGRAMME
from tests.unit.evaluation.campaigns import Story, scored, stories
from tests.unit.evaluation.college import FOUNDED


def the_units_rules() -> ScoringRulesPublished:
    """The programme's own."""
    starts_on = date(2010, 6, 1)
    facts = RulesFacts(occurred_at=FOUNDED, programme=PROGRAMME, starts_on=starts_on, today=starts_on)
    rules: Rules = of_the_programme("unit", facts)
    said = {name: getattr(rules, name) for name in Rules.model_fields}
    return ScoringRulesPublished(campaign_id=CAMPAIGN, subject="unit", **said)


RULES = the_units_rules()


@settings(
    max_examples=40,
    deadline=None,
    # A failure explains itself: the oracle says which figure it is.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(stories())
def test_every_figure_of_a_campaign_is_what_the_oracle_says(story: Story) -> None:
    pledge, evaluation = asyncio.run(scored(story, RULES))
    assert oracle.disagreements(pledge, evaluation) == []
    assert len(oracle.scores(pledge, evaluation)) > 15


@pytest.fixture
def told() -> tuple[Rows, Rows]:
    return asyncio.run(scored(Story(()), RULES))


def test_the_oracle_notices_a_figure_that_is_off_by_the_last_decimal(told: tuple[Rows, Rows]) -> None:
    pledge, evaluation = deepcopy(told)
    assert oracle.disagreements(pledge, evaluation) == []
    last = next(row for row in reversed(evaluation) if row["type"] == "assessment.calculated")
    last["data"]["work_record"] = str(Decimal("0.000000001"))
    assert len(oracle.disagreements(pledge, evaluation)) == 1


def test_the_oracle_notices_evidence_that_was_left_out(told: tuple[Rows, Rows]) -> None:
    pledge, evaluation = deepcopy(told)
    comment = {"campaign_id": CAMPAIGN, "unit_id": None, "person_id": None, "grade": 90}
    (unit_id, *_) = [row["data"]["unit_id"] for row in evaluation if row["type"] == "unit.registered"]
    evaluation.append(
        {
            "position": 0,
            "event_id": "x",
            "type": "comment.recorded",
            "occurred_at": FOUNDED,
            "data": {**comment, "unit_id": unit_id},
        }
    )
    assert any("comments: value" in said for said in oracle.disagreements(pledge, evaluation))
