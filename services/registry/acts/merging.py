"""Merging two households into one."""

from typing import Any

from services.registry.acts import repository
from services.registry.acts.doing import (
    Doing,
    is_head,
    relationship_of,
    require_active,
    require_at_most,
    still_there,
)
from services.registry.acts.schemas import MergerIn
from services.registry.changes.tables import ChangeKind
from services.registry.duplicates.settling import repository as settling
from services.registry.households.shape import (
    COUNTED,
    MEMBERS,
)
from services.registry.households.tables import Archiving, Household
from services.registry.members.shape import Relationship
from services.registry.members.tables import Leaving
from shared.errors import Conflict, NotFound, Unprocessable


async def merge(doing: Doing, household: Household, given: MergerIn) -> None:
    """Have the members of another household be of this one; the other points to it."""
    if given.merged_id == household.id:
        raise Unprocessable("merged_id: a household cannot be merged into itself.")
    other = doing.households.get(given.merged_id)
    if other is None:
        raise NotFound("There is no household with the id merged_id.")
    require_active(household)
    require_active(other)
    if household.members_listed != other.members_listed:
        raise Conflict(
            "The members of one are known one by one, of the other only counts are. List the "
            "members of both, in an import, before they are one."
        )
    await doing.say(ChangeKind.MERGED, given)
    fields: dict[str, Any] = {}
    if household.members_listed:
        moving = still_there(await repository.everybody(doing.session, other.id))
        number = await doing.next_number(household.id)
        staying = still_there(await repository.everybody(doing.session, household.id))
        require_at_most(len(moving) + len(staying))
        for at, member in enumerate(moving):
            relationship = (
                Relationship.OTHER_RELATIVE if is_head(member) else relationship_of(member)
            )
            await doing.move_member(member, household.id, number + at, relationship, Leaving.MOVED)
    else:
        fields = {
            field.name: getattr(household, field.name) + getattr(other, field.name)
            for field in COUNTED
        }
        require_at_most(fields[MEMBERS.name])
    await doing.inherit(other, heir=household.id)
    await doing.change(household, **fields)
    await doing.change(
        other,
        archived_at=doing.now,
        archived_because=Archiving.MERGED,
        merged_into=household.id,
    )
    await doing.count(household.id)
    await settling.settle(
        doing.session,
        heir=household.id,
        merged=other.id,
        reason=given.reason,
        by=doing.by,
        at=doing.now,
        approval_id=doing.approval_id,
    )
