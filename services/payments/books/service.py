"""The books at one moment."""

from datetime import datetime
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.books import repository
from services.payments.books.schemas import TrialBalanceOut, TrialLineOut, TrialTotalOut
from shared.clock import Clock


async def trial_balance(
    session: AsyncSession, *, at: datetime | None, clock: Clock
) -> TrialBalanceOut:
    """Every account at a moment that is not to come; None is now."""
    rows = await repository.trial_balance(session, at=at)
    lines = [TrialLineOut.model_validate(row._asdict()) for row in rows]
    totals = [
        TrialTotalOut(
            book=book,
            currency=currency,
            debit_minor=sum(line.debit_minor for line in group),
            credit_minor=sum(line.credit_minor for line in group),
        )
        for (book, currency), found in groupby(lines, key=lambda line: (line.book, line.currency))
        for group in [list(found)]
    ]
    return TrialBalanceOut(
        at=at or clock.now(),
        balanced=all(total.debit_minor == total.credit_minor for total in totals),
        totals=totals,
        lines=lines,
    )
