"""Candidates for commendation, ranked (R-51)."""

from typing import Annotated

from fastapi import APIRouter, Query

from avow.contracts.values import Identity, Key
from avow.register.projection import Register
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import Limit
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_evaluation.domain.ranking import RankCandidates, ranking, ranking_of
from avow_evaluation.facts import ranking_facts
from avow_evaluation.projections.commendation_candidates import CommendationCandidates
from avow_evaluation.reading.candidates import CandidateEntry, candidate_entries

router = APIRouter(tags=["candidates"], route_class=CommandRoute)

AfterPlaces = Annotated[int, Query(ge=0, lt=2**31, description="`next` of the page before: so many are passed over.")]


@router.post("/{org}/candidates", status_code=201, responses=COMMAND_RESPONSES)
async def rank_candidates(body: RankCandidates, call: Call) -> Accepted:
    """Rank the candidates for an award in a batch, from their last assessments."""
    identity = ranking_of(body.campaign_id, body.phase, body.award)
    return await call.execute(ranking, identity, body, ranking_facts)


@router.get("/{org}/candidates", responses=READ_RESPONSES)
async def candidates(
    view: View,
    campaign_id: Identity | None = None,
    phase: Key | None = None,
    award: Key | None = None,
    category: Key | None = None,
    unit_id: Identity | None = None,
    subject_id: Identity | None = None,
    after: AfterPlaces = 0,
    limit: Limit = 100,
) -> Listing[CandidateEntry]:
    """The places of the last rankings, category by category, with the reason for each."""
    wanted = {
        "campaign_id": campaign_id,
        "phase": phase,
        "award": award,
        "category": category,
        "unit_id": unit_id,
        "subject_id": subject_id,
    }
    return await view.list(
        (CommendationCandidates.name, Register.name),
        lambda connection: candidate_entries(connection, view.org, wanted, after, limit),
        lambda entries: str(after + limit) if len(entries) == limit else None,
    )
