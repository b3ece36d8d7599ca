"""Assessments: the scores of a phase (R-49)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from avow.audit.explanation import Explanation
from avow.contracts.values import Identity
from avow.register.projection import Register
from avow.web.call import Accepted, Call, View
from avow.web.command_route import CommandRoute
from avow.web.listing import PageAsked, answer, listing
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_evaluation.domain.assessment import CalculateAssessments, assessment, sheet_of
from avow_evaluation.facts import assessment_facts
from avow_evaluation.projections.assessments import Assessments
from avow_evaluation.reading.assessments import ASSESSMENTS, AssessmentsWanted
from avow_evaluation.reading.explanation import explanation_of

router = APIRouter(tags=["assessments"], route_class=CommandRoute)


@router.post("/{org}/assessments", status_code=201, responses=COMMAND_RESPONSES)
async def calculate_assessments(body: CalculateAssessments, call: Call) -> Accepted:
    """Score every unit, or every member, for a phase; again at any time, and only what changed is written."""
    sheet = sheet_of(body.campaign_id, body.phase, body.subject)
    return await call.execute(assessment, sheet, body, assessment_facts)


@router.get("/{org}/assessments", **listing(ASSESSMENTS))
async def assessments(view: View, wanted: Annotated[AssessmentsWanted, Depends()], page: PageAsked) -> Response:
    """The last revision of each assessment, in the order they were calculated."""
    return await answer(view, ASSESSMENTS, wanted, page)


@router.get("/{org}/assessments/{assessment_id}/explanation", responses=READ_RESPONSES)
async def explanation(assessment_id: Identity, view: View) -> Explanation:
    """The score as a tree down to the events, each figure computed again."""
    _, explained = await view.read(
        (Assessments.name, Register.name), lambda connection, _: explanation_of(connection, view.org, assessment_id)
    )
    return explained
