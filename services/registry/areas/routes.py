"""Areas over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.registry.areas import repository
from services.registry.areas.gazetteer import SHIPPED_EDITION, shipped_areas
from services.registry.areas.schemas import AreaOut, GazetteerIn, GazetteerOut
from services.registry.areas.tables import Level
from shared.auth import Caller, require
from shared.database import Session
from shared.errors import NotFound, problem_responses
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(tags=["areas"])

AreasRead = Annotated[Caller, require("areas:read")]
AreasWrite = Annotated[Caller, require("areas:write")]


@router.put(
    "/gazetteer",
    summary="Load an edition of the gazetteer",
    responses=problem_responses(401, 403, 404, 422),
)
async def load_gazetteer(body: GazetteerIn, caller: AreasWrite, session: Session) -> GazetteerOut:
    """Brings the areas to a shipped edition; repeated, it changes nothing."""
    if body.edition != SHIPPED_EDITION:
        raise NotFound(f"No such edition is shipped with this registry. Use '{SHIPPED_EDITION}'.")
    changed = await repository.replace_areas(session, shipped_areas())
    areas = await repository.count_by_level(session)
    return GazetteerOut(edition=body.edition, areas=areas, changed=changed)


@router.get("/areas", summary="List areas", responses=problem_responses(400, 401, 403, 422))
async def list_areas(
    caller: AreasRead,
    session: Session,
    page: PageQuery,
    level: Annotated[Level | None, Query(description="Only this level.")] = None,
    parent: Annotated[
        str | None, Query(max_length=8, description="Only the direct parts of this area.")
    ] = None,
) -> PageOf[AreaOut]:
    """Areas in the order of their codes, with the counts and indexes that are known of them."""
    (after,) = decode_cursor(page.cursor, str) if page.cursor else ("",)
    areas = await repository.list_areas(
        session, level=level, parent=parent, after=after, limit=page.limit + 1
    )
    rows = [AreaOut.model_validate(area) for area in areas]
    return page_of(rows, page=page, key=lambda area: (area.code,))


@router.get("/areas/{code}", summary="Read one area", responses=problem_responses(401, 403, 404))
async def get_area(
    code: Annotated[str, Path(max_length=8, examples=["010201"])],
    caller: AreasRead,
    session: Session,
) -> AreaOut:
    """One place by its code; the leading zeros belong to it."""
    area = await repository.find_area(session, code)
    if area is None:
        raise NotFound(f"No area has the code '{code}'. GET /areas lists them.")
    return AreaOut.model_validate(area)
