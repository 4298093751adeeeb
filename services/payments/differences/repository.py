"""SQL of differences: listing, giving them to persons, ending them, and giving answers on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.answers.repository import Heard
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.tables import Provider
from services.payments.reconciliation.kinds import (
    ANSWERED,
    IN_SUSPENSE,
    Closure,
    DifferenceKind,
    Direction,
)
from services.payments.reconciliation.tables import Statement, StatementDifference
from services.payments.statements import AnyRow, AnySelect, among, narrowed, paged


class DifferenceStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


_PAID = "coalesce(instruction.paid_minor, instruction.amount_minor)"

# What is held waits for two persons, and hears of nothing.
_TO_ANSWER = text(
    f"""
    UPDATE payments.statement_difference SET answered_at = :at
    FROM (
        SELECT difference.number, statement.provider_number, statement.currency
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        JOIN payments.instruction ON instruction.id = difference.payment_id
        WHERE difference.closed_at IS NULL
          AND difference.answered_at IS NULL
          AND difference.kind IN ({among(ANSWERED)})
          AND difference.statement_minor = instruction.amount_minor
          AND instruction.status <> 'held'
        ORDER BY difference.number
        LIMIT :size
        FOR NO KEY UPDATE OF difference SKIP LOCKED
    ) AS found
    WHERE statement_difference.number = found.number
    RETURNING statement_difference.payment_id, statement_difference.statement_minor,
        statement_difference.reference, found.provider_number, found.currency
    """
)

# Our books say the same by now, of whatever made them.
_EXPLAIN = text(
    f"""
    UPDATE payments.statement_difference
    SET closed_at = :at, closure = 'explained', closed_reason = 'Our books say the same now.'
    FROM (
        SELECT difference.number
        FROM payments.statement_difference AS difference
        JOIN payments.instruction ON instruction.id = difference.payment_id
        LEFT JOIN payments.statement_line AS line
            ON line.statement_number = difference.statement_number AND line.line = difference.line
        WHERE difference.closed_at IS NULL
          AND CASE
              WHEN difference.kind IN ('{DifferenceKind.AWAITING_ANSWER}',
                      '{DifferenceKind.NOT_PAID_HERE}', '{DifferenceKind.OTHER_AMOUNT}')
                  THEN line.direction = '{Direction.OUT}'
                      AND instruction.status IN ('settled', 'returned')
                      AND difference.statement_minor = {_PAID}
                  OR line.direction = '{Direction.IN}'
                      AND instruction.status = 'returned'
                      AND difference.statement_minor = {_PAID}
              WHEN difference.kind IN ('{DifferenceKind.RETURNED_THERE}',
                      '{DifferenceKind.NOT_ON_STATEMENT}')
                  THEN instruction.status = 'returned'
              ELSE false
          END
        ORDER BY difference.number
        LIMIT :size
        FOR NO KEY UPDATE OF difference SKIP LOCKED
    ) AS found
    WHERE statement_difference.number = found.number
    """
)

# Money that came in before our books said that it was paid to the provider.
_EXPLAIN_RECEIPTS = text(
    f"""
    UPDATE payments.statement_difference
    SET closed_at = :at, closure = 'explained', closed_reason = 'Our books say the same now.'
    FROM (
        SELECT DISTINCT ON (transfer.id) difference.number
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        JOIN payments.provider ON provider.number = statement.provider_number
        JOIN payments.transfer ON transfer.code = 'provider_prefunded'
            AND transfer.reason = difference.reference
            AND transfer.amount_minor = difference.statement_minor
            AND transfer.posted_at >= difference.found_at
        JOIN payments.account ON account.id = transfer.debit_account
            AND account.scope = provider.code
        WHERE difference.closed_at IS NULL
          AND difference.kind = '{DifferenceKind.UNKNOWN_RECEIPT}'
        ORDER BY transfer.id, difference.number
    ) AS found
    WHERE statement_difference.number = found.number
    """
)

_TO_SUSPEND = text(
    f"""
    SELECT statement.number, statement.id, statement.day, statement.currency,
        provider.code AS provider, provider.number AS provider_number
    FROM payments.statement_difference AS difference
    JOIN payments.statement ON statement.number = difference.statement_number
    JOIN payments.provider ON provider.number = statement.provider_number
    JOIN payments.account ON account.code = 'PROVIDER_FLOAT' AND account.scope = provider.code
    WHERE difference.closed_at IS NULL
      AND difference.suspense_minor = 0
      AND difference.kind IN ({among(IN_SUSPENSE)})
    GROUP BY statement.number, provider.number, account.id
    HAVING sum(difference.statement_minor) <= account.debits_minor - account.credits_minor
    ORDER BY statement.number
    LIMIT 1
    """
)

_LOCK = text(
    """
    SELECT difference.*, difference.kind::text AS kind, statement.currency, statement.day,
        statement.id AS statement_id, statement.uploaded_by, provider.code AS provider
    FROM payments.statement_difference AS difference
    JOIN payments.statement ON statement.number = difference.statement_number
    JOIN payments.provider ON provider.number = statement.provider_number
    WHERE difference.number = :number
    FOR NO KEY UPDATE OF difference
    """
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which differences; what is None does not narrow."""

    status: DifferenceStatus | None = None
    provider: str | None = None
    day: date | None = None
    kind: DifferenceKind | None = None
    assigned_to: str | None = None
    statement_id: UUID | None = None
    instruction_id: UUID | None = None


