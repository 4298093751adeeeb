"""Announcing files of figures, reading them as a feed's answers are read, and what came of them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.triggers.approvals.tables import ApprovalKind
from services.triggers.checks.service import AreasChecked, Checks
from services.triggers.feeds.document import FeedDocument
from services.triggers.feeds.formats.reading import Reading, Setting
from services.triggers.feeds.reading import read_file
from services.triggers.feeds.recording import Recorded, record
from services.triggers.feeds.service import FEEDS, setting_of
from services.triggers.imports import repository
from services.triggers.imports.schemas import ObservationImportIn, ObservationImportOut
from services.triggers.imports.tables import ObservationImport
from services.triggers.observations import service as observations
from services.triggers.observations.repository import Hands
from services.triggers.observations.schemas import MAXIMUM_ROWS_BY_HAND, ObservationsIn
from shared import audit
from shared.approvals import ApprovalStatus, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import Clock
from shared.database import Database
from shared.documents import service as documents
from shared.errors import Conflict, NotFound, TooLarge, Unprocessable
from shared.ids import new_id
from shared.pagination import Page, PageOf

_REFUSALS_KEPT = 100


async def announce(
    session: AsyncSession, given: ObservationImportIn, *, caller: Caller, clock: Clock
) -> ObservationImportOut:
    """A file to come, read by the version of the feed that is in force; raises Conflict."""
    try:
        feed = await documents.get(session, FEEDS, given.feed)
    except NotFound:
        raise Conflict(
            f"There is no feed '{given.feed}'. Post one with POST /v1/feeds: its document says how "
            "the file is read. With enabled false it is not pulled."
        ) from None
    row = await repository.add(
        session,
        id=new_id(),
        feed_code=feed.code,
        feed_version=feed.version,
        note=given.note,
        created_by=caller.subject,
        created_at=clock.now(),
    )
    return ObservationImportOut.model_validate(row)


async def get(session: AsyncSession, import_id: UUID) -> ObservationImportOut:
    """A file as it stands; raises NotFound."""
    return ObservationImportOut.model_validate(await _get(session, import_id))


async def list_page(
    session: AsyncSession, page: Page, *, feed: str | None
) -> PageOf[ObservationImportOut]:
    """A page of files, the newest first."""
    rows = await repository.list_imports(
        session, feed=feed, before=page.after(UUID), limit=page.fetch_limit
    )
    imports = [ObservationImportOut.model_validate(row) for row in rows]
    return page.of(imports, key=lambda listed: (listed.id,))


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Receives files, in transactions of its own; the request's session is for their end."""

    database: Database
    session: AsyncSession
    checks: Checks
    steps: Steps
    caller: Caller
    clock: Clock

    async def receive(self, import_id: UUID, body: AsyncIterator[bytes]) -> ObservationImportOut:
        """Record what is new of a file, or ask a second person; what came of it.

        Raises NotFound; TooLarge; Unprocessable where nothing can be read of it, or more is new
        than a person can look through; Conflict where another file came under this import.
        """
        async with self.database.transaction() as session:
            row = await _get(session, import_id)
            version = await documents.get(session, FEEDS, row.feed_code, row.feed_version)
            setting = await setting_of(session, version.document, clock=self.clock)
        content = await _whole(body, maximum_bytes=version.document.maximum_bytes)
        digest = hashlib.sha256(content).hexdigest()
        if row.digest not in (None, digest):
            raise Conflict(
                "Another file was read under this import. Announce this one by itself: "
                "POST /v1/observations/imports."
            )
        reading = await self._read(content, version.document, setting)
        async with self.database.transaction() as session:
            audit.speak_for(session, request_session=self.session)
            await repository.keep_sender(session, import_id, sent_by=self.caller.subject)
            await audit.record(session, after={"digest": digest, "sent_by": self.caller.subject})
        waiting = await self._to_propose(reading, setting)
        recorded = await self._record(waiting.others, setting)
        return await self._finish(import_id, reading, digest, waiting, recorded)

    async def _read(self, content: bytes, document: FeedDocument, setting: Setting) -> Reading:
        reading = await asyncio.to_thread(read_file, content, document, setting)
        if reading.unreadable is not None:
            raise Unprocessable(
                f"Nothing of the file was read, and nothing is recorded. {reading.unreadable} It "
                f"is read as {document.format.kind}, as the document of its feed says."
            )
        return reading

    async def _to_propose(self, reading: Reading, setting: Setting) -> "_Waiting":
        """What of a reading a second person is asked about; raises Unprocessable."""
        waiting = _Waiting()
        async with self.database.transaction() as session:
            for code in sorted({row.indicator for row in reading.rows}):
                if await observations.needs_second_person(session, code, caller=self.caller):
                    waiting.read.add(code)
        of_waiting = [row for row in reading.rows if row.indicator in waiting.read]
        waiting.others = replace(
            reading, rows=[row for row in reading.rows if row.indicator not in waiting.read]
        )
        waiting.looked_at = await record(
            self.database,
            replace(reading, rows=of_waiting, refused=[]),
            setting,
            keep=partial(self._hold, waiting),
            checks=self.checks,
        )
        if waiting.count > MAXIMUM_ROWS_BY_HAND:
            raise Unprocessable(
                f"A second person looks through what is new: {waiting.count:,} values, and "
                f"{MAXIMUM_ROWS_BY_HAND:,} at most at once. Nothing is recorded. Send the file in "
                "parts, each as an import of its own."
            )
        return waiting

    async def _hold(
        self,
        waiting: "_Waiting",
        session: AsyncSession,
        body: ObservationsIn,
        *,
        areas: AreasChecked,
    ) -> None:
        new = await observations.new_of(session, body, areas=areas, clock=self.clock)
        waiting.known += len(body.observations) - len(new.rows)
        waiting.doubtful += new.doubtful
        if new.rows:
            body = body.model_copy(update={"observations": list(new.rows)})
            waiting.batches.append((body, areas))

    async def _record(self, reading: Reading, setting: Setting) -> Recorded:
        hands = Hands(
            posted_by=self.caller.subject, published=observations.is_publisher(self.caller)
        )
        return await record(
            self.database,
            reading,
            setting,
            keep=partial(observations.record, hands=hands, clock=self.clock),
            checks=self.checks,
        )

    async def _finish(
        self,
        import_id: UUID,
        reading: Reading,
        digest: str,
        waiting: "_Waiting",
        recorded: Recorded,
    ) -> ObservationImportOut:
        row = await repository.lock(self.session, import_id)
        approval_id = row.approval_id
        if waiting.batches and not await self._is_asked(approval_id):
            proposal = await approvals.propose(
                self.session,
                self.steps,
                ApprovalKind.OBSERVATION_IMPORT,
                waiting.document(import_id),
                Effect(what=waiting.what(row.feed_code)),
                reason=row.note,
                caller=self.caller,
                clock=self.clock,
            )
            approval_id = proposal.id
        refused = [*recorded.refused, *waiting.looked_at.refused]
        kept = await repository.keep_result(
            self.session,
            import_id,
            read_at=self.clock.now(),
            digest=digest,
            seen=reading.seen,
            recorded=recorded.recorded,
            unchanged=recorded.unchanged + waiting.looked_at.unchanged + waiting.known,
            set_aside=recorded.set_aside,
            refused=len(refused),
            refusals=[
                {"where": where, "reason": reason} for where, reason in refused[:_REFUSALS_KEPT]
            ],
            proposed=waiting.count,
            approval_id=approval_id,
        )
        shown = ObservationImportOut.model_validate(kept)
        await audit.record(
            self.session, after=shown.model_dump(mode="json", exclude={"refusals", "note"})
        )
        return shown

    async def _is_asked(self, approval_id: UUID | None) -> bool:
        """Whether a second person is being asked about this file already."""
        if approval_id is None:
            return False
        proposal = await approvals.get(self.session, self.steps, approval_id, clock=self.clock)
        return proposal.status is ApprovalStatus.WAITING


