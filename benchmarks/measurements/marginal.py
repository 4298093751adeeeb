"""What one more household costs, at sizes from a district to more than a country."""

import asyncio
import statistics
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.communes import areas_with
from benchmarks.database import owner
from benchmarks.figures import Bound, Figure, Reach
from benchmarks.measurements.measured import Setting
from benchmarks.measurements.paid import PaidRun, pay

NAMES = ("marginal-activation", "once-activation", "marginal-payment", "once-payment")
_ROUNDS = 3
_SMALLEST_TIMES_A_ROUND = 3
_PARTS = (100, 10)
_REACH = Reach(bound=Bound.AT_MOST, value=1.2)
_ONCE_REACH = Reach(bound=Bound.AT_MOST, value=100)


def measure(setting: Setting, *, sizes: Sequence[int]) -> list[Figure]:
    """Pay each of the sizes in turn, the smaller ones more often: they are over in a moment."""
    runs: dict[int, list[PaidRun]] = defaultdict(list)
    turns = [
        size
        for _ in range(_ROUNDS)
        for size in sizes
        for _ in range(_SMALLEST_TIMES_A_ROUND if size == sizes[0] else 1)
    ]
    with setting.world.show.phase("marginal cost: sizes in turn", total=len(turns) + 1) as phase:
        asyncio.run(_run(setting, sizes[0]))
        for done, size in enumerate(turns, start=1):
            phase.reach(done)
            runs[size].append(asyncio.run(_run(setting, size)))
    return [
        *_figures(
            setting,
            NAMES[:2],
            "activation",
            {size: [(run.payments, run.activation) for run in runs[size]] for size in sizes},
        ),
        *_figures(
            setting,
            NAMES[2:],
            "payment",
            {size: [(run.payments, run.payment) for run in runs[size]] for size in sizes},
        ),
    ]


def sizes_up_to(households: int, largest: int) -> list[int]:
    """A hundredth, a tenth and the whole of the households, and the largest beyond them."""
    sizes = [households // part for part in _PARTS] + [households]
    return sizes + ([largest] if largest > households else [])


async def _run(setting: Setting, payments: int) -> PaidRun:
    world = setting.world
    async with owner(world.stack.database_url) as connection:
        areas = await areas_with(connection, payments)
        activation_id = await asyncio.to_thread(world.propose, areas)
        return await pay(setting, connection, lambda: world.open(activation_id))


def _figures(
    setting: Setting,
    names: tuple[str, ...],
    what: str,
    taken: dict[int, list[tuple[int, float]]],
) -> list[Figure]:
    """The slopes between neighbouring sizes, and what the smallest takes beyond its slope."""
    points = [
        (runs[0][0], statistics.median(seconds for _, seconds in runs)) for runs in taken.values()
    ]
    slopes = [
        1e6 * (after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(points)
    ]
    (count, seconds) = points[0]
    once_ms = max(0.0, 1e3 * seconds - count * slopes[0] / 1e3)
    told = ", ".join(f"{count:,} in {seconds:.2f} s" for count, seconds in points)
    return [
        setting.figure(
            names[0],
            path=f"{what} of one more household, between " + ", ".join(f"{p[0]:,}" for p in points),
            limit="the cheapest",
            value=max(slopes) / min(slopes),
            unit="×",
            reach=_REACH,
            measured=", ".join(f"{slope:.1f} µs" for slope in slopes),
            bare=f"{min(slopes):.1f} µs",
            details=[
                f"Medians of several runs, taken in turn in the same registry: {told}.",
                "What one more costs is the difference in time by the difference in number.",
            ],
        ),
        setting.figure(
            names[1],
            path=f"{what}: spent once, whatever the size",
            limit="absolute",
            value=once_ms,
            unit="ms",
            reach=_ONCE_REACH,
            measured=f"{1e3 * seconds:,.0f} ms for {count:,}",
            bare="",
            details=["What the smallest took beyond what its households cost at the margin."],
        ),
    ]
