"""Showing and finding households, and changing the account of one."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.tables import COUNTRY_CODE
from services.registry.households import repository
from services.registry.households.persons import PersonalData, normalised_phone
from services.registry.households.schemas import (
    HouseholdOut,
    PayeeAccountIn,
    PayeeAccountOut,
    PersonOut,
    PersonSearch,
)
from services.registry.households.tables import Household, PayeeAccount, PovertyStatus
from shared.auth import Caller
from shared.clock import Clock
from shared.errors import NotFound, Unprocessable
from shared.ids import new_id
from shared.pagination import Page, PageOf, decode_cursor, page_of

READ_PERSONAL = "households:read-personal"


class Households:
    """Households as one caller may see them."""

    def __init__(
        self, session: AsyncSession, *, personal_data: PersonalData, caller: Caller
    ) -> None:
        self._session = session
        self._personal_data = personal_data
        self._shows_persons = READ_PERSONAL in caller.scopes

    async def get(self, household_id: UUID) -> HouseholdOut:
        """One household; raises NotFound."""
        found = await repository.find_household(self._session, household_id)
        if found is None:
            raise NotFound("There is no such household. GET /households lists those of an area.")
        return self._shown(*found)

    async def of_area(
        self, *, area: str | None, poverty_status: PovertyStatus | None, page: Page
    ) -> PageOf[HouseholdOut]:
        """A page of an area's households, by commune and id."""
        found = await repository.list_households(
            self._session,
            area_prefix="" if area in (None, COUNTRY_CODE) else str(area),
            poverty_status=poverty_status,
            after=_after(page.cursor),
            limit=page.limit + 1,
        )
        rows = [self._shown(*one) for one in found]
        return page_of(rows, page=page, key=lambda one: (one.area_code, one.id))

    async def matching(self, search: PersonSearch, *, page: Page) -> PageOf[HouseholdOut]:
        """A page of the households that have this phone, number or account."""
        data = self._personal_data
        phone = None
        if search.phone is not None:
            normalised = normalised_phone(search.phone)
            if normalised is None:
                raise Unprocessable("phone: write a Cambodian number as +855 or 0 and its digits.")
            phone = data.phone_index(normalised)
        found = await repository.search_households(
            self._session,
            phone=phone,
            id_number=data.id_number_index(search.id_number) if search.id_number else None,
            registration_number=data.registration_index(search.registration_number)
            if search.registration_number
            else None,
            account=data.account_index(search.account) if search.account else None,
            after=decode_cursor(page.cursor, UUID)[0] if page.cursor else None,
            limit=page.limit + 1,
        )
        rows = [self._shown(*one) for one in found]
        return page_of(rows, page=page, key=lambda one: (one.id,))

    async def change_account(
        self, household_id: UUID, given: PayeeAccountIn, *, clock: Clock
    ) -> HouseholdOut:
        """The household with its new account. Entitlements keep the account they were made with."""
        now = clock.now()
        before = await repository.find_household(self._session, household_id)
        if before is None:
            raise NotFound("There is no such household. GET /households lists those of an area.")
        index = self._personal_data.account_index(given.account)
        running = before[1]
        if running and (running.provider_code, running.account_index) == (
            given.provider_code,
            index,
        ):
            return self._shown(*before)
        await repository.end_account(self._session, household_id, now=now)
        account = await repository.add_account(
            self._session,
            id=new_id(),
            household_id=household_id,
            provider_code=given.provider_code,
            account_sealed=self._personal_data.seal_account(
                given.account, household_id=household_id.bytes
            ),
            account_index=index,
            began_at=now,
        )
        return self._shown(before[0], account)

    def _shown(self, household: Household, account: PayeeAccount | None) -> HouseholdOut:
        person = None
        if self._shows_persons:
            opened = self._personal_data.open_person(
                household.person_sealed, household_id=household.id
            )
            person = PersonOut(
                name=opened.name,
                phone=opened.phone,
                id_number=opened.id_number,
                registration_number=opened.registration_number,
            )
        return HouseholdOut(
            id=household.id,
            area_code=household.area_code,
            poverty_status=household.poverty_status,
            members=household.members,
            children_0_5=household.children_0_5,
            pregnant=household.pregnant,
            disabled=household.disabled,
            elderly_60=household.elderly_60,
            changed_at=household.changed_at,
            payee_account=self._shown_account(household.id, account) if account else None,
            person=person,
        )

    def _shown_account(self, household_id: UUID, account: PayeeAccount) -> PayeeAccountOut:
        number = None
        if self._shows_persons:
            number = self._personal_data.open_account(
                account.account_sealed, household_id=household_id
            )
        return PayeeAccountOut(
            provider_code=account.provider_code, account=number, began_at=account.began_at
        )


def _after(cursor: str | None) -> tuple[str, UUID] | None:
    if not cursor:
        return None
    area_code, household_id = decode_cursor(cursor, str, UUID)
    return area_code, household_id
