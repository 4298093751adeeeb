"""SQL of batches: moving them, finding those of which something is due, and their lines."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.batches.statements import LATE, PARTS, SPLIT
from services.payments.batches.states import MOVES, OPEN, BatchStatus
from services.payments.batches.tables import Batch, BatchMove
from services.payments.chunks.tables import Chunk
from services.payments.instructions.repository import Known
from services.payments.instructions.states import Status
from services.payments.providers.batches import BatchName, LineResult, ResultKind
from services.payments.providers.tables import Provider
from services.payments.rounds.tables import PaymentRound
from services.payments.statements import (
    PAUSED,
    AnyRow,
    AnySelect,
    among,
    legal,
    narrowed,
    paged,
)
from shared.database import NOW

_LEGAL = legal(MOVES, enum_type="batch_status")

_MOVE = text(
    f"""
    WITH moved AS (
        UPDATE payments.batch
        SET status = CAST(CAST(:target AS text) AS payments.batch_status),
            moves = moves + 1,
            inquiries = 0,
            reason = CAST(:reason AS text),
            provider_batch_id = coalesce(CAST(:provider_batch_id AS text), provider_batch_id),
            server_correlation_id =
                coalesce(CAST(:server_correlation_id AS uuid), server_correlation_id),
            first_sent_at = CASE WHEN CAST(:target AS text) = 'sending'
                THEN coalesce(first_sent_at, clock_timestamp()) ELSE first_sent_at END,
            sent_at = CASE WHEN CAST(:target AS text) IN ('sending', 'approving')
                THEN clock_timestamp() ELSE sent_at END,
            next_action_at = CASE WHEN CAST(:target AS text) IN ({among(OPEN)})
                THEN clock_timestamp() + make_interval(secs => :wait_seconds) END,
            finished_at = CASE WHEN CAST(:target AS text) NOT IN ({among(OPEN)})
                THEN CAST(:at AS timestamptz) END
        WHERE number = :number AND moves = :position
          AND (status, CAST(CAST(:target AS text) AS payments.batch_status)) IN (VALUES {_LEGAL})
        RETURNING number, old.status AS from_status, new.status AS to_status, new.moves
    )
    INSERT INTO payments.batch_move (batch_number, position, from_status, to_status, moved_at,
        actor, reason)
    SELECT number, moves, from_status, to_status, CAST(:at AS timestamptz), :actor,
        CAST(:reason AS text)
    FROM moved
    RETURNING position
    """
)

_PICK_DUE = text(
    f"""
    UPDATE payments.batch
    SET inquiries = least(inquiries + 1, 1000),
        next_action_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    WHERE number IN (
        SELECT number FROM payments.batch
        WHERE status IN ({among(OPEN)})
          AND provider_number = :provider_number
          AND next_action_at <= {NOW}
          AND number <> ALL(CAST(:besides AS integer[]))
        ORDER BY next_action_at
        LIMIT :size
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING number, id, status::text AS status, moves, provider_batch_id,
        server_correlation_id, completions_read, rejections_read, readings, inquiries,
        line_count, chunk_number, first_sent_at,
        extract(epoch FROM clock_timestamp() - first_sent_at) AS age_seconds,
        extract(epoch FROM clock_timestamp() - sent_at) AS sent_age_seconds
    """
)

# Somebody may be at it who did not hear yet what the provider told: it stays due.
_WAIT = text(
    """
    UPDATE payments.batch
    SET next_action_at = CASE WHEN next_action_at <= clock_timestamp() THEN next_action_at
            ELSE clock_timestamp() + make_interval(secs => :seconds) END,
        reason = coalesce(CAST(:reason AS text), reason),
        inquiries = CASE WHEN CAST(:is_new AS boolean) THEN 0 ELSE inquiries END,
        provider_batch_id = coalesce(CAST(:provider_batch_id AS text), provider_batch_id),
        server_correlation_id =
            coalesce(CAST(:server_correlation_id AS uuid), server_correlation_id)
    WHERE number = :number AND moves = :position
    """
)

# What is being sent or approved has a lease, and whoever holds it hears by itself.
_ASK_NOW = text(
    """
    UPDATE payments.batch SET next_action_at = clock_timestamp()
    WHERE provider_number = :provider_number
      AND provider_batch_id = ANY(CAST(:names AS text[]))
      AND status IN ('unknown', 'created', 'under_way', 'read')
    """
)

_READ_AGAIN = text(
    """
    WITH moved AS (
        UPDATE payments.batch
        SET status = 'under_way', moves = moves + 1, readings = readings + 1, inquiries = 0,
            completions_read = 0, rejections_read = 0, next_action_at = clock_timestamp()
        WHERE number = :number AND moves = :position AND status = 'read'
        RETURNING number, new.moves
    )
    INSERT INTO payments.batch_move (batch_number, position, from_status, to_status, moved_at,
        actor, reason)
    SELECT number, moves, 'read', 'under_way', :at, :actor, 'lines_without_result' FROM moved
    """
)

_IS_CANCELLED = text(
    """
    SELECT EXISTS (
        SELECT FROM payments.chunk
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        JOIN payments.cancelled_activation USING (activation_id)
        WHERE chunk.number = :number
    )
    """
)

# Most of the time nothing is, and then no line needs to be looked at.
_IS_PAUSED = text(
    f"""
    SELECT EXISTS (SELECT FROM payments.pause WHERE resumed_at IS NULL) AND EXISTS (
        SELECT FROM payments.instruction
        JOIN payments.chunk ON chunk.number = instruction.chunk_number
        JOIN payments.payment_round ON payment_round.number = chunk.round_number
        WHERE instruction.chunk_number = :chunk_number
          AND instruction.batch_number = :number
          AND instruction.status = 'sending'
          AND {PAUSED}
    )
    """
)

_LINES = text(
    """
    SELECT instruction.id, household_id, amount_minor, account_sealed
    FROM payments.instruction
    WHERE chunk_number = :chunk_number AND batch_number = :number AND status = 'sending'
    ORDER BY instruction.id
    """
)

_CURRENCY = text("SELECT currency FROM payments.chunk WHERE number = :number")

_LOCK_OPEN_LINES = text(
    """
    SELECT instruction.id, instruction.status::text AS status, amount_minor, chunk.currency,
        chunk_number, provider_number, transaction_reference, paid_minor, moves
    FROM payments.instruction
    JOIN payments.chunk ON chunk.number = instruction.chunk_number
    WHERE chunk_number = :chunk_number AND batch_number = :number
      AND instruction.status = 'sending'
    ORDER BY instruction.id
    FOR NO KEY UPDATE OF instruction
    """
)


@dataclass(frozen=True, slots=True)
class DueBatch:
    """A batch of which something is due, and how it stood when it was picked."""

    number: int
    name: BatchName
    status: BatchStatus
    position: int
    """How many moves it had made: whoever comes later than another moves nothing."""
    chunk_number: int
    line_count: int
    completions_read: int
    rejections_read: int
    readings: int
    inquiries: int
    age_seconds: float
    """Since the earliest moment at which it may have left."""
    sent_age_seconds: float
    """Since the latest one."""
    sent_before: bool
    """Something of it may have left at an earlier time."""

    @property
    def read_count(self) -> int:
        """How many of its results were read."""
        return self.completions_read + self.rejections_read

    def read_to(self, kind: ResultKind) -> int:
        """How many of its results of a kind were read."""
        return self.completions_read if kind is ResultKind.COMPLETIONS else self.rejections_read

    def moved(self, status: BatchStatus) -> "DueBatch":
        """The batch after it was moved."""
        return replace(self, status=status, position=self.position + 1)

    def after_reading(self, kind: ResultKind, count: int) -> "DueBatch":
        """The batch after so many more of its results were read."""
        if kind is ResultKind.COMPLETIONS:
            return replace(self, completions_read=self.completions_read + count)
        return replace(self, rejections_read=self.rejections_read + count)


async def pick_due(
    session: AsyncSession,
    *,
    provider_number: int,
    size: int,
    besides: Collection[int],
    lease_seconds: float,
) -> list[DueBatch]:
    """Batches of which something is due now, ``besides`` those of these numbers.

    Each is put off, in case nobody comes back.
    """
    rows = await session.execute(
        _PICK_DUE,
        {
            "provider_number": provider_number,
            "size": size,
            "besides": list(besides),
            "lease_seconds": lease_seconds,
        },
    )
    return [
        DueBatch(
            number=row.number,
            name=BatchName(row.id, row.provider_batch_id, row.server_correlation_id),
            status=BatchStatus(row.status),
            position=row.moves,
            chunk_number=row.chunk_number,
            line_count=row.line_count,
            completions_read=row.completions_read,
            rejections_read=row.rejections_read,
            readings=row.readings,
            inquiries=row.inquiries,
            age_seconds=float(row.age_seconds or 0),
            sent_age_seconds=float(row.sent_age_seconds or 0),
            sent_before=row.first_sent_at is not None,
        )
        for row in rows
    ]


async def move_batch(
    session: AsyncSession,
    number: int,
    target: BatchStatus,
    *,
    position: int,
    at: datetime,
    actor: str,
    wait_seconds: float = 0,
    reason: str | None = None,
    provider_batch_id: str | None = None,
    server_correlation_id: UUID | None = None,
) -> bool:
    """Move a batch that is as it was at ``position``; whether it moved."""
    moved = await session.scalar(
        _MOVE,
        {
            "number": number,
            "target": target.value,
            "position": position,
            "at": at,
            "actor": actor,
            "wait_seconds": wait_seconds,
            "reason": reason,
            "provider_batch_id": provider_batch_id,
            "server_correlation_id": server_correlation_id,
        },
    )
    return moved is not None


async def wait(
    session: AsyncSession,
    number: int,
    *,
    position: int,
    seconds: float,
    is_new: bool = False,
    reason: str | None = None,
    provider_batch_id: str | None = None,
    server_correlation_id: UUID | None = None,
) -> None:
    """Look at a batch again after so long; ``is_new``: the provider told something new of it."""
    await session.execute(
        _WAIT,
        {
            "number": number,
            "position": position,
            "seconds": seconds,
            "is_new": is_new,
            "reason": reason,
            "provider_batch_id": provider_batch_id,
            "server_correlation_id": server_correlation_id,
        },
    )


async def ask_now(
    session: AsyncSession, provider_number: int, provider_batch_ids: Sequence[str]
) -> None:
    """Have a provider asked at once about batches that it speaks of, by its names for them."""
    given = {"provider_number": provider_number, "names": list(provider_batch_ids)}
    await session.execute(_ASK_NOW, given)


async def late_of(
    session: AsyncSession, batch_id: UUID, results: Sequence[LineResult]
) -> list[LineResult]:
    """Those results of a batch's file that reading the batch by the page would not find."""
    rows = await session.scalars(
        LATE,
        {
            "batch_id": batch_id,
            "ids": [result.our_reference for result in results],
            "paid": [result.kind is ResultKind.COMPLETIONS for result in results],
            "references": [result.transaction_reference for result in results],
        },
    )
    return [results[position - 1] for position in rows]


async def read_again(
    session: AsyncSession, number: int, *, position: int, at: datetime, actor: str
) -> None:
    """Have all results of a batch that was read be read once more, from the beginning."""
    given = {"number": number, "position": position, "at": at, "actor": actor}
    await session.execute(_READ_AGAIN, given)


async def is_cancelled(session: AsyncSession, chunk_number: int) -> bool:
    """Whether the activation of a chunk was cancelled."""
    return bool(await session.scalar(_IS_CANCELLED, {"number": chunk_number}))


async def is_paused(session: AsyncSession, batch: DueBatch) -> bool:
    """Whether a line of a batch without an end is not to be sent for the time being."""
    given = {"chunk_number": batch.chunk_number, "number": batch.number}
    return bool(await session.scalar(_IS_PAUSED, given))


async def lines_of(session: AsyncSession, batch: DueBatch) -> tuple[str, Sequence[AnyRow]]:
    """A batch's currency, and its lines that have no end: what a resend sends."""
    currency = await session.scalar(_CURRENCY, {"number": batch.chunk_number})
    given = {"chunk_number": batch.chunk_number, "number": batch.number}
    return str(currency), (await session.execute(_LINES, given)).all()


async def lock_open_lines(
    session: AsyncSession, *, number: int, chunk_number: int
) -> list[tuple[Known, int]]:
    """Lock a batch's lines that have no end, in the order of their ids; each with its moves."""
    rows = await session.execute(_LOCK_OPEN_LINES, {"number": number, "chunk_number": chunk_number})
    return [
        (
            Known(
                instruction_id=row.id,
                status=Status(row.status),
                amount_minor=row.amount_minor,
                currency=row.currency,
                chunk_number=row.chunk_number,
                provider_number=row.provider_number,
                transaction_reference=row.transaction_reference,
                paid_minor=row.paid_minor,
            ),
            row.moves,
        )
        for row in rows
    ]


def _select() -> AnySelect:
    return (
        select(
            Batch.number,
            Batch.id,
            Provider.code.label("provider"),
            PaymentRound.activation_id,
            Chunk.chunk_id,
            Chunk.currency,
            Batch.line_count,
            Batch.total_minor,
            Batch.status,
            Batch.reason,
            Batch.completions_read,
            Batch.rejections_read,
            Batch.provider_batch_id,
            Batch.made_at,
            Batch.finished_at,
        )
        .join(Chunk, Chunk.number == Batch.chunk_number)
        .join(PaymentRound, PaymentRound.number == Chunk.round_number)
        .join(Provider, Provider.number == Batch.provider_number)
    )


async def list_batches(
    session: AsyncSession,
    *,
    after: int | None,
    limit: int,
    status: BatchStatus | None,
    provider: str | None,
    activation_id: UUID | None,
) -> Sequence[AnyRow]:
    """Batches in the order in which they were made; what is None does not narrow."""
    query = narrowed(
        _select(),
        {
            Batch.status: status,
            Provider.code: provider,
            PaymentRound.activation_id: activation_id,
        },
    )
    return (await session.execute(paged(query, Batch.number, after=after, limit=limit))).all()


async def find_batch(session: AsyncSession, batch_id: UUID) -> AnyRow | None:
    """A batch as the lists show it."""
    return (await session.execute(_select().where(Batch.id == batch_id))).one_or_none()


async def moves_of(session: AsyncSession, number: int) -> Sequence[AnyRow]:
    """A batch's moves, in order."""
    query = (
        select(
            BatchMove.from_status,
            BatchMove.to_status,
            BatchMove.moved_at,
            BatchMove.actor,
            BatchMove.reason,
        )
        .where(BatchMove.batch_number == number)
        .order_by(BatchMove.position)
    )
    return (await session.execute(query)).all()


async def split(session: AsyncSession, batch: DueBatch, *, at: datetime) -> None:
    """Have a refused batch's locked lines sent by several smaller ones.

    One of them is at fault, and nobody says which: it is alone in the end.
    """
    given = {"number": batch.number, "chunk_number": batch.chunk_number, "parts": PARTS, "at": at}
    await session.execute(SPLIT, given)
