"""Making some members a household of their own."""

from uuid import UUID

from services.registry.acts import repository
from services.registry.acts.doing import Doing, is_head
from services.registry.acts.schemas import SplitIn
from services.registry.changes.tables import ChangeKind
from services.registry.household_keys.repository import give_missing
from services.registry.households import shape as household_shape
from services.registry.households.persons import household_id_of
from services.registry.households.shape import (
    COUNTED,
    MEMBERS,
    REGISTRATION_NUMBER,
)
from services.registry.households.tables import Household
from services.registry.members.shape import Relationship
from services.registry.members.tables import Leaving
from shared.errors import Conflict

_NOT_FROM_A_FILE = b""
"""The content of what no file said: the next that names it is taken."""


async def split(doing: Doing, household: Household, given: SplitIn) -> UUID:
    """Some members are a household of their own; its id."""
    present = await doing.present_of(household)
    going = [doing.member_of(present, each.member_id) for each in given.members]
    if len(going) == len(present):
        raise Conflict("All of them would go: nobody would be left. Move the household instead.")
    if any(is_head(member) for member in going):
        raise Conflict("The head stays. Say first who else is the head, and split then.")
    number = REGISTRATION_NUMBER.kind.normalised(given.registration_number)
    assert number is not None
    new_id = household_id_of(number, doing.personal_data.ids)
    indexes = [
        found.indexes_of(REGISTRATION_NUMBER)(number) for found in doing.personal_data.found_by
    ]
    if await repository.is_registered(doing.session, new_id, indexes):
        raise Conflict(
            "A household is registered by this number already. Give the new household a number "
            "of its own."
        )
    await doing.say(ChangeKind.SPLIT, given)
    await give_missing(doing.session, [new_id])
    await doing.personal_data.learn(doing.session, [new_id])
    (head,) = (
        member
        for member, each in zip(going, given.members, strict=True)
        if each.relationship is Relationship.HEAD
    )
    person = {
        field.name: doing.opened_member(head).get(field.name) for field in household_shape.SEALED
    } | {REGISTRATION_NUMBER.name: number}
    counts = dict.fromkeys((field.name for field in COUNTED), 0)
    await repository.add_household(
        doing.session,
        id=new_id,
        area_code=household.area_code,
        village_code=household.village_code,
        poverty_status=household.poverty_status,
        members_listed=True,
        split_from=household.id,
        changed_at=doing.now,
        content_index=_NOT_FROM_A_FILE,
        **counts | {MEMBERS.name: len(going)},
        **doing.head(new_id, person),
    )
    for at, (member, each) in enumerate(zip(going, given.members, strict=True), start=1):
        await doing.move_member(member, new_id, at, each.relationship, Leaving.SPLIT)
    await doing.inherit(household, heir=new_id)
    await doing.change(household)
    await doing.count(household.id)
    await doing.count(new_id)
    return new_id
