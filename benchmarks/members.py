"""Members as rows at full size: the same households to the riel, and what counting them costs.

python -m benchmarks.members                          the flood programme of 2022
python -m benchmarks.members --households 700000      the country, with the same shares

Makes a database of its own, registers households with exactly the members that the programme
counted, enrols them under its rules once by the counts and once by the rows of their members, and
compares each household and the totals; then measures the enrolment, the estimate, and the storing
of members against a bare COPY of the same rows: in the processor's time of PostgreSQL, so that who
else works on the machine does not matter. Exits with 1 where anything differs.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
import psutil
from pydantic import SecretBytes
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from benchmarks.database import copy_of, make_copies, owner
from deploy.local.postgres import LocalPostgres
from services.registry.areas.gazetteer import shipped_areas
from services.registry.chunks.cutting import PlannedChunk, cut_into_chunks
from services.registry.enrolments import statements
from services.registry.estimates import statements as estimates
from services.registry.household_keys.repository import copy_on
from services.registry.households.persons import PersonalData
from services.registry.households.shape import COUNTED
from services.registry.members.shape import MEMBER_SHAPE
from services.registry.members.storing import counts_on, seal_members, store_members
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.shipped import shipped_document
from shared.ids import id_of, new_id, round_parts
from shared.personal_data import BlindIndex, cipher_from

# Phnom Penh Post, 2 March 2023: paid by the flood programme, and the persons in these households.
HOUSEHOLDS, MEMBERS = 99_169, 372_859
CHILDREN, DISABLED, ELDERLY = 43_215, 5_957, 57_105
BASE, EACH = 80_000, 16_000

DAY = date(2022, 12, 10)
NOW = datetime(2022, 12, 10, 3, tzinfo=UTC)
SCHEME = "flood-2022"
ABOUT_MEMBERS = (
    "poverty_status IN ('poor-1', 'poor-2') AND "
    "any_member(age < 18 AND sex = 'female' AND schooling = 'lower-secondary')"
)
_CHUNK_HOUSEHOLDS = 20_000
_BLOCK_HOUSEHOLDS = 5_000
_NAMES = [known.name for known in COUNTED]
_AS_CLAIMED = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; "
    "SET LOCAL enable_mergejoin = off; SET LOCAL enable_memoize = off"
)


class Drawn:
    """Households and their members, drawn so that every count is met exactly."""

    def __init__(self, households: int, *, seed: int = 1) -> None:
        draws = np.random.default_rng(seed)
        scale = households / HOUSEHOLDS
        self.members = round(MEMBERS * scale)
        self.sizes = 1 + draws.multinomial(
            self.members - households, np.full(households, 1 / households)
        )
        kinds = draws.permutation(self.members)
        children, elderly = round(CHILDREN * scale), round(ELDERLY * scale)
        self.age_days = draws.integers(6 * 366, 59 * 365, self.members)
        self.age_days[kinds[:children]] = draws.integers(0, 6 * 365, children)
        self.age_days[kinds[children : children + elderly]] = draws.integers(
            60 * 366, 95 * 365, elderly
        )
        self.disabled = np.zeros(self.members, dtype=bool)
        self.disabled[draws.permutation(self.members)[: round(DISABLED * scale)]] = True
        self.female = draws.random(self.members) < 0.51
        self.schooling = draws.integers(0, 4, self.members)
        self.ends = np.cumsum(self.sizes)

    def expected(self, households: int) -> int:
        """What a round comes to, by the totals alone."""
        scale = households / HOUSEHOLDS
        counted = [round(count * scale) for count in (CHILDREN, DISABLED, ELDERLY)]
        return households * BASE + (self.members + sum(counted)) * EACH

    def columns(self, begin: int, end: int) -> tuple[list[int], dict[str, list[Any]]]:
        """The members of some households: the household of each, and their fields."""
        first, last = int(self.ends[begin - 1]) if begin else 0, int(self.ends[end - 1])
        owners = np.repeat(np.arange(begin, end), self.sizes[begin:end])
        numbers = np.arange(first, last) - np.repeat(
            self.ends[begin:end] - self.sizes[begin:end], self.sizes[begin:end]
        )
        schools = (None, "primary", "lower-secondary", "completed")
        columns: dict[str, list[Any]] = {
            "member_number": [int(number) + 1 for number in numbers],
            "relationship": ["child" if number else "head" for number in numbers],
            "sex": ["female" if female else "male" for female in self.female[first:last]],
            "birth_date": [DAY - timedelta(days=int(days)) for days in self.age_days[first:last]],
            "disability": [bool(value) for value in self.disabled[first:last]],
            "schooling": [schools[value] for value in self.schooling[first:last]],
            "programmes": [()] * (last - first),
            "name": [f"Sok Chanthy {number}" for number in range(first, last)],
        }
        for known in MEMBER_SHAPE:
            columns.setdefault(known.name, [None] * (last - first))
        columns["reference"] = [f"IDP-{number:09d}" for number in range(first, last)]
        return [int(at) for at in owners], columns


def _keys() -> PersonalData:
    keys = {1: SecretBytes(b"p" * 32)}
    return PersonalData(
        persons=cipher_from(keys, context="person"),
        accounts=cipher_from(keys, context="account"),
        files=cipher_from(keys, context="file"),
        index=BlindIndex(b"i" * 32),
    )


def _blocks(households: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, households, _BLOCK_HOUSEHOLDS):
        yield begin, min(begin + _BLOCK_HOUSEHOLDS, households)


async def _register(connection: asyncpg.Connection, drawn: Drawn, households: int) -> None:
    """Areas, households with their counts, accounts, and members; prints how fast members were."""
    areas = list(shipped_areas())
    await connection.copy_records_to_table("area", schema_name="registry", records=areas)
    communes = [area.code for area in areas if area.level == "commune"]
    each = -(-households // len(communes))
    keys = _keys()
    sealing = storing = bare = 0.0
    processor = await Processor.of(connection)
    await make_copies(connection, ["registry.member"])
    for begin, end in _blocks(households):
        owners, columns = drawn.columns(begin, end)
        ids = {
            number: id_of("household", number, near=communes[number // each].encode())
            for number in range(begin, end)
        }
        members_of = [ids[number] for number in owners]
        counted = counts_on(members_of, columns, on=DAY)
        await _copy_households(
            connection, [(ids[n], communes[n // each]) for n in range(begin, end)], counted
        )
        began = time.process_time()
        giving = keys.giving({})
        sealed = seal_members(members_of, columns, known={}, personal_data=giving, now=NOW)
        sealing += time.process_time() - began
        began = processor.seconds() + time.process_time()
        async with connection.transaction():
            await copy_on(connection, giving.given)
            await store_members(connection, sealed, today=DAY)
        storing += processor.seconds() + time.process_time() - began
        copy = BytesIO()
        await connection.copy_from_query(
            "SELECT * FROM registry.member WHERE household_id = ANY($1)",
            list(ids.values()),
            output=copy,
            format="binary",
        )
        copy.seek(0)
        schema, _, table = copy_of("registry.member").partition(".")
        began = processor.seconds() + time.process_time()
        await connection.copy_to_table(table, schema_name=schema, source=copy, format="binary")
        bare += processor.seconds() + time.process_time() - began
    await connection.execute(f"DROP TABLE {copy_of('registry.member')}")
    micro = 1e6 / drawn.members
    print(
        f"Members: sealed {sealing * micro:.1f} µs each (processor), stored {storing * micro:.1f} "
        f"µs, bare COPY of the same rows {bare * micro:.1f} µs: "
        f"{bare / max(sealing, storing):.2f} × with sealing beside, "
        f"{bare / (sealing + storing):.2f} × one after the other"
    )
    await connection.execute("VACUUM (ANALYZE) registry.member")
    await connection.execute("VACUUM (ANALYZE) registry.household")
    await connection.execute("VACUUM (ANALYZE) registry.payee_account")


async def _copy_households(
    connection: asyncpg.Connection,
    households: Sequence[tuple[UUID, str]],
    counted: dict[UUID, dict[str, int]],
) -> None:
    await connection.copy_records_to_table(
        "household",
        schema_name="registry",
        columns=[
            *("id", "area_code", "poverty_status", "person_sealed", "registration_index"),
            *("content_index", "changed_at", "members_listed"),
            *next(iter(counted.values())),
        ],
        records=[
            (
                id,
                commune,
                "poor-1",
                bytes(150),
                id.bytes,
                bytes(16),
                NOW,
                True,
                *counted[id].values(),
            )
            for id, commune in households
        ],
    )
    await connection.copy_records_to_table(
        "payee_account",
        schema_name="registry",
        columns=[
            *("id", "household_id", "provider_code", "account_sealed", "account_index"),
            "began_at",
        ],
        records=[
            (new_id(), id, "mekong", bytes(50), id.bytes, NOW)
            for at, (id, _) in enumerate(households)
            if at % 50
        ],
    )


class Processor:
    """The processor's time that one connection's PostgreSQL has taken."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> "Processor":
        return cls(await connection.fetchval("SELECT pg_backend_pid()"))

    def seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


