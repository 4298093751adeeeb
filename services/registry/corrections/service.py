"""Adding and correcting members: alone, so many a day; and by two persons.

What a household gets follows from who its members are. Of a household that is enrolled in an
activation that can still pay, nothing that counts is one person's to change, nor are more changes
in a day than a set number. What somebody is called, and by which numbers they are known, counts in
no amount.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.accounts.repository import is_enrolled
from services.registry.approvals.tables import ApprovalKind
from services.registry.changes.repository import Said, say
from services.registry.changes.tables import ChangeKind
from services.registry.corrections import repository
from services.registry.corrections.schemas import (
    GIVEN,
    MemberChangeOut,
    MemberCorrectionIn,
    MemberIn,
    MemberValuesOut,
)
from services.registry.corrections.tables import MemberChange
from services.registry.household_keys.repository import give_missing
from services.registry.households.fields import Kept
from services.registry.households.persons import PersonalData
from services.registry.households.service import require_household
from services.registry.households.shape import MAXIMUM_MEMBERS
from services.registry.households.tables import Household
from services.registry.members import repository as members
from services.registry.members.schemas import MemberAddedOut, MemberOut
from services.registry.members.service import Members
from services.registry.members.shape import (
    BIRTH_DATE,
    FOUND,
    MEMBER_NUMBER,
    MEMBER_SHAPE,
    NAME,
    OPEN,
    PREGNANCY_DUE_ON,
    PROGRAMMES,
    SEALED,
    SEX,
    Sex,
)
from services.registry.members.storing import content_of, member_id
from services.registry.members.tables import Member
from shared import audit
from shared.approvals import Approval, ApprovalOut, Effect, Steps
from shared.approvals import service as approvals
from shared.auth import Caller
from shared.clock import COUNTRY_ZONE, Clock
from shared.contracts.events import HouseholdChanged
from shared.errors import Conflict, NotFound, Unprocessable
from shared.events import publish
from shared.ids import new_id
from shared.version import API_PREFIX

_MEMBERS = "members"

Values = Mapping[str, Any]
"""Everything that is known of a member, by field."""


class Corrections:
    """Corrections as one caller may make them."""

    def __init__(
        self,
        session: AsyncSession,
        steps: Steps,
        *,
        personal_data: PersonalData,
        alone: int,
        caller: Caller,
        clock: Clock,
    ) -> None:
        """``alone`` is how many members one person adds or corrects in a day."""
        self._session = session
        self._steps = steps
        self._personal_data = personal_data
        self._alone = alone
        self._caller = caller
        self._clock = clock
        self._members = Members(session, personal_data=personal_data, caller=caller)

    async def add(self, household_id: UUID, given: MemberIn) -> MemberAddedOut | ApprovalOut:
        """Who was added, or the proposal to add them. Raises NotFound, Conflict, Unprocessable."""
        household = await self._locked(household_id)
        if not household.members_listed:
            raise Conflict(
                "Only counts are known of this household. List all of its members at once, in an "
                "import: one alone would stand for them all."
            )
        present = await members.list_members(self._session, household_id, on=self._clock.today())
        if len(present) >= MAXIMUM_MEMBERS:
            raise Conflict(f"A household has at most {MAXIMUM_MEMBERS} members.")
        number = await repository.next_number(self._session, household_id)
        values = {MEMBER_NUMBER.name: number, **given.model_dump(exclude={"joined_on"})}
        await self._check(values)
        if given.joined_on is not None and given.joined_on > self._clock.today():
            raise Unprocessable("joined_on: the day has not come.")
        born = values[BIRTH_DATE.name]
        if given.joined_on is not None and born is not None and given.joined_on < born:
            raise Unprocessable("joined_on: nobody joins a household before they are born.")
        change_id = await self._keep(
            household_id, member_id(household_id, number), values, None, joined_on=given.joined_on
        )
        what = f"Add member {number} to household {household_id}."
        proposal = await self._decided(household, change_id, what, counts=True)
        if proposal is not None:
            return proposal
        return MemberAddedOut(
            id=member_id(household_id, number), household_id=household_id, member_number=number
        )

    async def correct(
        self, household_id: UUID, id: UUID, given: MemberCorrectionIn
    ) -> MemberOut | ApprovalOut:
        """The member as they are now, or the proposal to correct them.

        Raises NotFound, Conflict where they have left, Unprocessable.
        """
        household = await self._locked(household_id)
        member = await self._members.find(household_id, id)
        if member.left_on is not None:
            raise Conflict("This member has left the household: what is known of them stays.")
        before = await self._values_of(member)
        after = {**before, **given.model_dump(exclude_unset=True)}
        after[PROGRAMMES.name] = sorted(set(after[PROGRAMMES.name]))
        changed = [field for field in GIVEN if before[field.name] != after[field.name]]
        if not changed:
            return await self._members.get(household_id, id)
        await self._check(after)
        change_id = await self._keep(household_id, id, after, member)
        counts = any(field.kept is not Kept.SEALED for field in changed)
        names = ", ".join(field.words.english.lower() for field in changed)
        what = f"Correct of member {member.member_number} of household {household_id}: {names}."
        proposal = await self._decided(household, change_id, what, counts=counts)
        if proposal is not None:
            return proposal
        return await self._members.get(household_id, id)

    async def change(self, household_id: UUID, change_id: UUID) -> MemberChangeOut:
        """What was asked for, for who decides it; raises NotFound."""
        await require_household(self._session, household_id, bound=self._caller.areas)
        found = await repository.find_change(self._session, household_id, change_id)
        if found is None:
            raise NotFound("Nobody asked for such a change of a member of this household.")
        member = await members.find_member(self._session, household_id, found.member_id)
        await self._personal_data.learn(self._session, [household_id])
        sealed = self._personal_data.open_sealed(
            found.person_sealed, SEALED, bound_to=found.member_id, household_id=household_id
        )
        after = {field.name: getattr(found, field.name) for field in OPEN}
        after |= {**sealed, PROGRAMMES.name: found.programmes}
        now = None if member is None else await self._values_of(member)
        return MemberChangeOut(
            id=change_id,
            household_id=household_id,
            member_id=found.member_id,
            asked_by=found.asked_by,
            asked_at=found.asked_at,
            made_at=found.made_at,
            joined_on=found.joined_on,
            now=None if now is None else MemberValuesOut.model_validate(now),
            asked_for=MemberValuesOut.model_validate(after),
        )

    async def _locked(self, household_id: UUID) -> Household:
        household = await repository.lock_household(
            self._session, household_id, bound=self._caller.areas
        )
        if household is None:
            raise NotFound("There is no such household. GET /v1/households lists those of an area.")
        _require_known(household)
        await give_missing(self._session, [household_id])
        await self._personal_data.learn(self._session, [household_id])
        return household

    async def _check(self, values: Values) -> None:
        """Raises Unprocessable where values do not go together, or there is no such thing."""
        today = self._clock.today()
        if values[BIRTH_DATE.name] is not None and values[BIRTH_DATE.name] > today:
            raise _refused(BIRTH_DATE.name, "Nobody is born in days to come.")
        if values[PREGNANCY_DUE_ON.name] is not None and values[SEX.name] != Sex.FEMALE:
            raise _refused(
                PREGNANCY_DUE_ON.name,
                "A pregnancy is a woman's: correct the sex, or leave the day out.",
            )
        for field in SEALED:
            given = values[field.name]
            if given is not None and field.kind.normalised(given) is None:
                raise _refused(field.name, f"Write {field.write}.")
        unknown = await members.unknown_programmes(self._session, values[PROGRAMMES.name])
        if unknown:
            raise _refused(
                PROGRAMMES.name,
                f"There is no programme '{unknown[0]}'. GET /v1/programmes lists them.",
            )

    async def _values_of(self, member: Member) -> Values:
        today = self._clock.today()
        memberships = (await members.programmes_of(self._session, [member.id]))[member.id]
        return {
            **{field.name: getattr(member, field.name) for field in OPEN},
            **self._members.opened(member),
            PROGRAMMES.name: [
                membership.programme_code
                for membership in memberships
                if membership.until is None or membership.until > today
            ],
        }

    async def _keep(
        self,
        household_id: UUID,
        id: UUID,
        values: Values,
        member: Member | None,
        **fields: Any,
    ) -> UUID:
        """Keep a member as they are to be; the change's id."""
        change_id = new_id()
        normal = {
            field.name: None
            if values[field.name] is None
            else field.kind.normalised(values[field.name])
            for field in SEALED
        }
        said = {**values, **normal, PROGRAMMES.name: tuple(values[PROGRAMMES.name])}
        index = self._personal_data.index
        await repository.add_change(
            self._session,
            id=change_id,
            member_id=id,
            household_id=household_id,
            asked_by=self._caller.subject,
            asked_at=self._clock.now(),
            alone=False,
            person_sealed=self._personal_data.seal_person(
                [normal[field.name] for field in SEALED],
                bound_to=id.bytes,
                household_id=household_id,
            ),
            content_index=content_of([said[field.name] for field in MEMBER_SHAPE], indexes=index),
            name_tokens=index.name_tokens(normal[NAME.name]),
            was_content_index=None if member is None else member.content_index,
            programmes=list(said[PROGRAMMES.name]),
            **{field.name: values[field.name] for field in OPEN},
            **{
                field.found_by.column: index.indexes_of(field)(value)
                for field in FOUND
                if field.found_by is not None and (value := normal[field.name]) is not None
            },
            **fields,
        )
        return change_id

    async def _decided(
        self, household: Household, change_id: UUID, what: str, *, counts: bool
    ) -> ApprovalOut | None:
        """Make the change, or propose it where that is not one person's."""
        enrolled = counts and await is_enrolled(self._session, household.id)
        if not enrolled and await self._left_alone() > 0:
            change = await repository.get_change(self._session, change_id)
            before = await members.find_member(self._session, household.id, change.member_id)
            was = None if before is None else _sealed(before)
            await make(self._session, change, alone=True, clock=self._clock)
            await audit.record(
                self._session, f"members/{change.member_id}", before=was, after=_sealed(change)
            )
            return None
        return await approvals.propose(
            self._session,
            self._steps,
            ApprovalKind.MEMBER_CHANGE,
            {"household_id": str(household.id), "enrolled": enrolled},
            Effect(what=what, households=1),
            reason=None,
            caller=self._caller,
            clock=self._clock,
            approval_id=change_id,
        )

    async def _left_alone(self) -> int:
        """How many members a person may still add or correct today without a second."""
        await repository.lock_changes_of(self._session, self._caller.subject)
        since = datetime.combine(self._clock.today(), time(), COUNTRY_ZONE)
        made = await repository.count_alone(self._session, self._caller.subject, since=since)
        return self._alone - made


