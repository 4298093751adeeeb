"""A household played back to what it was: from now, undoing one change after the other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.registry.changes.keeping import KEPT_OF_HOUSEHOLD, KEPT_OF_MEMBER
from services.registry.changes.tables import EarlierPerson, HouseholdChange
from services.registry.households.fields import Day
from services.registry.households.tables import Household
from services.registry.members.shape import OPEN
from services.registry.members.tables import Member

State = dict[str, Any]
_DAYS = {field.name for field in OPEN if isinstance(field.kind, Day)} | {"joined_on", "left_on"}
_INSTANTS = {"archived_at", "erased_at", "changed_at"}
_IDS = {"merged_into"}


@dataclass
class Played:
    """A household and its members as they were."""

    household: State
    members: dict[UUID, State]


def of_now(household: Household, members: Iterable[Member]) -> Played:
    """As they are."""
    return Played(
        _state(household, KEPT_OF_HOUSEHOLD),
        {
            member.id: _state(member, KEPT_OF_MEMBER) | {"household_id": member.household_id}
            for member in members
        },
    )


def play_back(
    now: Played, changes: Iterable[HouseholdChange], persons: Mapping[int, EarlierPerson]
) -> Played:
    """As they were before ``changes``, which come newest first.

    Whoever was stored by one of them, and so was not there, still is among the members: their
    ``changed_at`` says that they came later.
    """
    for change in changes:
        if change.before is None:
            continue
        state = now.household if change.member_id is None else now.members[change.member_id]
        for name in change.before.keys() | (change.after or {}).keys():
            state[name] = _read(name, change.before.get(name))
        if change.sequence in persons:
            state["person_sealed"] = persons[change.sequence].person_sealed
    return now


def _state(row: Household | Member, kept: Iterable[str]) -> State:
    names = ("id", "changed_at", "person_sealed", *kept)
    return {name: getattr(row, name) for name in names}


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _DAYS:
        return date.fromisoformat(value)
    if name in _INSTANTS:
        return datetime.fromisoformat(value)
    return UUID(value) if name in _IDS else value
