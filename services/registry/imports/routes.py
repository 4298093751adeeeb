"""Imports of households over HTTP."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from services.registry.households.persons import PersonalDataDependency
from services.registry.imports import repository, service
from services.registry.imports.schemas import (
    CSV_DESCRIPTION,
    CSV_EXAMPLE,
    ImportIn,
    ImportOut,
    RejectionOut,
)
from services.registry.scopes import HouseholdsRead, HouseholdsWrite
from shared.approvals.routes import TwoPersonSteps
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import BadRequest, Unprocessable, problem_responses
from shared.idempotency import Once
from shared.operations import limited
from shared.pagination import Int4, PageOf, PageQuery

router = APIRouter(prefix="/imports", tags=["imports"])

_CSV_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": CSV_EXAMPLE},
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=ImportOut,
    summary="Announce an import of households",
    responses=problem_responses(400, 401, 403, 422),
)
async def create_import(
    body: ImportIn, caller: HouseholdsWrite, session: Session, clock: ClockDependency, once: Once
) -> Response:
    """Makes an import; its rows are sent to `PUT /v1/imports/{id}/rows`."""
    return await once.reply(
        body, lambda: service.create_import(session, body, caller=caller, clock=clock)
    )


@router.put(
    "/{import_id}/rows",
    summary="Send the rows of an import",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 422),
    openapi_extra={**_CSV_BODY, **limited(is_streamed=True)},
    description=(
        "Stores households as they arrive and answers with the totals when all are in. A household "
        "is known by its registration number: new ones are added, changed ones changed, and the "
        "same file sent again changes nothing. A row that is not right is left out and listed by "
        "`GET /v1/imports/{id}/rejections`; a file with too many faults is stopped, and its import "
        "says at which line. If the sending is cut off, too slow or stopped, what is in stays in: "
        "send the file again. An empty account leaves a known household the account it has.\n\n"
        "Accounts of known households are changed when all rows are in. If one of the households "
        "is enrolled in an activation that can still pay, or there are more than one person may "
        "change in a day (`REGISTRY_ACCOUNT_CHANGES_ALONE`), all of them wait for a second "
        "person: `account_changes` says how many, and where.\n\n"
        f"{CSV_DESCRIPTION}"
    ),
)
async def send_rows(
    import_id: UUID,
    request: Request,
    caller: HouseholdsWrite,
    session: Session,
    clock: ClockDependency,
    personal_data: PersonalDataDependency,
    steps: TwoPersonSteps,
) -> ImportOut:
    """Stores the households of a CSV body, block by block."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip()
    if media_type != "text/csv":
        raise Unprocessable("Send the rows as text/csv.")
    try:
        async with request.app.state.import_places.held(caller.subject):
            return await service.receive_rows(
                import_id,
                request.stream(),
                session=session,
                caller=caller,
                database=request.app.state.database,
                personal_data=personal_data,
                settings=request.app.state.settings,
                steps=steps,
                clock=clock,
            )
    except ClientDisconnect:
        # For the log's sake: whoever should read it has gone.
        raise BadRequest("The sending was cut off. Send the whole file again.") from None


@router.get("", summary="List imports", responses=problem_responses(400, 401, 403, 422))
async def list_imports(
    _: HouseholdsRead, session: Session, page: PageQuery, clock: ClockDependency
) -> PageOf[ImportOut]:
    """All imports, the newest first."""
    return await service.list_page(session, page, clock=clock)


@router.get("/{import_id}", summary="Follow an import", responses=problem_responses(401, 403, 404))
async def get_import(
    import_id: UUID, _: HouseholdsRead, session: Session, clock: ClockDependency
) -> ImportOut:
    """How far an import is, while it is received and afterwards, and what of it waits."""
    return await service.get_import(session, import_id, clock=clock)


@router.get(
    "/{import_id}/rejections",
    summary="List the rows that were not taken",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_rejections(
    import_id: UUID,
    _: HouseholdsRead,
    session: Session,
    page: PageQuery,
    clock: ClockDependency,
) -> PageOf[RejectionOut]:
    """Line, column and kind of each fault in the last sending; never what the row said."""
    await service.get_import(session, import_id, clock=clock)
    rows = await repository.list_rejections(
        session, import_id, after=page.after(Int4, str), limit=page.fetch_limit
    )
    rejections = [service.rejection_of(row) for row in rows]
    return page.of(rejections, key=lambda listed: (listed.line, listed.column))
