"""SQL of chunks: announcing, claiming, moving."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.chunks.states import MOVES, ChunkStatus
from services.payments.chunks.tables import Chunk, SetAside
from services.payments.rounds.states import RoundStatus
from services.payments.rounds.tables import PaymentRound
from services.payments.statements import AnyRow, AnySelect, legal, narrowed, paged
from shared.contracts.events import EntitlementsReady
from shared.events import StoredEvent
from shared.retry import Backoff

# The machine's time stands in the event's id. What is announced soon after commits were lost may
# have been announced, and sent, before: it counts as of the epoch before.
_KEEP = text(
    """
    WITH told AS (
        SELECT coalesce(uuid_extract_timestamp(CAST(:event_id AS uuid)), clock_timestamp()) AS at,
            coalesce(
                (SELECT begun_at FROM events.epoch WHERE number = :epoch), clock_timestamp()
            ) AS epoch_begun_at
    ),
    placed AS (
        SELECT at, epoch_begun_at,
            :epoch > :first_epoch
                AND at < epoch_begun_at + make_interval(secs => :ask_first_seconds) AS perhaps_sent
        FROM told
    )
    INSERT INTO payments.chunk (chunk_id, round_number, fund, currency, budget_line,
        entitlement_count, total_minor, status, fetch_at, epoch, told_at, announced_at)
    SELECT :chunk_id, :round_number, :fund, :currency, :budget_line, :count, :total_minor,
        'announced',
        clock_timestamp(),
        CASE WHEN perhaps_sent THEN :epoch - 1 ELSE :epoch END,
        CASE WHEN perhaps_sent THEN least(at, epoch_begun_at) ELSE at END,
        :at
    FROM placed
    """
)
_FIRST_EPOCH = 1
"""Begun with the database: nothing was lost before it."""

_LOCK_KNOWN = text(
    """
    SELECT chunk.number, chunk.status::text AS status, chunk.round_number,
        payment_round.status::text AS round_status, payment_round.enrolment_id,
        payment_round.activation_id, payment_round.scheme, payment_round.round, chunk.fund,
        chunk.currency, chunk.budget_line, chunk.entitlement_count AS count, chunk.total_minor
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE chunk.chunk_id = :chunk_id
    FOR NO KEY UPDATE OF chunk, payment_round
    """
)

_BELONG_TO = text(
    """
    UPDATE payments.chunk SET round_number = :round_number WHERE number = :number
    """
)

_FETCH_ANEW = text(
    """
    UPDATE payments.chunk
    SET fetch_failures = 0, unusable_fetches = 0, fetch_at = clock_timestamp()
    WHERE number = :number
    """
)

_CLAIM = text(
    """
    UPDATE payments.chunk
    SET fetch_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM payments.payment_round
    WHERE payment_round.number = chunk.round_number
      AND chunk.number = (
          SELECT number FROM payments.chunk AS waiting
          WHERE status = 'announced' AND fetch_at <= clock_timestamp()
            AND NOT EXISTS (
                SELECT FROM payments.payment_round AS cancelled
                JOIN payments.cancelled_activation USING (activation_id)
                WHERE cancelled.number = waiting.round_number
            )
          ORDER BY fetch_at, number
          LIMIT 1
          FOR UPDATE SKIP LOCKED
      )
    RETURNING chunk.number, chunk.chunk_id, payment_round.activation_id, chunk.fund, chunk.currency,
        chunk.entitlement_count, chunk.total_minor, chunk.unusable_fetches
    """
)

# The round's row is locked too: it is not decided while one of its chunks is being raised.
_LOCK_ANNOUNCED = text(
    """
    SELECT payment_round.status = 'gathering' AS is_open
    FROM payments.chunk
    JOIN payments.payment_round ON payment_round.number = chunk.round_number
    WHERE chunk.number = :number AND chunk.status = 'announced'
    FOR UPDATE OF chunk FOR SHARE OF payment_round
    """
)

_LOCK = text(
    "SELECT 1 FROM payments.chunk WHERE number = ANY(:numbers) ORDER BY number FOR NO KEY UPDATE"
)

_ANSWERED_BY = text(
    """
    SELECT unnest(CAST(:numbers AS integer[]))
    UNION
    SELECT chunk_number FROM payments.set_aside WHERE answered_in = ANY(:numbers)
    """
)

_MOVE = text(
    f"""
    UPDATE payments.chunk
    SET status = CAST(CAST(:target AS text) AS payments.chunk_status),
        reason = :reason,
        -- What is opened again was raised before.
        raised_at = CASE WHEN CAST(:target AS text) = 'raised'
            THEN coalesce(raised_at, CAST(:at AS timestamptz)) ELSE raised_at END,
        settled_at = CASE WHEN CAST(:target AS text) = 'settled' THEN CAST(:at AS timestamptz) END
    WHERE number = ANY(:numbers)
      AND (status, CAST(CAST(:target AS text) AS payments.chunk_status))
          IN (VALUES {legal(MOVES, enum_type="chunk_status")})
    RETURNING number
    """
)


def _put_off(retry: Backoff) -> str:
    return f"""
        UPDATE payments.chunk
        SET fetch_failures = fetch_failures + 1,
            unusable_fetches = unusable_fetches + CAST(:is_unusable AS boolean)::integer,
            reason = :reason,
            fetch_at = clock_timestamp() + make_interval(secs => {retry.sql("fetch_failures")})
        WHERE number = :number AND status = 'announced'
    """


@dataclass(frozen=True, slots=True)
class AnnouncedChunk:
    """A chunk to be fetched, and what it has to add up to."""

    number: int
    chunk_id: UUID
    activation_id: UUID
    fund: str
    currency: str
    entitlement_count: int
    total_minor: int
    unusable_fetches: int
    """How often something else came than was announced."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the registry says of a chunk, each time that it announces it."""

    enrolment_id: UUID
    activation_id: UUID
    scheme: str
    round: int
    fund: str
    currency: str
    budget_line: str | None
    count: int
    total_minor: int

    @classmethod
    def of(cls, told: EntitlementsReady | AnyRow) -> Self:
        return cls(**{field.name: getattr(told, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class KnownChunk:
    """A chunk that was announced before, locked, and what was said of it."""

    number: int
    status: ChunkStatus
    round_number: int
    round_status: RoundStatus
    announcement: Announcement


async def lock_known(session: AsyncSession, chunk_id: UUID) -> KnownChunk | None:
    """Lock a chunk that was announced before, with its round; None where it is new."""
    row = (await session.execute(_LOCK_KNOWN, {"chunk_id": chunk_id})).one_or_none()
    if row is None:
        return None
    return KnownChunk(
        number=row.number,
        status=ChunkStatus(row.status),
        round_number=row.round_number,
        round_status=RoundStatus(row.round_status),
        announcement=Announcement.of(row),
    )


async def keep_announced(
    session: AsyncSession,
    ready: EntitlementsReady,
    event: StoredEvent,
    *,
    round_number: int,
    ask_first_seconds: float,
) -> None:
    """A chunk to be fetched."""
    await session.execute(
        _KEEP,
        {
            "chunk_id": ready.chunk_id,
            "round_number": round_number,
            "fund": ready.fund,
            "currency": ready.currency,
            "budget_line": ready.budget_line,
            "count": ready.count,
            "total_minor": ready.total_minor,
            "epoch": event.epoch,
            "first_epoch": _FIRST_EPOCH,
            "ask_first_seconds": ask_first_seconds,
            "event_id": event.id,
            "at": event.time,
        },
    )


async def belong_to(session: AsyncSession, number: int, *, round_number: int) -> None:
    """Have a chunk, and what was raised of it, be reserved and released with another round."""
    await session.execute(_BELONG_TO, {"number": number, "round_number": round_number})


async def fetch_anew(session: AsyncSession, number: int) -> None:
    """Have a chunk fetched at once, as if it had never failed."""
    await session.execute(_FETCH_ANEW, {"number": number})


async def claim_announced(session: AsyncSession, *, lease_seconds: float) -> AnnouncedChunk | None:
    """The chunk that waits longest; nobody else fetches it until the lease ends."""
    row = (await session.execute(_CLAIM, {"lease_seconds": lease_seconds})).one_or_none()
    return AnnouncedChunk(**row._mapping) if row else None


async def lock_if_announced(session: AsyncSession, number: int) -> bool | None:
    """Lock a chunk that waits to be raised: whether its round is still open for it.

    None where it no longer waits.
    """
    is_open: bool | None = await session.scalar(_LOCK_ANNOUNCED, {"number": number})
    return is_open


async def answered_by(session: AsyncSession, numbers: Sequence[int]) -> list[int]:
    """These chunks, and those of which entitlements are answered by instructions of theirs."""
    return list((await session.execute(_ANSWERED_BY, {"numbers": list(numbers)})).scalars())


async def lock_chunks(session: AsyncSession, numbers: Sequence[int]) -> None:
    """Lock chunks, in the order of their numbers."""
    await session.execute(_LOCK, {"numbers": list(numbers)})


async def move_chunks(
    session: AsyncSession,
    numbers: Sequence[int],
    target: ChunkStatus,
    *,
    at: datetime,
    reason: str | None = None,
) -> set[int]:
    """The only writer of a chunk's state: makes every legal move, and returns which moved."""
    rows = await session.execute(
        _MOVE, {"numbers": list(numbers), "target": target.value, "at": at, "reason": reason}
    )
    return set(rows.scalars())


async def put_off(
    session: AsyncSession, number: int, *, reason: str, retry: Backoff, is_unusable: bool
) -> None:
    """Try again later, each time later than the time before."""
    await session.execute(
        text(_put_off(retry)), {"number": number, "reason": reason, "is_unusable": is_unusable}
    )


def _select() -> AnySelect:
    return select(
        Chunk.number,
        Chunk.chunk_id,
        PaymentRound.enrolment_id,
        PaymentRound.activation_id,
        PaymentRound.scheme,
        PaymentRound.round,
        Chunk.fund,
        Chunk.currency,
        Chunk.entitlement_count,
        Chunk.total_minor,
        Chunk.set_aside_count,
        Chunk.set_aside_minor,
        Chunk.status,
        Chunk.reason,
        Chunk.announced_at,
        Chunk.raised_at,
        Chunk.settled_at,
    ).join(PaymentRound, PaymentRound.number == Chunk.round_number)


async def list_chunks(
    session: AsyncSession,
    *,
    after: int | None,
    limit: int,
    activation_id: UUID | None,
    status: ChunkStatus | None,
) -> Sequence[AnyRow]:
    """Chunks in the order of their numbers; what is None does not narrow."""
    query = narrowed(_select(), {PaymentRound.activation_id: activation_id, Chunk.status: status})
    return (await session.execute(paged(query, Chunk.number, after=after, limit=limit))).all()


async def find_chunk(session: AsyncSession, chunk_id: UUID) -> AnyRow | None:
    """A chunk as the lists show it, with its number."""
    return (await session.execute(_select().where(Chunk.chunk_id == chunk_id))).one_or_none()


async def list_set_aside(
    session: AsyncSession, number: int, *, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """What was set aside of a chunk, in the order of the entitlements' ids."""
    query = select(SetAside.__table__).where(SetAside.chunk_number == number)
    return (
        await session.execute(paged(query, SetAside.entitlement_id, after=after, limit=limit))
    ).all()
