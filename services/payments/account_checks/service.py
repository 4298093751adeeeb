"""Reading what is known of accounts."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.account_checks import repository
from services.payments.account_checks.repository import CheckFilter
from services.payments.account_checks.schemas import AccountCheckOut, PreparedAccountsOut
from shared.pagination import Page, PageOf


async def list_checks(
    session: AsyncSession, page: Page, chosen: CheckFilter
) -> PageOf[AccountCheckOut]:
    """A page of checks, by household, provider and account."""
    rows = await repository.list_checks(
        session, chosen, after=page.after(UUID, str, str), limit=page.fetch_limit
    )
    return page.of(
        [AccountCheckOut.model_validate(row._asdict()) for row in rows],
        key=lambda check: (check.household_id, check.provider, check.account_fingerprint),
    )


async def list_preparations(session: AsyncSession, page: Page) -> PageOf[PreparedAccountsOut]:
    """A page of spans of readiness, in the order of their ids."""
    rows = await repository.list_preparations(
        session, after=page.after(UUID), limit=page.fetch_limit
    )
    return page.of(
        [PreparedAccountsOut.model_validate(row._asdict()) for row in rows],
        key=lambda span: (span.readiness_id,),
    )
