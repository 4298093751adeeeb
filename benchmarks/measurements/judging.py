"""From a batch of figures to the last evaluation that it brings about, of 500 triggers."""

import asyncio
import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import asyncpg

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
from benchmarks.processor import processor_seconds
from benchmarks.world import SCHEME, World
from demo.api import NeverCame
from demo.show import Phase
from services.triggers.definitions.document import TriggerDocument
from shared.auth.roles import Role
from shared.clock import SystemClock

NAME = "judging"
_TRIGGERS, _INDICATORS = 500, 2_000
_GAUGES = _INDICATORS - 1
_GAUGES_A_TRIGGER = 4
_GAUGE_DAYS = 30
_REPORT_DAYS = range(1, 40, 2)
_PROVINCES = [f"{province:02}" for province in range(1, 26)]
_BATCHES = 7
_LOOK_SECONDS = 0.02
_STILL_SECONDS = 300
_REPORTS = "benchmark-reports"
_TABLE = "triggers.evaluation"

_DUE = "SELECT count(*) FROM triggers.indicator WHERE judge_at <= clock_timestamp()"
_NEWEST = "SELECT coalesce(max(evaluated_at), '-infinity') FROM triggers.evaluation"
_TOLD = "SELECT count(*) FROM triggers.trigger_standing"
_MADE = "SELECT * FROM triggers.evaluation WHERE evaluated_at > $1"
_MORE_INDICATORS = """
    INSERT INTO triggers.indicator (code, name, unit, kind, area_level, forecast, places, calendar,
        judge_at, judged_until, created_at, posted_by)
    SELECT 'benchmark-gauge-' || gauge, name, unit, kind, area_level, forecast, places, calendar,
        judge_at, judged_until, created_at, posted_by
    FROM triggers.indicator, generate_series($2::integer, $3) AS gauge WHERE code = $1
"""
_MORE_FIGURES = """
    INSERT INTO triggers.observation (indicator_code, forecast, observed_on, area_code, place,
        source, revision, value, published_on, recorded_at, posted_by, published)
    SELECT 'benchmark-gauge-' || gauge, forecast, observed_on,
        lpad(CAST(gauge % $4::integer + 1 AS text), 2, '0'), 'gauge ' || gauge,
        source, revision, value + 0.01 * (gauge % 100), published_on, recorded_at, posted_by,
        published
    FROM triggers.observation, generate_series($2::integer, $3) AS gauge WHERE indicator_code = $1
"""
_MORE_TRIGGERS = """
    INSERT INTO triggers.trigger_definition (code, version, document, posted_by, posted_at)
    SELECT more.document ->> 'code', version, more.document, posted_by, posted_at
    FROM triggers.trigger_definition, unnest($2::jsonb[]) AS more (document) WHERE code = $1
"""
_MORE_LEGS = """
    INSERT INTO triggers.trigger_leg (trigger_code, trigger_version, position, indicator_code)
    SELECT code, version, leg.position - 1, leg.document ->> 'indicator'
    FROM triggers.trigger_definition AS definition,
        jsonb_array_elements(definition.document -> 'legs') WITH ORDINALITY
            AS leg (document, position)
    WHERE code LIKE 'benchmark-judging-%' AND code <> $1
"""
_FIGURES = """
    SELECT area_code, place, source, observed_on, published_on,
           CAST(value AS double precision), member, issue, details
    FROM triggers.observation WHERE indicator_code = $1
"""
_DEFINITIONS = """
    SELECT DISTINCT ON (definition.code) definition.*
    FROM triggers.trigger_definition AS definition
    JOIN triggers.trigger_leg AS leg ON leg.trigger_code = definition.code
    WHERE leg.indicator_code = $1
    ORDER BY definition.code, definition.version DESC
"""


