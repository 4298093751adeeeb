"""Changing where a household is paid, over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.registry.accounts import service
from services.registry.accounts.schemas import PayeeAccountIn
from services.registry.households.persons import PersonalDataDependency
from services.registry.households.schemas import HouseholdOut
from services.registry.scopes import HouseholdsWrite
from services.registry.settings import Settings
from shared.approvals.proposing import MAY_WAIT, answered
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed

router = APIRouter(prefix="/households", tags=["households"])


@router.put(
    "/{household_id}/payee-account",
    response_model=HouseholdOut,
    summary="Change where a household is paid",
    responses={**MAY_WAIT, **problem_responses(401, 403, 404, 422)},
    openapi_extra=narrowed(),
)
async def change_payee_account(
    household_id: UUID,
    body: PayeeAccountIn,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    steps: TwoPersonSteps,
    request: Request,
) -> Response:
    """Holds for entitlements worked out from now on; announced ones keep their account.

    Of a household that is enrolled in an activation that can still pay, and beyond so many a day
    (`REGISTRY_ACCOUNT_CHANGES_ALONE`), it is a proposal, and holds when a second person approves.
    """
    settings: Settings = request.app.state.settings
    done = await service.change_account(
        session,
        steps,
        household_id,
        body,
        personal_data=personal_data,
        alone=settings.account_changes_alone,
        caller=caller,
        clock=clock,
    )
    return answered(done)
