"""What persons are found by, made anew with the current blind index key, while the service runs.

Meanwhile rows of either key are found, as `BLIND_INDEX_KEY_OTHER` gives the other. Each row says
by itself which key it is stored by: whatever ends this, running it again passes over what is done.
Ids stay: they follow from `HOUSEHOLD_ID_KEY`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.registry.households.persons import Person, PersonalData, personal_data_from
from services.registry.households.shape import (
    ACCOUNT,
    HEAD_NAME,
    PROVIDER,
    REGISTRATION_NUMBER,
    SHAPE,
)
from services.registry.members import shape as member
from services.registry.members.storing import content_of
from services.registry.settings import ApiSettings
from services.registry.upkeep import repository
from services.registry.upkeep.repository import FOUND_BY
from shared.database import Database
from shared.known_keys import let_go
from shared.personal_data import CannotDecrypt
from shared.resealing import CHUNK_ROWS, Progress, Tell

_FIRST = UUID(int=0)
_PASSED_OVER_SECONDS = 0.2
_PASSES = 25


@dataclass
class Pass:
    """What one walk over all households met."""

    seen: int = 0
    stored: int = 0
    """Rows that were stored by another key, and are not any more."""
    by_another: int = 0
    """Rows that are stored by another key, and stay so: they cannot be opened, or do not hold
    their registration number."""


class Reindexing:
    """Works on the households of one database."""

    def __init__(self, database: Database, settings: ApiSettings, *, tell: Tell) -> None:
        self._database = database
        self._settings = settings
        self._personal_data: PersonalData = personal_data_from(settings)
        self._tell = tell

    async def run(self, *, only_look: bool) -> bool:
        """Make every index anew; whether the other key can be taken out.

        With ``only_look`` nothing is changed, and rows by the other key are counted as staying.
        """
        async with self._database.connection() as connection:
            await connection.execute("SET jit = off")
            for _ in range(_PASSES):
                total = await repository.count_households(connection)
                progress = Progress(self._tell, "registry.household", total)
                found = await self._walk(connection, progress, only_look=only_look)
                if found.seen >= total and not found.stored:
                    break
                await asyncio.sleep(_PASSED_OVER_SECONDS)
            else:
                self._tell("Some households are held by others all the time: run this again.")
                return False
        return await self._conclude(found, only_look=only_look)

    async def _conclude(self, found: Pass, *, only_look: bool) -> bool:
        if found.by_another:
            self._tell(
                f"{found.by_another:,} rows are found by another key"
                + (
                    ": run this without --check."
                    if only_look
                    else ", and do not hold what is needed to change that: import these "
                    "households again while both keys are set."
                )
            )
            return False
        self._tell("Everybody is found by BLIND_INDEX_KEY.")
        if not only_look:
            ring = next(
                ring for ring in self._settings.key_rings() if ring.variable == "BLIND_INDEX_KEY"
            )
            async with self._database.transaction() as session:
                await let_go(session, ring, needed=(), schema=self._settings.service)
            self._tell("BLIND_INDEX_KEY_OTHER can be taken out. HOUSEHOLD_ID_KEY has to stay.")
        return True

    async def _walk(
        self, connection: asyncpg.Connection, progress: Progress, *, only_look: bool
    ) -> Pass:
        met, after = Pass(), _FIRST
        while True:
            async with connection.transaction():
                rows = await repository.lock_households(connection, after=after, limit=CHUNK_ROWS)
                if not rows:
                    return met
                accounts = defaultdict(list)
                for account in await repository.accounts_of(
                    connection, [row["id"] for row in rows]
                ):
                    accounts[account["household_id"]].append(account)
                self._personal_data = self._personal_data.apart()
                await self._personal_data.learn_on(connection, [row["id"] for row in rows])
                await self._store(connection, rows, accounts, met, only_look=only_look)
                members = await repository.members_of(connection, [row["id"] for row in rows])
                await self._store_members(connection, members, met, only_look=only_look)
            after = rows[-1]["id"]
            progress.add(len(rows))

    async def _store(
        self,
        connection: asyncpg.Connection,
        rows: Sequence[asyncpg.Record],
        accounts: Mapping[UUID, Sequence[asyncpg.Record]],
        met: Pass,
        *,
        only_look: bool,
    ) -> None:
        households: list[tuple[UUID, repository.Indexes]] = []
        changed_accounts: list[tuple[UUID, bytes]] = []
        for row in rows:
            met.seen += 1
            try:
                open_accounts = self._opened(row["id"], accounts[row["id"]])
                indexes = self._indexes(row, open_accounts)
            except CannotDecrypt:
                indexes = None
            if indexes is None:
                # It cannot be told by which key: while there is another, it may be by that.
                met.by_another += self._personal_data.other_index is not None
                continue
            if indexes != repository.indexes_of(row):
                households.append((row["id"], indexes))
            index_of = self._personal_data.index.indexes_of(ACCOUNT)
            changed_accounts += [
                (account["id"], index_of(plain))
                for account, plain in open_accounts
                if account["account_index"] != index_of(plain)
            ]
        if only_look:
            met.by_another += len(households) + len(changed_accounts)
            return
        met.stored += len(households) + len(changed_accounts)
        if households:
            await repository.store_households(connection, households)
        if changed_accounts:
            await repository.store_accounts(connection, changed_accounts)

    async def _store_members(
        self,
        connection: asyncpg.Connection,
        rows: Sequence[asyncpg.Record],
        met: Pass,
        *,
        only_look: bool,
    ) -> None:
        members: list[tuple[UUID, repository.Indexes]] = []
        for row in rows:
            try:
                indexes = self._indexes_of_member(row)
            except CannotDecrypt:
                met.by_another += self._personal_data.other_index is not None
                continue
            if indexes != repository.indexes_of_member(row):
                members.append((row["id"], indexes))
        if only_look:
            met.by_another += len(members)
            return
        met.stored += len(members)
        if members:
            await repository.store_members(connection, members)

    def _indexes_of_member(self, row: asyncpg.Record) -> repository.Indexes:
        """What a member is found and compared by."""
        person = self._personal_data.open_sealed(
            row["person_sealed"],
            member.SEALED,
            bound_to=row["id"],
            household_id=row["household_id"],
        )
        found, other = self._personal_data.index, self._personal_data.other_index
        indexes = [
            None if (value := person[known.name]) is None else found.indexes_of(known)(value)
            for known in repository.MEMBER_FOUND_BY.values()
        ]
        given = {**row, **person, member.PROGRAMMES.name: tuple(row["programmes"])}
        said = [given[known.name] for known in member.MEMBER_SHAPE]
        content: bytes = row["content_index"]
        # Where they differ, programmes have changed since: the next import says them anew.
        if other is not None and content_of(said, indexes=other) == content:
            content = content_of(said, indexes=found)
        return [*indexes, content, found.name_tokens(person[member.NAME.name])]

    def _opened(
        self, household_id: UUID, accounts: Sequence[asyncpg.Record]
    ) -> list[tuple[asyncpg.Record, str]]:
        open_account = self._personal_data.open_account
        return [
            (account, open_account(account["account_sealed"], household_id=household_id))
            for account in accounts
        ]

    def _indexes(
        self, row: asyncpg.Record, accounts: Sequence[tuple[asyncpg.Record, str]]
    ) -> repository.Indexes | None:
        """What a household is found and compared by; None where its number is not kept."""
        person = self._personal_data.open_person(row["person_sealed"], household_id=row["id"])
        if person[REGISTRATION_NUMBER.name] is None:
            return None
        found = self._personal_data.index
        indexes = [
            None if (value := person[known.name]) is None else found.indexes_of(known)(value)
            for known in FOUND_BY.values()
        ]
        return [
            *indexes,
            self._content(row, person, accounts),
            found.name_tokens(person[HEAD_NAME.name]),
        ]

    def _content(
        self,
        row: asyncpg.Record,
        person: Person,
        accounts: Sequence[tuple[asyncpg.Record, str]],
    ) -> bytes:
        """What the last import said, by the current key.

        It may have named an account that an officer has changed since, or none. So each account
        that the household ever had is tried, until the other key agrees that this was said. Where
        none fits, a field was added since, or its members were listed and are not as many as was
        said: the next import changes the household either way.
        """
        stored: bytes = row["content_index"]
        other = self._personal_data.other_index
        if other is None:
            return stored
        named = [(None, None), *((account["provider_code"], plain) for account, plain in accounts)]
        for provider_code, account in named:
            given = {**row, **person, PROVIDER.name: provider_code, ACCOUNT.name: account}
            values = [given[known.name] for known in SHAPE]
            if other.content_index(values) == stored:
                return self._personal_data.index.content_index(values)
        return stored
