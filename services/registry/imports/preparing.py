"""Holding a block against what is known, and sealing what is new or changed of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from services.registry.areas.codes import districts_of
from services.registry.households.persons import PersonalData
from services.registry.households.shape import COMMUNE
from services.registry.imports.apart import Compute
from services.registry.imports.gathering import Block
from services.registry.imports.looking import Known, look
from services.registry.imports.members import MemberBlock, only_registered
from services.registry.imports.reading import ReadBlock
from services.registry.imports.sealing import (
    KnownHousehold,
    MembersToSeal,
    SealedBlock,
    Sorted,
    ToSeal,
    ids_of,
    materials_of,
    only_members,
    seal,
    sort_out,
)
from services.registry.imports.tables import ImportRun
from services.registry.members.storing import SealedMembers, known_members
from shared.clock import Clock
from shared.contracts.events import HouseholdsImported
from shared.events import Event


@dataclass
class Looked:
    """A block, with what is known of its households and members."""

    block: Block
    read: ReadBlock
    found: Sorted
    rows: int
    to_seal: ToSeal
    rejected_in: Counter[str] | None = None


@dataclass
class Prepared:
    """A block held against what is known: ready to be counted, or stored."""

    read: ReadBlock
    found: Sorted
    rows: int
    sealed: SealedBlock | None
    """None: it is only counted."""
    members: SealedMembers | None = None
    rejected_in: Counter[str] | None = None


class Preparing:
    """Prepares the blocks of one run."""

    def __init__(
        self,
        run: ImportRun,
        *,
        personal_data: PersonalData,
        compute: Compute,
        seals: bool,
        clock: Clock,
    ) -> None:
        self._run = run
        self._personal_data = personal_data
        self._compute = compute
        self._seals = seals
        """Or else the blocks are only counted."""
        self._clock = clock

    async def looked(
        self, block: Block, connection: asyncpg.Connection, *, closely: bool
    ) -> Looked:
        """The block held against what is stored; ``closely`` is as in ``look``."""
        if isinstance(block.read, MemberBlock):
            return await self._looked_for_members(block, block.read, connection, closely=closely)
        read = block.read
        known = await look(connection, read, self._personal_data, closely=closely)
        found = await asyncio.to_thread(sort_out, read, known.households)
        rows = len(read.registration_indexes) + read.rejected_count
        return Looked(block, read, found, rows, self._to_seal(read, found, known))

    async def _looked_for_members(
        self,
        block: Block,
        read_members: MemberBlock,
        connection: asyncpg.Connection,
        *,
        closely: bool,
    ) -> Looked:
        """The households first, for their members are found by their ids."""
        known = await look(
            connection, read_members.households, self._personal_data, closely=closely
        )
        if not read_members.says_households:
            read_members = await asyncio.to_thread(only_registered, read_members, known.households)
        read = read_members.households
        if read_members.says_households:
            found = await asyncio.to_thread(sort_out, read, known.households)
        else:
            found = Sorted((), {}, range(len(read.registration_indexes)))
        ids = await asyncio.to_thread(ids_of, read, found, known.households, self._personal_data)
        members = MembersToSeal(
            read_members.columns,
            read_members.owners,
            ids,
            known=await known_members(connection, ids),
            erased=frozenset(each.id for each in known.households.values() if each.is_erased),
            with_households=read_members.says_households,
        )
        return Looked(
            block,
            replace(
                read,
                rejections=read_members.rejections,
                rejected_count=read_members.rejected_rows,
            ),
            found,
            read_members.rows,
            self._to_seal(read, found, known, members),
            read_members.rejected_in,
        )

    def _to_seal(
        self,
        read: ReadBlock,
        found: Sorted,
        known: Known,
        members: MembersToSeal | None = None,
    ) -> ToSeal:
        return ToSeal(
            # What is wrong with other rows is no matter of sealing.
            replace(read, rejections=[]),
            found,
            materials_of(known.households.values(), orphans=known.orphans),
            sender=self._run.asked_by,
            batch_id=self._run.id,
            now=self._clock.now(),
            members=members,
        )

    async def prepared(self, looked: Looked) -> Prepared:
        """The block as it is to be stored, or counted."""
        to_seal = looked.to_seal
        sealed: SealedBlock | None = None
        members: SealedMembers | None = None
        if self._seals:
            sealed = await self._compute(seal, to_seal)
            members = sealed.members
        elif to_seal.members is not None:
            members = await self._compute(only_members, to_seal)
        found = looked.found
        if to_seal.members is not None and members is not None:
            found = _with_members(found, to_seal.members, members)
        return Prepared(
            looked.read, found, looked.rows, sealed, members, rejected_in=looked.rejected_in
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
            areas=districts_of(filter(None, set(_at(communes, (*found.new, *found.changed))))),
        )
        return [imported.to_event(clock=self._clock)]


def _with_members(found: Sorted, given: MembersToSeal, sealed: SealedMembers) -> Sorted:
    """The households, of which those with a new or changed member are changed."""
    touched = {given.owners[at] for at in sealed.written}
    also = [at for at in found.unchanged if at in touched]
    if not also:
        return found
    household = KnownHousehold(given.household_ids[also[0]], b"", None, None)
    return Sorted(
        found.new,
        {**found.changed, **dict.fromkeys(also, household)},
        [at for at in found.unchanged if at not in touched],
    )


def by_area(prepared: Prepared) -> Mapping[str, Sequence[int]]:
    """Households added, changed and unchanged, and bad rows, by commune."""
    found = prepared.found
    communes = prepared.read.columns[COMMUNE.name]
    counters = [
        *(Counter(_at(communes, rows)) for rows in (found.new, found.changed, found.unchanged)),
        prepared.read.rejected_in if prepared.rejected_in is None else prepared.rejected_in,
    ]
    codes = sorted(set().union(*counters))
    return {code: [counter[code] for counter in counters] for code in codes}


def _at(communes: Sequence[str | None], rows: Iterable[int]) -> list[str]:
    """Where some rows live; an empty text where that is not known."""
    return [communes[at] or "" for at in rows]
