"""Having a household live in another place."""

from services.registry.acts.doing import Doing, require_active
from services.registry.acts.schemas import MoveIn
from services.registry.areas import repository as areas
from services.registry.areas.tables import Area
from services.registry.changes.tables import ChangeKind
from services.registry.households.tables import Household
from shared.errors import Conflict, Unprocessable


async def move(doing: Doing, household: Household, given: MoveIn) -> None:
    """Have a household live in another place."""
    require_active(household)
    if (given.area_code, given.village_code) == (household.area_code, household.village_code):
        raise Conflict("It lives there already.")
    for code in filter(None, (given.area_code, given.village_code)):
        await _require_living(doing, code)
    await doing.say(ChangeKind.MOVED, given)
    await doing.change(household, area_code=given.area_code, village_code=given.village_code)


async def _require_living(doing: Doing, code: str) -> Area:
    area = await areas.find_area(doing.session, code)
    if area is None:
        raise Unprocessable(f"{code} is no place of the gazetteer. GET /v1/areas lists them.")
    if area.ended_at is not None:
        led = ", ".join(await areas.list_successors(doing.session, code))
        raise Unprocessable(f"{code} is in force no more" + (f": it became {led}." if led else "."))
    return area
