"""Erasing for good who the members of a household were."""

from datetime import date
from typing import Any

from services.registry.acts import repository
from services.registry.acts.doing import Doing
from services.registry.acts.schemas import ErasureIn
from services.registry.changes.tables import ChangeKind
from services.registry.households import shape as household_shape
from services.registry.households.shape import REGISTRATION_NUMBER
from services.registry.households.tables import Household
from services.registry.members.shape import FOUND as FOUND_OF_MEMBER
from services.registry.members.shape import SEALED
from services.registry.members.tables import Leaving, Member
from shared.errors import Conflict


async def erase(doing: Doing, household: Household, given: ErasureIn) -> None:
    """Overwrite who they were, wherever it is kept; what was paid, and to how many, stays."""
    if household.archived_at is None:
        raise Conflict("Archive the household first: nobody is erased who could still be helped.")
    if household.erased_at is not None:
        raise Conflict("It is erased already.")
    await doing.say(ChangeKind.ERASED, given)
    nobody: dict[str, str | None] = {field.name: None for field in household_shape.SEALED}
    head = doing.head(household.id, nobody)
    # By its registration number a file finds it still, and does not register it anew.
    assert REGISTRATION_NUMBER.found_by is not None
    head.pop(REGISTRATION_NUMBER.found_by.column)
    await doing.change(household, erased_at=doing.now, content_index=b"", **head)
    persons = {household.id: head["person_sealed"]}
    for member in await repository.everybody(doing.session, household.id):
        sealed = doing.sealed_member(
            member.id, dict.fromkeys((field.name for field in SEALED), None)
        )
        persons[member.id] = sealed
        await repository.change_member(
            doing.session,
            member.id,
            person_sealed=sealed,
            birth_date=None,
            content_index=b"",
            name_tokens=None,
            changed_at=doing.now,
            # Of whoever has left, a file changes nothing.
            **({} if member.left_on else _left(doing.today, member)),
            **{
                field.found_by.column: None
                for field in FOUND_OF_MEMBER
                if field.found_by is not None
            },
        )
    await repository.erase_accounts(
        doing.session,
        household.id,
        sealed=doing.personal_data.seal_account("", household_id=household.id.bytes),
        nobody=household.id.bytes,
        now=doing.now,
    )
    await repository.erase_history(
        doing.session,
        household.id,
        persons=persons,
        given=doing.personal_data.persons.encrypt(b"{}", bound_to=household.id.bytes),
    )


def _left(today: date, member: Member) -> dict[str, Any]:
    on = max(today, member.joined_on or today)
    return {"left_on": on, "left_because": Leaving.MOVED}
