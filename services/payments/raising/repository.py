"""SQL of raising a chunk: copying its rows, checking them, setting aside, one instruction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.account_checks.repository import AskedProviders
from services.payments.account_checks.statements import KNOWN, UNCHECKED
from services.payments.chunks.repository import AnnouncedChunk
from services.payments.chunks.states import ANSWERED_ELSEWHERE
from services.payments.instructions.states import EXCLUSIVE, LIVE, NOT_EXCLUSIVE
from services.payments.statements import among, answers_that_say_paid
from shared.contracts.entitlements import COLUMNS
from shared.database import driver_connection
from shared.ids import INSTRUCTION_ID

UNREADABLE = (
    asyncpg.DataError,
    asyncpg.NotNullViolationError,
    asyncpg.CheckViolationError,
    asyncpg.ProtocolViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What PostgreSQL raises for rows that cannot be read; the last two for a field's false length."""

_ONE_FOR_AN_ENTITLEMENT = "instruction_one_for_an_entitlement_index"
_ONE_OF_AN_ID = "instruction_primary_key"

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
        account_sealed bytea NOT NULL,
        announcement smallint NOT NULL CHECK (announcement > 0),
        account_fingerprint bytea NOT NULL,
        household_fingerprint bytea NOT NULL
    ) ON COMMIT DELETE ROWS
    """
)

_CHECK = text(
    """
    SELECT count(*) AS entitlements,
        coalesce(sum(fetched.amount_minor), 0) AS total_minor,
        coalesce(bool_and(
            provider.number IS NOT NULL
            AND fetched.currency = :currency
            AND fetched.amount_minor BETWEEN 1 AND :maximum_minor
        ), true) AS all_payable
    FROM fetched_entitlement AS fetched
    LEFT JOIN payments.provider
        ON provider.code = fetched.provider_code
        AND provider.code = ANY(:providers)
        AND provider.currency = :currency
    """
)

_ENDED_BEFORE = text(
    f"""
    SELECT EXISTS (
        SELECT 1
        FROM fetched_entitlement AS fetched
        JOIN payments.instruction USING (entitlement_id)
        WHERE instruction.status IN ({among(NOT_EXCLUSIVE)})
    )
    """
)

_COUNT_DISTINCT = text("SELECT count(DISTINCT entitlement_id) FROM fetched_entitlement")

# What the provider rejected, it may have paid after all: an answer that waits to be applied says
# so, or a callback that could not be read yet.
_SET_ASIDE = text(
    f"""
    WITH judged AS (
        SELECT fetched.*, before.chunk_number AS before_in,
            CASE
                WHEN before.status = 'settled' THEN 'already-paid'
                WHEN before.status IN ({among(LIVE)}) OR before.has_answer THEN 'undecided'
                WHEN before.announcement >= fetched.announcement THEN 'already-failed'
                WHEN fetched.amount_minor <= 0 THEN 'no-amount'
                WHEN fetched.currency <> :currency OR provider.currency <> :currency
                    THEN 'other-currency'
                WHEN fetched.amount_minor > :maximum_minor THEN 'above-maximum'
                WHEN provider.number IS NULL THEN 'unknown-provider'
            END AS reason
        FROM fetched_entitlement AS fetched
        LEFT JOIN payments.provider
            ON provider.code = fetched.provider_code AND provider.code = ANY(:providers)
        LEFT JOIN LATERAL (
            SELECT instruction.chunk_number, instruction.status, instruction.announcement,
                {answers_that_say_paid("instruction.entitlement_id")} OR EXISTS (
                    SELECT FROM payments.webhook
                    WHERE webhook.instruction_id = instruction.id AND webhook.status = 'blocked'
                ) AS has_answer
            FROM payments.instruction
            WHERE instruction.entitlement_id = fetched.entitlement_id
              AND (instruction.status IN ({among(EXCLUSIVE)})
                OR instruction.status IN ({among(NOT_EXCLUSIVE)}))
            ORDER BY instruction.status = 'settled' DESC,
                instruction.status IN ({among(LIVE)}) DESC,
                has_answer DESC, instruction.announcement DESC, instruction.attempt DESC
            LIMIT 1
        ) AS before ON true
    ),
    kept AS (
        INSERT INTO payments.set_aside (chunk_number, entitlement_id, household_id, amount_minor,
            announcement, reason, answered_in, set_aside_at)
        SELECT :number, entitlement_id, household_id, amount_minor, announcement,
            CAST(reason AS payments.set_aside_reason),
            CASE WHEN reason IN ({among(ANSWERED_ELSEWHERE)}) THEN before_in END, :at
        FROM judged
        WHERE reason IS NOT NULL
        RETURNING amount_minor
    )
    UPDATE payments.chunk
    SET set_aside_count = kept.count, set_aside_minor = kept.minor
    FROM (SELECT count(*) AS count, coalesce(sum(amount_minor), 0) AS minor FROM kept) AS kept
    WHERE chunk.number = :number
    RETURNING chunk.set_aside_count
    """
)

_NEW_ID = INSTRUCTION_ID.format(
    entitlement_id="fetched.entitlement_id",
    announcement="fetched.announcement",
    attempt="CAST(1 AS smallint)",
)

_RAISE = f"""
    INSERT INTO payments.instruction (id, entitlement_id, household_id, amount_minor, chunk_number,
        status, provider_number, announcement, account_sealed, area_code,
        account_fingerprint, account_unchecked)
    SELECT {_NEW_ID}, fetched.entitlement_id, fetched.household_id, fetched.amount_minor,
        :number, 'ready', provider.number, fetched.announcement, fetched.account_sealed,
        fetched.area_code, fetched.account_fingerprint, {UNCHECKED}
    FROM fetched_entitlement AS fetched
    JOIN payments.provider ON provider.code = fetched.provider_code
    {KNOWN}
