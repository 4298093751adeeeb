"""Reading providers with their balances, and prefunding them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import PROVIDER_PREFUNDED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.providers import repository
from services.payments.providers.schemas import PrefundingIn, ProviderOut
from services.payments.statements import AnyRow
from shared import audit
from shared.errors import Conflict, NotFound


async def list_providers(
    session: AsyncSession, *, after: str | None, limit: int, configured: Collection[str]
) -> list[ProviderOut]:
    """Providers in the order of their codes; ``configured`` are those of the settings."""
    rows = await repository.list_providers(session, after=after, limit=limit)
    return [_shown(row, configured) for row in rows]


async def get_provider(
    session: AsyncSession, code: str, *, configured: Collection[str]
) -> ProviderOut:
    """A provider with its balances; raises NotFound."""
    row = await repository.find_provider(session, code)
    if row is None:
        raise NotFound(f"There is no provider {code}. GET /v1/providers lists them.")
    return _shown(row, configured)


async def prefund(
    session: AsyncSession,
    code: str,
    given: PrefundingIn,
    *,
    by: str,
    at: datetime,
    configured: Collection[str],
) -> ProviderOut:
    """Record treasury money paid to a provider; raises NotFound, Conflict when there is less."""
    provider = await get_provider(session, code, configured=configured)
    try:
        await post(
            session,
            PROVIDER_PREFUNDED,
            debit_scope=provider.code,
            credit_scope=provider.currency,
            amount_minor=given.amount_minor,
            currency=provider.currency,
            posted_at=at,
            reason=given.reference,
            posted_by=by,
        )
    except IntegrityError as error:
        if is_overdraft(error) or "credit_account" in str(error.orig):
            raise Conflict(
                f"The treasury account in {provider.currency} holds less than that: record the "
                "deposit that it came from first, with POST /v1/funds/{fund_code}/deposits."
            ) from None
        raise
    after = await get_provider(session, code, configured=configured)
    await audit.record(
        session,
        f"providers/{code}",
        before={"float_minor": provider.float_minor},
        after={"float_minor": after.float_minor, "currency": provider.currency},
        reason=given.reference,
    )
    return after


def _shown(row: AnyRow, configured: Collection[str]) -> ProviderOut:
    return ProviderOut(**row._mapping, configured=row.code in configured)
