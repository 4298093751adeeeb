"""Opening funds, paying into them, and reading their balances."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.funds.schemas import DepositIn, Fund, FundIn
from services.payments.ledger.accounts import BUDGET_AUTHORISED, FUND_RECEIVED, AccountScope
from services.payments.ledger.repository import open_accounts, post
from shared.errors import Conflict, NotFound

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

_CREATE = text(
    """
    INSERT INTO payments.fund (code, name, currency, created_at)
    VALUES (:code, :name, :currency, :at)
    ON CONFLICT (code) DO NOTHING
    RETURNING true
    """
)


async def create_fund(session: AsyncSession, fund: FundIn, *, at: datetime) -> Fund:
    """Open a fund with its accounts; raises Conflict where the code is taken."""
    created = await session.scalar(_CREATE, {**fund.model_dump(), "at": at})
    if not created:
        raise Conflict(f"There is a fund {fund.code} already: choose another code, or pay into it.")
    await open_accounts(
        session, kept_for=AccountScope.FUND, scope=fund.code, currency=fund.currency
    )
    await open_accounts(
        session, kept_for=AccountScope.CURRENCY, scope=fund.currency, currency=fund.currency
    )
    return await get_fund(session, fund.code)


async def get_fund(session: AsyncSession, code: str) -> Fund:
    """A fund with its balances; raises NotFound."""
    row = (await session.execute(_GET, {"code": code})).one_or_none()
    if row is None:
        raise NotFound(f"There is no fund {code}. GET /funds lists them.")
    return Fund.model_validate(row._asdict())


async def list_funds(session: AsyncSession, *, after: str, limit: int) -> list[Fund]:
    """Funds in the order of their codes."""
    rows = await session.execute(_LIST, {"after": after, "limit": limit})
    return [Fund.model_validate(row._asdict()) for row in rows]


async def deposit(session: AsyncSession, code: str, given: DepositIn, *, at: datetime) -> Fund:
    """Record money that arrived: cash in the treasury, budget in the fund; raises NotFound."""
    fund = await get_fund(session, code)
    for posting, debit_scope in ((FUND_RECEIVED, fund.currency), (BUDGET_AUTHORISED, fund.code)):
        await post(
            session,
            posting,
            debit_scope=debit_scope,
            credit_scope=fund.code,
            amount_minor=given.amount_minor,
            currency=fund.currency,
            posted_at=at,
            reason=given.reference,
        )
    return await get_fund(session, code)
