"""Keeping that a member left, for another household or for good."""

from uuid import UUID

from services.registry.acts import repository
from services.registry.acts.doing import (
    Doing,
    require_active,
    require_at_most,
    require_listed,
    still_there,
)
from services.registry.acts.schemas import DepartureIn
from services.registry.changes.tables import ChangeKind
from services.registry.households.tables import Household
from services.registry.members.tables import Leaving, Member
from shared.errors import Conflict, NotFound, Unprocessable


async def depart(doing: Doing, household: Household, member_id_: UUID, given: DepartureIn) -> None:
    """Keep that a member left, for another household or for good."""
    if given.left_on > doing.today:
        raise Unprocessable("left_on: the day has not come.")
    present = await doing.present_of(household)
    member = doing.member_of(present, member_id_)
    left = [other for other in present.values() if other.id != member.id]
    if not left:
        raise Conflict(
            "Nobody would be left. Archive the household, or merge it into another: "
            f"POST /v1/households/{household.id}/archive."
        )
    await doing.say(ChangeKind.MEMBER_LEFT, given)
    if given.to_household_id is None:
        await doing.end(member, on=given.left_on, because=Leaving.MOVED)
    else:
        await _join(doing, household, member, given)
    await doing.succeed(household, member, left, given.new_head_id)
    await doing.count(household.id)


async def _join(doing: Doing, household: Household, member: Member, given: DepartureIn) -> None:
    if given.to_household_id == household.id:
        raise Unprocessable("to_household_id: they are of this household already.")
    joined = doing.households.get(given.to_household_id) if given.to_household_id else None
    if joined is None or given.relationship is None:
        raise NotFound("There is no household with the id to_household_id.")
    require_active(joined)
    require_listed(joined)
    there = await repository.everybody(doing.session, joined.id)
    require_at_most(len(still_there(there)) + 1)
    await doing.move_member(
        member,
        joined.id,
        await doing.next_number(joined.id),
        given.relationship,
        Leaving.MOVED,
        on=given.left_on,
    )
    await doing.change(joined)
    await doing.count(joined.id)
