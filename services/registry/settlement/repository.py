"""What payments says of a chunk, written to what it announced: the only moves that it makes."""

from collections.abc import AsyncIterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.enrolments.repository import restate
from services.registry.enrolments.states import ANNOUNCEMENT_MOVES, side_by_side
from shared.contracts import outcomes
from shared.database import driver_connection

_GIVEN = text(
    """
    CREATE TEMP TABLE given_outcome (
        entitlement_id uuid PRIMARY KEY,
        outcome registry.entitlement_status NOT NULL
            CHECK (outcome IN ('paid', 'failed', 'unpayable')),
        reason text,
        finished_at timestamptz NOT NULL
    ) ON COMMIT DROP
    """
)

_LEGAL = """
    IN (SELECT * FROM unnest(CAST(:from AS registry.entitlement_status[]),
                             CAST(:to AS registry.entitlement_status[])))
"""

# What was announced once, as nearly everything is.
_MOVE = text(
    f"""
    UPDATE registry.entitlement
    SET status = outcome.outcome, reason = outcome.reason, finished_at = outcome.finished_at
    FROM given_outcome AS outcome
    WHERE entitlement.id = outcome.entitlement_id
      AND entitlement.chunk_id = :chunk_id
      AND entitlement.payee_account_id IS NOT NULL
      AND (entitlement.status, outcome.outcome) {_LEGAL}
      AND NOT EXISTS (SELECT FROM registry.announcement WHERE entitlement_id = entitlement.id)
    """
)

# A payment that arrives late: payments does not send another beside it.
_GIVE_WAY = text(
    """
    UPDATE registry.announcement
    SET status = 'failed', reason = 'paid-by-another-announcement',
        finished_at = outcome.finished_at
    FROM given_outcome AS outcome
    JOIN registry.announcement AS arrived
        ON arrived.entitlement_id = outcome.entitlement_id AND arrived.chunk_id = :chunk_id
    WHERE outcome.outcome = 'paid'
      AND announcement.entitlement_id = outcome.entitlement_id
      AND announcement.number <> arrived.number
      AND announcement.status = 'ready'
    """
)

_MOVE_ANNOUNCEMENTS = text(
    f"""
    UPDATE registry.announcement
    SET status = outcome.outcome, reason = outcome.reason, finished_at = outcome.finished_at
    FROM given_outcome AS outcome
    WHERE announcement.entitlement_id = outcome.entitlement_id
      AND announcement.chunk_id = :chunk_id
      AND (announcement.status, outcome.outcome) {_LEGAL}
      AND NOT (outcome.outcome = 'paid' AND EXISTS (
          SELECT FROM registry.announcement AS other
          WHERE other.entitlement_id = announcement.entitlement_id
            AND other.number <> announcement.number AND other.status = 'paid'))
    """
)

_REFUSE = text(
    """
    UPDATE registry.entitlement SET status = 'refused', reason = :reason
    WHERE chunk_id = :chunk_id AND status = 'ready'
      AND NOT EXISTS (SELECT FROM registry.announcement WHERE entitlement_id = entitlement.id)
    """
)

_REFUSE_ANNOUNCEMENTS = text(
    """
    UPDATE registry.announcement SET status = 'refused', reason = :reason
    WHERE chunk_id = :chunk_id AND status = 'ready'
    """
)


async def apply_outcomes(session: AsyncSession, chunk_id: UUID, csv: AsyncIterable[bytes]) -> None:
    """Move what a chunk announced to the outcomes of ``shared.contracts.outcomes``.

    Raises asyncpg.DataError and asyncpg.IntegrityConstraintViolationError where they are none.
    """
    await session.execute(_GIVEN)
    driver = await driver_connection(session)
    await driver.copy_to_table(
        "given_outcome",
        columns=list(outcomes.COLUMNS),
        source=csv,
        format="csv",
        # PostgreSQL writes an empty text in quotes, and would read it as one.
        force_null=["reason"],
    )
    before, after = side_by_side(ANNOUNCEMENT_MOVES)
    values = {"chunk_id": chunk_id, "from": before, "to": after}
    await session.execute(_MOVE, values)
    await session.execute(_GIVE_WAY, {"chunk_id": chunk_id})
    await session.execute(_MOVE_ANNOUNCEMENTS, values)
    await restate(session, chunk_id)


async def apply_refusal(session: AsyncSession, chunk_id: UUID, *, reason: str | None) -> None:
    """Move what a chunk announced, and is still on its way, to ``refused``."""
    values = {"chunk_id": chunk_id, "reason": reason}
    await session.execute(_REFUSE, values)
    await session.execute(_REFUSE_ANNOUNCEMENTS, values)
    await restate(session, chunk_id)
