"""Having an archived household be one again."""

from services.registry.acts.doing import Doing
from services.registry.acts.schemas import RestoreIn
from services.registry.changes.tables import ChangeKind
from services.registry.households.tables import Household
from shared.errors import Conflict


async def restore(doing: Doing, household: Household, given: RestoreIn) -> None:
    """Have an archived household be one again."""
    if household.archived_at is None:
        raise Conflict("It is not archived.")
    if household.erased_at is not None:
        raise Conflict("Nobody knows any more who they were. Register them anew.")
    if household.merged_into is not None:
        raise Conflict(
            f"Its members are of household {household.merged_into} now. Split that: "
            f"POST /v1/households/{household.merged_into}/split."
        )
    await doing.say(ChangeKind.RESTORED, given)
    await doing.change(household, archived_at=None, archived_because=None)
