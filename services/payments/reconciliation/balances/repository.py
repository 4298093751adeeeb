"""SQL of balances: what a statement begins and ends with, beside the day before and our books."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.reconciliation.kinds import IN_SUSPENSE, Closure, DifferenceKind, Outcome
from services.payments.statements import AnyRow, among

# What our books had at the provider at an instant. What was in transit then, or was booked later
# for what nobody had ordered, and stands on a statement had moved at the provider already.
_BOOKS = text(
    f"""
    WITH account AS (
        SELECT account.id, account.code, account.debits_minor - account.credits_minor AS minor
        FROM payments.account
        JOIN payments.provider ON provider.code = account.scope
        WHERE provider.number = :provider_number
          AND account.code IN ('PROVIDER_FLOAT', 'IN_TRANSIT')
    ),
    since AS (
        SELECT account.id,
            sum(CASE WHEN account.id = transfer.debit_account THEN amount_minor
                ELSE -amount_minor END) AS minor
        FROM account
        JOIN payments.transfer
            ON account.id IN (transfer.debit_account, transfer.credit_account)
        WHERE transfer.posted_at >= :ends_at
        GROUP BY account.id
    ),
    told_later AS (
        SELECT coalesce(sum(
            CASE difference.kind WHEN '{DifferenceKind.UNKNOWN_RECEIPT}'
                THEN -difference.statement_minor ELSE difference.statement_minor END
        ), 0)::bigint AS minor
        FROM payments.statement_difference AS difference
        JOIN payments.statement ON statement.number = difference.statement_number
        LEFT JOIN payments.instruction ON instruction.id = difference.payment_id
        LEFT JOIN payments.approval ON approval.id = difference.approval_id
        WHERE statement.provider_number = :provider_number
          AND statement.day <= :day
          AND statement.superseded_at IS NULL
          AND CASE
              WHEN difference.kind = '{DifferenceKind.AWAITING_ANSWER}'
                  THEN coalesce(instruction.finished_at >= :ends_at, true)
              WHEN difference.kind = '{DifferenceKind.OTHER_DAY}'
                  THEN instruction.finished_at >= :ends_at
              -- A charge that two persons booked, of which it is the line.
              WHEN difference.kind = '{DifferenceKind.UNKNOWN_PAYMENT}'
                      AND difference.closure = '{Closure.EXPLAINED}'
                  THEN approval.decided_at >= :ends_at
              WHEN difference.kind IN ({among(IN_SUSPENSE)})
                  THEN difference.found_at >= :ends_at
                      AND (difference.suspense_minor > 0
                          OR approval.document ->> 'outcome' = '{Outcome.CHARGED}')
              WHEN difference.kind = '{DifferenceKind.UNKNOWN_RECEIPT}'
                  THEN difference.closed_at >= :ends_at
                      AND approval.document ->> 'outcome' = '{Outcome.RECEIVED}'
              ELSE false
          END
    )
    SELECT
        coalesce(sum(account.minor - coalesce(since.minor, 0))
            FILTER (WHERE code = 'PROVIDER_FLOAT'), 0)::bigint AS float_minor,
        coalesce(sum(account.minor - coalesce(since.minor, 0))
            FILTER (WHERE code = 'IN_TRANSIT'), 0)::bigint AS in_transit_minor,
        (SELECT minor FROM told_later) AS told_later_minor
    FROM account
    LEFT JOIN since ON since.id = account.id
    """
)

_NEIGHBOUR = text(
    """
    SELECT number, opening_minor, closing_minor
    FROM payments.statement
    WHERE provider_number = :provider_number AND day = :day AND superseded_at IS NULL
    """
)

_CLOSE = text(
    """
    UPDATE payments.statement_difference
    SET closed_at = :at, closure = 'explained', closed_reason = 'The balances agree now.'
    WHERE statement_number = :number AND closed_at IS NULL
      AND kind = CAST(CAST(:kind AS text) AS payments.difference_kind)
    """
)

# Whoever looks at one that is known already is not asked again.
_FIND = text(
    """
    INSERT INTO payments.statement_difference (statement_number, kind, statement_minor,
        ledger_minor, found_at)
    SELECT :number, CAST(CAST(:kind AS text) AS payments.difference_kind), :statement_minor,
        :ledger_minor, :at
    WHERE NOT EXISTS (
        SELECT FROM payments.statement_difference
        WHERE statement_number = :number
          AND kind = CAST(CAST(:kind AS text) AS payments.difference_kind)
          AND (statement_minor, ledger_minor)
              = (CAST(:statement_minor AS bigint), CAST(:ledger_minor AS bigint))
          AND closure IS DISTINCT FROM 'explained'
    )
    """
)


@dataclass(frozen=True, slots=True)
class Books:
    """Our money with a provider at the end of a day, in minor units."""

    float_minor: int
    in_transit_minor: int
    told_later_minor: int
    """What statements show as gone by then, and our books only heard of later."""

    @property
    def expected_minor(self) -> int:
        """What the provider has to have of ours, as far as our books know."""
        return self.float_minor + self.in_transit_minor - self.told_later_minor


async def books_at(
    session: AsyncSession, *, provider_number: int, day: date, ends_at: datetime
) -> Books:
    """What our books had at the provider when the day ended."""
    row = (
        await session.execute(
            _BOOKS, {"provider_number": provider_number, "day": day, "ends_at": ends_at}
        )
    ).one()
    return Books(row.float_minor, row.in_transit_minor, row.told_later_minor)


async def current_statement(
    session: AsyncSession, *, provider_number: int, day: date
) -> AnyRow | None:
    """The number and the balances of the statement that holds for a day; None: there is none."""
    given = {"provider_number": provider_number, "day": day}
    return (await session.execute(_NEIGHBOUR, given)).one_or_none()


async def keep_balance(
    session: AsyncSession,
    number: int,
    kind: DifferenceKind,
    *,
    statement_minor: int,
    ledger_minor: int,
    at: datetime,
) -> None:
    """Keep that two balances differ, once; where they agree, close what was open of it."""
    if statement_minor == ledger_minor:
        await session.execute(_CLOSE, {"number": number, "kind": kind.value, "at": at})
        return
    await session.execute(
        _FIND,
        {
            "number": number,
            "kind": kind.value,
            "statement_minor": statement_minor,
            "ledger_minor": ledger_minor,
            "at": at,
        },
    )
