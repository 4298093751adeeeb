"""Comparing the holders of accounts with the households that are to be paid into them."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.holders import repository
from services.registry.households.persons import PersonalData
from services.registry.households.shape import HEAD_NAME
from services.registry.names.likeness import most_alike
from shared.contracts.holders import HolderCheck, HolderChecked, HoldersCheck, HoldersChecked
from shared.personal_data import CannotDecrypt

log = structlog.get_logger()


async def check_holders(
    session: AsyncSession, personal_data: PersonalData, asked: HoldersCheck
) -> HoldersChecked:
    """How alike each holder's name is to that of the head of the household; keeps nothing."""
    persons = await repository.persons_of(session, {each.household_id for each in asked.holders})
    await personal_data.learn(session, persons)
    # Up to half a second of computing: others are answered meanwhile.
    checked = await asyncio.to_thread(_compare, asked.holders, persons, personal_data)
    return HoldersChecked(holders=checked)


def _compare(
    holders: Sequence[HolderCheck], persons: Mapping[UUID, bytes], personal_data: PersonalData
) -> list[HolderChecked]:
    return [
        _checked(holder, _name_of(holder.household_id, persons, personal_data), personal_data)
        for holder in holders
    ]


def _checked(holder: HolderCheck, name: str, personal_data: PersonalData) -> HolderChecked:
    found = most_alike(holder.names, name)
    return HolderChecked(
        household_id=holder.household_id,
        verdict=found.verdict,
        likeness=found.percent,
        method=found.method,
        pair=personal_data.index.holder_and_head([name, *holder.names]).hex(),
    )


def _name_of(household_id: UUID, persons: Mapping[UUID, bytes], personal_data: PersonalData) -> str:
    """Empty where there is none that can be read: one household concerns no other."""
    sealed = persons.get(household_id)
    if sealed is None:
        return ""
    try:
        person = personal_data.open_person(sealed, household_id=household_id)
    except CannotDecrypt:
        log.error("person_unreadable", household_id=str(household_id))
        return ""
    return person[HEAD_NAME.name] or ""
