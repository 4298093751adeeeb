"""What the acts on households have in common; each act is a function in a file of its own.

Whoever calls one has locked the households, and holds the fence of the gazetteer: shared by
whoever moves a household, alone by whoever changes which persons a household is of. Each raises
Conflict or Unprocessable where the act cannot be done, before or after it wrote: whoever calls
rolls back.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.acts import repository
from services.registry.changes.repository import Said, say
from services.registry.changes.tables import ChangeKind
from services.registry.households import shape as household_shape
from services.registry.households.fields import Kept
from services.registry.households.persons import Person, PersonalData
from services.registry.households.shape import (
    FOUND,
    HEAD_NAME,
    MAXIMUM_MEMBERS,
    REGISTRATION_NUMBER,
)
from services.registry.households.tables import Household
from services.registry.members import repository as members
from services.registry.members.shape import FOUND as FOUND_OF_MEMBER
from services.registry.members.shape import (
    MAXIMUM_MEMBER_NUMBER,
    MEMBER_SHAPE,
    OPEN,
    PROGRAMMES,
    RELATIONSHIP,
    SEALED,
    Relationship,
)
from services.registry.members.storing import content_of, member_id
from services.registry.members.tables import Leaving, Member
from shared.errors import Conflict, NotFound, Unprocessable

_FOUND_OF_HEAD = {
    field.found_by.column: field
    for field in FOUND
    if field.found_by is not None and field.kept is Kept.SEALED
}


class Doing:
    """Something that one person does, or two do, with households at one moment."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        personal_data: PersonalData,
        households: Mapping[UUID, Household],
        by: str,
        approval_id: UUID | None,
        now: datetime,
        today: date,
    ) -> None:
        self.session = session
        self.personal_data = personal_data
        self.households = households
        self.by = by
        self.approval_id = approval_id
        self.now = now
        self.today = today

    async def say(self, kind: ChangeKind, given: Any) -> None:
        """Tell the history what the rows that follow are changed by."""
        said = Said(
            kind=kind,
            by=self.by,
            at=self.now,
            approval_id=self.approval_id,
            source=given.source,
            reason=given.reason,
        )
        await say(self.session, said)

    async def change(self, household: Household, **fields: Any) -> None:
        """Change a household; ``fields`` are the table's columns."""
        await repository.change_household(self.session, household.id, changed_at=self.now, **fields)

    async def count(self, household_id: UUID) -> None:
        """Have the counts of a household be those of its members, where these are listed."""
        await members.list_members_of_one(self.session, household_id, on=self.today)

    async def inherit(self, household: Household, *, heir: UUID) -> None:
        """Have a household be bound by what holds of persons who come to it from another one."""
        await repository.inherit_enrolments(self.session, household.id, heir=heir)
        await repository.inherit_refusals(
            self.session, household.id, heir=heir, by=self.by, now=self.now, today=self.today
        )

    async def next_number(self, household_id: UUID) -> int:
        """The number of whoever joins a household next."""
        known = await repository.everybody(self.session, household_id)
        return max((member.member_number for member in known), default=0) + 1

    async def present_of(self, household: Household) -> dict[UUID, Member]:
        """Its members, by id; raises Conflict where it is archived, or only counted."""
        require_active(household)
        require_listed(household)
        everybody = await repository.everybody(self.session, household.id)
        return {member.id: member for member in still_there(everybody)}

    def member_of(self, present: Mapping[UUID, Member], id_: UUID) -> Member:
        """One of those who are present; raises NotFound."""
        member = present.get(id_)
        if member is None:
            raise NotFound(
                "The household has no such member, or has it no more. GET "
                "/v1/households/{household_id}/members lists everybody who is or was one."
            )
        return member

    async def end(self, member: Member, *, on: date, because: Leaving) -> None:
        """Have somebody be no member from a day on; raises Unprocessable before they joined."""
        if member.joined_on is not None and on < member.joined_on:
            raise Unprocessable(f"They joined the household on {member.joined_on}, after that day.")
        await repository.end_member(self.session, member.id, on=on, because=because, at=self.now)

    async def succeed(
        self,
        household: Household,
        gone: Member,
        left: Sequence[Member],
        new_head_id: UUID | None,
    ) -> None:
        """Who is the head, once somebody is gone."""
        if not is_head(gone):
            if new_head_id is not None:
                raise Unprocessable("new_head_id: this member is not the head.")
            await self.change(household)
            return
        head = next((member for member in left if member.id == new_head_id), None)
        if head is None:
            raise Unprocessable("new_head_id: the head is gone; say which member is the head now.")
        values = self.values(head) | {"relationship": Relationship.HEAD}
        await repository.change_member(
            self.session,
            head.id,
            relationship=Relationship.HEAD,
            changed_at=self.now,
            content_index=await self.content(head, values),
        )
        person = self.opened_member(head)
        number = self.opened(household)[REGISTRATION_NUMBER.name]
        told = {field.name: person.get(field.name) for field in household_shape.SEALED}
        await self.change(
            household, **self.head(household.id, told | {REGISTRATION_NUMBER.name: number})
        )

    async def move_member(
        self,
        member: Member,
        to_id: UUID,
        number: int,
        relationship: Relationship,
        because: Leaving,
        *,
        on: date | None = None,
    ) -> None:
        """Have a row of another household stand for the same person; the row of before ends."""
        if number > MAXIMUM_MEMBER_NUMBER:
            raise Conflict(f"A household has at most {MAXIMUM_MEMBER_NUMBER} members ever.")
        on = on or self.today
        await self.end(member, on=max(on, member.joined_on or on), because=because)
        id_ = member_id(to_id, number)
        values = self.values(member) | {"relationship": relationship, "member_number": number}
        await repository.add_member(
            self.session,
            id=id_,
            household_id=to_id,
            changed_at=self.now,
            joined_on=on,
            came_from=member.id,
            person_sealed=self.sealed_member(to_id, id_, self.opened_member(member)),
            content_index=await self.content(member, values),
            **values,
            **{
                field.found_by.column: getattr(member, field.found_by.column)
                for field in FOUND_OF_MEMBER
                if field.found_by is not None
            },
        )
        await repository.take_programmes(self.session, member.id, id_)

    def values(self, member: Member) -> dict[str, Any]:
        """What lies open of a member."""
        return {field.name: getattr(member, field.name) for field in OPEN}

    async def content(self, member: Member, values: Mapping[str, Any]) -> bytes:
        """By what an import tells whether it would change a member who is as ``values`` say."""
        known = await members.programmes_of(self.session, [member.id])
        programmes = tuple(
            membership.programme_code
            for membership in known[member.id]
            if membership.until is None or membership.until > self.today
        )
        said = {**values, **self.opened_member(member), PROGRAMMES.name: programmes}
        return content_of(
            [said[field.name] for field in MEMBER_SHAPE], indexes=self.personal_data.index
        )

    def opened(self, household: Household) -> dict[str, str | None]:
        """Who the head is, as the household keeps it."""
        return dict(
            self.personal_data.open_person(household.person_sealed, household_id=household.id)
        )

    def opened_member(self, member: Member) -> Person:
        """Who a member is."""
        return self.personal_data.open_sealed(
            member.person_sealed, SEALED, bound_to=member.id, household_id=member.household_id
        )

    def sealed_member(
        self, household_id: UUID, id_: UUID, person: Mapping[str, str | None]
    ) -> bytes:
        """A person as the row of a member keeps them."""
        return self.personal_data.seal_person(
            [person[field.name] for field in SEALED],
            bound_to=id_.bytes,
            household_id=household_id,
        )

    def head(self, household_id: UUID, person: Mapping[str, str | None]) -> dict[str, Any]:
        """The columns of a household that say who its head is."""
        index = self.personal_data.index
        return {
            "person_sealed": self.personal_data.seal_person(
                [person[field.name] for field in household_shape.SEALED],
                bound_to=household_id.bytes,
                household_id=household_id,
            ),
            **{
                column: None
                if (value := person[field.name]) is None
                else index.indexes_of(field)(value)
                for column, field in _FOUND_OF_HEAD.items()
            },
            "name_tokens": index.name_tokens(person[HEAD_NAME.name]),
        }


def still_there(everybody: Sequence[Member]) -> list[Member]:
    """Those who have not left."""
    return [member for member in everybody if member.left_on is None]


def relationship_of(member: Member) -> Relationship:
    """What somebody is to the head of their household."""
    relationship: Relationship = getattr(member, RELATIONSHIP.name)
    return relationship


def is_head(member: Member) -> bool:
    """Whether the household is called by their name."""
    return relationship_of(member) is Relationship.HEAD


def require_active(household: Household) -> None:
    """Raises Conflict for an archived household."""
    if household.archived_at is not None:
        raise Conflict(
            "The household is archived"
            + (
                f": it is part of {household.merged_into}."
                if household.merged_into
                else ". Restore it first, if it is one again."
            )
        )


def require_listed(household: Household) -> None:
    """Raises Conflict for a household of which only counts are known."""
    if not household.members_listed:
        raise Conflict(
            "Only counts are known of this household. List its members first, in an import, or "
            f"correct the counts: PATCH /v1/households/{household.id}."
        )


def require_at_most(count: int) -> None:
    """Raises Conflict for more members than a household can have."""
    if count > MAXIMUM_MEMBERS:
        raise Conflict(f"A household has at most {MAXIMUM_MEMBERS} members.")
