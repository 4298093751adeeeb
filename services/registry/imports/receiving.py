"""Receiving the rows of an import: a stream in, committed blocks out, one block ahead at most.

While PostgreSQL stores one block, the next is read, indexed and sealed in a thread. Plain rows
are only ever in memory.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.accounts.service import settle_import
from services.registry.areas.codes import districts_of
from services.registry.household_keys.repository import KeysChanged
from services.registry.households.persons import PersonalData
from services.registry.imports import repository
from services.registry.imports.blocks import Unreadable, row_blocks
from services.registry.imports.looking import Known, look
from services.registry.imports.reading import ReadBlock, Reader, TooManyFaults
from services.registry.imports.sealing import (
    SealedBlock,
    ToSeal,
    materials_of,
    seal,
    sort_out,
)
from services.registry.imports.tables import ImportStatus
from shared import audit
from shared.approvals import Steps
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.events import HouseholdsImported
from shared.database import Database
from shared.errors import Conflict, NotFound, TooLarge, Unprocessable
from shared.events import Event
from shared.ids import new_id

_ATTEMPTS = 5


class Receiver:
    """Receives one import's rows, on connections of its own."""

    def __init__(
        self,
        *,
        database: Database,
        session: AsyncSession,
        caller: Caller,
        personal_data: PersonalData,
        clock: Clock,
        communes: Mapping[str, str],
        edition: int,
        providers: frozenset[str],
        maximum_rows: int,
        maximum_rejections: int,
        steps: Steps,
        accounts_alone: int,
    ) -> None:
        self._database = database
        self._request_session = session
        self._caller = caller
        self._steps = steps
        self._accounts_alone = accounts_alone
        # Of the accounts that this sending would change, and of the proposal if it takes one.
        self._batch_id = new_id()
        self._personal_data = personal_data
        self._clock = clock
        self._communes = communes
        self._edition = edition
        self._providers = providers
        self._maximum_rows = maximum_rows
        self._maximum_rejections = maximum_rejections
        self._saved_up_to_line = 0

    async def receive(self, import_id: UUID, body: AsyncIterator[bytes]) -> None:
        """Store every row of ``body``; what was stored stays when it is cut off."""
        async with self._database.connection() as storing, self._database.connection() as looking:
            if not await repository.lock_import(storing, import_id):
                raise Conflict(
                    "This import is being received already. Wait for its end: "
                    f"GET /v1/imports/{import_id} shows how far it is."
                )
            announced_by = await self._begin(import_id)
            await repository.prefer_indexes(storing)
            await repository.prefer_indexes(looking)
            status, stopped_at_line = ImportStatus.INTERRUPTED, None
            try:
                await self._store_all(import_id, body, storing=storing, looking=looking)
                await self._settle_accounts(import_id, announced_by)
                status = ImportStatus.COMPLETED
            except Unreadable as error:
                stopped_at_line = error.line if isinstance(error, TooManyFaults) else None
                raise Unprocessable(
                    f"{error} {self._saved()} Correct the file and send it again."
                ) from None
            finally:
                # A connection that is gone cannot say so; the lock that went with it does.
                with suppress(asyncpg.InterfaceError, OSError):
                    await repository.end(
                        storing,
                        import_id,
                        status,
                        stopped_at_line=stopped_at_line,
                        now=self._clock.now(),
                    )

    async def _begin(self, import_id: UUID) -> str:
        """Who announced it; who sends it is kept before its first row: what is stored stays."""
        async with self._database.transaction() as session:
            audit.speak_for(session, request_session=self._request_session)
            announced_by = await repository.begin(
                session, import_id, by=self._caller.subject, now=self._clock.now()
            )
            if announced_by is None:
                raise NotFound("There is no such import. POST /v1/imports makes one.")
            await audit.record(session, after={"status": ImportStatus.RECEIVING})
        return announced_by

    async def _settle_accounts(self, import_id: UUID, announced_by: str) -> None:
        """Change the accounts of known households, or propose it: when all are known."""
        async with self._database.transaction() as session:
            audit.speak_for(session, request_session=self._request_session)
            changed = await settle_import(
                session,
                self._steps,
                import_id,
                self._batch_id,
                announced_by=announced_by,
                alone=self._accounts_alone,
                caller=self._caller,
                clock=self._clock,
            )
            await repository.keep_accounts_changed(session, import_id, changed)
            if changed:
                await audit.record(session, after={"accounts_changed": changed})

    def _saved(self) -> str:
        if self._saved_up_to_line:
            return f"The rows up to line {self._saved_up_to_line} are saved."
        return "Nothing of it is saved."

    async def _store_all(
        self,
        import_id: UUID,
        body: AsyncIterator[bytes],
        *,
        storing: asyncpg.Connection,
        looking: asyncpg.Connection,
    ) -> None:
        reader = Reader(
            communes=self._communes,
            providers=self._providers,
            personal_data=self._personal_data,
            maximum_rejections=self._maximum_rejections,
        )
        before: asyncio.Task[None] | None = None
        try:
            async for block in row_blocks(body):
                read = await asyncio.to_thread(reader.read, block)
                if read.last_line > self._maximum_rows:
                    raise TooLarge(
                        f"An import has at most {self._maximum_rows} lines. Send it in parts."
                    )
                sealed = await self._seal(read, looking)
                if before is not None:
                    await before
                before = asyncio.create_task(self._store(import_id, read, sealed, storing))
                if read.stopped is not None:
                    raise read.stopped
            if before is not None:
                await before
        except Unreadable:
            # What came before the fault is whole: it is saved, and said to be.
            if before is not None:
                await before
            raise
        except BaseException:
            if before is not None:
                before.cancel()
                await asyncio.gather(before, return_exceptions=True)
            raise

    async def _seal(
        self, read: ReadBlock, looking: asyncpg.Connection, *, closely: bool = False
    ) -> SealedBlock:
        known = await look(looking, read, self._personal_data, closely=closely)
        return await asyncio.to_thread(self._sealed, read, known, self._clock.now())

    def _sealed(self, read: ReadBlock, known: Known, now: datetime) -> SealedBlock:
        block = ToSeal(
            read,
            sort_out(read, known.households),
            materials_of(known.households.values(), orphans=known.orphans),
            sender=self._caller.subject,
            batch_id=self._batch_id,
            now=now,
        )
        return seal(block, self._personal_data)

    async def _store(
        self,
        import_id: UUID,
        read: ReadBlock,
        sealed: SealedBlock,
        storing: asyncpg.Connection,
    ) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                told = self._told(import_id, sealed)
                await repository.store_block(
                    storing,
                    import_id,
                    read,
                    sealed,
                    told=told,
                    edition=self._edition,
                    by=self._caller.subject,
                    now=self._clock.now(),
                )
                self._saved_up_to_line = read.last_line
                return
            except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, KeysChanged):
                # Somebody else registered, changed or erased one of them: look again, and seal
                # again.
                if attempt == _ATTEMPTS:
                    raise
                sealed = await self._seal(read, storing, closely=True)

    def _told(self, import_id: UUID, sealed: SealedBlock) -> list[Event]:
        """One event for the block, and none where everything was known."""
        if not sealed.households and not sealed.changed_households:
            return []
        imported = HouseholdsImported(
            import_id=import_id,
            added=len(sealed.households),
            changed=len(sealed.changed_households),
            areas=districts_of(sealed.communes),
        )
        return [imported.to_event(clock=self._clock)]
