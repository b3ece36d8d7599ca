"""A round of reviews from its announcement to the ledger, as it is asked for from outside, on both engines."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection

from avow.contracts.meeting import MeetingHeld
from avow.eventlog.execute import Executor, Origin
from avow.kernel.ports import seeded
from avow.kernel.refusal import Refusal
from avow.projections.checksum import checksum
from avow.projections.replay import Replay, a_scratch_engine
from avow_evaluation.domain.ballot import CastBallot, ballot
from avow_evaluation.domain.credential import hash_of
from avow_evaluation.domain.review_round import IssueCredentials, OpenRound, review_round
from avow_evaluation.facts import CredentialMaker, ballot_facts, round_facts
from avow_evaluation.projections import PROJECTIONS
from tests.kit.logs import always_current
from tests.unit.evaluation.builders import (
    BEST,
    CAMPAIGN,
    CLOSES,
    GOOD,
    MEMBER,
    OFFICE_HAND,
    OPENS,
    OTHER_UNIT,
    ROWS,
    UNIT,
    WORST,
)
from tests.unit.evaluation.college import ORG, Evaluation, Refused, an_evaluation

PAPER = dict.fromkeys(ROWS, BEST)


@pytest.fixture
async def evaluation(engine_url: str) -> AsyncIterator[Evaluation]:
    async with an_evaluation(engine_url) as running:
        yield running


async def test_a_round_ends_as_rows_of_the_ledger(evaluation: Evaluation) -> None:
    """R-41, R-46"""
    met = MeetingHeld(
        meeting_id=MEMBER, campaign_id=CAMPAIGN, unit_id=UNIT, kind="branch_committee", agenda=("campaign",),
        chair_id=MEMBER, present=2, expected=2, scope="college", summary="通报承诺进展",
    )  # fmt: skip
    await evaluation.told(("meeting/1", met))
    round_id = await evaluation.a_round_open()
    kind, harsh = {**PAPER, "building": None}, dict.fromkeys(ROWS, WORST)
    for n, credential in enumerate(evaluation.credentials[UNIT, "mass"]):
        await evaluation.vote(round_id, credential, kind if n < 6 else harsh)
    for credential in evaluation.credentials[UNIT, "members"]:
        await evaluation.vote(round_id, credential, dict.fromkeys(ROWS, GOOD))
    evaluation.clock.set(CLOSES)
    closed = await evaluation.ask(f"rounds/{round_id}/close", {})
    ledger = await evaluation.read("ledger", round_id=round_id)
    assert ledger["as_of_position"] >= closed["position"]
    first, second = ledger["items"]
    assert (first["seq"], first["unit"], first["category"]) == (1, "药学系教工支部", "teaching")
    assert (first["eligible"], first["cast"], first["turnout"], first["validity"]) == (10, 10, "1.000000000", "valid")
    assert first["grade_counts"] == {
        "satisfied": 24, "fairly_satisfied": 0, "basically_satisfied": 0, "not_satisfied": 10,
    }  # fmt: skip
    assert (first["abstained"], first["good_rate"]) == (6, "0.705882353")
    assert first["recognition"] == "40.926987910"
    assert {part["rater_class"]: part["counted"] for part in first["by_class"]} == {"mass": True, "members": False}
    assert (first["pledges_made"], first["meetings_held"], first["comments"]) == (0, 1, 0)
    assert (second["unit_id"], second["cast"], second["recognition"], second["criteria"]) == (OTHER_UNIT, 0, None, None)
    tallies = {str(r.event_id): r.position for r in await evaluation.records() if r.type == "review.tallied"}
    assert {row["event_ref"]: row["position"] for row in ledger["items"]} == tallies
    assert [row["unit_id"] for row in (await evaluation.read("ledger", category="service"))["items"]] == [OTHER_UNIT]


async def test_a_second_ballot_of_a_credential_is_refused_even_at_the_same_moment(evaluation: Evaluation) -> None:
    """R-41"""
    round_id = await evaluation.a_round_open()
    (credential, *_) = evaluation.credentials[UNIT, "mass"]
    answers = await asyncio.gather(
        *(evaluation.vote(round_id, credential, PAPER) for _ in range(10)), return_exceptions=True
    )
    refused = [answer.code for answer in answers if isinstance(answer, Refused)]
    assert refused == ["ballot.already_cast"] * 9
    assert [record.type for record in await evaluation.records()].count("ballot.cast") == 1


async def test_credentials_are_shown_once_and_replaced_until_the_round_opens(evaluation: Evaluation) -> None:
    round_id = await evaluation.a_round_ready()
    replaced = evaluation.credentials[UNIT, "mass"]
    said, key = {"unit_id": UNIT, "rater_class": "mass"}, "the-key-of-the-reissue"
    with pytest.raises(Refused, match=r"round\.not_open"):
        await evaluation.vote(round_id, replaced[0], PAPER)
    issued = await evaluation.ask(f"rounds/{round_id}/credentials", said, key=key)
    again = await evaluation.ask(f"rounds/{round_id}/credentials", said, key=key)
    assert len(set(issued["credentials"])) == 8
    assert (again["position"], again["repeated"], again["credentials"]) == (issued["position"], True, [])
    await evaluation.ask(f"rounds/{round_id}/open", {})
    await evaluation.vote(round_id, issued["credentials"][0], PAPER)
    # What was known of it before the others were issued is not what counts now.
    with pytest.raises(Refused, match=r"ballot\.credential_unknown"):
        await evaluation.vote(round_id, replaced[0], PAPER)
    plain = "".join(str(record.data) for record in await evaluation.records())
    assert not any(credential in plain for credential in (*replaced, *issued["credentials"]))


async def test_a_credential_of_one_round_is_worth_nothing_in_another(evaluation: Evaluation) -> None:
    first = await evaluation.a_round_ready()
    (credential, *_) = evaluation.credentials[UNIT, "mass"]
    second = await evaluation.a_round_open()
    await evaluation.ask(f"rounds/{first}/open", {})
    with pytest.raises(Refused, match=r"ballot\.credential_unknown"):
        await evaluation.vote(second, credential, PAPER)


async def test_every_ballot_accepted_while_the_round_closes_is_in_the_tally(evaluation: Evaluation) -> None:
    """R-41"""
    round_id = await evaluation.a_round_open()
    votes = [evaluation.vote(round_id, credential, PAPER) for credential in evaluation.credentials[UNIT, "mass"]]
    close = evaluation.ask(f"rounds/{round_id}/close", {"reason": "系统维护"})
    answers = await asyncio.gather(*votes[:4], close, *votes[4:], return_exceptions=True)
    refused = [answer.code for answer in answers if isinstance(answer, Refused)]
    assert set(refused) <= {"round.closed"}
    (row, _) = (await evaluation.read("ledger"))["items"]
    assert row["cast"] == 8 - len(refused)


async def test_a_ballot_waits_for_the_view_of_credentials_rather_than_trust_an_old_one(evaluation: Evaluation) -> None:
    round_id = await evaluation.a_round_ready()
    replaced = evaluation.credentials[UNIT, "mass"][0]
    await evaluation.service.runner.stop()
    service, origin = evaluation.service, Origin(ORG)
    executor = Executor(service.database, service.appender, service.types, service.ports, always_current)
    again, maker = IssueCredentials(unit_id=UNIT, rater_class="mass"), CredentialMaker(seeded(2))
    await executor.execute(review_round, round_id, again, maker.facts, origin)
    await executor.execute(review_round, round_id, OpenRound(), round_facts, origin)
    paper = CastBallot(rows={**PAPER})
    for credential in (replaced, maker.made[0]):
        with pytest.raises(Refusal, match=r"position\.not_reached"):
            await executor.execute(ballot, f"{round_id}/{hash_of(credential)}", paper, ballot_facts, origin, OPENS)


async def test_after_the_close_no_ballot_is_taken_and_the_second_close_says_why_not(evaluation: Evaluation) -> None:
    round_id = await evaluation.a_round_open()
    evaluation.clock.set(CLOSES)
    await evaluation.ask(f"rounds/{round_id}/close", {})
    with pytest.raises(Refused, match=r"round\.closed"):
        await evaluation.vote(round_id, evaluation.credentials[UNIT, "mass"][0], PAPER)
    with pytest.raises(Refused, match=r"round\.closed"):
        await evaluation.ask(f"rounds/{round_id}/close", {})


async def test_rounds_are_the_offices(evaluation: Evaluation) -> None:
    with pytest.raises(Refused, match=r"actor\.lacks_role"):
        await evaluation.ask("rounds", {**await a_round(), "subjects": [UNIT]}, actor=MEMBER)
    await evaluation.ask("rounds", await a_round(), actor=OFFICE_HAND)


async def test_a_round_is_on_units_there_are_in_a_campaign_there_is(evaluation: Evaluation) -> None:
    for changes, code in (
        ({"subjects": [UNIT, CAMPAIGN]}, r"unit\.unknown.*subjects\[1\]"),
        ({"campaign_id": UNIT}, r"campaign\.unknown"),
        ({"closes_at": "9999-12-31T23:59:59Z"}, r"round\.outside_campaign.*closes_at"),
        ({"occurred_at": "2010-05-31T00:00:00Z", "late_reason": "补录"}, r"409.*unit\.not_yet"),
    ):
        with pytest.raises(Refused, match=code):
            await evaluation.ask("rounds", {**await a_round(), **changes})
    with pytest.raises(Refused, match=r"round\.unknown"):
        await evaluation.read(f"rounds/{UNIT}")


async def test_the_rounds_are_listed_newest_first_in_pages(evaluation: Evaluation) -> None:
    made = [await evaluation.announce() for _ in range(3)]
    page = await evaluation.read("rounds", limit=2)
    rest = await evaluation.read("rounds", limit=2, after=page["next"])
    assert [entry["round_id"] for entry in (*page["items"], *rest["items"])] == made[::-1]
    assert rest["next"] is None


async def test_the_views_are_the_same_when_the_log_is_folded_anew_in_pages_of_any_size(
    evaluation: Evaluation,
) -> None:
    """R-71"""
    round_id = await evaluation.a_round_open()
    for credential in evaluation.credentials[UNIT, "mass"]:
        await evaluation.vote(round_id, credential, PAPER)
    evaluation.clock.set(CLOSES)
    await evaluation.ask(f"rounds/{round_id}/close", {})
    await evaluation.read("ledger")
    await evaluation.service.runner.reach(ORG, evaluation.position, [p.name for p in PROJECTIONS])
    live = await evaluation.service.database.read(sums)
    records = await evaluation.records()
    for size in (1, 1000):
        engine = a_scratch_engine()
        with engine.begin() as scratch:
            for projection in PROJECTIONS:
                wanted = [record for record in records if record.type in projection.event_types]
                folded = Replay(projection, evaluation.service.types)
                for start in range(0, len(wanted), size):
                    folded.take(wanted[start : start + size])
                folded.write(scratch, ORG)
            assert sums(scratch) == live
        engine.dispose()


async def a_round() -> dict[str, object]:
    return {
        "campaign_id": CAMPAIGN,
        "title": {"zh": "群众评议", "en": "Mass review"},
        "subjects": [UNIT, OTHER_UNIT],
        "opens_at": OPENS.isoformat(),
        "closes_at": CLOSES.isoformat(),
    }


def sums(connection: Connection) -> list[str]:
    return [checksum(connection, ORG, projection) for projection in PROJECTIONS]
