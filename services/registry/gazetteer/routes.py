"""Areas over HTTP: listed, found by name, drawn, and the edition that ships."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.registry.areas.schemas import (
    AreaCode,
    AreaCodes,
    AreaDetailOut,
    AreaListedOut,
    GazetteerIn,
    GazetteerOut,
)
from services.registry.areas.service import get_detail, load_gazetteer
from services.registry.areas.tables import Level
from services.registry.gazetteer import service
from services.registry.gazetteer.boundaries import GEOJSON
from services.registry.gazetteer.matching import MAXIMUM_CHARACTERS
from services.registry.scopes import AreasRead, AreasWrite
from shared.database import Session
from shared.errors import problem_responses
from shared.freshness import NOT_MODIFIED, REVALIDATED, KnownTag, is_known, tag_of
from shared.operations import public
from shared.pagination import PageOf, PageQuery
from shared.values import Text, Whole

router = APIRouter(tags=["areas"])

_FEATURE: dict[str, Any] = {
    "type": "Feature",
    "id": "0102",
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[102.9, 13.5], [103.0, 13.5], [103.0, 13.6], [102.9, 13.5]]],
    },
    "properties": {
        "code": "0102",
        "level": "district",
        "parent_code": "01",
        "name_en": "Mongkol Borey",
        "name_km": "មង្គលបូរី",
        "edition": "ncdd-2022",
        "boundary_edition": "ncdd-2022",
        "attribution": "geoBoundaries gbOpen KHM, CC BY 4.0; © OpenStreetMap contributors",
    },
}


def _geojson(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "object"}
    return {
        200: {
            "description": "GeoJSON (RFC 7946), in degrees (WGS 84).",
            "content": {GEOJSON: {"schema": schema, "example": example}},
        },
        **NOT_MODIFIED,
    }


class GeoJsonResponse(Response):
    """An answer in GeoJSON."""

    media_type = GEOJSON


def _drawn(content: bytes, known: str | None) -> Response:
    tag = tag_of(content)
    headers = {"ETag": tag, "Cache-Control": REVALIDATED}
    if is_known(tag, known):
        return Response(status_code=304, headers=headers)
    return GeoJsonResponse(content, headers=headers)


@router.put(
    "/gazetteer",
    summary="Load the edition of the gazetteer that ships",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def load(body: GazetteerIn, _: AreasWrite, session: Session) -> GazetteerOut:
    """Brings the areas to the shipped edition; repeated, it changes nothing. Once a later edition
    is in force it is refused."""
    return await load_gazetteer(session, body.edition)


@router.get(
    "/areas",
    summary="List areas, or find them by name",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=public(),
)
async def list_areas(
    _: AreasRead,
    session: Session,
    page: PageQuery,
    request: Request,
    level: Annotated[Level | None, Query(description="Only this level.")] = None,
    parent: Annotated[
        AreaCode | None, Query(description="Only the direct parts of this area.")
    ] = None,
    within: Annotated[
        AreaCode | None, Query(description="Only what lies in this area, at any depth.")
    ] = None,
    codes: Annotated[
        AreaCodes | None,
        Query(
            description="Only those with these codes, with commas between them; also codes that "
            "are in force no more."
        ),
    ] = None,
    name: Annotated[
        Annotated[str, Text(longest=MAXIMUM_CHARACTERS)] | None,
        Query(
            description="Those that are called so, or nearly, in English or Khmer: the most alike "
            "and the largest first. Marks, blanks, words such as commune or ឃុំ, the order of Khmer "
            "signs and ways of spelling Khmer in Latin letters do not matter. With `level` and "
            "`within` alone.",
            examples=["Bat Trang"],
        ),
    ] = None,
) -> PageOf[AreaListedOut]:
    """Areas in force in the order of their codes, with the counts and indexes that are known of
    them and the areas that each lies in: names repeat from district to district."""
    names: service.KnownNames = request.app.state.area_names
    return await service.list_page(
        session,
        page,
        names=names,
        chosen=service.Chosen(level=level, parent=parent, within=within, codes=codes, name=name),
    )


@router.get(
    "/areas/{code}",
    summary="Read one area",
    responses=problem_responses(401, 403, 404, 422),
    openapi_extra=public(),
)
async def get_area(
    code: Annotated[AreaCode, Path(examples=["010201"])],
    _: AreasRead,
    session: Session,
) -> AreaDetailOut:
    """One place by its code; the leading zeros belong to it. A code that is not in force any more
    says what became of it, and since when."""
    return await get_detail(session, code)


@router.get(
    "/areas/{code}/boundary",
    summary="Draw one area",
    response_class=GeoJsonResponse,
    responses={**_geojson(_FEATURE), **problem_responses(401, 403, 404, 422)},
    openapi_extra=public(),
)
async def get_boundary(
    code: Annotated[AreaCode, Path(examples=["0102"])],
    _: AreasRead,
    session: Session,
    known: KnownTag = None,
) -> Response:
    """The boundary of a province, district or commune, with its source, which whoever shows it has
    to name. Villages have none, nor have the youngest districts and communes."""
    return _drawn(await service.boundary_of(session, code), known)


@router.get(
    "/areas/{code}/boundaries",
    summary="Draw the parts of an area",
    response_class=GeoJsonResponse,
    responses={
        **_geojson({"type": "FeatureCollection", "features": [_FEATURE], "next_cursor": None}),
        **problem_responses(400, 401, 403, 404, 422),
    },
    openapi_extra=public(),
)
async def list_boundaries(
    code: Annotated[AreaCode, Path(examples=["01"])],
    _: AreasRead,
    session: Session,
    page: PageQuery,
    simplify_metres: Annotated[
        Annotated[int, Whole(least=1, most=50_000)] | None,
        Query(description="Leave out what is smaller; parts of one page keep common borders."),
    ] = None,
    known: KnownTag = None,
) -> Response:
    """The direct parts of an area as one collection, page by page: `geometry` is null where a part
    has no boundary, and `next_cursor` stands beside `features`."""
    content = await service.boundaries_within(session, code, page, simplify_metres=simplify_metres)
    return _drawn(content, known)
