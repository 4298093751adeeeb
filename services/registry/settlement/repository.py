"""What payments says of a chunk, written to its entitlements: the only moves that they make."""

from collections.abc import AsyncIterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.states import EntitlementStatus, moves_to
from services.registry.enrolments.tables import Entitlement
from shared.contracts import outcomes
from shared.database import driver_connection

_GIVEN = text(
    """
    CREATE TEMP TABLE given_outcome (
        entitlement_id uuid PRIMARY KEY,
        outcome registry.entitlement_status NOT NULL CHECK (outcome IN ('paid', 'failed')),
        reason text,
        finished_at timestamptz NOT NULL
    ) ON COMMIT DROP
    """
)

_MOVE = text(
    """
    UPDATE registry.entitlement
    SET status = outcome.outcome, reason = outcome.reason, finished_at = outcome.finished_at
    FROM given_outcome AS outcome
    WHERE entitlement.id = outcome.entitlement_id
      AND entitlement.chunk_id = :chunk_id
      AND entitlement.status = ANY(CASE outcome.outcome
          WHEN 'paid' THEN CAST(:to_paid AS registry.entitlement_status[])
          ELSE CAST(:to_failed AS registry.entitlement_status[]) END)
    """
)

_SUMS = text(
    """
    SELECT count(*) FILTER (WHERE status = 'paid') AS paid_count,
           coalesce(sum(amount_minor) FILTER (WHERE status = 'paid'), 0)::bigint AS paid_minor,
           count(*) FILTER (WHERE status = 'failed') AS failed_count,
           coalesce(sum(amount_minor) FILTER (WHERE status = 'failed'), 0)::bigint
               AS failed_minor,
           min(finished_at) FILTER (WHERE status = 'paid') AS first_paid_at,
           max(finished_at) FILTER (WHERE status = 'paid') AS last_paid_at
    FROM registry.entitlement WHERE chunk_id = :chunk_id
    """
)


async def apply_outcomes(session: AsyncSession, chunk_id: UUID, csv: AsyncIterable[bytes]) -> None:
    """Move a chunk's entitlements to the outcomes of ``shared.contracts.outcomes``.

    Raises asyncpg.DataError and asyncpg.IntegrityConstraintViolationError where they are none.
    """
    await session.execute(_GIVEN)
    driver = await driver_connection(session)
    await driver.copy_to_table(
        "given_outcome", columns=list(outcomes.COLUMNS), source=csv, format="csv"
    )
    await session.execute(
        _MOVE,
        {
            "chunk_id": chunk_id,
            "to_paid": moves_to(EntitlementStatus.PAID),
            "to_failed": moves_to(EntitlementStatus.FAILED),
        },
    )


async def sums_of_chunk(session: AsyncSession, chunk_id: UUID) -> Row[Any]:
    """How many entitlements of a chunk ended how, with what sums, and when."""
    sums: Row[Any] = (await session.execute(_SUMS, {"chunk_id": chunk_id})).one()
    return sums


async def apply_refusal(session: AsyncSession, chunk_id: UUID, *, reason: str | None) -> None:
    """Move the payable entitlements of a chunk to ``refused``."""
    await session.execute(
        update(Entitlement)
        .where(
            Entitlement.chunk_id == chunk_id,
            Entitlement.status.in_(moves_to(EntitlementStatus.REFUSED)),
        )
        .values(status=EntitlementStatus.REFUSED, reason=reason)
        .execution_options(synchronize_session=False)
    )
