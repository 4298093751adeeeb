"""A registry with everybody in it, by COPY: households and their members, with names as people have
them.

A few family names are common and many are rare, as anywhere; half of the households are written in
Khmer, half in Latin letters. How common the commonest are is assumed, and told where it matters.
What is made of a person (sealed, hashed, counted) is made by the services' own code.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pydantic import SecretBytes

from benchmarks.duplicates.planting import BEGINNINGS, ENDINGS, FAMILIES
from benchmarks.members import DAY, Drawn
from deploy.local.environment import PROVIDERS, LocalSecrets
from services.registry.areas.gazetteer import shipped_areas
from services.registry.areas.tables import Level
from services.registry.household_keys.repository import copy_on
from services.registry.households.persons import (
    FILE_CONTEXT,
    PERSON_CONTEXT,
    Indexes,
    PersonalData,
    household_ids_of,
)
from services.registry.households.shape import (
    ACCOUNT,
    ID_NUMBER,
    PHONE,
    REGISTRATION_NUMBER,
)
from services.registry.members.storing import counts_on, seal_members, store_members
from shared.contracts.entitlements import ACCOUNT_CONTEXT
from shared.ids import new_id
from shared.personal_data import BlindIndex, Cipher, cipher_from

_SEED = 1
_SHARE_OF_COMMON_FAMILIES = 0.85
_SKEW = 0.5
"""The second of a list is called so 0.71 times as often as the first, the hundredth 0.1 times."""
_SHARE_IN_KHMER = 0.5
_SHARE_IN_A_PROGRAMME = 0.1
_PROGRAMMES = ("school-meals", "pregnant-women-and-children", "disability-allowance")
_WITHOUT_ACCOUNT_EACH = 50
_BLOCK_HOUSEHOLDS = 5_000
_INDEX_MEMORY = "1GB"

_GIVEN = [(begin[0] + end[0], begin[1] + end[1]) for begin in BEGINNINGS for end in ENDINGS]
_NAME_INDEXES = """
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index
    WHERE indrelid IN ('registry.household'::regclass, 'registry.member'::regclass)
      AND pg_get_indexdef(indexrelid) LIKE '% USING gin %'
