"""Schemes over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.registry.schemes import repository, service
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.schemas import SchemeOut, SchemeVersionOut
from shared.auth import Caller, require
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import problem_responses
from shared.idempotency import Once
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(prefix="/schemes", tags=["schemes"])

SchemesRead = Annotated[Caller, require("schemes:read")]
SchemesWrite = Annotated[Caller, require("schemes:write")]
SchemeCode = Annotated[str, Path(max_length=60, examples=["flood-2022"])]


@router.post(
    "",
    status_code=201,
    response_model=SchemeVersionOut,
    summary="Post a new scheme",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def create_scheme(
    body: SchemeDocument,
    caller: SchemesWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Makes version 1 of a programme: who is eligible, what they get, in which rounds."""
    return await once.reply(
        body,
        lambda: service.create_scheme(session, body, caller=caller, clock=clock),
    )


@router.post(
    "/{code}/versions",
    status_code=201,
    response_model=SchemeVersionOut,
    summary="Post a new version of a scheme",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def create_version(
    code: SchemeCode,
    body: SchemeDocument,
    caller: SchemesWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Holds for activations that open from now on; those under way keep their version."""
    return await once.reply(
        body,
        lambda: service.create_version(session, code, body, caller=caller, clock=clock),
    )


@router.get("", summary="List schemes", responses=problem_responses(400, 401, 403, 422))
async def list_schemes(caller: SchemesRead, session: Session, page: PageQuery) -> PageOf[SchemeOut]:
    """Every scheme with its newest version's number."""
    (after,) = decode_cursor(page.cursor, str) if page.cursor else ("",)
    latest = await repository.list_latest(session, after=after, limit=page.limit + 1)
    rows = [service.scheme_out(one) for one in latest]
    return page_of(rows, page=page, key=lambda scheme: (scheme.code,))


@router.get("/{code}", summary="Read a scheme", responses=problem_responses(401, 403, 404))
async def get_scheme(code: SchemeCode, caller: SchemesRead, session: Session) -> SchemeVersionOut:
    """The newest version of a scheme, whole."""
    return await service.get_version(session, code)


@router.get(
    "/{code}/versions",
    summary="List a scheme's versions",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_versions(
    code: SchemeCode, caller: SchemesRead, session: Session, page: PageQuery
) -> PageOf[SchemeVersionOut]:
    """All versions of one scheme, oldest first, for whoever asks what held when."""
    await service.get_version(session, code)
    (after,) = decode_cursor(page.cursor, int) if page.cursor else (0,)
    stored = await repository.list_versions(session, code, after=after, limit=page.limit + 1)
    rows = [service.version_out(one) for one in stored]
    return page_of(rows, page=page, key=lambda version: (version.version,))


@router.get(
    "/{code}/versions/{version}",
    summary="Read one version of a scheme",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_version(
    code: SchemeCode,
    version: Annotated[int, Path(ge=1, le=1_000_000, examples=[1])],
    caller: SchemesRead,
    session: Session,
) -> SchemeVersionOut:
    """A version as it was posted; entitlements name the version by which they were worked out."""
    return await service.get_version(session, code, version)
