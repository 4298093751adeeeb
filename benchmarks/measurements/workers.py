"""One, two and four workers side by side at the same providers."""

import asyncio
import statistics
from collections import defaultdict

from benchmarks.communes import areas_with
from benchmarks.database import owner
from benchmarks.figures import Bound, Figure, Reach
from benchmarks.measurements.measured import Setting
from benchmarks.measurements.paid import PaidRun, pay
from benchmarks.world import FURTHER_WORKERS

NAME = "workers"
_NUMBERS = (1, 2, 4)
_ROUNDS = 3
_PART = 5
_NO_SLOWER = 1.05


def measure(setting: Setting, *, payments: int) -> list[Figure]:
    """Pay the same number with each number of workers, in turn."""
    world = setting.world
    runs: dict[int, list[PaidRun]] = defaultdict(list)
    turns = [number for _ in range(_ROUNDS) for number in _NUMBERS]
    with world.show.phase("workers: one, two and four", total=len(turns)) as phase:
        for done, number in enumerate(turns, start=1):
            further = list(FURTHER_WORKERS[: number - 1])
            with world.beside(further):
                # A worker prepares each statement on each of its connections some times: as many
                # payments, so that none of them has only begun.
                asyncio.run(_run(setting, payments // _PART))
                runs[number].append(asyncio.run(_run(setting, payments // _PART)))
            phase.reach(done)
    seconds = {
        number: statistics.median(1e6 * run.payment / run.payments for run in of_number)
        for number, of_number in runs.items()
    }
    return [
        setting.figure(
            NAME,
            path=f"{', '.join(map(str, _NUMBERS))} workers at the same providers",
            limit="one worker",
            value=max(seconds.values()) / seconds[1],
            unit="×",
            reach=Reach(bound=Bound.AT_MOST, value=_NO_SLOWER),
            measured=", ".join(f"{each:.1f} µs" for each in seconds.values()),
            bare=f"{seconds[1]:.1f} µs",
            details=[
                f"""
                {runs[1][0].payments:,} payments a time, from the release of their round to the end
                of the last chunk: the slowest number of workers against one, by the median of
                {_ROUNDS} runs each. They paid as many before it, so that none of them has only
                begun. No slower means within 5%. The provider's own memory has each payment once.
                """,
            ],
        )
    ]


async def _run(setting: Setting, payments: int) -> PaidRun:
    world = setting.world
    async with owner(world.stack.database_url) as connection:
        areas = await areas_with(connection, payments)
        activation_id = await asyncio.to_thread(world.propose, areas)
        return await pay(setting, connection, lambda: world.open(activation_id))
