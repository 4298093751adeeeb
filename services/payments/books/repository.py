"""SQL of the books as accountants read them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.statements import BALANCE_AT, BALANCE_NOW
from services.payments.statements import AnyRow

_TRIAL_BALANCE = """
    SELECT book::text AS book, currency, code::text AS account, scope,
        greatest(minor, 0)::bigint AS debit_minor, greatest(-minor, 0)::bigint AS credit_minor
    FROM (SELECT account.*, {balance} AS minor FROM payments.account) AS balanced
    ORDER BY book, currency, code, scope
"""
_NOW = text(_TRIAL_BALANCE.format(balance=BALANCE_NOW))
_AT = text(_TRIAL_BALANCE.format(balance=BALANCE_AT))


async def trial_balance(session: AsyncSession, *, at: datetime | None) -> Sequence[AnyRow]:
    """The balance of every account, in its column; ``at`` is None for now."""
    if at is None:
        return (await session.execute(_NOW)).all()
    return (await session.execute(_AT, {"at": at})).all()
