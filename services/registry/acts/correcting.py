"""Correcting what is known of a household."""

from collections.abc import Mapping
from typing import Any

from services.registry.acts.doing import Doing
from services.registry.acts.schemas import (
    PERSONAL,
    HouseholdCorrectionIn,
)
from services.registry.changes.tables import ChangeKind
from services.registry.households.shape import (
    COUNTED,
    HEAD_NAME,
    MEMBERS,
)
from services.registry.households.tables import Household
from shared.errors import Conflict, Unprocessable


async def correct(doing: Doing, household: Household, given: HouseholdCorrectionIn) -> None:
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
        fields |= doing.head(household.id, doing.opened(household) | _normal(told))
    if not fields:
        raise Unprocessable("Say what is to be corrected: nothing is given.")
    await doing.say(ChangeKind.CORRECTED, given)
    await doing.change(household, **fields)


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
