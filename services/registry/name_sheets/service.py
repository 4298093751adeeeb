"""The names for a list of payments: payments knows none, and is told none."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.persons import PersonalData
from services.registry.name_sheets import repository
from services.registry.name_sheets.schemas import NameLineOut, NameSheetIn, NameSheetOut
from shared.auth import Caller
from shared.payee_codes import payee_code


async def names_of(
    session: AsyncSession, given: NameSheetIn, *, personal_data: PersonalData, caller: Caller
) -> NameSheetOut:
    """Who each line is for. Each person that is shown is in the audit record."""
    lines = sorted(given.lines, key=lambda line: line.number)
    found = await repository.households_of(
        session, {line.entitlement_id for line in lines}, bound=caller.areas
    )
    await personal_data.learn(session, {household.id for household in found.values()})
    shown: list[NameLineOut] = []
    for line in lines:
        household = found.get(line.entitlement_id)
        if household is None:
            continue
        person = personal_data.open_person(household.person_sealed, household_id=household.id)
        shown.append(
            NameLineOut(
                number=line.number,
                code=payee_code(line.entitlement_id),
                name=person["name"],
                registration_number=person["registration_number"],
                area_code=household.area_code,
            )
        )
    return NameSheetOut(
        list_code=given.list_code,
        lines=shown,
        unknown=[line.number for line in lines if line.entitlement_id not in found],
    )
