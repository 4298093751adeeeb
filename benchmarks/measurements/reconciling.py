"""A provider's statement of a country held against our books, against a bare COPY and one join."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from benchmarks.database import SCHEMA, owner, quiet
from benchmarks.figures import (
    Bound,
    Figure,
    Pair,
    Reach,
    median_bare,
    median_measured,
    median_ratio,
    spread,
)
from benchmarks.measurements.measured import Setting
from benchmarks.world import DIRECTORY
from deploy.local.environment import CURRENCY
from shared.auth.roles import Role

NAME = "statements"
_PROVIDER = "tonle"
_PAIRS = 5
_AMOUNT_MINOR = 96_000
_CHUNK = 2_000_000_000
"""No chunk has it: the payments of this measurement belong to nothing else."""
_SECONDS = 600
_HEADING = "Time,Transaction ID,Correlation ID,Type,Amount,Currency\n"
_MAPPING: dict[str, Any] = {
    "code": _PROVIDER,
    "columns": {
        "our_id": "Correlation ID",
        "reference": "Transaction ID",
        "amount": "Amount",
        "currency": "Currency",
        "direction": "Type",
        "booked_at": "Time",
    },
    "out_values": ["disbursement"],
    "in_values": ["deposit"],
}
_PAY = """
    INSERT INTO payments.instruction (id, entitlement_id, household_id, amount_minor,
        chunk_number, status, provider_number, account_sealed, transaction_reference, finished_at)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $1, $2, 'settled',
        provider.number, '\\x', 'TN-' || lpad(nth::text, 9, '0'), now()
    FROM payments.provider, generate_series(1, $3) AS nth
    WHERE provider.code = $4
"""
_PAID = """
    SELECT count(*)
    FROM payments.instruction
    JOIN payments.provider ON provider.number = instruction.provider_number
    WHERE provider.code = $1 AND instruction.status = 'settled'
"""
_BARE = f"""
    CREATE TABLE {SCHEMA}.statement_line (
        line integer, direction payments.statement_direction, amount_minor bigint,
        booked_at timestamptz, payment_id uuid, reference text
    )
"""
_BARE_JOIN = f"""
    SELECT count(*)
    FROM {SCHEMA}.statement_line AS line
    JOIN payments.instruction ON instruction.id = line.payment_id
        AND instruction.amount_minor = line.amount_minor
        AND instruction.transaction_reference = line.reference
"""


def measure(setting: Setting, *, lines: int) -> list[Figure]:
    """Statements of the same day, each taking the place of the one before, and the bare limit."""
    show = setting.world.show
    payments = setting.world.api("payments", Role.TREASURER)
    payments.post("/statement-mappings", _MAPPING)
    pairs, sendings, wholes, taken = [], [], [], {}
    with show.phase("statements: reconciled, and bare COPY with a join", total=_PAIRS) as phase:
        paid_before = asyncio.run(_pay(setting, lines))
        for done in range(1, _PAIRS + 1):
            file = _written(setting, done)
            taken = _send(setting, file)
            assert (taken["line_count"], taken["set_aside_count"]) == (lines, 0), taken
            # What other measurements paid by this provider stands on no statement of this one.
            assert taken["open_count"] == paid_before, taken
            sendings.append(taken["sending_seconds"])
            wholes.append(taken["sending_seconds"] + taken["seconds"])
            pairs.append(Pair(taken["seconds"], asyncio.run(_bare(setting))))
            file.unlink()
            phase.reach(done)
        asyncio.run(_forget(setting))
    return [
        setting.figure(
            NAME,
            path=f"statement of {lines:,} lines, kept and reconciled",
            limit="COPY of the same lines, and one bare join",
            value=median_ratio(pairs),
            unit="×",
            reach=Reach(bound=Bound.AT_MOST, value=1.5),
            measured=f"{median_measured(pairs):.1f} s",
            bare=f"{median_bare(pairs):.1f} s",
            details=[
                f"""
                {_PAIRS} files of {lines:,} payments, {taken["bytes"] / 1e6:,.0f} megabytes each,
                sent over HTTP as CSV; each is another file of the same day and takes the place of
                the one before. From the last byte that is sent to the answer: what is read is kept,
                and held against as many payments by id, amount, reference and day, both ways.
                """,
                f"""
                Lines are read as they come: from the first byte to the last it took
                {median(sendings):.1f} s, and {median(wholes):.1f} s to the answer.
                """,
                """
                The limit: text COPY over one connection of the lines as they were read into a table
                without any index, and a count over their join with the payments by id, amount and
                reference.
                """,
                spread(pairs),
            ],
        )
    ]


async def _pay(setting: Setting, lines: int) -> int:
    """Settled payments for every line; how many the provider had settled before."""
    async with owner(setting.world.stack.database_url) as connection:
        paid_before: int = await connection.fetchval(_PAID, _PROVIDER)
        await connection.execute(_PAY, _AMOUNT_MINOR, _CHUNK, lines, _PROVIDER)
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        await quiet(connection, "payments.instruction")
    return paid_before


async def _forget(setting: Setting) -> None:
    async with owner(setting.world.stack.database_url) as connection:
        await connection.execute("DELETE FROM payments.instruction WHERE chunk_number = $1", _CHUNK)
        await quiet(connection, "payments.instruction")


def _today() -> date:
    return datetime.now(ZoneInfo("Asia/Phnom_Penh")).date()


def _written(setting: Setting, number: int) -> Path:
    """The provider's file of today, in an order of its own."""
    return asyncio.run(_write(setting, DIRECTORY / f"statement-{number}.csv", number))


