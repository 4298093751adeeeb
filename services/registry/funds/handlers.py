"""What the registry does when payments says what a fund may pay."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.funds import repository
from shared.contracts.events import FundBounded
from shared.events import Handler, Published, StoredEvent


async def on_fund_bounded(session: AsyncSession, event: StoredEvent) -> None:
    """Keep the bound: the last that was told holds. Twice equals once."""
    told = FundBounded.of(event)
    await repository.keep_bound(
        session,
        told.fund,
        currency=told.currency,
        maximum_payment_minor=told.maximum_payment_minor,
    )


def handlers() -> dict[type[Published], Handler]:
    """Which handler works which fact."""
    return {FundBounded: on_fund_bounded}
