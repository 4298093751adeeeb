"""Households over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.registry.households.persons import PersonalDataDependency
from services.registry.households.repository import Chosen
from services.registry.households.schemas import (
    Found,
    HouseholdOut,
    HouseholdSort,
    PersonSearchIn,
)
from services.registry.households.service import Households
from services.registry.households.shape import MAXIMUM_MEMBERS, PovertyStatus
from services.registry.scopes import READ_PERSONAL, HouseholdsRead, HouseholdsSearch
from shared.database import Session
from shared.errors import Forbidden, problem_responses
from shared.operations import limited, narrowed
from shared.pagination import PageOf, PageQuery
from shared.rates import SEARCH
from shared.values import Instant, Whole

router = APIRouter(prefix="/households", tags=["households"])


@router.get(
    "",
    summary="List households",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=narrowed(),
)
async def list_households(
    caller: HouseholdsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    page: PageQuery,
    area: Annotated[
        str | None,
        Query(
            pattern=r"^(KH|([0-9]{2}){1,3})$",
            max_length=6,
            description="An area from the country down to the commune; none: the country.",
            examples=["010201"],
        ),
    ] = None,
    poverty_status: Annotated[PovertyStatus | None, Query(description="Only this one.")] = None,
    village: Annotated[
        str | None,
        Query(pattern="^[0-9]{8}$", max_length=8, description="Only this one, by its code."),
    ] = None,
    members_from: Annotated[
        Annotated[int, Whole(least=1, most=MAXIMUM_MEMBERS)] | None,
        Query(description="Only those of so many members, or more."),
    ] = None,
    members_to: Annotated[
        Annotated[int, Whole(least=1, most=MAXIMUM_MEMBERS)] | None,
        Query(description="Only those of so many members, or fewer."),
    ] = None,
    has_account: Annotated[
        bool | None, Query(description="Only those that have an account now, or that have none.")
    ] = None,
    programme: Annotated[
        str | None,
        Query(
            pattern="^[a-z][a-z0-9-]{1,39}$",
            max_length=40,
            description="Only those of which a member is in this routine programme: takes "
            "`households:read-personal`, for what somebody is in may say how healthy they are.",
            examples=["school-meals"],
        ),
    ] = None,
    changed_since: Annotated[
        Instant | None, Query(description="Only those that changed then, or later.")
    ] = None,
    sort: Annotated[
        HouseholdSort,
        Query(
            description="`area`: by commune. `changed`: as they changed. Its pages end with a "
            "cursor as long as they tell anything: kept, it goes on with what changes later, and "
            "nothing is missed. Where the registry lost what was stored last (a failover, a "
            "restore), it begins anew by itself, with everybody."
        ),
    ] = HouseholdSort.AREA,
) -> PageOf[HouseholdOut]:
    """The households of an area. Persons, and what is known of their health, are shown to callers
    with `households:read-personal`."""
    if programme is not None and READ_PERSONAL not in caller.scopes:
        raise Forbidden(
            f"Who is in a programme is asked with the scope {READ_PERSONAL} alone. Leave programme "
            "out, or ask the issuer for a token that has it."
        )
    households = Households(session, personal_data=personal_data, caller=caller)
    chosen = Chosen(
        area=area,
        poverty_status=poverty_status,
        village=village,
        members_from=members_from,
        members_to=members_to,
        has_account=has_account,
        programme=programme,
        changed_since=changed_since,
    )
    return await households.chosen(chosen, sort=sort, page=page)


@router.post(
    "/search",
    summary="Find households by person",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=limited(rate=SEARCH) | narrowed(),
)
async def search_households(
    body: PersonSearchIn,
    caller: HouseholdsSearch,
    session: Session,
    personal_data: PersonalDataDependency,
    page: PageQuery,
) -> PageOf[Found]:
    """Finds households by phone, ID number, registration number or account, matched whole. Without
    `households:read-personal` only its id, its commune and whether it can be paid are told.

    A POST because the numbers are personal and addresses end up in logs; it changes nothing.
    """
    households = Households(session, personal_data=personal_data, caller=caller)
    return await households.matching(body, page=page)