def measure(setting: Setting) -> list[Figure]:
    """Batches of reports that every trigger reads, each followed by the bare reads and writes."""
    world = setting.world
    with world.only("registry-api", "triggers-api"):
        asyncio.run(_provide(world))
    with world.only("registry-api", "triggers-api", "triggers-worker"):
        asyncio.run(_judge_first(world))
    runs = []
    with world.show.phase("judging: batches, and bare reads and writes", total=_BATCHES) as phase:
        for done in range(1, _BATCHES + 1):
            runs.append(asyncio.run(_measure_batch(world, done)))
            phase.reach(done)
    first, *later = [run.milliseconds for run in runs]
    worked_ms = statistics.median(run.worked_ms for run in runs[1:])
    return [
        setting.figure(
            NAME,
            path=f"batch → {_TRIGGERS:,} triggers over {_INDICATORS:,} indicators evaluated",
            limit="the same reads and writes by bare SQL",
            value=median_measured(later),
            unit="ms",
            reach=Reach(bound=Bound.AT_MOST, value=2_000),
            measured=f"{median_ratio(later):.0f} × the limit",
            bare=f"{median_bare(later):,.0f} ms",
            details=[
                f"""
                {_TRIGGERS:,} triggers, each of one indicator of reports that all of them read and
                of {_GAUGES_A_TRIGGER} gauges of its own, which have {_GAUGE_DAYS} days each. The
                clock runs from the POST of a batch of reports of {len(_PROVINCES)} provinces until
                the last of the {_TRIGGERS:,} evaluations is committed.
                """,
                """
                The limit: on one connection, the figures of the reports and the definitions read,
                and the rows of the evaluations that were made inserted into a copy of the table
                with all indexes and foreign keys, in one transaction.
                """,
                f"""
                The first of {_BATCHES} batches, which is not counted, took
                {first.measured:,.0f} ms; the others
                {", ".join(f"{pair.measured:,.0f} ms" for pair in later)}.
                """,
                f"""
                Processor time: {worked_ms:,.0f} ms in all processes, the API's for the POST among
                them.
                """,
                spread(later),
            ],
        )
    ]


@dataclass(frozen=True, kw_only=True)
class _Run:
    milliseconds: Pair
    worked_ms: float
    """Processor time in all processes together."""


async def _measure_batch(world: World, number: int) -> _Run:
    body = {"indicator": _REPORTS, "unit": "households", "observations": list(_batch(number))}
    publisher = world.api("triggers", Role.PUBLISHER)
    async with owner(world.stack.database_url) as connection:
        if not await connection.fetchval("SELECT to_regclass($1)", copy_of(_TABLE)):
            await make_copies(connection, [_TABLE])
        newest = await connection.fetchval(_NEWEST)
        await quiet(connection, _TABLE)
        with world.only("triggers-api", "triggers-worker"):
            worked = processor_seconds(world.stack.process_ids())
            began = time.perf_counter()
            await asyncio.to_thread(publisher.post, "/observations", body)
            await _wait_judged(connection)
            measured = time.perf_counter() - began
            worked = processor_seconds(world.stack.process_ids()) - worked
        rows = await connection.fetch(_MADE, newest)
        assert len(rows) == _TRIGGERS, len(rows)
        await quiet(connection, copy_of(_TABLE))
        began = time.perf_counter()
        await _bare(connection, rows)
        bare = time.perf_counter() - began
    return _Run(milliseconds=Pair(1_000 * measured, 1_000 * bare), worked_ms=1_000 * worked)


async def _bare(connection: asyncpg.Connection, rows: list[asyncpg.Record]) -> None:
    schema, _, name = copy_of(_TABLE).partition(".")
    async with connection.transaction():
        await connection.fetch(_FIGURES, _REPORTS)
        await connection.fetch(_DEFINITIONS, _REPORTS)
        await connection.copy_records_to_table(
            name,
            schema_name=schema,
            columns=list(rows[0].keys()),
            records=[tuple(row.values()) for row in rows],
        )


async def _provide(world: World) -> None:
    """The reports, the first trigger and its gauges, as they are posted; then more of the same."""
    triggers, publisher = world.api("triggers"), world.api("triggers", Role.PUBLISHER)
    with world.show.phase("judging: indicators, figures and triggers"):
        triggers.post("/indicators", _indicator(_REPORTS, "households", "households_affected"))
        publisher.post(
            "/observations",
            {"indicator": _REPORTS, "unit": "households", "observations": list(_reports())},
        )
        for gauge in range(_GAUGES_A_TRIGGER):
            code = _gauge(gauge)
            triggers.post("/indicators", _indicator(code, "m", "river_stage"))
            publisher.post(
                "/observations",
                {"indicator": code, "unit": "m", "observations": list(_stages(gauge))},
            )
        triggers.post("/triggers", _trigger(0))
        async with owner(world.stack.database_url) as connection:
            gauges = [_GAUGES_A_TRIGGER, _GAUGES - 1]
            await connection.execute(_MORE_INDICATORS, _gauge(0), *gauges)
            await connection.execute(_MORE_FIGURES, _gauge(0), *gauges, len(_PROVINCES))
            documents = [
                TriggerDocument.model_validate(_trigger(number)).model_dump_json()
                for number in range(1, _TRIGGERS)
            ]
            await connection.execute(_MORE_TRIGGERS, _trigger(0)["code"], documents)
            await connection.execute(_MORE_LEGS, _trigger(0)["code"])


