"""Reading the file of an import in the background: dry, or to store what it brings.

It is done by the API's processes, which alone have the keys. Whoever reads a file holds its
import's lock on a connection; where the process dies, the lock goes with it, and the next that
looks goes on behind the last block that was committed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from services.registry.accounts.service import settle_import
from services.registry.areas.codes import districts_of
from services.registry.areas.repository import commune_codes
from services.registry.households.persons import PersonalData
from services.registry.households.shape import COMMUNE
from services.registry.imports import files_repository, repository
from services.registry.imports.files.format import Unreadable
from services.registry.imports.keeping import pieces_of
from services.registry.imports.mapping.document import MappingDocument
from services.registry.imports.mapping.translating import Translated, Translator
from services.registry.imports.opening import Part, Seen, parts_of
from services.registry.imports.reading import ReadBlock, Reader
from services.registry.imports.sealing import (
    KnownHousehold,
    SealedBlock,
    Sorted,
    seal,
    sort_out,
)
from services.registry.imports.tables import (
    ImportFile,
    ImportRun,
    ImportStatus,
    RunKind,
    RunStatus,
)
from services.registry.providers.repository import provider_codes
from services.registry.settings import Settings
from shared.approvals import Steps
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.events import HouseholdsImported
from shared.database import Database
from shared.events import Event
from shared.values import STORED

BLOCK_ROWS = 5_000
"""Of one transaction: a tenth of a second or two."""
_ATTEMPTS = 5
_GONE = "The file is not there any more. Send it again, and ask for another reading."


@dataclass
class Block:
    """Rows that are stored together."""

    part: Part
    read: ReadBlock
    notes: Counter[tuple[str, str]]


class ImportWork:
    """Reads the files that somebody asked to have read."""

    def __init__(
        self,
        database: Database,
        *,
        personal_data: PersonalData,
        settings: Settings,
        steps: Steps,
        clock: Clock,
    ) -> None:
        self._database = database
        self._personal_data = personal_data
        self._settings = settings
        self._steps = steps
        self._clock = clock

    async def step(self) -> int:
        """Read one file that nobody reads; how many were; 0: none waits."""
        async with self._database.reading() as session:
            waiting = await files_repository.waiting_runs(session)
        for run_id, import_id in waiting:
            async with self._database.connection() as storing:
                if await repository.lock_import(storing, import_id):
                    await self._run(run_id, import_id, storing)
                    return 1
        return 0

    async def _run(self, run_id: UUID, import_id: UUID, storing: asyncpg.Connection) -> None:
        async with self._database.reading() as session:
            run = await files_repository.find_run(session, import_id, run_id)
            file = await files_repository.find_file(session, import_id)
            communes = await commune_codes(session)
            providers = await provider_codes(session)
        if run is None or run.ended_at is not None:
            return
        reading = _Reading(
            self._database,
            run=run,
            file=file,
            storing=storing,
            personal_data=self._personal_data,
            communes=communes,
            providers=providers,
            settings=self._settings,
            steps=self._steps,
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
        communes: frozenset[str],
        providers: frozenset[str],
        settings: Settings,
        steps: Steps,
        clock: Clock,
    ) -> None:
        self._database = database
        self._run = run
        self._file = file
        self._storing = storing
        self._personal_data = personal_data
        self._communes = communes
        self._providers = providers
        self._settings = settings
        self._steps = steps
        self._clock = clock
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
            await files_repository.end_run(
                self._storing, self._run.id, status, because=because, now=now
            )
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
        await files_repository.begin_run(
            self._storing,
            self._run,
            changes=changes,
            checked_at=self._checked_at,
            now=self._clock.now(),
        )

    async def _read(self, *, stores: bool) -> None:
        """Read all rows, and commit what is behind the last that was: one block, while the next
        is read."""
        await repository.prefer_indexes(self._storing)
        before: asyncio.Task[None] | None = None
        done = self._line_done
        try:
            async with self._database.connection() as looking:
                await repository.prefer_indexes(looking)
                async for block in self._blocks(looking):
                    if block.read.last_line > done or block.read.stopped:
                        commit = await self._ready(block, looking, stores=stores)
                        if before is not None:
                            await before
                        before = asyncio.create_task(commit())
                    if block.read.stopped is not None:
                        raise block.read.stopped
                    self._require_bounded(block)
            if before is not None:
                await before
        except Unreadable:
            # What came before the fault is whole: it is kept.
            if before is not None:
                await before
            raise
        except BaseException:
            if before is not None:
                before.cancel()
                await asyncio.gather(before, return_exceptions=True)
            raise

    async def _ready(
        self, block: Block, looking: asyncpg.Connection, *, stores: bool
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        """What commits a block, with everything computed that can be without its connection."""
        known = await self._known(block.read, looking)
        found = await asyncio.to_thread(sort_out, block.read, known)
        if not stores:
            return partial(self._count, block, found)
        return partial(self._store, block, found, await self._sealed(block, known))

    def _require_bounded(self, block: Block) -> None:
        if block.read.last_line > self._settings.import_maximum_rows:
            raise Unreadable(
                f"A file has at most {self._settings.import_maximum_rows} rows. Send it in parts."
            )

    async def _blocks(self, looking: asyncpg.Connection) -> AsyncIterator[Block]:
        file, run = self._file, self._run
        assert file is not None
        seen = Seen.model_validate_json(
            self._personal_data.files.decrypt(file.seen_sealed, bound_to=file.id.bytes)
        )
        translator = Translator(
            MappingDocument.model_validate(run.mapping, context=STORED),
            headings=seen.headings,
            format=file.format,
        )
        reader = Reader(
            communes=self._communes,
            providers=self._providers,
            personal_data=self._personal_data,
            maximum_rejections=self._settings.import_maximum_rejections,
        )

        def pieces() -> AsyncIterator[bytes]:
            return pieces_of(
                looking, file.id, personal_data=self._personal_data, count=file.piece_count
            )

        parts = parts_of(pieces, file.format, seen, piece_count=file.piece_count)
        async for part in _gathered(parts, until=self._line_done):
            yield await asyncio.to_thread(_read_part, part, translator, reader)

    async def _known(
        self, read: ReadBlock, connection: asyncpg.Connection
    ) -> Mapping[bytes, KnownHousehold]:
        indexes = read.registration_indexes
        if read.other is not None:
            indexes = [*indexes, *read.other.registration_indexes]
        return await repository.known_households(connection, indexes)

    async def _sealed(self, block: Block, known: Mapping[bytes, KnownHousehold]) -> SealedBlock:
        return await asyncio.to_thread(
            seal,
            block.read,
            known=known,
            personal_data=self._personal_data,
            sender=self._run.asked_by,
            batch_id=self._run.id,
            now=self._clock.now(),
        )

    async def _count(self, block: Block, found: Sorted) -> None:
        """Say what storing a block would do."""
        async with self._storing.transaction():
            await repository.add_rejections(
                self._storing, self._run.import_id, block.read.rejections
            )
            await self._reach(block, found)
        self._reached(block)

    async def _store(self, block: Block, found: Sorted, sealed: SealedBlock) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await repository.store_block(
                    self._storing,
                    self._run.import_id,
                    block.read,
                    sealed,
                    told=self._told(sealed),
                    beside=partial(self._reach, block, found),
                )
                break
            except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                # Somebody else registered or changed one of them: look again, and seal again.
                if attempt == _ATTEMPTS:
                    raise
                known = await self._known(block.read, self._storing)
                found, sealed = sort_out(block.read, known), await self._sealed(block, known)
        self._reached(block)

    def _reached(self, block: Block) -> None:
        self._line_done = block.read.last_line
        self._rows_bad += block.read.rejected_count

    def _told(self, sealed: SealedBlock) -> list[Event]:
        """One event for the block, and none where everything was known."""
        if not sealed.households and not sealed.changed_households:
            return []
        imported = HouseholdsImported(
            import_id=self._run.import_id,
            added=len(sealed.households),
            changed=len(sealed.changed_households),
            areas=districts_of(sealed.communes),
        )
        return [imported.to_event(clock=self._clock)]

    async def _reach(self, block: Block, found: Sorted) -> None:
        read = block.read
        seconds = self._seconds_before + time.monotonic() - self._timed_at
        await files_repository.reach(
            self._storing,
            self._run.id,
            line=read.last_line,
            share=block.part.share,
            seconds=seconds,
            counts=[
                len(read.registration_indexes) + read.rejected_count,
                read.rejected_count,
                len(found.new),
                len(found.changed),
                len(found.unchanged),
            ],
            areas=_by_area(read, found),
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


async def _gathered(parts: AsyncIterator[Part], *, until: int) -> AsyncIterator[Part]:
    """Parts of as many rows as are stored together; one of them ends with the line ``until``."""
    waiting = Part()
    async for part in parts:
        for at in range(len(part)):
            if len(waiting) >= BLOCK_ROWS or (
                len(waiting) and waiting.lines[-1] <= until < part.lines[at]
            ):
                yield waiting
                waiting = Part()
            if at in part.broken:
                waiting.broken[len(waiting)] = part.broken[at]
            waiting.lines.append(part.lines[at])
            waiting.cells.append(part.cells[at])
        waiting.share = part.share
    if len(waiting):
        yield waiting


def _read_part(part: Part, translator: Translator, reader: Reader) -> Block:
    translated: Translated = translator.translate(part.cells)
    read = reader.read_cells(
        part.lines, translated.cells, codes=translated.codes, broken=part.broken
    )
    return Block(part, read, translated.notes)


def _by_area(read: ReadBlock, found: Sorted) -> Mapping[str, Sequence[int]]:
    """Households added, changed and unchanged, and bad rows, by commune."""
    communes = read.columns[COMMUNE.name]
    counters = [
        *(Counter(communes[at] for at in rows) for rows in (found.new, found.changed)),
        Counter(communes[at] for at in found.unchanged),
        read.rejected_in,
    ]
    codes = sorted(set().union(*counters))
    return {code: [counter[code] for counter in counters] for code in codes}
