"""What the registry knows of the households that a block names."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from services.registry.household_keys.repository import Materials, materials_on
from services.registry.households.persons import PersonalData
from services.registry.imports import repository
from services.registry.imports.reading import ReadBlock
from services.registry.imports.sealing import KnownHousehold, ids_of, sort_out


@dataclass(frozen=True)
class Known:
    """What is known of a block's households."""

    households: Mapping[bytes, KnownHousehold]
    """By registration index, of either key."""
    orphans: Materials = field(default_factory=dict)
    """What households have of their own that the database has lost."""


async def look(
    connection: asyncpg.Connection,
    read: ReadBlock,
    personal_data: PersonalData,
    *,
    closely: bool,
) -> Known:
    """What is stored of a block's households.

    By their numbers; ``closely`` by their ids as well, where nobody is found by the number: who was
    erased before the index's key was changed, and what is left of whom the database has lost.
    Whoever stores a block looks so once it would not be stored, whoever only counts looks at once.
    """
    indexes = read.registration_indexes
    if read.other is not None:
        indexes = [*indexes, *read.other.registration_indexes]
    known = await repository.known_households(connection, indexes)
    if not closely:
        return Known(known)
    found = await asyncio.to_thread(sort_out, read, known)
    if not found.new:
        return Known(known)
    ids = await asyncio.to_thread(ids_of, read, found, known, personal_data)
    by_id = {ids[at]: at for at in found.new}
    for id, household in (await repository.known_by_id(connection, list(by_id))).items():
        known[read.registration_indexes[by_id.pop(id)]] = household
    return Known(known, await materials_on(connection, list(by_id)))
