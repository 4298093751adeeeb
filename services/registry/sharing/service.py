"""For what whoever asks is shown persons."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.partners.repository import purposes_of
from services.registry.settings import ApiSettings
from services.registry.sharing.statements import Sharing
from shared.auth import Caller


def sharing_with(purpose: str, settings: ApiSettings) -> Sharing:
    """For what a partner of this purpose is shown persons."""
    return Sharing(purpose, unasked=settings.share_unasked)


async def sharings_with(
    session: AsyncSession, caller: Caller, settings: ApiSettings
) -> list[Sharing]:
    """For what a caller is shown persons who speaks for partners; none: they are no partner, and
    see persons by their scopes."""
    names = {name for name in (caller.subject, caller.client) if name is not None}
    return [sharing_with(purpose, settings) for purpose in await purposes_of(session, names)]
