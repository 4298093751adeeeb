"""The file of an import: received, looked at, mapped, read, and given back with remarks."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.repository import edition_in_force
from services.registry.households.persons import PersonalData
from services.registry.imports.file_schemas import (
    ImportFileOut,
    ImportMappingIn,
    ImportNoteOut,
    ImportRunDetailsOut,
    ImportRunIn,
    ImportRunOut,
    KeptMappingOut,
    QuestionOut,
)
from services.registry.imports.files.format import FileFormat, Unreadable
from services.registry.imports.keeping import keep, pieces_of
from services.registry.imports.mapping.document import MappingDocument, RowsOf
from services.registry.imports.mapping.proposing import (
    Asked,
    Question,
    open_questions,
    proposed,
)
from services.registry.imports.mapping.translating import NOTES, is_found
from services.registry.imports.opening import Pieces, Seen, look, packed
from services.registry.imports.repository import lock_import
from services.registry.imports.runs import repository
from services.registry.imports.service import run_fields, shown_run
from services.registry.imports.tables import ImportFile, ImportMapping, ImportRun
from services.registry.settings import Settings
from shared import audit
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database
from shared.errors import Conflict, NotFound, Unprocessable
from shared.ids import new_id
from shared.values import STORED

_MOST_MAPPINGS = 500
_ASKED = {
    Asked.NO_COLUMN: "The file has no column for this field, or its heading is not known. Map a "
    "column to it, or give it a default.",
    Asked.SIMILAR_HEADING: "The heading resembles this field's. Map it so if it is right, or to "
    "another field, or leave it out.",
    Asked.SAME_HEADING: "Another column is headed as this field as well, and is the one that is "
    "read. Map the right one.",
    Asked.OF_WHOM: "A row is a member's: the column may be the member's own, or the household's. "
    "Map it to this field, or to the household's `phone` or `id_number`.",
    Asked.UNKNOWN_WORD: "Words of the column are not known. Say in `words` what each means, "
    "or null where it means nothing: rows that have it are bad then.",
    Asked.DATE_ORDER: "Days of the column may be two. Say in `date_order` whether the day or the "
    "month is written first (`day-first`, `month-first`), and in `buddhist_era` how years from "
    "2400 on are counted (`civil` is 543 ahead, `visakha` 544 from Visakha Bochea on).",
    Asked.ZEROS: "Codes of the column lack the zero that they begin with: a spreadsheet took them "
    "for numbers. Say in `digits` how many they have.",
}


async def receive_file(
    import_id: UUID,
    body: AsyncIterator[bytes],
    *,
    session: AsyncSession,
    caller: Caller,
    database: Database,
    personal_data: PersonalData,
    settings: Settings,
    clock: Clock,
) -> ImportFileOut:
    """Keep the file of an import in place of the one before, and look at it.

    Raises NotFound; Conflict while a file of the import is received or read; TooLarge; and
    Unprocessable for what is no file of rows.
    """
    async with database.connection() as connection:
        if not await lock_import(connection, import_id):
            raise Conflict(
                "A file of this import is received or read just now. Wait for its end: "
                f"GET /v1/imports/{import_id} shows how far it is."
            )
        async with database.reading() as looking:
            rows_of = await _rows_of(looking, import_id)
            if await repository.find_active_run(looking, import_id) is not None:
                raise Conflict("The file before is still to be read. Wait for the end of that.")
            mappings = await repository.list_mappings(looking, after=None, limit=_MOST_MAPPINGS)
        kept = await keep(
            connection,
            import_id,
            body,
            personal_data=personal_data,
            maximum_bytes=settings.import_file_maximum_bytes,
            now=clock.now(),
        )
        pieces: Pieces = partial(
            pieces_of, connection, kept.file_id, personal_data=personal_data, count=kept.pieces
        )
        documents = {
            mapping.name: _document_of(mapping)
            for mapping in mappings
            if mapping.rows_of is rows_of
        }
        headings = {
            column.heading for document in documents.values() for column in document.columns
        }
        try:
            kind, seen = await look(pieces, rows_of=rows_of, named=headings)
        except Unreadable as error:
            await repository.drop_pieces(connection, import_id)
            raise Unprocessable(f"{error} Nothing of it is kept.") from None
        name, mapping = _fitting(documents, seen)
        if mapping is None:
            mapping = proposed(seen.headings, rows_of=rows_of, sheet=seen.sheet).mapping
        await repository.keep_file(
            session,
            id=kept.file_id,
            import_id=import_id,
            format=kind,
            size_bytes=kept.bytes,
            digest=kept.digest,
            piece_count=kept.pieces,
            seen_sealed=_sealed(seen, kept.file_id, personal_data),
            mapping=mapping.model_dump(mode="json"),
            mapping_name=name,
            mapped_by=None,
            received_at=clock.now(),
            received_by=caller.subject,
        )
        await audit.record(
            session,
            after={"format": kind, "size_bytes": kept.bytes, "sha256": kept.digest.hex()},
        )
    return await get_file(session, import_id, personal_data=personal_data)


async def get_file(
    session: AsyncSession, import_id: UUID, *, personal_data: PersonalData
) -> ImportFileOut:
    """The file of an import, and how it will be read; raises NotFound."""
    await _rows_of(session, import_id)
    file = await _file_of(session, import_id)
    return _shown(file, _seen_of(file, personal_data))


async def map_file(
    import_id: UUID,
    given: ImportMappingIn,
    *,
    session: AsyncSession,
    caller: Caller,
    database: Database,
    personal_data: PersonalData,
) -> ImportFileOut:
    """Say how the file is read; raises NotFound, Conflict and Unprocessable."""
    rows_of = await _rows_of(session, import_id)
    file = await _file_of(session, import_id)
    if await repository.find_active_run(session, import_id) is not None:
        raise Conflict("The file is being read. Wait for the end of that.")
    if given.sheet is not None:
        return await _propose_for(
            given.sheet,
            file,
            session=session,
            rows_of=rows_of,
            database=database,
            personal_data=personal_data,
        )
    mapping = given.mapping
    if given.name is not None:
        mapping = (await get_mapping(session, given.name)).mapping
    assert mapping is not None
    if mapping.rows_of is not rows_of:
        raise Unprocessable(
            f"A row of this import is one of the {rows_of}; the mapping is for files of "
            f"{mapping.rows_of}. Give one for {rows_of}, or announce another import."
        )
    seen = _seen_of(file, personal_data)
    other_sheet = file.format is FileFormat.XLSX and mapping.sheet not in (None, seen.sheet)
    if other_sheet or not all(is_found(column, seen.headings) for column in mapping.columns):
        async with database.connection() as connection:
            seen = await _looked_again(connection, file, mapping, personal_data=personal_data)
    lost = [at for at, column in enumerate(mapping.columns) if not is_found(column, seen.headings)]
    if lost:
        detail = "The file has no column with this heading. Write it as `headings` shows it."
        raise Unprocessable(
            "The mapping names columns that the file does not have.",
            errors=[
                {"pointer": f"/body/mapping/columns/{at}/heading", "detail": detail} for at in lost
            ],
        )
    await repository.keep_mapping_of(
        session,
        file.id,
        mapping=mapping.model_dump(mode="json"),
        mapping_name=given.name,
        mapped_by=caller.subject,
        seen_sealed=_sealed(seen, file.id, personal_data),
    )
    await session.refresh(file)
    return _shown(file, seen)


async def _propose_for(
    sheet: str,
    file: ImportFile,
    *,
    session: AsyncSession,
    rows_of: RowsOf,
    database: Database,
    personal_data: PersonalData,
) -> ImportFileOut:
    """Have another sheet of a workbook read, by the mapping that its headings suggest."""
    if file.format is not FileFormat.XLSX:
        raise Unprocessable("The file is no workbook and has no sheets. Give a mapping.")
    blank = MappingDocument(rows_of=rows_of, sheet=sheet, columns=[])
    async with database.connection() as connection:
        seen = await _looked_again(connection, file, blank, personal_data=personal_data)
    mapping = proposed(seen.headings, rows_of=rows_of, sheet=seen.sheet).mapping
    await repository.keep_mapping_of(
        session,
        file.id,
        mapping=mapping.model_dump(mode="json"),
        mapping_name=None,
        mapped_by=None,
        seen_sealed=_sealed(seen, file.id, personal_data),
    )
    await session.refresh(file)
    return _shown(file, seen)


async def ask_run(
    session: AsyncSession,
    import_id: UUID,
    given: ImportRunIn,
    *,
    personal_data: PersonalData,
    caller: Caller,
    clock: Clock,
) -> ImportRunOut:
    """Have the file read; raises NotFound, and Conflict where it cannot be yet."""
    await _rows_of(session, import_id)
    file = await _file_of(session, import_id)
    if await edition_in_force(session) is None:
        raise Conflict("No commune is known yet. PUT /v1/gazetteer loads the gazetteer.")
    questions = _shown(file, _seen_of(file, personal_data)).questions
    if questions:
        raise Conflict(
            f"The mapping has to say {len(questions)} more: `questions` of "
            f"GET /v1/imports/{import_id}/file lists what. PUT /v1/imports/{import_id}/mapping "
            "says it."
        )
    run_id = new_id()
    added = await repository.add_run(
        session,
        id=run_id,
        import_id=import_id,
        file_id=file.id,
        kind=given.kind,
        all_or_nothing=given.all_or_nothing,
        mapping=file.mapping,
        asked_by=caller.subject,
        asked_at=clock.now(),
    )
    if not added:
        raise Conflict(
            f"The file is to be read already. GET /v1/imports/{import_id} shows how far that is."
        )
    return shown_run(await _run_of(session, import_id, run_id))


async def get_run(session: AsyncSession, import_id: UUID, run_id: UUID) -> ImportRunDetailsOut:
    """One reading, with what it put right; raises NotFound."""
    run = await _run_of(session, import_id, run_id)
    notes = await repository.notes_of(session, run_id)
    return ImportRunDetailsOut(
        **run_fields(run),
        notes=[
            ImportNoteOut(
                column=note.column, code=note.code, rows=note.rows, detail=NOTES[note.code]
            )
            for note in notes
        ],
    )


async def file_to_return(session: AsyncSession, import_id: UUID) -> ImportFile:
    """The file whose rejected rows are given back; raises NotFound, Conflict while it is read."""
    await _rows_of(session, import_id)
    file = await _file_of(session, import_id)
    if await repository.find_active_run(session, import_id) is not None:
        raise Conflict("The file is being read. Wait for the end of that.")
    return file


async def get_mapping(session: AsyncSession, name: str) -> KeptMappingOut:
    """A kept mapping; raises NotFound."""
    mapping = await repository.find_mapping(session, name)
    if mapping is None:
        raise NotFound("There is no such mapping. GET /v1/import-mappings lists them.")
    return shown_mapping(mapping)


async def keep_mapping(
    session: AsyncSession, name: str, mapping: MappingDocument, *, caller: Caller, clock: Clock
) -> KeptMappingOut:
    """Keep a mapping by name, in place of the one before."""
    before = await repository.find_mapping(session, name)
    if before is None and await repository.count_mappings(session) >= _MOST_MAPPINGS:
        raise Conflict(f"There are {_MOST_MAPPINGS} mappings. Delete those that nobody uses.")
    await audit.record(
        session,
        before=before and before.document,
        after=mapping.model_dump(mode="json"),
    )
    await repository.keep_mapping(
        session,
        name=name,
        rows_of=mapping.rows_of,
        document=mapping.model_dump(mode="json"),
        changed_by=caller.subject,
        changed_at=clock.now(),
    )
    session.expire_all()
    return await get_mapping(session, name)


async def drop_mapping(session: AsyncSession, name: str) -> None:
    """Forget a mapping; raises NotFound."""
    if not await repository.drop_mapping(session, name):
        raise NotFound("There is no such mapping. GET /v1/import-mappings lists them.")


def shown_mapping(mapping: ImportMapping) -> KeptMappingOut:
    """A kept mapping as it is shown."""
    return KeptMappingOut(
        name=mapping.name,
        mapping=_document_of(mapping),
        changed_by=mapping.changed_by,
        changed_at=mapping.changed_at,
    )


async def _rows_of(session: AsyncSession, import_id: UUID) -> RowsOf:
    rows_of: RowsOf | None = await repository.rows_of(session, import_id)
    if rows_of is None:
        raise NotFound("There is no such import. POST /v1/imports makes one.")
    return rows_of


async def _file_of(session: AsyncSession, import_id: UUID) -> ImportFile:
    file = await repository.find_file(session, import_id)
    if file is None:
        raise NotFound(
            f"No file of this import was received. PUT /v1/imports/{import_id}/file sends one."
        )
    return file


async def _run_of(session: AsyncSession, import_id: UUID, run_id: UUID) -> ImportRun:
    run = await repository.find_run(session, import_id, run_id)
    if run is None:
        raise NotFound(f"There is no such reading. GET /v1/imports/{import_id}/runs lists them.")
    return run


async def _looked_again(
    connection: asyncpg.Connection,
    file: ImportFile,
    mapping: MappingDocument,
    *,
    personal_data: PersonalData,
) -> Seen:
    """The file with the headings of a mapping looked for."""
    pieces: Pieces = partial(
        pieces_of, connection, file.id, personal_data=personal_data, count=file.piece_count
    )
    try:
        _, seen = await look(
            pieces,
            rows_of=mapping.rows_of,
            sheet=mapping.sheet or "",
            named={column.heading for column in mapping.columns},
        )
    except Unreadable as error:
        raise Unprocessable(str(error)) from None
    return seen


def _fitting(
    documents: dict[str, MappingDocument], seen: Seen
) -> tuple[str | None, MappingDocument | None]:
    """The kept mapping of which the file has every column; of several, that with the most."""
    fitting = [
        (len(document.columns), name, document)
        for name, document in documents.items()
        if document.columns
        and all(is_found(column, seen.headings) for column in document.columns)
        and document.sheet in (None, seen.sheet)
    ]
    if not fitting:
        return None, None
    _, name, document = max(fitting, key=lambda found: found[:2])
    return name, document


def _document_of(mapping: ImportMapping) -> MappingDocument:
    return MappingDocument.model_validate(mapping.document, context=STORED)


def _sealed(seen: Seen, file_id: UUID, personal_data: PersonalData) -> bytes:
    return personal_data.files.encrypt(packed(seen), bound_to=file_id.bytes)


def _seen_of(file: ImportFile, personal_data: PersonalData) -> Seen:
    opened = personal_data.files.decrypt(file.seen_sealed, bound_to=file.id.bytes)
    return Seen.model_validate_json(opened)


def _shown(file: ImportFile, seen: Seen) -> ImportFileOut:
    mapping = MappingDocument.model_validate(file.mapping, context=STORED)
    proposal = proposed(seen.headings, rows_of=mapping.rows_of, sheet=seen.sheet)
    questions = open_questions(
        mapping, headings=seen.headings, sample=seen.sample, format=file.format
    )
    if file.mapping_name is None and file.mapped_by is None:
        questions = [*proposal.questions, *questions]
    mapped = {column.heading for column in mapping.columns}
    return ImportFileOut(
        format=file.format,
        size_bytes=file.size_bytes,
        sha256=file.digest.hex(),
        received_at=file.received_at,
        received_by=file.received_by,
        encoding=seen.encoding,
        delimiter=seen.delimiter if file.format is FileFormat.CSV else None,
        sheet=seen.sheet,
        sheets=seen.sheets,
        merged_cells=seen.merged,
        heading_row=seen.heading_line,
        headings=seen.headings,
        mapping=mapping,
        mapping_name=file.mapping_name,
        questions=[_question(question) for question in questions],
        ignored=[heading for heading in seen.headings if heading and heading not in mapped],
    )


def _question(question: Question) -> QuestionOut:
    return QuestionOut(
        about=question.about,
        field=question.field,
        heading=question.heading,
        detail=_ASKED[question.about],
        words=list(question.words),
    )
