"""Importing households against a bare COPY of the rows that the import made of them."""

import asyncio
from pathlib import Path

from benchmarks.database import owner, quiet
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
from benchmarks.measurements.stored import ACCOUNT, HOUSEHOLD, beside_copy
from benchmarks.world import DIRECTORY

NAME = "import"
_PARTS = 5


def import_all(setting: Setting) -> None:
    """The households that other measurements need, without measuring."""
    with setting.world.show.phase("Importing households") as phase:
        (path,) = write_parts(DIRECTORY, households=setting.households, parts=1)
        setting.world.import_households(path)
        path.unlink()
        phase.reach(1, total=1)
    asyncio.run(_settle(setting))


def measure(setting: Setting) -> list[Figure]:
    """Import the households in parts, each followed by the COPY of what became of it."""
    with setting.world.show.phase("import: generating households", total=1):
        paths = write_parts(DIRECTORY, households=setting.households, parts=_PARTS)
    pairs = []
    with (
        setting.world.show.phase("import: validated, and by bare COPY", total=_PARTS) as phase,
        setting.world.only("registry-api"),
    ):
        for done, path in enumerate(paths, start=1):
            pairs.append(asyncio.run(_measure_part(setting, path)))
            path.unlink()
            phase.reach(done)
    asyncio.run(_settle(setting))
    return [
        setting.figure(
            NAME,
            path="household import (validated)",
            limit="bare COPY of the same rows",
            value=median_ratio(pairs),
            unit="×",
            reach=Reach(bound=Bound.AT_LEAST, value=0.4),
            measured=f"{median_measured(pairs):,.0f} households/s",
            bare=f"{median_bare(pairs):,.0f} households/s",
            details=[
                f"""
                {setting.households:,} households in {_PARTS} files, imported over HTTP by
                `PUT /imports/{{id}}/rows`: parsed, validated, indexed blindly, sealed,
                looked up, and stored; the clock runs from the request to its answer.
                """,
                """
                The limit: binary COPY over one connection of the very rows (household and
                payee account, sealed) that the import of the same file made, into copies of
                the two tables with all indexes, checks and foreign keys, one commit a file.
                """,
                memory_of_api(setting),
                spread(pairs),
            ],
        )
    ]


def memory_of_api(setting: Setting) -> str:
    """What the process that reads the rows held at most, since it began, and one beside it."""
    setting.world.memory.look()
    told = ", ".join(
        f"{name} {peak / 1e6:,.0f} MB"
        for name, peak in setting.world.memory.peaks.processes.items()
        if name.startswith("registry-api")
    )
    return f"""
        Held at most by then: {told}. The system's other processes stood still, on both sides.
    """


async def _measure_part(setting: Setting, path: Path) -> Pair:
    async with owner(setting.world.stack.database_url) as connection:
        return await beside_copy(
            connection,
            lambda: setting.world.import_households(path),
            rows=setting.households / _PARTS,
            tables=[HOUSEHOLD, ACCOUNT],
        )


async def _settle(setting: Setting) -> None:
    async with owner(setting.world.stack.database_url) as connection:
        await quiet(connection, HOUSEHOLD, ACCOUNT)
