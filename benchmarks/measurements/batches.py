"""Dispatch and settlement of payments by batches, each against the same rows by bare SQL."""

import asyncio
from dataclasses import dataclass

from benchmarks.communes import areas_with
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
from benchmarks.measurements.bare_payment import BarePayment, pay_bare
from benchmarks.measurements.measured import Setting
from benchmarks.measurements.paid import PaidRun, pay
from benchmarks.world import provider_codes

NAMES = ("batches", "results")
_PAIRS = 3
_WARM_UP_PART = 20
_FLOAT_MINOR = 10**13
_REACH = Reach(bound=Bound.AT_MOST, value=1.5)


@dataclass(frozen=True)
class _Measured:
    run: PaidRun
    bare: BarePayment


def provide_float(setting: Setting) -> None:
    """Let the providers pay whatever is opened."""
    for provider in provider_codes():
        setting.world.prefund(provider, _FLOAT_MINOR)


def measure(setting: Setting, *, payments: int) -> list[Figure]:
    """Pay the country, the dispatch and the settlement one after the other, and then barely."""
    with setting.world.show.phase("batches: paid, and by bare SQL", total=_PAIRS + 1) as phase:
        measured = []
        asyncio.run(_measure(setting, payments // _WARM_UP_PART))
        for done in range(1, _PAIRS + 1):
            phase.reach(done)
            measured.append(asyncio.run(_measure(setting, None)))
    dispatch = [Pair(each.run.dispatch, each.bare.dispatch) for each in measured]
    settlement = [Pair(each.run.settlement, each.bare.settlement) for each in measured]
    paid = measured[0].run.payments
    return [
        setting.figure(
            NAMES[0],
            path=f"batch dispatch of {paid:,}",
            limit="the same claims and postings by bare SQL",
            value=median_ratio(dispatch),
            unit="×",
            reach=_REACH,
            measured=f"{median_measured(dispatch):.1f} s",
            bare=f"{median_bare(dispatch):.1f} s",
            details=[
                """
                From the first claim until the last batch is approved: lines found and claimed,
                each with its intent and history, booked, accounts opened, bodies written and sent,
                the batches asked about and approved. The provider is one lean process on the same
                two cores; it pays nothing until all is sent.
                """,
                """
                The limit: on one connection, in one transaction, one UPDATE of the same rows, and
                INSERT … SELECT of the same history, journal, transfers and batches, in copies with
                all indexes that hold the rows of all runs before. It opens no account and writes no
                body.
                """,
                spread(dispatch),
            ],
        ),
        setting.figure(
            NAMES[1],
            path=f"settlement of {paid:,} from batch results",
            limit="the same by bare SQL",
            value=median_ratio(settlement),
            unit="×",
            reach=_REACH,
            measured=f"{median_measured(settlement):.1f} s",
            bare=f"{median_bare(settlement):.1f} s",
            details=[
                """
                From when the provider pays all that was approved until the last batch is closed: it
                calls back about each batch, its results are read by the page, each line is held
                against its payment, settled with its reference and history, and booked.
                """,
                """
                The limit: one UPDATE of the same rows and INSERT … SELECT of the same history,
                journal and transfers, as above. It reads nothing over HTTP.
                """,
                spread(settlement),
            ],
        ),
    ]


async def _measure(setting: Setting, payments: int | None) -> _Measured:
    world = setting.world
    async with owner(world.stack.database_url) as connection:
        areas = ["KH"] if payments is None else await areas_with(connection, payments)
        activation_id = await asyncio.to_thread(world.propose, areas)
        run = await pay(setting, connection, lambda: world.open(activation_id), apart=True)
        with world.only():
            bare = await pay_bare(connection, run.activation_id, before=run.before)
    return _Measured(run, bare)
