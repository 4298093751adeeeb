"""Loading an edition of the gazetteer, and finding a place in it."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import repository
from services.registry.areas.gazetteer import SHIPPED_EDITION, shipped_areas
from services.registry.areas.schemas import GazetteerOut
from services.registry.areas.tables import Area
from shared.errors import NotFound


async def load_gazetteer(session: AsyncSession, edition: str) -> GazetteerOut:
    """Bring the areas to an edition; raises NotFound where it is not shipped."""
    if edition != SHIPPED_EDITION:
        raise NotFound(f"No such edition is shipped with this registry. Use '{SHIPPED_EDITION}'.")
    changed = await repository.replace_areas(session, shipped_areas())
    areas = await repository.count_by_level(session)
    return GazetteerOut(edition=edition, areas=areas, changed=changed)


async def get_area(session: AsyncSession, code: str) -> Area:
    """The area with this code; raises NotFound."""
    area = await repository.find_area(session, code)
    if area is None:
        raise NotFound(f"No area has the code '{code}'. GET /v1/areas lists them.")
    return area