def _differences() -> AnySelect:
    return (
        select(
            StatementDifference.__table__,
            Statement.id.label("statement_id"),
            Statement.day,
            Statement.currency,
            Statement.uploaded_by,
            Provider.code.label("provider"),
        )
        .join(Statement, Statement.number == StatementDifference.statement_number)
        .join(Provider, Provider.number == Statement.provider_number)
    )


async def list_differences(
    session: AsyncSession, by: Filter, *, after: int | None, limit: int
) -> Sequence[AnyRow]:
    """Differences in the order in which they were found."""
    query = narrowed(
        _differences(),
        {
            Provider.code: by.provider,
            Statement.day: by.day,
            Statement.id: by.statement_id,
            StatementDifference.kind: by.kind,
            StatementDifference.assigned_to: by.assigned_to,
            StatementDifference.payment_id: by.instruction_id,
        },
    )
    if by.status is not None:
        is_open = StatementDifference.closed_at.is_(None)
        query = query.where(is_open if by.status is DifferenceStatus.OPEN else ~is_open)
    found = paged(query, StatementDifference.number, after=after, limit=limit)
    return (await session.execute(found)).all()


async def find_difference(session: AsyncSession, number: int) -> AnyRow | None:
    """A difference, with its statement's day and provider."""
    query = _differences().where(StatementDifference.number == number)
    return (await session.execute(query)).one_or_none()


async def lock_difference(session: AsyncSession, number: int) -> AnyRow | None:
    """The same, and nobody else ends it meanwhile."""
    return (await session.execute(_LOCK, {"number": number})).one_or_none()


async def assign(session: AsyncSession, number: int, *, to: str, by: str, at: datetime) -> bool:
    """Give an open difference to a person; whether it is open."""
    statement = (
        update(StatementDifference)
        .where(StatementDifference.number == number, StatementDifference.closed_at.is_(None))
        .values(assigned_to=to, assigned_by=by, assigned_at=at)
        .returning(StatementDifference.number)
    )
    return await session.scalar(statement) is not None


async def resolve(
    session: AsyncSession, number: int, *, reason: str, approval_id: UUID, at: datetime
) -> None:
    """End a locked difference by two persons' word."""
    await session.execute(
        update(StatementDifference)
        .where(StatementDifference.number == number)
        .values(
            closed_at=at,
            closure=Closure.RESOLVED,
            closed_reason=reason,
            approval_id=approval_id,
            suspense_minor=0,
        )
    )


async def pick_answers(session: AsyncSession, *, size: int, at: datetime) -> list[Heard]:
    """Lines that say of a payment that it is paid, as ordered, each given on once."""
    rows = await session.execute(_TO_ANSWER, {"size": size, "at": at})
    return [
        Heard(
            instruction_id=row.payment_id,
            provider_number=row.provider_number,
            answer=Answer(
                AnswerKind.SETTLED,
                amount_minor=row.statement_minor,
                currency=row.currency,
                our_reference=row.payment_id,
                transaction_reference=row.reference,
            ),
        )
        for row in rows
    ]


async def explain(session: AsyncSession, *, size: int, at: datetime) -> int:
    """End differences about which our books say the same by now; returns how many."""
    ended = await session.execute(_EXPLAIN, {"size": size, "at": at})
    received = await session.execute(_EXPLAIN_RECEIPTS, {"at": at})
    return int(ended.rowcount + received.rowcount)  # type: ignore[attr-defined]


async def find_to_suspend(session: AsyncSession) -> AnyRow | None:
    """A statement of which something is gone without our order, and the float covers it now."""
    return (await session.execute(_TO_SUSPEND)).one_or_none()
