"""Importing people's own files, of households and of members, against a bare COPY of the rows."""

import asyncio
import csv
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.database import owner
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
from benchmarks.households import write_parts
from benchmarks.measurements.measured import Setting
from benchmarks.measurements.registration import memory_of_api
from benchmarks.measurements.stored import ACCOUNT, HOUSEHOLD, MEMBER, beside_copy
from benchmarks.world import DIRECTORY
from demo.names import FAMILY_NAMES, GIVEN_NAMES
from services.registry.areas.gazetteer import shipped_areas
from services.registry.areas.tables import Level

_PARTS = 5
_SERIES = "F"
"""Of registration numbers: not those that another measurement imported."""
_MEMBERS_OF_ONE = 4
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 3_600
_MEMBER_HEADINGS = (
    "registration_number",
    "member_number",
    "relationship",
    "sex",
    "birth_date",
    "disability",
    "member_name",
    "commune_code",
    "poverty_status",
    "phone",
    "provider_code",
    "account",
)


def measure_households(setting: Setting) -> list[Figure]:
    """Households in files with their own columns, by a mapping."""
    paths = write_parts(DIRECTORY, households=setting.households, parts=_PARTS, series=_SERIES)
    pairs = _measured(
        setting,
        paths,
        rows_of="households",
        rows=setting.households / _PARTS,
        tables=[HOUSEHOLD, ACCOUNT],
    )
    return [
        _figure(
            setting,
            "import-file",
            "import of a file of households (mapped, in the background)",
            pairs,
            least=0.7,
            unit="households/s",
            rows=f"{setting.households:,} households",
        )
    ]


def measure_members(setting: Setting) -> list[Figure]:
    """Members in files, four to a household, which comes with them."""
    paths = [
        _write_members(DIRECTORY / f"members-{part}.csv", setting.households // _PARTS, part)
        for part in range(_PARTS)
    ]
    members = setting.households // _PARTS // _MEMBERS_OF_ONE * _MEMBERS_OF_ONE
    pairs = _measured(
        setting, paths, rows_of="members", rows=members, tables=[HOUSEHOLD, ACCOUNT, MEMBER]
    )
    return [
        _figure(
            setting,
            "import-members",
            "import of a file of members (mapped, in the background)",
            pairs,
            least=0.5,
            unit="members/s",
            rows=f"{members * _PARTS:,} members, {_MEMBERS_OF_ONE} to a household",
        )
    ]


def _figure(
    setting: Setting,
    name: str,
    path: str,
    pairs: Sequence[Pair],
    *,
    least: float,
    unit: str,
    rows: str,
) -> Figure:
    return setting.figure(
        name,
        path=path,
        limit="bare COPY of the same rows",
        value=median_ratio(pairs),
        unit="×",
        reach=Reach(bound=Bound.AT_LEAST, value=least),
        measured=f"{median_measured(pairs):,.0f} {unit}",
        bare=f"{median_bare(pairs):,.0f} {unit}",
        details=[
            f"""
            {rows} in {_PARTS} files of CSV: sent to `PUT /imports/{{id}}/file`, kept sealed,
            looked at, and read by `POST /imports/{{id}}/runs`: mapped, validated, indexed blindly,
            sealed, looked up, and stored; the clock runs from the sending to the reading's end.
            """,
            """
            The limit: binary COPY over one connection of the very rows that the file became, into
            copies of the tables with all indexes, checks and foreign keys, one commit a file.
            """,
            memory_of_api(setting),
            spread(pairs),
        ],
    )


def _measured(
    setting: Setting, paths: Sequence[Path], *, rows_of: str, rows: float, tables: Sequence[str]
) -> list[Pair]:
    pairs = []
    with (
        setting.world.show.phase(f"import of {rows_of} by file", total=len(paths)) as phase,
        setting.world.only("registry-api"),
    ):
        for done, path in enumerate(paths, start=1):
            pairs.append(asyncio.run(_measure_part(setting, path, rows_of, rows, tables)))
            path.unlink()
            phase.reach(done)
    return pairs


async def _measure_part(
    setting: Setting, path: Path, rows_of: str, rows: float, tables: Sequence[str]
) -> Pair:
    async with owner(setting.world.stack.database_url) as connection:
        return await beside_copy(
            connection, lambda: _import(setting, path, rows_of), rows=rows, tables=tables
        )


def _import(setting: Setting, path: Path, rows_of: str) -> None:
    registry = setting.world.api("registry")
    made = registry.post("/imports", {"source": "Synthetic", "rows_of": rows_of})
    with path.open("rb") as file:
        seen = registry.send_csv(
            f"/imports/{made['id']}/file",
            iter(lambda: file.read(2**18), b""),
            timeout_seconds=_PATIENCE_SECONDS,
        )
    assert seen["questions"] == [], seen["questions"]
    run: dict[str, Any] = registry.post(f"/imports/{made['id']}/runs", {"kind": "import"})
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while run["ended_at"] is None:
        assert time.monotonic() < deadline, run
        time.sleep(_LOOK_SECONDS)
        run = registry.get(f"/imports/{made['id']}/runs/{run['id']}")
    assert (run["status"], run["rows_bad"]) == ("completed", 0), run


def _write_members(path: Path, members: int, part: int) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_MEMBER_HEADINGS)
        writer.writerows(_members(members // _MEMBERS_OF_ONE, part))
    return path


def _members(households: int, part: int) -> Iterator[Sequence[object]]:
    places = [area.code for area in shipped_areas() if area.level == Level.COMMUNE]
    each = -(-households // len(places))
    for household in range(households):
        number = f"M{part}-{household:07d}"
        commune = places[household // each]
        phone = f"+85510{part}{household:06d}"
        family = FAMILY_NAMES[household % len(FAMILY_NAMES)]
        for member in range(1, _MEMBERS_OF_ONE + 1):
            is_head = member == 1
            yield (
                number,
                member,
                "head" if is_head else "child",
                "female" if (household + member) % 2 else "male",
                f"{1950 + household % 50 if is_head else 2010 + member * 3}-04-13",
                "yes" if (household + member) % 60 == 0 else "no",
                f"{family} {GIVEN_NAMES[(household * 7 + member * 11) % len(GIVEN_NAMES)]}",
                commune,
                "poor-1" if household % 2 else "poor-2",
                phone,
                "mekong",
                phone,
            )
