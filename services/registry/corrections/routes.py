"""Adding and correcting members of households over HTTP."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.registry.corrections.schemas import MemberChangeOut, MemberCorrectionIn, MemberIn
from services.registry.corrections.service import Corrections
from services.registry.households.persons import PersonalDataDependency
from services.registry.members.schemas import MemberAddedOut, MemberOut
from services.registry.scopes import HouseholdsWrite, PersonsRead, RegistryApprove
from services.registry.settings import Settings
from shared.approvals.proposing import MAY_WAIT, Proposing, answered
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import narrowed

router = APIRouter(prefix="/households", tags=["households"])


async def _corrections(
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    steps: TwoPersonSteps,
    request: Request,
) -> Corrections:
    settings: Settings = request.app.state.settings
    return Corrections(
        session,
        steps,
        personal_data=personal_data,
        alone=settings.member_changes_alone,
        caller=caller,
        clock=clock,
    )


@router.post(
    "/{household_id}/members",
    status_code=201,
    response_model=MemberAddedOut,
    summary="Add a member to a household",
    responses={**MAY_WAIT, **problem_responses(400, 401, 403, 404, 409, 422)},
    openapi_extra=narrowed(),
)
async def add_member(
    household_id: UUID,
    given: MemberIn,
    _: HouseholdsWrite,
    corrections: Annotated[Corrections, Depends(_corrections)],
    proposing: Proposing,
) -> Response:
    """Somebody who was born, moved in or was forgotten. The answer does not repeat who.

    Of a household that is enrolled in an activation that can still pay, and beyond so many a day
    (`REGISTRY_MEMBER_CHANGES_ALONE`), it is a proposal. A household of which only counts are known
    gets its members all at once, by an import.
    """
    return await proposing.reply(
        given, lambda: corrections.add(household_id, given), alone=HTTPStatus.CREATED
    )


@router.patch(
    "/{household_id}/members/{member_id}",
    response_model=MemberOut,
    summary="Correct what is known of a member",
    responses={**MAY_WAIT, **problem_responses(400, 401, 403, 404, 409, 422)},
    openapi_extra=narrowed(),
)
async def correct_member(
    household_id: UUID,
    member_id: UUID,
    given: MemberCorrectionIn,
    _: HouseholdsWrite,
    __: PersonsRead,
    corrections: Annotated[Corrections, Depends(_corrections)],
) -> Response:
    """What is left out stays; null says that it is not known. Counts from the next round on.

    It is a proposal under the same conditions as a member who is added; a name, a phone or a
    number, which count in no amount, is one person's also where the household is enrolled.
    """
    return answered(await corrections.correct(household_id, member_id, given))


@router.get(
    "/{household_id}/member-changes/{change_id}",
    summary="Read what was asked for of a member",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_member_change(
    household_id: UUID,
    change_id: UUID,
    caller: RegistryApprove,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    steps: TwoPersonSteps,
) -> MemberChangeOut:
    """For the person who decides: the member as they are, and as they are to be. Its id is the
    proposal's, which itself says nothing that is personal."""
    corrections = Corrections(
        session, steps, personal_data=personal_data, alone=0, caller=caller, clock=clock
    )
    return await corrections.change(household_id, change_id)
