"""Holding a statement that was kept against our books: the order in which it is done."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import STATEMENT_RELEASED, STATEMENT_SUSPENDED, Posting
from services.payments.ledger.repository import is_overdraft, post
from services.payments.reconciliation import repository


@dataclass(frozen=True, slots=True)
class Compared:
    """A statement, and the day in our books that it is about."""

    number: int
    statement_id: UUID
    provider: str
    provider_number: int
    currency: str
    day: date
    begins_at: datetime
    ends_at: datetime


async def supersede(
    session: AsyncSession, statement: Compared, *, superseded: int, at: datetime
) -> None:
    """Take an earlier statement's open differences back: what is in suspense for them returns to
    the float, and what it explained is open again."""
    # Differences are locked before accounts, as by whoever resolves one.
    in_suspense_minor = await repository.supersede_differences(session, superseded, at=at)
    await _post(
        session,
        STATEMENT_RELEASED,
        statement,
        amount_minor=in_suspense_minor,
        reason=f"superseded by statement {statement.statement_id}",
        at=at,
    )


async def compare(
    session: AsyncSession,
    statement: Compared,
    *,
    is_correction: bool,
    names_each: bool,
    may_repeat: bool,
    at: datetime,
) -> None:
    """Keep everything in which a statement and our books differ, and book what is gone."""
    await repository.compare(
        session,
        statement.number,
        provider_number=statement.provider_number,
        begins_at=statement.begins_at,
        ends_at=statement.ends_at,
        names_each=names_each,
        may_repeat=may_repeat,
        at=at,
    )
    if is_correction:
        await repository.carry_over(
            session,
            statement.number,
            statement_id=statement.statement_id,
            provider_number=statement.provider_number,
            day=statement.day,
        )
    await suspend(session, statement, at=at)
    await repository.clear_proven(
        session,
        statement.number,
        at=at,
        by=f"statement {statement.statement_id}",
        reason=f"It is paid on the statement of {statement.provider} of {statement.day}.",
    )


async def suspend(session: AsyncSession, statement: Compared, *, at: datetime) -> bool:
    """Have what is gone without our order in SUSPENSE, whole; whether the float covered it.

    It is tried again where the float is too low: then nobody can send that money anyway.
    """
    try:
        async with session.begin_nested():
            await _post(
                session,
                STATEMENT_SUSPENDED,
                statement,
                amount_minor=await repository.suspend_differences(session, statement.number),
                reason=f"statement {statement.statement_id}",
                at=at,
            )
    except IntegrityError as error:
        if not is_overdraft(error):
            raise
        return False
    return True


async def _post(
    session: AsyncSession,
    posting: Posting,
    statement: Compared,
    *,
    amount_minor: int,
    reason: str,
    at: datetime,
) -> None:
    if not amount_minor:
        return
    await post(
        session,
        posting,
        debit_scope=statement.provider,
        credit_scope=statement.provider,
        amount_minor=amount_minor,
        currency=statement.currency,
        posted_at=at,
        reason=reason,
    )
