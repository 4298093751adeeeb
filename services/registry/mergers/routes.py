"""Deciding about suspected duplicates over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from services.registry.duplicates.schemas import DecisionIn, DuplicateWithDecisionsOut
from services.registry.households.persons import PersonalDataDependency
from services.registry.mergers.service import Mergers
from services.registry.scopes import HouseholdsWrite
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed

router = APIRouter(prefix="/duplicates", tags=["duplicates"])


@router.put(
    "/{suspect_id}/decision",
    summary="Decide about one suspicion",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
    openapi_extra=narrowed(),
)
async def decide_duplicate(
    suspect_id: UUID,
    given: DecisionIn,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    steps: TwoPersonSteps,
) -> DuplicateWithDecisionsOut:
    """`merge`: they are one. With `stays_id` the merger is proposed as well, and `merger` says how
    it stands: approved, the two are one household and this is settled; declined, it waits again.
    Without, they stay on the list of those to be merged. `keep`: both are right, though they have
    somebody in common; `dismiss`: they are different. After the last two both can be paid: whoever
    was set aside before is announced by a repair of the round. Sent again, it is done once."""
    mergers = Mergers(session, steps, personal_data=personal_data, caller=caller, clock=clock)
    return await mergers.decide(suspect_id, given)
