"""The routine programmes that members of households are in, over HTTP."""

from fastapi import APIRouter, Response

from services.registry.members import service
from services.registry.members.schemas import ProgrammeIn, ProgrammeOut
from services.registry.scopes import SchemesRead, SchemesWrite
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.operations import public
from shared.pagination import PageOf, PageQuery

router = APIRouter()


@router.get(
    "/programmes",
    tags=["schemes"],
    summary="List the routine programmes",
    responses=problem_responses(400, 401, 403, 422),
    openapi_extra=public(),
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
