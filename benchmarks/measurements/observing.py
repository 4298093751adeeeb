"""Recording observations over HTTP against a bare COPY of the rows that became of them."""

import asyncio
import time
from datetime import date
from typing import Any

from benchmarks.database import copy_of, make_copies, owner, quiet
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
from shared.auth.roles import Role

NAME = "observations"
_BATCHES, _ROWS = 6, 5_000
_MARKETS = 1_000
_MONTHS_A_BATCH = _ROWS // _MARKETS
_PROVINCES = 25
_TABLE = "triggers.observation"
_INDICATOR: dict[str, Any] = {
    "code": "benchmark-prices",
    "name": "Prices of a thousand markets",
    "unit": "USD/KG",
    "kind": "price",
    "area_level": "province",
}


def measure(setting: Setting) -> list[Figure]:
    """Batches of 5,000, each followed by the COPY of what became of it."""
    setting.world.api("triggers").post("/indicators", _INDICATOR)
    pairs = []
    with setting.world.show.phase("observations: batches, and bare COPY", total=_BATCHES) as phase:
        for done in range(_BATCHES):
            pairs.append(asyncio.run(_measure_batch(setting, done)))
            phase.reach(done + 1)
    return [
        setting.figure(
            NAME,
            path="observations recorded (JSON batches, checked)",
            limit="bare COPY of the same rows",
            value=median_measured(pairs),
            unit="/s",
            reach=Reach(bound=Bound.AT_LEAST, value=10_000),
            measured=f"{median_ratio(pairs):.2f} × the limit",
            bare=f"{median_bare(pairs):,.0f} observations/s",
            details=[
                f"""
                {_BATCHES} batches of {_ROWS:,} prices of {_MARKETS:,} markets, posted one after the
                other by a publisher: parsed, checked, compared with what is known, stored, and
                announced by one event each.
                """,
                """
                The limit: binary COPY over one connection of the rows that the batch became, into
                a copy of the table with all indexes and checks.
                """,
                spread(pairs),
            ],
        )
    ]


async def _measure_batch(setting: Setting, number: int) -> Pair:
    body = {
        "indicator": _INDICATOR["code"],
        "unit": _INDICATOR["unit"],
        "observations": list(_rows(number)),
    }
    publisher = setting.world.api("triggers", Role.PUBLISHER)
    file = DIRECTORY / "observations.copy"
    async with owner(setting.world.stack.database_url) as connection:
        if not await connection.fetchval("SELECT to_regclass($1)", copy_of(_TABLE)):
            await make_copies(connection, [_TABLE])
        newest = await connection.fetchval(f"SELECT coalesce(max(sequence), 0) FROM {_TABLE}")
        await quiet(connection)
        began = time.perf_counter()
        recorded = await asyncio.to_thread(publisher.post, "/observations", body)
        measured = _ROWS / (time.perf_counter() - began)
        assert recorded["recorded"] == _ROWS, recorded
        columns = [
            row["attname"]
            for row in await connection.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass "
                "AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                _TABLE,
            )
        ]
        await connection.copy_from_query(
            f"SELECT {', '.join(columns)} FROM {_TABLE} WHERE sequence > $1",
            newest,
            output=file,
            format="binary",
        )
        await quiet(connection)
        schema, _, name = copy_of(_TABLE).partition(".")
        began = time.perf_counter()
        await connection.copy_to_table(
            name, schema_name=schema, source=file, format="binary", columns=columns
        )
        bare = _ROWS / (time.perf_counter() - began)
    file.unlink()
    return Pair(measured, bare)


def _rows(number: int) -> list[dict[str, Any]]:
    """Some months of every market, at prices that go on where the batch before ended."""
    rows = []
    for step in range(_MONTHS_A_BATCH):
        count = number * _MONTHS_A_BATCH + step
        month = date(2015 + count // 12, count % 12 + 1, 1)
        out_on = date(2015 + (count + 1) // 12, (count + 1) % 12 + 1, 10)
        rows += [
            {
                "area": f"{market % _PROVINCES + 1:02}",
                "place": f"market {market}",
                "source": "WFP",
                "observed_on": month.isoformat(),
                "published_on": out_on.isoformat(),
                "value": round(0.4 + 0.001 * count + 0.0001 * (market % 100), 4),
            }
            for market in range(_MARKETS)
        ]
    return rows
