"""A household as it is, as it was, and what became of it, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.registry.changes.schemas import HouseholdChangeOut
from services.registry.changes.service import Histories, tag_of
from services.registry.households.persons import PersonalDataDependency
from services.registry.members.schemas import HouseholdWithMembersOut, MemberOut
from services.registry.members.service import Members
from services.registry.scopes import HouseholdsRead, PersonsRead
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import Unprocessable, problem_responses
from shared.operations import narrowed
from shared.pagination import PageOf, PageQuery
from shared.values import Day, Instant

router = APIRouter(prefix="/households", tags=["households"])


@router.get(
    "/{household_id}",
    summary="Read one household",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def get_household(
    household_id: UUID,
    caller: HouseholdsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    response: Response,
    as_of: Annotated[
        Day | None,
        Query(
            description="As the registry knew it at the end of this day; none: as it is.",
            examples=["2026-05-01"],
        ),
    ] = None,
    as_of_instant: Annotated[
        Instant | None,
        Query(
            description="As the registry knew it at this instant.",
            examples=["2026-05-01T03:00:00Z"],
        ),
    ] = None,
) -> HouseholdWithMembersOut:
    """A household with its counts of today. The person, what is known of the members' health, and
    the members one by one, are shown to callers with `households:read-personal`.

    As it is it has an `ETag`: send it as `If-Match` with whatever changes the household.
    """
    if as_of is not None and as_of_instant is not None:
        raise Unprocessable("as_of, as_of_instant: give one of the two.")
    when = as_of or as_of_instant
    if when is not None:
        histories = Histories(session, personal_data=personal_data, caller=caller, clock=clock)
        return await histories.as_of(household_id, when)
    response.headers["ETag"] = await tag_of(session, household_id)
    members = Members(session, personal_data=personal_data, caller=caller)
    return await members.household(household_id, today=clock.today())


@router.get(
    "/{household_id}/history",
    summary="List what became of a household",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_changes(
    household_id: UUID,
    caller: HouseholdsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    page: PageQuery,
) -> PageOf[HouseholdChangeOut]:
    """Every change, the newest first: who, when, why, and what it was before. What is known of
    persons is shown to callers with `households:read-personal`."""
    histories = Histories(session, personal_data=personal_data, caller=caller, clock=clock)
    return await histories.changes(household_id, page=page)


@router.get(
    "/{household_id}/members",
    summary="List the members of a household",
    responses=problem_responses(400, 401, 403, 404, 422),
    openapi_extra=narrowed(),
)
async def list_members(
    household_id: UUID,
    caller: HouseholdsRead,
    _: PersonsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    page: PageQuery,
    response: Response,
) -> PageOf[MemberOut]:
    """Everybody who is a member or was one, by number; nobody where only counts are known."""
    response.headers["ETag"] = await tag_of(session, household_id)
    members = Members(session, personal_data=personal_data, caller=caller)
    return await members.of_household(household_id, page=page)
