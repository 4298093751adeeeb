"""Announcing imports, receiving their rows, and showing what came of them."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.accounts.service import batches_of
from services.registry.areas.repository import edition_in_force, places_now
from services.registry.households.persons import PersonalData
from services.registry.imports import repository
from services.registry.imports.faults import wrong
from services.registry.imports.file_schemas import ImportRunOut
from services.registry.imports.receiving import Receiver
from services.registry.imports.remedies import remedy_in_khmer
from services.registry.imports.runs.repository import last_runs
from services.registry.imports.schemas import ImportIn, ImportOut, RejectionOut
from services.registry.imports.tables import ImportRejection, ImportRun, ImportStatus
from services.registry.providers.repository import provider_codes
from services.registry.settings import Settings
from shared import audit
from shared.approvals import Steps
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.pagination import Page, PageOf


async def create_import(
    session: AsyncSession, given: ImportIn, *, caller: Caller, clock: Clock
) -> ImportOut:
    """An import to come."""
    import_id = new_id()
    await repository.add_import(
        session,
        id=import_id,
        source=given.source,
        note=given.note,
        created_by=caller.subject,
        created_at=clock.now(),
        rows_of=given.rows_of,
    )
    return await get_import(session, import_id, clock=clock)


async def get_import(session: AsyncSession, import_id: UUID, *, clock: Clock) -> ImportOut:
    """An import as it stands; raises NotFound."""
    row = await repository.find_import(session, import_id)
    if row is None:
        raise NotFound("There is no such import. GET /v1/imports lists them.")
    (shown,) = await _shown(session, [row], clock=clock)
    return shown


async def list_page(session: AsyncSession, page: Page, *, clock: Clock) -> PageOf[ImportOut]:
    """A page of imports, the newest first."""
    rows = await repository.list_imports(session, before=page.after(UUID), limit=page.fetch_limit)
    imports = await _shown(session, rows, clock=clock)
    return page.of(imports, key=lambda listed: (listed.id,))


async def _shown(
    session: AsyncSession, rows: Sequence[Row[Any]], *, clock: Clock
) -> list[ImportOut]:
    import_ids = [row.id for row in rows]
    batches = await batches_of(session, import_ids, clock=clock)
    runs = await last_runs(session, import_ids)
    return [
        ImportOut(
            **row._asdict(),
            account_changes=batches[row.id],
            last_run=shown_run(runs[row.id]) if row.id in runs else None,
        )
        for row in rows
    ]


def shown_run(run: ImportRun) -> ImportRunOut:
    """A reading as it stands."""
    return ImportRunOut(**run_fields(run))


def run_fields(run: ImportRun) -> dict[str, Any]:
    """What is shown of a reading."""
    left = None
    if run.ended_at is None and run.share_done > 0:
        left = round(run.seconds * (1 - run.share_done) / run.share_done, 1)
    fields = {name: getattr(run, name) for name in ImportRunOut.model_fields if hasattr(run, name)}
    return fields | {"rows_good": run.rows_read - run.rows_bad, "seconds_left": left}


def rejection_of(row: ImportRejection) -> RejectionOut:
    """What is wrong with a row, in words."""
    words = wrong(row.code)
    return RejectionOut(
        line=row.line,
        column=row.column,
        code=row.code,
        detail=row.detail,
        wrong=words.english,
        wrong_km=words.khmer,
        detail_km=remedy_in_khmer(row.column, row.code),
    )


async def receive_rows(
    import_id: UUID,
    body: AsyncIterator[bytes],
    *,
    session: AsyncSession,
    caller: Caller,
    database: Database,
    personal_data: PersonalData,
    settings: Settings,
    steps: Steps,
    clock: Clock,
) -> ImportOut:
    """Register the households of a body as it comes in; the import as it ended.

    The request's ``session`` is for its end: rows are stored in transactions of their own.
    """
    async with database.reading() as looking:
        communes = await places_now(looking)
        providers = await provider_codes(looking)
        edition = await edition_in_force(looking)
    if not communes or edition is None:
        raise Conflict("No commune is known yet. PUT /v1/gazetteer loads the gazetteer.")
    receiver = Receiver(
        database=database,
        session=session,
        caller=caller,
        personal_data=personal_data,
        clock=clock,
        communes=communes,
        edition=edition.number or 0,
        providers=providers,
        maximum_rows=settings.import_maximum_rows,
        maximum_rejections=settings.import_maximum_rejections,
        steps=steps,
        accounts_alone=settings.account_changes_alone,
    )
    await receiver.receive(import_id, body)
    ended = await get_import(session, import_id, clock=clock)
    await audit.record(session, before={"status": ImportStatus.RECEIVING}, after=_counts(ended))
    return ended


def _counts(ended: ImportOut) -> dict[str, object]:
    return ended.model_dump(
        mode="json",
        include={
            "status",
            "rows_read",
            "households_added",
            "households_changed",
            "households_unchanged",
            "rows_rejected",
            "accounts_changed",
        },
    )
