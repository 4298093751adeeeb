"""Imports of households over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from services.registry.areas.repository import commune_codes
from services.registry.households.persons import PersonalDataDependency
from services.registry.imports import repository
from services.registry.imports.receiving import Receiver
from services.registry.imports.rows import COLUMNS
from services.registry.imports.schemas import CSV_EXAMPLE, ImportIn, ImportOut, RejectionOut
from services.registry.imports.tables import HouseholdImport, ImportStatus
from services.registry.settings import Settings
from shared.auth import Caller, require
from shared.clock import Clock, ClockDependency
from shared.database import Database, Session
from shared.errors import BadRequest, Conflict, NotFound, Unprocessable, problem_responses
from shared.idempotency import Once
from shared.ids import new_id
from shared.pagination import PageOf, PageQuery, decode_cursor, page_of

router = APIRouter(prefix="/imports", tags=["imports"])

HouseholdsRead = Annotated[Caller, require("households:read")]
HouseholdsWrite = Annotated[Caller, require("households:write")]

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
    """Makes an import; its rows are sent to `PUT /imports/{id}/rows`."""

    async def create() -> ImportOut:
        return await _create(session, body, caller=caller, clock=clock)

    return await once.reply(body, create)


async def _create(session: Session, body: ImportIn, *, caller: Caller, clock: Clock) -> ImportOut:
    made = HouseholdImport(
        id=new_id(),
        source=body.source,
        note=body.note,
        status=ImportStatus.CREATED,
        created_by=caller.subject,
        created_at=clock.now(),
        rows_read=0,
        households_added=0,
        households_changed=0,
        households_unchanged=0,
        rows_rejected=0,
    )
    session.add(made)
    await session.flush()
    return ImportOut.model_validate(made)


@router.put(
    "/{import_id}/rows",
    summary="Send the rows of an import",
    responses=problem_responses(401, 403, 404, 409, 413, 422),
    openapi_extra=_CSV_BODY,
    description=(
        "Stores households as they arrive and answers with the totals when all are in. A household "
        "is known by its registration number: new ones are added, changed ones changed, and the "
        "same file sent again changes nothing. A row that is not right is left out and listed by "
        "`GET /imports/{id}/rejections`. If the sending is cut off, what is in stays in: send the "
        "file again.\n\n"
        f"The body is CSV (RFC 4180) in UTF-8 with this header: `{','.join(COLUMNS)}`. "
        "`poverty_status` is poor-1, poor-2, at-risk or not-poor; counts are whole numbers; "
        "`phone`, `id_number`, and `provider_code` with `account` may be empty. An empty account "
        "leaves a known household the account it has."
    ),
)
async def send_rows(
    import_id: UUID,
    request: Request,
    caller: HouseholdsWrite,
    clock: ClockDependency,
    personal_data: PersonalDataDependency,
) -> ImportOut:
    """Stores the households of a CSV body, block by block."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip()
    if media_type != "text/csv":
        raise Unprocessable("Send the rows as text/csv.")
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    async with database.transaction() as session:
        communes = await commune_codes(session)
    if not communes:
        raise Conflict("No commune is known yet. PUT /gazetteer loads the gazetteer.")
    receiver = Receiver(
        database=database,
        personal_data=personal_data,
        clock=clock,
        communes=communes,
        maximum_rows=settings.import_maximum_rows,
    )
    try:
        await receiver.receive(import_id, request.stream())
    except ClientDisconnect:
        # For the log's sake: whoever should read it has gone.
        raise BadRequest("The sending was cut off. Send the whole file again.") from None
    async with database.transaction() as session:
        return await _get(session, import_id)


@router.get("", summary="List imports", responses=problem_responses(400, 401, 403, 422))
async def list_imports(
    caller: HouseholdsRead, session: Session, page: PageQuery
) -> PageOf[ImportOut]:
    """All imports, the newest first."""
    before = decode_cursor(page.cursor, UUID)[0] if page.cursor else None
    rows = await repository.list_imports(session, before=before, limit=page.limit + 1)
    imports = [ImportOut.model_validate(row) for row in rows]
    return page_of(imports, page=page, key=lambda one: (one.id,))


@router.get("/{import_id}", summary="Follow an import", responses=problem_responses(401, 403, 404))
async def get_import(import_id: UUID, caller: HouseholdsRead, session: Session) -> ImportOut:
    """How far an import is, while it is received and afterwards."""
    return await _get(session, import_id)


async def _get(session: Session, import_id: UUID) -> ImportOut:
    row = await repository.find_import(session, import_id)
    if row is None:
        raise NotFound("There is no such import. GET /imports lists them.")
    return ImportOut.model_validate(row)


@router.get(
    "/{import_id}/rejections",
    summary="List the rows that were not taken",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_rejections(
    import_id: UUID, caller: HouseholdsRead, session: Session, page: PageQuery
) -> PageOf[RejectionOut]:
    """Line, column and kind of each fault in the last sending; never what the row said."""
    await _get(session, import_id)
    line, column = decode_cursor(page.cursor, int, str) if page.cursor else (0, "")
    rows = await repository.list_rejections(
        session, import_id, after_line=line, after_column=column, limit=page.limit + 1
    )
    rejections = [RejectionOut.model_validate(row) for row in rows]
    return page_of(rejections, page=page, key=lambda one: (one.line, one.column))
