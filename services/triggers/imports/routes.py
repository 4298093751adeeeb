"""Files of figures over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from services.triggers.checks.service import ChecksDependency
from services.triggers.imports import service
from services.triggers.imports.schemas import ObservationImportIn, ObservationImportOut
from services.triggers.scopes import ObservationsRead, ObservationsWrite
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.documents import Code
from shared.errors import BadRequest, problem_responses
from shared.idempotency import Once
from shared.operations import limited
from shared.pagination import PageOf, PageQuery

router = APIRouter(prefix="/observations/imports", tags=["observations"])

ImportId = Annotated[UUID, Path(examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"])]

_CSV_EXAMPLE = """\
month,admin1,market,commodity,category,unit,pricetype,usdprice
2025-11,Takeo,Takeo,"Rice (mixed, low quality)",cereals and tubers,KG,Wholesale,0.48
"""
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as it was published, of at most as many bytes as the feed's "
        "document says. Its format is the one in that document, whatever its media type.",
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": _CSV_EXAMPLE},
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": _CSV_EXAMPLE,
            },
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=ObservationImportOut,
    summary="Announce a file of figures",
    responses=problem_responses(400, 401, 403, 409, 422),
)
async def create_import(
    body: ObservationImportIn,
    caller: ObservationsWrite,
    session: Session,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Makes an import: a file that somebody sends by hand, and that is read as the answers of a
    feed are. The file is sent to `PUT /v1/observations/imports/{id}/file`."""
    return await once.reply(
        body, lambda: service.announce(session, body, caller=caller, clock=clock)
    )


@router.put(
    "/{import_id}/file",
    summary="Send the file of an import",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra={**_FILE, **limited(is_streamed=True)},
)
async def send_file(
    import_id: ImportId,
    request: Request,
    caller: ObservationsWrite,
    session: Session,
    clock: ClockDependency,
    checks: ChecksDependency,
    steps: TwoPersonSteps,
) -> ObservationImportOut:
    """Reads a file as an answer of its feed is read: a row that cannot be read, or that the
    register refuses, is set aside with its reason, its neighbours are recorded, and what is known
    as it is changes nothing. The same file may be sent again, under the same import or another.

    What it brings is checked as whatever a feed brings, and known from the moment when it is
    recorded. Each figure bears who sent it (`posted_by`). Where a trigger in force reads an
    indicator, and the sender is no publisher's own client, its figures wait for a second person:
    `approval_id` says where; of those, at most 2,000 may be new in one file.
    """
    receiver = service.Receiver(
        database=request.app.state.database,
        session=session,
        checks=checks,
        steps=steps,
        caller=caller,
        clock=clock,
    )
    try:
        async with request.app.state.import_places.held(caller.subject):
            return await receiver.receive(import_id, request.stream())
    except ClientDisconnect:
        # For the log's sake: whoever should read it has gone.
        raise BadRequest("The sending was cut off. Send the whole file again.") from None


@router.get("", summary="List files of figures", responses=problem_responses(400, 401, 403, 422))
async def list_imports(
    _: ObservationsRead,
    session: Session,
    page: PageQuery,
    feed: Annotated[Code | None, Query(description="Only those read as this feed.")] = None,
) -> PageOf[ObservationImportOut]:
    """Lists what was sent by hand, the newest first: by whom, why, and what came of it."""
    return await service.list_page(session, page, feed=feed)


@router.get(
    "/{import_id}",
    summary="Read what came of a file",
    responses=problem_responses(401, 403, 404, 422),
)
async def get_import(
    import_id: ImportId, _: ObservationsRead, session: Session
) -> ObservationImportOut:
    """Reads who sent a file, and what of it is recorded, waits, or is refused with its reason."""
    return await service.get(session, import_id)
