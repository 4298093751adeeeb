"""What the registry does when payments says which providers it can send to."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.providers import repository
from shared.contracts.events import ProvidersConfigured
from shared.events import Handler, Published, StoredEvent


async def on_providers_configured(session: AsyncSession, event: StoredEvent) -> None:
    """Keep the list, whole: what it leaves out is no provider any more. Twice equals once."""
    told = ProvidersConfigured.of(event)
    await repository.replace_providers(
        session, {provider.code: provider.currency for provider in told.providers}
    )


def handlers() -> dict[type[Published], Handler]:
    """Which handler works which fact."""
    return {ProvidersConfigured: on_providers_configured}
