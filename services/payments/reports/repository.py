"""SQL of reports: what a day comes to on both sides."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.statements import AnyRow

_BY_KIND = text(
    """
    SELECT kind::text AS kind, count(*) AS differences,
        coalesce(sum(statement_minor), 0)::bigint AS statement_minor,
        coalesce(sum(ledger_minor), 0)::bigint AS ledger_minor,
        sum(suspense_minor)::bigint AS suspense_minor,
        min(found_at) AS found_at
    FROM payments.statement_difference
    WHERE statement_number = :number AND closed_at IS NULL
    GROUP BY kind
    ORDER BY kind
    """
)

_ENDED = text(
    """
    SELECT count(*) FILTER (WHERE closure = 'explained') AS explained_count,
        count(*) FILTER (WHERE closure = 'resolved') AS resolved_count,
        count(DISTINCT line) FILTER (WHERE closed_at IS NULL) AS open_lines
    FROM payments.statement_difference
    WHERE statement_number = :number
    """
)

_PAID = text(
    """
    SELECT count(*) AS payments,
        coalesce(sum(coalesce(paid_minor, amount_minor)), 0)::bigint AS minor
    FROM payments.instruction
    WHERE provider_number = :provider_number AND status = 'settled'
      AND finished_at >= :begins_at AND finished_at < :ends_at
    """
)

_SUPERSEDED = text(
    """
    SELECT id, uploaded_by, uploaded_at, superseded_at
    FROM payments.statement
    WHERE provider_number = :provider_number AND day = :day AND superseded_at IS NOT NULL
    ORDER BY number DESC
    LIMIT :limit
    """
)


_RESOLVED = text(
    """
    SELECT difference.number, difference.kind::text AS kind, difference.reference,
        difference.statement_minor, difference.ledger_minor, approval.what, approval.reason,
        approval.proposed_by, approval.decided_by AS approved_by,
        difference.closed_at AS resolved_at
    FROM payments.statement_difference AS difference
    JOIN payments.approval ON approval.id = difference.approval_id
    WHERE statement_number = :number AND closure = 'resolved'
    ORDER BY difference.number
    LIMIT :limit
    """
)


async def open_by_kind(session: AsyncSession, number: int) -> Sequence[AnyRow]:
    """A statement's open differences, by kind."""
    return (await session.execute(_BY_KIND, {"number": number})).all()


async def ended_of(session: AsyncSession, number: int) -> AnyRow:
    """How many of a statement's differences have their end, and how many lines have not."""
    return (await session.execute(_ENDED, {"number": number})).one()


async def resolved_of(session: AsyncSession, number: int, *, limit: int) -> Sequence[AnyRow]:
    """The differences of a statement that two persons ended, the oldest first."""
    return (await session.execute(_RESOLVED, {"number": number, "limit": limit})).all()


async def paid_between(
    session: AsyncSession, *, provider_number: int, begins_at: datetime, ends_at: datetime
) -> AnyRow:
    """How many payments a provider made by our books, and how much money."""
    return (
        await session.execute(
            _PAID,
            {"provider_number": provider_number, "begins_at": begins_at, "ends_at": ends_at},
        )
    ).one()


async def superseded_statements(
    session: AsyncSession, *, provider_number: int, day: date, limit: int
) -> Sequence[AnyRow]:
    """The statements of a day that others took the place of, the newest first."""
    given = {"provider_number": provider_number, "day": day, "limit": limit}
    return (await session.execute(_SUPERSEDED, given)).all()