async def _write(setting: Setting, file: Path, number: int) -> Path:
    async with owner(setting.world.stack.database_url) as connection:
        rows = await connection.fetch(
            "SELECT id, transaction_reference FROM payments.instruction WHERE chunk_number = $1",
            _CHUNK,
        )
    rows.sort(key=lambda row: hashlib.md5(row["id"].bytes + bytes([number])).digest())  # noqa: S324
    at = f"{_today()}T00:00:00+07:00"
    with file.open("w") as out:
        out.write(_HEADING)
        out.writelines(
            f"{at},{row['transaction_reference']},{row['id'].hex},disbursement,{_AMOUNT_MINOR},"
            f"{CURRENCY}\n"
            for row in rows
        )
    return file


def _send(setting: Setting, file: Path) -> dict[str, Any]:
    asyncio.run(_quiet(setting))
    payments = setting.world.api("payments", Role.TREASURER)

    def content() -> Iterator[bytes]:
        with file.open("rb") as source:
            while part := source.read(2**18):
                yield part
        sent_at.append(time.perf_counter())

    sent_at: list[float] = []
    began = time.perf_counter()
    taken: dict[str, Any] = payments.post_file(
        "/statements",
        content(),
        media_type="text/csv",
        timeout_seconds=_SECONDS,
        provider=_PROVIDER,
        day=_today().isoformat(),
    )
    return {
        **taken,
        "sending_seconds": sent_at[0] - began,
        "seconds": time.perf_counter() - sent_at[0],
        "bytes": file.stat().st_size,
    }


async def _quiet(setting: Setting) -> None:
    async with owner(setting.world.stack.database_url) as connection:
        await quiet(connection)


async def _bare(setting: Setting) -> float:
    """Seconds for a COPY of the lines that were read last, and one join."""
    file = DIRECTORY / "lines.copy"
    async with owner(setting.world.stack.database_url) as connection:
        await connection.execute(f"DROP TABLE IF EXISTS {SCHEMA}.statement_line")
        await connection.execute(_BARE)
        await connection.copy_from_query(
            "SELECT line, direction, amount_minor, booked_at, payment_id, reference "
            "FROM payments.statement_line WHERE statement_number = "
            "(SELECT max(number) FROM payments.statement)",
            output=file,
        )
        await quiet(connection)
        seconds = await _copy_and_join(connection, file)
    file.unlink()
    return seconds


async def _copy_and_join(connection: asyncpg.Connection, file: Path) -> float:
    began = time.perf_counter()
    await connection.copy_to_table("statement_line", schema_name=SCHEMA, source=file)
    found = await connection.fetchval(_BARE_JOIN)
    seconds = time.perf_counter() - began
    assert found > 0
    return seconds
