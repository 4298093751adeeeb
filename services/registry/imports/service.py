"""Announcing imports, receiving their rows, and showing what came of them."""

from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.repository import commune_codes
from services.registry.households.persons import PersonalData
from services.registry.imports import repository
from services.registry.imports.receiving import Receiver
from services.registry.imports.schemas import ImportIn, ImportOut
from services.registry.providers.repository import provider_codes
from services.registry.settings import Settings
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database
from shared.errors import Conflict, NotFound
from shared.ids import new_id


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
    )
    return await get_import(session, import_id)


async def get_import(session: AsyncSession, import_id: UUID) -> ImportOut:
    """An import as it stands; raises NotFound."""
    row = await repository.find_import(session, import_id)
    if row is None:
        raise NotFound("There is no such import. GET /v1/imports lists them.")
    return ImportOut.model_validate(row)


async def receive_rows(
    import_id: UUID,
    body: AsyncIterator[bytes],
    *,
    database: Database,
    personal_data: PersonalData,
    settings: Settings,
    clock: Clock,
) -> ImportOut:
    """Register the households of a body as it comes in; the import as it ended."""
    async with database.transaction() as session:
        communes = await commune_codes(session)
        providers = await provider_codes(session)
    if not communes:
        raise Conflict("No commune is known yet. PUT /v1/gazetteer loads the gazetteer.")
    receiver = Receiver(
        database=database,
        personal_data=personal_data,
        clock=clock,
        communes=communes,
        providers=providers,
        maximum_rows=settings.import_maximum_rows,
        maximum_rejections=settings.import_maximum_rejections,
    )
    await receiver.receive(import_id, body)
    async with database.transaction() as session:
        return await get_import(session, import_id)
