"""A draft of an edition, held against what is in force and against where households stand."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.areas.gazetteer import AreaRecord
from services.registry.areas.tables import COUNTRY_CODE, Edition
from services.registry.editions import repository
from services.registry.editions.comparing import (
    DIGITS,
    Comparison,
    Fault,
    Names,
    Table,
    compare,
    step,
)
from services.registry.editions.inheriting import without_residence
from services.registry.editions.reading import NO_CHANGES, ReadEdition, read_edition
from services.registry.editions.repository import Occupied
from services.registry.editions.schemas import (
    ChangeOut,
    Differences,
)
from shared.errors import Conflict, NotFound


@dataclass(frozen=True)
class Looked:
    """An edition held against what is in force now."""

    read: ReadEdition
    comparison: Comparison
    known: dict[str, AreaRecord]
    occupied: Occupied

    @property
    def differences(self) -> Differences:
        places = self.comparison.places
        households = self.occupied.households
        placed = sum(households[at] for at, place in places.items() if place.commune is not None)
        waits = sum(households[at] for at, place in places.items() if place.commune is None)
        moves = self.comparison.moves
        placed += sum(
            count
            for choices, count in self.occupied.choices.items()
            if len(still_open(choices, moves, self.read)) == 1
        )
        return Differences(
            areas={
                level: sum(len(code) == digits for code in self.read.areas)
                for level, digits in DIGITS.items()
            },
            changes=dict(Counter(change.kind for change in self.comparison.changes)),
            added=len(self.comparison.added),
            ended=len(self.comparison.ended),
            households_following=placed,
            households_to_place=waits,
        )


async def get_draft(session: AsyncSession, code: str) -> Edition:
    edition = await repository.find_edition(session, code, lock=True)
    if edition is None:
        raise NotFound("There is no such edition. GET /v1/gazetteer/editions lists them.")
    if edition.number is not None:
        raise Conflict(f"The edition '{code}' was put in force already.")
    return edition


async def look(session: AsyncSession, edition: Edition) -> Looked:
    """Both tables, read and held against what is in force; raises Conflict before the first, and
    where the areas were not sent."""
    if edition.areas is None:
        raise Conflict("It has no areas yet. PUT /v1/gazetteer/editions/{code}/areas takes them.")
    read = await asyncio.to_thread(
        read_edition, edition.areas, NO_CHANGES if edition.changes is None else edition.changes
    )
    known = await repository.living_areas(session)
    if COUNTRY_CODE not in known:
        raise Conflict("No edition is in force yet. PUT /v1/gazetteer loads the one that ships.")
    occupied = await repository.occupied(session)
    comparison = await asyncio.to_thread(_compared, read, known, occupied)
    assert not read.faults, "what is kept was read before"
    return Looked(read, comparison, known, occupied)


def _compared(read: ReadEdition, known: dict[str, AreaRecord], occupied: Occupied) -> Comparison:
    comparison = compare(
        {
            # Some of the shipped names have blanks around them, which no table says.
            code: Names(area.name_en.strip(), area.name_km.strip())
            for code, area in known.items()
            if code != COUNTRY_CODE
        },
        {code: (area.line, area.names) for code, area in read.areas.items()},
        read.changes,
        occupied=occupied.households.keys(),
        open_choices=occupied.choices.keys(),
        waited_in=occupied.waited_in,
    )
    unknown_kind = [
        Fault(
            Table.AREAS,
            read.areas[code].line,
            "residence-missing",
            f"{code} is a new commune that nothing leads to: say its residence.",
        )
        for code in without_residence(known, read.areas, comparison.moves)
    ]
    return Comparison(
        faults=[*comparison.faults, *unknown_kind],
        changes=comparison.changes,
        added=comparison.added,
        ended=comparison.ended,
        places=comparison.places,
    )


def still_open(choices: Sequence[str], moves: Any, read: ReadEdition) -> tuple[str, ...]:
    return tuple(code for code in step(choices, moves) if code in read.areas)


def changes_of(looked: Looked) -> list[ChangeOut]:
    following: Counter[tuple[str, str]] = Counter()
    waiting: Counter[str] = Counter()
    for standing, place in looked.comparison.places.items():
        count = looked.occupied.households[standing]
        if place.commune is None:
            waiting[standing.commune] += count
        else:
            following[standing.commune, place.commune] += count
    return [
        ChangeOut(
            kind=change.kind,
            from_code=change.from_code,
            from_name_en=looked.known[change.from_code].name_en,
            from_name_km=looked.known[change.from_code].name_km,
            to_code=change.to_code,
            to_name_en=looked.read.areas[change.to_code].names.english,
            to_name_km=looked.read.areas[change.to_code].names.khmer,
            households_following=following[change.from_code, change.to_code],
            households_to_place=waiting[change.from_code],
        )
        for change in looked.comparison.changes
    ]


def require_sound(looked: Looked) -> None:
    if looked.comparison.faults:
        first = looked.comparison.faults[0]
        raise Conflict(
            "The edition does not go with what is in force now, or with where households stand "
            f"now. {first.detail} Correct the tables, and send them again."
        )
