"""Members of households as tests make them, store them, and work out by themselves what counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.registry.household_keys.repository import copy_on, materials_on
from services.registry.members.shape import MEMBER_SHAPE
from services.registry.members.storing import known_members, seal_members, store_members
from tests.registry.flow import Flow

NOW = datetime(2026, 1, 1, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """A member of a household; the defaults count in no category."""

    birth_date: date | None = date(1990, 5, 5)
    sex: str = "female"
    relationship: str = "head"
    disability: bool = False
    pregnancy_due_on: date | None = None
    schooling: str | None = None
    programmes: tuple[str, ...] = ()
    name: str = "Sok Chanthy"
    phone: str | None = None
    id_number: str | None = None
    reference: str | None = None
    member_number: int = field(default=0)


def columns_of(people: Sequence[Person]) -> dict[str, list[Any]]:
    """People column by column, as a file of them is read."""
    return {
        known.name: [getattr(person, known.name) for person in people] for known in MEMBER_SHAPE
    }


async def store(
    flow: Flow, households: Mapping[UUID, Sequence[Person]], *, today: date = NOW.date()
) -> tuple[int, int, int, int]:
    """Store members; how many were new, changed, unchanged, and have left."""
    people = [
        (household_id, person if person.member_number else _numbered(person, at))
        for household_id, members in households.items()
        for at, person in enumerate(members, start=1)
    ]
    ids = [household_id for household_id, _ in people]
    keys = flow.service.app.state.personal_data.giving(await materials_on(flow.owner, ids))
    sealed = seal_members(
        ids,
        columns_of([person for _, person in people]),
        known=await known_members(flow.owner, ids),
        personal_data=keys,
        now=NOW,
    )
    async with flow.owner.transaction():
        await copy_on(flow.owner, keys.given)
        await store_members(flow.owner, sealed, today=today)
    return len(sealed.new), len(sealed.changed), sealed.unchanged_count, sealed.left_count


def _numbered(person: Person, number: int) -> Person:
    return Person(**{**vars(person), "member_number": number})


async def ids_of(owner: asyncpg.Connection, commune: str) -> list[UUID]:
    """The households of a commune, in the order of their ids."""
    rows = await owner.fetch(
        "SELECT id FROM registry.household WHERE area_code = $1 ORDER BY id", commune
    )
    return [row["id"] for row in rows]


# What the registry asks PostgreSQL, said in Python: slowly, one person after another.


def age(person: Person, on: date) -> int | None:
    """In whole years: how often the birthday came round."""
    if person.birth_date is None:
        return None
    born, years = person.birth_date, 0
    while _birthday(born, years + 1) <= on:
        years += 1
    return years


def _birthday(born: date, years: int) -> date:
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def counts(people: Sequence[Person], on: date) -> dict[str, int]:
    """The counts of a household of these people on a day."""

    def how_many(holds: Callable[[Person], bool]) -> int:
        return sum(map(holds, people))

    return {
        "members": len(people),
        "children_0_5": how_many(
            lambda person: (years := age(person, on)) is not None and years < 6
        ),
        "pregnant": how_many(lambda person: is_pregnant(person, on)),
        "disabled": how_many(lambda person: person.disability),
        "elderly_60": how_many(lambda person: (age(person, on) or 0) >= 60),
    }


def is_pregnant(person: Person, on: date) -> bool:
    due = person.pregnancy_due_on
    return due is not None and 0 <= (due - on).days <= 300
