"""SQL of chunks: claiming, copying, checking, raising, refusing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.entitlements import COLUMNS
from shared.database import driver_connection
from shared.ids import COUNTED_ID, ids_begin

UNREADABLE = (
    asyncpg.DataError,
    asyncpg.NotNullViolationError,
    asyncpg.ProtocolViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What PostgreSQL raises for rows that cannot be read; the last two for a field's false length."""

_ONE_FOR_AN_ENTITLEMENT = "instruction_one_for_an_entitlement_index"

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
_LOCK = text(
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

_RAISED = text(
    """
    UPDATE payments.chunk SET status = 'raised', reason = NULL, raised_at = :at
    WHERE number = :number
    """
)

_REFUSE = text(
    """
    UPDATE payments.chunk SET status = 'refused', reason = :reason
    WHERE number = :number AND status = 'announced'
    RETURNING true
    """
)

_PUT_OFF = text(
    """
    UPDATE payments.chunk
    SET fetch_failures = fetch_failures + 1,
        reason = :reason,
        fetch_at = clock_timestamp() + make_interval(
            secs => least(:retry_seconds * 2 ^ least(fetch_failures, 20), :longest_seconds)
        )
    WHERE number = :number AND status = 'announced'
    """
)


@dataclass(frozen=True, slots=True)
class AnnouncedChunk:
    """A chunk to be fetched, and what it has to add up to."""

    number: int
    chunk_id: UUID
    activation_id: UUID
    currency: str
    entitlement_count: int
    total_minor: int


async def claim_announced(session: AsyncSession, *, lease_seconds: float) -> AnnouncedChunk | None:
    """The chunk that waits longest; nobody else fetches it until the lease ends."""
    row = (await session.execute(_CLAIM, {"lease_seconds": lease_seconds})).one_or_none()
    return AnnouncedChunk(**row._mapping) if row else None


async def lock_if_announced(session: AsyncSession, number: int) -> bool | None:
    """Lock a chunk that waits to be raised: whether its round is still open for it.

    None where it no longer waits.
    """
    is_open: bool | None = await session.scalar(_LOCK, {"number": number})
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
        return f"{chunk.total_minor} minor units were announced, {found.total_minor} came."
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
    await session.execute(_RAISE, {"number": chunk.number, "ids_begin": ids_begin()})
    await session.execute(_RAISED, {"number": chunk.number, "at": at})


def is_second_instruction(error: IntegrityError) -> bool:
    """Whether an entitlement would have had two instructions."""
    return _ONE_FOR_AN_ENTITLEMENT in str(error.orig)


async def refuse(session: AsyncSession, number: int, *, reason: str) -> bool:
    """Refuse a chunk that still waits; whether it did."""
    return bool(await session.scalar(_REFUSE, {"number": number, "reason": reason}))


async def put_off(
    session: AsyncSession,
    number: int,
    *,
    reason: str,
    retry_seconds: float,
    longest_seconds: float,
) -> None:
    """Try again later: twice as late each time."""
    await session.execute(
        _PUT_OFF,
        {
            "number": number,
            "reason": reason,
            "retry_seconds": retry_seconds,
            "longest_seconds": longest_seconds,
        },
    )
