"""Areas over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.registry.areas import repository, service
from services.registry.areas.schemas import AreaCode, AreaCodes, AreaOut, GazetteerIn, GazetteerOut
from services.registry.areas.tables import Level
from services.registry.scopes import AreasRead, AreasWrite
from shared.database import Session
from shared.errors import problem_responses
from shared.pagination import PageOf, PageQuery

router = APIRouter(tags=["areas"])


@router.put(
    "/gazetteer",
    summary="Load an edition of the gazetteer",
    responses=problem_responses(401, 403, 404, 422),
)
async def load_gazetteer(body: GazetteerIn, _: AreasWrite, session: Session) -> GazetteerOut:
    """Brings the areas to a shipped edition; repeated, it changes nothing."""
    return await service.load_gazetteer(session, body.edition)


@router.get("/areas", summary="List areas", responses=problem_responses(400, 401, 403, 422))
async def list_areas(
    _: AreasRead,
    session: Session,
    page: PageQuery,
    level: Annotated[Level | None, Query(description="Only this level.")] = None,
    parent: Annotated[
        AreaCode | None, Query(description="Only the direct parts of this area.")
    ] = None,
    codes: Annotated[
        AreaCodes | None,
        Query(description="Only those with these codes, with commas between them."),
    ] = None,
) -> PageOf[AreaOut]:
    """Areas in the order of their codes, with the counts and indexes that are known of them."""
    areas = await repository.list_areas(
        session,
        codes=None if codes is None else codes.split(","),
        level=level,
        parent=parent,
        after=page.after(str),
        limit=page.fetch_limit,
    )
    rows = [AreaOut.model_validate(area) for area in areas]
    return page.of(rows, key=lambda area: (area.code,))


@router.get("/areas/{code}", summary="Read one area", responses=problem_responses(401, 403, 404))
async def get_area(
    code: Annotated[AreaCode, Path(examples=["010201"])],
    _: AreasRead,
    session: Session,
) -> AreaOut:
    """One place by its code; the leading zeros belong to it."""
    return AreaOut.model_validate(await service.get_area(session, code))
