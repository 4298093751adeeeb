"""Sealing the rows of a block, as rows for COPY.

Plain computation, run in a thread beside the event loop, or in a process of its own (``apart.py``),
while PostgreSQL stores the block before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from typing import Any, NamedTuple
from uuid import UUID

from services.registry.accounts.repository import PARTLY_TAKEN
from services.registry.household_keys.repository import Materials, encoded_materials
from services.registry.households.fields import Field, Kept
from services.registry.households.persons import PersonalData, household_ids_of
from services.registry.households.shape import (
    ACCOUNT,
    COMMUNE,
    FOUND,
    HEAD_NAME,
    OPEN,
    PROVIDER,
    REGISTRATION_NUMBER,
    SEALED,
)
from services.registry.households.tables import Household, PayeeAccount
from services.registry.imports.reading import ReadBlock
from services.registry.imports.rows import Columns, pick
from services.registry.members.storing import KnownMember, Place, SealedMembers, seal_members
from shared.copying import EncodedRows, encoded_columns
from shared.ids import new_ids

_ID = 0
"""Where a household's record has its id."""

_FOUND_BY = {
    known.found_by.column: known
    for known in FOUND
    if known.found_by is not None and known.kept is Kept.SEALED
}
HOUSEHOLD_COLUMNS = (
    "id",
    *(known.name for known in OPEN),
    "person_sealed",
    *_FOUND_BY,
    "content_index",
    "name_tokens",
    "changed_at",
)
_CONTENT_INDEX = HOUSEHOLD_COLUMNS.index("content_index")
CHANGE_COLUMNS = (
    "id",
    "household_id",
    "provider_code",
    "account_sealed",
    "account_index",
    "asked_at",
    "batch_id",
    "content_index",
)

Record = tuple[object, ...]
"""The values of a row, in the order of the columns above."""


class KnownHousehold(NamedTuple):
    """What is stored of a household that an import names."""

    id: UUID
    content_index: bytes
    provider_code: str | None
    account_index: bytes | None
    is_erased: bool = False
    """Whoever was erased stays so, whatever a file says."""
    material: bytes | None = None
    """What it has of its own to be sealed with, if it has any."""


@dataclass(frozen=True)
class Sorted:
    """The rows of a block by what the registry knows of them; rows are counted from 0."""

    new: Sequence[int]
    changed: Mapping[int, KnownHousehold]
    unchanged: Sequence[int]


@dataclass(frozen=True)
class MembersToSeal:
    """The members of a block's households."""

    columns: Columns
    owners: Sequence[int]
    """Which of the households each is of."""
    household_ids: Sequence[UUID]
    """Of all of the block's households."""
    known: Mapping[Place, KnownMember]
    erased: frozenset[UUID]
    """Of which households nobody becomes a member."""
    with_households: bool
    """Whether the households come with them, and not only their numbers."""


@dataclass(frozen=True)
class ToSeal:
    """A block, and what is known of its households: all that sealing it takes but the keys."""

    read: ReadBlock
    found: Sorted
    materials: Materials
    """What the known ones have of their own, and those that the database has lost."""
    sender: str
    batch_id: UUID
    now: datetime
    members: MembersToSeal | None = None


@dataclass(frozen=True)
class SealedBlock:
    """A block ready to be stored."""

    households: EncodedRows
    accounts: EncodedRows
    changed_households: Sequence[Record]
    account_changes: Sequence[Record]
    """Accounts that known households are to have: no block decides about them by itself."""
    unchanged_count: int
    communes: frozenset[str]
    """Where those live who are new, or changed."""
    materials: EncodedRows
    """What was drawn for households that had nothing of their own."""
    held: frozenset[UUID]
    """The known households that something was sealed for."""
    members: SealedMembers | None


def sort_out(block: ReadBlock, known: Mapping[bytes, KnownHousehold]) -> Sorted:
    """Which rows are new, changed and unchanged; ``known`` is by registration index, of either
    key."""
    stored = _stored(block, known)
    new = [at for at, household in enumerate(stored) if household is None]
    changed = {
        at: household
        for at, household in enumerate(stored)
        if household is not None
        and not household.is_erased
        and household.content_index not in _contents(block, at)
    }
    unchanged: Sequence[int] = ()
    if len(new) + len(changed) < len(stored):
        unchanged = [
            at for at, household in enumerate(stored) if household is not None and at not in changed
        ]
    return Sorted(new, changed, unchanged)


