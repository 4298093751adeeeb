"""Storing many members at once: sealed as rows for COPY, compared with those that are known.

For whoever brings members by the thousand. ``known_members`` reads what is stored of some
households, ``seal_members`` computes (in a thread, beside the event loop), ``store_members`` stores
what is new or changed, within the caller's transaction and after the households. The same block
again changes nothing. A member whose row has ended stays as they are, whatever a file says.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.registry.households.fields import Aged, CountedMembers, Expecting, Having
from services.registry.households.persons import Indexes, PersonalData
from services.registry.households.shape import CATEGORIES, MEMBERS
from services.registry.members import repository
from services.registry.members.repository import KnownMember, Place, Record, known_members
from services.registry.members.shape import (
    BIRTH_DATE,
    FOUND,
    MEMBER_NUMBER,
    MEMBER_SHAPE,
    NAME,
    OPEN,
    PROGRAMMES,
    SEALED,
)
from shared.copying import EncodedRows, copy_encoded
from shared.ids import id_of_number, numbers_of

__all__ = [
    "KnownMember",
    "Place",
    "SealedMembers",
    "content_of",
    "counts_on",
    "known_members",
    "member_id",
    "seal_members",
    "store_members",
]

_FOUND_BY = {known.found_by.column: known for known in FOUND if known.found_by is not None}
_SAID = (
    *(known.name for known in OPEN),
    "person_sealed",
    *_FOUND_BY,
    "content_index",
    "name_tokens",
    "changed_at",
)
"""What a file says of a member, as columns."""
MEMBER_COLUMNS = ("id", "household_id", *_SAID)

_COUNTED = {known.name: known.counts for known in CATEGORIES if known.counts is not None}

_NUMBER_BITS = 0xFFFF

Columns = Mapping[str, Sequence[Any]]
"""The values of some members by the name of the field, as their kinds read them from a file."""


@dataclass(frozen=True)
class SealedMembers:
    """Members ready to be stored."""

    new: EncodedRows
    joined: EncodedRows
    """The programmes that the new ones are in."""
    changed: Sequence[Record]
    programmes: Mapping[UUID, Sequence[str]]
    """Of those who are changed."""
    written: Sequence[int]
    """Who is new or changed, by their place among those given."""
    household_ids: Sequence[UUID]
    """Of everybody in the block, each once."""
    unchanged_count: int
    left_count: int
    """How many are no members any more, and stay as they are."""


@dataclass
class _Picked:
    """Some members of a block, with their ids."""

    positions: list[int] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)


def member_id(household_id: UUID, number: int) -> UUID:
    """Who has this number in a household: the same in every file, and after a loss of data."""
    return _numbered(_families([household_id])[household_id], number)


def _families(household_ids: Collection[UUID]) -> dict[UUID, int]:
    """How the ids of each household's members begin, near the household's: the number is the
    rest."""
    named = [household_id.bytes for household_id in household_ids]
    made = numbers_of("members", zip(named, named, strict=True))
    return {
        household_id: number & ~_NUMBER_BITS
        for household_id, number in zip(household_ids, made, strict=True)
    }


def _numbered(family: int, number: int) -> UUID:
    return id_of_number(family | number)


def seal_members(
    household_ids: Sequence[UUID],
    columns: Columns,
    *,
    known: Mapping[Place, KnownMember],
    erased: Collection[UUID] = frozenset(),
    personal_data: PersonalData,
    now: datetime,
) -> SealedMembers:
    """Seal the members who are new or changed.

    ``household_ids`` are those of each member, in the order of ``columns``, which hold every field
    of ``MEMBER_SHAPE``. Of households that are ``erased`` nobody becomes a member. Raises
    ValueError where a number of a household stands twice.
    """
    numbers = columns[MEMBER_NUMBER.name]
    if len(set(zip(household_ids, numbers, strict=True))) < len(household_ids):
        raise ValueError("A member stands twice in a block of members: check for it before.")
    families = _families(dict.fromkeys(household_ids))
    contents = _contents(columns, personal_data.index)
    others = (
        None if personal_data.other_index is None else _contents(columns, personal_data.other_index)
    )
    new, changed = _Picked(), _Picked()
    unchanged_count = left_count = 0
    if not known and not erased:
        new.positions += range(len(household_ids))
    else:
        for at, place in enumerate(zip(household_ids, numbers, strict=True)):
            stored = known.get(place)
            if place[0] in erased:
                left_count += 1
            elif stored is None:
                new.positions.append(at)
            elif stored.has_left:
                left_count += 1
            elif stored.content_index == contents[at] or (
                others is not None and stored.content_index == others[at]
            ):
                unchanged_count += 1
            else:
                changed.positions.append(at)
                changed.ids.append(stored.id)
    new.ids += [_numbered(families[household_ids[at]], numbers[at]) for at in new.positions]
    programmes = columns[PROGRAMMES.name]

    def joined(picked: _Picked) -> Iterator[tuple[UUID, Sequence[str]]]:
        return (
            (id, programmes[at] or ()) for at, id in zip(picked.positions, picked.ids, strict=True)
        )

    def sealed(picked: _Picked) -> Columns:
        return _sealed(picked, household_ids, columns, contents, personal_data, now)

    return SealedMembers(
        new=repository.encoded_members(sealed(new)),
        joined=repository.encoded_programmes(joined(new)),
        changed=list(zip(*sealed(changed).values(), strict=True)),
        programmes=dict(joined(changed)),
        written=[*new.positions, *changed.positions],
        household_ids=[id for id in families if id not in erased],
        unchanged_count=unchanged_count,
        left_count=left_count,
    )


async def store_members(
    connection: asyncpg.Connection, sealed: SealedMembers, *, today: date
) -> None:
    """Store members in the caller's transaction, and that these households are listed.

    Whoever is in another set of programmes than before joined and left them ``today``. Raises
    asyncpg.UniqueViolationError where somebody else stored one of them in the meantime, and
    asyncpg.ForeignKeyViolationError for a programme that there is not.
    """
    await copy_encoded(connection, sealed.new)
    await copy_encoded(connection, sealed.joined)
    if sealed.changed:
        await repository.change_members(connection, MEMBER_COLUMNS, sealed.changed)
        ids = [row[0] for row in sealed.changed]
        await repository.change_programmes(connection, ids, sealed.programmes, today=today)
    await repository.list_members_of(connection, sealed.household_ids, on=today)


def _contents(columns: Columns, indexes: Indexes) -> list[bytes]:
    values = zip(*(columns[known.name] for known in MEMBER_SHAPE), strict=True)
    return list(map(partial(content_of, indexes=indexes), values))


def content_of(values: Sequence[object], *, indexes: Indexes) -> bytes:
    """Of everything that is said of a member, in the order of ``MEMBER_SHAPE``: equal when nothing
    changed."""
    return indexes.content_index_of(orjson.dumps(values).decode())


def _sealed(
    picked: _Picked,
    household_ids: Sequence[UUID],
    columns: Columns,
    contents: Sequence[bytes],
    personal_data: PersonalData,
    now: datetime,
) -> Columns:
    """``MEMBER_COLUMNS`` of those who are picked."""
    at = picked.positions
    if len(at) < len(contents):
        columns = {name: [values[place] for place in at] for name, values in columns.items()}
        household_ids = [household_ids[place] for place in at]
        contents = [contents[place] for place in at]
    seal_person = personal_data.seal_person
    persons = zip(*(columns[known.name] for known in SEALED), strict=True)
    values = (
        picked.ids,
        household_ids,
        *(columns[known.name] for known in OPEN),
        [
            seal_person(person, bound_to=id.bytes, household_id=household_id)
            for person, id, household_id in zip(persons, picked.ids, household_ids, strict=True)
        ],
        *(
            _indexes(personal_data.index, known, columns[known.name])
            for known in _FOUND_BY.values()
        ),
        contents,
        list(map(personal_data.index.name_tokens, columns[NAME.name])),
        [now] * len(contents),
    )
    return dict(zip(MEMBER_COLUMNS, values, strict=True))


def _indexes(indexes: Indexes, known: Any, values: Sequence[Any]) -> Sequence[bytes | None]:
    index_of = indexes.indexes_of(known)
    return [None if value is None else index_of(value) for value in values]


def counts_on(
    household_ids: Sequence[UUID], columns: Columns, *, on: date
) -> dict[UUID, dict[str, int]]:
    """The counts of each household, by field, that these are all the members of, on a day.

    For whoever stores a household in one COPY with its members: with ``members_listed`` and these
    counts, ``store_members`` has nothing left to write of it.
    """
    counted: defaultdict[UUID, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys([MEMBERS.name, *_COUNTED], 0)
    )
    for household_id in household_ids:
        counted[household_id][MEMBERS.name] += 1
    for name, counts in _COUNTED.items():
        for household_id, holds in zip(household_ids, _holds(counts, columns, on), strict=True):
            if holds:
                counted[household_id][name] += 1
    return dict(counted)


def _holds(counts: CountedMembers, columns: Columns, on: date) -> Sequence[bool]:
    match counts:
        case Aged(least, below):
            last = _born_by(on, least)
            if below is None:
                return [born is not None and born <= last for born in columns[BIRTH_DATE.name]]
            before = _born_by(on, below)
            return [born is not None and before < born <= last for born in columns[BIRTH_DATE.name]]
        case Having(name):
            return [bool(value) for value in columns[name]]
        case Expecting(name, within_days):
            return [
                day is not None and 0 <= (day - on).days <= within_days for day in columns[name]
            ]


def _born_by(on: date, years: int) -> date:
    """The last birthday of who is so many whole years old on a day; who was born on 29 February has
    a birthday on 1 March where there is none."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        # 29 February, and no such day then.
        return date(on.year - years, 2, 28)
