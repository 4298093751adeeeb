"""Showing members, and households with their members."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import Person, PersonalData
from services.registry.households.service import Households
from services.registry.members import repository
from services.registry.members.schemas import (
    HouseholdWithMembersOut,
    MemberOut,
    ProgrammeIn,
    ProgrammeMembershipOut,
    ProgrammeOut,
)
from services.registry.members.shape import OPEN, SEALED
from services.registry.members.tables import Member, ProgrammeMembership
from services.registry.scopes import READ_PERSONAL
from shared.auth import Caller
from shared.errors import Conflict, NotFound
from shared.pagination import Int2, Page, PageOf


class Members:
    """Members as one caller may see them."""

    def __init__(
        self, session: AsyncSession, *, personal_data: PersonalData, caller: Caller
    ) -> None:
        self._session = session
        self._personal_data = personal_data
        self._shows_persons = READ_PERSONAL in caller.scopes
        self._households = Households(session, personal_data=personal_data, caller=caller)

    async def household(self, household_id: UUID, *, today: date) -> HouseholdWithMembersOut:
        """A household with its counts and members of today; raises NotFound."""
        household, account = await self._households.find(household_id)
        shown = self._households.shown(household, account).model_dump()
        listed = None
        if household.members_listed:
            counts = await repository.counts_of(self._session, household_id, on=today)
            shown |= {name: count for name, count in counts.items() if shown[name] is not None}
            if self._shows_persons:
                members = await repository.list_members(self._session, household_id, on=today)
                listed = await self.shown(members)
        return HouseholdWithMembersOut.model_validate(shown | {"listed": listed})

    async def of_household(self, household_id: UUID, *, page: Page) -> PageOf[MemberOut]:
        """A page of everybody who is or was a member, by number; raises NotFound."""
        await self._households.find(household_id)
        found = await repository.list_members(
            self._session, household_id, after=page.after(Int2), limit=page.fetch_limit
        )
        cut = page.of(found, key=lambda member: (member.member_number,))
        return PageOf(items=await self.shown(cut.items), next_cursor=cut.next_cursor)

    async def get(self, household_id: UUID, member_id: UUID) -> MemberOut:
        """A member; raises NotFound."""
        (shown,) = await self.shown([await self.find(household_id, member_id)])
        return shown

    async def find(self, household_id: UUID, member_id: UUID) -> Member:
        """A member, also one who has left; raises NotFound."""
        member = await repository.find_member(self._session, household_id, member_id)
        if member is None:
            raise NotFound(
                "The household has no such member. GET /v1/households/{household_id}/members "
                "lists everybody who is or was one."
            )
        return member

    def opened(self, member: Member) -> Person:
        """What is sealed of a member."""
        return self._personal_data.open_sealed(
            member.person_sealed, SEALED, bound_to=member.id, household_id=member.household_id
        )

    async def shown(
        self, members: Sequence[Member], *, as_of: date | None = None
    ) -> list[MemberOut]:
        """Members with what is sealed of them, and their programmes: all, or as on a past day."""
        await self._personal_data.learn(self._session, {member.household_id for member in members})
        programmes = await repository.programmes_of(
            self._session, [member.id for member in members]
        )
        return [
            self._shown_member(
                member,
                [
                    _shown_programme(each, as_of)
                    for each in programmes[member.id]
                    if _had_begun(each, as_of)
                ],
            )
            for member in members
        ]

    def _shown_member(self, member: Member, programmes: list[ProgrammeMembershipOut]) -> MemberOut:
        fields: dict[str, Any] = {field.name: getattr(member, field.name) for field in OPEN}
        return MemberOut(
            id=member.id,
            household_id=member.household_id,
            joined_on=member.joined_on,
            left_on=member.left_on,
            left_because=member.left_because,
            programmes=programmes,
            changed_at=member.changed_at,
            **fields,
            **self.opened(member),
        )


def _had_begun(membership: ProgrammeMembership, as_of: date | None) -> bool:
    return as_of is None or membership.since is None or membership.since <= as_of


def _shown_programme(membership: ProgrammeMembership, as_of: date | None) -> ProgrammeMembershipOut:
    """A membership; on a past day nobody knew of an end that came after it."""
    until = membership.until
    if as_of is not None and until is not None and until > as_of:
        until = None
    return ProgrammeMembershipOut(
        code=membership.programme_code, since=membership.since, until=until
    )


async def list_programmes(session: AsyncSession, *, page: Page) -> PageOf[ProgrammeOut]:
    """A page of the routine programmes, by code."""
    found = await repository.list_programmes(session, after=page.after(str), limit=page.fetch_limit)
    shown = [
        ProgrammeOut(code=known.code, name_en=known.name_en, name_km=known.name_km)
        for known in found
    ]
    return page.of(shown, key=lambda programme: (programme.code,))


async def add_programme(session: AsyncSession, given: ProgrammeIn) -> ProgrammeOut:
    """The programme that was added; raises Conflict where there is one of its code."""
    if not await repository.add_programme(session, **given.model_dump()):
        raise Conflict(f"There is a programme '{given.code}' already. Choose another code.")
    return ProgrammeOut.model_validate(given.model_dump())
