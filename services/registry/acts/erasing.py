"""Erasing for good who the members of a household were."""

from services.registry.acts import repository
from services.registry.acts.doing import Doing
from services.registry.acts.schemas import ErasureIn
from services.registry.changes.tables import ChangeKind
from services.registry.households.tables import Household
from shared.errors import Conflict


async def erase(doing: Doing, household: Household, given: ErasureIn) -> None:
    """Destroy what they are sealed with, and overwrite who they were, wherever it is kept; what
    was paid, and to how many, stays."""
    if household.archived_at is None:
        raise Conflict("Archive the household first: nobody is erased who could still be helped.")
    if household.erased_at is not None:
        raise Conflict("It is erased already.")
    await doing.say(ChangeKind.ERASED, given)
    await repository.erase(doing.session, [household.id], now=doing.now, today=doing.today)