class Pass:
    """The country enrolled and estimated, with the processor's time that it takes."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def enrol(self, chunks: Sequence[PlannedChunk], document: SchemeDocument) -> float:
        """Enrols every chunk; the seconds that it took."""
        await self._connection.execute("TRUNCATE registry.enrolment, registry.entitlement")
        await self._connection.execute("CHECKPOINT")
        statement = statements.first_round(document, statements.Variant())
        activation_id = new_id()
        processor = await Processor.of(self._connection)
        began = processor.seconds()
        for chunk in chunks:
            async with self._connection.transaction():
                await self._connection.execute(_AS_CLAIMED)
                await self._run(
                    statement,
                    {
                        "activation_id": activation_id,
                        "chunk_id": new_id(),
                        "round": 1,
                        "maximum_minor": 10**9,
                        "area_codes": chunk.area_codes,
                        "as_of": DAY,
                        **round_parts(activation_id, 1),
                    },
                )
        return processor.seconds() - began

    async def _run(self, statement: Any, values: dict[str, Any]) -> None:
        """A statement of the service, as its driver sends it."""
        compiled = statement.compile(
            dialect=asyncpg_dialect(),  # type: ignore[no-untyped-call]
            compile_kwargs={"render_postcompile": True},
        )
        given = {**compiled.params, **values}
        await self._connection.fetch(
            str(compiled), *(given[name] for name in compiled.positiontup or ())
        )

    async def enrolled(self) -> list[tuple[Any, ...]]:
        """Every enrolment: household, amount and counts."""
        rows = await self._connection.fetch(
            f"SELECT household_id, amount_minor, {', '.join(_NAMES)} FROM registry.enrolment "
            "ORDER BY household_id"
        )
        return [tuple(row) for row in rows]

    async def estimate(self, chunks: Sequence[PlannedChunk], document: SchemeDocument) -> float:
        """Estimates the country at once; the seconds that it took."""
        codes = [code for chunk in chunks for code in chunk.area_codes]
        processor = await Processor.of(self._connection)
        began = processor.seconds()
        await self._run(estimates.estimate(document), {"area_codes": codes, "as_of": DAY})
        return processor.seconds() - began

    async def by_rows(self, listed: bool) -> None:
        await self._connection.execute("UPDATE registry.household SET members_listed = $1", listed)
        await self._connection.execute("VACUUM FULL ANALYZE registry.household")
        await self._connection.execute("VACUUM registry.household")


async def _run(url: str, households: int, *, rounds: int) -> bool:
    drawn = Drawn(households)
    document = SchemeDocument.model_validate(shipped_document(SCHEME))
    about_members = document.model_copy(update={"eligibility": ABOUT_MEMBERS})
    async with owner(url) as connection:
        await _register(connection, drawn, households)
        counted = await connection.fetch(
            "SELECT area_code, count(*) FROM registry.household GROUP BY area_code"
        )
        chunks = cut_into_chunks(
            dict(map(tuple, counted)), maximum_households=_CHUNK_HOUSEHOLDS, chunks_wanted=2
        )
        work = Pass(connection)
        found: dict[bool, list[tuple[Any, ...]]] = {}
        for listed in (False, True):
            await work.by_rows(listed)
            took = [await work.enrol(chunks, document) for _ in range(rounds)]
            found[listed] = await work.enrolled()
            estimated = [await work.estimate(chunks, document) for _ in range(rounds + 1)]
            print(
                f"By {'rows' if listed else 'counts'}: "
                f"{min(took) / households * 1e6:.1f} µs a household to enrol, "
                f"{min(estimated):.2f} s to estimate {households:,} households"
            )
        took = [await work.estimate(chunks, about_members) for _ in range(2)]
        print(f"A rule about members: {min(took):.2f} s to estimate")
    return _compare(found, drawn.expected(households))


def _compare(found: dict[bool, list[tuple[Any, ...]]], expected: int) -> bool:
    totals = {listed: sum(row[1] for row in rows) for listed, rows in found.items()}
    for listed, rows in found.items():
        sums = ", ".join(
            f"{name} {sum(row[at] for row in rows):,}" for at, name in enumerate(_NAMES, start=2)
        )
        name = "rows" if listed else "counts"
        print(f"By {name}: {len(rows):,} households, {sums}, {totals[listed]:,} riel a round")
    print(f"By the totals of the programme: {expected:,} riel a round")
    same = found[False] == found[True]
    print("Every household is the same by rows as by counts." if same else "Households differ.")
    return same and set(totals.values()) == {expected}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many is told")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sangkroh-members-") as directory:
        server = LocalPostgres(Path(directory) / "postgres", configuration="fsync = off\n")
        server.start()
        try:
            environment = {**os.environ, "DATABASE_URL": server.url("postgres")}
            subprocess.run(
                [sys.executable, "-m", "services", "migrate"], env=environment, check=True
            )
            same = asyncio.run(_run(server.url("postgres"), asked.households, rounds=asked.rounds))
        finally:
            server.stop()
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
