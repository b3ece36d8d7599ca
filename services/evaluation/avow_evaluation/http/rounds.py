"""Rounds of reviews, from their announcement to their result (R-41)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from avow.contracts.values import Identity
from avow.web.call import Accepted, Call, View, accepted
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_evaluation.domain.announcement import AnnounceRound
from avow_evaluation.domain.credential import Credential
from avow_evaluation.domain.review_count import ReportReviews, review_count
from avow_evaluation.domain.review_round import (
    CloseRound,
    FreezeElectorate,
    IssueCredentials,
    OpenRound,
    review_round,
)
from avow_evaluation.facts import CredentialMaker, count_facts, round_facts
from avow_evaluation.projections.round_board import RoundBoard
from avow_evaluation.reactions import settle
from avow_evaluation.reading.rounds import ROUNDS, RoundPage, RoundsWanted, round_page

router = APIRouter(tags=["rounds"], route_class=CommandRoute)


class Issued(Accepted):
    """The credentials of a part."""

    credentials: list[Credential] = Field(
        description="Shown this once and kept nowhere: empty in the answer to a repeated request.", repr=False
    )


@router.post("/{org}/rounds", status_code=201, responses=COMMAND_RESPONSES)
async def announce_round(body: AnnounceRound, call: Call) -> Accepted:
    """Say which units, or whose members, will be reviewed, and when; the form is the one of the programme."""
    return await call.create(review_round, body, round_facts)


@router.post("/{org}/rounds/{round_id}/electorate", status_code=201, responses=COMMAND_RESPONSES)
async def freeze_electorate(round_id: Identity, body: FreezeElectorate, call: Call) -> Accepted:
    """Fix who may review: the rolls of the public as given, the members as the register has them that day."""
    return await call.execute(review_round, round_id, body, round_facts)


@router.post("/{org}/rounds/{round_id}/credentials", status_code=201, responses=COMMAND_RESPONSES)
async def issue_credentials(round_id: Identity, body: IssueCredentials, call: Call) -> Issued:
    """Make a credential for each person on a part's roll; until the round opens they replace those made before."""
    maker = CredentialMaker(call.service.ports.random_bytes)
    outcome = await call.outcome(review_round, round_id, body, maker.facts)
    made = [] if outcome.repeated else list(maker.made)
    return Issued(credentials=made, **accepted(round_id, outcome).model_dump())


@router.post("/{org}/rounds/{round_id}/open", status_code=201, responses=COMMAND_RESPONSES)
async def open_round(round_id: Identity, body: OpenRound, call: Call) -> Accepted:
    """Take ballots from now on; not before the time announced."""
    return await call.execute(review_round, round_id, body, round_facts)


@router.post("/{org}/rounds/{round_id}/report", status_code=201, responses=COMMAND_RESPONSES)
async def report_reviews(round_id: Identity, body: ReportReviews, call: Call) -> Accepted:
    """Make known how many ballots had come in at the last full hour."""
    return await call.execute(review_count, round_id, body, count_facts)


@router.post("/{org}/rounds/{round_id}/close", status_code=201, responses=COMMAND_RESPONSES)
async def close_round(round_id: Identity, body: CloseRound, call: Call) -> Accepted:
    """Take no more ballots, and count those there are; before the time announced this takes a reason."""
    closed = await call.outcome(review_round, round_id, body, round_facts)
    tallied = await settle(call.service.executor, call.org, round_id, closed.events[0].event_id)
    return Accepted(id=round_id, position=tallied.position, repeated=closed.repeated)


@router.get("/{org}/rounds", **listing(ROUNDS))
async def rounds(view: View, wanted: Annotated[RoundsWanted, Depends()], page: PageAsked) -> Response:
    """The rounds, newest first."""
    return await answer(view, ROUNDS, wanted, page)


@router.get("/{org}/rounds/{round_id}", responses=READ_RESPONSES)
async def round_of_reviews(round_id: Identity, view: View) -> RoundPage:
    """A round with the form it is held by."""
    _, page = await view.read(RoundBoard.name, lambda connection, _: round_page(connection, view.org, round_id))
    return page
