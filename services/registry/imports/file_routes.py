"""Files of imports over HTTP: sent, mapped, read in the background, and given back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect

from services.registry.households.persons import PersonalDataDependency
from services.registry.imports import file_service as service
from services.registry.imports.file_schemas import (
    ImportAreaOut,
    ImportFileOut,
    ImportMappingIn,
    ImportRunDetailsOut,
    ImportRunIn,
    ImportRunOut,
    KeptMappingOut,
    MappingName,
)
from services.registry.imports.files.format import MEDIA_TYPES, FileFormat
from services.registry.imports.mapping.document import MappingDocument, RowsOf
from services.registry.imports.returning import (
    csv_template,
    name_of,
    rows_to_mend,
    workbook_template,
)
from services.registry.imports.runs import repository
from services.registry.imports.schemas import CSV_EXAMPLE
from services.registry.imports.service import get_import, shown_run
from services.registry.imports.tables import AreaLevel, TemplateFormat
from services.registry.scopes import READ_PERSONAL, HouseholdsRead, HouseholdsWrite
from shared.audit import showed
from shared.clock import ClockDependency
from shared.database import Session
from shared.errors import BadRequest, Forbidden, problem_responses
from shared.idempotency import Once
from shared.operations import limited
from shared.pagination import PageOf, PageQuery
from shared.streams import HeldStream

router = APIRouter(prefix="/imports", tags=["imports"])
mappings = APIRouter(prefix="/import-mappings", tags=["imports"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPES[FileFormat.CSV]: {"schema": {"type": "string"}, "example": CSV_EXAMPLE},
            MEDIA_TYPES[FileFormat.NDJSON]: {"schema": {"type": "string"}},
            MEDIA_TYPES[FileFormat.XLSX]: _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}
_FILE_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            MEDIA_TYPES[FileFormat.CSV]: {"schema": {"type": "string"}},
            MEDIA_TYPES[FileFormat.NDJSON]: {"schema": {"type": "string"}},
            MEDIA_TYPES[FileFormat.XLSX]: _BINARY,
        },
    }
}


@router.get(
    "/template",
    summary="Get an empty file to fill in",
    response_class=Response,
    responses={**_FILE_REPLY, **problem_responses(401, 403, 422)},
)
async def get_template(
    _: HouseholdsRead,
    format: Annotated[TemplateFormat, Query()] = TemplateFormat.XLSX,
    rows_of: Annotated[RowsOf, Query()] = RowsOf.HOUSEHOLDS,
) -> Response:
    """Headings in English and Khmer; the workbook keeps the zeros of codes, and has a sheet of the
    words that are read. Its columns may be put in any order, and those that are optional left
    out."""
    make = csv_template if format is TemplateFormat.CSV else workbook_template
    kind = FileFormat(format)
    return Response(
        make(rows_of),
        media_type=MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{rows_of}.{kind}"'},
    )


@router.put(
    "/{import_id}/file",
    summary="Send the file of an import",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 422),
    openapi_extra={**_FILE_BODY, **limited(is_streamed=True)},
)
async def send_file(
    import_id: UUID,
    request: Request,
    caller: HouseholdsWrite,
    session: Session,
    clock: ClockDependency,
    personal_data: PersonalDataDependency,
) -> ImportFileOut:
    """Keeps a file, sealed, and answers how it will be read: CSV with commas, semicolons or tabs in
    UTF-8 or UTF-16, NDJSON, or a workbook (.xlsx, 64 MB and about 200,000 rows; longer ones as
    CSV). What it is, it says itself. Its columns may come in any order under headings in English
    or Khmer; a mapping is proposed, or taken from an earlier file of the kind. Nothing is
    registered before `POST /v1/imports/{id}/runs`."""
    try:
        async with request.app.state.import_places.held(caller.subject):
            return await service.receive_file(
                import_id,
                request.stream(),
                session=session,
                caller=caller,
                database=request.app.state.database,
                personal_data=personal_data,
                settings=request.app.state.settings,
                clock=clock,
            )
    except ClientDisconnect:
        # For the log's sake: whoever should read it has gone.
        raise BadRequest("The sending was cut off. Send the whole file again.") from None


@router.get(
    "/{import_id}/file",
    summary="Look at the file of an import",
    responses=problem_responses(401, 403, 404),
)
async def get_file(
    import_id: UUID, _: HouseholdsWrite, session: Session, personal_data: PersonalDataDependency
) -> ImportFileOut:
    """What the file is, its headings, the mapping by which it will be read, and what that has to
    say yet."""
    return await service.get_file(session, import_id, personal_data=personal_data)


@router.put(
    "/{import_id}/mapping",
    summary="Say how a file is read",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def map_file(
    import_id: UUID,
    body: ImportMappingIn,
    request: Request,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
) -> ImportFileOut:
    """Replaces the mapping of the file, by one that is kept, by one that is given, or by the one
    that is proposed for another sheet of the workbook."""
    return await service.map_file(
        import_id,
        body,
        session=session,
        caller=caller,
        database=request.app.state.database,
        personal_data=personal_data,
    )


@router.post(
    "/{import_id}/runs",
    status_code=202,
    response_model=ImportRunOut,
    summary="Have a file read",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def ask_run(
    import_id: UUID,
    body: ImportRunIn,
    request: Request,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
    clock: ClockDependency,
    once: Once,
) -> Response:
    """Reads the file in the background: dry, which changes nothing and says what would happen, or
    to register what it says. Where the process that reads it ends, another goes on behind the last
    block that was stored. The same file again changes nothing."""
    response = await once.reply(
        body,
        lambda: service.ask_run(
            session, import_id, body, personal_data=personal_data, caller=caller, clock=clock
        ),
        status_code=202,
    )
    # When the reply has left, the transaction is committed.
    response.background = BackgroundTask(_look_for_files, request)
    return response


async def _look_for_files(request: Request) -> None:
    request.app.state.look_for_files()


@router.get(
    "/{import_id}/runs",
    summary="List the readings of an import's file",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_runs(
    import_id: UUID, _: HouseholdsRead, session: Session, page: PageQuery, clock: ClockDependency
) -> PageOf[ImportRunOut]:
    """All of them, dry or not, the newest first."""
    await get_import(session, import_id, clock=clock)
    runs = await repository.list_runs(
        session, import_id, before=page.after(UUID), limit=page.fetch_limit
    )
    return page.of([shown_run(run) for run in runs], key=lambda run: (run.id,))


@router.get(
    "/{import_id}/runs/{run_id}",
    summary="Follow the reading of a file",
    responses=problem_responses(401, 403, 404),
)
async def get_run(
    import_id: UUID, run_id: UUID, _: HouseholdsRead, session: Session
) -> ImportRunDetailsOut:
    """How far it is, what it found, what it put right, and how long it will take."""
    return await service.get_run(session, import_id, run_id)


@router.get(
    "/{import_id}/runs/{run_id}/areas",
    summary="What a reading found, by area",
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def list_areas(
    import_id: UUID,
    run_id: UUID,
    _: HouseholdsRead,
    session: Session,
    page: PageQuery,
    level: Annotated[AreaLevel, Query()] = AreaLevel.PROVINCE,
) -> PageOf[ImportAreaOut]:
    """Households that are new, changed and unchanged, and rows that are bad."""
    await service.get_run(session, import_id, run_id)
    rows = await repository.by_area(
        session, run_id, digits=level.digits, after=page.after(str), limit=page.fetch_limit
    )
    areas = [ImportAreaOut.model_validate(row) for row in rows]
    return page.of(areas, key=lambda area: (area.area_code,))


@router.get(
    "/{import_id}/rows-to-mend",
    summary="Get the rows that were not taken",
    response_class=Response,
    responses={**_FILE_REPLY, **problem_responses(401, 403, 404, 503)},
)
async def get_rows_to_mend(
    import_id: UUID,
    request: Request,
    caller: HouseholdsWrite,
    session: Session,
    personal_data: PersonalDataDependency,
) -> Response:
    """The rejected rows of the last reading as a file of the format that was sent, its columns in
    their order, with a column of remarks: what is wrong and how to mend it. Mended, it is sent as
    the file of another import. In CSV, `'` is put before text that a spreadsheet would take for a
    formula; an import leaves it out again. It shows persons, which is recorded, and takes the scope
    `households:read-personal` besides."""
    if READ_PERSONAL not in caller.scopes:
        raise Forbidden(f"The file shows persons: that takes the scope {READ_PERSONAL} besides.")
    file = await service.file_to_return(session, import_id)
    showed(session, f"imports/{import_id}/rows-to-mend")

    @asynccontextmanager
    async def pieces() -> AsyncIterator[AsyncIterator[bytes]]:
        async with (
            request.app.state.import_places.held(caller.subject),
            request.app.state.database.connection() as connection,
        ):
            yield rows_to_mend(connection, file, personal_data=personal_data)

    name = name_of(import_id, file.format)
    return HeldStream(
        pieces(),
        media_type=MEDIA_TYPES[file.format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@mappings.get("", summary="List mappings", responses=problem_responses(400, 401, 403, 422))
async def list_mappings(
    _: HouseholdsRead, session: Session, page: PageQuery
) -> PageOf[KeptMappingOut]:
    """The mappings that are kept for files to come, by name."""
    rows = await repository.list_mappings(session, after=page.after(str), limit=page.fetch_limit)
    kept = [service.shown_mapping(row) for row in rows]
    return page.of(kept, key=lambda mapping: (mapping.name,))


@mappings.get("/{name}", summary="Get a mapping", responses=problem_responses(401, 403, 404, 422))
async def get_mapping(name: MappingName, _: HouseholdsRead, session: Session) -> KeptMappingOut:
    """How files of one kind are read, as it was kept for those to come."""
    return await service.get_mapping(session, name)


@mappings.put(
    "/{name}", summary="Keep a mapping", responses=problem_responses(400, 401, 403, 409, 422)
)
async def keep_mapping(
    name: MappingName,
    body: MappingDocument,
    caller: HouseholdsWrite,
    session: Session,
    clock: ClockDependency,
) -> KeptMappingOut:
    """Keeps how files of one kind are read, in place of the mapping that had the name. A file that
    has all of its columns is read by it without being asked."""
    return await service.keep_mapping(session, name, body, caller=caller, clock=clock)


@mappings.delete(
    "/{name}",
    status_code=204,
    summary="Delete a mapping",
    responses=problem_responses(401, 403, 404, 422),
)
async def drop_mapping(name: MappingName, _: HouseholdsWrite, session: Session) -> None:
    """Files that were read by it stay as they are."""
    await service.drop_mapping(session, name)
