"""Working planned chunks: each in one transaction, with its announcement.

Whatever happens to a worker, a chunk is either planned still or announced whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations.tables import Activation
from services.registry.enrolments import statements
from services.registry.enrolments.planning import plan_later_round
from services.registry.enrolments.tables import EnrolmentRun
from services.registry.entitlements.states import ChunkStatus, EntitlementStatus
from services.registry.entitlements.tables import EntitlementChunk
from services.registry.rounds.tables import PaymentRound
from services.registry.schemes.document import Exclusion, SchemeDocument
from services.registry.schemes.repository import get_document
from shared.clock import Clock
from shared.contracts.events import EnrolmentCompleted, EntitlementsReady
from shared.database import Database
from shared.errors import innermost_place
from shared.events import Event, publish_all

log = structlog.get_logger()

SOURCE = "/registry"

# A chunk is small against the registry: walking the indexes is right whatever the statistics say,
# and keeps the cost of a household the same at any size.
_PREFER_INDEXES = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_mergejoin', 'off', true)"
)
_LONGEST_WAIT_SECONDS = 60


@dataclass(frozen=True)
class _Amounts:
    count: int = 0
    minor: int = 0


class EnrolmentWork:
    """Works planned chunks, one at each step."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # Versions never change, so neither do these.
        self._documents: dict[tuple[str, int], SchemeDocument] = {}
        self._statements: dict[tuple[str, int, bool], statements.Totals] = {}

    async def step(self) -> int:
        """Work one planned chunk; 0 when none waits."""
        chunk_id: UUID | None = None
        try:
            async with self._database.transaction() as session:
                chunk = await _claim(session)
                if chunk is None:
                    return 0
                chunk_id = chunk.id
                await self._work(session, chunk)
        except Exception as error:
            if chunk_id is None or _connection_is_gone(error):
                raise
            await self._put_off(chunk_id, error)
        return 1

    async def _work(self, session: AsyncSession, chunk: EntitlementChunk) -> None:
        activation = await session.get_one(Activation, chunk.activation_id)
        document = await self._document(session, activation)
        await session.execute(_PREFER_INDEXES)
        made = await self._entitle(session, chunk, activation, document)
        payable = made.get(EntitlementStatus.READY, _Amounts())
        unpayable = made.get(EntitlementStatus.UNPAYABLE, _Amounts())
        chunk.status = ChunkStatus.ANNOUNCED if payable.count else ChunkStatus.EMPTY
        chunk.announced_at = self._clock.now()
        chunk.payable_count, chunk.payable_minor = payable.count, payable.minor
        chunk.unpayable_count, chunk.unpayable_minor = unpayable.count, unpayable.minor
        chunk.excluded_count = made.get(EntitlementStatus.EXCLUDED, _Amounts()).count
        chunk.last_error = None
        await session.flush()
        events: list[Event] = []
        if payable.count:
            events.append(self._announcement(chunk, activation, document))
        run = await _count_as_done(session, chunk.enrolment_run_id)
        if run.chunks_done == run.chunks_planned:
            events.append(await complete_run(session, run, activation, document, self._clock))
        await publish_all(session, events)

    async def _entitle(
        self,
        session: AsyncSession,
        chunk: EntitlementChunk,
        activation: Activation,
        document: SchemeDocument,
    ) -> dict[EntitlementStatus, _Amounts]:
        values: dict[str, Any] = {
            "activation_id": chunk.activation_id,
            "chunk_id": chunk.id,
            "round": chunk.round,
        }
        exclusions = [one for one in document.exclusions if chunk.round in one.rounds]
        excluding = await self._excluding(session, exclusions)
        if chunk.first_round_chunk_id is None:
            values["area_codes"] = chunk.area_codes
            key = (activation.scheme_code, activation.scheme_version, excluding is not None)
            if key not in self._statements:
                self._statements[key] = statements.first_round(
                    document, excluding=excluding is not None
                )
            statement = self._statements[key]
        else:
            values["first_round_chunk_id"] = chunk.first_round_chunk_id
            statement = statements.later_round(excluding=excluding is not None)
        rows = await session.execute(statement, values | (excluding or {}))
        return {
            EntitlementStatus(status): _Amounts(count, int(minor))
            for status, count, minor in rows.all()
        }

    async def _excluding(
        self, session: AsyncSession, exclusions: Sequence[Exclusion]
    ) -> dict[str, Any] | None:
        """Which activations exclude, and since when; None where none does."""
        if not exclusions:
            return None
        now = self._clock.now()
        since = min(now - timedelta(days=one.within_days) for one in exclusions)
        activations = await session.scalars(
            select(Activation.id)
            .join(EntitlementChunk, EntitlementChunk.activation_id == Activation.id)
            .where(
                or_(
                    *(
                        (Activation.scheme_code == one.scheme)
                        & (EntitlementChunk.announced_at >= now - timedelta(days=one.within_days))
                        for one in exclusions
                    )
                )
            )
            .distinct()
        )
        found = list(activations.all())
        return {"excluding_activations": found, "excluding_since": since} if found else None

    def _announcement(
        self, chunk: EntitlementChunk, activation: Activation, document: SchemeDocument
    ) -> Event:
        return EntitlementsReady(
            chunk_id=chunk.id,
            enrolment_id=chunk.enrolment_run_id,
            activation_id=activation.id,
            scheme=activation.scheme_code,
            round=chunk.round,
            fund=document.fund,
            currency=document.currency,
            count=chunk.payable_count,
            total_minor=chunk.payable_minor,
        ).to_event(source=SOURCE, subject=str(chunk.id), clock=self._clock)

    async def _document(self, session: AsyncSession, activation: Activation) -> SchemeDocument:
        key = (activation.scheme_code, activation.scheme_version)
        if key not in self._documents:
            self._documents[key] = await get_document(session, *key)
        return self._documents[key]

    async def _put_off(self, chunk_id: UUID, error: Exception) -> None:
        """Leave the chunk planned, to be tried again later, with the reason to be seen."""
        kind = f"{type(error).__name__} at {innermost_place(error)}"
        log.error("chunk_put_off", chunk_id=str(chunk_id), error=kind)
        async with self._database.transaction() as session:
            await put_off(session, chunk_id, error=kind)


