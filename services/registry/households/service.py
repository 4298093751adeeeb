"""Showing and finding households."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import repository
from services.registry.households.persons import PersonalData
from services.registry.households.schemas import (
    Found,
    FoundHouseholdOut,
    HouseholdOut,
    HouseholdSort,
    PayeeAccountOut,
    PersonOut,
    PersonSearchIn,
    Registration,
)
from services.registry.households.shape import FOUND, OPEN
from services.registry.households.tables import Household, PayeeAccount
from services.registry.scopes import READ_PERSONAL
from shared.auth import Caller
from shared.bounds import Bound
from shared.errors import NotFound, Unprocessable
from shared.events.repository import current_epoch
from shared.pagination import Page, PageOf, encode_cursor


class Households:
    """Households as one caller may see them."""

    def __init__(
        self, session: AsyncSession, *, personal_data: PersonalData, caller: Caller
    ) -> None:
        self._session = session
        self._personal_data = personal_data
        self._caller = caller
        self._shows_persons = READ_PERSONAL in caller.scopes

    async def chosen(
        self, chosen: repository.Chosen, *, sort: HouseholdSort, page: Page
    ) -> PageOf[HouseholdOut]:
        """A page of the households that were chosen, by commune and id, or as they changed."""
        if sort is HouseholdSort.CHANGED:
            return await self._changed(chosen, page=page)
        found = await repository.list_households(
            self._session,
            chosen,
            bound=self._caller.areas,
            after=page.after(str, UUID),
            limit=page.fetch_limit,
        )
        return await self._page(
            page, found, key=lambda household: (household.area_code, household.id)
        )

    async def _changed(self, chosen: repository.Chosen, *, page: Page) -> PageOf[HouseholdOut]:
        epoch = await current_epoch(self._session)
        after = page.after(int, int, UUID)
        found = await repository.list_changed(
            self._session,
            chosen,
            bound=self._caller.areas,
            # What was told of changes that are lost nobody knows: all are told as they are.
            after=after[1:] if after is not None and after[0] == epoch else None,
            limit=page.limit,
        )
        last = found[-1][0] if found else None
        await self._learn(found)
        return PageOf(
            items=[self.shown(*row) for row in found],
            # Kept by whoever follows: what changes from now on comes behind it.
            next_cursor=page.cursor
            if last is None
            else encode_cursor(epoch, int(last.changed_in), last.id),
        )

    async def matching(self, search: PersonSearchIn, *, page: Page) -> PageOf[Found]:
        """A page of the households that have this phone, number or account."""
        (field,) = (field for field in FOUND if getattr(search, field.name) is not None)
        normalised = field.kind.normalised(getattr(search, field.name))
        if normalised is None:
            raise Unprocessable(f"{field.name}: write {field.write}.")
        found = await repository.search_households(
            self._session,
            bound=self._caller.areas,
            by=field,
            indexes=[found.indexes_of(field)(normalised) for found in self._personal_data.found_by],
            after=page.after(UUID),
            limit=page.fetch_limit,
        )
        cut = page.of(found, key=lambda row: (row[0].id,))
        await self._learn(cut.items)
        show = self.shown if self._shows_persons else _found
        return PageOf[Found](items=[show(*row) for row in cut.items], next_cursor=cut.next_cursor)

    async def find(self, household_id: UUID) -> repository.Found:
        """A household and the account that it has now; raises NotFound."""
        found = await repository.find_household(
            self._session, household_id, bound=self._caller.areas
        )
        if found is None:
            raise NotFound("There is no such household. GET /v1/households lists those of an area.")
        await self._learn([found])
        return found

    async def _learn(self, found: Sequence[repository.Found]) -> None:
        if self._shows_persons:
            await self._personal_data.learn(self._session, [row[0].id for row in found])

    async def _page(
        self,
        page: Page,
        found: Sequence[repository.Found],
        *,
        key: Callable[[Household], tuple[Any, ...]],
    ) -> PageOf[HouseholdOut]:
        cut = page.of(found, key=lambda row: key(row[0]))
        await self._learn(cut.items)
        return PageOf(items=[self.shown(*row) for row in cut.items], next_cursor=cut.next_cursor)

    def shown(self, household: Household, account: PayeeAccount | None) -> HouseholdOut:
        """A household as the caller may see it."""
        fields: dict[str, Any] = {
            field.name: getattr(household, field.name)
            if self._shows_persons or not field.sensitive
            else None
            for field in OPEN
        }
        return HouseholdOut(
            id=household.id,
            changed_at=household.changed_at,
            members_listed=household.members_listed,
            archived_at=household.archived_at,
            archived_because=household.archived_because,
            merged_into=household.merged_into,
            erased_at=household.erased_at,
            payee_account=self._shown_account(household.id, account) if account else None,
            person=self._shown_person(household) if self._shows_persons else None,
            **fields,
        )

    def _shown_person(self, household: Household) -> PersonOut:
        person = self._personal_data.open_person(household.person_sealed, household_id=household.id)
        return PersonOut.model_validate(person)

    def _shown_account(self, household_id: UUID, account: PayeeAccount) -> PayeeAccountOut:
        number = None
        if self._shows_persons:
            number = self._personal_data.open_account(
                account.account_sealed, household_id=household_id
            )
        return PayeeAccountOut(
            provider_code=account.provider_code, account=number, began_at=account.began_at
        )


def _found(household: Household, account: PayeeAccount | None) -> FoundHouseholdOut:
    return FoundHouseholdOut(
        id=household.id,
        area_code=household.area_code,
        registration=Registration.PAYABLE if account else Registration.WITHOUT_ACCOUNT,
    )


async def require_household(
    session: AsyncSession, household_id: UUID, *, bound: Bound
) -> Household:
    """The household where it lies in a caller's areas; raises NotFound."""
    found = await repository.find_household(session, household_id, bound=bound)
    if found is None:
        raise NotFound("There is no such household. GET /v1/households lists those of an area.")
    household: Household = found[0]
    return household
