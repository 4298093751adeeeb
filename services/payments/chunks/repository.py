"""SQL of chunks: announcing, claiming, copying, checking, raising, moving."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.amounts import readable
from services.payments.chunks.states import MOVES, ChunkStatus
from services.payments.chunks.tables import Chunk
from services.payments.rounds.tables import PaymentRound
from services.payments.statements import AnyRow, AnySelect, legal, narrowed, paged
from shared.contracts.entitlements import COLUMNS
from shared.contracts.events import EntitlementsReady
from shared.database import driver_connection
from shared.ids import COUNTED_ID, ids_begin
from shared.retry import Backoff

UNREADABLE = (
    asyncpg.DataError,
    asyncpg.NotNullViolationError,
    asyncpg.ProtocolViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What PostgreSQL raises for rows that cannot be read; the last two for a field's false length."""

_ONE_FOR_AN_ENTITLEMENT = "instruction_one_for_an_entitlement_index"

_KEEP = text(
    """
    INSERT INTO payments.chunk (chunk_id, round_number, fund, currency, entitlement_count,
        total_minor, status, fetch_at, announced_at)
    VALUES (:chunk_id, :round_number, :fund, :currency, :count, :total_minor, 'announced',
        clock_timestamp(), :at)
    ON CONFLICT (chunk_id) DO NOTHING
    """
)

_CLAIM = text(
    """
    UPDATE payments.chunk
    SET fetch_at = clock_timestamp() + make_interval(secs => :lease_seconds)
    FROM payments.payment_round
    WHERE payment_round.number = chunk.round_number
      AND chunk.number = (
          SELECT number FROM payments.chunk
          WHERE status = 'announced' AND fetch_at <= clock_timestamp()
          ORDER BY fetch_at, number
          LIMIT 1
          FOR UPDATE SKIP LOCKED
      )
    RETURNING chunk.number, chunk.chunk_id, payment_round.activation_id, chunk.currency,
        chunk.entitlement_count, chunk.total_minor
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

# Kept for the connection's life, emptied by each commit: making a table costs more than using it.
_STAGING = text(
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS fetched_entitlement (
        entitlement_id uuid NOT NULL,
        household_id uuid NOT NULL,
        area_code text NOT NULL,
        amount_minor bigint NOT NULL,
        currency text NOT NULL,
        provider_code text NOT NULL,
        account_sealed bytea NOT NULL
    ) ON COMMIT DELETE ROWS
    """
)

_CHECK = text(
    """
    SELECT count(*) AS entitlements,
        coalesce(sum(fetched.amount_minor), 0) AS total_minor,
        count(*) FILTER (WHERE fetched.currency <> :currency) AS other_currency,
        count(*) FILTER (WHERE provider.number IS NULL) AS without_provider,
        count(*) FILTER (WHERE fetched.amount_minor <= 0) AS without_amount
    FROM fetched_entitlement AS fetched
    LEFT JOIN payments.provider
        ON provider.code = fetched.provider_code AND provider.currency = :currency
    """
)

_ENDED_BEFORE = text(
    """
    SELECT count(*)
    FROM fetched_entitlement AS fetched
    JOIN payments.instruction USING (entitlement_id)
    WHERE instruction.status IN ('rejected', 'held', 'returned', 'cancelled')
    """
)

_RAISE = text(
    f"""
    INSERT INTO payments.instruction (id, entitlement_id, household_id, amount_minor, chunk_number,
        status, provider_number, account_sealed)
    SELECT {COUNTED_ID}, fetched.entitlement_id, fetched.household_id, fetched.amount_minor,
        :number, 'ready', provider.number, fetched.account_sealed
    FROM fetched_entitlement AS fetched
    JOIN payments.provider ON provider.code = fetched.provider_code
    """
)

_LOCK = text(
    "SELECT 1 FROM payments.chunk WHERE number = ANY(:numbers) ORDER BY number FOR NO KEY UPDATE"
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
    currency: str
    entitlement_count: int
    total_minor: int


async def keep_announced(
    session: AsyncSession, ready: EntitlementsReady, *, round_number: int, at: datetime
) -> None:
    """A chunk to be fetched; announced twice, it is kept once."""
    await session.execute(
        _KEEP,
        {
            "chunk_id": ready.chunk_id,
            "round_number": round_number,
            "fund": ready.fund,
            "currency": ready.currency,
            "count": ready.count,
            "total_minor": ready.total_minor,
            "at": at,
        },
    )


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


async def copy_entitlements(session: AsyncSession, content: bytearray) -> None:
    """Copy the binary rows into the connection's staging table; raises UNREADABLE."""
    await session.execute(_STAGING)
    connection = await driver_connection(session)
    await connection.copy_to_table(
        "fetched_entitlement", source=content, columns=COLUMNS, format="binary"
    )


async def difference(session: AsyncSession, chunk: AnnouncedChunk) -> str | None:
    """How the staged rows differ from the announcement, or None."""
    found = (await session.execute(_CHECK, {"currency": chunk.currency})).one()
    if found.entitlements != chunk.entitlement_count:
        return f"{chunk.entitlement_count} entitlements were announced, {found.entitlements} came."
    if found.total_minor != chunk.total_minor:
        return (
            f"{readable(chunk.total_minor, chunk.currency)} were announced, "
            f"{readable(int(found.total_minor), chunk.currency)} came."
        )
    if found.other_currency:
        return f"{found.other_currency} entitlements are not in {chunk.currency}."
    if found.without_amount:
        return f"{found.without_amount} entitlements have no amount."
    if found.without_provider:
        return (
            f"{found.without_provider} entitlements name a provider that is not configured for "
            f"{chunk.currency}."
        )
    ended_before = await session.scalar(_ENDED_BEFORE)
    if ended_before:
        return f"{ended_before} entitlements had an instruction before, from another chunk."
    return None


async def raise_instructions(session: AsyncSession, chunk: AnnouncedChunk, *, at: datetime) -> None:
    """One ready instruction for each staged row; raises IntegrityError for a second one."""
    if await move_chunks(session, [chunk.number], ChunkStatus.RAISED, at=at):
        await session.execute(_RAISE, {"number": chunk.number, "ids_begin": ids_begin()})


def is_second_instruction(error: IntegrityError) -> bool:
    """Whether an entitlement would have had two instructions."""
    return _ONE_FOR_AN_ENTITLEMENT in str(error.orig)


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


async def put_off(session: AsyncSession, number: int, *, reason: str, retry: Backoff) -> None:
    """Try again later, each time later than the time before."""
    await session.execute(text(_put_off(retry)), {"number": number, "reason": reason})


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
