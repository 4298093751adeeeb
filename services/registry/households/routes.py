"""Households over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.registry.households.persons import PersonalDataDependency
from services.registry.households.schemas import Found, HouseholdOut, PersonSearchIn
from services.registry.households.service import Households
from services.registry.households.shape import PovertyStatus
from services.registry.scopes import HouseholdsRead, HouseholdsSearch
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import limited, narrowed
from shared.pagination import PageOf, PageQuery
from shared.rates import SEARCH

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
) -> PageOf[HouseholdOut]:
    """The households of an area. Persons, and what is known of their health, are shown to callers
    with `households:read-personal`."""
    households = Households(session, personal_data=personal_data, caller=caller)
    return await households.of_area(area=area, poverty_status=poverty_status, page=page)


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
