"""Reading providers with their balances, and prefunding them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.ledger.accounts import PROVIDER_PREFUNDED
from services.payments.ledger.repository import is_overdraft, post
from services.payments.providers.schemas import PrefundingIn, Provider
from shared.errors import Conflict, NotFound

_SELECT = """
    SELECT provider.code, provider.name, provider.currency,
        coalesce(sum(balance) FILTER (WHERE account.code = 'PROVIDER_FLOAT'), 0)::bigint
            AS float_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'IN_TRANSIT'), 0)::bigint
            AS in_transit_minor,
        coalesce(sum(balance) FILTER (WHERE account.code = 'SUSPENSE'), 0)::bigint
            AS suspense_minor,
        coalesce(sum(-balance) FILTER (WHERE account.code = 'RETURNS_PAYABLE'), 0)::bigint
            AS returns_payable_minor,
        waiting.minor AS waiting_minor, waiting.count AS waiting_count
    FROM payments.provider
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM payments.payment_round
        JOIN payments.chunk ON chunk.round_number = payment_round.number
        JOIN payments.instruction ON instruction.chunk_number = chunk.number
        WHERE payment_round.status = 'released'
          AND chunk.status = 'raised'
          AND instruction.status = 'ready'
          AND instruction.provider_number = provider.number
    ) AS waiting
    LEFT JOIN LATERAL (
        SELECT account.code, debits_minor - credits_minor AS balance
        FROM payments.account
        WHERE account.scope = provider.code AND account.book = 'cash'
    ) AS account ON true
"""
_GROUP = " GROUP BY provider.number, waiting.minor, waiting.count"
_GET = text(_SELECT + " WHERE provider.code = :code" + _GROUP)
_LIST = text(
    _SELECT + " WHERE provider.code > :after" + _GROUP + " ORDER BY provider.code LIMIT :limit"
)


async def list_providers(
    session: AsyncSession, *, after: str, limit: int, configured: Collection[str]
) -> list[Provider]:
    """Providers in the order of their codes; ``configured`` are those of the settings."""
    rows = await session.execute(_LIST, {"after": after, "limit": limit})
    return [Provider(**row._mapping, configured=row.code in configured) for row in rows]


async def get_provider(
    session: AsyncSession, code: str, *, configured: Collection[str]
) -> Provider:
    """A provider with its balances; raises NotFound."""
    row = (await session.execute(_GET, {"code": code})).one_or_none()
    if row is None:
        raise NotFound(f"There is no provider {code}. GET /providers lists them.")
    return Provider(**row._mapping, configured=code in configured)


async def prefund(
    session: AsyncSession,
    code: str,
    given: PrefundingIn,
    *,
    at: datetime,
    configured: Collection[str],
) -> Provider:
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
        )
    except IntegrityError as error:
        if is_overdraft(error) or "credit_account" in str(error.orig):
            raise Conflict(
                f"The treasury account in {provider.currency} holds less than that: record the "
                "deposit that it came from first, with POST /funds/{fund_code}/deposits."
            ) from None
        raise
    return await get_provider(session, code, configured=configured)