def ids_of(
    block: ReadBlock,
    found: Sorted,
    known: Mapping[bytes, KnownHousehold],
    personal_data: PersonalData,
) -> list[UUID]:
    """The ids of a block's households, of those to come as of those that are known."""
    stored = _stored(block, known)
    new = dict(zip(found.new, _household_ids(block, found.new, personal_data), strict=True))
    return [new[at] if household is None else household.id for at, household in enumerate(stored)]


def materials_of(known: Iterable[KnownHousehold], *, orphans: Materials) -> Materials:
    """What the households of a block have of their own.

    ``orphans`` is what households have that the database has lost.
    """
    materials: dict[UUID, bytes | None] = dict(orphans)
    for household in known:
        if household.is_erased or household.material is not None:
            materials[household.id] = household.material
    return materials


def seal(block: ToSeal, personal_data: PersonalData) -> SealedBlock:
    """Seal the rows that are new or changed.

    The accounts of new households are the sender's; changed ones are of a batch of changes.
    """
    read, found, members = block.read, block.found, block.members
    new, changed = found.new, found.changed
    keys = personal_data.giving(block.materials)
    sealing = _Sealing(keys, block.now)
    # The same registration gives the same id, also where the database has lost the household.
    ids = (
        _household_ids(read, new, keys)
        if members is None
        else [members.household_ids[at] for at in new]
    )
    households, accounts = sealing.columns(read, new, ids)
    changed_columns, changed_accounts = sealing.columns(
        read,
        list(changed),
        [household.id for household in changed.values()],
        stored=list(changed.values()),
    )
    sealed_members = None if members is None else _members(block, members, keys)
    contents: dict[object, bytes] = {
        household.id: read.content_indexes[at] for at, household in changed.items()
    }
    owners = changed_accounts["household_id"]
    waiting = set(owners)
    return SealedBlock(
        households=encoded_columns(
            Household, {**households, "members_listed": [members is not None] * len(ids)}
        ),
        accounts=encoded_columns(
            PayeeAccount,
            {**accounts, "changed_by": [block.sender] * len(accounts["household_id"])},
        ),
        changed_households=[
            _partly_taken(household) if household[_ID] in waiting else household
            for household in _records(changed_columns)
        ],
        account_changes=[
            (*account, block.batch_id, contents[owner])
            for account, owner in zip(_records(changed_accounts), owners, strict=True)
        ],
        unchanged_count=len(found.unchanged),
        communes=frozenset(map(str, {*households[COMMUNE.name], *changed_columns[COMMUNE.name]})),
        materials=encoded_materials(keys.given),
        held=frozenset(keys.sealed_for - set(ids)),
        members=sealed_members,
    )


def only_members(block: ToSeal, personal_data: PersonalData) -> SealedMembers:
    """Seal the members alone, for whoever only counts them."""
    assert block.members is not None
    return _members(block, block.members, personal_data.giving(block.materials))


def _members(block: ToSeal, members: MembersToSeal, keys: PersonalData) -> SealedMembers:
    ids = members.household_ids
    sealed = seal_members(
        [ids[owner] for owner in members.owners],
        members.columns,
        known=members.known,
        erased=members.erased,
        personal_data=keys,
        now=block.now,
    )
    if not members.with_households:
        return sealed
    # What a household that comes with its members says of them is counted already.
    counted = {ids[at] for at in block.found.new}.difference(
        household_id for household_id, _ in members.known
    )
    left = [household_id for household_id in sealed.household_ids if household_id not in counted]
    return replace(sealed, household_ids=left)


def _stored(
    block: ReadBlock, known: Mapping[bytes, KnownHousehold]
) -> Sequence[KnownHousehold | None]:
    """What is stored of each row of the block, by whichever key it is stored."""
    stored = [known.get(index) for index in block.registration_indexes]
    if block.other is None:
        return stored
    return [
        household or known.get(index)
        for household, index in zip(stored, block.other.registration_indexes, strict=True)
    ]


def _contents(block: ReadBlock, at: int) -> Sequence[bytes]:
    contents = [block.content_indexes[at]]
    return contents if block.other is None else [*contents, block.other.content_indexes[at]]


