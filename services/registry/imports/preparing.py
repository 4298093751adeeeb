"""Holding a block against what is known, and sealing what is new or changed of it."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from services.registry.areas.codes import districts_of
from services.registry.households.persons import PersonalData
from services.registry.households.shape import COMMUNE
from services.registry.imports.gathering import Block
from services.registry.imports.looking import Known, look
from services.registry.imports.members import MemberBlock, only_registered
from services.registry.imports.reading import ReadBlock
from services.registry.imports.sealing import (
    KnownHousehold,
    SealedBlock,
    Sorted,
    ids_of,
    keys_of,
    seal,
    sort_out,
)
from services.registry.imports.tables import ImportRun
from services.registry.members.storing import SealedMembers, known_members, seal_members
from shared.clock import Clock
from shared.contracts.events import HouseholdsImported
from shared.events import Event


@dataclass
class Prepared:
    """A block held against what is known: ready to be counted, or stored."""

    read: ReadBlock
    found: Sorted
    rows: int
    sealed: SealedBlock | None
    keys: PersonalData
    """What it was sealed with."""
    members: SealedMembers | None = None
    rejected_in: Counter[str] | None = None


class Preparing:
    """Prepares the blocks of one run."""

    def __init__(self, run: ImportRun, *, personal_data: PersonalData, clock: Clock) -> None:
        self._run = run
        self._personal_data = personal_data
        self._clock = clock

    async def prepared(
        self, block: Block, connection: asyncpg.Connection, *, seals: bool, closely: bool
    ) -> Prepared:
        """The block as it is to be stored; ``seals`` is False where it is only counted.

        ``closely`` is as in ``look``.
        """
        if isinstance(block.read, MemberBlock):
            return await self._prepared_members(
                block.read, connection, seals=seals, closely=closely
            )
        read = block.read
        known = await look(connection, read, self._personal_data, closely=closely)
        keys = keys_of(known.households.values(), self._personal_data, orphans=known.orphans)
        found = await asyncio.to_thread(sort_out, read, known.households)
        sealed = await self._sealed(read, known, keys) if seals else None
        rows = len(read.registration_indexes) + read.rejected_count
        return Prepared(read, found, rows=rows, sealed=sealed, keys=keys)

    async def _prepared_members(
        self, block: MemberBlock, connection: asyncpg.Connection, *, seals: bool, closely: bool
    ) -> Prepared:
        """The households first, for their members are found by their ids."""
        known = await look(connection, block.households, self._personal_data, closely=closely)
        keys = keys_of(known.households.values(), self._personal_data, orphans=known.orphans)
        if not block.says_households:
            block = await asyncio.to_thread(only_registered, block, known.households)
        read = block.households
        if block.says_households:
            found = await asyncio.to_thread(sort_out, read, known.households)
            sealed = await self._sealed(read, known, keys) if seals else None
        else:
            found = Sorted((), {}, range(len(read.registration_indexes)))
            sealed = SealedBlock((), (), (), (), len(found.unchanged))
        ids = await asyncio.to_thread(ids_of, read, found, known.households, self._personal_data)
        stored = await known_members(connection, ids)
        members = await asyncio.to_thread(
            seal_members,
            [ids[owner] for owner in block.owners],
            block.columns,
            known=stored,
            erased=frozenset(each.id for each in known.households.values() if each.is_erased),
            personal_data=keys,
            now=self._clock.now(),
        )
        # What a household that comes with its members says of them is counted already.
        counted = {ids[at] for at in found.new}.difference(household for household, _ in stored)
        if counted:
            left = [household for household in members.household_ids if household not in counted]
            members = replace(members, household_ids=left)
        return Prepared(
            replace(read, rejections=block.rejections, rejected_count=block.rejected_rows),
            _with_members(found, ids, members),
            rows=block.rows,
            sealed=None if sealed is None else replace(sealed, listed=True),
            keys=keys,
            members=members,
            rejected_in=block.rejected_in,
        )

    async def _sealed(self, read: ReadBlock, known: Known, keys: PersonalData) -> SealedBlock:
        return await asyncio.to_thread(
            seal,
            read,
            known=known.households,
            personal_data=keys,
            sender=self._run.asked_by,
            batch_id=self._run.id,
            now=self._clock.now(),
        )

    def told(self, prepared: Prepared) -> list[Event]:
        """One event for the block, and none where everything was known."""
        found = prepared.found
        if not found.new and not found.changed:
            return []
        communes = prepared.read.columns[COMMUNE.name]
        imported = HouseholdsImported(
            import_id=self._run.import_id,
            added=len(found.new),
            changed=len(found.changed),
            areas=districts_of(
                str(communes[at]) for at in (*found.new, *found.changed) if communes[at]
            ),
        )
        return [imported.to_event(clock=self._clock)]


def _with_members(found: Sorted, ids: Sequence[UUID], members: SealedMembers) -> Sorted:
    """The households, of which those with a new or changed member are changed."""
    touched = {record[1] for record in (*members.new, *members.changed)}
    also = [at for at in found.unchanged if ids[at] in touched]
    if not also:
        return found
    moved = set(also)
    household = KnownHousehold(ids[also[0]], b"", None, None)
    return Sorted(
        found.new,
        {**found.changed, **dict.fromkeys(also, household)},
        [at for at in found.unchanged if at not in moved],
    )


def by_area(prepared: Prepared) -> Mapping[str, Sequence[int]]:
    """Households added, changed and unchanged, and bad rows, by commune."""
    found = prepared.found
    communes = prepared.read.columns[COMMUNE.name]
    counters = [
        *(
            Counter(communes[at] or "" for at in rows)
            for rows in (found.new, found.changed, found.unchanged)
        ),
        prepared.read.rejected_in if prepared.rejected_in is None else prepared.rejected_in,
    ]
    codes = sorted(set().union(*counters))
    return {code: [counter[code] for counter in counters] for code in codes}
