"""By whom a rejected payment is tried anew, where that is another provider."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.payments.routing.repository import AttemptRoute, route_for_attempt, well_among
from services.payments.settings import Settings


@dataclass(frozen=True, slots=True)
class Way:
    """Who pays, and by which rule."""

    to: str
    route: AttemptRoute


async def way_of_attempt(
    session: AsyncSession, instruction_id: UUID, *, settings: Settings
) -> Way | None:
    """Who would pay a further attempt in the place of whoever rejected this one; None: the same.

    The first that is named by the rule, is in the group of the settings, and could pay now.
    """
    route = await route_for_attempt(session, instruction_id)
    if route is None or route.amount_minor > route.room_minor:
        return None
    allowed = set(settings.group_of(route.provider))
    well = await well_among(
        session,
        [code for code in route.instead if code in allowed],
        provider_number=route.provider_number,
        configured=[provider.code for provider in settings.providers],
        down_seconds=settings.provider_down_seconds,
    )
    return Way(well[0][0], route) if well else None
