"""What the service does of itself: running counts by the hour, and settling what was closed."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from avow.contracts.review import ReviewSubmitted
from avow.eventlog.execute import Origin
from avow.eventlog.tables import event
from avow_evaluation.domain.review_round import CloseRound, review_round
from avow_evaluation.facts import round_facts
from avow_evaluation.projections.round_board import RoundBoard
from avow_evaluation.reactions import report_open_rounds, settle_closed_rounds
from tests.unit.evaluation.builders import BEST, CLOSES, OFFICE_HAND, OPENS, ROWS, UNIT
from tests.unit.evaluation.college import ORG, Evaluation, an_evaluation

PAPER = dict.fromkeys(ROWS, BEST)


@pytest.fixture
async def evaluation(engine_url: str) -> AsyncIterator[Evaluation]:
    async with an_evaluation(engine_url) as running:
        yield running


async def test_counts_are_reported_by_the_full_hour_and_at_the_close(evaluation: Evaluation) -> None:
    """R-41"""
    round_id = await evaluation.a_round_open()
    early, late, *_ = evaluation.credentials[UNIT, "mass"]
    await evaluation.vote(round_id, early, PAPER)
    assert await counts(evaluation) == []
    evaluation.clock.set(OPENS + timedelta(minutes=59))
    await report_open_rounds(evaluation.service)
    assert await counts(evaluation) == []
    evaluation.clock.set(OPENS + timedelta(hours=1))
    await report_open_rounds(evaluation.service)
    assert await counts(evaluation) == [1]
    await evaluation.vote(round_id, late, PAPER)
    await report_open_rounds(evaluation.service)
    await evaluation.ask(f"rounds/{round_id}/report", {}, actor=OFFICE_HAND)
    assert await counts(evaluation) == [1]
    await evaluation.ask(f"rounds/{round_id}/close", {"reason": "系统维护"})
    assert await counts(evaluation) == [1, 2]
    page = await evaluation.read(f"rounds/{round_id}")
    shown = {(part["unit_id"], part["rater_class"]): part for part in page["parts"]}
    assert shown[UNIT, "mass"] == {
        "unit_id": UNIT, "rater_class": "mass", "eligible": 8, "issued": 8, "submitted": 2,
    }  # fmt: skip
    assert (page["status"], [row["key"] for row in page["form"]["rows"]]) == ("tallied", list(ROWS))


async def test_a_round_is_tallied_once_however_often_it_is_closed_and_settled(evaluation: Evaluation) -> None:
    round_id = await evaluation.a_round_open()
    evaluation.clock.set(CLOSES)
    first = await evaluation.ask(f"rounds/{round_id}/close", {}, key="the-key-of-the-close")
    again = await evaluation.ask(f"rounds/{round_id}/close", {}, key="the-key-of-the-close")
    await settle_closed_rounds(evaluation.service)
    assert (again["repeated"], again["position"]) == (True, first["position"])
    types = [record.type for record in await evaluation.records()]
    assert (types.count("review_round.closed"), types.count("review.tallied")) == (1, 2)
    closing = next(r for r in await evaluation.records() if r.type == "review_round.closed")
    tallied = select(event.c.causation_id).where(event.c.type == "review.tallied")
    causes = set(await evaluation.service.database.read(lambda c: c.scalars(tallied).all()))
    assert causes == {closing.event_id}


async def test_a_round_closed_by_a_process_that_failed_then_is_settled_all_the_same(evaluation: Evaluation) -> None:
    round_id = await evaluation.a_round_open()
    await evaluation.vote(round_id, evaluation.credentials[UNIT, "mass"][0], PAPER)
    evaluation.clock.set(CLOSES)
    executor = evaluation.service.executor
    closed = await executor.execute(review_round, round_id, CloseRound(), round_facts, Origin(ORG))
    await evaluation.service.runner.reach(ORG, closed.position, [RoundBoard.name])
    await settle_closed_rounds(evaluation.service)
    types = [record.type for record in await evaluation.records()]
    assert types[-6:] == ["review_round.closed", "review.submitted", *["review.tallied", "review.spread"] * 2]


async def counts(evaluation: Evaluation) -> list[int]:
    told = [evaluation.service.types.decode(record) for record in await evaluation.records()]
    return [event.count for event in told if isinstance(event, ReviewSubmitted)]
