"""Enrolling further households over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.registry.further_enrolments import service
from services.registry.further_enrolments.schemas import FurtherEnrolmentIn
from services.registry.scopes import (
    RoundsRelease,
)
from shared.approvals.proposing import PROPOSES, Proposing
from shared.operations import narrowed

router = APIRouter()


@router.post(
    "/activations/{activation_id}/further-enrolments",
    tags=["activations"],
    summary="Propose to enrol late registrants, or households by hand",
    **PROPOSES,
    openapi_extra=narrowed(),
)
async def enrol_further(
    activation_id: UUID,
    given: FurtherEnrolmentIn,
    caller: RoundsRelease,
    proposing: Proposing,
) -> Response:
    """Once a second person approves, they are enrolled and get round 1, and each later one that was
    released. Whoever is enrolled already is passed by."""
    return await proposing.propose(service.propose, activation_id, given=given, caller=caller)
