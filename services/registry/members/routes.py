"""Members of households over HTTP, and the routine programmes that they are in."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.registry.households.persons import PersonalDataDependency
from services.registry.members import service
from services.registry.members.schemas import (
    HouseholdWithMembersOut,
    MemberOut,
    ProgrammeIn,
    ProgrammeOut,
)
from services.registry.members.service import Members
from services.registry.scopes import HouseholdsRead, PersonsRead, SchemesRead, SchemesWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter()


@router.get(
    "/households/{household_id}",
    tags=["households"],
    summary="Read one household",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_household(
    household_id: UUID,
    caller: HouseholdsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
) -> HouseholdWithMembersOut:
    """A household with its counts of today. The person, what is known of the members' health, and
    the members one by one, are shown to callers with `households:read-personal`."""
    members = Members(session, personal_data=personal_data, caller=caller)
    return await members.household(household_id, today=clock.today())


@router.get(
    "/households/{household_id}/members",
    tags=["households"],
    summary="List the members of a household",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_members(
    household_id: UUID,
    caller: HouseholdsRead,
    _: PersonsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    page: PageQuery,
) -> PageOf[MemberOut]:
    """Everybody who is a member or was one, by number; nobody where only counts are known."""
    members = Members(session, personal_data=personal_data, caller=caller)
    return await members.of_household(household_id, page=page)


@router.get(
    "/programmes",
    tags=["schemes"],
    summary="List the routine programmes",
    responses=problem_responses(400, 401, 403, 422),
)
async def list_programmes(
    _: SchemesRead, session: Session, page: PageQuery
) -> PageOf[ProgrammeOut]:
    """What members of households may be in, shock or no shock, and schemes may ask about."""
    return await service.list_programmes(session, page=page)


@router.post(
    "/programmes",
    tags=["schemes"],
    status_code=201,
    response_model=ProgrammeOut,
    summary="Add a routine programme",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def add_programme(
    given: ProgrammeIn, _: SchemesWrite, session: Session, once: Once
) -> Response:
    """Members can be in it from then on. It pays nothing by itself."""
    return await once.reply(given, lambda: service.add_programme(session, given))
