"""What households agree to, over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.registry.consents import service
from services.registry.consents.schemas import (
    AgreementsIn,
    AgreementsOut,
    ConsentIn,
    ConsentOut,
    WithdrawalIn,
)
from services.registry.households.persons import PersonalDataDependency
from services.registry.households.service import require_household
from services.registry.scopes import HouseholdsRead, HouseholdsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/households", tags=["households"])


@router.post(
    "/consents",
    response_model=AgreementsOut,
    summary="Record what many households agree to",
    responses=problem_responses(400, 401, 403, 409, 422),
    openapi_extra=narrowed(),
)
async def add_consents(
    given: AgreementsIn,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """A list of 1,000 at most, as it comes from a form or another system. Each is recorded by
    itself: what is wrong with one keeps no other back, and what stands already stays. Send the rest
    again once it is mended: nothing is recorded twice, and what was withdrawn since stays so."""
    return await once.reply(
        given,
        lambda: service.agree_all(
            session, given, personal_data=personal_data, caller=caller, clock=clock
        ),
        status_code=200,
    )


@router.get(
    "/{household_id}/consents",
    summary="List what a household agreed to",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_consents(
    household_id: UUID, caller: HouseholdsRead, session: Session, page: PageQuery
) -> PageOf[ConsentOut]:
    """In the order in which it was recorded, with what was withdrawn."""
    await require_household(session, household_id, bound=caller.areas)
    return await service.list_consents(session, household_id, page=page)


@router.post(
    "/{household_id}/consents",
    status_code=201,
    response_model=ConsentOut,
    summary="Record what a household agrees to",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
    openapi_extra=narrowed(),
)
async def add_consent(
    household_id: UUID,
    given: ConsentIn,
    caller: HouseholdsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """One standing consent for each purpose; it holds until it is withdrawn. Whoever withdrew
    agrees again from a later day on."""
    await require_household(session, household_id, bound=caller.areas)
    return await once.reply(
        given, lambda: service.agree(session, household_id, given, caller=caller, clock=clock)
    )


@router.post(
    "/{household_id}/consents/withdrawal",
    response_model=ConsentOut,
    summary="Record that a household agrees no more",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def withdraw_consent(
    household_id: UUID,
    given: WithdrawalIn,
    caller: HouseholdsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """What was done by it until then stays as it was."""
    await require_household(session, household_id, bound=caller.areas)
    return await once.reply(
        given,
        lambda: service.withdraw(session, household_id, given, caller=caller, clock=clock),
        status_code=200,
    )