"""


class Named:
    """What so many persons are called, by one seed."""

    def __init__(self, sizes: NDArray[np.int64]) -> None:
        draws = np.random.default_rng(_SEED)
        persons = int(sizes.sum())
        is_common = draws.random(persons) < _SHARE_OF_COMMON_FAMILIES
        rare = draws.integers(len(FAMILIES), len(FAMILIES) + len(_GIVEN), persons)
        self.families = np.where(is_common, _skewed(draws, len(FAMILIES), persons), rare)
        self.given = draws.permutation(len(_GIVEN))[_skewed(draws, len(_GIVEN), persons)]
        self.in_khmer = np.repeat(draws.random(len(sizes)) < _SHARE_IN_KHMER, sizes)

    def name(self, person: int, *, khmer: bool | None = None) -> str:
        """As it is registered, or in the script that is asked for."""
        script = int(self.in_khmer[person] if khmer is None else khmer)
        family, given = int(self.families[person]), int(self.given[person])
        return f"{_family(family)[script]} {_GIVEN[given][script]}"

    def family_name(self, person: int) -> str:
        """The family name alone, in the script of the whole."""
        return _family(int(self.families[person]))[int(self.in_khmer[person])]

    @property
    def full(self) -> NDArray[np.int64]:
        """One number for each person: equal where family name and given name are, in any script."""
        numbers: NDArray[np.int64] = self.families * len(_GIVEN) + self.given
        return numbers


def _skewed(draws: np.random.Generator, among: int, size: int) -> NDArray[np.int64]:
    weights = np.arange(1, among + 1) ** -_SKEW
    edges = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(edges, draws.random(size)), among - 1)


def _family(number: int) -> tuple[str, str]:
    return FAMILIES[number] if number < len(FAMILIES) else _GIVEN[number - len(FAMILIES)]


class People:
    """So many households, and everybody in them. Households are counted from 0, and so are persons;
    the first of a household is its head."""

    def __init__(self, households: int) -> None:
        self.households = households
        self.drawn = Drawn(households)
        self.named = Named(self.drawn.sizes)
        self.communes = [area.code for area in shipped_areas() if area.level == Level.COMMUNE]
        self._each = -(-households // len(self.communes))

    @property
    def persons(self) -> int:
        return self.drawn.members

    def commune(self, household: int) -> str:
        return self.communes[household // self._each]

    def head(self, household: int) -> int:
        """The person who is its head."""
        return int(self.drawn.ends[household] - self.drawn.sizes[household])

    def household_of(self, person: int) -> int:
        return int(np.searchsorted(self.drawn.ends, person, side="right"))

    def registration_number(self, household: int) -> str:
        return f"{self.commune(household)}-1-{household:06}"

    def phone(self, household: int) -> str:
        return f"+8551{household:07}"

    def id_number(self, household: int) -> str:
        return f"99{household:07}"

    def columns(self, begin: int, end: int) -> tuple[list[int], dict[str, list[Any]]]:
        """The members of some households: the household of each, and their fields."""
        owners, columns = self.drawn.columns(begin, end)
        first = self.head(begin)
        persons = range(first, first + len(owners))
        columns["name"] = [self.named.name(person) for person in persons]
        tenth = round(1 / _SHARE_IN_A_PROGRAMME)
        columns["programmes"] = [
            () if person % tenth else (_PROGRAMMES[person // tenth % len(_PROGRAMMES)],)
            for person in persons
        ]
        return owners, columns


class _Remembering(Indexes):
    """Hashes a name once, however many are called so."""

    def __init__(self, index: BlindIndex) -> None:
        super().__init__(index)
        self._tokens = cache(super().name_tokens)

    def name_tokens(self, name: str | None) -> list[int] | None:
        return self._tokens(name)


def keys_of(kept: LocalSecrets) -> PersonalData:
    """The keys of a local deployment."""

    def cipher(key: str, context: str) -> Cipher:
        return cipher_from({1: SecretBytes(b64decode(key))}, context=context)

    index = BlindIndex(b64decode(kept.blind_index_key))
    keys = PersonalData(
        persons=cipher(kept.person_key, PERSON_CONTEXT),
        accounts=cipher(kept.account_key, ACCOUNT_CONTEXT),
        files=cipher(kept.person_key, FILE_CONTEXT),
        index=index,
    )
    keys.index = _Remembering(index)
    return keys


async def register(
    connection: asyncpg.Connection,
    people: People,
    keys: PersonalData,
    *,
    reach: Callable[[int], None] = lambda _: None,
) -> None:
    """Store all of them, whom no import has to read: one block is made while another is stored.

    ``reach`` is told how many households there are. Places have to be there.
    """
    await connection.execute(f"SET maintenance_work_mem = '{_INDEX_MEMORY}'")
    now = datetime.now(UTC)
    async with _without(connection, await connection.fetch(_NAME_INDEXES)):

        def begin(block: tuple[int, int]) -> asyncio.Task[Any]:
            return asyncio.create_task(asyncio.to_thread(_made, people, keys, block, now))

        blocks = list(_blocks(people.households))
        making = begin(blocks[0])
        for further in [*blocks[1:], None]:
            end, households, given, accounts, sealed = await making
            if further is not None:
                making = begin(further)
            async with connection.transaction():
                await _copy(connection, "household", households)
                await copy_on(connection, given)
                await _copy(connection, "payee_account", accounts)
                await store_members(connection, sealed, today=DAY)
            reach(end)
    for table in ("household", "household_key", "member", "payee_account", "programme_membership"):
        await connection.execute(f"VACUUM (ANALYZE) registry.{table}")


def _blocks(households: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, households, _BLOCK_HOUSEHOLDS):
        yield begin, min(begin + _BLOCK_HOUSEHOLDS, households)


@asynccontextmanager
async def _without(
    connection: asyncpg.Connection, indexes: Sequence[asyncpg.Record]
) -> AsyncIterator[None]:
    """Indexes that are made in the end, which takes a fraction of the time."""
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    yield
    for index in indexes:
        await connection.execute(index["definition"])


def _made(people: People, keys: PersonalData, block: tuple[int, int], now: datetime) -> Any:
    """A block of households, what they are sealed with, their accounts and their members, as
    records."""
    begin, end = block
    keys = keys.giving({})
    owners, columns = people.columns(begin, end)
    numbers = list(map(people.registration_number, range(begin, end)))
    ids = dict(zip(range(begin, end), household_ids_of(numbers, keys.ids), strict=True))
    members_of = [ids[at] for at in owners]
    counted = counts_on(members_of, columns, on=DAY)
    households = [
        _household(people, keys, at, ids[at], counted[ids[at]], now) for at in range(begin, end)
    ]
    codes = tuple(PROVIDERS)
    accounts = [
        {
            "id": new_id(),
            "household_id": ids[at],
            "provider_code": codes[at % len(codes)],
            "account_sealed": keys.seal_account(people.phone(at), household_id=ids[at].bytes),
            "account_index": keys.index.indexes_of(ACCOUNT)(people.phone(at)),
            "began_at": now,
        }
        for at in range(begin, end)
        if at % _WITHOUT_ACCOUNT_EACH
    ]
    sealed = seal_members(members_of, columns, known={}, personal_data=keys, now=now)
    return end, households, keys.given, accounts, sealed


def _household(
    people: People,
    keys: PersonalData,
    at: int,
    id: UUID,
    counted: dict[str, int],
    now: datetime,
) -> dict[str, Any]:
    name, phone = people.named.name(people.head(at)), people.phone(at)
    id_number, number = people.id_number(at), people.registration_number(at)
    found = {
        known.found_by.column: keys.index.indexes_of(known)(value)
        for known, value in ((REGISTRATION_NUMBER, number), (PHONE, phone), (ID_NUMBER, id_number))
        if known.found_by is not None
    }
    return {
        "id": id,
        "area_code": people.commune(at),
        "poverty_status": ("poor-1", "poor-2")[at % 2],
        "person_sealed": keys.seal_person(
            (name, phone, id_number, number), bound_to=id.bytes, household_id=id
        ),
        "content_index": bytes(16),
        "name_tokens": keys.index.name_tokens(name),
        # Of weeks, as rounds of registration go on.
        "changed_at": now - timedelta(minutes=people.households - at),
        "members_listed": True,
        **counted,
        **found,
    }


async def _copy(
    connection: asyncpg.Connection, table: str, records: Sequence[dict[str, Any]]
) -> None:
    await connection.copy_records_to_table(
        table,
        schema_name="registry",
        columns=list(records[0]),
        records=[tuple(record.values()) for record in records],
    )