async def put_off(session: AsyncSession, chunk_id: UUID, *, error: str) -> None:
    """Note an attempt that failed: the next one waits twice as long, up to a minute."""
    await session.execute(
        text(
            "UPDATE registry.entitlement_chunk SET attempts = least(attempts + 1, 1000), "
            "last_error = :error, attempt_after = clock_timestamp() + "
            "least(:longest, 0.5 * 2 ^ least(attempts, 10)) * interval '1 second' WHERE id = :id"
        ),
        {"id": chunk_id, "error": error, "longest": _LONGEST_WAIT_SECONDS},
    )


async def _claim(session: AsyncSession) -> EntitlementChunk | None:
    return await session.scalar(
        select(EntitlementChunk)
        .where(
            EntitlementChunk.status == ChunkStatus.PLANNED,
            or_(
                EntitlementChunk.attempt_after.is_(None),
                EntitlementChunk.attempt_after <= func.clock_timestamp(),
            ),
        )
        .order_by(EntitlementChunk.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


async def _count_as_done(session: AsyncSession, run_id: UUID) -> EnrolmentRun:
    """Last in the transaction, for it locks the run: whoever makes it whole completes it."""
    runs = await session.scalars(
        update(EnrolmentRun)
        .where(EnrolmentRun.id == run_id)
        .values(chunks_done=EnrolmentRun.chunks_done + 1)
        .returning(EnrolmentRun)
        .execution_options(populate_existing=True)
    )
    return runs.one()


async def complete_run(
    session: AsyncSession,
    run: EnrolmentRun,
    activation: Activation,
    document: SchemeDocument,
    clock: Clock,
) -> Event:
    """The run is whole: tell of its total, and plan what later rounds it missed."""
    run.completed_at = clock.now()
    chunk = EntitlementChunk
    totals = (
        await session.execute(
            select(
                func.count().filter(chunk.payable_count > 0).label("chunks"),
                func.coalesce(func.sum(chunk.payable_count), 0).label("payable"),
                func.coalesce(func.sum(chunk.payable_minor), 0).label("payable_minor"),
                func.coalesce(func.sum(chunk.unpayable_count), 0).label("unpayable"),
                func.coalesce(func.sum(chunk.excluded_count), 0).label("excluded"),
            ).where(chunk.enrolment_run_id == run.id)
        )
    ).one()
    if run.round == 1:
        await _plan_missed_rounds(session, run, clock=clock)
    return EnrolmentCompleted(
        enrolment_id=run.id,
        activation_id=activation.id,
        scheme=activation.scheme_code,
        round=run.round,
        fund=document.fund,
        currency=document.currency,
        chunk_count=totals.chunks,
        households=totals.payable + totals.unpayable + totals.excluded,
        entitlements=totals.payable,
        total_minor=int(totals.payable_minor),
        unpayable=totals.unpayable,
    ).to_event(source=SOURCE, subject=str(run.id), clock=clock)


async def _plan_missed_rounds(session: AsyncSession, run: EnrolmentRun, *, clock: Clock) -> None:
    """Whom a widening enrols after a later round was released gets that round too."""
    missed = await session.scalars(
        select(PaymentRound.number)
        .where(
            PaymentRound.activation_id == run.activation_id,
            PaymentRound.number > 1,
            PaymentRound.released_at.is_not(None),
        )
        .order_by(PaymentRound.number)
    )
    for number in missed.all():
        await plan_later_round(
            session,
            activation_id=run.activation_id,
            round_number=number,
            of_run=run.id,
            clock=clock,
        )


def _connection_is_gone(error: Exception) -> bool:
    return isinstance(error, OSError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