"""

_RAISE_ALL = text(_RAISE)

# What the first and the last in order begin with alike, all between them begin with.
_KEEP_EXTENT = text(
    """
    WITH raised AS (
        SELECT coalesce(max(fetched.amount_minor), 0) AS largest_minor,
            min(fetched.area_code COLLATE "C") AS first, max(fetched.area_code COLLATE "C") AS last
        FROM fetched_entitlement AS fetched
        WHERE NOT EXISTS (
            SELECT FROM payments.set_aside
            WHERE set_aside.chunk_number = :number
              AND set_aside.entitlement_id = fetched.entitlement_id
        )
    )
    UPDATE payments.chunk
    SET largest_minor = raised.largest_minor,
        area_code = (
            SELECT left(first, max(length))
            FROM generate_series(0, length(first)) AS length
            WHERE left(first, length) = left(last, length)
        )
    FROM raised
    WHERE number = :number
    """
)

_RAISE_OTHERS = text(
    f"""
    {_RAISE}
    WHERE NOT EXISTS (
        SELECT FROM payments.set_aside
        WHERE set_aside.chunk_number = :number
          AND set_aside.entitlement_id = fetched.entitlement_id
    )
    """
)


@dataclass(frozen=True, slots=True)
class Staged:
    """What was fetched of a chunk, as it adds up."""

    entitlements: int
    total_minor: int
    all_payable: bool
    """Whether provider, currency and amount of each row are such as can be paid."""


async def copy_entitlements(session: AsyncSession, content: bytearray) -> None:
    """Copy the binary rows into the connection's staging table; raises UNREADABLE."""
    await session.execute(_STAGING)
    connection = await driver_connection(session)
    await connection.copy_to_table(
        "fetched_entitlement", source=content, columns=COLUMNS, format="binary"
    )


async def find_staged(
    session: AsyncSession,
    chunk: AnnouncedChunk,
    *,
    providers: Sequence[str],
    maximum_minor: int,
) -> Staged:
    """What the staged rows come to, where ``providers`` are those that can be paid through and
    ``maximum_minor`` is what one of them is paid at most."""
    given = {
        "currency": chunk.currency,
        "providers": list(providers),
        "maximum_minor": maximum_minor,
    }
    found = (await session.execute(_CHECK, given)).one()
    return Staged(
        entitlements=found.entitlements,
        # Sums are numeric in PostgreSQL.
        total_minor=int(found.total_minor),
        all_payable=found.all_payable,
    )


async def has_ended_before(session: AsyncSession) -> bool:
    """Whether an instruction for one of the staged rows ended unpaid, or is held."""
    return bool(await session.scalar(_ENDED_BEFORE))


async def count_distinct(session: AsyncSession) -> int:
    """How many entitlements the staged rows name."""
    return int(await session.scalar(_COUNT_DISTINCT) or 0)


async def set_aside(
    session: AsyncSession,
    chunk: AnnouncedChunk,
    *,
    providers: Sequence[str],
    maximum_minor: int,
    at: datetime,
) -> int:
    """Set aside the staged rows that cannot be raised, each with its reason; how many they are."""
    given = {
        "number": chunk.number,
        "currency": chunk.currency,
        "providers": list(providers),
        "maximum_minor": maximum_minor,
        "at": at,
    }
    return int(await session.scalar(_SET_ASIDE, given) or 0)


async def raise_all(session: AsyncSession, chunk: AnnouncedChunk, asked: AskedProviders) -> None:
    """One ready instruction for each staged row; raises IntegrityError for a second one."""
    await session.execute(_RAISE_ALL, {"number": chunk.number, **asked.given()})


async def raise_others(session: AsyncSession, chunk: AnnouncedChunk, asked: AskedProviders) -> None:
    """One ready instruction for each staged row that was not set aside."""
    await session.execute(_RAISE_OTHERS, {"number": chunk.number, **asked.given()})


async def keep_extent(session: AsyncSession, chunk: AnnouncedChunk) -> None:
    """Keep the largest payment that was raised of a chunk, by which its round is measured, and the
    smallest area in which all of it lies."""
    await session.execute(_KEEP_EXTENT, {"number": chunk.number})


def is_second_instruction(error: IntegrityError) -> bool:
    """Whether an entitlement would have had two instructions, or one a second time."""
    return any(name in str(error.orig) for name in (_ONE_FOR_AN_ENTITLEMENT, _ONE_OF_AN_ID))