async def carry_out(session: AsyncSession, proposal: Approval, clock: Clock) -> str:
    """Add or correct the member as two persons wanted."""
    change = await repository.get_change(session, proposal.id)
    household = await repository.lock_household(session, change.household_id)
    assert household is not None, "households are never deleted"
    _require_known(household)
    await make(session, change, alone=False, clock=clock)
    return f"{API_PREFIX}/households/{change.household_id}"


async def make(session: AsyncSession, change: MemberChange, *, alone: bool, clock: Clock) -> None:
    """Make a change that was asked for, and tell that the household is another.

    Raises Conflict where the member is not as they were when it was asked for.
    """
    now, today = clock.now(), clock.today()
    household_id = change.household_id
    said = Said(
        kind=ChangeKind.CORRECTED,
        by=change.asked_by,
        at=now,
        approval_id=None if alone else change.id,
    )
    await say(session, said)
    if not await repository.make_change(session, change.id, alone=alone, now=now, today=today):
        raise Conflict(
            "The member was changed since this was asked for. Decline this, and ask again if it is "
            f"still right: GET /v1/households/{household_id}/members says how they are now."
        )
    await members.list_members_of_one(session, household_id, on=today)
    household = await repository.lock_household(session, household_id)
    assert household is not None
    told = HouseholdChanged(
        household_id=household_id, changes=[_MEMBERS], areas=[household.area_code]
    )
    await publish(session, told, clock=clock)


def _require_known(household: Household) -> None:
    if household.erased_at is not None:
        raise Conflict("Nobody knows any more who they were: nothing is done with it.")


def _sealed(member: Member | MemberChange) -> dict[str, str]:
    """A member for the audit record: as they are stored, sealed and by their index."""
    return {
        "person_sealed": base64.b64encode(member.person_sealed).decode(),
        "content_index": member.content_index.hex(),
    }


def _refused(name: str, detail: str) -> Unprocessable:
    return Unprocessable(detail, errors=[{"pointer": f"/body/{name}", "detail": detail}])
