"""Reading the file of an import in the background: dry, or to store what it brings.

It is done by the API's processes, which alone have the keys. Whoever reads a file holds its
import's lock on a connection; where the process dies, the lock goes with it, and the next that
looks goes on behind the last block that was committed.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from functools import partial
from uuid import UUID

import asyncpg

from services.registry.accounts.service import settle_import
from services.registry.areas.repository import edition_in_force, places_now
from services.registry.household_keys.repository import KeysChanged
from services.registry.households.persons import PersonalData
from services.registry.households.shape import REGISTRATION_NUMBER
from services.registry.imports import repository
from services.registry.imports.apart import LONG_FILE_PIECES, Apart, Compute
from services.registry.imports.files.format import Unreadable
from services.registry.imports.gathering import Block, gathered, read_part
from services.registry.imports.keeping import pieces_of
from services.registry.imports.mapping.document import MappingDocument, RowsOf
from services.registry.imports.mapping.translating import Translator
from services.registry.imports.members import MemberReader
from services.registry.imports.opening import Seen, parts_of
from services.registry.imports.preparing import Looked, Prepared, Preparing, by_area
from services.registry.imports.reading import Reader, TooManyFaults
from services.registry.imports.runs import repository as runs
from services.registry.imports.sealing import SealedBlock
from services.registry.imports.tables import (
    ImportFile,
    ImportRun,
    ImportStatus,
    RunKind,
    RunStatus,
)
from services.registry.members.storing import store_members
from services.registry.providers.repository import provider_codes
from services.registry.settings import ApiSettings
from shared.approvals import Steps
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database
from shared.garbage import holding_many
from shared.values import STORED

_ATTEMPTS = 5
_BLOCKS_UNDER_WAY = 2
"""Of which one is stored, and one sealed."""
_GONE = "The file is not there any more. Send it again, and ask for another reading."


class ImportWork:
    """Reads the files that somebody asked to have read."""

    def __init__(
        self,
        database: Database,
        *,
        personal_data: PersonalData,
        settings: ApiSettings,
        steps: Steps,
        clock: Clock,
    ) -> None:
        self._database = database
        self._personal_data = personal_data
        self._settings = settings
        self._steps = steps
        self._clock = clock
        self._apart = Apart(settings, personal_data)

    def close(self) -> None:
        """End what computes beside this process."""
        self._apart.end()

    async def step(self) -> int:
        """Read one file that nobody reads; how many were; 0: none waits."""
        async with self._database.reading() as session:
            waiting = await runs.waiting_runs(session)
        for run_id, import_id in waiting:
            async with self._database.connection() as storing:
                if await repository.lock_import(storing, import_id):
                    with holding_many():
                        await self._run(run_id, import_id, storing)
                    return 1
        self._apart.end_if_idle()
        return 0

    async def _run(self, run_id: UUID, import_id: UUID, storing: asyncpg.Connection) -> None:
        async with self._database.reading() as session:
            run = await runs.find_run(session, import_id, run_id)
            file = await runs.find_file(session, import_id)
            communes = await places_now(session)
            edition = await edition_in_force(session)
            providers = await provider_codes(session)
            programmes = await runs.programme_codes(session)
        if run is None or run.ended_at is not None:
            return
        compute = self._apart.here
        if file is not None and file.piece_count >= LONG_FILE_PIECES:
            self._apart.begin()
            compute = self._apart.there
        reading = _Reading(
            self._database,
            run=run,
            file=file,
            storing=storing,
            personal_data=self._personal_data,
            communes=communes,
            edition=0 if edition is None else edition.number or 0,
            providers=providers,
            programmes=programmes,
            settings=self._settings,
            steps=self._steps,
            compute=compute,
            clock=self._clock,
        )
        try:
            await reading.whole()
        except Unreadable as error:
            await reading.end(RunStatus.STOPPED, because=str(error))


class _Reading:
    """One run, from where it is to its end."""

    def __init__(
        self,
        database: Database,
        *,
        run: ImportRun,
        file: ImportFile | None,
        storing: asyncpg.Connection,
        personal_data: PersonalData,
        communes: Mapping[str, str],
        edition: int,
        providers: frozenset[str],
        programmes: frozenset[str],
        settings: ApiSettings,
        steps: Steps,
        compute: Compute,
        clock: Clock,
    ) -> None:
        self._database = database
        self._run = run
        self._file = file
        self._storing = storing
        self._personal_data = personal_data
        self._communes = communes
        # Where another is in force by now, storing raises, and the file is read on by that one.
        self._edition = edition
        self._providers = providers
        self._programmes = programmes
        self._settings = settings
        self._steps = steps
        self._clock = clock
        self._compute = compute
        self._line_done = run.line_done
        self._checked_at = run.checked_at
        self._rows_bad = run.rows_bad
        self._seconds_before = run.seconds
        self._timed_at = time.monotonic()

    async def whole(self) -> None:
        """Read the file; of one that is to be all or nothing, first without storing."""
        run = self._run
        if self._file is None or self._file.id != run.file_id:
            raise Unreadable(_GONE)
        changes = run.kind is RunKind.IMPORT
        checks_first = changes and run.all_or_nothing and self._checked_at is None
        if run.begun_at is None:
            await self._begin(changes=changes)
        if not changes or checks_first:
            await self._read(stores=False)
            if not changes:
                await self.end(RunStatus.COMPLETED)
                return
            if self._rows_bad:
                await self.end(
                    RunStatus.REFUSED,
                    because="It was to be all or nothing, and rows are bad: nothing is stored. "
                    "Mend them and send the file again, or ask for the good rows alone.",
                )
                return
            self._checked_at = self._clock.now()
            await self._begin(changes=True)
        await self._read(stores=True)
        await self._settle_accounts()
        await self.end(RunStatus.COMPLETED)

    async def end(self, status: RunStatus, *, because: str | None = None) -> None:
        """Record how the reading ended, and the import with it."""
        now = self._clock.now()
        async with self._storing.transaction():
            await runs.end_run(self._storing, self._run.id, status, because=because, now=now)
            if self._run.kind is RunKind.IMPORT:
                has_ended = status is RunStatus.COMPLETED
                await repository.end(
                    self._storing,
                    self._run.import_id,
                    ImportStatus.COMPLETED if has_ended else ImportStatus.INTERRUPTED,
                    stopped_at_line=None if has_ended else self._line_done + 1,
                    now=now,
                )

    async def _begin(self, *, changes: bool) -> None:
        self._line_done = self._rows_bad = 0
        await runs.begin_run(
            self._storing,
            self._run,
            changes=changes,
            checked_at=self._checked_at,
            now=self._clock.now(),
        )

    async def _read(self, *, stores: bool) -> None:
        """Read all rows, and commit what is behind the last that was: one block, while the next
        is sealed, and the one behind it read."""
        await repository.prefer_indexes(self._storing)
        preparing = Preparing(
            self._run,
            personal_data=self._personal_data,
            compute=self._compute,
            seals=stores,
            clock=self._clock,
        )
        commits: deque[asyncio.Task[None]] = deque()
        try:
            try:
                await self._read_blocks(commits, preparing, stores=stores)
            except Unreadable:
                # What came before the fault is whole: it is kept.
                await _each(commits)
                raise
            await _each(commits)
        except BaseException:
            for commit in commits:
                commit.cancel()
            await asyncio.gather(*commits, return_exceptions=True)
            raise

    async def _read_blocks(
        self, commits: deque[asyncio.Task[None]], preparing: Preparing, *, stores: bool
    ) -> None:
        done = self._line_done
        async with self._database.connection() as looking:
            await repository.prefer_indexes(looking)
            async for block in self._blocks(looking):
                if block.read.last_line > done or block.read.stopped:
                    looked = await preparing.looked(block, looking, closely=not stores)
                    sealing = asyncio.create_task(preparing.prepared(looked))
                    before = commits[-1] if commits else None
                    commits.append(
                        asyncio.create_task(self._commit(looked, sealing, before, preparing))
                    )
                if block.read.stopped is not None:
                    raise block.read.stopped
                while len(commits) > _BLOCKS_UNDER_WAY:
                    await commits.popleft()
                self._require_bounded(block)

    async def _commit(
        self,
        looked: Looked,
        sealing: asyncio.Task[Prepared],
        before: asyncio.Task[None] | None,
        preparing: Preparing,
    ) -> None:
        """Count a block, or store it, behind the one before it."""
        try:
            prepared = await sealing
            if before is not None:
                await before
        except BaseException:
            sealing.cancel()
            raise
        if prepared.sealed is None:
            await self._count(looked.block, prepared)
        else:
            await self._store(looked.block, prepared, prepared.sealed, preparing)

    def _require_bounded(self, block: Block) -> None:
        if block.read.last_line > self._settings.import_maximum_rows:
            raise Unreadable(
                f"A file has at most {self._settings.import_maximum_rows} rows. Send it in parts."
            )

        if self._rows_bad > self._settings.import_maximum_rejections:
            raise TooManyFaults(
                self._line_done + 1, maximum=self._settings.import_maximum_rejections
            )

    async def _blocks(self, looking: asyncpg.Connection) -> AsyncIterator[Block]:
        file, run = self._file, self._run
        assert file is not None
        seen = Seen.model_validate_json(
            self._personal_data.files.decrypt(file.seen_sealed, bound_to=file.id.bytes)
        )
        mapping = MappingDocument.model_validate(run.mapping, context=STORED)
        translator = Translator(mapping, headings=seen.headings, format=file.format)
        reader = self._reader(mapping)

        def pieces() -> AsyncIterator[bytes]:
            return pieces_of(
                looking, file.id, personal_data=self._personal_data, count=file.piece_count
            )

        parts = parts_of(pieces, file.format, seen, piece_count=file.piece_count)
        together = (
            translator.place_of(REGISTRATION_NUMBER) if mapping.rows_of is RowsOf.MEMBERS else None
        )
        async for part in gathered(parts, until=self._line_done, together=together):
            yield await asyncio.to_thread(read_part, part, translator, reader)

    def _reader(self, mapping: MappingDocument) -> Reader | MemberReader:
        if mapping.rows_of is RowsOf.HOUSEHOLDS:
            return Reader(
                communes=self._communes,
                providers=self._providers,
                personal_data=self._personal_data,
                maximum_rejections=self._settings.import_maximum_rejections,
            )
        return MemberReader(
            communes=self._communes,
            providers=self._providers,
            programmes=self._programmes,
            personal_data=self._personal_data,
            maximum_rejections=self._settings.import_maximum_rejections,
            says_households=mapping.says_households,
            today=self._clock.today(),
        )

    async def _count(self, block: Block, prepared: Prepared) -> None:
        """Say what storing a block would do."""
        async with self._storing.transaction():
            await repository.add_rejections(
                self._storing, self._run.import_id, prepared.read.rejections
            )
            await self._reach(block, prepared)
        self._reached(block, prepared)

    async def _store(
        self, block: Block, prepared: Prepared, sealed: SealedBlock, preparing: Preparing
    ) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await repository.store_block(
                    self._storing,
                    self._run.import_id,
                    prepared.read,
                    sealed,
                    told=preparing.told(prepared),
                    edition=self._edition,
                    by=self._run.asked_by,
                    now=self._clock.now(),
                    rows=prepared.rows,
                    beside=partial(self._store_beside, block, prepared),
                )
                break
            except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, KeysChanged):
                # Somebody else registered, changed or erased one of them: look again, and seal
                # again.
                if attempt == _ATTEMPTS:
                    raise
                looked = await preparing.looked(block, self._storing, closely=True)
                prepared = await preparing.prepared(looked)
                assert prepared.sealed is not None
                sealed = prepared.sealed
        self._reached(block, prepared)

    async def _store_beside(self, block: Block, prepared: Prepared) -> None:
        if prepared.members is not None:
            await store_members(self._storing, prepared.members, today=self._clock.today())
        await self._reach(block, prepared)

    def _reached(self, block: Block, prepared: Prepared) -> None:
        self._line_done = block.read.last_line
        self._rows_bad += prepared.read.rejected_count

    async def _reach(self, block: Block, prepared: Prepared) -> None:
        found, members = prepared.found, prepared.members
        seconds = self._seconds_before + time.monotonic() - self._timed_at
        await runs.reach(
            self._storing,
            self._run.id,
            line=block.read.last_line,
            share=block.part.share,
            seconds=seconds,
            counts=[
                prepared.rows,
                prepared.read.rejected_count,
                len(found.new),
                len(found.changed),
                len(found.unchanged),
                *(
                    (0, 0, 0, 0)
                    if members is None
                    else (
                        len(members.new),
                        len(members.changed),
                        members.unchanged_count,
                        members.left_count,
                    )
                ),
            ],
            areas=by_area(prepared),
            notes=block.notes,
        )

    async def _settle_accounts(self) -> None:
        """Change the accounts of known households, or propose it, as for rows that are sent."""
        run = self._run
        async with self._database.transaction() as session:
            announced_by = await repository.announced_by(session, run.import_id)
            changed = await settle_import(
                session,
                self._steps,
                run.import_id,
                run.id,
                announced_by=announced_by,
                alone=self._settings.account_changes_alone,
                caller=Caller(run.asked_by, frozenset()),
                clock=self._clock,
            )
            await repository.keep_accounts_changed(session, run.import_id, changed)


async def _each(commits: deque[asyncio.Task[None]]) -> None:
    while commits:
        await commits.popleft()
