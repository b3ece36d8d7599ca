"""Assessments: the scores of a phase (R-49)."""

from fastapi import APIRouter

from avow.audit.explanation import Explanation
from avow.contracts.values import Identity, Key
from avow.programme.vocabulary import Subject
from avow.register.projection import Register
from avow.web.call import Accepted, Call, Listing, View
from avow.web.command_route import CommandRoute
from avow.web.paging import AfterPosition, Limit, next_page
from avow.web.responses import COMMAND_RESPONSES, READ_RESPONSES
from avow_evaluation.domain.assessment import CalculateAssessments, assessment, sheet_of
from avow_evaluation.facts import assessment_facts
from avow_evaluation.projections.assessments import Assessments
from avow_evaluation.reading.assessments import AssessmentEntry, assessment_entries
from avow_evaluation.reading.explanation import explanation_of

router = APIRouter(tags=["assessments"], route_class=CommandRoute)


@router.post("/{org}/assessments", status_code=201, responses=COMMAND_RESPONSES)
async def calculate_assessments(body: CalculateAssessments, call: Call) -> Accepted:
    """Score every unit, or every member, for a phase; again at any time, and only what changed is written."""
    sheet = sheet_of(body.campaign_id, body.phase, body.subject)
    return await call.execute(assessment, sheet, body, assessment_facts)


@router.get("/{org}/assessments", responses=READ_RESPONSES)
async def assessments(
    view: View,
    campaign_id: Identity | None = None,
    phase: Key | None = None,
    subject: Subject | None = None,
    subject_id: Identity | None = None,
    unit_id: Identity | None = None,
    category: Key | None = None,
    after: AfterPosition = None,
    limit: Limit = 100,
) -> Listing[AssessmentEntry]:
    """The last revision of each assessment, in the order they were calculated."""
    wanted = {
        "campaign_id": campaign_id,
        "phase": phase,
        "subject": subject,
        "subject_id": subject_id,
        "unit_id": unit_id,
        "category": category,
    }
    return await view.list(
        (Assessments.name, Register.name),
        lambda connection: assessment_entries(connection, view.org, wanted, after, limit),
        next_page(limit, lambda entry: entry.position),
    )


@router.get("/{org}/assessments/{assessment_id}/explanation", responses=READ_RESPONSES)
async def explanation(assessment_id: Identity, view: View) -> Explanation:
    """The score as a tree down to the events, each figure computed again."""
    _, explained = await view.read(
        (Assessments.name, Register.name), lambda connection: explanation_of(connection, view.org, assessment_id)
    )
    return explained
