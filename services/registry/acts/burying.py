"""Keeping that a member died."""

from uuid import UUID

from services.registry.acts.doing import Doing
from services.registry.acts.schemas import DeathIn
from services.registry.changes.tables import ChangeKind
from services.registry.households.tables import Archiving, Household
from services.registry.members.tables import Leaving
from shared.errors import Unprocessable


async def bury(doing: Doing, household: Household, member_id_: UUID, given: DeathIn) -> None:
    """Keep that a member died; where nobody is left, the household is archived."""
    if given.died_on > doing.today:
        raise Unprocessable("died_on: the day has not come.")
    present = await doing.present_of(household)
    member = doing.member_of(present, member_id_)
    await doing.say(ChangeKind.MEMBER_DIED, given)
    left = [other for other in present.values() if other.id != member.id]
    await doing.end(member, on=given.died_on, because=Leaving.DIED)
    if not left:
        await doing.change(household, archived_at=doing.now, archived_because=Archiving.DIED)
        return
    await doing.succeed(household, member, left, given.new_head_id)
    await doing.count(household.id)
