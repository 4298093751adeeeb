"""Opening funds, paying into them, and reading their balances."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.funds import repository
from services.payments.funds.schemas import DepositIn, FundIn, FundOut
from services.payments.ledger.accounts import BUDGET_AUTHORISED, FUND_RECEIVED, AccountScope
from services.payments.ledger.repository import open_accounts, post
from shared import audit
from shared.errors import Conflict, NotFound


async def create_fund(session: AsyncSession, fund: FundIn, *, at: datetime) -> FundOut:
    """Open a fund with its accounts; raises Conflict where the code is taken."""
    created = await repository.insert_fund(
        session, code=fund.code, name=fund.name, currency=fund.currency, at=at
    )
    if not created:
        raise Conflict(f"There is a fund {fund.code} already: choose another code, or pay into it.")
    await open_accounts(
        session, kept_for=AccountScope.FUND, scope=fund.code, currency=fund.currency
    )
    await open_accounts(
        session, kept_for=AccountScope.CURRENCY, scope=fund.currency, currency=fund.currency
    )
    await audit.record(session, f"funds/{fund.code}", after=fund)
    return await get_fund(session, fund.code)


async def get_fund(session: AsyncSession, code: str) -> FundOut:
    """A fund with its balances; raises NotFound."""
    row = await repository.find_fund(session, code)
    if row is None:
        raise NotFound(f"There is no fund {code}. GET /v1/funds lists them.")
    return FundOut.model_validate(row._asdict())


async def deposit(
    session: AsyncSession, code: str, given: DepositIn, *, by: str, at: datetime
) -> FundOut:
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
            posted_by=by,
        )
    after = await get_fund(session, code)
    await audit.record(
        session,
        f"funds/{code}",
        before={"authorised_minor": fund.authorised_minor},
        after={"authorised_minor": after.authorised_minor, "currency": fund.currency},
        reason=given.reference,
    )
    return after
