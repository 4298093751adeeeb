"""Having a household be none any more that could be enrolled."""

from services.registry.acts.doing import Doing, require_active
from services.registry.acts.schemas import ArchiveIn
from services.registry.changes.tables import ChangeKind
from services.registry.households.tables import Household


async def archive(doing: Doing, household: Household, given: ArchiveIn) -> None:
    """Have a household be none any more that could be enrolled."""
    require_active(household)
    await doing.say(ChangeKind.ARCHIVED, given)
    await doing.change(household, archived_at=doing.now, archived_because=given.because)
