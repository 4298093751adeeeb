"""SQL of the books as accountants read them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

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


_JOURNAL = text(
    """
    SELECT transfer.id, transfer.posted_at, transfer.code::text AS code,
        debit.code::text AS debit_account, debit.scope AS debit_scope,
        credit.code::text AS credit_account, credit.scope AS credit_scope,
        transfer.amount_minor, transfer.currency, transfer.entry_number, transfer.round_number,
        transfer.payment_instruction_id, transfer.approval_id
    FROM payments.transfer
    JOIN payments.account AS debit ON debit.id = transfer.debit_account
    JOIN payments.account AS credit ON credit.id = transfer.credit_account
    WHERE transfer.posted_at < :until
      AND (transfer.posted_at, transfer.id) > (:after_at, CAST(:after_id AS uuid))
    ORDER BY transfer.posted_at, transfer.id
    LIMIT :limit
    """
)


async def read_journal(
    session: AsyncSession, *, after: tuple[datetime, UUID], until: datetime, limit: int
) -> Sequence[AnyRow]:
    """Transfers behind a time and id, up to a moment, in their order."""
    after_at, after_id = after
    given = {"after_at": after_at, "after_id": after_id, "until": until, "limit": limit}
    return (await session.execute(_JOURNAL, given)).all()
