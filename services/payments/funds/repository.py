"""SQL of funds: their rows, and their balances in the ledger."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.statements import AnyRow

_SELECT = """
    SELECT fund.code, fund.name, fund.currency, fund.created_at,
        coalesce(sum(-balance) FILTER (WHERE account.code = 'BUDGET_AUTHORISED'), 0)::bigint
            AS authorised_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'BUDGET_AVAILABLE'), 0)::bigint
            AS available_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'COMMITTED'), 0)::bigint
            AS committed_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'BUDGET_SPENT'), 0)::bigint
            AS spent_minor
    FROM payments.fund
    LEFT JOIN LATERAL (
        SELECT account.code, debits_minor - credits_minor AS balance
        FROM payments.account
        WHERE account.scope = fund.code AND account.book = 'budget'
    ) AS account ON true
"""
_GET = text(_SELECT + " WHERE fund.code = :code GROUP BY fund.code")
_LIST = text(
    _SELECT + " WHERE fund.code > :after GROUP BY fund.code ORDER BY fund.code LIMIT :limit"
)

_INSERT = text(
    """
    INSERT INTO payments.fund (code, name, currency, created_at)
    VALUES (:code, :name, :currency, :at)
    ON CONFLICT (code) DO NOTHING
    RETURNING true
    """
)


async def insert_fund(
    session: AsyncSession, *, code: str, name: str, currency: str, at: datetime
) -> bool:
    """Whether the fund is new: False where the code is taken."""
    given = {"code": code, "name": name, "currency": currency, "at": at}
    return bool(await session.scalar(_INSERT, given))


async def find_fund(session: AsyncSession, code: str) -> AnyRow | None:
    """A fund with its balances."""
    return (await session.execute(_GET, {"code": code})).one_or_none()


async def list_funds(session: AsyncSession, *, after: str | None, limit: int) -> Sequence[AnyRow]:
    """Funds with their balances, in the order of their codes."""
    return (await session.execute(_LIST, {"after": after or "", "limit": limit})).all()
