"""Loading an edition of the gazetteer, finding a place in it, and saying which are none."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas import repository
from services.registry.areas.gazetteer import SHIPPED_EDITION, shipped_areas
from services.registry.areas.schemas import AreaChangeOut, AreaDetailOut, AreaOut, GazetteerOut
from services.registry.areas.tables import COUNTRY_CODE, Area
from shared import audit
from shared.errors import Conflict, NotFound

NOT_THERE = "It is not in the gazetteer."
TOO_SMALL = "It is smaller than a commune, and households are enrolled by commune."

_DIGITS_OF_COMMUNES = 6


async def load_gazetteer(session: AsyncSession, edition: str) -> GazetteerOut:
    """Bring the areas to an edition; raises NotFound where it is not shipped."""
    if edition != SHIPPED_EDITION:
        raise NotFound(f"No such edition is shipped with this registry. Use '{SHIPPED_EDITION}'.")
    await repository.have_fence(session)
    in_force = await repository.edition_in_force(session)
    if in_force is not None and in_force.code != edition:
        raise Conflict(
            f"The edition '{in_force.code}' is in force, which follows '{edition}': nothing goes "
            "back to it. Post an edition to /v1/gazetteer/editions that undoes what is wrong."
        )
    changed = await repository.load_shipped(session, shipped_areas())
    areas = await repository.count_by_level(session)
    if changed:
        await audit.record(session, after={"edition": edition, "changed": changed})
    return GazetteerOut(edition=edition, areas=areas, changed=changed)


async def get_detail(session: AsyncSession, code: str) -> AreaDetailOut:
    """An area with the history of its code; raises NotFound."""
    area = await get_area(session, code)
    history = await repository.list_history(session, code)
    return AreaDetailOut(
        **AreaOut.model_validate(area).model_dump(),
        history=[AreaChangeOut.model_validate(change) for change in history],
        successors=await repository.list_successors(session, code),
    )


async def get_area(session: AsyncSession, code: str) -> Area:
    """The area with this code; raises NotFound."""
    area = await repository.find_area(session, code)
    if area is None:
        raise NotFound(f"No area has the code '{code}'. GET /v1/areas lists them.")
    return area


async def refusals(session: AsyncSession, codes: Sequence[str]) -> dict[str, str]:
    """Why nobody can be enrolled in some of these areas, by code; the others are left out."""
    known = await repository.known_codes(session, codes)
    refused = {}
    for code in codes:
        if code not in known:
            refused[code] = NOT_THERE
        elif code != COUNTRY_CODE and len(code) > _DIGITS_OF_COMMUNES:
            refused[code] = TOO_SMALL
    return refused
