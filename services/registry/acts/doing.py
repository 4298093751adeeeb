"""What is done with a household: one method for each act, in the caller's transaction.

Whoever calls has locked the households, and holds the fence of the gazetteer: shared by whoever
moves a household, alone by whoever changes which persons a household is of. Each method raises
Conflict or Unprocessable where the act cannot be done, before or after it wrote: whoever calls
rolls back.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.acts import repository
from services.registry.acts.schemas import (
    PERSONAL,
    ArchiveIn,
    DeathIn,
    DepartureIn,
    ErasureIn,
    HouseholdCorrectionIn,
    MergerIn,
    MoveIn,
    RestoreIn,
    SplitIn,
)
from services.registry.areas import repository as areas
from services.registry.areas.tables import Area
from services.registry.changes.repository import Said, say
from services.registry.changes.tables import ChangeKind
from services.registry.households import shape as household_shape
from services.registry.households.fields import Kept
from services.registry.households.persons import Person, PersonalData, household_id_of
from services.registry.households.shape import (
    COUNTED,
    FOUND,
    HEAD_NAME,
    MAXIMUM_MEMBERS,
    MEMBERS,
    REGISTRATION_NUMBER,
)
from services.registry.households.tables import Archiving, Household
from services.registry.members import repository as members
from services.registry.members.shape import (
    FOUND as FOUND_OF_MEMBER,
)
from services.registry.members.shape import (
    MAXIMUM_MEMBER_NUMBER,
    MEMBER_SHAPE,
    OPEN,
    PROGRAMMES,
    SEALED,
    Relationship,
)
from services.registry.members.storing import content_of, member_id
from services.registry.members.tables import Leaving, Member
from shared.errors import Conflict, NotFound, Unprocessable

_NOT_FROM_A_FILE = b""
"""The content of what no file said: the next that names it is taken."""
_FOUND_OF_HEAD = {
    field.found_by.column: field
    for field in FOUND
    if field.found_by is not None and field.kept is Kept.SEALED
}


class Doing:
    """Acts of one person, or of two, at one moment."""

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
        self._session = session
        self._personal_data = personal_data
        self._households = households
        self._by = by
        self._approval_id = approval_id
        self._now = now
        self._today = today

    async def correct(self, household: Household, given: HouseholdCorrectionIn) -> None:
        """Say better what is known of a household."""
        counts = given.counts()
        if counts and household.members_listed:
            raise Conflict(
                "Its counts follow from its members: correct, add or take out members instead."
            )
        after = {field.name: getattr(household, field.name) for field in COUNTED} | counts
        for field in COUNTED:
            if after[field.name] > after[MEMBERS.name]:
                detail = f"{field.name}: there are {after[MEMBERS.name]} members."
                raise Unprocessable(
                    detail, errors=[{"pointer": f"/body/{field.name}", "detail": detail}]
                )
        fields: dict[str, Any] = dict(counts)
        if given.poverty_status is not None:
            fields["poverty_status"] = given.poverty_status
        told = {} if given.person is None else given.person.model_dump(exclude_unset=True)
        if told:
            fields |= self._head(household.id, self._opened(household) | _normal(told))
        if not fields:
            raise Unprocessable("Say what is to be corrected: nothing is given.")
        await self._say(ChangeKind.CORRECTED, given)
        await self._change(household, **fields)

    async def move(self, household: Household, given: MoveIn) -> None:
        """Have a household live in another place."""
        _require_active(household)
        if (given.area_code, given.village_code) == (household.area_code, household.village_code):
            raise Conflict("It lives there already.")
        for code in filter(None, (given.area_code, given.village_code)):
            await self._require_living(code)
        await self._say(ChangeKind.MOVED, given)
        await self._change(household, area_code=given.area_code, village_code=given.village_code)

    async def archive(self, household: Household, given: ArchiveIn) -> None:
        """Have a household be none any more that could be enrolled."""
        _require_active(household)
        await self._say(ChangeKind.ARCHIVED, given)
        await self._change(household, archived_at=self._now, archived_because=given.because)

    async def restore(self, household: Household, given: RestoreIn) -> None:
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
        await self._say(ChangeKind.RESTORED, given)
        await self._change(household, archived_at=None, archived_because=None)

    async def merge(self, household: Household, given: MergerIn) -> None:
        """Have the members of another household be of this one; the other points to it."""
        if given.merged_id == household.id:
            raise Unprocessable("merged_id: a household cannot be merged into itself.")
        other = self._households.get(given.merged_id)
        if other is None:
            raise NotFound("There is no household with the id merged_id.")
        _require_active(household)
        _require_active(other)
        if household.members_listed != other.members_listed:
            raise Conflict(
                "The members of one are known one by one, of the other only counts are. List the "
                "members of both, in an import, before they are one."
            )
        await self._say(ChangeKind.MERGED, given)
        fields: dict[str, Any] = {}
        if household.members_listed:
            moving = _present(await repository.everybody(self._session, other.id))
            number = await self._next_number(household.id)
            staying = _present(await repository.everybody(self._session, household.id))
            _require_at_most(len(moving) + len(staying))
            for at, member in enumerate(moving):
                relationship = member.relationship  # type: ignore[attr-defined]
                if relationship == Relationship.HEAD:
                    relationship = Relationship.OTHER_RELATIVE
                await self._move_member(
                    member, household.id, number + at, relationship, Leaving.MOVED
                )
        else:
            fields = {
                field.name: getattr(household, field.name) + getattr(other, field.name)
                for field in COUNTED
            }
            _require_at_most(fields[MEMBERS.name])
        await repository.inherit_enrolments(self._session, other.id, heir=household.id)
        await self._change(household, **fields)
        await self._change(
            other,
            archived_at=self._now,
            archived_because=Archiving.MERGED,
            merged_into=household.id,
        )
        await self._count(household.id)

    async def split(self, household: Household, given: SplitIn) -> UUID:
        """Some members are a household of their own; its id."""
        _require_active(household)
        _require_listed(household)
        everybody = await repository.everybody(self._session, household.id)
        present = {member.id: member for member in _present(everybody)}
        going = [self._member_of(present, each.member_id) for each in given.members]
        if len(going) == len(present):
            raise Conflict(
                "All of them would go: nobody would be left. Move the household instead."
            )
        if any(_is_head(member) for member in going):
            raise Conflict("The head stays. Say first who else is the head, and split then.")
        number = REGISTRATION_NUMBER.kind.normalised(given.registration_number)
        assert number is not None
        new_id = household_id_of(number, self._personal_data.ids)
        indexes = [
            found.indexes_of(REGISTRATION_NUMBER)(number) for found in self._personal_data.found_by
        ]
        if await repository.is_registered(self._session, new_id, indexes):
            raise Conflict(
                "A household is registered by this number already. Give the new household a number "
                "of its own."
            )
        await self._say(ChangeKind.SPLIT, given)
        (head,) = (
            member
            for member, each in zip(going, given.members, strict=True)
            if each.relationship is Relationship.HEAD
        )
        person = {
            field.name: self._opened_member(head).get(field.name)
            for field in household_shape.SEALED
        } | {REGISTRATION_NUMBER.name: number}
        counts = dict.fromkeys((field.name for field in COUNTED), 0)
        await repository.add_household(
            self._session,
            id=new_id,
            area_code=household.area_code,
            village_code=household.village_code,
            poverty_status=household.poverty_status,
            members_listed=True,
            split_from=household.id,
            changed_at=self._now,
            content_index=_NOT_FROM_A_FILE,
            **counts | {MEMBERS.name: len(going)},
            **self._head(new_id, person),
        )
        for at, (member, each) in enumerate(zip(going, given.members, strict=True), start=1):
            await self._move_member(member, new_id, at, each.relationship, Leaving.SPLIT)
        await repository.inherit_enrolments(self._session, household.id, heir=new_id)
        await self._change(household)
        await self._count(household.id)
        await self._count(new_id)
        return new_id

    async def bury(self, household: Household, member_id_: UUID, given: DeathIn) -> None:
        """Keep that a member died; where nobody is left, the household is archived."""
        if given.died_on > self._today:
            raise Unprocessable("died_on: the day has not come.")
        present = await self._present_of(household)
        member = self._member_of(present, member_id_)
        await self._say(ChangeKind.MEMBER_DIED, given)
        left = [other for other in present.values() if other.id != member.id]
        await self._end(member, on=given.died_on, because=Leaving.DIED)
        if not left:
            await self._change(household, archived_at=self._now, archived_because=Archiving.DIED)
            return
        await self._succeed(household, member, left, given.new_head_id)
        await self._count(household.id)

    async def depart(self, household: Household, member_id_: UUID, given: DepartureIn) -> None:
        """Keep that a member left, for another household or for good."""
        if given.left_on > self._today:
            raise Unprocessable("left_on: the day has not come.")
        present = await self._present_of(household)
        member = self._member_of(present, member_id_)
        left = [other for other in present.values() if other.id != member.id]
        if not left:
            raise Conflict(
                "Nobody would be left. Archive the household, or merge it into another: "
                f"POST /v1/households/{household.id}/archive."
            )
        await self._say(ChangeKind.MEMBER_LEFT, given)
        if given.to_household_id is None:
            await self._end(member, on=given.left_on, because=Leaving.MOVED)
        else:
            await self._join(household, member, given)
        await self._succeed(household, member, left, given.new_head_id)
        await self._count(household.id)

    async def erase(self, household: Household, given: ErasureIn) -> None:
        """Overwrite who they were, wherever it is kept; what was paid, and to how many, stays."""
        if household.archived_at is None:
            raise Conflict(
                "Archive the household first: nobody is erased who could still be helped."
            )
        if household.erased_at is not None:
            raise Conflict("It is erased already.")
        await self._say(ChangeKind.ERASED, given)
        nobody: dict[str, str | None] = {field.name: None for field in household_shape.SEALED}
        head = self._head(household.id, nobody)
        # By its registration number a file finds it still, and does not register it anew.
        head.pop(REGISTRATION_NUMBER.found_by.column)  # type: ignore[union-attr]
        await self._change(household, erased_at=self._now, content_index=b"", **head)
        persons = {household.id: head["person_sealed"]}
        for member in await repository.everybody(self._session, household.id):
            sealed = self._sealed_member(
                member.id, dict.fromkeys((field.name for field in SEALED), None)
            )
            persons[member.id] = sealed
            await repository.change_member(
                self._session,
                member.id,
                person_sealed=sealed,
                birth_date=None,
                content_index=b"",
                name_tokens=None,
                changed_at=self._now,
                # Of whoever has left, a file changes nothing.
                **({} if member.left_on else _left(self._today, member)),
                **{
                    field.found_by.column: None
                    for field in FOUND_OF_MEMBER
                    if field.found_by is not None
                },
            )
        await repository.erase_accounts(
            self._session,
            household.id,
            sealed=self._personal_data.seal_account("", household_id=household.id.bytes),
            nobody=household.id.bytes,
            now=self._now,
        )
        await repository.erase_history(
            self._session,
            household.id,
            persons=persons,
            given=self._personal_data.persons.encrypt(b"{}", bound_to=household.id.bytes),
        )

    async def _say(self, kind: ChangeKind, given: Any) -> None:
        said = Said(
            kind=kind,
            by=self._by,
            at=self._now,
            approval_id=self._approval_id,
            source=given.source,
            reason=given.reason,
        )
        await say(self._session, said)

    async def _change(self, household: Household, **fields: Any) -> None:
        await repository.change_household(
            self._session, household.id, changed_at=self._now, **fields
        )

    async def _count(self, household_id: UUID) -> None:
        await members.list_members_of_one(self._session, household_id, on=self._today)

    async def _next_number(self, household_id: UUID) -> int:
        known = await repository.everybody(self._session, household_id)
        return max((_number(member) for member in known), default=0) + 1

    async def _present_of(self, household: Household) -> dict[UUID, Member]:
        _require_active(household)
        _require_listed(household)
        everybody = await repository.everybody(self._session, household.id)
        return {member.id: member for member in _present(everybody)}

    def _member_of(self, present: Mapping[UUID, Member], id_: UUID) -> Member:
        member = present.get(id_)
        if member is None:
            raise NotFound(
                "The household has no such member, or has it no more. GET "
                "/v1/households/{household_id}/members lists everybody who is or was one."
            )
        return member

    async def _end(self, member: Member, *, on: date, because: Leaving) -> None:
        if member.joined_on is not None and on < member.joined_on:
            raise Unprocessable(f"They joined the household on {member.joined_on}, after that day.")
        await repository.end_member(self._session, member.id, on=on, because=because, at=self._now)

    async def _succeed(
        self,
        household: Household,
        gone: Member,
        left: Sequence[Member],
        new_head_id: UUID | None,
    ) -> None:
        """Who is the head, once somebody is gone."""
        if not _is_head(gone):
            if new_head_id is not None:
                raise Unprocessable("new_head_id: this member is not the head.")
            await self._change(household)
            return
        head = next((member for member in left if member.id == new_head_id), None)
        if head is None:
            raise Unprocessable("new_head_id: the head is gone; say which member is the head now.")
        values = self._values(head) | {"relationship": Relationship.HEAD}
        await repository.change_member(
            self._session,
            head.id,
            relationship=Relationship.HEAD,
            changed_at=self._now,
            content_index=await self._content(head, values),
        )
        person = self._opened_member(head)
        number = self._opened(household)[REGISTRATION_NUMBER.name]
        told = {field.name: person.get(field.name) for field in household_shape.SEALED}
        await self._change(
            household, **self._head(household.id, told | {REGISTRATION_NUMBER.name: number})
        )

    async def _join(self, household: Household, member: Member, given: DepartureIn) -> None:
        if given.to_household_id == household.id:
            raise Unprocessable("to_household_id: they are of this household already.")
        joined = self._households.get(given.to_household_id) if given.to_household_id else None
        if joined is None or given.relationship is None:
            raise NotFound("There is no household with the id to_household_id.")
        _require_active(joined)
        _require_listed(joined)
        there = await repository.everybody(self._session, joined.id)
        _require_at_most(len(_present(there)) + 1)
        await self._move_member(
            member,
            joined.id,
            await self._next_number(joined.id),
            given.relationship,
            Leaving.MOVED,
            on=given.left_on,
        )
        await self._change(joined)
        await self._count(joined.id)

    async def _move_member(
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
        on = on or self._today
        await self._end(member, on=max(on, member.joined_on or on), because=because)
        id_ = member_id(to_id, number)
        values = self._values(member) | {"relationship": relationship, "member_number": number}
        await repository.add_member(
            self._session,
            id=id_,
            household_id=to_id,
            changed_at=self._now,
            joined_on=on,
            came_from=member.id,
            person_sealed=self._sealed_member(id_, self._opened_member(member)),
            content_index=await self._content(member, values),
            **values,
            **{
                field.found_by.column: getattr(member, field.found_by.column)
                for field in FOUND_OF_MEMBER
                if field.found_by is not None
            },
        )
        await repository.take_programmes(self._session, member.id, id_)

    def _values(self, member: Member) -> dict[str, Any]:
        return {field.name: getattr(member, field.name) for field in OPEN}

    async def _content(self, member: Member, values: Mapping[str, Any]) -> bytes:
        known = await members.programmes_of(self._session, [member.id])
        programmes = tuple(
            membership.programme_code
            for membership in known[member.id]
            if membership.until is None or membership.until > self._today
        )
        said = {**values, **self._opened_member(member), PROGRAMMES.name: programmes}
        return content_of(
            [said[field.name] for field in MEMBER_SHAPE], indexes=self._personal_data.index
        )

    def _opened(self, household: Household) -> dict[str, str | None]:
        return dict(
            self._personal_data.open_person(household.person_sealed, household_id=household.id)
        )

    def _opened_member(self, member: Member) -> Person:
        return self._personal_data.open_sealed(
            member.person_sealed, SEALED, bound_to=member.id, household_id=member.household_id
        )

    def _sealed_member(self, id_: UUID, person: Mapping[str, str | None]) -> bytes:
        return self._personal_data.seal_person(
            [person[field.name] for field in SEALED], household_id=id_.bytes
        )

    def _head(self, household_id: UUID, person: Mapping[str, str | None]) -> dict[str, Any]:
        """The columns of a household that say who its head is."""
        index = self._personal_data.index
        return {
            "person_sealed": self._personal_data.seal_person(
                [person[field.name] for field in household_shape.SEALED],
                household_id=household_id.bytes,
            ),
            **{
                column: None
                if (value := person[field.name]) is None
                else index.indexes_of(field)(value)
                for column, field in _FOUND_OF_HEAD.items()
            },
            "name_tokens": index.name_tokens(person[HEAD_NAME.name]),
        }

    async def _require_living(self, code: str) -> Area:
        area = await areas.find_area(self._session, code)
        if area is None:
            raise Unprocessable(f"{code} is no place of the gazetteer. GET /v1/areas lists them.")
        if area.ended_at is not None:
            led = ", ".join(await areas.list_successors(self._session, code))
            raise Unprocessable(
                f"{code} is in force no more" + (f": it became {led}." if led else ".")
            )
        return area


def _normal(told: Mapping[str, str | None]) -> dict[str, str | None]:
    """What is given of a person, as it is kept; raises Unprocessable."""
    normal: dict[str, str | None] = {}
    for field in PERSONAL:
        if field.name not in told:
            continue
        value = told[field.name]
        normal[field.name] = None if value is None else field.kind.normalised(value)
        is_missing = value is None and not field.optional
        if is_missing or (value is not None and not _fits(field, value)):
            raise Unprocessable(
                field.remedy,
                errors=[{"pointer": f"/body/person/{field.name}", "detail": field.remedy}],
            )
    return normal


def _fits(field: Any, value: str) -> bool:
    return field.kind.read([value], optional=False, communes={}).readable and (
        field is not HEAD_NAME or bool(value.strip())
    )


def _present(everybody: Sequence[Member]) -> list[Member]:
    return [member for member in everybody if member.left_on is None]


def _left(today: date, member: Member) -> dict[str, Any]:
    on = max(today, member.joined_on or today)
    return {"left_on": on, "left_because": Leaving.MOVED}


def _number(member: Member) -> int:
    number: int = member.member_number
    return number


def _is_head(member: Member) -> bool:
    return bool(member.relationship == Relationship.HEAD)  # type: ignore[attr-defined]


def _require_active(household: Household) -> None:
    if household.archived_at is not None:
        raise Conflict(
            "The household is archived"
            + (
                f": it is part of {household.merged_into}."
                if household.merged_into
                else ". Restore it first, if it is one again."
            )
        )


def _require_listed(household: Household) -> None:
    if not household.members_listed:
        raise Conflict(
            "Only counts are known of this household. List its members first, in an import, or "
            f"correct the counts: PATCH /v1/households/{household.id}."
        )


def _require_at_most(count: int) -> None:
    if count > MAXIMUM_MEMBERS:
        raise Conflict(f"A household has at most {MAXIMUM_MEMBERS} members.")
