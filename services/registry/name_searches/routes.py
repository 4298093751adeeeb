"""Searching by name over HTTP."""

from fastapi import APIRouter, Request

from services.registry.households.persons import PersonalData, PersonalDataDependency
from services.registry.name_searches import service
from services.registry.name_searches.schemas import NameSearchIn, NamesFoundOut
from services.registry.scopes import HouseholdsSearch, PersonsRead
from shared.database import Session
from shared.errors import problem_responses
from shared.operations import limited, narrowed
from shared.rates import SEARCH

router = APIRouter(prefix="/households", tags=["households"])


@router.post(
    "/search-by-name",
    summary="Find households by a name",
    responses=problem_responses(401, 403, 422),
    openapi_extra=limited(rate=SEARCH) | narrowed(),
)
async def search_by_name(
    body: NameSearchIn,
    caller: HouseholdsSearch,
    _: PersonsRead,
    session: Session,
    personal_data: PersonalDataDependency,
    request: Request,
) -> NamesFoundOut:
    """Finds heads of households and members who are called so, or nearly, in either script, in
    whatever order and spelling; the most alike first. It takes `households:read-personal` besides:
    who may guess names would otherwise learn where people live. Of a name that many have, only
    some are looked at (`more`): name an area, or search by a number.

    A POST because names are personal; it changes nothing.
    """
    unheard: PersonalData = request.app.state.personal_data
    return await service.search(
        session, body, unheard=unheard.apart(), personal_data=personal_data, caller=caller
    )
