"""Candidates for commendation, ranked (R-51)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES
from avow_evaluation.domain.ranking import RankCandidates, ranking, ranking_of
from avow_evaluation.facts import ranking_facts
from avow_evaluation.reading.candidates import CANDIDATES, CandidatesWanted

router = APIRouter(tags=["candidates"], route_class=CommandRoute)


@router.post("/{org}/candidates", status_code=201, responses=COMMAND_RESPONSES)
async def rank_candidates(body: RankCandidates, call: Call) -> Accepted:
    """Rank the candidates for an award in a batch, from their last assessments."""
    identity = ranking_of(body.campaign_id, body.phase, body.award)
    return await call.execute(ranking, identity, body, ranking_facts)


@router.get("/{org}/candidates", **listing(CANDIDATES))
async def candidates(view: View, wanted: Annotated[CandidatesWanted, Depends()], page: PageAsked) -> Response:
    """The places of the last rankings, category by category, with the reason for each."""
    return await answer(view, CANDIDATES, wanted, page)