@dataclass(kw_only=True)
class _Waiting:
    """What a second person has to look through."""

    read: set[str] = field(default_factory=set)
    """The indicators that a trigger in force reads."""
    batches: list[tuple[ObservationsIn, AreasChecked]] = field(default_factory=list)
    known: int = 0
    doubtful: int = 0
    looked_at: Recorded = field(default_factory=Recorded)
    others: Reading = field(default_factory=lambda: Reading(seen=0))

    @property
    def count(self) -> int:
        return sum(len(body.observations) for body, _ in self.batches)

    def document(self, import_id: UUID) -> dict[str, object]:
        """What is carried out once it is approved."""
        return {
            "import_id": str(import_id),
            "batches": [
                {"batch": body.as_posted(), "areas_unchecked": sorted(areas.unchecked)}
                for body, areas in self.batches
            ],
        }

    def what(self, feed: str) -> str:
        """For whoever decides."""
        rows = [row for body, _ in self.batches for row in body.observations]
        days = sorted({row.observed_on for row in rows})
        doubted = f" Doubtful by what is known now: {self.doubtful:,}." if self.doubtful else ""
        of = _listed({body.indicator for body, _ in self.batches})
        return (
            f"Record {len(rows):,} values of {of} by {_listed({row.source for row in rows})}, of "
            f"{days[0]} to {days[-1]}, from a file "
            f"that was sent by hand and read as the feed '{feed}'. A trigger in force reads "
            f"them.{doubted}"
        )


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)[:5])


async def _whole(body: AsyncIterator[bytes], *, maximum_bytes: int) -> bytes:
    """A file as it comes in; raises TooLarge before more is held than its feed's document says."""
    parts = bytearray()
    async for part in body:
        parts += part
        if len(parts) > maximum_bytes:
            raise TooLarge(
                f"A file of this feed has {maximum_bytes:,} bytes at most (`maximum_bytes` of its "
                "document). Send it in parts, each as an import of its own."
            )
    return bytes(parts)


async def _get(session: AsyncSession, import_id: UUID) -> ObservationImport:
    row = await repository.find(session, import_id)
    if row is None:
        raise NotFound("There is no such import. GET /v1/observations/imports lists them.")
    return row
