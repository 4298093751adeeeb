"""What became of a household: its changes, what it was at any instant, and which version it is."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.changes import repository
from services.registry.changes.playing import Played, of_now, play_back
from services.registry.changes.schemas import HouseholdChangeOut, PersonBeforeOut
from services.registry.changes.tables import EarlierPerson, HouseholdChange
from services.registry.households.persons import PersonalData
from services.registry.households.service import Households
from services.registry.households.shape import OPEN as OPEN_OF_HOUSEHOLD
from services.registry.households.shape import SEALED as SEALED_OF_HEAD
from services.registry.households.tables import Household
from services.registry.members.schemas import HouseholdWithMembersOut
from services.registry.members.service import Members
from services.registry.members.shape import OPEN, SEALED
from services.registry.members.storing import counts_on
from services.registry.members.tables import Member
from services.registry.scopes import READ_PERSONAL
from shared.auth import Caller
from shared.clock import COUNTRY_ZONE, Clock
from shared.errors import NotFound, PreconditionFailed, Unprocessable
from shared.freshness import is_known
from shared.pagination import Page, PageOf

_WITH_PERSONS = frozenset(field.name for field in OPEN_OF_HOUSEHOLD if field.sensitive)
"""Shown with the persons alone."""


def tag_of_version(version: int) -> str:
    """The tag of a household that has changed last by the change of this number."""
    return f'"{version}"'


async def tag_of(session: AsyncSession, household_id: UUID) -> str:
    """The tag of a household as it is."""
    return tag_of_version(await repository.version_of(session, household_id))


def require_unchanged(version: int, held: str | None) -> None:
    """Raises PreconditionFailed where a caller holds another version than this."""
    if held is not None and not is_known(tag_of_version(version), held):
        raise PreconditionFailed(
            "The household was changed since you read it. Read it again, and see whether what you "
            "want to change is still right."
        )


class Histories:
    """What became of households, as one caller may see it."""

    def __init__(
        self, session: AsyncSession, *, personal_data: PersonalData, caller: Caller, clock: Clock
    ) -> None:
        self._session = session
        self._personal_data = personal_data
        self._shows_persons = READ_PERSONAL in caller.scopes
        self._households = Households(session, personal_data=personal_data, caller=caller)
        self._members = Members(session, personal_data=personal_data, caller=caller)
        self._clock = clock

    async def changes(self, household_id: UUID, *, page: Page) -> PageOf[HouseholdChangeOut]:
        """A page of a household's changes, the newest first; raises NotFound."""
        await self._households.find(household_id)
        rows = await repository.list_changes(
            self._session, household_id, before=page.after(int), limit=page.fetch_limit
        )
        cut = page.of(rows, key=lambda change: (change.sequence,))
        persons: dict[int, EarlierPerson] = {}
        if self._shows_persons:
            persons = await repository.earlier_persons(
                self._session, household_id, [change.sequence for change in cut.items]
            )
            await self._personal_data.learn(self._session, [household_id])
        return PageOf(
            items=[self._shown(change, persons.get(change.sequence)) for change in cut.items],
            next_cursor=cut.next_cursor,
        )

    def _shown(self, change: HouseholdChange, person: EarlierPerson | None) -> HouseholdChangeOut:
        return HouseholdChangeOut(
            number=change.sequence,
            household_id=change.household_id,
            member_id=change.member_id,
            at=change.at,
            kind=change.kind,
            by=change.by,
            import_id=change.import_id,
            approval_id=change.approval_id,
            source=change.source,
            reason=change.reason,
            before=self._fields(change, change.before),
            after=self._fields(change, change.after),
            person_before=None if person is None else self._person(change, person),
        )

    def _fields(
        self, change: HouseholdChange, values: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """What changed, as the caller may see it: what is of a person only with the scope."""
        if values is None:
            return None
        if change.member_id is not None and not self._shows_persons:
            return None
        hidden = {"changed_at"} | (set() if self._shows_persons else _WITH_PERSONS)
        return {name: value for name, value in values.items() if name not in hidden}

    def _person(self, change: HouseholdChange, person: EarlierPerson) -> PersonBeforeOut:
        opened = self._personal_data.open_sealed(
            person.person_sealed,
            SEALED_OF_HEAD if change.member_id is None else SEALED,
            bound_to=person.person_id,
            household_id=person.household_id,
        )
        return PersonBeforeOut(
            name=opened["name"], phone=opened["phone"], id_number=opened["id_number"]
        )

    async def as_of(self, household_id: UUID, when: date) -> HouseholdWithMembersOut:
        """A household as the registry knew it at the end of a day, or at an instant.

        Raises NotFound where it was not registered then, and Unprocessable for days to come.
        """
        on, until = self._bounds(when)
        household, _ = await self._households.find(household_id)
        changes = await repository.changes_since(self._session, household_id, since=until)
        registered_at = await repository.registered_at(self._session, household_id)
        if registered_at is not None and registered_at >= until:
            began = registered_at.astimezone(COUNTRY_ZONE)
            raise NotFound(
                f"The household was not registered yet: it was on {began.date()}, at "
                f"{began:%H:%M} in Phnom Penh. Ask for that day or a later one."
            )
        persons = await repository.earlier_persons(
            self._session, household_id, [change.sequence for change in changes]
        )
        members = await repository.members_of(self._session, household_id)
        played = play_back(of_now(household, members), changes, persons)
        return await self._shown_as_of(played, on=on, until=until)

    def _bounds(self, when: date) -> tuple[date, datetime]:
        """The day that counts, and the first instant that is too late."""
        tomorrow = datetime.combine(self._clock.today() + timedelta(days=1), time(), COUNTRY_ZONE)
        if when >= (tomorrow if isinstance(when, datetime) else tomorrow.date()):
            raise Unprocessable(f"as_of: {when} has not come. Ask for a day up to today.")
        if isinstance(when, datetime):
            on, until = when.astimezone(COUNTRY_ZONE).date(), when + timedelta(microseconds=1)
        else:
            on, until = when, datetime.combine(when + timedelta(days=1), time(), COUNTRY_ZONE)
        return on, min(until, self._clock.now() + timedelta(microseconds=1))

    async def _shown_as_of(
        self, played: Played, *, on: date, until: datetime
    ) -> HouseholdWithMembersOut:
        state = played.household
        account = await repository.account_at(self._session, state["id"], until)
        shown = self._households.shown(Household(**state), account).model_dump()
        present = [
            member
            for member in played.members.values()
            if member["changed_at"] < until
            and (member["joined_on"] is None or member["joined_on"] <= on)
            and (member["left_on"] is None or member["left_on"] > on)
        ]
        listed = None
        if state["members_listed"]:
            counts = self._counts(state["id"], present, on)
            shown |= {name: count for name, count in counts.items() if shown[name] is not None}
            if self._shows_persons:
                listed = await self._members.shown(
                    [Member(**member) for member in present], as_of=on
                )
        return HouseholdWithMembersOut.model_validate(shown | {"listed": listed})

    def _counts(
        self, household_id: UUID, present: Sequence[dict[str, Any]], on: date
    ) -> dict[str, int]:
        columns = {field.name: [member[field.name] for member in present] for field in OPEN}
        return counts_on([household_id] * len(present), columns, on=on).get(household_id, {})