async def _judge_first(world: World) -> None:
    """Have everything judged that was provided, which tells each history from its beginning."""
    with world.show.phase("judging: for the first time", total=_INDICATORS) as phase:
        async with owner(world.stack.database_url) as connection:
            await _wait_judged(connection, phase)


async def _wait_judged(connection: asyncpg.Connection, phase: Phase | None = None) -> None:
    """Wait until nothing is due; raises NeverCame where nothing moves for long."""
    last, deadline = None, 0.0
    while due := await connection.fetchval(_DUE):
        moved = (due, await connection.fetchval(_TOLD))
        if moved != last:
            last, deadline = moved, time.monotonic() + _STILL_SECONDS
        if time.monotonic() > deadline:
            raise NeverCame(f"Nothing was judged for {_STILL_SECONDS} s, and {due} are due.")
        if phase is not None:
            phase.reach(_INDICATORS - due)
        await asyncio.sleep(_LOOK_SECONDS)


def _gauge(number: int) -> str:
    return f"benchmark-gauge-{number}"


def _indicator(code: str, unit: str, kind: str) -> dict[str, Any]:
    return {"code": code, "name": code, "unit": unit, "kind": kind, "area_level": "province"}


def _reports() -> Iterator[dict[str, Any]]:
    """What was reported on every other day before today."""
    today = SystemClock().today()
    for days in _REPORT_DAYS:
        yield from _reports_of(today - timedelta(days=days), households=100 + days)


def _batch(number: int) -> Iterator[dict[str, Any]]:
    """What is reported today, again and again, each time a little more."""
    for row in _reports_of(SystemClock().today(), households=100 + number):
        yield row | {"issue": number}


def _reports_of(day: date, *, households: int) -> Iterator[dict[str, Any]]:
    for province in _PROVINCES:
        yield {
            "area": province,
            "source": "NCDM",
            "observed_on": day.isoformat(),
            "published_on": day.isoformat(),
            "value": households + int(province),
        }


def _stages(gauge: int) -> Iterator[dict[str, Any]]:
    """A day each, up to yesterday, below every level."""
    today = SystemClock().today()
    for days in range(_GAUGE_DAYS, 0, -1):
        day = (today - timedelta(days=days)).isoformat()
        yield {
            "area": _PROVINCES[gauge % len(_PROVINCES)],
            "place": f"gauge {gauge}",
            "source": "MRC",
            "observed_on": day,
            "published_on": day,
            "value": round(6 + math.sin(gauge + days / 9), 2),
        }


def _trigger(number: int) -> dict[str, Any]:
    """Its reports reach readiness for one trigger in ten, and activation for one in twenty."""
    reached = number % 20 == 0
    ready = number % 10 == 0
    legs = [
        {
            "indicator": _REPORTS,
            "method": {
                "kind": "reported-impact",
                "readiness": {"national_threshold_households": 1_000 if ready else 100_000},
                "activation": {
                    "national_threshold_households": 1_000 if reached else 200_000 + number,
                    "area_threshold_households": 50,
                },
                "unquantified": "include",
                "rearm": {"days_without_reports": 30},
            },
        }
    ]
    first = number * _GAUGES_A_TRIGGER
    for gauge in range(first, min(first + _GAUGES_A_TRIGGER, _GAUGES)):
        place = f"gauge {gauge}"
        legs.append(
            {
                "indicator": _gauge(gauge),
                "method": {
                    "kind": "stage-threshold",
                    "levels": {place: {"readiness": 10.0, "activation": 12.0}},
                    "reaches": {place: [_PROVINCES[gauge % len(_PROVINCES)]]},
                    "rearm": {"quiet_days": 30, "after_days": 120},
                },
            }
        )
    return {
        "code": f"benchmark-judging-{number}",
        "name": f"Benchmark {number}",
        "scheme": SCHEME,
        "shock": "flood",
        "areas": ["KH"],
        "area_filter": None,
        "enabled": True,
        "judge_within_days": 30,
        "legs": legs,
        "join": "any",
        "stages": {"activation": {"approval": "second-person"}},
    }
