"""Whether a statement's balances agree: with the day before, with its lines, and with our books."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.reconciliation.balances.repository import (
    books_at,
    current_statement,
    keep_balance,
)
from services.payments.reconciliation.kinds import DifferenceKind

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Balances:
    """What a statement says of its day, in minor units; None where it does not say."""

    number: int
    provider_number: int
    day: date
    ends_at: datetime
    opening_minor: int | None
    closing_minor: int | None
    net_minor: int
    """By how much its lines change the balance."""


async def check_balances(session: AsyncSession, balances: Balances, *, at: datetime) -> None:
    """Keep each way in which a statement's balances disagree, and end those that agree now."""
    before = await current_statement(
        session,
        provider_number=balances.provider_number,
        day=balances.day - _ONE_DAY,
    )
    after = await current_statement(
        session,
        provider_number=balances.provider_number,
        day=balances.day + _ONE_DAY,
    )
    if before is not None:
        await _opening(session, balances.number, balances.opening_minor, before.closing_minor, at)
    if after is not None:
        await _opening(session, after.number, after.opening_minor, balances.closing_minor, at)
    if balances.closing_minor is None:
        return
    if balances.opening_minor is not None:
        await keep_balance(
            session,
            balances.number,
            DifferenceKind.CLOSING_DIFFERS,
            statement_minor=balances.closing_minor,
            ledger_minor=balances.opening_minor + balances.net_minor,
            at=at,
        )
    books = await books_at(
        session,
        provider_number=balances.provider_number,
        day=balances.day,
        ends_at=balances.ends_at,
    )
    await keep_balance(
        session,
        balances.number,
        DifferenceKind.FLOAT_DIFFERS,
        statement_minor=balances.closing_minor,
        ledger_minor=books.expected_minor,
        at=at,
    )


async def _opening(
    session: AsyncSession,
    number: int,
    opening_minor: int | None,
    closing_before_minor: int | None,
    at: datetime,
) -> None:
    if opening_minor is None or closing_before_minor is None:
        return
    await keep_balance(
        session,
        number,
        DifferenceKind.OPENING_DIFFERS,
        statement_minor=opening_minor,
        ledger_minor=closing_before_minor,
        at=at,
    )
