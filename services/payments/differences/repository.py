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
from services.payments.reconciliation.statements import PREFUNDINGS, RECEIVED
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

# Of money that came in, what no prefunding explains: it waits for one, or two persons said what it
# is.
_UNEXPLAINED = f"""
    SELECT FROM payments.statement_difference AS known
    WHERE known.statement_number = received.statement_number AND known.line = received.line
      AND known.kind = '{DifferenceKind.UNKNOWN_RECEIPT}'
      AND (known.closed_at IS NULL OR known.closure = '{Closure.RESOLVED}')
"""
_SAME = "(provider_number, reference, amount_minor)"
_PREFUNDED = f"""
    SELECT provider_number, reference, amount_minor,
        count(*) FILTER (WHERE NOT is_taken_back) AS standing,
        bool_or(is_taken_back) AS has_one_taken_back
    FROM ({PREFUNDINGS}) AS prefunding
    GROUP BY provider_number, reference, amount_minor
"""

# Money that came in before our books said that it was paid to the provider: each by one of them.
_EXPLAIN_RECEIPTS = text(
    f"""
    WITH waiting AS MATERIALIZED (
        SELECT difference.number, statement.provider_number, difference.reference,
            difference.statement_minor AS amount_minor, row_number() OVER (
                PARTITION BY statement.provider_number, difference.reference,
                    difference.statement_minor
                ORDER BY difference.number
            ) AS nth
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        WHERE difference.closed_at IS NULL
          AND difference.kind = '{DifferenceKind.UNKNOWN_RECEIPT}'
    )
    UPDATE payments.statement_difference
    SET closed_at = :at, closure = '{Closure.EXPLAINED}',
        closed_reason = 'Our books say the same now.'
    FROM waiting
    JOIN ({_PREFUNDED}) AS prefunded USING {_SAME}
    WHERE statement_difference.number = waiting.number
      AND waiting.nth + (
          SELECT count(*)
          FROM ({RECEIVED}) AS received
          WHERE received.provider_number = waiting.provider_number
            AND received.reference = waiting.reference
            AND received.amount_minor = waiting.amount_minor
            AND NOT EXISTS ({_UNEXPLAINED})
      ) <= prefunded.standing
    """
)

# Of a prefunding that is taken back, which was never paid: who misses it on a statement, of those
# that are alike the last,
_MISSED = f"""
    WITH missed AS (
        SELECT difference.number, statement.provider_number, difference.reference,
            difference.ledger_minor AS amount_minor, row_number() OVER (
                PARTITION BY statement.provider_number, difference.reference,
                    difference.ledger_minor
                ORDER BY difference.number
            ) AS nth
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        WHERE difference.closed_at IS NULL
          AND difference.kind = '{DifferenceKind.PREFUNDING_NOT_ON_STATEMENT}'
    )
    SELECT missed.number
    FROM missed
    JOIN ({_PREFUNDED}) AS prefunded USING {_SAME}
    WHERE prefunded.has_one_taken_back AND missed.nth > prefunded.standing
"""
_END_MISSED = text(
    f"""
    UPDATE payments.statement_difference
    SET closed_at = :at, closure = '{Closure.EXPLAINED}',
        closed_reason = 'The prefunding was taken back.'
    WHERE number IN ({_MISSED})
    """
)

# and what came in, which it explained.
_TAKEN_BACK = f"""
    WITH explained AS (
        SELECT received.*, prefunded.standing, row_number() OVER (
                PARTITION BY {_SAME[1:-1]} ORDER BY received.statement_number, received.line
            ) AS nth
        FROM ({RECEIVED}) AS received
        JOIN ({_PREFUNDED}) AS prefunded USING {_SAME}
        WHERE prefunded.has_one_taken_back AND NOT EXISTS ({_UNEXPLAINED})
    )
    SELECT statement_number, line, amount_minor, reference FROM explained WHERE nth > standing
"""
_REOPEN_RECEIPTS = text(
    f"""
    UPDATE payments.statement_difference
    SET closed_at = NULL, closure = NULL, closed_reason = NULL
    FROM ({_TAKEN_BACK}) AS received
    WHERE statement_difference.statement_number = received.statement_number
      AND statement_difference.line = received.line
      AND statement_difference.kind = '{DifferenceKind.UNKNOWN_RECEIPT}'
      AND statement_difference.closure = '{Closure.EXPLAINED}'
    """
)
_LIST_RECEIPTS = text(
    f"""
    INSERT INTO payments.statement_difference (statement_number, line, kind, statement_minor,
        reference, found_at)
    SELECT statement_number, line, '{DifferenceKind.UNKNOWN_RECEIPT}', amount_minor, reference, :at
    FROM ({_TAKEN_BACK}) AS received
    ORDER BY statement_number, line
    """
)
_LOCK_TAKEN_BACK = text(
    f"""
    SELECT number FROM payments.provider
    WHERE number IN (SELECT provider_number FROM ({PREFUNDINGS}) AS known WHERE is_taken_back)
      AND (EXISTS ({_MISSED}) OR EXISTS ({_TAKEN_BACK}))
    ORDER BY number
    FOR NO KEY UPDATE
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


async def follow_taken_back(session: AsyncSession, *, at: datetime) -> int:
    """Have statements say what they say without the prefundings that were taken back; how much
    changed."""
    # As whoever takes a statement does: both look at what explains what.
    if not (await session.execute(_LOCK_TAKEN_BACK)).all():
        return 0
    changed = 0
    for statement in (_END_MISSED, _REOPEN_RECEIPTS, _LIST_RECEIPTS):
        changed += (await session.execute(statement, {"at": at})).rowcount  # type: ignore[attr-defined]
    return changed


async def find_to_suspend(session: AsyncSession) -> AnyRow | None:
    """A statement of which something is gone without our order, and the float covers it now."""
    return (await session.execute(_TO_SUSPEND)).one_or_none()
