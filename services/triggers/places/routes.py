"""Places over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.triggers.checks.service import ChecksDependency
from services.triggers.places import service
from services.triggers.places.schemas import PlaceIn, PlaceOut
from services.triggers.places.tables import PlaceKind
from services.triggers.scopes import IndicatorsRead, IndicatorsWrite
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/places", tags=["places"])

PlacePath = Annotated[Code, Path(examples=["phnom-penh-orussey"])]


@router.post(
    "",
    status_code=201,
    response_model=PlaceOut,
    summary="Put a place on the list",
    responses=problem_responses(400, 401, 403, 409, 422, 503),
)
async def create_place(
    body: PlaceIn,
    caller: IndicatorsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
    checks: ChecksDependency,
) -> Response:
    """Lists a market, gauge or station, so that however it is spelt it is one place.

    An indicator whose places are `listed` takes a figure by a place's code, its name or any alias,
    whatever the case, spacing and punctuation. Two places of one area cannot share a name.
    """
    await checks.require_areas([body.area], at="/body/area")
    return await once.reply(body, lambda: service.create(session, body, caller=caller, clock=clock))


@router.get("", summary="List places", responses=problem_responses(400, 401, 403, 422))
async def list_places(
    _: IndicatorsRead,
    session: Session,
    page: PageQuery,
    kind: Annotated[PlaceKind | None, Query(description="Only those of this kind.")] = None,
) -> PageOf[PlaceOut]:
    """Lists places by code, with every name that each goes by."""
    return await service.list_page(session, page, kind=kind)


@router.get("/{code}", summary="Read a place", responses=problem_responses(401, 403, 404, 422))
async def read_place(code: PlacePath, _: IndicatorsRead, session: Session) -> PlaceOut:
    """Reads one place by its code."""
    return await service.get(session, code)