def _household_ids(
    block: ReadBlock, positions: Sequence[int], personal_data: PersonalData
) -> list[UUID]:
    """Ids that follow from the registration numbers."""
    numbers = block.columns[REGISTRATION_NUMBER.name]
    ids = personal_data.ids
    return household_ids_of(
        [numbers[at] for at in positions],
        ids,
        # What the rows were read with is mostly what the ids follow from.
        indexes=[block.registration_indexes[at] for at in positions]
        if ids is personal_data.index
        else None,
    )


def _partly_taken(household: Record) -> Record:
    """What is stored of a household whose account is not changed yet."""
    return (
        *household[:_CONTENT_INDEX],
        PARTLY_TAKEN,
        *household[_CONTENT_INDEX + 1 :],
    )


class _Sealing:
    """Seals rows of one block with these keys, at this moment."""

    def __init__(self, personal_data: PersonalData, now: datetime) -> None:
        self._personal_data = personal_data
        self._now = now

    def columns(
        self,
        block: ReadBlock,
        positions: Sequence[int],
        household_ids: Sequence[UUID],
        *,
        stored: Sequence[KnownHousehold] | None = None,
    ) -> tuple[Columns, Columns]:
        """``HOUSEHOLD_COLUMNS``, and those of ``payee_account`` up to when it began, for some of
        the block.

        ``stored`` are the households as they are known: of one whose account is the one that it
        has, or that comes without, there is no row, and it keeps the account that it has.
        """
        columns, contents = block.columns, block.content_indexes
        registrations = block.registration_indexes
        if len(positions) < len(contents):
            columns = pick(columns, positions)
            contents, registrations = (
                [indexes[at] for at in positions] for indexes in (contents, registrations)
            )
        values = (
            household_ids,
            *(columns[known.name] for known in OPEN),
            self._persons(columns, household_ids),
            *(
                # Whoever read the block has made it: the row is looked up by it.
                registrations
                if known is REGISTRATION_NUMBER
                else self._indexes(known, columns[known.name])
                for known in _FOUND_BY.values()
            ),
            contents,
            list(map(self._personal_data.index.name_tokens, columns[HEAD_NAME.name])),
            [self._now] * len(contents),
        )
        households = dict(zip(HOUSEHOLD_COLUMNS, values, strict=True))
        return households, self._accounts(columns, household_ids, stored)

    def _indexes(self, known: Field, values: Sequence[Any]) -> Sequence[bytes | None]:
        index_of = self._personal_data.index.indexes_of(known)
        return [None if value is None else index_of(value) for value in values]

    def _persons(self, columns: Columns, household_ids: Sequence[UUID]) -> Sequence[bytes]:
        seal_person = self._personal_data.seal_person
        persons = zip(*(columns[known.name] for known in SEALED), strict=True)
        return [
            seal_person(person, bound_to=household_id.bytes, household_id=household_id)
            for person, household_id in zip(persons, household_ids, strict=True)
        ]

    def _accounts(
        self,
        columns: Columns,
        household_ids: Sequence[UUID],
        stored: Sequence[KnownHousehold] | None,
    ) -> Columns:
        accounts = columns[ACCOUNT.name]
        positions = [at for at, account in enumerate(accounts) if account is not None]
        providers = [columns[PROVIDER.name][at] for at in positions]
        accounts = [accounts[at] for at in positions]
        owners = [household_ids[at] for at in positions]
        indexes, *others = (
            list(map(found.indexes_of(ACCOUNT), accounts)) for found in self._personal_data.found_by
        )
        if stored is not None:
            changes = [
                stored[at].provider_code != provider or stored[at].account_index not in either
                for at, provider, *either in zip(
                    positions, providers, indexes, *others, strict=True
                )
            ]
            providers, accounts, owners, indexes = (
                list(compress(values, changes)) for values in (providers, accounts, owners, indexes)
            )
        seal_account = self._personal_data.seal_account
        return {
            "id": new_ids(len(accounts)),
            "household_id": owners,
            "provider_code": providers,
            "account_sealed": [
                seal_account(account, household_id=owner.bytes)
                for account, owner in zip(accounts, owners, strict=True)
            ],
            "account_index": indexes,
            "began_at": [self._now] * len(accounts),
        }


def _records(columns: Columns) -> Iterable[Record]:
    return zip(*columns.values(), strict=True)
